//! Media posts, stories and callbacks of Facebook: what the common cases do not reach.

use std::time::Duration;

use mooring_domain::{
    Failure, Platform,
    post::{Accepted, Content, Finding, Format, MediaKind, Prepared, Seen, Sent},
};
use mooring_providers::{Attachment, Draft};
use mooring_simulator::{FaultKind, LedgerFilter, facebook::MediaRules};

use crate::{arena::Arena, media};

pub(crate) async fn arena() -> Arena {
    Arena::new(Platform::Facebook).await
}

pub(crate) fn draft(arena: &Arena, format: Format, text: &str, kinds: &[MediaKind]) -> Draft {
    let files: Vec<Attachment> = kinds
        .iter()
        .map(|kind| media::attachment(Platform::Facebook, *kind))
        .collect();
    let mut draft = arena.draft(text);
    draft.content = Content {
        format,
        media: files.iter().map(|file| file.media.clone()).collect(),
        ..Content::text(text)
    };
    draft.media = files;
    draft
}

/// The same draft with files that have no address.
pub(crate) fn without_addresses(mut draft: Draft) -> Draft {
    for file in &mut draft.media {
        file.url = None;
    }
    draft
}

pub(crate) async fn find(arena: &Arena, draft: &Draft) -> Finding {
    let lost = arena.lost(draft);
    let access = arena.scene.access();
    arena
        .provider
        .find(&access, &lost)
        .await
        .expect("a finding")
}

pub(crate) async fn read_back(arena: &Arena, accepted: &Accepted) -> Seen {
    let access = arena.scene.access();
    let seen = arena.provider.read_back(&access, &accepted.remote_id);
    seen.await.expect("a look")
}

pub(crate) fn texts(arena: &Arena) -> Vec<String> {
    let all = arena.admin.ledger(&LedgerFilter::default());
    all.into_iter().map(|entry| entry.text).collect()
}

pub(crate) fn uploads(arena: &Arena) -> u64 {
    arena.admin.calls_of(&arena.scene.account(), "upload")
}

#[tokio::test]
async fn several_photos_become_one_post_that_reads_back() {
    let arena = arena().await;
    let draft = draft(&arena, Format::Feed, "four boats", &[MediaKind::Image; 4]);
    let draft = arena.ready(draft).await.expect("prepared");
    assert!(texts(&arena).is_empty(), "the steps before show nothing");
    let accepted = arena.publish(&draft).await.expect("accepted");
    assert_eq!(texts(&arena), ["four boats"]);
    assert!(
        matches!(read_back(&arena, &accepted).await, Seen::Live { digest: Some(d), .. } if d == draft.content.digest())
    );
    assert_eq!(find(&arena, &draft).await, Finding::Found(accepted));
    // The same photos are taken once: even a send too many makes no second post.
    let again = arena.publish(&draft).await;
    assert_eq!(again, Err(Failure::DuplicateContent));
}

#[tokio::test]
async fn a_lost_photo_post_without_a_text_is_known_by_its_photos() {
    let arena = arena().await;
    let draft = draft(&arena, Format::Feed, "", &[MediaKind::Image; 2]);
    let draft = arena.ready(draft).await.expect("prepared");
    arena.fault("publish", FaultKind::LostAnswer, 1);
    assert_eq!(arena.publish(&draft).await, Err(Failure::Indeterminate));
    assert!(matches!(find(&arena, &draft).await, Finding::Found(_)));
}

#[tokio::test]
async fn a_photo_step_keeps_what_it_has_when_a_later_upload_fails() {
    let arena = arena().await;
    let access = arena.scene.access();
    let mut draft = draft(&arena, Format::Feed, "three", &[MediaKind::Image; 3]);
    // Of the last one there is so little that it is no photo.
    draft.media[2].media.bytes = 2;
    let first = arena.provider.prepare(&access, &draft, None).await;
    let Ok(Prepared::Pending { state, .. }) = first else {
        panic!("two are kept: {first:?}");
    };
    let uploaded = uploads(&arena);
    let second = arena.provider.prepare(&access, &draft, Some(&state)).await;
    let code = "324/2069019".to_owned();
    assert_eq!(second, Err(Failure::ContentRejected { code }));
    assert_eq!(
        uploads(&arena),
        uploaded + 1,
        "only the last one is tried again"
    );
    // Trouble with the first one of a step is told as what it is.
    arena.fault(
        "upload",
        FaultKind::Status {
            code: 503,
            body: None,
        },
        1,
    );
    let down = arena.provider.prepare(&access, &draft, Some(&state)).await;
    assert_eq!(down, Err(Failure::ProviderDown));
}

#[tokio::test]
async fn a_video_goes_up_in_chunks_and_is_followed_until_it_is_a_post() {
    let arena = arena().await;
    let rules = MediaRules {
        chunk_bytes: 70_000,
        ..MediaRules::default()
    };
    arena.admin.set_facebook_media_rules(rules);
    let draft = draft(&arena, Format::Feed, "moving", &[MediaKind::Video]);
    let draft = arena.ready(draft).await.expect("prepared");
    assert!(uploads(&arena) >= 10, "600,000 bytes in chunks of 70,000");
    assert_eq!(
        find(&arena, &draft).await,
        Finding::Absent,
        "nothing was told to be published"
    );
    let sent = arena.provider.publish(&arena.scene.access(), &draft).await;
    assert!(matches!(sent, Ok(Sent::Processing { .. })));
    assert_eq!(find(&arena, &draft).await, Finding::Processing);
    arena.advance(Duration::from_secs(10));
    let Finding::Found(accepted) = find(&arena, &draft).await else {
        panic!("published");
    };
    assert_eq!(texts(&arena), ["moving"]);
    assert!(
        accepted
            .remote_id
            .starts_with(&format!("{}_", arena.scene.account()))
    );
    assert!(
        matches!(read_back(&arena, &accepted).await, Seen::Live { digest: Some(d), .. } if d == draft.content.digest())
    );
}

#[tokio::test]
async fn a_chunk_whose_answer_was_lost_is_not_sent_into_the_file_twice() {
    let arena = arena().await;
    let rules = MediaRules {
        chunk_bytes: 400_000,
        ..MediaRules::default()
    };
    arena.admin.set_facebook_media_rules(rules);
    let draft = draft(&arena, Format::Feed, "once", &[MediaKind::Video]);
    let access = arena.scene.access();
    let Ok(Prepared::Pending { state, .. }) = arena.provider.prepare(&access, &draft, None).await
    else {
        panic!("begun");
    };
    arena.fault("upload", FaultKind::LostAnswer, 1);
    let lost = arena.provider.prepare(&access, &draft, Some(&state)).await;
    assert_eq!(lost, Err(Failure::ProviderDown));
    let Ok(Prepared::Ready(state)) = arena.provider.prepare(&access, &draft, Some(&state)).await
    else {
        panic!("the platform said which bytes it wants");
    };
    let draft = Draft {
        prepared: Some(state),
        ..draft
    };
    arena.publish(&draft).await.expect("accepted");
    assert_eq!(texts(&arena), ["once"]);
}

#[tokio::test]
async fn a_reel_and_a_lost_answer_to_its_end() {
    let arena = arena().await;
    let draft = draft(&arena, Format::Reel, "a reel", &[MediaKind::Video]);
    let draft = arena.ready(draft).await.expect("prepared");
    arena.fault("publish", FaultKind::DroppedRequest, 1);
    let access = arena.scene.access();
    let dropped = arena.provider.publish(&access, &draft).await;
    assert_eq!(dropped, Err(Failure::Indeterminate));
    assert_eq!(
        find(&arena, &draft).await,
        Finding::Absent,
        "the end was not heard"
    );
    arena.fault("publish", FaultKind::LostAnswer, 1);
    let lost = arena.provider.publish(&access, &draft).await;
    assert_eq!(lost, Err(Failure::Indeterminate));
    assert_eq!(
        find(&arena, &draft).await,
        Finding::Processing,
        "it was heard"
    );
    arena.advance(Duration::from_secs(10));
    let Finding::Found(accepted) = find(&arena, &draft).await else {
        panic!("published");
    };
    assert_eq!(texts(&arena), ["a reel"]);
    assert!(
        accepted
            .permalink
            .as_deref()
            .is_some_and(|url| url.starts_with("https://www.facebook.com/reel/"))
    );
    arena
        .provider
        .delete(&access, &accepted.remote_id)
        .await
        .expect("deleted");
    assert_eq!(read_back(&arena, &accepted).await, Seen::Gone);
}

#[tokio::test]
async fn a_reel_goes_up_as_bytes_where_we_have_no_address_or_the_platform_cannot_reach_it() {
    let arena = arena().await;
    let draft = draft(&arena, Format::Reel, "bytes", &[MediaKind::Video]);
    let bare = arena
        .ready(without_addresses(draft.clone()))
        .await
        .expect("prepared");
    arena.publish(&bare).await.expect("accepted");
    arena
        .admin
        .set_facebook_reaches("https://media.mooring.example/", false);
    let other = self::draft(&arena, Format::Reel, "bytes after all", &[MediaKind::Video]);
    arena.publish(&other).await.expect("accepted");
    assert_eq!(texts(&arena), ["bytes", "bytes after all"]);
}

#[tokio::test]
async fn a_video_that_the_platform_cannot_use_is_refused_for_its_content() {
    let arena = arena().await;
    for format in [Format::Reel, Format::Feed] {
        arena.admin.fail_next_facebook_video("Resolution too low.");
        let draft = draft(&arena, format, "unusable", &[MediaKind::Video]);
        let draft = arena.ready(draft).await.expect("prepared");
        let end = arena.publish(&draft).await;
        assert!(
            matches!(end, Err(Failure::ContentRejected { .. })),
            "{format}: {end:?}"
        );
    }
    assert!(texts(&arena).is_empty());
}

#[tokio::test]
async fn an_upload_that_was_left_alone_for_days_is_begun_anew() {
    let arena = arena().await;
    let access = arena.scene.access();
    let draft = draft(&arena, Format::Reel, "late", &[MediaKind::Video]);
    let draft = arena
        .ready(without_addresses(draft))
        .await
        .expect("prepared");
    // Nothing was published with the old upload; its end is not heard any more.
    let Ok(Prepared::Pending { state, .. }) = arena.provider.prepare(&access, &draft, None).await
    else {
        panic!("begun");
    };
    let begun = Draft {
        prepared: Some(state),
        ..draft.clone()
    };
    arena.advance(Duration::from_hours(25));
    let end = find(&arena, &begun).await;
    assert_eq!(
        end,
        Finding::Refused(Failure::MediaProcessing),
        "so that it is prepared anew"
    );
}

#[tokio::test]
async fn stories_are_published_found_and_read_back_by_their_list() {
    let arena = arena().await;
    let photo = draft(&arena, Format::Story, "", &[MediaKind::Image]);
    let photo = arena.ready(photo).await.expect("prepared");
    assert_eq!(find(&arena, &photo).await, Finding::Absent);
    let accepted = arena.publish(&photo).await.expect("accepted");
    assert!(
        matches!(find(&arena, &photo).await, Finding::Found(found) if found.remote_id == accepted.remote_id)
    );
    assert!(matches!(
        read_back(&arena, &accepted).await,
        Seen::Live { digest: None, .. }
    ));

    let video = draft(&arena, Format::Story, "", &[MediaKind::Video]);
    let video = arena.ready(video).await.expect("prepared");
    let moving = arena.publish(&video).await.expect("accepted");
    assert!(matches!(
        read_back(&arena, &moving).await,
        Seen::Live { .. }
    ));
    assert_eq!(texts(&arena).len(), 2);

    let access = arena.scene.access();
    let stands = arena.provider.delete(&access, &accepted.remote_id).await;
    assert!(
        matches!(stands, Err(Failure::Contract { .. })),
        "there is no deleting of stories"
    );
    // Over or taken down: nobody can tell, so nothing is claimed.
    arena.advance(Duration::from_hours(25));
    assert_eq!(read_back(&arena, &accepted).await, Seen::Unverifiable);
    arena
        .provider
        .delete(&access, &accepted.remote_id)
        .await
        .expect("over");
}

#[tokio::test]
async fn media_and_a_link_do_not_go_together() {
    let arena = arena().await;
    let mut draft = draft(&arena, Format::Feed, "both", &[MediaKind::Image]);
    draft.content.link = Some("https://example.com/".to_owned());
    let refused = arena.publish(&draft).await;
    let code = "link_with_media".to_owned();
    assert_eq!(refused, Err(Failure::ContentRejected { code }));
}
