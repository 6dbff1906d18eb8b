//! Facts that checks bring: the platform's own trouble, permissions, rhythm.

use mooring_domain::{
    Platform,
    connection::{Declined, Health},
    platform::Right,
    post::Stage,
    time::{hours, minutes},
};
use mooring_simulator::{Fault, FaultKind, Platform as Sim};
use mooring_tests::World;

use super::count;

fn failing(platform: Sim, operation: &str, code: u16) -> Fault {
    Fault::new(platform, operation, FaultKind::Status { code, body: None })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_011_a_platform_that_stumbles_is_a_warning_and_posts_go_out() {
    let world = World::start().await;
    let account = world.connect(Platform::Facebook).await;
    world.settle().await;
    let fault = failing(Sim::Facebook, "check", 503);
    let fault = world.sim().add_fault(fault).expect("a fault");
    let post = world.post(&account, "all the same", minutes(20)).await;
    world.advance(minutes(40)).await;
    let row = world.connection(&account).await;
    assert_eq!(row.health, Health::Warning, "{:?}", row.reasons);
    assert_eq!(row.reasons, ["provider_unsteady"]);
    assert_eq!(row.auth_state, "connected");
    world
        .assert_post(&post, Stage::Accepted, Some("live"))
        .await;
    let facts = world.facts(&account).await;
    assert_eq!(facts.failed_why.as_deref(), Some("provider_down"));
    assert!(facts.failed_looks >= 2);
    world.sim().remove_fault(fault).expect("the fault goes");
    world.advance(minutes(30)).await;
    let facts = world.facts(&account).await;
    assert_eq!(facts.health.health, Health::Healthy, "one look heals");
    assert_eq!((facts.failed_looks, facts.failed_why), (0, None));
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_018_an_answer_that_nobody_knows_is_a_provider_event() {
    let world = World::start().await;
    let account = world.connect(Platform::Facebook).await;
    world.settle().await;
    let fault = Fault::new(
        Sim::Facebook,
        "check",
        FaultKind::Status {
            code: 418,
            body: Some(serde_json::json!({})),
        },
    );
    world.sim().add_fault(fault).expect("a fault");
    world.look(&account).await;
    world.advance(hours(1)).await;
    assert_eq!(count(&world, "provider_changed").await, 1, "told once");
    assert_eq!(world.connection(&account).await.auth_state, "connected");
    world.sim().clear_faults();
    world.advance(hours(1)).await;
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_014_token_and_permissions_of_every_connection_are_confirmed_daily() {
    let world = World::start().await;
    let mut accounts = Vec::new();
    for platform in Platform::ALL {
        accounts.push(world.connect(platform).await);
    }
    world.advance(hours(50)).await;
    for account in &accounts {
        let facts = world.facts(account).await;
        let probed = facts.token.probed_at.expect("a probe");
        let age = world.now() - probed;
        assert!(age <= hours(25), "{}: {age}", account.platform);
        assert_eq!(
            facts.health.health,
            Health::Healthy,
            "{}: {:?}",
            account.platform,
            facts.health.reasons
        );
        assert!(facts.scopes.missing.is_empty());
    }
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_039_a_declined_permission_is_shown_with_the_right_that_is_off() {
    let world = World::start().await;
    let account = world.connect(Platform::Threads).await;
    world.settle().await;
    let declined = |granted| {
        world
            .sim()
            .threads()
            .set_scope(&account.remote_id, "threads_delete", granted)
            .expect("set");
    };
    declined(false);
    world.advance(hours(1)).await;
    let facts = world.facts(&account).await;
    let (scope, right) = ("threads_delete".to_owned(), Right::Delete);
    assert_eq!(facts.scopes.declined, [Declined { scope, right }]);
    assert!(facts.scopes.missing.is_empty());
    let off = facts.rights_off.iter();
    let why: Vec<_> = off.map(|off| (off.right, off.why.as_str())).collect();
    assert_eq!(why, [(Right::Delete, "scope_declined")]);
    assert_eq!(facts.health.health, Health::Warning);
    let post = world.post(&account, "all the same", minutes(5)).await;
    world.advance(minutes(20)).await;
    world
        .assert_post(&post, Stage::Accepted, Some("live"))
        .await;
    declined(true);
    world.advance(hours(1)).await;
    assert!(world.facts(&account).await.rights_off.is_empty());
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_016_granted_required_and_missing_permissions_are_facts() {
    let world = World::start().await;
    let account = world.connect(Platform::Threads).await;
    world.settle().await;
    world
        .sim()
        .threads()
        .set_scope(&account.remote_id, "threads_content_publish", false)
        .expect("set");
    world.advance(hours(1)).await;
    let facts = world.facts(&account).await;
    assert_eq!(facts.scopes.missing, ["threads_content_publish"]);
    assert!(facts.scopes.required.contains(&facts.scopes.missing[0]));
    let granted = facts.scopes.granted.expect("the platform tells");
    assert!(granted.contains(&"threads_basic".to_owned()));
    assert_eq!(facts.health.health, Health::Critical);
    world.done().await;
}
