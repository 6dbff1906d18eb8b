//! What comes from outside: webhooks, syncs, and what people did at the platforms themselves.

mod accounts;
mod by_hand;
mod hooks;
mod orders;
mod syncs;

use mooring_domain::{Lane, Platform, post::Stage, time::minutes};
use mooring_simulator::{LedgerFilter, Platform as Sim};
use mooring_tests::{Account, Posted, World, WorldOptions};

/// A world in which the house's lane runs, too: it merges what platforms tell.
async fn world() -> World {
    World::with(WorldOptions {
        lanes: Lane::ALL.to_vec(),
        ..WorldOptions::default()
    })
    .await
}

/// A Facebook page with a post that was published and read back.
async fn published(world: &World, text: &str) -> (Account, Posted) {
    let account = world.connect(Platform::Facebook).await;
    world.settle().await;
    let post = world.post(&account, text, minutes(0)).await;
    world.settle().await;
    world
        .assert_post(&post, Stage::Accepted, Some("live"))
        .await;
    (account, post)
}

/// The post's id at its platform.
fn remote_id(world: &World, text: &str) -> String {
    let ledger = world.sim().ledger(&LedgerFilter::default());
    let entry = ledger.into_iter().find(|entry| entry.text == text);
    entry.expect("a post").remote_id
}

/// Somebody deletes a post at Facebook.
fn delete_there(world: &World, text: &str) {
    let id = remote_id(world, text);
    world
        .sim()
        .delete_post(Sim::Facebook, &id)
        .expect("the post is there");
}
