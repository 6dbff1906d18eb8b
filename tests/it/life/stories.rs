//! Disconnecting an account, and connecting it again, as its platform sees it.

use mooring_domain::{
    Change, Decision, Event, JobKind, Next, Platform, TargetId,
    decision::Outcome,
    event::ConnectionRemoved,
    grant::AuthState,
    post::Stage,
    time::{days, hours, minutes},
};
use mooring_gateway::acts;
use mooring_simulator::{Fault, FaultKind, Platform as Sim, RevokeReason, TokenScope};
use mooring_store::{Actor, Secrets, TargetRow};
use mooring_tests::World;

use super::{ENGINES, on};

/// How often a platform was asked to take a credential back, by its own count.
fn revocations(w: &World) -> u64 {
    let rows = w.sim().calls().by_account.into_iter();
    let asked = rows.filter(|row| row.operation.as_str() == "disconnect");
    asked.map(|row| row.count.calls).sum()
}

async fn target(w: &World, id: TargetId) -> TargetRow {
    let rows = w.store.targets(w.workspace).await.unwrap();
    rows.into_iter().find(|row| row.id == id).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_048_after_a_disconnect_nothing_reaches_the_account() {
    for platform in [Platform::Facebook, Platform::Bluesky] {
        let w = World::start().await;
        let account = w.connect(platform).await;
        w.settle().await;
        let before = w.post(&account, "before", minutes(1)).await;
        let after = w.post(&account, "after", minutes(30)).await;
        w.advance(minutes(5)).await;
        w.assert_post(&before, Stage::Accepted, Some("live")).await;

        let outcome = w.disconnect(&account).await;
        assert_eq!((outcome.revoked, outcome.failed), (1, 0), "{platform}");
        assert_eq!(revocations(&w), 1, "{platform}: the platform was told");
        w.advance(days(9)).await;
        assert_eq!(w.copies(&account, "after"), 0, "{platform}");
        let row = w.target(&after).await;
        assert_eq!(
            (row.stage, row.reason.as_deref()),
            (Stage::Cancelled, Some("connection_removed"))
        );
        // What went out before stays, with the verdict that was found.
        w.assert_post(&before, Stage::Accepted, Some("live")).await;
        assert_eq!(w.copies(&account, "before"), 1);
        let told = w.told(account.connection.uuid()).await;
        assert!(
            told.iter().any(|event| matches!(
                event,
                Event::ConnectionRemoved(ConnectionRemoved {
                    cancelled: 1,
                    in_flight: 0,
                    ..
                })
            )),
            "{told:?}"
        );
        // Nobody looks at it any more, and nothing can be scheduled on it.
        let job = w.store.job(JobKind::Check, account.connection.uuid());
        assert_eq!(job.await.unwrap(), None, "{platform}");
        let order = acts::SchedulePost {
            connections: vec![account.connection],
            content: mooring_domain::post::Content::text("too late"),
            media: Vec::new(),
            due: w.now() + hours(1),
            critical: false,
            allow_duplicate: true,
            ..acts::SchedulePost::default()
        };
        let refused = acts::schedule_post(&w.store, &Actor::Cli, w.workspace, order, w.now()).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("was disconnected"), "{refused}");
        w.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_052_the_other_targets_of_a_post_still_go_out() {
    let w = World::start().await;
    let (leaving, staying) = (
        w.connect(Platform::Facebook).await,
        w.connect(Platform::Bluesky).await,
    );
    w.settle().await;
    let post = w
        .post_on(&[&leaving, &staying], "to both", minutes(30))
        .await;
    w.disconnect(&leaving).await;
    w.advance(hours(1)).await;
    assert_eq!(w.copies(&leaving, "to both"), 0);
    assert_eq!(w.copies(&staying, "to both"), 1);
    assert_eq!(target(&w, post.targets[0]).await.stage, Stage::Cancelled);
    assert_eq!(target(&w, post.targets[1]).await.stage, Stage::Accepted);
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_055_an_account_that_comes_back_is_the_same_connection_with_its_history() {
    for engine in ENGINES {
        let w = on(engine).await;
        let row = w.fresh(Platform::Facebook).await;
        let account = w.import_row(Platform::Facebook, &row).await;
        w.settle().await;
        let old = w.post(&account, "of old", minutes(1)).await;
        let lost = w.post(&account, "in between", minutes(40)).await;
        w.advance(minutes(5)).await;
        // The platform does not take the credential back, so the same one can come again.
        let away = FaultKind::Status {
            code: 503,
            body: None,
        };
        let fault = Fault::new(Sim::Facebook, "disconnect", away);
        w.sim().add_fault(fault).unwrap();
        let outcome = w.disconnect(&account).await;
        assert_eq!((outcome.revoked, outcome.failed), (0, 1));
        assert_eq!(revocations(&w), 2, "a few tries, and then it is told");
        let counts = w.event_counts().await;
        assert_eq!(counts.get("revocation_failed"), Some(&1), "{counts:?}");
        assert_eq!(w.connection(&account).await.auth_state, "removed");
        let numbers = w.store.counts(Some(w.workspace)).await.unwrap();
        assert_eq!(numbers.connections, [("removed".to_owned(), 1)]);

        let again = w.import_row(Platform::Facebook, &row).await;
        assert_eq!(again.connection, account.connection, "the same connection");
        w.advance(minutes(1)).await;
        let back = w.connection(&again).await;
        assert_eq!(back.auth_state, "connected");
        assert_eq!(back.token_version, 2, "nothing of before is about these");
        assert_eq!(w.event_counts().await.get("connection_revived"), Some(&1));
        let through = w
            .store
            .published_through(w.workspace, again.connection, 10)
            .await
            .unwrap();
        let texts: Vec<_> = through.iter().map(|one| one.text.as_str()).collect();
        assert_eq!(texts, ["of old"]);
        assert_eq!(through[0].target, old.target());
        // What the disconnect cancelled stays cancelled; what is scheduled now goes out.
        let new = w.post(&again, "anew", minutes(10)).await;
        w.advance(hours(2)).await;
        w.assert_post(&new, Stage::Accepted, Some("live")).await;
        assert_eq!(w.copies(&account, "in between"), 0);
        assert_eq!(w.target(&lost).await.stage, Stage::Cancelled);
        w.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_053_what_was_due_while_nothing_worked_does_not_go_out_later() {
    let w = World::start().await;
    let row = w.fresh(Platform::Facebook).await;
    let account = w.import_row(Platform::Facebook, &row).await;
    w.settle().await;
    let (user, reason) = (account.user.as_str(), RevokeReason::LoggedOut);
    let past = w.post(&account, "past", minutes(10)).await;
    let future = w.post(&account, "future", hours(6)).await;
    w.sim()
        .revoke_facebook_tokens(user, reason, TokenScope::All)
        .unwrap();
    acts::check_connection(
        &w.store,
        &Actor::Cli,
        w.workspace,
        account.connection,
        w.now(),
    )
    .await
    .unwrap();
    w.advance(hours(3)).await;
    assert_eq!(w.target(&past).await.stage, Stage::Missed);
    assert_eq!(w.target(&future).await.stage, Stage::Scheduled);
    w.disconnect(&account).await;
    assert_eq!(
        w.target(&past).await.stage,
        Stage::Missed,
        "it stays what it was"
    );
    w.import_row(Platform::Facebook, &row).await;
    w.advance(hours(6)).await;
    assert_eq!(w.copies(&account, "past") + w.copies(&account, "future"), 0);
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_056_a_token_revoked_at_the_platform_stops_posts_at_once() {
    let w = World::start().await;
    let account = w.connect(Platform::Facebook).await;
    w.settle().await;
    let first = w.post(&account, "first", minutes(2)).await;
    let second = w.post(&account, "second", minutes(5)).await;
    let (user, reason) = (account.user.as_str(), RevokeReason::AppRemoved);
    w.sim()
        .revoke_facebook_tokens(user, reason, TokenScope::All)
        .unwrap();
    w.advance(minutes(3)).await;
    assert_eq!(w.connection(&account).await.auth_state, "revoked");
    let tried = w.target(&first).await.attempts;
    assert!(tried <= 1, "the first may find it out: {tried} attempts");
    w.advance(hours(2)).await;
    let row = w.target(&second).await;
    assert_eq!(
        (row.stage, row.attempts, row.reason.as_deref()),
        (Stage::Missed, 0, Some("connection_not_connected")),
        "the second is not even tried"
    );
    assert_eq!(
        w.copies(&account, "first") + w.copies(&account, "second"),
        0
    );
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_121_nothing_is_tried_on_a_connection_in_error() {
    let w = World::start().await;
    let account = w.connect(Platform::Facebook).await;
    w.settle().await;
    let grants = w.store.grants(w.workspace).await.unwrap();
    let state = Change::GrantState {
        grant: *grants.values().next().unwrap(),
        token_version: 1,
        state: AuthState::Error,
        why: "checkpoint",
    };
    let decision = Decision::new(Next::Done, Outcome::Success).change(state);
    let none = Secrets::default();
    w.store
        .apply_act(&Actor::Cli, w.workspace, &decision, &none, w.now())
        .await
        .unwrap();
    let post = w.post(&account, "not now", minutes(1)).await;
    w.advance(hours(2)).await;
    let row = w.target(&post).await;
    assert_eq!((row.stage, row.attempts), (Stage::Missed, 0));
    assert_eq!(w.copies(&account, "not now"), 0);
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_049_a_consent_that_serves_another_workspace_is_not_withdrawn() {
    let w = World::start().await;
    let row = w.fresh(Platform::Facebook).await;
    let account = w.import_row(Platform::Facebook, &row).await;
    let pier = acts::create_workspace(&w.store, &Actor::Cli, "Pier", w.now());
    let pier = pier.await.unwrap();
    w.import_into(pier, &row).await;
    w.settle().await;
    let outcome = w.disconnect(&account).await;
    assert_eq!((outcome.revoked, outcome.failed), (0, 1));
    assert_eq!(revocations(&w), 0, "the other workspace goes on");
    let events = w.events().await;
    let failed = events.iter().find(|row| row.name == "revocation_failed");
    assert_eq!(failed.unwrap().data["class"], "held_elsewhere");
    w.advance(hours(2)).await;
    let theirs = w.store.connections(pier, w.now()).await.unwrap();
    assert_eq!(theirs[0].auth_state, "connected");
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_051_what_was_pending_for_the_account_alone_is_cancelled_with_its_reason() {
    for engine in ENGINES {
        let w = on(engine).await;
        let (leaving, staying) = (
            w.connect(Platform::Facebook).await,
            w.connect(Platform::Facebook).await,
        );
        w.settle().await;
        let (one, other) = (
            w.post(&leaving, "pending", hours(1)).await,
            w.post(&staying, "elsewhere", hours(1)).await,
        );
        w.disconnect(&leaving).await;
        let row = w.target(&one).await;
        assert_eq!(
            (row.stage, row.reason.as_deref()),
            (Stage::Cancelled, Some("connection_removed"))
        );
        let told = w.told(one.target().uuid()).await;
        assert!(
            told.iter().any(|event| matches!(event,
            Event::TargetCancelled { reason, .. } if reason == "connection_removed")),
            "{told:?}"
        );
        assert_eq!(w.target(&other).await.stage, Stage::Scheduled);
        w.done().await;
    }
}
