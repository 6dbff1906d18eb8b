//! The admin API over HTTP, and the program's promises.

use mooring_simulator::{
    NewBlueskyAccounts, Options, RunningSimulator, SimClock, Simulator, StartError,
};
use serde_json::{Value, json};

use crate::client::{delete, get, post_form, post_json, send, start};

/// An act over HTTP that must succeed.
async fn act_on(simulator: &RunningSimulator, path: &str, body: Value) -> Value {
    let reply = send(simulator, &post_json(format!("/admin/{path}"), &body)).await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.json());
    reply.json()
}

#[tokio::test]
async fn everything_about_facebook_can_be_done_over_http() {
    let simulator = start().await;
    let act = async |path: &str, body: Value| act_on(&simulator, path, body).await;
    let read = async |path: &str| {
        send(&simulator, &get(format!("/admin/{path}")))
            .await
            .json()
    };
    let app = act("facebook/apps", json!({ "id": "1", "secret": "s" })).await;
    let users = act(
        "facebook/users",
        json!({ "app": app["id"], "count": 2, "pages": 2 }),
    )
    .await;
    let (user, page) = (&users["users"][1], &users["users"][1]["pages"][0]);
    let user_path = format!("facebook/users/{}", user["id"].as_str().unwrap());
    let page_path = format!("facebook/pages/{}", page["id"].as_str().unwrap());
    let scope = json!({ "scope": "pages_manage_posts", "granted": false });
    act(&format!("{user_path}/scopes"), scope).await;
    act(
        &format!("{user_path}/scopes"),
        json!({ "scope": "pages_manage_posts", "granted": true }),
    )
    .await;
    act(&format!("{user_path}/checkpoint"), json!({ "on": false })).await;
    act(
        &format!("{page_path}/state"),
        json!({ "state": "unpublished" }),
    )
    .await;
    act(&format!("{page_path}/role"), json!({ "may_publish": true })).await;
    act(
        &format!("{page_path}/role"),
        json!({ "user": user["id"], "tasks": ["CREATE_CONTENT"] }),
    )
    .await;

    let publish = post_form(
        format!("/facebook/{}/feed", page["id"].as_str().unwrap()),
        "message=hi",
    );
    let published = send(&simulator, &publish.token(page["token"].as_str().unwrap()))
        .await
        .json();
    act(
        "posts/edit",
        json!({ "platform": "facebook", "remote_id": published["id"], "text": "ho" }),
    )
    .await;
    act(
        "posts/delete",
        json!({ "platform": "facebook", "remote_id": published["id"] }),
    )
    .await;
    let filter = format!(
        "ledger?platform=facebook&account={}",
        page["id"].as_str().unwrap()
    );
    let entry = read(&filter).await["posts"][0].clone();
    assert_eq!(
        (&entry["text"], &entry["created_at"]),
        (&"ho".into(), &"2026-11-23T15:00:00.000Z".into())
    );
    assert_eq!(entry["deleted_at"], "2026-11-23T15:00:00.000Z");
    assert_eq!(read("ledger/summary").await["posts"], 1);
    assert_eq!(read("ledger/groups").await["groups"][0]["created"], 1);
    assert_eq!(
        read("calls").await["by_operation"]["facebook.publish"]["succeeded"],
        1
    );
    act(
        &format!("{user_path}/revoke"),
        json!({ "reason": "app_removed" }),
    )
    .await;
}

#[tokio::test]
async fn everything_about_bluesky_and_the_clock_can_be_done_over_http() {
    let simulator = start().await;
    let act = async |path: &str, body: Value| act_on(&simulator, path, body).await;
    let accounts = act(
        "bluesky/accounts",
        json!({ "count": 3, "refresh_life_s": 60 }),
    )
    .await;
    let account = format!(
        "bluesky/accounts/{}",
        accounts["accounts"][0]["did"].as_str().unwrap()
    );
    act(&format!("{account}/state"), json!({ "state": "takendown" })).await;
    act(
        &format!("{account}/tokens"),
        json!({ "action": "expire_access" }),
    )
    .await;
    act(&format!("{account}/scopes"), json!({ "may_write": false })).await;
    assert!(act(&format!("{account}/password"), json!({})).await["password"].is_string());
    let moved = act("clock", json!({ "advance_ms": 1000 })).await;
    assert_eq!(moved["now"], "2026-11-23T15:00:01.000Z");
}

#[tokio::test]
async fn fault_rules_come_and_go_over_http_and_mistakes_are_named() {
    let simulator = start().await;
    let add = async |body: Value| send(&simulator, &post_json("/admin/faults", &body)).await;
    let rule = json!({ "platform": "bluesky", "operation": "publish", "kind": "rate_limited", "reset_s": 9, "probability": 0.5, "count": 2 });
    let added = add(rule).await;
    assert_eq!((added.status, &added.json()["id"]), (200, &1.into()));
    let listed = send(&simulator, &get("/admin/faults")).await.json();
    assert_eq!(
        (&listed["faults"][0]["kind"], &listed["faults"][0]["hits"]),
        (&"rate_limited".into(), &0.into())
    );
    assert_eq!(
        send(&simulator, &delete("/admin/faults/1")).await.status,
        200
    );
    assert_eq!(
        send(&simulator, &delete("/admin/faults/1")).await.status,
        404
    );
    assert_eq!(send(&simulator, &delete("/admin/faults")).await.status, 200);
    let bad = [
        json!({ "platform": "bluesky", "operation": "publish", "kind": "status" }),
        json!({ "platform": "bluesky", "operation": "publish", "kind": "garbage", "probabilty": 1 }),
        json!({ "platform": "bluesky", "operation": "feed", "kind": "garbage" }),
        json!({ "platform": "myspace", "operation": "*", "kind": "garbage" }),
    ];
    for rule in bad {
        let reply = add(rule.clone()).await;
        assert_eq!(reply.status, 400, "{rule}");
        assert!(reply.json()["error"].is_string());
    }
    let missing = send(
        &simulator,
        &post_json("/admin/facebook/users", &json!({ "app": "none" })),
    )
    .await;
    assert_eq!(missing.status, 404);
}

#[tokio::test]
async fn it_stays_on_this_machine_and_keeps_secrets_out_of_debug_output() {
    let bind = "0.0.0.0:0".parse().unwrap();
    let started = Simulator::start(Options {
        bind,
        ..Options::default()
    })
    .await;
    assert!(matches!(started, Err(StartError::NotLoopback(_))));
    let simulator = start().await;
    let account = simulator
        .admin()
        .create_bluesky_accounts(&NewBlueskyAccounts::default())
        .unwrap()
        .remove(0);
    let shown = format!("{account:?}");
    assert!(!shown.contains(&*account.password) && !shown.contains(&*account.access_token));
}

#[tokio::test]
async fn equal_seeds_make_equal_worlds() {
    let world = async |seed| {
        let options = Options {
            clock: SimClock::manual(0),
            seed,
            ..Options::default()
        };
        let simulator = Simulator::start(options).await.unwrap();
        let account = simulator
            .admin()
            .create_bluesky_accounts(&NewBlueskyAccounts::default())
            .unwrap()
            .remove(0);
        (account.did, account.access_token)
    };
    assert_eq!(world(5).await, world(5).await);
    assert_ne!(world(5).await, world(6).await);
}

#[tokio::test]
async fn shutdown_closes_connections_that_are_kept_alive() {
    let simulator = start().await;
    let mut connection = crate::client::Connection::open(&simulator).await;
    assert_eq!(
        connection.send(&get("/admin/clock")).await.unwrap().status,
        200
    );
    simulator.shutdown().await;
    assert!(connection.send(&get("/admin/clock")).await.is_err());
}

#[tokio::test]
async fn instagram_and_threads_hand_out_accounts_that_are_connected() {
    let simulator = start().await;
    let admin = simulator.admin();
    for (way, site) in [
        ("instagram", "instagram"),
        ("instagram_facebook", "facebook"),
        ("threads", "threads"),
    ] {
        let account = admin.account(way).unwrap();
        let other = admin.account(way).unwrap();
        assert_ne!(account.remote_id, other.remote_id, "{way}");
        assert_eq!(account.app.unwrap().0, other.app.unwrap().0, "{way}");
        let token = account.destination_token.unwrap_or(account.access_token);
        let path = format!("/{site}/{}?fields=username", account.remote_id);
        let seen = send(&simulator, &get(path).token(&token)).await;
        assert_eq!(seen.json()["username"], *account.name, "{way}");
    }
}
