//! Copies that are not made: too few rights, another account, a plan, a second time.

use mooring_domain::{Plan, Platform, Role, time::hours};
use mooring_gateway::acts;
use mooring_store::Actor;
use mooring_tests::{Account, Api, Browser, World};
use reqwest::Method;
use serde_json::json;

use super::copies::{Pier, pier};

/// A page of somebody, connected in the world's workspace.
async fn page(w: &World, api: &Api) -> (Account, String) {
    let user = w.facebook_person(1);
    let made = w.connect_pages(api, &user, &[&user.pages[0].id]).await;
    w.settle().await;
    (made[0].clone(), user.id)
}

async fn nothing_there(w: &World, pier: &Pier) {
    assert!(pier.connections(w).await.is_empty());
    assert!(w.store.grants(pier.id).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_060_a_copy_needs_rights_in_both_workspaces_and_takes_no_token_along() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let (account, _) = page(&w, &api).await;
    let (good, weak) = (pier(&w, Role::Operator).await, pier(&w, Role::Viewer).await);
    let before = w.events().await.len();
    let path = format!("/connections/{}/copy", account.connection);
    let to = json!({ "workspace": good.id.to_string() });
    // No right there: no second key, a viewer's, one of a third workspace, or none that exists.
    let _ = api
        .post(&path, to.clone())
        .await
        .problem(403, "role_too_low");
    let _ = weak
        .copy(&api, &account, json!({}))
        .await
        .problem(403, "role_too_low");
    let foreign = [("mooring-other-key", weak.key.as_str())];
    let answer = api
        .send(Method::POST, &path, Some(to.clone()), &foreign)
        .await;
    let _ = answer.problem(403, "role_too_low");
    let unknown = [("mooring-other-key", "mk_nobodys")];
    let answer = api
        .send(Method::POST, &path, Some(to.clone()), &unknown)
        .await;
    let detail = answer.problem(401, "unknown_key");
    assert!(!detail.contains("nobodys"), "{detail}");
    // No right here: a viewer's key, and the other workspace's key alone.
    let viewer = w.api(Role::Viewer).await;
    assert_eq!(
        w.events().await.len(),
        before + 1,
        "the viewer's key was made"
    );
    let _ = good
        .copy(&viewer, &account, json!({}))
        .await
        .problem(403, "role_too_low");
    let _ = good
        .copy(&good.api, &account, json!({}))
        .await
        .problem(422, "invalid");
    let here = json!({ "workspace": w.workspace.to_string() });
    let _ = good
        .api
        .post(&path, here.clone())
        .await
        .problem(403, "role_too_low");
    let _ = api.post(&path, here).await.problem(422, "invalid");
    assert_eq!(w.events().await.len(), before + 1, "nothing was begun");
    nothing_there(&w, &good).await;
    // One key that opens both is as good as two.
    let both = [w.workspace, good.id];
    let key = acts::create_key(
        &w.store,
        &Actor::Cli,
        "both",
        &both,
        Role::Operator,
        w.now(),
    );
    let key = key.await.unwrap();
    let one = Api::stranger(w.gateway)
        .with_key(key.text.expose())
        .in_workspace(w.workspace);
    let begun = one.post(&path, to).await.ok(201);
    assert!(begun["authorize_url"].is_string(), "{begun}");
    nothing_there(&w, &good).await;
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_060_another_account_makes_no_copy_and_changes_nothing() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let (account, _) = page(&w, &api).await;
    let pier = pier(&w, Role::Operator).await;
    let before = w.connection(&account).await;
    let bob = w.facebook_person(1);
    let begun = pier.copy(&api, &account, json!({})).await.ok(201);
    let page = begun["authorize_url"].as_str().unwrap();
    let shown = Browser::default().go(page, &bob.id, &[]).await;
    assert_eq!(shown.status, 409, "{}", shown.text);
    for text in ["account_mismatch", &before.name, &bob.pages[0].name] {
        assert!(shown.text.contains(text), "{text}: {}", shown.text);
    }
    // The run is the other workspace's, and over; there is nothing to choose.
    let path = format!("/connects/{}", begun["id"].as_str().unwrap());
    let run = pier.api.get(&path).await.ok(200);
    assert_eq!(
        (&run["status"], &run["code"]),
        (&json!("failed"), &json!("account_mismatch"))
    );
    let choice = json!({ "destinations": [bob.pages[0].id] });
    let refused = pier.api.post(&format!("{path}/choose"), choice).await;
    let _ = refused.problem(409, "not_offered");
    let _ = api.get(&path).await.problem(404, "not_found");
    assert_eq!(w.connection(&account).await, before);
    nothing_there(&w, &pier).await;
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_060_the_other_workspaces_plan_refuses_before_and_after_the_consent() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let (account, user) = page(&w, &api).await;
    let pier = pier(&w, Role::Operator).await;
    let plan = async |platforms: Option<Vec<Platform>>, per_platform: Option<u32>| {
        let plan = Plan {
            platforms,
            per_platform,
        };
        let set = acts::set_plan(&w.store, &Actor::Cli, pier.id, plan, w.now()).await;
        set.expect("the plan is kept");
    };
    plan(Some(vec![Platform::X]), None).await;
    let _ = pier
        .copy(&api, &account, json!({}))
        .await
        .problem(403, "plan_platform");
    plan(None, Some(0)).await;
    let detail = pier
        .copy(&api, &account, json!({}))
        .await
        .problem(403, "plan_limit");
    assert!(detail.contains("allows 0 Facebook account(s)"), "{detail}");
    // Made smaller while the person is at the platform's page.
    plan(None, None).await;
    let begun = pier.copy(&api, &account, json!({})).await.ok(201);
    plan(None, Some(0)).await;
    let page = begun["authorize_url"].as_str().unwrap();
    let shown = Browser::default().go(page, &user, &[]).await;
    assert!(shown.text.contains("plan_refused"), "{}", shown.text);
    nothing_there(&w, &pier).await;
    assert_eq!(w.connection(&account).await.auth_state, "connected");
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_060_what_is_there_or_gone_is_not_copied_and_a_third_workspace_has_no_part_in_it() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let (account, user) = page(&w, &api).await;
    let (pier, quay) = (
        pier(&w, Role::Operator).await,
        pier(&w, Role::Operator).await,
    );
    assert_eq!(pier.copy_as(&api, &account, &user).await.status, 200);
    let _ = pier
        .copy(&api, &account, json!({}))
        .await
        .problem(409, "already_connected");
    // The exception is the copy's: connecting it anywhere else is the conflict that it was.
    let begun = quay.api.post("/connect/facebook", json!({})).await.ok(201);
    let page = begun["authorize_url"].as_str().unwrap();
    Browser::default().go(page, &user, &[]).await;
    let path = format!("/connects/{}/choose", begun["id"].as_str().unwrap());
    let choice = json!({ "destinations": [account.remote_id] });
    let refused = quay.api.post(&path, choice).await;
    let _ = refused.problem(409, "connected_elsewhere");
    // Let go while the person is at the page: what is copied lives no more, and the account lives in the pier.
    let begun = quay.copy(&api, &account, json!({})).await.ok(201);
    w.disconnect(&account).await;
    let page = begun["authorize_url"].as_str().unwrap();
    let shown = Browser::default().go(page, &user, &[]).await;
    assert!(shown.text.contains("connected_elsewhere"), "{}", shown.text);
    assert!(quay.connections(&w).await.is_empty());
    let _ = quay
        .copy(&api, &account, json!({}))
        .await
        .problem(409, "connection_removed");
    w.advance(hours(1)).await;
    assert_eq!(pier.connections(&w).await[0].auth_state, "connected");
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_060_a_copy_asked_for_twice_is_one_and_with_another_second_key_another_request() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let (account, _) = page(&w, &api).await;
    let (pier, quay) = (
        pier(&w, Role::Operator).await,
        pier(&w, Role::Operator).await,
    );
    let path = format!("/connections/{}/copy", account.connection);
    let to = json!({ "workspace": pier.id.to_string() });
    let ask = async |other: &str| {
        let headers = [("mooring-other-key", other), ("idempotency-key", "once")];
        api.send(Method::POST, &path, Some(to.clone()), &headers)
            .await
    };
    let first = ask(&pier.key).await.ok(201);
    assert_eq!(ask(&pier.key).await.ok(201)["id"], first["id"]);
    let _ = ask(&quay.key).await.problem(422, "idempotency_key_reused");
    w.done().await;
}
