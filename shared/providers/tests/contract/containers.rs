//! Containers that fail, expire, or have published what nobody was told of.

use std::time::Duration;

use mooring_domain::{
    Failure, Platform,
    post::{Finding, Format, MediaKind, Prepared},
};
use mooring_simulator::{
    FaultKind, RevokeReason,
    instagram::{MediaFailure, MetaAdmin, MetaSettings},
};

use crate::{arena::Arena, media};

const ALL: [Platform; 3] = [
    Platform::Instagram,
    Platform::InstagramFacebook,
    Platform::Threads,
];

fn hand(arena: &Arena) -> MetaAdmin {
    match arena.scene.platform() {
        Platform::Threads => arena.admin.threads(),
        _ => arena.admin.instagram(),
    }
}

#[tokio::test]
async fn a_container_that_the_platform_spoils_is_made_anew_and_not_for_ever() {
    for platform in ALL {
        for (times, published) in [(2, true), (3, false)] {
            let arena = Arena::new(platform).await;
            let account = arena.scene.account();
            hand(&arena)
                .fail_media(&account, MediaFailure::Internal, times)
                .expect("an account");
            let sent = arena.publish(&arena.usual("third time lucky")).await;
            assert_eq!(sent.is_ok(), published, "{platform}: {sent:?}");
            if !published {
                let refused = matches!(sent, Err(Failure::ContentRejected { .. }));
                assert!(refused, "{platform}: {sent:?}");
            }
            assert_eq!(arena.made(), usize::from(published), "{platform}");
        }
    }
}

#[tokio::test]
async fn an_address_that_cannot_be_fetched_now_is_tried_again_later() {
    for platform in ALL {
        let arena = Arena::new(platform).await;
        let account = arena.scene.account();
        for failure in [MediaFailure::Fetch, MediaFailure::FetchTimeout] {
            hand(&arena)
                .fail_media(&account, failure, 1)
                .expect("an account");
            let mut draft = arena.draft("with a picture");
            draft.media = vec![media::attachment(platform, MediaKind::Image)];
            draft.content.media = draft.media.iter().map(|one| one.media.clone()).collect();
            let refused = arena.ready(draft.clone()).await.err();
            assert_eq!(refused, Some(Failure::MediaProcessing), "{platform}");
            arena.ready(draft).await.expect("the second time");
        }
        assert_eq!(arena.made(), 0, "{platform}");
    }
}

#[tokio::test]
async fn an_expired_container_cannot_publish_and_is_used_up() {
    for platform in ALL {
        let arena = Arena::new(platform).await;
        let draft = arena.ready(arena.usual("too old")).await.expect("prepared");
        arena.advance(Duration::from_hours(25));
        let mut late = draft.clone();
        late.send_by = arena.now() + mooring_domain::time::minutes(1);
        let access = arena.scene.access();
        let sent = arena.provider.publish(&access, &late).await;
        assert_eq!(sent, Err(Failure::MediaProcessing), "{platform}");
        let found = arena.provider.find(&access, &arena.lost(&draft)).await;
        let used_up = Ok(Finding::Refused(Failure::MediaProcessing));
        assert_eq!(found, used_up, "{platform}");
        // A preparation that is taken up again begins anew.
        let step = arena
            .provider
            .prepare(&access, &late, draft.prepared.as_ref())
            .await;
        assert!(
            matches!(step, Ok(Prepared::Pending { .. })),
            "{platform}: {step:?}"
        );
    }
}

#[tokio::test]
async fn a_lost_answer_is_never_a_second_post_whatever_is_tried_again() {
    for platform in ALL {
        let arena = Arena::new(platform).await;
        let draft = arena.ready(arena.usual("once")).await.expect("prepared");
        arena.fault("publish", FaultKind::LostAnswer, 1);
        let lost = arena.publish(&draft).await;
        assert_eq!(lost, Err(Failure::Indeterminate), "{platform}");
        let again = arena.publish(&draft).await;
        assert!(again.is_err(), "{platform}: {again:?}");
        assert_eq!(arena.made(), 1, "{platform}");
        let access = arena.scene.access();
        let found = arena.provider.find(&access, &arena.lost(&draft)).await;
        assert!(
            matches!(found, Ok(Finding::Found(_))),
            "{platform}: {found:?}"
        );
        // Somebody took it away before we looked: it was published, so it is not absent.
        let Ok(Finding::Found(accepted)) = found else {
            return;
        };
        let deleted = arena
            .admin
            .delete_post(arena.scene.simulated(), &accepted.remote_id);
        deleted.expect("a post");
        let found = arena.provider.find(&access, &arena.lost(&draft)).await;
        assert_eq!(found, Ok(Finding::Unsure), "{platform}");
    }
}

#[tokio::test]
async fn a_story_whose_answer_was_lost_is_found_among_the_stories() {
    for platform in [Platform::Instagram, Platform::InstagramFacebook] {
        let arena = Arena::new(platform).await;
        let mut draft = arena.usual("for a day");
        draft.content.format = Format::Story;
        let draft = arena.ready(draft).await.expect("prepared");
        arena.fault("publish", FaultKind::LostAnswer, 1);
        let lost = arena.publish(&draft).await;
        assert_eq!(lost, Err(Failure::Indeterminate), "{platform}");
        let access = arena.scene.access();
        let found = arena.provider.find(&access, &arena.lost(&draft)).await;
        assert!(
            matches!(found, Ok(Finding::Found(_))),
            "{platform}: {found:?}"
        );
    }
}

#[tokio::test]
async fn a_token_error_without_its_subcode_is_told_by_its_words() {
    for platform in [Platform::Instagram, Platform::Threads] {
        let reasons = [
            (RevokeReason::Expired, Failure::TokenExpired),
            (RevokeReason::PasswordChanged, Failure::SecurityEvent),
            (RevokeReason::AppRemoved, Failure::TokenRevoked),
        ];
        for (reason, failure) in reasons {
            let arena = Arena::new(platform).await;
            hand(&arena).set_settings(MetaSettings {
                omit_subcodes: true,
                ..MetaSettings::default()
            });
            hand(&arena)
                .revoke_tokens(&arena.scene.account(), reason)
                .expect("an account");
            let refreshed = arena.provider.refresh(&arena.scene.access()).await;
            assert_eq!(refreshed.err(), Some(failure), "{platform}");
        }
    }
}

#[tokio::test]
async fn both_shapes_of_instagrams_token_answer_connect() {
    for wrapped_token_answer in [false, true] {
        let arena = Arena::new(Platform::Instagram).await;
        hand(&arena).set_settings(MetaSettings {
            wrapped_token_answer,
            ..MetaSettings::default()
        });
        let credentials = arena
            .scene
            .credentials(&arena.http, arena.provider.as_ref())
            .await;
        let connected = arena
            .provider
            .connect(credentials)
            .await
            .expect("connected");
        let scopes = connected.scopes.expect("its permissions");
        assert_eq!(scopes.len(), 2);
    }
}
