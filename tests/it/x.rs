//! Stories on X: reads that cost money, tokens that work once, media before the post.

use mooring_domain::{
    Platform,
    connection::Health,
    post::Stage,
    time::{days, hours},
};
use mooring_simulator::{Fault, FaultKind, Platform as Sim, x::XUsage};
use mooring_tests::World;

/// What the app of every simulated account has used.
fn usage(world: &World) -> XUsage {
    let (app, _) = world
        .sim()
        .account("x")
        .expect("an account")
        .app
        .expect("its app");
    world.sim().x_usage(&app).expect("its usage")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_days_on_x_cost_a_few_reads_and_a_lost_answer_makes_no_second_post() {
    let world = World::start().await;
    let account = world.connect(Platform::X).await;
    world.settle().await;
    let lost = Fault::new(Sim::X, "publish", FaultKind::LostAnswer).times(1);
    world.sim().add_fault(lost).expect("a fault");
    let post = world.post(&account, "lost on the way", hours(30)).await;
    world.advance(days(2)).await;
    assert_eq!(world.target(&post).await.stage, Stage::Accepted);
    assert_eq!(world.copies(&account, "lost on the way"), 1);
    assert_eq!(world.connection(&account).await.health, Health::Healthy);
    let refreshes = world.sim().calls_of(&account.remote_id, "refresh");
    assert!(
        (20..=60).contains(&refreshes),
        "tokens of two hours, over two days: {refreshes}"
    );
    let used = usage(&world);
    // One look a day, before the post, and at the beginning; of the post one read a day.
    assert!(used.user_reads <= 4, "{used:?}");
    assert!(used.post_reads <= 3, "{used:?}");
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_that_was_lost_on_x_ends_loudly_and_is_not_repeated_for_ever() {
    let world = World::start().await;
    let account = world.connect(Platform::X).await;
    world.settle().await;
    let lost = Fault::new(Sim::X, "refresh", FaultKind::LostAnswer).times(1);
    world.sim().add_fault(lost).expect("a fault");
    world.advance(hours(12)).await;
    assert_eq!(world.connection(&account).await.health, Health::Critical);
    let refreshes = world.sim().calls_of(&account.remote_id, "refresh");
    assert_eq!(refreshes, 2, "the lost one, and the one that told");
    let told = world.event_counts().await;
    assert!(
        told.keys().any(|name| name.contains("rotation_lost")),
        "{told:?}"
    );
    world.done().await;
}
