//! Credentials that were taken back: why, who must be told, and what hangs on them.

use mooring_domain::{
    Event, Platform,
    connection::Health,
    time::{days, hours, minutes},
};
use mooring_simulator::{RevokeReason, TokenScope};
use mooring_tests::World;

use super::{count, patient};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_019_a_changed_password_is_a_security_event_that_names_what_to_reconnect() {
    let world = World::start().await;
    let pages = world.import_pages(2).await;
    world.settle().await;
    let user = &pages[0].user;
    world
        .sim()
        .revoke_facebook_tokens(user, RevokeReason::PasswordChanged, TokenScope::All)
        .expect("changed");
    world.look(&pages[0]).await;
    world.advance(hours(2)).await;
    let grant = world.grant_of(&pages[0]).await;
    let told = world.told(grant.uuid()).await;
    let security: Vec<_> = told
        .iter()
        .filter_map(|event| match event {
            Event::SecurityEvent { connections, .. } => Some(connections.clone()),
            _ => None,
        })
        .collect();
    let mut all: Vec<_> = pages.iter().map(|page| page.connection).collect();
    all.sort_unstable();
    let [mut named] = <[_; 1]>::try_from(security).expect("told once");
    named.sort_unstable();
    assert_eq!(named, all, "one reconnect heals them all");
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_021_a_token_that_is_taken_back_soon_after_connecting_is_seen_within_the_hour() {
    let world = World::start().await;
    let account = world.connect(Platform::Facebook).await;
    world.advance(minutes(10)).await;
    assert_eq!(world.connection(&account).await.health, Health::Healthy);
    world
        .sim()
        .revoke_facebook_tokens(&account.user, RevokeReason::AppRemoved, TokenScope::All)
        .expect("revoked");
    world.advance(hours(1)).await;
    assert_eq!(world.connection(&account).await.auth_state, "revoked");
    assert_eq!(world.facts(&account).await.token.flaps, 1);
    assert_eq!(count(&world, "grant_flapping").await, 0, "once is no habit");
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_040_the_reason_for_a_reconnect_is_recorded() {
    for (reason, why, state) in [
        (RevokeReason::PasswordChanged, "security_event", "revoked"),
        (RevokeReason::AppRemoved, "token_revoked", "revoked"),
    ] {
        let world = World::start().await;
        let account = world.connect(Platform::Facebook).await;
        world.settle().await;
        world
            .sim()
            .revoke_facebook_tokens(&account.user, reason, TokenScope::All)
            .expect("revoked");
        world.look(&account).await;
        let facts = world.facts(&account).await;
        assert_eq!(facts.token.why.as_deref(), Some(why));
        assert_eq!(facts.token.auth_state.as_str(), state);
        world.done().await;
    }
    let world = patient().await;
    let account = world.connect_without_refresh(Platform::LinkedIn).await;
    world.advance(days(61)).await;
    let facts = world.facts(&account).await;
    assert_eq!(facts.token.why.as_deref(), Some("token_expired"));
    assert_eq!(facts.token.auth_state.as_str(), "expired");
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_064_pages_of_different_people_are_connections_of_their_own() {
    let world = World::start().await;
    let mine = world.import_pages(2).await;
    let theirs = world.import_pages(1).await;
    world.settle().await;
    let user = &mine[0].user;
    world
        .sim()
        .revoke_facebook_tokens(user, RevokeReason::AppRemoved, TokenScope::All)
        .expect("revoked");
    world.advance(hours(1)).await;
    for page in &mine {
        assert_eq!(world.connection(page).await.auth_state, "revoked");
    }
    assert_eq!(world.connection(&theirs[0]).await.health, Health::Healthy);
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_shows_everything_that_it_endangers() {
    let world = World::start().await;
    let pages = world.import_pages(3).await;
    world.settle().await;
    world.post(&pages[0], "first", hours(5)).await;
    world.post(&pages[2], "second", hours(3)).await;
    let grant = world.grant_of(&pages[1]).await;
    let endangered = world
        .store
        .endangered(world.workspace, grant)
        .await
        .expect("the books answer")
        .expect("the grant exists");
    assert_eq!(endangered.connections.len(), 3);
    assert_eq!(endangered.posts, 2);
    assert_eq!(endangered.next_due, Some(world.now() + hours(3)));
    world.done().await;
}
