//! What people did at the platforms themselves.

use mooring_domain::{
    Platform, Role,
    post::Stage,
    time::{days, hours, minutes},
};
use mooring_simulator::{Fault, FaultKind, Platform as Sim};
use mooring_tests::{Answer, Posted, World};
use serde_json::json;

use super::{delete_there, published, remote_id};

async fn act(world: &World, post: &Posted, what: &str, body: serde_json::Value) -> Answer {
    let api = world.api(Role::Operator).await;
    let path = format!("/targets/{}/{what}", post.target());
    api.post(&path, body).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_114_i_deleted_this_myself_clears_the_link_and_is_safe_to_repeat() {
    let world = World::start().await;
    let (_, post) = published(&world, "taken down").await;
    delete_there(&world, "taken down");
    let answer = act(&world, &post, "removed", json!({})).await.ok(200);
    assert_eq!(answer["stage"], "removed");
    assert_eq!(answer["verdict"], "removed");
    assert!(answer.get("permalink").is_none(), "{answer}");
    assert!(answer["published_at"].is_string(), "the date is kept");
    world.settle().await;
    let events = world.event_counts().await["target_said_removed"];
    let again = act(&world, &post, "removed", json!({})).await.ok(200);
    assert_eq!(again, answer, "row 115: safe to repeat");
    world.settle().await;
    assert_eq!(world.event_counts().await["target_said_removed"], events);
    world.advance(hours(1)).await;
    world
        .assert_post(&post, Stage::Removed, Some("removed"))
        .await;
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_115_two_people_who_say_it_at_once_say_it_once() {
    let world = World::start().await;
    let (_, post) = published(&world, "said twice").await;
    delete_there(&world, "said twice");
    let (one, other) = tokio::join!(world.say_removed(&post), world.say_removed(&post));
    one.expect("believed");
    other.expect("believed");
    world.settle().await;
    assert_eq!(world.event_counts().await["target_said_removed"], 1);
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_is_still_there_is_seen_and_its_link_comes_back() {
    let world = World::start().await;
    let (_, post) = published(&world, "not really").await;
    world.advance(minutes(2)).await;
    let answer = act(&world, &post, "removed", json!({})).await.ok(200);
    assert_eq!(answer["stage"], "removed");
    assert_eq!(world.target(&post).await.permalink, None);
    world.advance(minutes(2)).await;
    // The word stands in the stage; what is seen later shows beside it.
    world.assert_post(&post, Stage::Removed, Some("live")).await;
    assert!(world.target(&post).await.permalink.is_some());
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_never_published_cannot_have_been_taken_down() {
    let world = World::start().await;
    let account = world.connect(Platform::Facebook).await;
    let post = world.post(&account, "tomorrow", days(1)).await;
    world.settle().await;
    let answer = act(&world, &post, "removed", json!({})).await;
    let said = answer.problem(409, "not_published");
    assert!(said.contains("cancel it"), "{said}");
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_140_a_post_that_was_published_by_hand_is_recorded_by_its_address_and_verified() {
    let world = World::start().await;
    let account = world.connect(Platform::Facebook).await;
    let stranger = world.connect(Platform::Facebook).await;
    world.settle().await;
    let refuse = FaultKind::Status {
        code: 503,
        body: None,
    };
    world
        .sim()
        .add_fault(Fault::new(Sim::Facebook, "publish", refuse))
        .expect("a fault");
    let post = world.post(&account, "by hand at last", minutes(0)).await;
    world.advance(hours(2)).await;
    assert_eq!(world.target(&post).await.stage, Stage::Missed);
    world.sim().clear_faults();
    // Somebody publishes it on the page, in the platform's own app.
    world
        .sim()
        .publish_facebook_post(&account.remote_id, "by hand at last")
        .expect("published");
    let id = remote_id(&world, "by hand at last");
    let url = format!("https://www.facebook.com/{id}");
    let body = json!({ "url": url });
    let answer = act(&world, &post, "native", body.clone()).await.ok(200);
    assert_eq!(answer["stage"], "accepted", "{answer}");
    assert_eq!(answer["verdict"], "live");
    assert!(answer["permalink"].is_string());
    let again = act(&world, &post, "native", body).await.ok(200);
    assert_eq!(again["stage"], "accepted");
    // Deleted later, it is noticed as every other post is.
    world.advance(hours(1)).await;
    delete_there(&world, "by hand at last");
    world.advance(days(2)).await;
    world
        .assert_post(&post, Stage::Removed, Some("removed"))
        .await;
    assert_eq!(world.event_counts().await["native_published"], 1);
    drop(stranger);
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_140_another_accounts_post_and_an_address_that_names_none_are_refused() {
    let world = World::start().await;
    let account = world.connect(Platform::Facebook).await;
    let stranger = world.connect(Platform::Facebook).await;
    world.settle().await;
    let post = world.post(&account, "mine", days(1)).await;
    world
        .sim()
        .publish_facebook_post(&stranger.remote_id, "theirs")
        .expect("published");
    let id = remote_id(&world, "theirs");
    let foreign = json!({ "url": format!("https://www.facebook.com/{id}") });
    let answer = act(&world, &post, "native", foreign).await;
    let said = answer.problem(422, "not_this_account");
    assert!(said.contains("no post of the account"), "{said}");
    for url in [
        "https://www.facebook.com/harbour",
        "https://example.com/1_2",
        "not an address",
    ] {
        let answer = act(&world, &post, "native", json!({ "url": url })).await;
        let said = answer.problem(422, "invalid");
        assert!(said.starts_with("url: "), "{said}");
    }
    assert_eq!(world.target(&post).await.stage, Stage::Scheduled);
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_140_while_an_attempt_dangles_only_its_own_post_is_taken() {
    let world = World::start().await;
    let account = world.connect(Platform::Facebook).await;
    world.settle().await;
    let lost = Fault::new(Sim::Facebook, "publish", FaultKind::LostAnswer).times(1);
    world.sim().add_fault(lost).expect("a fault");
    let post = world.post(&account, "lost and shown", minutes(0)).await;
    world.settle().await;
    assert_eq!(world.target(&post).await.stage, Stage::Begun);
    let id = remote_id(&world, "lost and shown");
    let url = json!({ "url": format!("https://www.facebook.com/{id}") });
    let answer = act(&world, &post, "native", url).await.ok(200);
    assert_eq!(answer["stage"], "accepted");
    assert_eq!(
        world.target(&post).await.attempts,
        1,
        "it was our own attempt"
    );
    world.done().await;
}
