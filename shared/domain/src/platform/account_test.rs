use super::*;

fn of(text_max: Option<u32>, video_max_s: Option<u32>) -> AccountFacts {
    AccountFacts {
        text_max,
        video_max_s,
        ..AccountFacts::default()
    }
}

fn video(seconds: u64) -> Content {
    let media = Media {
        id: crate::MediaId::from_uuid(uuid::Uuid::nil()),
        kind: MediaKind::Video,
        mime: "video/mp4".to_owned(),
        bytes: 1_000,
        sha256: String::new(),
        width: 1_080,
        height: 1_920,
        duration_ms: Some(seconds * 1_000),
        alt: None,
    };
    Content {
        media: vec![media],
        ..Content::text("a video")
    }
}

#[test]
fn row_072_the_accounts_own_length_stands_in_the_place_of_the_platforms() {
    let fits = |text: &str, max| {
        let content = Content::text(text);
        Platform::X
            .check_content_of(&content, &of(max, None))
            .is_ok()
    };
    let long = "a".repeat(400);
    assert!(!fits(&long, None), "the platform's, where nothing is known");
    assert!(!fits(&long, Some(280)));
    assert!(fits(&long, Some(25_000)));
    // Weighted as ever.
    assert!(fits(&"日".repeat(200), Some(400)));
    assert!(!fits(&"日".repeat(201), Some(400)));
    let refused = Platform::X
        .check_account(&Content::text(long), &of(Some(280), None))
        .expect_err("too long");
    assert_eq!(refused.field(), "text");
    assert_eq!(
        refused.problem(),
        "400 characters are too many for x (at most 280); shorten it"
    );
}

#[test]
fn row_071_a_video_is_as_long_as_the_kind_of_post_and_the_account_both_allow() {
    let fits = |seconds, most| {
        Platform::YouTube
            .check_content_of(&video(seconds), &of(None, most))
            .is_ok()
    };
    assert!(fits(900, Some(900)));
    assert!(!fits(901, Some(900)));
    assert!(fits(901, None) && fits(901, Some(43_200)));
    assert!(
        !fits(43_201, Some(86_400)),
        "the platform's own limit stands"
    );
    let refused = Platform::YouTube
        .check_account(&video(901), &of(None, Some(900)))
        .expect_err("too long");
    assert_eq!(refused.field(), "media");
    assert_eq!(
        refused.to_string(),
        "media[0]: a length of 901 s is more than this account may post (at most 900 s); cut it for youtube"
    );
}
