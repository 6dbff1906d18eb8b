//! Design §5: what the four jobs owe to tokens, remote ids and each other's processes.

use mooring_domain::{
    Change, Evidence, JobKind, ProcessId, Time, grant::AuthState, post::Accepted,
};
use mooring_runtime::{Clock as _, SystemClock};
use mooring_store::{BegunPublish, TokensStored};
use mooring_tests::{Engine, eventually};

use super::{
    Desk, Place,
    desk::{done, telling},
    on_both,
    rule_4_8::{renewal, tokens},
    start,
};

/// A check of the account finds its token dead.
async fn find_dead(desk: &Desk, place: Place, token_version: i64) {
    let subject = place.connection.uuid();
    desk.poke(JobKind::Check, subject, start()).await;
    let held = desk.take(JobKind::Check, subject, start()).await;
    let verdict = Change::GrantState {
        grant: place.grant,
        token_version,
        state: AuthState::Revoked,
        why: "token_revoked",
    };
    assert!(
        desk.apply(held.fence, done().change(verdict), start())
            .await
            .fenced
    );
}

async fn state(desk: &Desk) -> String {
    let rows = desk
        .store
        .connections(desk.workspace, start())
        .await
        .expect("the books answer");
    rows[0].auth_state.clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_5_a_verdict_holds_only_for_the_tokens_it_is_about() {
    on_both(async |desk| {
        let place = desk.connect("verdict").await;
        let grant = place.grant.uuid();
        desk.meddle(
            "UPDATE grants SET token_version = 2 WHERE id = $1",
            [grant.into()],
        )
        .await;
        find_dead(&desk, place, 1).await;
        assert_eq!(
            state(&desk).await,
            "connected",
            "those tokens are gone anyway"
        );
        assert_eq!(desk.told("auth_state_changed", grant).await, 0);
        for _ in 0..2 {
            find_dead(&desk, place, 2).await;
            assert_eq!(state(&desk).await, "revoked");
            assert_eq!(desk.told("auth_state_changed", grant).await, 1, "told once");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_5_a_401_while_a_refresh_is_begun_is_no_evidence() {
    on_both(async |desk| {
        let place = desk.connect("rotating").await;
        let grant = place.grant.uuid();
        desk.poke(JobKind::Refresh, grant, start()).await;
        let held = desk.take(JobKind::Refresh, grant, start()).await;
        let begun = desk.store.begin_refresh(&held, desk.me, start()).await;
        assert!(begun.expect("the books answer"), "the refresh begins");
        find_dead(&desk, place, 1).await;
        assert_eq!(state(&desk).await, "connected");
        assert_eq!(desk.told("auth_state_changed", grant).await, 0);
        // The refresh ends; what is found dead now is dead.
        let renewed = desk
            .store
            .apply_job(&renewal(&desk, &held, place, Some("refresh-2")))
            .await;
        assert_eq!(
            renewed.expect("it is applied").tokens,
            Some(TokensStored::Stored)
        );
        find_dead(&desk, place, 2).await;
        assert_eq!(state(&desk).await, "revoked");
        assert_eq!(desk.told("auth_state_changed", grant).await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_5_whoever_tells_that_its_refresh_got_no_answer_need_not_be_waited_for() {
    on_both(async |desk| {
        let place = desk.connect("unanswered").await;
        let grant = place.grant.uuid();
        desk.poke(JobKind::Refresh, grant, start()).await;
        let held = desk.take(JobKind::Refresh, grant, start()).await;
        let begun = desk.store.begin_refresh(&held, desk.me, start()).await;
        assert!(begun.expect("the books answer"), "the refresh begins");
        let load = async || {
            let job = desk.store.refresh_job(&held).await.expect("it loads");
            job.expect("the grant is there")
        };
        let (sender, work) = (load().await.sender, load().await.work);
        assert_eq!((sender, work.dangling), (Some(desk.me), true));
        assert!(!work.sender_ended, "its call may still be on its way");
        let ended = Change::RefreshEnded {
            grant: place.grant,
            exhausted: false,
            still_begun: true,
        };
        desk.apply(held.fence, done().change(ended), start()).await;
        let after = load().await;
        assert_eq!((after.sender, after.work.dangling), (None, true));
        assert!(after.work.sender_ended, "its call is over, by its own word");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_5_a_refresh_token_is_never_emptied() {
    on_both(async |desk| {
        let place = desk.connect("kept").await;
        let grant = place.grant.uuid();
        desk.poke(JobKind::Refresh, grant, start()).await;
        let held = desk.take(JobKind::Refresh, grant, start()).await;
        let begun = desk.store.begin_refresh(&held, desk.me, start()).await;
        assert!(begun.expect("the books answer"), "the refresh begins");
        let applied = desk
            .store
            .apply_job(&renewal(&desk, &held, place, None))
            .await;
        assert_eq!(
            applied.expect("it is applied").tokens,
            Some(TokensStored::Stored)
        );
        let (access, refresh, version) = tokens(&desk, place).await;
        assert_eq!(
            (access.as_str(), refresh.as_deref()),
            ("access-2", Some("refresh-1"))
        );
        assert_eq!(version, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_5_a_post_at_the_platform_belongs_to_one_target() {
    on_both(async |desk| {
        let place = desk.connect("twins").await;
        let elsewhere = desk.connect("elsewhere").await;
        let mut stages = Vec::new();
        for place in [place, place, elsewhere] {
            let (_, target) = desk.post(place, "the same words", start()).await;
            let held = desk.take(JobKind::Publish, target.uuid(), start()).await;
            let begun = desk.begin(&held, desk.me, start()).await;
            let BegunPublish::Attempt(attempt, _) = begun else {
                panic!("{begun:?}")
            };
            let found = Evidence::Accepted {
                attempt: attempt.id,
                accepted: Accepted {
                    remote_id: "one-post".to_owned(),
                    permalink: None,
                },
                at: start(),
            };
            let decision = telling(start()).evidence(found);
            assert!(
                desk.apply(held.fence, decision, start()).await.fenced,
                "it costs nobody a job"
            );
            stages.push(desk.target(target).await.stage.as_str());
        }
        assert_eq!(
            stages,
            ["accepted", "begun", "accepted"],
            "a twin cannot take it"
        );
        let owners = "SELECT count(*) FROM publish_attempts WHERE remote_id = 'one-post'";
        assert_eq!(desk.number(owners, []).await, 2, "one for each account");
    })
    .await;
}

/// Ends every presence session of this database, as the end of their processes does.
async fn end_sessions(desk: &Desk) {
    let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
               WHERE datname = current_database() AND application_name = 'mooring-presence'";
    assert!(desk.number(sql, []).await > 0, "there was a session");
    let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' \
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    eventually("their locks are free", || async {
        desk.number(locks, []).await == 0
    })
    .await;
}

async fn ended(desk: &Desk, process: ProcessId, me: ProcessId) -> bool {
    desk.store
        .has_ended(process, me, real_now())
        .await
        .expect("the books answer")
}

/// The server's own start is real, so these processes start in real time.
fn real_now() -> Time {
    SystemClock::new().now()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_5_a_process_has_ended_only_when_that_is_known() {
    on_both(async |desk| {
        assert!(
            !ended(&desk, desk.other, desk.me).await,
            "nobody knows this process"
        );
        let enter = |process, at| desk.store.enter(process, "worker", "host", at);
        let presence = enter(desk.other, real_now()).await.expect("it enters");
        assert!(presence.holds().await);
        assert!(
            !ended(&desk, desk.other, desk.other).await,
            "who asks lives"
        );
        // SQLite's file has one process at a time: any other one has ended.
        assert_eq!(
            ended(&desk, desk.other, desk.me).await,
            desk.engine == Engine::Sqlite
        );
        desk.store
            .leave(presence, real_now())
            .await
            .expect("it leaves");
        assert!(ended(&desk, desk.other, desk.me).await, "it said so");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_5_a_process_has_ended_when_its_session_is_gone() {
    let desk = Desk::new(Engine::Postgres).await;
    let presence = desk
        .store
        .enter(desk.other, "worker", "host", real_now())
        .await;
    let presence = presence.expect("it enters");
    for _ in 0..20 {
        assert!(
            !ended(&desk, desk.other, desk.me).await,
            "it lives, however often one asks"
        );
    }
    assert!(presence.holds().await, "asking takes nothing away");
    end_sessions(&desk).await;
    assert!(!presence.holds().await, "and it notices itself");
    assert!(ended(&desk, desk.other, desk.me).await);
}
