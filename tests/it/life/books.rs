//! What people say about a connection, and who may read it.

use mooring_domain::{Platform, Role};
use mooring_tests::{Api, World};
use serde_json::json;

use super::{ENGINES, on};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_093_owner_note_and_escalation_stand_at_the_connection() {
    for engine in ENGINES {
        let w = on(engine).await;
        let account = w.connect(Platform::Bluesky).await;
        let (admin, viewer) = (w.api(Role::Admin).await, w.api(Role::Viewer).await);
        let path = format!("/connections/{}", account.connection);
        let told = json!({
            "owner": "Ada ",
            "admin_note": "the second factor is in the safe",
            "escalation": "call the client first",
            "service_account": true,
            "labels": ["summer", "summer", "vip"],
            "brand": "Harbour Fish",
        });
        let shown = admin.patch(&path, told).await.ok(200);
        assert_eq!(shown["owner"], "Ada");
        assert_eq!(shown["admin_note"], "the second factor is in the safe");
        assert_eq!(shown["escalation"], "call the client first");
        // Whoever may only look sees whom to call, and not how to get in.
        let seen = viewer.get(&path).await;
        assert!(!seen.text.contains("safe"), "{}", seen.text);
        let seen = seen.ok(200);
        assert_eq!(seen["owner"], "Ada");
        assert!(seen["admin_note"].is_null());
        // What is left out stays, null empties.
        let shown = admin.patch(&path, json!({"owner": null})).await.ok(200);
        assert!(shown["owner"].is_null());
        assert_eq!(shown["escalation"], "call the client first");
        // The audit tells of the act and keeps the note to itself.
        let audit = viewer.get("/audit?event=connection_edited").await;
        assert!(!audit.text.contains("safe"), "{}", audit.text);
        assert_eq!(audit.json["items"].as_array().unwrap().len(), 2);
        w.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_094_a_service_account_is_flagged() {
    let w = World::start().await;
    let account = w.connect(Platform::Bluesky).await;
    let operator = w.api(Role::Operator).await;
    let path = format!("/connections/{}", account.connection);
    assert_eq!(operator.get(&path).await.ok(200)["service_account"], false);
    let told = json!({"service_account": true});
    let shown = operator.patch(&path, told).await.ok(200);
    assert_eq!(shown["service_account"], true);
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_089_connections_are_found_by_their_labels() {
    for engine in ENGINES {
        let w = on(engine).await;
        let (one, two) = (
            w.connect(Platform::Bluesky).await,
            w.connect(Platform::Bluesky).await,
        );
        let operator = w.api(Role::Operator).await;
        for (account, labels) in [(&one, json!(["vip"])), (&two, json!(["vip", "test"]))] {
            let path = format!("/connections/{}", account.connection);
            let _ = operator
                .patch(&path, json!({"labels": labels}))
                .await
                .ok(200);
        }
        assert_eq!(count(&operator, "label=vip").await, 2);
        assert_eq!(count(&operator, "label=test").await, 1);
        assert_eq!(count(&operator, "label=none").await, 0);
        w.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_095_connections_are_grouped_by_brand() {
    let w = World::start().await;
    let operator = w.api(Role::Operator).await;
    for (platform, brand) in [
        (Platform::Bluesky, "Fish"),
        (Platform::Bluesky, "Bread"),
        (Platform::Facebook, "Fish"),
    ] {
        let account = w.connect(platform).await;
        let path = format!("/connections/{}", account.connection);
        let shown = operator.patch(&path, json!({"brand": brand})).await.ok(200);
        assert_eq!(shown["brand"], brand);
    }
    assert_eq!(count(&operator, "brand=Fish").await, 2);
    assert_eq!(count(&operator, "brand=Fish&platform=facebook").await, 1);
    let unknown = operator.get("/connections?brand=Meat").await;
    let detail = unknown.problem(422, "invalid");
    assert!(detail.starts_with("brand:"), "{detail}");
    w.done().await;
}

/// How many connections a list has.
async fn count(api: &Api, query: &str) -> usize {
    let page = api.get(&format!("/connections?{query}")).await.ok(200);
    page["items"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_that_says_too_much_or_nothing_is_refused() {
    let w = World::start().await;
    let account = w.connect(Platform::Bluesky).await;
    let operator = w.api(Role::Operator).await;
    let path = format!("/connections/{}", account.connection);
    for (told, says) in [
        (json!({}), "names"),
        (json!({"owner": "x".repeat(201)}), "owner:"),
        (json!({"labels": vec!["x"; 31]}), "labels:"),
        (json!({"labels": [" "]}), "labels:"),
        (json!({"token": "x"}), "unknown field"),
    ] {
        let detail = operator.patch(&path, told).await.problem(422, "invalid");
        assert!(detail.contains(says) || says == "names", "{detail}");
    }
    let audit = operator.get("/audit?event=connection_edited").await.ok(200);
    assert_eq!(audit["items"], json!([]), "nothing was changed");
    w.done().await;
}
