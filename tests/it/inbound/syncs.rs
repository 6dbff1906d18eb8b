//! A person compares a post with its platforms.

use mooring_domain::{
    Platform, Role,
    post::{Content, Stage},
    time::{days, hours, minutes, seconds},
};
use mooring_gateway::acts::{self, SchedulePost};
use mooring_simulator::{Fault, FaultKind, Platform as Sim};
use mooring_store::Actor;
use mooring_tests::{Answer, Api, Posted, World};
use serde_json::json;

use super::{delete_there, published};

async fn sync(world: &World, post: &Posted) -> Answer {
    sync_by(&world.api(Role::Operator).await, post).await
}

async fn sync_by(api: &Api, post: &Posted) -> Answer {
    let path = format!("/posts/{}/sync", post.scheduled.post);
    api.post(&path, json!({})).await
}

fn down(sim: Sim, operation: &str) -> Fault {
    let kind = FaultKind::Status {
        code: 503,
        body: None,
    };
    Fault::new(sim, operation, kind)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_111_a_post_that_was_never_published_has_nothing_to_sync() {
    let world = World::start().await;
    let account = world.connect(Platform::Facebook).await;
    let post = world.post(&account, "tomorrow", days(1)).await;
    world.settle().await;
    let before = world.target(&post).await;
    let said = sync(&world, &post).await.problem(409, "nothing_to_sync");
    assert!(said.contains("nothing to sync"), "{said}");
    assert_eq!(world.target(&post).await, before);
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_109_a_sync_finds_what_the_missed_answer_would_have_told() {
    let world = World::start().await;
    let account = world.connect(Platform::Facebook).await;
    world.settle().await;
    let lost = Fault::new(Sim::Facebook, "publish", FaultKind::LostAnswer).times(1);
    world.sim().add_fault(lost).expect("a fault");
    let post = world.post(&account, "answer lost", minutes(0)).await;
    world.settle().await;
    assert_eq!(world.target(&post).await.stage, Stage::Begun, "it dangles");
    let answer = sync(&world, &post).await.ok(200);
    let target = &answer["targets"][0];
    assert_eq!(target["stage"], "accepted", "{answer}");
    assert_eq!(target["verdict"], "live");
    assert_eq!(target["sync"], "synced");
    let told = world.told(post.target().uuid()).await;
    // The same events as the answer itself would have brought.
    let names: Vec<&str> = told.iter().map(mooring_domain::Event::name).collect();
    assert!(names.contains(&"target_accepted"), "{names:?}");
    assert_eq!(world.copies(&account, "answer lost"), 1);
    world.advance(hours(1)).await;
    world
        .assert_post(&post, Stage::Accepted, Some("live"))
        .await;
    assert_eq!(world.copies(&account, "answer lost"), 1);
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_110_a_sync_captures_the_link_of_each_platform_that_took_the_post() {
    let world = World::start().await;
    let facebook = world.connect(Platform::Facebook).await;
    let bluesky = world.connect(Platform::Bluesky).await;
    world.settle().await;
    for sim in [Sim::Facebook, Sim::Bluesky] {
        let lost = Fault::new(sim, "publish", FaultKind::LostAnswer).times(1);
        world.sim().add_fault(lost).expect("a fault");
    }
    let order = SchedulePost {
        connections: vec![facebook.connection, bluesky.connection],
        content: Content::text("on two platforms"),
        due: world.now(),
        ..SchedulePost::default()
    };
    let (store, now) = (&world.store, world.now());
    let scheduled = acts::schedule_post(store, &Actor::Cli, world.workspace, order, now).await;
    let post = Posted {
        scheduled: scheduled.expect("scheduled"),
        text: "on two platforms".to_owned(),
    };
    world.settle().await;
    let answer = sync(&world, &post).await.ok(200);
    for target in answer["targets"].as_array().expect("targets") {
        assert_eq!(target["stage"], "accepted", "{answer}");
        let link = target["permalink"].as_str().expect("a link");
        assert!(link.starts_with("https://"), "{link}");
    }
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_112_a_post_that_was_deleted_there_is_removed_and_keeps_its_date() {
    let world = World::start().await;
    let (_, post) = published(&world, "deleted there").await;
    let answer = sync(&world, &post).await.ok(200);
    let published_at = answer["targets"][0]["published_at"].clone();
    assert!(published_at.is_string());
    world.advance(hours(2)).await;
    delete_there(&world, "deleted there");
    let answer = sync(&world, &post).await.ok(200);
    let target = &answer["targets"][0];
    assert_eq!(
        (&target["stage"], &target["verdict"]),
        (&json!("removed"), &json!("removed"))
    );
    assert_eq!(target["published_at"], published_at, "the date is kept");
    assert!(
        target.get("permalink").is_none(),
        "the dead link is cleared"
    );
    // Again: the same.
    let again = sync(&world, &post).await.ok(200);
    assert_eq!(again["targets"], answer["targets"]);
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_113_a_platform_that_cannot_be_reached_changes_nothing_and_says_try_again() {
    let world = World::start().await;
    let (account, live) = published(&world, "stays live").await;
    let lost = Fault::new(Sim::Facebook, "publish", FaultKind::LostAnswer).times(1);
    world.sim().add_fault(lost).expect("a fault");
    let dangling = world.post(&account, "dangles", minutes(0)).await;
    world.settle().await;
    world
        .sim()
        .add_fault(down(Sim::Facebook, "*"))
        .expect("a fault");
    let api = world.api(Role::Operator).await;
    let before = world.books().await;
    for post in [&live, &dangling] {
        let answer = sync_by(&api, post).await;
        let said = answer.problem(503, "platform_unreachable");
        assert!(said.contains("try again"), "{said}");
    }
    assert_eq!(world.books().await, before, "not even a counter has moved");
    world.sim().clear_faults();
    let answer = sync(&world, &dangling).await.ok(200);
    assert_eq!(answer["targets"][0]["sync"], "synced");
    world
        .assert_post(&dangling, Stage::Accepted, Some("live"))
        .await;
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_107_a_published_post_is_never_flipped_back_by_a_sync() {
    let world = World::start().await;
    let (account, post) = published(&world, "final").await;
    for trouble in [
        FaultKind::Garbage,
        FaultKind::RateLimited { reset_s: 60 },
        FaultKind::LostAnswer,
    ] {
        let fault = Fault::new(Sim::Facebook, "*", trouble.clone()).times(2);
        world.sim().add_fault(fault).expect("a fault");
        let answer = sync(&world, &post).await;
        assert!(matches!(answer.status, 200 | 503), "{}", answer.text);
        world.sim().clear_faults();
        world
            .assert_post(&post, Stage::Accepted, Some("live"))
            .await;
    }
    // An account that is not well proves nothing about its posts either.
    world
        .sim()
        .set_facebook_page_state(&account.remote_id, mooring_simulator::PageState::Deleted)
        .expect("set");
    sync(&world, &post).await;
    assert_eq!(world.target(&post).await.stage, Stage::Accepted);
    world.advance(seconds(30)).await;
    assert_eq!(world.target(&post).await.stage, Stage::Accepted);
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_is_an_operators_and_of_its_own_workspace() {
    let world = World::start().await;
    let (_, post) = published(&world, "mine").await;
    let path = format!("/posts/{}/sync", post.scheduled.post);
    let viewer = world.api(Role::Viewer).await;
    let answer = viewer.post(&path, json!({})).await;
    assert!(!answer.problem(403, "role_too_low").is_empty());
    let operator = world.api(Role::Operator).await;
    let other = "/posts/post_0193a1b2c3d47e5f8a9b0c1d2e3f4a5b/sync";
    let answer = operator.post(other, json!({})).await;
    assert!(!answer.problem(404, "not_found").is_empty());
    world.done().await;
}
