use super::*;

fn text(text: &str) -> Content {
    Content {
        text: text.to_owned(),
        ..Content::default()
    }
}

fn image(mime: &str, bytes: u64) -> Media {
    Media {
        id: crate::MediaId::from_uuid(uuid::Uuid::nil()),
        kind: MediaKind::Image,
        mime: mime.to_owned(),
        bytes,
        sha256: String::new(),
        width: 1_000,
        height: 1_000,
        duration_ms: None,
        alt: None,
    }
}

#[test]
fn bluesky_counts_what_a_reader_sees() {
    let family = "👨‍👩‍👧‍👦";
    assert!(Platform::Bluesky.check_text(&family.repeat(100)).is_ok());
    assert!(Platform::Bluesky.check_text(&"a".repeat(300)).is_ok());
    let error = Platform::Bluesky
        .check_text(&"a".repeat(301))
        .expect_err("one too many");
    assert_eq!(
        error.to_string(),
        "text: 301 characters are too many for bluesky (at most 300); shorten it"
    );
    assert!(
        Platform::Bluesky.check_text(&family.repeat(130)).is_err(),
        "over 3,000 bytes"
    );
}

#[test]
fn x_weighs_its_characters() {
    let fits = |text: &str| Platform::X.check_text(text).is_ok();
    assert!(fits(&"a".repeat(280)) && !fits(&"a".repeat(281)));
    assert!(fits(&"日".repeat(140)) && !fits(&"日".repeat(141)));
    assert!(fits(&"👨‍👩‍👧‍👦".repeat(140)) && !fits(&"👨‍👩‍👧‍👦".repeat(141)));
    let address = format!("https://example.com/{}", "a".repeat(300));
    assert!(
        fits(&format!("{} {address}", "a".repeat(256))),
        "an address counts 23"
    );
    assert!(!fits(&format!("{} {address}", "a".repeat(257))));
}

#[test]
fn mastodon_counts_an_address_as_23() {
    let address = format!("https://example.com/{}", "a".repeat(300));
    let fits = |text: &str| Platform::Mastodon.check_text(text).is_ok();
    assert!(fits(&format!("{} {address}", "a".repeat(476))));
    assert!(!fits(&format!("{} {address}", "a".repeat(477))));
}

#[test]
fn telegram_counts_utf16_and_a_caption_is_shorter_than_a_text() {
    let fits = |content: &Content| Platform::Telegram.check_content(content).is_ok();
    // An emoji beyond the first plane is two.
    assert!(fits(&text(&"🛥".repeat(2_048))));
    assert!(!fits(&text(&format!("{}a", "🛥".repeat(2_048)))));
    let caption = |length: usize| Content {
        media: vec![image("image/png", 10)],
        ..text(&"a".repeat(length))
    };
    assert!(fits(&caption(1_024)));
    let refused = Platform::Telegram.check_content(&caption(1_025));
    assert_eq!(
        refused.expect_err("one too many").to_string(),
        "text: 1025 characters are too many for telegram (at most 1024); shorten it"
    );
}

#[test]
fn each_refusal_names_the_field_and_the_fix() {
    let refused = |platform: Platform, content: Content| {
        platform
            .check_content(&content)
            .expect_err("a refusal")
            .to_string()
    };
    assert_eq!(
        refused(Platform::Instagram, text("hello")),
        "media: a post needs media here; add a file (instagram, feed)"
    );
    assert_eq!(
        refused(Platform::Bluesky, text("  ")),
        "text: bluesky takes no empty post; give it a text or media"
    );
    let linked = Content {
        link: Some("https://example.com".to_owned()),
        ..text("hello")
    };
    assert!(refused(Platform::X, linked).starts_with("link: "));
    let story = Content {
        format: Format::Story,
        ..text("hello")
    };
    assert_eq!(
        refused(Platform::X, story),
        "format: x has no story; it has feed"
    );
    let many = Content {
        media: vec![image("image/png", 10); 5],
        ..text("hello")
    };
    assert_eq!(
        refused(Platform::X, many),
        "media: 5 files are too many (at most 4); leave some out (x, feed)"
    );
    let wrong_type = Content {
        media: vec![image("image/png", 10)],
        ..text("hello")
    };
    assert_eq!(
        refused(Platform::Instagram, wrong_type),
        "media[0]: image/png is not taken (only image/jpeg); convert it for instagram"
    );
    let large = Content {
        media: vec![image("image/png", 900_000_000)],
        ..text("hello")
    };
    assert!(refused(Platform::X, large).contains("make it smaller"));
}

#[test]
fn a_link_beside_media_is_refused_where_a_post_shows_one_of_them() {
    for platform in Platform::ALL {
        let row = platform.capabilities();
        let Some(images) = row.formats[0].image.filter(|_| row.takes_links) else {
            continue;
        };
        let link = Some("https://example.com".to_owned());
        let shown = Content {
            link: link.clone(),
            media: vec![image(images.types[0], 10)],
            ..text("hello")
        };
        let judged = platform.check_content(&shown);
        if row.link_with_media {
            assert_eq!(judged, Ok(()), "{platform}");
            continue;
        }
        let refused = judged.expect_err("a refusal");
        assert_eq!(refused.field(), "link");
        assert_eq!(
            refused.problem(),
            format!(
                "{platform} shows media or a link's preview, never both; put the address into the text, or leave the media out"
            )
        );
        let (without_media, without_link) = (
            Content {
                link,
                ..text("hello")
            },
            Content {
                link: None,
                ..shown
            },
        );
        assert_eq!(platform.check_content(&without_media), Ok(()), "{platform}");
        assert_eq!(platform.check_content(&without_link), Ok(()), "{platform}");
    }
}

#[test]
fn a_platform_that_fetches_media_needs_to_reach_ours() {
    let content = Content {
        media: vec![image("image/jpeg", 10)],
        ..text("hello")
    };
    let refused = Platform::Instagram
        .check_reach(&content, false)
        .unwrap_err();
    assert_eq!(refused.field(), "media");
    assert_eq!(
        refused.problem(),
        "instagram fetches media from a public address, and none is configured; set media.public_url to where the internet reaches the gateway, or leave the media out"
    );
    assert!(Platform::Instagram.check_reach(&content, true).is_ok());
    assert!(Platform::Bluesky.check_reach(&content, false).is_ok());
    assert!(Platform::Threads.check_reach(&text("hello"), false).is_ok());
}

#[test]
fn every_row_is_sound() {
    for platform in Platform::ALL {
        let row = platform.capabilities();
        assert!(!row.formats.is_empty(), "{platform}: no kind of post");
        assert!(!row.steps.is_empty(), "{platform}: no step publishes");
        for format in row.formats {
            assert_eq!(format.image.is_some(), format.images.max > 0, "{platform}");
            assert_eq!(format.video.is_some(), format.videos.max > 0, "{platform}");
            assert!(format.text_only || format.media_max > 0, "{platform}");
            assert_eq!(format.must_show().is_none(), format.text_only, "{platform}");
            let passes = format.format == Format::Story;
            assert_eq!(
                format.lives.is_some(),
                passes,
                "{platform} {}",
                format.format
            );
            assert_eq!(platform.lives(format.format), format.lives, "{platform}");
        }
        assert!(row.takes_links || !row.link_with_media, "{platform}");
        if row.refresh == super::super::RefreshRule::SingleUse {
            assert!(row.refresh_lifetime.is_some(), "{platform}");
        }
        let caption = row.caption_max.unwrap_or(row.text_max);
        assert!(caption <= row.text_max, "{platform}");
    }
}
