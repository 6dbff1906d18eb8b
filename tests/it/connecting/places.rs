//! An account lives in one workspace, and comes back to its history.

use mooring_domain::{Platform, Role, WorkspaceId};
use mooring_gateway::acts;
use mooring_store::Actor;
use mooring_tests::{Api, Browser, World};
use serde_json::json;

/// Another workspace, and somebody who may connect there.
async fn another(w: &World) -> (WorkspaceId, Api) {
    let pier = acts::create_workspace(&w.store, &Actor::Cli, "Pier", w.now())
        .await
        .unwrap();
    let (name, role) = ("pier", Role::Operator);
    let key = acts::create_key(&w.store, &Actor::Cli, name, &[pier], role, w.now())
        .await
        .unwrap();
    (pier, Api::stranger(w.gateway).with_key(key.text.expose()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_045_an_account_of_another_workspace_is_a_conflict_that_names_no_workspace() {
    let w = World::start().await;
    let here = w.api(Role::Operator).await;
    let (pier, there) = another(&w).await;
    let user = w.facebook_person(1);
    w.connect_pages(&here, &user, &[&user.pages[0].id]).await;
    let begun = there.post("/connect/facebook", json!({})).await.ok(201);
    let page = begun["authorize_url"].as_str().unwrap();
    Browser::default().go(page, &user.id, &[]).await;
    let path = format!("/connects/{}", begun["id"].as_str().unwrap());
    let run = there.get(&path).await;
    assert!(run.text.contains("connected_elsewhere"), "{}", run.text);
    let choice = json!({ "destinations": [user.pages[0].id] });
    let refused = there.post(&format!("{path}/choose"), choice).await;
    assert!(!refused.text.contains("Harbour"), "{}", refused.text);
    assert!(
        !refused.text.contains(&w.workspace.to_string()),
        "{}",
        refused.text
    );
    let detail = refused.problem(409, "connected_elsewhere");
    assert!(detail.contains("another workspace"), "{detail}");
    let rows = w.store.connections(pier, w.now()).await.unwrap();
    assert!(rows.is_empty(), "nothing was connected there");
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_045_an_account_that_is_connected_here_is_reconnected_and_not_doubled() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let person = w.newcomer(Platform::X);
    let (first, _) = w.connect_in_browser(&api, Platform::X, &person).await;
    let (second, seen) = w.connect_in_browser(&api, Platform::X, &person).await;
    assert_eq!(first.connection, second.connection);
    assert_eq!(seen["outcome"], "reconnected");
    assert_eq!(w.connections().await.len(), 1);
    assert_eq!(w.event_counts().await["connection_reconnected"], 1);
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_055_an_account_that_was_disconnected_comes_back_with_its_id_and_history() {
    use sea_orm::ConnectionTrait as _;
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let person = w.newcomer(Platform::X);
    let (account, _) = w.connect_in_browser(&api, Platform::X, &person).await;
    let post = w
        .post(&account, "before", mooring_domain::time::minutes(1))
        .await;
    w.advance(mooring_domain::time::minutes(10)).await;
    // What a disconnect leaves behind.
    let sql = "UPDATE connections SET removed_at = 1, removed_why = 'disconnected'";
    w.store.connection().execute_unprepared(sql).await.unwrap();
    let (again, seen) = w.connect_in_browser(&api, Platform::X, &person).await;
    assert_eq!(again.connection, account.connection);
    assert_eq!(seen["health"], "healthy");
    assert_eq!(w.target(&post).await.connection, account.connection);
    let audit = w.api(Role::Admin).await.get("/audit").await.ok(200);
    let told = audit["items"].as_array().unwrap();
    let back = told
        .iter()
        .find(|entry| entry["event"] == "connection_connected")
        .unwrap();
    assert_eq!(back["data"]["returned"], true, "{back}");
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_037_after_a_profile_was_lost_connecting_provisions_everything_anew() {
    use sea_orm::ConnectionTrait as _;
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let user = w.facebook_person(2);
    let pages: Vec<&str> = user.pages.iter().map(|page| page.id.as_str()).collect();
    let made = w.connect_pages(&api, &user, &pages).await;
    // What is left when the whole profile was given up: rows without a credential.
    for sql in [
        "UPDATE connections SET removed_at = 1, removed_why = 'profile_gone', access_token = NULL",
        "UPDATE grants SET access_token = NULL, refresh_token = NULL, state = 'revoked'",
    ] {
        w.store.connection().execute_unprepared(sql).await.unwrap();
    }
    let again = w.connect_pages(&api, &user, &pages).await;
    w.settle().await;
    for (old, new) in made.iter().zip(&again) {
        assert_eq!(old.connection, new.connection);
        let row = w.connection(new).await;
        assert_eq!(row.health.as_str(), "healthy", "{:?}", row.reasons);
    }
    w.done().await;
}
