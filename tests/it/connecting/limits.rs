//! Plans, platforms to come, and too many attempts.

use mooring_domain::{
    Plan, Platform, Role,
    time::{hours, minutes, seconds},
};
use mooring_gateway::acts;
use mooring_store::Actor;
use mooring_tests::World;
use serde_json::json;

async fn plan(w: &World, plan: Plan) {
    let set = acts::set_plan(&w.store, &Actor::Cli, w.workspace, plan, w.now()).await;
    set.expect("the plan is kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_078_a_platform_that_the_plan_has_not_got_is_refused_with_what_to_do() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let small = Plan {
        platforms: Some(vec![Platform::X]),
        per_platform: None,
    };
    plan(&w, small).await;
    let refused = api.post("/connect/facebook", json!({})).await;
    let detail = refused.problem(403, "plan_platform");
    assert!(
        detail.contains("Facebook") && detail.contains("ask an admin"),
        "{detail}"
    );
    let ways = api.get("/platforms").await.ok(200);
    let status = |name: &str| {
        let all = ways.as_array().unwrap();
        all.iter().find(|way| way["name"] == name).unwrap()["status"].clone()
    };
    assert_eq!(status("facebook"), "not_in_plan");
    assert_eq!(status("x"), "available");
    w.connect_in_browser(&api, Platform::X, &w.newcomer(Platform::X))
        .await;
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_079_an_account_beyond_the_limit_is_refused_and_those_that_are_stay() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let user = w.facebook_person(4);
    let pages: Vec<&str> = user.pages.iter().map(|page| page.id.as_str()).collect();
    let made = w.connect_pages(&api, &user, &pages[..2]).await;
    let three = Plan {
        platforms: None,
        per_platform: Some(3),
    };
    plan(&w, three).await;
    // Two more would be four: the choice is refused whole.
    let begun = api.post("/connect/facebook", json!({})).await.ok(201);
    let page = begun["authorize_url"].as_str().unwrap();
    mooring_tests::Browser::default()
        .go(page, &user.id, &[])
        .await;
    let path = format!("/connects/{}/choose", begun["id"].as_str().unwrap());
    let refused = api.post(&path, json!({ "destinations": pages[2..] })).await;
    let detail = refused.problem(403, "plan_limit");
    assert!(detail.contains("allows 3 Facebook account(s)"), "{detail}");
    assert_eq!(w.connections().await.len(), 2);
    let one = json!({ "destinations": [pages[2], pages[0]] });
    let seen = api.post(&path, one).await.ok(200);
    assert_eq!(seen["connections"][0]["outcome"], "connected");
    assert_eq!(
        seen["connections"][1]["outcome"], "reconnected",
        "it was here before"
    );
    let refused = api.post("/connect/facebook", json!({})).await;
    let _ = refused.problem(403, "plan_limit");
    // A smaller plan takes nothing away, and what is there may be reconnected.
    let none = Plan {
        platforms: Some(Vec::new()),
        per_platform: Some(0),
    };
    plan(&w, none).await;
    assert_eq!(w.connections().await.len(), 3);
    let (_, shown) = w.reconnect_as(&api, &made[0], &user.id, &[]).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_077_what_is_not_built_yet_is_coming_soon() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let refused = api.post("/connect/whatsapp", json!({})).await;
    let detail = refused.problem(422, "coming_soon");
    assert!(detail.contains("coming soon"), "{detail}");
    let _ = api
        .post("/connect/myspace", json!({}))
        .await
        .problem(422, "invalid");
    let ways = api.get("/platforms").await.ok(200);
    let all = ways.as_array().unwrap();
    let to_come = all.iter().find(|way| way["name"] == "whatsapp").unwrap();
    assert_eq!(to_come["status"], "coming_soon");
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_044_too_many_attempts_are_refused_for_an_hour_and_a_success_clears_them() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let begin = || api.post("/connect/facebook", json!({}));
    for _ in 0..9 {
        let _ = begin().await.ok(201);
    }
    let user = w.facebook_person(1);
    w.connect_pages(&api, &user, &[&user.pages[0].id]).await;
    w.advance(seconds(1)).await;
    for _ in 0..10 {
        let _ = begin().await.ok(201);
        w.advance(seconds(1)).await;
    }
    let refused = begin().await;
    assert!(refused.json["until"].is_string(), "{}", refused.text);
    let detail = refused.problem(429, "too_many_attempts");
    assert!(detail.contains("refused for an hour"), "{detail}");
    // Reconnecting is an attempt like any other.
    let account = &w.connections().await[0];
    let path = format!("/connections/{}/reconnect", account.id);
    let _ = api
        .post(&path, json!({}))
        .await
        .problem(429, "too_many_attempts");
    w.advance(minutes(58)).await;
    let _ = begin().await.problem(429, "too_many_attempts");
    w.advance(hours(1)).await;
    let _ = begin().await.ok(201);
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_044_a_closed_window_may_be_tried_again_and_a_run_that_ends_well_is_no_attempt() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let user = w.facebook_person(1);
    // Twelve times in a row: three windows that are closed, and the fourth try goes through.
    for _ in 0..12 {
        for _ in 0..3 {
            let _ = api.post("/connect/facebook", json!({})).await.ok(201);
        }
        w.connect_pages(&api, &user, &[&user.pages[0].id]).await;
        w.advance(seconds(1)).await;
    }
    // Runs that never came back are attempts: nine of them still leave a tenth, which may end well.
    for _ in 0..9 {
        let _ = api.post("/connect/facebook", json!({})).await.ok(201);
    }
    w.connect_pages(&api, &user, &[&user.pages[0].id]).await;
    let again = api.post("/connect/facebook", json!({})).await;
    assert_eq!(again.status, 201, "{}", again.text);
    w.done().await;
}
