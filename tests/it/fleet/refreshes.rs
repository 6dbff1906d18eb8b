//! Workers killed in the midst of refreshes: the platform may have spent the old tokens, and nobody has stored the new.

use std::{
    cell::Cell,
    collections::BTreeMap,
    time::{Duration, Instant},
};

use mooring_domain::{
    Decision, JobKind, Next, Poke, ProcessId, Time,
    connection::Health,
    decision::Outcome,
    time::{days, minutes},
};
use mooring_simulator::{Fault, FaultKind, Platform};
use mooring_store::{Actor, ConnectionRow, Secrets};
use mooring_tests::{Process, within};

use super::{Account, Scene, notary, stop};

/// Grants per platform, all due for a refresh.
const GRANTS: usize = 10;

/// How many workers are killed: each platform's refreshes in turn.
const KILLS: usize = 4;

/// How long each step may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// Refreshes that a process has begun and not ended, on a platform.
const BEGUN: &str = "SELECT count(*) FROM grants g JOIN jobs j ON j.kind = 'refresh' AND j.subject_id = g.id \
                     WHERE g.refresh_begun_at IS NOT NULL AND j.begun_at IS NOT NULL \
                     AND g.refresh_holder = $1 AND j.holder = $1 AND g.platform = $2";

async fn begun(scene: &Scene, worker: ProcessId, platform: Platform) -> i64 {
    let values = [worker.uuid().into(), platform.as_str().into()];
    notary::number(&scene.store, BEGUN, values).await
}

async fn hire(scene: &Scene, number: usize) -> (ProcessId, Process) {
    let worker = scene.worker(&format!("worker-{number}"));
    let id = worker.id().await;
    within(PATIENCE, "the worker is at work", || {
        notary::is_present(&scene.store, id)
    })
    .await;
    (id, worker)
}

/// SIGKILL to a worker that waits for the answer to a refresh on `platform`. Returns how many refreshes it had begun,
/// of both platforms.
async fn kill(scene: &Scene, crew: &mut Vec<(ProcessId, Process)>, platform: Platform) -> i64 {
    let place = Cell::new(None);
    within(PATIENCE, "a worker has begun a refresh", || async {
        for (number, (id, _)) in crew.iter().enumerate() {
            if begun(scene, *id, platform).await > 0 {
                place.set(Some(number));
            }
        }
        place.get().is_some()
    })
    .await;
    let (id, victim) = crew.swap_remove(place.get().expect("just found"));
    victim.kill();
    // The dead write nothing: what is begun in its name now will never be ended by it.
    begun(scene, id, Platform::Facebook).await + begun(scene, id, Platform::Bluesky).await
}

/// Every answer to a refresh comes late; some of the refreshes too.
fn slow(scene: &Scene) {
    for platform in [Platform::Facebook, Platform::Bluesky] {
        for (kind, probability) in [
            (FaultKind::LatencyMs { ms: 2_500 }, 1.0),
            (FaultKind::LateEffectMs { ms: 1_500 }, 0.3),
        ] {
            let fault = Fault::new(platform, "refresh", kind).probability(probability);
            scene.admin().add_fault(fault).expect("a fault");
        }
    }
}

async fn connections(scene: &Scene) -> BTreeMap<String, ConnectionRow> {
    let rows = scene.store.connections(scene.workspace, scene.now()).await;
    let rows = rows.expect("the books answer").into_iter();
    rows.map(|row| (row.remote_id.clone(), row)).collect()
}

/// How often each thing was told of the grants.
async fn told(scene: &Scene) -> BTreeMap<String, usize> {
    let events = scene.store.events(scene.workspace, 10_000).await;
    let mut told = BTreeMap::new();
    for event in events.expect("the books answer") {
        *told.entry(event.name).or_default() += 1;
    }
    told
}

fn refresh_calls(scene: &Scene, platform: Platform) -> u64 {
    let calls = scene.admin().calls().by_operation;
    let calls = calls.get(&format!("{}.refresh", platform.as_str()));
    calls.map_or(0, |count| count.calls)
}

/// Has every connection checked and lets it publish, and waits until both have worked.
async fn tokens_work(scene: &Scene, accounts: &[Account]) {
    let since = scene.now();
    let rows = connections(scene).await;
    let mut decision = Decision::new(Next::Done, Outcome::Success);
    for row in rows.values() {
        decision = decision.poke(Poke::Job {
            kind: JobKind::Check,
            subject: row.id.uuid(),
            platform: row.platform.parse().expect("a platform"),
            at: since,
            priority: 100,
        });
    }
    let secrets = Secrets::default();
    scene
        .store
        .apply_act(&Actor::Cli, scene.workspace, &decision, &secrets, since)
        .await
        .expect("the checks are asked for");
    let wanted = scene.flood(accounts, accounts.len(), 1, since, 1).await;
    scene.settle(wanted.len(), PATIENCE).await;
    scene.assert_exactly_once(&wanted);
    within(PATIENCE, "every connection was checked", || async {
        let rows = connections(scene).await;
        rows.values().all(|row| checked(row, since))
    })
    .await;
}

fn checked(row: &ConnectionRow, since: Time) -> bool {
    row.health == Health::Healthy && row.checked_at.is_some_and(|at| at >= since)
}

/// Asserts that every grant was renewed exactly once, whoever was killed over it, and that nothing else was said of it.
async fn renewed_once(
    scene: &Scene,
    before: &BTreeMap<String, ConnectionRow>,
    told: &BTreeMap<String, usize>,
) {
    for (remote_id, row) in connections(scene).await {
        assert_eq!(row.auth_state, "connected", "{remote_id}");
        assert_eq!(row.token_version, before[&remote_id].token_version + 1);
    }
    assert_eq!(told.get("token_refreshed"), Some(&(2 * GRANTS)));
    for bad in [
        "auth_state_changed",
        "refresh_failed",
        "refresh_exhausted",
        "rotation_lost",
        "job_poisoned",
    ] {
        assert_eq!(told.get(bad), None, "{bad}");
    }
    let twice = "SELECT count(*) FROM (SELECT 1 FROM job_runs WHERE kind = 'refresh' \
                 GROUP BY subject_id HAVING count(*) > 1) AS doubled";
    assert_eq!(notary::number(&scene.store, twice, []).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fleet_kills_in_refreshes_lose_no_grant() {
    let started = Instant::now();
    let scene = Scene::start(&[
        ("MOORING_POLICY__LEASES_S__REFRESH", "6"),
        ("MOORING_WORKER__SLOTS__REFRESH", "2"),
    ])
    .await;
    notary::open(&scene.store).await;
    slow(&scene);
    let accounts = scene
        .connect_until(GRANTS, GRANTS, days(1), minutes(10))
        .await;
    let before = connections(&scene).await;
    let mut crew = Vec::new();
    for number in 0..3 {
        crew.push(hire(&scene, number).await);
    }
    let scheduler = scene.scheduler("scheduler");
    let (mut kills_in_refresh, mut hit) = (0, 0);
    for number in 0..KILLS {
        let platform = [Platform::Facebook, Platform::Bluesky][number % 2];
        let begun = kill(&scene, &mut crew, platform).await;
        kills_in_refresh += usize::from(begun > 0);
        hit += begun;
        crew.push(hire(&scene, crew.len() + number + 1).await);
    }
    within(PATIENCE, "every refresh has ended", || async {
        let open =
            "SELECT count(*) FROM grants WHERE refresh_begun_at IS NOT NULL OR issued_at < $1";
        let recently = scene.now() - minutes(5);
        notary::number(&scene.store, open, [recently.timestamp_millis().into()]).await == 0
    })
    .await;
    scene.admin().clear_faults();

    let (told, calls) = (told(&scene).await, [Platform::Facebook, Platform::Bluesky]);
    let calls = calls.map(|platform| refresh_calls(&scene, platform));
    println!(
        "grants={} kills={KILLS} kills_in_refresh={kills_in_refresh} refreshes_hit={hit} \
         calls_facebook={} calls_bluesky={} lost_leases={} told={told:?} duration={}s",
        2 * GRANTS,
        calls[0],
        calls[1],
        notary::lost_leases(&scene.store).await,
        started.elapsed().as_secs(),
    );
    assert!(kills_in_refresh > 0 && hit > 0, "no kill hit a refresh");
    for calls in calls {
        assert!(calls > GRANTS as u64, "nothing had to be asked twice");
    }
    renewed_once(&scene, &before, &told).await;

    tokens_work(&scene, &accounts).await;
    stop(
        crew.into_iter()
            .map(|(_, worker)| worker)
            .chain([scheduler]),
    )
    .await;
    println!(
        "tokens_work={} duration={}s",
        accounts.len(),
        started.elapsed().as_secs()
    );
}
