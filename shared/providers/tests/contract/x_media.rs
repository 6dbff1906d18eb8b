//! X's media: every way up, and what becomes of a post that is lost with them; the names of fields; webhooks.

use std::time::Duration;

use mooring_domain::{
    Failure, Platform,
    post::{Finding, MediaKind, Prepared, Seen},
};
use mooring_providers::{Draft, Inbound, InboundKind, InboundRefused, NewsKind};
use mooring_simulator::{
    FaultKind,
    x::{XCallback, XFieldNames, XMediaAct, XMissingPosts, XSettings, XTokenAct},
};

use crate::{
    arena::{Arena, Scene as _},
    media,
    x::X,
};

fn with(arena: &Arena, text: &str, kind: MediaKind, count: usize) -> Draft {
    let mut draft = arena.draft(text);
    draft.media = vec![media::attachment(Platform::X, kind); count];
    draft.content.media = draft.media.iter().map(|one| one.media.clone()).collect();
    draft
}

async fn round_trip(arena: &Arena, draft: Draft) {
    let draft = arena.ready(draft).await.expect("uploaded");
    let accepted = arena.publish(&draft).await.expect("published");
    let access = arena.scene.access();
    let found = arena.provider.find(&access, &arena.lost(&draft)).await;
    assert_eq!(found, Ok(Finding::Found(accepted.clone())));
    let seen = arena.provider.read_back(&access, &accepted.remote_id).await;
    let live = Seen::Live {
        permalink: accepted.permalink,
        digest: Some(draft.content.digest()),
    };
    assert_eq!(seen, Ok(live));
}

#[tokio::test]
async fn images_a_video_and_media_without_words_go_up_and_are_found() {
    for (text, kind, count) in [
        ("one image", MediaKind::Image, 1),
        ("four images", MediaKind::Image, 4),
        ("a video https://example.com/x", MediaKind::Video, 1),
        ("", MediaKind::Image, 1),
    ] {
        let arena = Arena::new(Platform::X).await;
        let draft = with(&arena, text, kind, count);
        round_trip(&arena, draft).await;
    }
}

#[tokio::test]
async fn a_large_video_goes_up_in_pieces_over_several_steps() {
    let arena = Arena::new(Platform::X).await;
    let mut draft = arena.draft("long");
    draft.media = vec![media::of_size(Platform::X, MediaKind::Video, 18_000_000)];
    draft.content.media = draft.media.iter().map(|one| one.media.clone()).collect();
    round_trip(&arena, draft).await;
    let calls = arena.admin.calls().by_endpoint;
    assert_eq!(calls["x.media_append"].calls, 5, "18 MB in pieces of 4 MiB");
}

#[tokio::test]
async fn an_animation_is_processed_like_a_video_when_it_is_alone() {
    let arena = Arena::new(Platform::X).await;
    let mut draft = with(&arena, "moving", MediaKind::Image, 1);
    for media in [&mut draft.media[0].media, &mut draft.content.media[0]] {
        media.mime = "image/gif".to_owned();
    }
    round_trip(&arena, draft).await;
    let calls = arena.admin.calls().by_endpoint;
    assert!(calls["x.media_status"].calls > 0, "{calls:?}");
}

#[tokio::test]
async fn a_video_that_cannot_be_processed_is_refused_before_anything_is_posted() {
    let arena = Arena::new(Platform::X).await;
    arena.admin.set_x_media(XMediaAct {
        processing_ms: 3_000,
        failing: 1,
    });
    let draft = with(&arena, "broken", MediaKind::Video, 1);
    let failure = arena.publish(&draft).await.expect_err("a refusal");
    let code = "media/InvalidMedia".to_owned();
    assert_eq!(failure, Failure::ContentRejected { code });
    assert_eq!(arena.made(), 0);
}

/// Each step is lost once, with and without its effect; the repetition goes on, and one post comes of it.
#[tokio::test]
async fn every_step_of_an_upload_may_be_lost_and_repeated() {
    for kind in [FaultKind::LostAnswer, FaultKind::DroppedRequest] {
        let arena = Arena::new(Platform::X).await;
        let access = arena.scene.access();
        let mut draft = with(&arena, "step by step", MediaKind::Video, 1);
        let mut so_far = None;
        let mut steps = 0;
        let prepared = loop {
            steps += 1;
            assert!(steps < 40, "no end of it");
            arena.fault("upload", kind.clone(), 1);
            let lost = arena
                .provider
                .prepare(&access, &draft, so_far.as_ref())
                .await;
            assert_eq!(lost, Err(Failure::ProviderDown), "step {steps}");
            arena.admin.clear_faults();
            let step = arena
                .provider
                .prepare(&access, &draft, so_far.as_ref())
                .await;
            match step.expect("the repetition") {
                Prepared::Ready(state) => break state,
                Prepared::Pending { state, again } => {
                    so_far = Some(state);
                    arena.advance(again.to_std().unwrap_or_default());
                }
            }
        };
        draft.prepared = Some(prepared);
        draft.send_by = arena.now() + mooring_domain::time::minutes(1);
        arena.publish(&draft).await.expect("published");
        assert_eq!(arena.made(), 1);
    }
}

#[tokio::test]
async fn an_upload_whose_id_has_ended_is_begun_anew() {
    let arena = Arena::new(Platform::X).await;
    let access = arena.scene.access();
    let draft = with(&arena, "slow", MediaKind::Video, 1);
    let begun = arena.provider.prepare(&access, &draft, None).await;
    let Ok(Prepared::Pending { state, .. }) = begun else {
        panic!("{begun:?}");
    };
    arena.advance(Duration::from_hours(25));
    let fresh = arena.provider.refresh(&access).await.expect("new tokens").1;
    let mut access = access;
    access.token = fresh.access;
    let again = arena.provider.prepare(&access, &draft, Some(&state)).await;
    let Ok(Prepared::Pending { state, .. }) = again else {
        panic!("{again:?}");
    };
    assert_eq!(state["files"][0]["phase"], "new", "{state}");
    assert_eq!(state["restarts"], 1);
}

#[tokio::test]
async fn both_generations_of_names_are_understood() {
    for field_names in [XFieldNames::Both, XFieldNames::Current, XFieldNames::Legacy] {
        for missing_posts in [XMissingPosts::Partial, XMissingPosts::NotFound] {
            let arena = Arena::new(Platform::X).await;
            arena.admin.set_x_settings(XSettings {
                field_names,
                missing_posts,
                ..XSettings::default()
            });
            round_trip(&arena, arena.draft("names https://example.com/a?b=1&c=2")).await;
            let access = arena.scene.access();
            let seen = arena.provider.read_back(&access, "1").await;
            assert_eq!(seen, Ok(Seen::Gone), "{field_names:?} {missing_posts:?}");
            assert_eq!(arena.provider.delete(&access, "1").await, Ok(()));
        }
    }
}

#[tokio::test]
async fn checks_and_proofs_are_billed_and_nothing_else_is() {
    let arena = Arena::new(Platform::X).await;
    let app = X::new(arena.admin.clone()).app.id;
    let before = arena.admin.x_usage(&app).expect("the app's usage");
    assert_eq!(before.cost_micro_usd, 0);
    let used = || {
        let usage = arena.scene.access().app.expect("an app").client_id;
        arena.admin.x_usage(&usage).expect("the app's usage")
    };
    arena.check().await.expect("a check");
    assert_eq!((used().user_reads, used().post_reads), (1, 0));
    let draft = arena.draft("cheap");
    let accepted = arena.publish(&draft).await.expect("published");
    assert_eq!((used().post_reads, used().creates), (0, 1));
    let access = arena.scene.access();
    let found = arena.provider.find(&access, &arena.lost(&draft)).await;
    assert!(matches!(found, Ok(Finding::Found(_))));
    let seen = arena.provider.read_back(&access, &accepted.remote_id).await;
    assert!(matches!(seen, Ok(Seen::Live { .. })));
    assert_eq!(used().post_reads, 1, "the same post, once a day");
    assert_eq!(used().user_reads, 1, "no look at the account on the way");
}

/// What the simulator signs, the adapter believes; what it does not, it refuses.
#[tokio::test]
async fn webhooks_of_the_platform_are_believed_and_others_are_not() {
    let arena = Arena::new(Platform::X).await;
    let scene = X::new(arena.admin.clone());
    let callback = XCallback {
        url: "http://127.0.0.1:9/x".to_owned(),
    };
    arena
        .admin
        .set_x_callback(&scene.app.id, &callback)
        .expect("an app");
    arena
        .admin
        .act_on_x_tokens(&scene.user.id, XTokenAct::Revoke)
        .expect("a user");
    let delivery = arena.admin.deliveries().remove(0);
    let app = scene.access().app.expect("an app");
    let mut headers = http::HeaderMap::new();
    for (name, value) in &delivery.headers {
        let name = http::HeaderName::try_from(name).expect("a name");
        headers.insert(name, value.parse().expect("a value"));
    }
    let secret = mooring_vault::Secret::from(&*scene.app.consumer_secret);
    let call = Inbound {
        kind: InboundKind::Notification,
        method: &http::Method::POST,
        query: &[],
        headers: &headers,
        body: delivery.body.as_bytes(),
        app: &app,
        verify_token: Some(&secret),
        status_url: None,
        now: arena.now(),
    };
    let received = arena.provider.receive(&call).expect("news");
    assert_eq!(received.news[0].account, scene.user.id);
    assert_eq!(received.news[0].what, NewsKind::AccessRevoked);
    assert_eq!(received.news[0].at, Some(arena.now()));
    let replayed = arena.provider.receive(&call).expect("the same news");
    assert_eq!(replayed.news[0].key, received.news[0].key);
    let forged = Inbound {
        body: b"{\"data\":{}}",
        ..call
    };
    assert_eq!(arena.provider.receive(&forged), Err(InboundRefused::Forged));
    let unsigned = Inbound {
        headers: &http::HeaderMap::new(),
        ..call
    };
    assert_eq!(
        arena.provider.receive(&unsigned),
        Err(InboundRefused::Unsigned)
    );
}
