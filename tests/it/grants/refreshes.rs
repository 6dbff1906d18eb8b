//! Tokens that are renewed in time, that cannot be, and that are dead.

use mooring_domain::{
    Platform,
    connection::Health,
    time::{days, hours, minutes},
};
use mooring_simulator::BlueskyTokenAction;
use mooring_tests::World;

use super::{count, patient};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_029_tokens_that_die_unused_are_kept_alive() {
    for platform in [Platform::Facebook, Platform::Instagram, Platform::Threads] {
        let world = patient().await;
        let account = world.connect(platform).await;
        world.advance(days(130)).await;
        let row = world.connection(&account).await;
        assert_eq!(row.health, Health::Healthy, "{platform}: {:?}", row.reasons);
        let renewals = row.token_version - 1;
        assert!((2..=3).contains(&renewals), "{platform}: {renewals}");
        world.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_029_a_token_whose_end_nobody_told_is_kept_alive_too() {
    let world = patient().await;
    let account = world
        .connect_but(Platform::Instagram, |row| row.access_expires_at = None)
        .await;
    world.advance(days(70)).await;
    let row = world.connection(&account).await;
    assert_eq!(row.health, Health::Healthy, "{:?}", row.reasons);
    assert_eq!(row.token_version, 2);
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_024_a_sixty_day_token_is_renewed_in_the_background_a_week_before_its_end() {
    let world = patient().await;
    let account = world.connect(Platform::Facebook).await;
    world.advance(days(52)).await;
    assert_eq!(world.connection(&account).await.token_version, 1, "not due");
    world.advance(days(2)).await;
    let row = world.connection(&account).await;
    assert_eq!(row.token_version, 2);
    let end = row.access_expires_at.expect("it ends");
    assert!(end > world.now() + days(55), "a fresh end is stored: {end}");
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_030_youtube_renews_itself_without_its_user() {
    let world = World::start().await;
    let account = world.connect(Platform::YouTube).await;
    world.advance(hours(6)).await;
    let row = world.connection(&account).await;
    assert_eq!(row.health, Health::Healthy, "{:?}", row.reasons);
    assert!(row.token_version >= 6, "{}", row.token_version);
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_027_what_cannot_be_renewed_is_not_asked_for_and_needs_a_reconnect_at_its_end() {
    let world = patient().await;
    let account = world.connect_without_refresh(Platform::LinkedIn).await;
    world.advance(days(59)).await;
    assert_eq!(world.connection(&account).await.auth_state, "connected");
    assert_eq!(count(&world, "refresh_failed").await, 0);
    world.advance(days(2)).await;
    let row = world.connection(&account).await;
    assert_eq!(row.health, Health::Critical, "{:?}", row.reasons);
    assert_eq!(row.token_version, 1, "nobody tried");
    assert_eq!(count(&world, "refresh_failed").await, 0);
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guard_09_a_dead_token_is_asked_about_at_most_twice_however_many_want_it() {
    let world = World::start().await;
    let account = world.connect(Platform::Bluesky).await;
    world.settle().await;
    world
        .sim()
        .act_on_bluesky_tokens(&account.remote_id, BlueskyTokenAction::Revoke)
        .expect("revoked");
    for minute in 1..20 {
        let text = format!("post {minute}");
        world.post(&account, &text, minutes(minute)).await;
    }
    world.advance(days(1)).await;
    let calls = world.sim().calls_of(&account.remote_id, "refresh");
    assert!(calls <= 2, "{calls} calls for a dead token");
    assert_eq!(world.connection(&account).await.health, Health::Critical);
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn goal_5_the_window_between_answer_and_commit_is_measured() {
    let world = World::start().await;
    world.connect(Platform::Bluesky).await;
    world.advance(hours(4)).await;
    let metrics = world.context.metrics.render();
    let counted = metrics
        .lines()
        .find_map(|line| line.strip_prefix("mooring_refresh_persist_seconds_count "))
        .map(|count| count.parse::<u32>().expect("a number"));
    assert!(counted.is_some_and(|count| count >= 2), "{counted:?}");
    world.done().await;
}
