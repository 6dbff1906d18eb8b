//! What only TikTok has: chunks, addresses that end, photos that TikTok fetches, ids that come late.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use mooring_domain::{
    Failure, Platform,
    failure::RateScope,
    post::{Accepted, Finding, MediaKind, Prepared, Seen, Sent},
    time::minutes,
};
use mooring_providers::{Draft, Inbound, InboundKind, NewsKind};
use mooring_simulator::{
    FaultKind,
    tiktok::{TikTokAppChange, TikTokSettings},
};

use crate::{arena::Arena, media};

/// Three chunks of ten megabytes, and a longer last one.
const LONG: usize = 45_000_000;

async fn arena() -> Arena {
    Arena::new(Platform::TikTok).await
}

fn with(arena: &Arena, text: &str, kind: MediaKind, length: usize) -> Draft {
    let row = &Platform::TikTok.capabilities().formats[0];
    let mut draft = arena.draft(text);
    draft.media = vec![media::sized(row, kind, 0, length)];
    draft.content.media = draft.media.iter().map(|one| one.media.clone()).collect();
    draft
}

fn photo(arena: &Arena, text: &str) -> Draft {
    with(arena, text, MediaKind::Image, 1_000)
}

fn found(finding: Result<Finding, Failure>) -> Accepted {
    match finding {
        Ok(Finding::Found(accepted)) => accepted,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_long_video_goes_in_chunks_and_a_chunk_whose_answer_was_lost_is_not_sent_twice() {
    let arena = arena().await;
    let draft = with(&arena, "long", MediaKind::Video, LONG);
    let access = arena.scene.access();
    let (mut so_far, mut first, mut lost) = (None, None, 0);
    let ready = loop {
        if so_far.is_some() && lost == 0 {
            arena.fault("upload_chunk", FaultKind::LostAnswer, 1);
        }
        let step = arena.provider.prepare(&access, &draft, so_far.as_ref());
        match step.await {
            Ok(Prepared::Ready(state)) => break state,
            Ok(Prepared::Pending { state, .. }) => {
                first.get_or_insert(state.clone());
                so_far = Some(state);
            }
            Err(failure) => {
                assert_eq!(failure, Failure::ProviderDown);
                lost += 1;
            }
        }
    };
    assert_eq!((lost, arena.made()), (1, 0));
    let uploads = || arena.admin.calls_of(&arena.scene.account(), "upload");
    assert_eq!(uploads(), 5, "an init, three chunks, and one of them again");
    // A process that died knew less than the platform does.
    let again = arena
        .provider
        .prepare(&access, &draft, first.as_ref())
        .await;
    assert!(matches!(again, Ok(Prepared::Ready(_))), "{again:?}");
    assert_eq!(uploads(), 6);
    let draft = Draft {
        prepared: Some(ready),
        ..draft
    };
    let accepted = arena.publish(&draft).await.expect("published");
    assert!(
        accepted
            .permalink
            .is_some_and(|link| link.contains("/video/"))
    );
    assert_eq!(arena.made(), 1);
}

#[tokio::test]
async fn an_upload_whose_address_has_ended_begins_anew_without_a_second_post() {
    let arena = arena().await;
    let draft = arena.ready(arena.usual("late")).await.expect("prepared");
    arena.advance(Duration::from_secs(3_700));
    let mut draft = Draft {
        send_by: arena.now() + minutes(1),
        ..draft
    };
    let access = arena.scene.access();
    let sent = arena.provider.publish(&access, &draft).await;
    assert_eq!(sent, Err(Failure::MediaProcessing));
    let finding = arena.provider.find(&access, &arena.lost(&draft)).await;
    assert_eq!(finding, Ok(Finding::Refused(Failure::MediaProcessing)));
    draft.prepared = None;
    arena.publish(&draft).await.expect("published");
    assert_eq!(arena.made(), 1);
}

#[tokio::test]
async fn photos_whose_answer_was_lost_are_found_once_they_are_public_and_never_absent() {
    let arena = arena().await;
    let access = arena.scene.access();
    for (kind, made) in [(FaultKind::DroppedRequest, 0), (FaultKind::LostAnswer, 1)] {
        let draft = photo(&arena, &format!("shown {made}"));
        let draft = arena.ready(draft).await.expect("prepared");
        arena.fault("publish", kind, 1);
        let sent = arena.provider.publish(&access, &draft).await;
        assert_eq!(sent, Err(Failure::Indeterminate));
        let lost = arena.lost(&draft);
        // TikTok may be fetching, and moderation may take hours.
        assert_eq!(
            arena.provider.find(&access, &lost).await,
            Ok(Finding::Unlisted)
        );
        arena.advance(Duration::from_secs(30));
        assert_eq!(arena.made(), made);
        let finding = arena.provider.find(&access, &lost).await;
        if made == 0 {
            assert_eq!(finding, Ok(Finding::Unlisted));
            continue;
        }
        let accepted = found(finding);
        assert!(
            accepted
                .permalink
                .is_some_and(|link| link.contains("/photo/"))
        );
        let owned = vec![accepted.remote_id];
        let other = mooring_providers::Lost { owned, ..lost };
        assert_eq!(
            arena.provider.find(&access, &other).await,
            Ok(Finding::Unlisted)
        );
    }
}

#[tokio::test]
async fn a_post_of_a_private_account_is_known_by_its_publish_id_and_cannot_be_looked_at() {
    let arena = arena().await;
    let id = arena.scene.account();
    arena
        .admin
        .set_tiktok_private(&id, true)
        .expect("a creator");
    let accepted = arena
        .publish(&arena.usual("for followers"))
        .await
        .expect("published");
    assert!(accepted.remote_id.contains('~') && accepted.permalink.is_none());
    let access = arena.scene.access();
    let seen = arena.provider.read_back(&access, &accepted.remote_id).await;
    assert_eq!(seen, Ok(Seen::Unverifiable));
}

#[tokio::test]
async fn a_public_post_waits_for_its_id_for_an_hour() {
    let arena = arena().await;
    arena.admin.set_tiktok_settings(TikTokSettings {
        moderation_ms: 2 * 3_600_000,
        ..arena.admin.tiktok_settings()
    });
    let draft = arena
        .ready(arena.usual("moderated"))
        .await
        .expect("prepared");
    let access = arena.scene.access();
    let sent = arena.provider.publish(&access, &draft).await;
    let Ok(Sent::Processing { handle }) = sent else {
        panic!("{sent:?}")
    };
    let mut lost = arena.lost(&draft);
    lost.handle = Some(handle.clone());
    arena.advance(Duration::from_mins(10));
    assert_eq!(
        arena.provider.find(&access, &lost).await,
        Ok(Finding::Processing)
    );
    arena.advance(Duration::from_mins(50));
    let accepted = found(arena.provider.find(&access, &lost).await);
    assert_eq!(accepted.remote_id, handle);
    // Once it is public it is read under the same name.
    arena.advance(Duration::from_secs(3_700));
    let seen = arena.provider.read_back(&access, &handle).await;
    assert!(
        matches!(
            seen,
            Ok(Seen::Live {
                permalink: Some(_),
                ..
            })
        ),
        "{seen:?}"
    );
}

#[tokio::test]
async fn a_publish_that_fails_says_why() {
    let arena = arena().await;
    let content = |code: &str| Failure::ContentRejected {
        code: code.to_owned(),
    };
    let cases = [
        (
            "file_format_check_failed",
            content("file_format_check_failed"),
        ),
        ("internal", Failure::ProviderDown),
        (
            "spam_risk_user_banned_from_posting",
            Failure::AccountUnavailable,
        ),
        ("auth_removed", Failure::TokenRevoked),
    ];
    for (reason, failure) in cases {
        arena
            .admin
            .fail_next_tiktok(&arena.scene.account(), reason)
            .expect("a creator");
        let sent = arena.publish(&arena.usual(reason)).await;
        assert_eq!(sent, Err(failure), "{reason}");
    }
    assert_eq!(arena.made(), 0);
}

#[tokio::test]
async fn caps_of_a_minute_and_of_our_app_are_told_apart() {
    let arena = arena().await;
    for n in 0..6 {
        arena
            .ready(arena.usual(&format!("begun {n}")))
            .await
            .expect("prepared");
    }
    let seventh = arena.ready(arena.usual("begun 6")).await;
    let limited = |scope, until| Failure::RateLimited { scope, until };
    let in_a_minute = limited(RateScope::Account, Some(arena.now() + minutes(1)));
    assert_eq!(seventh.err(), Some(in_a_minute));
    let client_key = arena.scene.access().app.expect("an app").client_id;
    let change = TikTokAppChange {
        daily_user_cap: Some(0),
        ..TikTokAppChange::default()
    };
    arena
        .admin
        .change_tiktok_app(&client_key, change)
        .expect("an app");
    arena.advance(Duration::from_secs(61));
    let capped = arena.ready(arena.usual("capped")).await;
    assert_eq!(capped.err(), Some(limited(RateScope::App, None)));
    // The creator is well all the same.
    arena
        .check()
        .await
        .expect("a check that tells of an account");
}

#[tokio::test]
async fn an_app_that_was_not_audited_is_told_to_be_at_fault() {
    let arena = arena().await;
    let client_key = arena.scene.access().app.expect("an app").client_id;
    let change = TikTokAppChange {
        audited: Some(false),
        verified_urls: Some(Vec::new()),
        ..TikTokAppChange::default()
    };
    arena
        .admin
        .change_tiktok_app(&client_key, change)
        .expect("an app");
    let video = arena.publish(&arena.usual("not audited")).await;
    assert_eq!(video, Err(Failure::AppAccess));
    let audited = TikTokAppChange {
        audited: Some(true),
        ..TikTokAppChange::default()
    };
    arena
        .admin
        .change_tiktok_app(&client_key, audited)
        .expect("an app");
    let photo = arena.publish(&photo(&arena, "not verified")).await;
    assert_eq!(photo, Err(Failure::AppAccess));
}

#[tokio::test]
async fn oauth_errors_are_read_whatever_their_status_and_a_kept_refresh_token_is_no_new_one() {
    let arena = arena().await;
    let access = arena.scene.access();
    for status in [200, 400, 401] {
        arena.admin.set_tiktok_settings(TikTokSettings {
            oauth_error_status: status,
            rotates: false,
            ..arena.admin.tiktok_settings()
        });
        let mut wrong = access.clone();
        wrong.refresh_token = Some("rft.unknown".into());
        let refused = arena.provider.refresh(&wrong).await.err();
        assert_eq!(refused, Some(Failure::TokenRevoked), "{status}");
        wrong.app.as_mut().expect("an app").client_secret = "another app's".into();
        let refused = arena.provider.refresh(&wrong).await.err();
        assert_eq!(refused, Some(Failure::AppAccess), "{status}");
    }
    let (renewed, tokens) = arena.provider.refresh(&access).await.expect("renewed");
    assert!(tokens.refresh.is_none() && renewed.refresh_expires_at.is_some());
}

#[tokio::test]
async fn webhooks_tell_of_orders_and_posts() {
    let arena = arena().await;
    let app = arena.scene.access().app.expect("an app");
    let change = TikTokAppChange {
        callback_url: Some("http://127.0.0.1:9/webhooks/tiktok".to_owned()),
        ..TikTokAppChange::default()
    };
    arena
        .admin
        .change_tiktok_app(&app.client_id, change)
        .expect("an app");
    let accepted = arena
        .publish(&arena.usual("told of"))
        .await
        .expect("published");
    let removed = arena
        .admin
        .delete_post(arena.scene.simulated(), &accepted.remote_id);
    removed.expect("a post");
    arena
        .admin
        .fail_next_tiktok(&arena.scene.account(), "spam_risk")
        .expect("a creator");
    arena
        .publish(&arena.usual("refused"))
        .await
        .expect_err("refused");
    let mut told = Vec::new();
    for delivery in arena.admin.deliveries() {
        let headers = delivery.headers.iter().map(|(name, value)| {
            let name: HeaderName = name.parse().expect("a header's name");
            (
                name,
                HeaderValue::from_str(value).expect("a header's value"),
            )
        });
        let received = arena.provider.receive(&Inbound {
            kind: InboundKind::Notification,
            method: &Method::POST,
            query: &[],
            headers: &headers.collect::<HeaderMap>(),
            body: delivery.body.as_bytes(),
            app: &app,
            verify_token: None,
            status_url: None,
            now: arena.now(),
        });
        told.extend(received.expect("a good one").news);
    }
    assert!(
        told.iter()
            .all(|news| news.account == arena.scene.account())
    );
    let mut kinds = told.into_iter().map(|news| news.what);
    let complete = kinds.next();
    let Some(NewsKind::OrderPublished {
        handle,
        remote_id: None,
    }) = complete
    else {
        panic!("{complete:?}")
    };
    let remote_id = Some(accepted.remote_id.clone());
    assert_eq!(
        kinds.next(),
        Some(NewsKind::OrderPublished { handle, remote_id })
    );
    let gone = NewsKind::PostRemoved {
        remote_id: accepted.remote_id,
    };
    assert_eq!(kinds.next(), Some(gone));
    let failed = kinds.next();
    assert!(
        matches!(&failed, Some(NewsKind::OrderFailed { failure, .. })
            if *failure == Failure::ContentRejected { code: "spam_risk".to_owned() }),
        "{failed:?}"
    );
}

#[tokio::test]
async fn a_creator_who_may_not_show_so_long_a_video_is_told_before_a_byte_is_sent() {
    let arena = arena().await;
    let mut draft = arena.usual("too long a video");
    draft.media[0].media.duration_ms = Some(301_000);
    let sent = arena.ready(draft).await.err();
    let code = "longer_than_the_creator_may".to_owned();
    assert_eq!(sent, Some(Failure::ContentRejected { code }));
    assert_eq!(arena.admin.calls_of(&arena.scene.account(), "upload"), 0);
}

#[tokio::test]
async fn a_post_with_somebody_else_s_token_is_not_begun() {
    let arena = arena().await;
    let access = arena.scene.strangers_access();
    let begun = arena
        .provider
        .prepare(&access, &arena.usual("misplaced"), None)
        .await;
    assert!(matches!(begun, Err(Failure::Contract { .. })), "{begun:?}");
    let calls = arena.admin.calls().by_operation;
    assert!(!calls.contains_key("tiktok.upload"), "{calls:?}");
}
