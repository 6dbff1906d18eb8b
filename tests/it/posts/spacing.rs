//! Posts on one connection keep their distance, in the order of their time, critical ones first.

use mooring_domain::{
    JobKind, Platform, Role, TargetId,
    time::{minutes, seconds},
};
use mooring_gateway::acts::{self, ConnectionEdit};
use mooring_store::{Actor, BegunPublish};
use mooring_tests::World;
use serde_json::json;

use super::{minutes_out, plan, text};
use crate::rules::{Desk, on_both, start};

/// A world of three processes, an account whose posts keep ten minutes apart, and its operator.
async fn spaced() -> (World, mooring_tests::Account, mooring_tests::Api) {
    let mut w = World::start().await;
    w.hire(2);
    let account = w.connect(Platform::Bluesky).await;
    w.settle().await;
    let api = w.api(Role::Operator).await;
    let path = format!("/connections/{}", account.connection);
    let shown = api.patch(&path, json!({"spacing_s": 600})).await.ok(200);
    assert_eq!(shown["spacing_s"], 600);
    (w, account, api)
}

/// Schedules posts one second after the other that are all due a minute from now; what is critical, the flag says.
async fn due_at_once(
    w: &World,
    account: &mooring_tests::Account,
    api: &mooring_tests::Api,
    posts: &[(&str, bool)],
    more: serde_json::Value,
) -> Vec<serde_json::Value> {
    let due = w.now() + minutes(1);
    let mut made = Vec::new();
    for (text, critical) in posts {
        let mut order = plan(w, &[account], text, 1);
        order["due"] = json!(due);
        order["critical"] = json!(critical);
        if let Some(more) = more.as_object() {
            order
                .as_object_mut()
                .expect("an order")
                .extend(more.clone());
        }
        made.push(api.post("/posts", order).await.ok(201));
        w.advance(seconds(1)).await;
    }
    made
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guard_031_posts_that_are_due_at_once_go_out_apart_and_in_order() {
    let (w, account, api) = spaced().await;
    let texts = ["first", "second", "third", "fourth"];
    let from = w.now();
    // Made in another order than they are due.
    for (text, due) in [("third", 3), ("first", 1), ("fourth", 4), ("second", 2)] {
        let _ = api
            .post("/posts", plan(&w, &[&account], text, due))
            .await
            .ok(201);
    }
    w.advance(minutes(50)).await;
    let out = minutes_out(&w, from, &texts);
    assert_eq!(out, [Some(1), Some(11), Some(21), Some(31)]);
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_139_a_critical_post_goes_before_those_that_wait_longer() {
    let (w, account, api) = spaced().await;
    let from = w.now();
    let posts = [("plain", false), ("plain too", false), ("critical", true)];
    let made = due_at_once(&w, &account, &api, &posts, json!({})).await;
    assert_eq!(made[2]["critical"], true);
    w.advance(minutes(40)).await;
    let out = minutes_out(&w, from, &["critical", "plain", "plain too"]);
    assert_eq!(out, [Some(1), Some(11), Some(21)]);
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_that_finds_no_place_within_its_lateness_is_missed_with_the_reason() {
    let (w, account, api) = spaced().await;
    let posts = [("one", false), ("two", false), ("three", false)];
    let limit = json!({"max_lateness_s": 900});
    let made = due_at_once(&w, &account, &api, &posts, limit).await;
    w.advance(minutes(60)).await;
    let mut states = Vec::new();
    for post in &made {
        let shown = api
            .get(&format!("/posts/{}", text(post, "id")))
            .await
            .ok(200);
        let target = &shown["targets"][0];
        states.push((
            text(target, "state").to_owned(),
            target["reason"].as_str().map(str::to_owned),
        ));
    }
    let published = ("published".to_owned(), None);
    let missed = ("missed".to_owned(), Some("spacing".to_owned()));
    assert_eq!(states, [published.clone(), published, missed]);
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_post_takes_nobodys_place() {
    let (w, account, api) = spaced().await;
    let from = w.now();
    let blocked = api
        .post("/posts", plan(&w, &[&account], "never", 1))
        .await
        .ok(201);
    let _ = api
        .post("/posts", plan(&w, &[&account], "after it", 2))
        .await
        .ok(201);
    let cancel = format!("/posts/{}/cancel", text(&blocked, "id"));
    let _ = api.post(&cancel, json!({})).await.ok(200);
    w.advance(minutes(20)).await;
    assert_eq!(
        minutes_out(&w, from, &["never", "after it"]),
        [None, Some(2)]
    );
    w.done().await;
}

/// Two workers that begin two posts of one connection in the same moment: one of them does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guard_031_of_two_workers_that_begin_at_once_one_sends() {
    on_both(async |desk: Desk| {
        for round in 0..20 {
            let place = desk.connect(&format!("quay-{round}")).await;
            let edit = ConnectionEdit {
                spacing: Some(Some(minutes(10))),
                ..ConnectionEdit::default()
            };
            acts::edit_connection(
                &desk.store,
                &Actor::Cli,
                desk.workspace,
                place.connection,
                edit,
                start(),
            )
            .await
            .expect("edited");
            let (_, one) = desk.post(place, "one", start()).await;
            let (_, two) = desk.post(place, "two", start()).await;
            let claimed = desk.claim(JobKind::Publish, 100, start()).await;
            let held = async |target: TargetId| {
                let mut claims = claimed.iter().map(|one| one.claim.fence);
                let fence = claims.find(|fence| fence.subject == target.uuid());
                let held = desk.store.held(&fence.expect("claimed")).await;
                held.expect("the books answer").expect("it holds")
            };
            let (one, two) = (held(one).await, held(two).await);
            let (a, b) = tokio::join!(
                desk.begin(&one, desk.me, start()),
                desk.begin(&two, desk.other, start())
            );
            let sends = |begun: &BegunPublish| matches!(begun, BegunPublish::Attempt(..));
            assert!(sends(&a) ^ sends(&b), "{a:?} {b:?}");
            let other = if sends(&a) { b } else { a };
            assert!(matches!(other, BegunPublish::Changed), "{other:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_installations_spacing_holds_where_a_connection_says_nothing() {
    let options = mooring_tests::WorldOptions::default();
    let policy = mooring_domain::Policy {
        spacing: seconds(300),
        ..options.policy.clone()
    };
    let w = World::with(mooring_tests::WorldOptions { policy, ..options }).await;
    let account = w.connect(Platform::Bluesky).await;
    w.settle().await;
    let api = w.api(Role::Operator).await;
    let path = format!("/connections/{}", account.connection);
    let from = w.now();
    let posts = [("one", false), ("two", false)];
    let _made = due_at_once(&w, &account, &api, &posts, json!({})).await;
    w.advance(minutes(20)).await;
    assert_eq!(minutes_out(&w, from, &["one", "two"]), [Some(1), Some(6)]);
    // One that says "none" has none.
    let _ = api.patch(&path, json!({"spacing_s": 0})).await.ok(200);
    let from = w.now();
    let posts = [("three", false), ("four", false)];
    let _made = due_at_once(&w, &account, &api, &posts, json!({})).await;
    w.advance(minutes(20)).await;
    assert_eq!(
        minutes_out(&w, from, &["three", "four"]),
        [Some(1), Some(1)]
    );
    let shown = api.patch(&path, json!({"spacing_s": null})).await.ok(200);
    assert_eq!(shown.get("spacing_s"), None);
    let _ = api
        .patch(&path, json!({"spacing_s": 100_000}))
        .await
        .problem(422, "invalid");
    w.done().await;
}
