//! Stories of checks and refreshes: what a platform does to a connection, and what we say of it.

use mooring_domain::{
    Platform,
    connection::Health,
    post::Stage,
    time::{days, hours, minutes},
};
use mooring_simulator::{
    AccountState, BlueskyTokenAction, Fault, FaultKind, PageState, Platform as Sim, RevokeReason,
    TokenScope,
};
use mooring_tests::{Account, World};

fn failing(platform: Sim, operation: &str, code: u16) -> Fault {
    Fault::new(platform, operation, FaultKind::Status { code, body: None })
}

async fn reasons(world: &World, account: &Account) -> (Health, Vec<String>) {
    let row = world.connection(account).await;
    (row.health, row.reasons)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_5_check_hourly_with_the_newest_facts() {
    let world = World::start().await;
    let account = world.connect(Platform::Facebook).await;
    world.advance(hours(5)).await;
    let checks = world.sim().calls_of(&account.user, "check")
        + world.sim().calls_of(&account.remote_id, "check");
    assert!(checks >= 6, "checked only {checks} times in five hours");
    let age = world.now()
        - world
            .connection(&account)
            .await
            .checked_at
            .expect("a check");
    assert!(age <= hours(1), "the last check is {age} old");
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_5_refresh_renews_before_the_end_and_only_then() {
    let world = World::start().await;
    let account = world.connect(Platform::Bluesky).await;
    world.advance(minutes(85)).await;
    assert_eq!(
        world.sim().calls_of(&account.remote_id, "refresh"),
        0,
        "not due before 90 minutes"
    );
    world.advance(minutes(10)).await;
    assert_eq!(world.sim().calls_of(&account.remote_id, "refresh"), 1);
    assert_eq!(world.connection(&account).await.token_version, 2);
    world.advance(days(2)).await;
    let (health, why) = reasons(&world, &account).await;
    assert_eq!(health, Health::Healthy, "{why:?}");
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_5_three_failed_refreshes_exhaust_a_series_and_change_no_state() {
    let world = World::start().await;
    let account = world.connect(Platform::Bluesky).await;
    let fault = world
        .sim()
        .add_fault(failing(Sim::Bluesky, "refresh", 503))
        .expect("a fault");
    world.advance(hours(4)).await;
    assert_eq!(
        world.sim().calls_of(&account.remote_id, "refresh"),
        3,
        "three attempts, then a pause"
    );
    let row = world.connection(&account).await;
    assert_eq!(row.auth_state, "connected");
    assert_eq!(row.health, Health::Critical);
    assert!(
        row.reasons.contains(&"refresh_exhausted".to_owned()),
        "{:?}",
        row.reasons
    );
    world.sim().remove_fault(fault).expect("the fault goes");
    world.advance(hours(5)).await;
    assert_eq!(
        reasons(&world, &account).await.0,
        Health::Healthy,
        "one success heals"
    );
    let told = world.event_counts().await;
    assert_eq!((told["refresh_failed"], told["refresh_exhausted"]), (2, 1));
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_5_an_hour_of_outage_changes_no_state() {
    let world = World::start().await;
    let mut accounts = Vec::new();
    for _ in 0..5 {
        accounts.push(world.connect(Platform::Facebook).await);
        accounts.push(world.connect_expiring(Platform::Bluesky, minutes(40)).await);
    }
    world.settle().await;
    for platform in [Sim::Facebook, Sim::Bluesky] {
        world
            .sim()
            .add_fault(failing(platform, "*", 503).probability(0.5))
            .expect("a fault");
        let drop = Fault::new(platform, "*", FaultKind::DroppedRequest).probability(0.5);
        world.sim().add_fault(drop).expect("a fault");
        let limit = Fault::new(platform, "*", FaultKind::RateLimited { reset_s: 30 });
        world.sim().add_fault(limit).expect("a fault");
    }
    world.advance(hours(1)).await;
    let struck = world.sim().faults().hits.values().sum::<u64>();
    assert!(struck > 30, "the outage was real: {struck}");
    for row in world.connections().await {
        assert_eq!(row.auth_state, "connected", "{}", row.name);
    }
    assert_eq!(world.event_counts().await.get("auth_state_changed"), None);
    world.sim().clear_faults();
    world.advance(hours(7)).await;
    for account in &accounts {
        let (health, why) = reasons(&world, account).await;
        assert_eq!(health, Health::Healthy, "{} {why:?}", account.platform);
    }
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_grant_is_seen_at_the_next_check_and_then_left_alone() {
    let world = World::start().await;
    let account = world.connect(Platform::Facebook).await;
    world.settle().await;
    world
        .sim()
        .revoke_facebook_tokens(&account.user, RevokeReason::AppRemoved, TokenScope::All)
        .expect("revoked");
    world.advance(hours(2)).await;
    let row = world.connection(&account).await;
    assert_eq!(
        (row.auth_state.as_str(), row.health),
        ("revoked", Health::Critical)
    );
    let refreshes = world.sim().calls_of(&account.user, "refresh");
    world.advance(days(20)).await;
    let later = world.sim().calls_of(&account.user, "refresh");
    assert!(
        later - refreshes <= 2,
        "a dead token is quiet, not {later} calls"
    );
    assert_eq!(
        world.event_counts().await["auth_state_changed"],
        1,
        "said once"
    );
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_password_is_a_security_event() {
    let world = World::start().await;
    let account = world.connect(Platform::Facebook).await;
    world.settle().await;
    world
        .sim()
        .revoke_facebook_tokens(
            &account.user,
            RevokeReason::PasswordChanged,
            TokenScope::All,
        )
        .expect("revoked");
    world.advance(hours(1)).await;
    let events = world.events().await;
    let told = events
        .iter()
        .find(|event| event.name == "auth_state_changed")
        .expect("told");
    assert_eq!(told.data["why"], "security_event");
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_016_a_scope_that_was_taken_away_is_named() {
    let world = World::start().await;
    let account = world.connect(Platform::Facebook).await;
    world.settle().await;
    world
        .sim()
        .drop_facebook_scope(&account.user, "pages_manage_posts", None)
        .expect("dropped");
    world.advance(hours(1)).await;
    let (health, why) = reasons(&world, &account).await;
    assert_eq!(health, Health::Critical);
    assert!(
        why.contains(&"scopes_missing".to_owned()) || why.contains(&"account".to_owned()),
        "{why:?}"
    );
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_017_a_suspended_account_and_an_unpublished_page_are_seen() {
    let world = World::start().await;
    let page = world.connect(Platform::Facebook).await;
    let profile = world.connect(Platform::Bluesky).await;
    world.settle().await;
    world
        .sim()
        .set_facebook_page_state(&page.remote_id, PageState::Unpublished)
        .expect("set");
    world
        .sim()
        .set_bluesky_state(&profile.remote_id, AccountState::Suspended)
        .expect("set");
    world.advance(hours(1)).await;
    for account in [&page, &profile] {
        let (health, why) = reasons(&world, account).await;
        assert_eq!(health, Health::Critical, "{}", account.platform);
        assert!(
            why.contains(&"account".to_owned()),
            "{}: {why:?}",
            account.platform
        );
    }
    world
        .sim()
        .set_facebook_page_state(&page.remote_id, PageState::Active)
        .expect("set");
    world.advance(hours(1)).await;
    assert_eq!(reasons(&world, &page).await.0, Health::Healthy);
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_5_a_publish_waits_for_a_refresh_and_never_refreshes_itself() {
    let world = World::start().await;
    let account = world.connect(Platform::Bluesky).await;
    world.settle().await;
    // The platform ends the token early: the publish meets a 401, the refresh job mends it, the post goes out.
    world
        .sim()
        .act_on_bluesky_tokens(&account.remote_id, BlueskyTokenAction::ExpireAccess)
        .expect("expired");
    let post = world.post(&account, "after a refresh", minutes(1)).await;
    world.advance(minutes(10)).await;
    world
        .assert_post(&post, Stage::Accepted, Some("live"))
        .await;
    assert_eq!(
        world.sim().calls_of(&account.remote_id, "refresh"),
        1,
        "one refresh, by its own job"
    );
    assert_eq!(world.copies(&account, "after a refresh"), 1);
    world.done().await;
}
