//! Rule 4.11, its second half: leases are compared with their holders and with the workers' slots.

use mooring_domain::{
    JobKind, Lane, Next, Platform, Poke, ProcessId, Time, WorkspaceId,
    decision::{Decision, Outcome},
    post::Stage,
    time::{days, minutes, seconds},
};
use mooring_store::{Actor, Lease, Secrets, Store};
use mooring_tests::{Engine, World, WorldOptions, eventually};
use sea_orm::{ConnectionTrait as _, Statement, Value};
use uuid::Uuid;

use super::{Quay, on_both, start};

async fn world(engine: Engine) -> World {
    World::with(WorldOptions {
        engine,
        lanes: Lane::ALL.to_vec(),
        ..WorldOptions::default()
    })
    .await
}

/// Makes the house look around now.
async fn look_around(store: &Store, now: Time) {
    let look = Decision::new(Next::Done, Outcome::Success).poke(Poke::House {
        kind: JobKind::Reconcile,
        at: now,
    });
    let house = WorkspaceId::from_uuid(Uuid::nil());
    store
        .apply_act(&Actor::Cli, house, &look, &Secrets::default(), now)
        .await
        .expect("an act");
}

/// Leases a job behind everybody's back.
async fn lease(
    store: &Store,
    job: (JobKind, Uuid),
    until: Time,
    holder: Option<ProcessId>,
    now: Time,
) {
    let db = store.connection();
    let begun = (holder.is_some() && job.0.begins()).then(|| now.timestamp_millis());
    let values: [Value; 6] = [
        now.timestamp_millis().into(),
        until.timestamp_millis().into(),
        holder.map(ProcessId::uuid).into(),
        begun.into(),
        job.0.as_str().into(),
        job.1.into(),
    ];
    let sql = "UPDATE jobs SET visible_at = $1, lease_until = $2, holder = $3, begun_at = $4, generation = generation + 7 \
               WHERE kind = $5 AND subject_id = $6 AND lease_until IS NULL";
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let done = db.execute_raw(statement).await.expect("it is leased");
    assert_eq!(done.rows_affected(), 1, "the {} job was free", job.0);
}

/// How often the house has told this about its books.
async fn told(store: &Store, name: &str, what: &str) -> usize {
    let house = WorkspaceId::from_uuid(Uuid::nil());
    let events = store.events(house, 1_000).await.expect("the books answer");
    events
        .iter()
        .filter(|row| row.name == name && row.data["what"] == what)
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_11_a_lease_whose_holder_has_ended_is_ended_early() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = world(engine).await;
        let account = world.connect(Platform::Bluesky).await;
        let post = world.post(&account, "waits", minutes(30)).await;
        world.settle().await;
        let (store, now) = (&world.store, world.now());
        let dead: ProcessId = store.mint(now);
        let presence = store.enter(dead, "worker", "there", now).await;
        let left = store.leave(presence.expect("it enters"), now).await;
        left.expect("it leaves");
        let jobs = [
            (JobKind::Check, account.connection.uuid()),
            (JobKind::Publish, post.target().uuid()),
        ];
        for job in jobs {
            lease(store, job, now + seconds(25), Some(dead), now).await;
        }
        look_around(store, now).await;
        // The clock stands still: only an early end lets anybody else have them.
        world.settle().await;
        let code = "lease_without_a_live_holder";
        assert_eq!(told(store, "drift_repaired", code).await, 1, "{engine:?}");
        world.assert_post(&post, Stage::Scheduled, None).await;
        let metrics = world.context.metrics.render();
        let counted = format!("mooring_drift_total{{what=\"{code}\"}} 2");
        assert!(metrics.contains(&counted), "{metrics}");
        world.advance(minutes(40)).await;
        assert_eq!(world.copies(&account, "waits"), 1, "{engine:?}");
        world.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_11_a_lease_longer_than_any_is_shortened() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = world(engine).await;
        let account = world.connect(Platform::Bluesky).await;
        world.settle().await;
        let (store, now) = (&world.store, world.now());
        let (kind, id) = (JobKind::Check, account.connection.uuid());
        lease(store, (kind, id), now + days(1), None, now).await;
        look_around(store, now).await;
        world.queue.wake().await.expect("schedulers are woken");
        eventually("it is told", || async {
            told(store, "drift_repaired", "lease_longer_than_any").await == 1
        })
        .await;
        let row = store.job(kind, id).await.expect("the books answer");
        let until = row.expect("the job").lease_until;
        assert_eq!(until, Some(now + seconds(30)), "it is an ordinary lease");
        // Its holder, if there were one, would have a lease's time; then it is claimed again.
        world.pass(seconds(31));
        world.settle().await;
        world.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_11_leases_that_no_slot_accounts_for_are_told_when_they_stay() {
    on_both(async |desk| {
        let quay = Quay::open(desk.store.clone(), start()).await;
        quay.schedule();
        quay.work(&[Lane::House]);
        // Whoever adopts a lane releases what was claimed before.
        quay.until("the lanes are adopted", async || {
            desk.number("SELECT count(*) FROM lanes", []).await == 5
        })
        .await;
        let ids = desk.checks(desk.workspace, 3, start()).await;
        let claimed = desk.claim(JobKind::Check, 3, start() + seconds(1)).await;
        let fences: Vec<_> = claimed.iter().map(|one| one.claim.fence).collect();
        assert_eq!(fences.len(), ids.len());
        let since = "SELECT max(unaccounted_since) FROM lanes WHERE lane = 'check'";
        let noted = async || desk.number(since, []).await > 0;
        look_around(&desk.store, start()).await;
        quay.until("the house has seen it", noted).await;
        let code = "leases_without_slots";
        assert_eq!(
            told(&desk.store, "drift_found", code).await,
            0,
            "not at once"
        );

        // Somebody keeps them, whoever that is, and has no slot for them.
        let later = start() + seconds(90);
        let until = later + seconds(30);
        let wanted: Vec<Lease> = fences.iter().map(|&fence| Lease { fence, until }).collect();
        let kept = desk.store.extend(&wanted, desk.me).await;
        assert_eq!(kept.expect("they are extended").len(), 3);
        quay.set(later);
        look_around(&desk.store, later).await;
        quay.until("it is told", async || {
            told(&desk.store, "drift_found", code).await == 1
        })
        .await;
        let metrics = quay.context.metrics.render();
        let gauge = "mooring_leases_unaccounted{lane=\"check\"} 3";
        assert!(metrics.contains(gauge), "{metrics}");

        desk.store
            .release(&fences)
            .await
            .expect("they are given back");
        quay.set(later + minutes(5));
        look_around(&desk.store, quay.now()).await;
        quay.until("the books agree again", async || !noted().await)
            .await;
        let times = told(&desk.store, "drift_found", code).await;
        assert_eq!(times, 1, "not when it was first seen");
        quay.close().await;
    })
    .await;
}
