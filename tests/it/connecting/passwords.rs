//! Platforms that take a name and a password: used for one call, and stored nowhere.

use mooring_domain::{Platform, Role, connection::Health, platform::ConnectsBy, time::hours};
use mooring_simulator::NewBlueskyAccounts;
use mooring_tests::World;
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_144_a_password_opens_a_session_and_is_stored_nowhere() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let new = NewBlueskyAccounts::default();
    let person = w.sim().create_bluesky_accounts(&new).unwrap().remove(0);
    let password = person.password.to_string();
    let login = |password: &str| json!({ "identifier": person.handle, "password": password });
    let wrong = api
        .post("/connect/bluesky", login("aaaa-bbbb-cccc-dddd"))
        .await;
    let detail = wrong.problem(422, "credentials_refused");
    assert!(!detail.contains("aaaa"), "{detail}");
    let begun = api.post("/connect/bluesky", login(&password)).await;
    assert!(!begun.text.contains(&password));
    let begun = begun.ok(201);
    assert!(begun["authorize_url"].is_null());
    let path = format!("/connects/{}", begun["id"].as_str().unwrap());
    let run = api.get(&path).await.ok(200);
    assert_eq!(run["status"], "offered");
    let choice = json!({ "destinations": [person.did] });
    let seen = api.post(&format!("{path}/choose"), choice).await.ok(200);
    assert_eq!(seen["connections"][0]["health"], "healthy", "{seen}");
    w.advance(hours(5)).await;
    let row = w.connections().await.remove(0);
    assert_eq!(
        row.health,
        Health::Healthy,
        "it renews itself without the password"
    );
    let reconnect = format!("/connections/{}/reconnect", row.id);
    let done = api.post(&reconnect, login(&password)).await.ok(201);
    assert_eq!(done["connection"]["outcome"], "reconnected", "{done}");
    assert_nowhere(&w, &password).await;
    // Another account's session is kept, sealed, until it is given back; its password is not.
    let other = w.sim().create_bluesky_accounts(&new).unwrap().remove(0);
    let how = json!({ "identifier": other.handle, "password": other.password.to_string() });
    let detail = api
        .post(&reconnect, how)
        .await
        .problem(409, "account_mismatch");
    assert!(detail.contains(&other.handle), "{detail}");
    assert_untold(&w, &other.password).await;
    w.done().await;
}

/// No table holds it, sealed or not: a sealed one would be longer than the few words of a run.
async fn assert_nowhere(w: &World, password: &str) {
    assert_untold(w, password).await;
    let sql = "SELECT count(*) AS n FROM connects WHERE kept IS NOT NULL OR offered IS NOT NULL";
    let db = w.store.connection();
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let row = db.query_one_raw(statement).await.unwrap().unwrap();
    assert_eq!(
        row.try_get::<i64>("", "n").unwrap(),
        0,
        "a run keeps nothing beyond its end"
    );
}

async fn assert_untold(w: &World, password: &str) {
    let told: Vec<Value> = w
        .events()
        .await
        .into_iter()
        .map(|event| event.data)
        .collect();
    assert!(!format!("{told:?}").contains(password));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_platform_says_which_way_it_connects() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let detail = api
        .post("/connect/bluesky", json!({}))
        .await
        .problem(422, "invalid");
    assert!(detail.contains("`identifier` and `password`"), "{detail}");
    let bare = api.post("/connect/tiktok", json!({})).await;
    let detail = bare.problem(409, "not_configured");
    assert!(detail.contains("mooring app add"), "{detail}");
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_a_bot_posts_the_chat_and_the_bots_token_connect() {
    let bots = |one: &Platform| one.connects_by() == ConnectsBy::Bot;
    for platform in Platform::ALL.into_iter().filter(bots) {
        let w = World::start().await;
        let api = w.api(Role::Operator).await;
        let person = w.newcomer(platform);
        let token = person.access_token.to_string();
        let how = json!({ "identifier": person.remote_id, "password": token });
        let begun = api.post(&format!("/connect/{platform}"), how).await;
        assert!(!begun.text.contains(&token));
        let begun = begun.ok(201);
        let path = format!("/connects/{}", begun["id"].as_str().unwrap());
        let choice = json!({ "destinations": [person.remote_id] });
        let seen = api.post(&format!("{path}/choose"), choice).await.ok(200);
        assert_eq!(
            seen["connections"][0]["health"], "healthy",
            "{platform}: {seen}"
        );
        w.settle().await;
        w.done().await;
    }
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let how = json!({ "identifier": "ann", "password": "secret" });
    let detail = api.post("/connect/x", how).await.problem(422, "invalid");
    assert!(detail.contains("in a browser"), "{detail}");
    w.done().await;
}
