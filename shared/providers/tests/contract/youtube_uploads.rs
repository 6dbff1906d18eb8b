//! YouTube's uploads beyond the suite: pieces, sessions that end, processing that ends badly, spent quotas.

use std::time::Duration;

use mooring_domain::{
    Failure, Platform,
    failure::RateScope,
    post::{Finding, MediaKind, Prepared, Seen, Sent},
    time::from_ms,
};
use mooring_providers::Draft;
use mooring_simulator::{FaultKind, youtube::Outcome};
use serde_json::{Value, json};

use crate::{arena::Arena, media};

const MIB: usize = 1024 * 1024;

async fn arena() -> Arena {
    Arena::new(Platform::YouTube).await
}

fn draft_of(arena: &Arena, length: usize) -> Draft {
    let mut draft = arena.usual("A film\nin pieces");
    let row = &Platform::YouTube.capabilities().formats[0];
    draft.media = vec![media::sized(row, MediaKind::Video, 0, length)];
    draft.content.media = vec![draft.media[0].media.clone()];
    draft
}

/// One step; its state and whether the post can be published with it.
async fn step(
    arena: &Arena,
    draft: &Draft,
    so_far: Option<&Value>,
) -> Result<(Value, bool), Failure> {
    let access = arena.scene.access();
    Ok(
        match arena.provider.prepare(&access, draft, so_far).await? {
            Prepared::Ready(state) => (state, true),
            Prepared::Pending { state, .. } => (state, false),
        },
    )
}

async fn publish(arena: &Arena, draft: &Draft) -> Result<Sent, Failure> {
    arena.provider.publish(&arena.scene.access(), draft).await
}

async fn find(arena: &Arena, draft: &Draft) -> Finding {
    let lost = arena.lost(draft);
    let found = arena.provider.find(&arena.scene.access(), &lost).await;
    found.expect("a look")
}

#[tokio::test]
async fn a_long_file_goes_in_pieces_and_only_the_last_one_publishes() {
    let arena = arena().await;
    let mut draft = draft_of(&arena, 45 * MIB + 17);
    let (begun, ready) = step(&arena, &draft, None).await.expect("a session");
    assert!(!ready);
    assert_eq!(begun["sent"], 0);
    let (middle, ready) = step(&arena, &draft, Some(&begun)).await.expect("pieces");
    assert!(!ready, "a step ends before it takes too long");
    assert_eq!(middle["sent"], 32 * MIB);
    // A process that knows only the beginning asks the session, and goes on where it is.
    let (late, ready) = step(&arena, &draft, Some(&begun)).await.expect("pieces");
    assert!(ready);
    assert_eq!(late["sent"], 44 * MIB);
    draft.prepared = Some(late);
    assert_eq!(find(&arena, &draft).await, Finding::Absent);
    let Ok(Sent::Processing { handle }) = publish(&arena, &draft).await else {
        panic!("the last piece makes the video");
    };
    assert_eq!(find(&arena, &draft).await, Finding::Processing);
    let again = publish(&arena, &draft).await;
    assert_eq!(
        again,
        Ok(Sent::Processing {
            handle: handle.clone()
        }),
        "the same video"
    );
    arena.advance(Duration::from_mins(1));
    let Finding::Found(accepted) = find(&arena, &draft).await else {
        panic!("it is processed");
    };
    assert_eq!(accepted.remote_id, handle);
    assert_eq!(arena.made(), 1);
}

#[tokio::test]
async fn a_piece_without_an_answer_is_asked_for_and_not_lost() {
    let arena = arena().await;
    let draft = draft_of(&arena, 9 * MIB);
    let (begun, _) = step(&arena, &draft, None).await.expect("a session");
    arena.fault("upload_chunk", FaultKind::LostAnswer, 1);
    let lost = step(&arena, &draft, Some(&begun)).await;
    assert_eq!(lost, Err(Failure::ProviderDown));
    let (state, ready) = step(&arena, &draft, Some(&begun)).await.expect("the rest");
    assert!(ready);
    assert_eq!(state["sent"], 8 * MIB);
    let calls = arena.admin.calls().by_endpoint["youtube.upload_chunk"].calls;
    assert_eq!(calls, 2, "no piece was sent twice");
}

#[tokio::test]
async fn a_session_that_ended_is_begun_again_and_proves_absence() {
    let arena = arena().await;
    let mut draft = arena.ready(draft_of(&arena, 9 * MIB)).await.expect("ready");
    arena.admin.expire_youtube_sessions();
    assert_eq!(publish(&arena, &draft).await, Err(Failure::ProviderDown));
    // Refused: what was prepared is used up, and the next attempt prepares anew.
    assert_eq!(
        find(&arena, &draft).await,
        Finding::Refused(Failure::ProviderDown)
    );
    let (fresh, ready) = step(&arena, &draft, draft.prepared.as_ref())
        .await
        .expect("a new session");
    assert!(!ready);
    assert_eq!(fresh["sent"], 0);
    draft.prepared = None;
    arena.publish(&draft).await.expect("published");
    assert_eq!(arena.made(), 1);
}

#[tokio::test]
async fn a_video_whose_session_is_forgotten_is_found_among_the_uploads() {
    let arena = arena().await;
    let draft = arena
        .ready(arena.usual("Lost and found"))
        .await
        .expect("ready");
    arena.fault("publish", FaultKind::LostAnswer, 1);
    assert_eq!(publish(&arena, &draft).await, Err(Failure::Indeterminate));
    arena.advance(Duration::from_mins(1));
    arena.admin.expire_youtube_sessions();
    let Finding::Found(accepted) = find(&arena, &draft).await else {
        panic!("the list of uploads has it");
    };
    let mut lost = arena.lost(&draft);
    lost.owned = vec![accepted.remote_id];
    let found = arena.provider.find(&arena.scene.access(), &lost).await;
    assert_eq!(
        found,
        Ok(Finding::Refused(Failure::ProviderDown)),
        "it is another attempt's"
    );
}

#[tokio::test]
async fn processing_that_ends_badly_ends_the_order() {
    let arena = arena().await;
    let account = arena.scene.account();
    for (outcome, failure) in [
        (
            Outcome::Failed("codec".to_owned()),
            Failure::ContentRejected {
                code: "codec".to_owned(),
            },
        ),
        (
            Outcome::Rejected("copyright".to_owned()),
            Failure::ContentRejected {
                code: "copyright".to_owned(),
            },
        ),
        (
            Outcome::Rejected("uploaderAccountSuspended".to_owned()),
            Failure::AccountUnavailable,
        ),
    ] {
        arena
            .admin
            .set_youtube_outcome(&account, outcome)
            .expect("a channel");
        let sent = arena.publish(&arena.usual("unlucky")).await;
        assert_eq!(sent, Err(failure));
    }
    assert_eq!(arena.made(), 0);
}

#[tokio::test]
async fn a_video_that_only_its_owner_sees_is_no_proof() {
    let arena = arena().await;
    let accepted = arena
        .publish(&arena.usual("seen"))
        .await
        .expect("published");
    let private = mooring_simulator::youtube::Privacy::Private;
    arena
        .admin
        .set_youtube_privacy(&accepted.remote_id, private)
        .expect("a video");
    let seen = arena
        .provider
        .read_back(&arena.scene.access(), &accepted.remote_id)
        .await;
    assert_eq!(seen, Ok(Seen::Gone));
}

#[tokio::test]
async fn a_spent_quota_is_everybodys_until_midnight_in_california() {
    let arena = arena().await;
    arena
        .scene
        .one_more(&arena.admin, RateScope::App)
        .expect("a quota");
    arena
        .publish(&arena.usual("the last of the day"))
        .await
        .expect("published");
    let sent = arena.publish(&arena.usual("one too many")).await;
    // 2026-11-24T08:00:00Z.
    let midnight = Some(from_ms(1_795_507_200_000));
    assert_eq!(
        sent,
        Err(Failure::RateLimited {
            scope: RateScope::App,
            until: midnight
        })
    );
}

#[tokio::test]
async fn a_grant_for_another_channel_uploads_nothing() {
    let arena = arena().await;
    let access = arena.scene.strangers_access();
    let draft = arena.usual("to the wrong place");
    let prepared = arena.provider.prepare(&access, &draft, None).await;
    assert_eq!(prepared, Err(Failure::AccountUnavailable));
    assert!(
        !arena
            .admin
            .calls()
            .by_operation
            .contains_key("youtube.upload")
    );
}

#[tokio::test]
async fn spent_units_do_not_end_the_uploads() {
    let arena = arena().await;
    let app = arena.scene.access().app.expect("an app");
    arena
        .admin
        .set_youtube_quota(&app.client_id, Some(0), None)
        .expect("an app");
    let draft = arena
        .ready(arena.usual("all the same"))
        .await
        .expect("ready");
    assert!(matches!(
        publish(&arena, &draft).await,
        Ok(Sent::Processing { .. })
    ));
}

#[tokio::test]
async fn what_was_kept_leads_nowhere_else() {
    let arena = arena().await;
    let mut draft = arena.usual("kept");
    for session in [
        "https://evil.example/upload?upload_id=1",
        "@evil.example/",
        "//evil.example/",
    ] {
        draft.prepared = Some(json!({ "session": session, "sent": 0, "total": 600_000 }));
        let sent = publish(&arena, &draft).await;
        assert!(
            matches!(sent, Err(Failure::Contract { .. } | Failure::ProviderDown)),
            "{sent:?}"
        );
    }
    draft.prepared = Some(json!({ "session": 7 }));
    assert!(matches!(
        publish(&arena, &draft).await,
        Err(Failure::Contract { .. })
    ));
    assert_eq!(arena.made(), 0);
}
