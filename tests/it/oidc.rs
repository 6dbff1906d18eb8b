//! Single-use refresh tokens before a token endpoint that we did not write (`oidc-provider` from npm, started by
//! `dev/oidc`, at X's paths). The server counts what it is asked; the clock is ours.

use mooring_domain::{
    Lane, Platform,
    connection::Health,
    post::Stage,
    time::{days, hours},
};
use mooring_providers::{Access, Connected};
use mooring_tests::{Account, Oidc, Wiretap, World, WorldOptions};
use url::Url;

/// A world whose X is at `url`. Nothing is verified: that server has no posts to read.
async fn world(url: &Url) -> World {
    World::with(WorldOptions {
        lanes: vec![Lane::Check, Lane::Refresh, Lane::Publish],
        elsewhere: vec![("x", url.clone()), ("x_dialog", url.clone())],
        ..WorldOptions::default()
    })
    .await
}

/// A new person's account, connected and healthy.
async fn connected(world: &World, oidc: &Oidc) -> (Account, Connected) {
    world.register_app(Platform::X, &oidc.app).await;
    let new = oidc.connect(world.adapter(Platform::X).as_ref()).await;
    let ends = world.now() + hours(2);
    let account = world.import(Platform::X, &new, ends).await;
    world.settle().await;
    assert_eq!(world.connection(&account).await.health, Health::Healthy);
    assert_eq!(oidc.refreshes().await, 0);
    (account, new)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_processes_that_want_one_token_renewed_at_once_renew_it_once() {
    let oidc = Oidc::of_environment().await;
    let mut world = world(oidc.url()).await;
    let (account, _) = connected(&world, &oidc).await;

    // The house sleeps until the token is over and four posts and a check are due.
    world.pause().await;
    let mut posts = Vec::new();
    for text in ["one", "two", "three", "four"] {
        posts.push(world.post(&account, text, hours(3)).await);
    }
    world.pass(hours(3));
    world.resume();
    world.hire(3);
    world.settle().await;
    assert_eq!(oidc.refreshes().await, 1, "one refresh was sent");
    for post in &posts {
        let target = world.target(post).await;
        assert_eq!((target.stage, target.attempts), (Stage::Accepted, 1));
    }
    assert_eq!(oidc.calls("/2/tweets").await, 4);

    // The session has survived: it renews itself for another day.
    world.advance(days(1)).await;
    let row = world.connection(&account).await;
    assert_eq!(
        (row.health, row.auth_state.as_str()),
        (Health::Healthy, "connected")
    );
    let refreshes = oidc.refreshes().await;
    assert!(
        (12..=24).contains(&refreshes),
        "two hours each: {refreshes}"
    );
    assert_eq!(
        row.token_version,
        1 + i64::try_from(refreshes).expect("few")
    );
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_token_that_somebody_else_has_spent_ends_the_grant_at_once() {
    let oidc = Oidc::of_environment().await;
    let world = world(oidc.url()).await;
    let (account, new) = connected(&world, &oidc).await;
    let adapter = world.adapter(Platform::X);
    let (_, stolen) = adapter.refresh(&access(&oidc, &new)).await.expect("theirs");
    assert!(oidc.lives(&stolen.access).await);
    assert_eq!(oidc.refreshes().await, 1, "the thief's");

    world.advance(hours(2)).await;
    let row = world.connection(&account).await;
    assert_eq!(
        (row.health, row.auth_state.as_str()),
        (Health::Critical, "revoked")
    );
    let told = world.event_counts().await;
    assert_eq!(told.get("auth_state_changed"), Some(&1), "{told:?}");
    assert!(
        !told.contains_key("rotation_lost"),
        "ours was not lost: {told:?}"
    );
    assert!(
        !oidc.lives(&stolen.access).await,
        "nor does it serve the thief"
    );
    assert_eq!(oidc.refreshes().await, 2, "ours was the only one");

    world.advance(days(2)).await;
    assert_eq!(oidc.refreshes().await, 2, "and stays it");
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_whose_answer_was_lost_is_named_and_not_tried_for_ever() {
    let oidc = Oidc::of_environment().await;
    let wire = Wiretap::before(oidc.address());
    let world = world(&wire.url().parse().expect("a URL")).await;
    let (account, _) = connected(&world, &oidc).await;
    wire.lose_answer_to("grant_type=refresh_token");
    world.advance(hours(2)).await;
    assert_eq!(wire.lost(), 1, "the answer was really lost");
    assert_eq!(
        oidc.refreshes().await,
        2,
        "the lost one, and the one that told"
    );
    let row = world.connection(&account).await;
    assert_eq!(
        (row.health, row.auth_state.as_str()),
        (Health::Critical, "revoked")
    );
    let told = world.event_counts().await;
    assert_eq!(told.get("rotation_lost"), Some(&1), "{told:?}");
    world.advance(days(2)).await;
    assert_eq!(oidc.refreshes().await, 2);
    world.done().await;
}

/// What anybody can do who has the tokens.
fn access(oidc: &Oidc, new: &Connected) -> Access {
    Access {
        app: Some(oidc.app.clone()),
        host: None,
        remote_id: new.destinations[0].remote_id.clone(),
        remote_user_id: new.remote_user_id.clone(),
        token: new.grant_token.clone(),
        grant_token: new.grant_token.clone(),
        refresh_token: new.refresh_token.clone(),
        binding: None,
    }
}
