//! Stories of posts: what a platform answers, and what really became of the post.

use mooring_domain::{
    Platform,
    post::Stage,
    time::{days, hours, minutes, seconds},
};
use mooring_gateway::acts;
use mooring_simulator::{Fault, FaultKind, LedgerFilter, PageState, Platform as Sim};
use mooring_store::Actor;
use mooring_tests::{Account, World};

const BOTH: [(Platform, Sim); 2] = [
    (Platform::Facebook, Sim::Facebook),
    (Platform::Bluesky, Sim::Bluesky),
];

/// Publishes one post into one fault, lets two hours pass, and says how it ended.
async fn publish_into(
    fault: impl Fn(Sim) -> Fault,
    platform: (Platform, Sim),
) -> (World, Account, Stage) {
    let world = World::start().await;
    let account = world.connect(platform.0).await;
    world.settle().await;
    world.sim().add_fault(fault(platform.1)).expect("a fault");
    let post = world.post(&account, "into trouble", minutes(1)).await;
    world.advance(hours(2)).await;
    assert!(
        world.sim().faults().hits.values().sum::<u64>() > 0,
        "the fault struck"
    );
    let stage = world.target(&post).await.stage;
    (world, account, stage)
}

fn remote_id(world: &World) -> String {
    world
        .sim()
        .ledger(&LedgerFilter::default())
        .first()
        .expect("a post")
        .remote_id
        .clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_5_an_error_answer_although_the_post_exists_is_found_out() {
    for platform in BOTH {
        let fault = |sim| {
            let kind = FaultKind::ErrorAlthoughCreated {
                code: None,
                body: None,
            };
            Fault::new(sim, "publish", kind).times(1)
        };
        let (world, account, stage) = publish_into(fault, platform).await;
        assert_eq!(
            (stage, world.copies(&account, "into trouble")),
            (Stage::Accepted, 1)
        );
        world.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_5_garbage_is_never_success_and_never_terminal() {
    for platform in BOTH {
        let fault = |sim| Fault::new(sim, "publish", FaultKind::Garbage).times(1);
        let (world, account, stage) = publish_into(fault, platform).await;
        assert_eq!(
            (stage, world.copies(&account, "into trouble")),
            (Stage::Accepted, 1)
        );
        world.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_of_503_is_looked_into_and_sent_again() {
    for platform in BOTH {
        let fault = |sim| {
            Fault::new(
                sim,
                "publish",
                FaultKind::Status {
                    code: 503,
                    body: None,
                },
            )
            .times(2)
        };
        let (world, account, stage) = publish_into(fault, platform).await;
        assert_eq!(
            (stage, world.copies(&account, "into trouble")),
            (Stage::Accepted, 1)
        );
        world.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rate_limit_is_waited_out() {
    for platform in BOTH {
        let fault =
            |sim| Fault::new(sim, "publish", FaultKind::RateLimited { reset_s: 600 }).times(1);
        let (world, account, stage) = publish_into(fault, platform).await;
        assert_eq!(
            (stage, world.copies(&account, "into trouble")),
            (Stage::Accepted, 1)
        );
        world.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_platform_that_is_down_for_longer_than_a_post_may_be_late_misses_it_loudly() {
    for platform in BOTH {
        let fault = |sim| {
            Fault::new(
                sim,
                "publish",
                FaultKind::Status {
                    code: 503,
                    body: None,
                },
            )
        };
        let (world, account, stage) = publish_into(fault, platform).await;
        assert_eq!(
            (stage, world.copies(&account, "into trouble")),
            (Stage::Missed, 0)
        );
        assert_eq!(world.event_counts().await["target_missed"], 1);
        world.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_121_a_post_is_not_attempted_on_a_connection_in_error() {
    let world = World::start().await;
    let account = world.connect(Platform::Facebook).await;
    world.settle().await;
    world
        .sim()
        .set_facebook_page_state(&account.remote_id, PageState::Deleted)
        .expect("set");
    let post = world.post(&account, "to nobody", hours(2)).await;
    world.advance(hours(4)).await;
    let row = world.target(&post).await;
    assert_eq!((row.stage, row.attempts), (Stage::Missed, 0));
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_5_gone_is_removed_when_the_account_is_well() {
    for (platform, sim) in BOTH {
        let world = World::start().await;
        let account = world.connect(platform).await;
        let post = world.post(&account, "here today", minutes(1)).await;
        world.advance(minutes(5)).await;
        world
            .assert_post(&post, Stage::Accepted, Some("live"))
            .await;
        world
            .sim()
            .delete_post(sim, &remote_id(&world))
            .expect("deleted");
        world.advance(hours(25)).await;
        world
            .assert_post(&post, Stage::Removed, Some("removed"))
            .await;
        assert_eq!(world.target(&post).await.permalink, None, "no dead link");
        world.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_that_was_changed_at_the_platform_is_altered() {
    for (platform, sim) in BOTH {
        let world = World::start().await;
        let account = world.connect(platform).await;
        let post = world.post(&account, "as written", minutes(1)).await;
        world.advance(minutes(5)).await;
        world
            .sim()
            .edit_post(sim, &remote_id(&world), "as rewritten")
            .expect("edited");
        world.advance(hours(25)).await;
        world
            .assert_post(&post, Stage::Accepted, Some("altered"))
            .await;
        world.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twins_are_both_published_and_neither_takes_the_others_post() {
    for (platform, sim) in BOTH {
        let world = World::start().await;
        let mut limits = world.sim().limits();
        limits.facebook_duplicate_guard = false;
        world.sim().set_limits(limits);
        let account = world.connect(platform).await;
        world.settle().await;
        let lost = Fault::new(sim, "publish", FaultKind::LostAnswer).times(1);
        world.sim().add_fault(lost).expect("a fault");
        let first = world.post(&account, "twice", minutes(1)).await;
        let second = world.post(&account, "twice", minutes(1)).await;
        world.advance(hours(2)).await;
        world
            .assert_post(&first, Stage::Accepted, Some("live"))
            .await;
        world
            .assert_post(&second, Stage::Accepted, Some("live"))
            .await;
        assert_eq!(world.copies(&account, "twice"), 2, "{platform}");
        world.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_target_does_not_go_out_and_a_published_one_cannot_be_cancelled() {
    let world = World::start().await;
    let account = world.connect(Platform::Bluesky).await;
    let post = world.post(&account, "never mind", minutes(5)).await;
    acts::cancel_target(
        &world.store,
        &Actor::Cli,
        world.workspace,
        post.target(),
        world.now(),
    )
    .await
    .expect("cancelled");
    let kept = world.post(&account, "go on", minutes(5)).await;
    world.advance(minutes(10)).await;
    world.assert_post(&post, Stage::Cancelled, None).await;
    assert_eq!(world.copies(&account, "never mind"), 0);
    let refused = acts::cancel_target(
        &world.store,
        &Actor::Cli,
        world.workspace,
        kept.target(),
        world.now(),
    )
    .await
    .expect_err("too late");
    assert!(
        refused
            .to_string()
            .contains("can no longer be changed or cancelled"),
        "{refused}"
    );
    world
        .assert_post(&kept, Stage::Accepted, Some("live"))
        .await;
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_053_a_post_whose_time_passed_while_nobody_worked_is_missed_not_late() {
    let world = World::start().await;
    let account = world.connect(Platform::Facebook).await;
    world.settle().await;
    let late = world
        .post(&account, "a little late", seconds(-30 * 60))
        .await;
    world.settle().await;
    world.advance(minutes(1)).await;
    world
        .assert_post(&late, Stage::Accepted, Some("live"))
        .await;
    world.advance(days(1)).await;
    world.done().await;
}
