//! A stop in good order costs nothing: what runs ends, what waits is given back.

use std::{future::ready, time::Duration};

use mooring_domain::time::seconds;
use mooring_simulator::{Fault, FaultKind, Platform};
use mooring_tests::{eventually, within};

use super::{Scene, notary, stop};

const SLOTS: i64 = 4;
const POSTS: usize = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fleet_graceful_stop_spends_nothing() {
    let scene = Scene::start(&[
        ("MOORING_WORKER__SLOTS__PUBLISH", "4"),
        // Nothing here may come back by a lease that ran out.
        ("MOORING_POLICY__LEASES_S__PUBLISH", "60"),
    ])
    .await;
    notary::open(&scene.store).await;
    let accounts = scene.connect(10, 10).await;
    let mut slow = Vec::new();
    for platform in [Platform::Facebook, Platform::Bluesky] {
        let fault = Fault::new(platform, "publish", FaultKind::LatencyMs { ms: 4_000 });
        slow.push(scene.admin().add_fault(fault).expect("a fault"));
    }
    let wanted = scene
        .flood(&accounts, POSTS, 1, scene.now() - seconds(1), 1)
        .await;
    let scheduler = scene.scheduler("scheduler");
    let mut first = scene.worker("first");
    let id = first.id().await;
    eventually("some run and many wait", async || {
        notary::begun_by(&scene.store, id).await == SLOTS
            && notary::waiting(&scene.store).await >= 12
    })
    .await;

    first.terminate();
    let drain = Duration::from_secs(30);
    within(drain, "the worker drains", || {
        ready(first.ended().is_some())
    })
    .await;
    assert_eq!(first.ended(), Some(true), "{}", first.log());
    let counts = scene.counts().await;
    let accepted = counts.targets.iter().find(|(stage, _)| stage == "accepted");
    let accepted = accepted.map_or(0, |(_, count)| *count);
    assert!(
        accepted >= SLOTS.unsigned_abs(),
        "what ran did not end well: {counts:?}"
    );
    assert_eq!(
        counts.dangling, 0,
        "what ran was left in the middle: {counts:?}"
    );
    let spent = "SELECT count(*) FROM jobs WHERE kind = 'publish' AND (attempt > 0 OR losses > 0)";
    assert_eq!(
        notary::number(&scene.store, spent, []).await,
        0,
        "waiting cost an attempt or a loss"
    );
    let kept = "SELECT count(*) FROM post_targets t JOIN jobs j ON j.subject_id = t.id \
                WHERE t.stage = 0 AND j.kind = 'publish' AND j.begun_at IS NULL";
    let kept = notary::number(&scene.store, kept, []).await.unsigned_abs();
    assert_eq!(kept, POSTS as u64 - accepted, "what waits has its job");

    for fault in slow {
        scene.admin().remove_fault(fault).expect("the fault exists");
    }
    let second = scene.worker("second");
    scene.settle(POSTS, Duration::from_mins(1)).await;
    scene.assert_exactly_once(&wanted);
    assert_eq!(
        notary::lost_leases(&scene.store).await,
        0,
        "something waited for its lease to end"
    );
    let attempts = "SELECT count(*) FROM publish_attempts";
    assert_eq!(
        notary::number(&scene.store, attempts, []).await,
        40,
        "one attempt each"
    );
    stop([second, scheduler]).await;
}
