//! Rule 4.11: the books are compared, and what lost its job gets it back.

use mooring_domain::{
    JobKind, Lane, Platform,
    post::Stage,
    time::{hours, minutes},
};
use mooring_simulator::{Fault, FaultKind, Platform as Sim};
use mooring_tests::{Engine, World, WorldOptions};
use sea_orm::{ConnectionTrait as _, Statement};
use uuid::Uuid;

/// A world in which the house looks after itself.
async fn world(engine: Engine) -> World {
    World::with(WorldOptions {
        engine,
        lanes: Lane::ALL.to_vec(),
        ..WorldOptions::default()
    })
    .await
}

/// Deletes a job behind everybody's back.
async fn lose(world: &World, kind: JobKind, subject: Uuid) {
    let db = world.store.connection();
    let sql = "DELETE FROM jobs WHERE kind = $1 AND subject_id = $2";
    let values = [kind.as_str().into(), subject.into()];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let deleted = db.execute_raw(statement).await.expect("it is deleted");
    assert_eq!(deleted.rows_affected(), 1, "the {kind} job was there");
}

async fn repairs(world: &World) -> usize {
    world
        .event_counts()
        .await
        .get("drift_repaired")
        .copied()
        .unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_11_a_target_that_lost_its_job_still_goes_out_once() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = world(engine).await;
        let account = world.connect(Platform::Bluesky).await;
        let post = world.post(&account, "not forgotten", minutes(30)).await;
        world.settle().await;
        lose(&world, JobKind::Publish, post.target().uuid()).await;
        world.advance(minutes(5)).await;
        let job = world
            .store
            .job(JobKind::Publish, post.target().uuid())
            .await;
        let job = job
            .expect("the books answer")
            .expect("it has its job again");
        assert!(
            job.run_at > world.now(),
            "{engine:?}: due when the post is due"
        );
        assert_eq!(repairs(&world).await, 1, "{engine:?}");
        world.assert_post(&post, Stage::Scheduled, None).await;
        world.advance(hours(1)).await;
        world
            .assert_post(&post, Stage::Accepted, Some("live"))
            .await;
        assert_eq!(world.copies(&account, "not forgotten"), 1, "{engine:?}");
        assert_eq!(
            repairs(&world).await,
            1,
            "{engine:?}: nothing else was amiss"
        );
        world.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_11_an_acceptance_that_nobody_looks_at_is_looked_at() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = world(engine).await;
        let account = world.connect(Platform::Bluesky).await;
        let fault = Fault::new(
            Sim::Bluesky,
            "read_back",
            FaultKind::Status {
                code: 503,
                body: None,
            },
        );
        world.sim().add_fault(fault).expect("a fault");
        let post = world.post(&account, "look at me", minutes(1)).await;
        world.advance(minutes(2)).await;
        world.assert_post(&post, Stage::Accepted, None).await;
        let told = world.told(post.target().uuid()).await;
        let attempt = told.iter().find_map(|event| match event {
            mooring_domain::Event::TargetAccepted { attempt, .. } => Some(attempt.uuid()),
            _ => None,
        });
        let attempt = attempt.expect("it was accepted");
        lose(&world, JobKind::Verify, attempt).await;
        world.sim().clear_faults();
        world.advance(minutes(5)).await;
        world
            .assert_post(&post, Stage::Accepted, Some("live"))
            .await;
        assert_eq!(repairs(&world).await, 1, "{engine:?}");
        assert_eq!(world.copies(&account, "look at me"), 1, "{engine:?}");
        world.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_11_an_account_that_lost_its_jobs_is_checked_and_renewed_again() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = world(engine).await;
        let account = world.connect(Platform::Bluesky).await;
        world.settle().await;
        let grants = world
            .store
            .grants(world.workspace)
            .await
            .expect("the books answer");
        let grant = grants.values().next().expect("a grant").uuid();
        lose(&world, JobKind::Check, account.connection.uuid()).await;
        lose(&world, JobKind::Refresh, grant).await;
        let before = world.connection(&account).await;
        world.advance(minutes(5)).await;
        assert_eq!(repairs(&world).await, 2, "{engine:?}: both came back");
        world.advance(hours(2)).await;
        let after = world.connection(&account).await;
        assert!(
            after.checked_at > before.checked_at,
            "{engine:?}: it is checked"
        );
        assert!(
            after.token_version > before.token_version,
            "{engine:?}: it is renewed"
        );
        world.done().await;
    }
}
