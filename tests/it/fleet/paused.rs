//! A worker that stands still at the worst moment, and goes on when its work has long been taken over.

use std::time::Duration;

use mooring_domain::time::seconds;
use mooring_simulator::{Fault, FaultKind, Platform};
use mooring_tests::{eventually, within};
use sea_orm::ConnectionTrait as _;

use super::{Account, LEASE, Scene, notary, stop};

/// Holds the first begin's commit for two seconds: time to freeze the worker that waits for it. When it goes on, it
/// has begun and not yet sent.
const HOLD: &str = r"
CREATE TABLE hold_once (once int);
INSERT INTO hold_once VALUES (1);
CREATE FUNCTION hold_begin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM hold_once;
    IF FOUND THEN PERFORM pg_sleep(2); END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON publish_attempts
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hold_begin();";

/// Longer than lease, time-out and settle time of every platform, with what the next look waits.
const PATIENCE: Duration = Duration::from_mins(6);

/// Pages of the last test.
const PAGES: usize = 6;

async fn begin_is_held(scene: &Scene) {
    let held = "SELECT count(*) FROM pg_stat_activity \
                WHERE datname = current_database() AND wait_event = 'PgSleep'";
    eventually("a begin is held in its commit", async || {
        notary::number(&scene.store, held, []).await == 1
    })
    .await;
}

fn only(accounts: &[Account]) -> &Account {
    assert_eq!(accounts.len(), 1);
    &accounts[0]
}

/// Frozen between begin and send, for longer than its lease: when it goes on it must not send.
async fn frozen_before_the_send(pages: usize, profiles: usize) {
    let scene = Scene::start(&[]).await;
    notary::open(&scene.store).await;
    scene
        .store
        .connection()
        .execute_unprepared(HOLD)
        .await
        .expect("a trigger");
    let accounts = scene.connect(pages, profiles).await;
    let account = only(&accounts);
    let scheduler = scene.scheduler("scheduler");
    let first = scene.worker("first");
    let id = first.id().await;
    eventually("the first worker is at work", async || {
        first.logged("admin.listening")
    })
    .await;
    scene.post(&[account], "not twice", scene.now()).await;
    begin_is_held(&scene).await;
    first.pause();
    eventually("the begin is committed", async || {
        notary::begun_by(&scene.store, id).await == 1
    })
    .await;

    let second = scene.worker("second");
    notary::taken_over(&scene.store, id, Duration::from_mins(1)).await;
    // Taken over, looked for, and not found: the frozen one may still send, for all that the second one knows.
    let looked = "SELECT count(*) FROM job_runs WHERE kind = 'publish'";
    eventually("the second worker has looked", async || {
        notary::number(&scene.store, looked, []).await >= 1
    })
    .await;
    first.resume();

    scene.settle(1, PATIENCE).await;
    scene.assert_exactly_once(&[(account.clone(), "not twice".to_owned())]);
    stop([first, second, scheduler]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fleet_paused_worker_does_not_double_where_the_key_is_ours() {
    frozen_before_the_send(0, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fleet_paused_worker_does_not_double_where_no_key_exists() {
    frozen_before_the_send(1, 0).await;
}

/// Frozen while the platform is still at it: the post comes about long after the worker's lease.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fleet_paused_worker_does_not_double_what_comes_late() {
    let scene = Scene::start(&[]).await;
    notary::open(&scene.store).await;
    let accounts = scene.connect(1, 0).await;
    let account = only(&accounts);
    let late = FaultKind::LateEffectMs {
        ms: (LEASE.unsigned_abs() + 10) * 1_000,
    };
    let late = Fault::new(Platform::Facebook, "publish", late).times(1);
    scene.admin().add_fault(late).expect("a fault");
    let scheduler = scene.scheduler("scheduler");
    let first = scene.worker("first");
    let id = first.id().await;
    scene
        .post(&[account], "late, once", scene.now() + seconds(1))
        .await;
    within(
        Duration::from_secs(30),
        "the platform has the call",
        async || scene.admin().faults().hits.contains_key("late_effect_ms"),
    )
    .await;
    first.pause();

    let second = scene.worker("second");
    notary::taken_over(&scene.store, id, Duration::from_mins(1)).await;
    scene.settle(1, PATIENCE).await;
    first.resume();
    eventually("the first worker finds itself overtaken", async || {
        first.logged("decision.discarded") || first.logged("job.undecided")
    })
    .await;
    scene.assert_exactly_once(&[(account.clone(), "late, once".to_owned())]);
    stop([first, second, scheduler]).await;
}

/// Frozen during its calls, and going on before the platform answers: by then others hold its jobs. What the
/// platform answers is a fact all the same (design §4, rule 8). Where no key of ours exists, nobody else can ever
/// learn how those calls ended, and without it the posts may not be repeated.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fleet_paused_worker_tells_how_its_calls_ended() {
    let scene = Scene::start(&[]).await;
    notary::open(&scene.store).await;
    let accounts = scene.connect(PAGES, 0).await;
    for kind in [
        FaultKind::LateEffectMs {
            ms: (LEASE.unsigned_abs() + 10) * 1_000,
        },
        FaultKind::Status {
            code: 503,
            body: None,
        },
    ] {
        let fault = Fault::new(Platform::Facebook, "publish", kind).times(PAGES as u64);
        scene.admin().add_fault(fault).expect("a fault");
    }
    let scheduler = scene.scheduler("scheduler");
    let first = scene.worker("first");
    let id = first.id().await;
    let wanted = scene
        .flood(&accounts, PAGES, 1, scene.now() + seconds(1), 1)
        .await;
    eventually("the platform has the calls", async || {
        scene.admin().faults().hits.get("late_effect_ms") == Some(&(PAGES as u64))
    })
    .await;
    first.pause();
    let second = scene.worker("second");
    notary::taken_over(&scene.store, id, Duration::from_mins(1)).await;
    first.resume();

    scene.settle(PAGES, PATIENCE).await;
    scene.assert_exactly_once(&wanted);
    stop([first, second, scheduler]).await;
}
