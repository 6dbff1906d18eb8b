//! Who may not do it: too small a role, another workspace's connection.

use mooring_domain::{Platform, Role, WorkspaceId};
use mooring_gateway::acts;
use mooring_store::Actor;
use mooring_tests::{Api, World};
use reqwest::Method;
use serde_json::{Value, json};

/// Every act on a connection, with the least role that may do it.
fn every_act(id: &str) -> Vec<(Method, String, Option<Value>, Role)> {
    let path = format!("/connections/{id}");
    vec![
        (Method::GET, path.clone(), None, Role::Viewer),
        (
            Method::PATCH,
            path.clone(),
            Some(json!({"owner": "me"})),
            Role::Operator,
        ),
        (Method::POST, format!("{path}/main"), None, Role::Operator),
        (Method::POST, format!("{path}/check"), None, Role::Operator),
        (
            Method::GET,
            format!("{path}/disconnect"),
            None,
            Role::Operator,
        ),
        (Method::DELETE, path, None, Role::Operator),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_viewer_changes_nothing_and_an_operator_no_more_than_is_theirs() {
    let w = World::start().await;
    let account = w.connect(Platform::Facebook).await;
    w.settle().await;
    let (viewer, operator) = (w.api(Role::Viewer).await, w.api(Role::Operator).await);
    let before = w.events().await.len();
    for (method, path, body, needed) in every_act(&account.connection.to_string()) {
        if needed == Role::Viewer {
            continue;
        }
        let answer = viewer.send(method, &path, body, &[]).await;
        let _ = answer.problem(403, "role_too_low");
    }
    for path in ["/connections/check", "/workspaces/disconnect-all"] {
        let answer = viewer.post(path, json!({})).await;
        let _ = answer.problem(403, "role_too_low");
    }
    let path = format!("/connections/{}", account.connection);
    let note = json!({"owner": "me", "admin_note": "mine"});
    let answer = operator.patch(&path, note).await;
    let _ = answer.problem(403, "role_too_low");
    assert_eq!(w.events().await.len(), before, "nothing happened");
    assert!(viewer.get(&path).await.ok(200)["owner"].is_null());
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_workspaces_connection_does_not_exist() {
    let w = World::start().await;
    let account = w.connect(Platform::Facebook).await;
    w.settle().await;
    let pier = pier(&w).await;
    let theirs = [pier];
    let key = acts::create_key(&w.store, &Actor::Cli, "pier", &theirs, Role::Admin, w.now());
    let stranger = Api::stranger(w.gateway).with_key(key.await.unwrap().text.expose());
    let before = w.events().await.len();
    for (method, path, body, _) in every_act(&account.connection.to_string()) {
        let answer = stranger.send(method, &path, body, &[]).await;
        let _ = answer.problem(404, "not_found");
    }
    // Nor with the confirmation that its own people got.
    let own = w.api(Role::Operator).await;
    let path = format!("/connections/{}", account.connection);
    let shown = own.get(&format!("{path}/disconnect")).await.ok(200);
    let confirm = shown["confirm"].as_str().unwrap();
    let answer = stranger.delete(&format!("{path}?confirm={confirm}")).await;
    let _ = answer.problem(404, "not_found");
    for id in ["conn_1", "nobody", "ws_0193"] {
        let answer = stranger.get(&format!("/connections/{id}")).await;
        let _ = answer.problem(404, "not_found");
    }
    assert_eq!(
        w.events().await.len(),
        before + 1,
        "only our own key was made"
    );
    assert_eq!(w.connection(&account).await.auth_state, "connected");
    w.done().await;
}

async fn pier(w: &World) -> WorkspaceId {
    acts::create_workspace(&w.store, &Actor::Cli, "Pier", w.now())
        .await
        .unwrap()
}
