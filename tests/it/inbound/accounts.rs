//! "This account is no longer yours": what a failed publish does to connections.

use mooring_domain::{
    Platform, Role,
    connection::Health,
    post::{Content, Stage},
    time::{hours, minutes, seconds},
};
use mooring_gateway::acts::{self, SchedulePost};
use mooring_simulator::{Fault, FaultKind, Platform as Sim, RevokeReason, TokenScope};
use mooring_store::Actor;
use mooring_tests::World;

/// One post to three connections: two of one person, who takes our app away, and one of another.
async fn three_ways() -> (World, Vec<mooring_tests::Account>) {
    let world = World::start().await;
    let mut accounts = world.import_pages(2).await;
    accounts.push(world.connect(Platform::Bluesky).await);
    world.settle().await;
    (world, accounts)
}

async fn post_to_all(world: &World, accounts: &[mooring_tests::Account]) {
    let order = SchedulePost {
        connections: accounts.iter().map(|one| one.connection).collect(),
        content: Content::text("three ways"),
        due: world.now() + minutes(1),
        ..SchedulePost::default()
    };
    let (store, now) = (&world.store, world.now());
    acts::schedule_post(store, &Actor::Cli, world.workspace, order, now)
        .await
        .expect("scheduled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_118_a_refused_publish_has_its_accounts_checked_and_marks_only_those_that_are_gone() {
    let (world, accounts) = three_ways().await;
    world.advance(minutes(20)).await;
    post_to_all(&world, &accounts).await;
    world.settle().await;
    world
        .sim()
        .revoke_facebook_tokens(&accounts[0].user, RevokeReason::AppRemoved, TokenScope::All)
        .expect("revoked");
    world.advance(minutes(2)).await;
    for gone in &accounts[..2] {
        assert_eq!(world.connection(gone).await.auth_state, "revoked");
    }
    let well = world.connection(&accounts[2]).await;
    assert_eq!(
        (&*well.auth_state, well.health),
        ("connected", Health::Healthy)
    );
    let targets = world.store.targets(world.workspace).await.expect("books");
    let on = |account: &mooring_tests::Account| {
        let row = targets
            .iter()
            .find(|row| row.connection == account.connection);
        row.expect("a target").stage
    };
    assert_eq!(
        on(&accounts[2]),
        Stage::Accepted,
        "the healthy one is untouched"
    );
    assert_ne!(on(&accounts[0]), Stage::Accepted);
    world.advance(hours(2)).await;
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_119_people_are_told_which_platform_and_that_a_reconnect_mends_it() {
    let (world, accounts) = three_ways().await;
    post_to_all(&world, &accounts).await;
    world.settle().await;
    world
        .sim()
        .revoke_facebook_tokens(&accounts[0].user, RevokeReason::AppRemoved, TokenScope::All)
        .expect("revoked");
    world.advance(minutes(2)).await;
    let api = world.api(Role::Viewer).await;
    let list = api.get("/connections?sort=attention").await.ok(200);
    let cards = list["items"].as_array().expect("cards");
    for card in &cards[..2] {
        assert_eq!(card["platform"], "facebook", "{card}");
        assert_eq!(card["needs_reconnect"], true, "{card}");
        let text = card["status_text"].as_str().expect("words for people");
        assert!(text.to_lowercase().contains("reconnect"), "{card}");
    }
    assert_eq!(cards[2]["platform"], "bluesky");
    assert_eq!(cards[2]["needs_reconnect"], false, "{}", cards[2]);
    world.advance(hours(2)).await;
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_120_where_the_check_cannot_ask_nothing_is_marked() {
    let (world, accounts) = three_ways().await;
    post_to_all(&world, &accounts).await;
    world.settle().await;
    world
        .sim()
        .revoke_facebook_tokens(&accounts[0].user, RevokeReason::AppRemoved, TokenScope::All)
        .expect("revoked");
    // Nobody at Facebook can be asked just now.
    let kind = FaultKind::Status {
        code: 503,
        body: None,
    };
    let fault = Fault::new(Sim::Facebook, "check", kind);
    world.sim().add_fault(fault).expect("a fault");
    world.advance(minutes(3)).await;
    world.advance(seconds(30)).await;
    for account in &accounts[..2] {
        let row = world.connection(account).await;
        assert_eq!(row.auth_state, "connected", "nothing is marked");
    }
    world.sim().clear_faults();
    world.advance(hours(2)).await;
    assert_eq!(world.connection(&accounts[0]).await.auth_state, "revoked");
    world.done().await;
}
