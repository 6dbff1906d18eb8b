//! What people say about a connection, and who may read it.

use mooring_domain::{Platform, Role};
use mooring_tests::World;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_093_owner_note_and_escalation_stand_at_the_connection() {
    let w = World::start().await;
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
async fn row_089_labels_and_row_095_brands_group_connections() {
    let w = World::start().await;
    let mut accounts = Vec::new();
    for platform in [Platform::Bluesky, Platform::Bluesky, Platform::Facebook] {
        accounts.push(w.connect(platform).await);
    }
    let operator = w.api(Role::Operator).await;
    for (account, labels, brand) in [
        (&accounts[0], json!(["vip"]), "Fish"),
        (&accounts[1], json!(["vip", "test"]), "Bread"),
        (&accounts[2], json!([]), "Fish"),
    ] {
        let path = format!("/connections/{}", account.connection);
        let told = json!({"labels": labels, "brand": brand});
        let _ = operator.patch(&path, told).await.ok(200);
    }
    let count = async |query: &str| {
        let page = operator.get(&format!("/connections?{query}")).await.ok(200);
        page["items"].as_array().unwrap().len()
    };
    assert_eq!(count("label=vip").await, 2);
    assert_eq!(count("label=test").await, 1);
    assert_eq!(count("brand=Fish").await, 2);
    assert_eq!(count("brand=Fish&platform=facebook").await, 1);
    let unknown = operator.get("/connections?brand=Meat").await;
    let detail = unknown.problem(422, "invalid");
    assert!(detail.starts_with("brand:"), "{detail}");
    w.done().await;
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
