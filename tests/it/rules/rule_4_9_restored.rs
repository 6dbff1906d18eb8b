//! Rule 4.9, its last clause: after a restore from a backup, what was due since is looked for before it is sent.

use mooring_domain::{
    Event, JobKind, Platform, ProcessId,
    post::Stage,
    time::{hours, minutes},
};
use mooring_gateway::acts::{self, ActError, Marked};
use mooring_store::{Actor, Refusal};
use mooring_tests::{Account, Engine, Posted, World, WorldOptions};
use uuid::Uuid;

use super::{desk::order, on_both, start};

const PLATFORMS: [Platform; 2] = [Platform::Facebook, Platform::Bluesky];

async fn world(engine: Engine) -> World {
    World::with(WorldOptions {
        engine,
        ..WorldOptions::default()
    })
    .await
}

/// The act, for a backup that was taken at `taken_at`.
async fn mark(world: &World, taken_at: mooring_domain::Time) -> Marked {
    acts::mark_restored(&world.store, &Actor::Cli, taken_at, world.now())
        .await
        .expect("it is marked")
}

/// Posts on one account, due after so many minutes.
async fn posts(world: &World, account: &Account, due: &[i64]) -> Vec<Posted> {
    let mut posts = Vec::new();
    for at in due {
        let text = format!("{} after {at}", account.platform);
        posts.push(world.post(account, &text, minutes(*at)).await);
    }
    posts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_9_a_restored_backup_publishes_nothing_twice_and_loses_nothing() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let mut world = world(engine).await;
        let mut all = Vec::new();
        for platform in PLATFORMS {
            let account = world.connect(platform).await;
            // Three go out and are forgotten, one falls into the time in which nothing runs, one is not due yet.
            let posts = posts(&world, &account, &[5, 6, 7, 12, 40]).await;
            all.extend(posts.into_iter().map(|post| (account.clone(), post)));
        }
        world.settle().await;
        let taken_at = world.now();
        let backup = world.back_up().await;
        world.advance(minutes(10)).await;
        let out = |world: &World| {
            let copies = all
                .iter()
                .map(|(account, post)| world.copies(account, &post.text));
            copies.collect::<Vec<_>>()
        };
        assert_eq!(out(&world), [1, 1, 1, 0, 0, 1, 1, 1, 0, 0], "{engine:?}");

        world.restore(&backup).await;
        world.pass(minutes(5));
        for (_, post) in &all {
            world.assert_post(post, Stage::Scheduled, None).await;
        }
        let marked = mark(&world, taken_at).await;
        assert_eq!((marked.restore.targets, marked.repeated), (8, false));
        world.resume();
        world.settle().await;
        let found = out(&world);
        assert_eq!(
            found,
            [1, 1, 1, 0, 0, 1, 1, 1, 0, 0],
            "{engine:?}: not before it is surely absent"
        );
        world.advance(hours(1)).await;
        assert_eq!(out(&world), [1; 10], "{engine:?}");
        for (_, post) in &all {
            world.assert_post(post, Stage::Accepted, Some("live")).await;
        }
        let again = mark(&world, taken_at).await;
        assert!(again.repeated && again.restore == marked.restore);
        world.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_9_a_restored_backup_tells_posts_with_the_same_words_apart() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let mut world = world(engine).await;
        let mut limits = world.sim().limits();
        limits.facebook_duplicate_guard = false;
        world.sim().set_limits(limits);
        let mut all = Vec::new();
        for platform in PLATFORMS {
            let account = world.connect(platform).await;
            for at in [5, 8, 12] {
                let post = world.post(&account, "Good morning", minutes(at)).await;
                all.push((account.clone(), post));
            }
        }
        world.settle().await;
        let taken_at = world.now();
        let backup = world.back_up().await;
        world.advance(minutes(10)).await;
        world.restore(&backup).await;
        world.pass(minutes(5));
        assert_eq!(mark(&world, taken_at).await.restore.targets, 6);
        world.resume();
        world.advance(hours(1)).await;
        for (account, post) in &all {
            world.assert_post(post, Stage::Accepted, Some("live")).await;
            assert_eq!(world.copies(account, "Good morning"), 3, "{engine:?}");
        }
        world.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_9_a_restored_backup_names_the_rotations_that_it_lost() {
    // Bluesky's spent token answers with its successor for two hours: then the connection goes on.
    for (forgotten, lost) in [(minutes(100), 0), (hours(6), 1)] {
        let mut world = World::start().await;
        let account = world.connect(Platform::Bluesky).await;
        world.settle().await;
        let taken_at = world.now();
        let backup = world.back_up().await;
        world.advance(forgotten).await;
        world.restore(&backup).await;
        assert_eq!(mark(&world, taken_at).await.restore.grants, 1);
        world.resume();
        world.settle().await;
        let told = world.event_counts().await;
        let named = told.get("rotation_lost").copied().unwrap_or(0);
        assert_eq!(named, lost, "{forgotten}: {told:?}");
        let row = world.connection(&account).await;
        assert_eq!(row.token_version > 1, lost == 0, "{forgotten}");
        world.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_9_a_restored_backup_lets_nobody_change_what_may_be_live() {
    on_both(async |desk| {
        let place = desk.connect("restored").await;
        let (_, due) = desk.post(place, "due", start()).await;
        let (_, later) = desk.post(place, "later", start() + hours(3)).await;
        let (now, actor) = (start() + minutes(30), Actor::Cli);
        acts::mark_restored(&desk.store, &actor, start(), now)
            .await
            .expect("it is marked");
        let cancel = async |target| {
            acts::cancel_target(&desk.store, &actor, desk.workspace, target, now).await
        };
        let refused = cancel(due).await;
        assert!(
            matches!(
                refused,
                Err(ActError::Refused(Refusal::AlreadyBegun { .. }))
            ),
            "{refused:?}"
        );
        cancel(later).await.expect("it is still to come");
        let told = desk.told("outcome_unknown", due.uuid()).await;
        assert_eq!(
            (told, desk.told("backup_restored", Uuid::nil()).await),
            (1, 1)
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_9_a_restored_backup_leaves_alone_what_dangles_already() {
    on_both(async |desk| {
        let place = desk.connect("dangling").await;
        let (_, target) = desk.post(place, "begun", start()).await;
        let held = desk.take(JobKind::Publish, target.uuid(), start()).await;
        desk.begin(&held, desk.me, start()).await;
        let now = start() + minutes(30);
        let marked = acts::mark_restored(&desk.store, &Actor::Cli, start(), now).await;
        assert_eq!(marked.expect("it is marked").restore.targets, 0);
        assert_eq!(desk.target(target).await.attempts, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_9_a_restored_backup_gives_no_fencing_token_of_then_again() {
    on_both(async |desk| {
        let (kind, id, now) = (JobKind::Check, Uuid::now_v7(), start());
        desk.poke(kind, id, now).await;
        let then = desk.take(kind, id, now).await;
        desk.store
            .release(&[then.fence])
            .await
            .expect("it is given back");
        acts::mark_restored(&desk.store, &Actor::Cli, now, now)
            .await
            .expect("it is marked");
        // Whatever was claimed after the backup had a token that is not far above the last one in it.
        let claimed = desk
            .store
            .claim(order(kind, 1, now), now)
            .await
            .expect("a claim");
        let generation = claimed.claimed[0].claim.fence.generation;
        assert!(
            generation > then.fence.generation + 1_000_000_000,
            "{generation}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_9_a_restored_backup_is_not_marked_while_workers_run_on_it() {
    let desk = super::Desk::new(Engine::Postgres).await;
    let worker: ProcessId = desk.store.mint(start());
    let presence = desk
        .store
        .enter(worker, "worker", "here", start())
        .await
        .expect("it enters");
    let mark = async || acts::mark_restored(&desk.store, &Actor::Cli, start(), start()).await;
    let refused = mark().await;
    let workers = Refusal::StillAtWork { workers: 1 };
    assert!(
        matches!(&refused, Err(ActError::Refused(refusal)) if *refusal == workers),
        "{refused:?}"
    );
    let marker = desk.store.restore_of(start()).await;
    assert_eq!(marker.expect("the books answer"), None, "all or nothing");
    desk.store
        .leave(presence, start())
        .await
        .expect("it leaves");
    mark().await.expect("nobody works any more");
    let told = desk
        .store
        .events(mooring_domain::WorkspaceId::from_uuid(Uuid::nil()), 10)
        .await;
    let told = told.expect("the books answer");
    let event = serde_json::from_value::<Event>(told[0].data.clone()).expect("an event");
    assert!(
        matches!(event, Event::BackupRestored { targets: 0, .. }),
        "{event:?}"
    );
}
