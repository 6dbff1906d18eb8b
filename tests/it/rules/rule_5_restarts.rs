//! Design §5: what a restart of the database's server says about our processes.

use chrono::TimeDelta;
use mooring_domain::{Policy, Time, time::hours};
use mooring_runtime::{Clock as _, SystemClock};
use mooring_store::Presence;
use mooring_tests::{Database, PostgresServer, within};

use super::start;

/// This process is older than the server: it lost its lock with the server's restart, not with its own end. Whether its
/// clock is right makes no difference.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_5_a_restarted_server_says_nothing_about_processes_from_before() {
    let mut server = PostgresServer::start().await;
    let database = Database::on(&server).await;
    let store = database.store(Policy::default()).await;
    let (me, now) = (store.mint(start()), SystemClock::new().now());
    let enter = async |ahead: TimeDelta| {
        let process = store.mint(start());
        let entered = store.enter(process, "worker", "host", now + ahead).await;
        (process, entered.expect("it enters"))
    };
    let (gone, session) = enter(hours(0)).await;
    drop(session);
    within(PATIENCE, "its session ends", || async {
        ended(&store, gone, me, now).await
    })
    .await;
    let before = [
        enter(hours(0)).await,
        enter(hours(5)).await,
        enter(hours(-5)).await,
    ];
    server.crash_and_restart().await;
    within(PATIENCE, "the books answer again", || async {
        store.database_ms().await.is_ok()
    })
    .await;
    for (process, presence) in &before {
        assert!(!Presence::holds(presence).await, "its lock went");
        for _ in 0..5 {
            assert!(!ended(&store, *process, me, now).await, "nobody knows");
        }
    }
    assert!(ended(&store, gone, me, now).await, "that was known before");
    let (after, session) = enter(hours(0)).await;
    assert!(!ended(&store, after, me, now).await, "it lives");
    drop(session);
    within(PATIENCE, "its session ends", || async {
        ended(&store, after, me, now).await
    })
    .await;
}

const PATIENCE: std::time::Duration = std::time::Duration::from_mins(1);

async fn ended(
    store: &mooring_store::Store,
    process: mooring_domain::ProcessId,
    me: mooring_domain::ProcessId,
    now: Time,
) -> bool {
    let known = store.has_ended(process, me, now).await;
    known.expect("the books answer")
}
