//! The promise: whatever dies, every post goes live exactly once.

use std::time::{Duration, Instant};

use mooring_domain::time::seconds;
use mooring_tests::within;

use super::{
    Scene,
    chaos::{Crew, Recovery, stir},
    notary,
};

/// Posts, and accounts that each goes to: 2,000 publishes.
const POSTS: usize = 500;
const BREADTH: usize = 4;

/// Accounts per platform, and the seconds over which the posts are due.
const PAGES: usize = 50;
const SPREAD: usize = 20;

/// How many workers are killed.
const KILLS: usize = 10;

/// How long everything may take after the last kill: a lost request on a platform without keys of ours is repeated
/// only when it can no longer arrive, and politely.
const PATIENCE: Duration = Duration::from_mins(7);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fleet_kills_and_wipes_lose_nothing() {
    let started = Instant::now();
    let mut scene = Scene::start(&[("MOORING_WORKER__SLOTS__PUBLISH", "16")]).await;
    notary::open(&scene.store).await;
    let accounts = scene.connect(PAGES, PAGES).await;
    let due = scene.now() + seconds(15);
    let wanted = scene.flood(&accounts, POSTS, BREADTH, due, SPREAD).await;
    assert_eq!(wanted.len(), 2_000);
    stir(&scene.admin());
    let mut crew = Crew::start(&scene, 2, 4).await;

    for round in 0..KILLS {
        match round {
            2 => crew.kill_scheduler(&scene),
            3 => crew.flush_redis(&scene).await,
            5 => crew.restart_redis(&mut scene).await,
            7 => crew.freeze_worker(&scene).await,
            _ => {}
        }
        crew.kill_worker(&scene).await;
    }
    within(PATIENCE, "every publish was tried", async || {
        notary::untried(&scene.store).await == 0
    })
    .await;
    // The platforms recover, so that the last stragglers do not fail for hours by chance.
    let faults = scene.admin().faults().hits;
    scene.admin().clear_faults();
    scene.settle(wanted.len(), PATIENCE).await;

    let recovery = Recovery(notary::recoveries(&scene.store).await);
    let living = notary::lost_by_the_living(&scene.store).await;
    let lost_leases = notary::lost_leases(&scene.store).await;
    // Who is overtaken finds out when it applies, or already when it extends its leases.
    let discards = scene.fleet.logged("decision.discarded");
    let undecided = scene.fleet.logged("job.undecided");
    println!(
        "kills={} in_mid_call={} schedulers_killed={} wipes={} discards={discards} undecided={undecided} \
         lost_leases={lost_leases} lost_by_the_living={living} {recovery} faults={faults:?} duration={}s",
        crew.kills,
        crew.kills_in_mid_call,
        crew.schedulers_killed,
        crew.wipes,
        started.elapsed().as_secs(),
    );
    scene.assert_exactly_once(&wanted);
    assert!(
        crew.kills >= 8 && crew.kills_in_mid_call >= 4,
        "too few kills hit anything"
    );
    assert!(crew.schedulers_killed >= 1 && crew.wipes >= 2);
    for kind in [
        "lost_answer",
        "dropped_request",
        "status",
        "error_although_created",
    ] {
        assert!(
            faults.get(kind).is_some_and(|hits| *hits > 0),
            "no {kind} struck: {faults:?}"
        );
    }
    assert!(discards > 0, "nobody was overtaken: nothing was tested");
    assert!(recovery.count() > 0 && lost_leases > 0);
    recovery.assert_in_time();
    crew.stop().await;
}
