//! Two at once: exactly one decides.

use mooring_domain::{
    Platform, Role,
    time::{hours, minutes},
};
use mooring_gateway::acts;
use mooring_simulator::{Fault, FaultKind, Platform as Sim};
use mooring_store::Actor;
use mooring_tests::{Api, Browser, Engine, World, WorldOptions, eventually};
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::json;

async fn worlds() -> [World; 2] {
    let on = |engine| {
        World::with(WorldOptions {
            engine,
            ..WorldOptions::default()
        })
    };
    [on(Engine::Sqlite).await, on(Engine::Postgres).await]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn g20_of_callbacks_that_come_at_once_exactly_one_wins() {
    for w in worlds().await {
        let api = w.api(Role::Operator).await;
        let user = w.facebook_person(1);
        let begun = api.post("/connect/facebook", json!({})).await.ok(201);
        let browser = Browser::default();
        let page = begun["authorize_url"].as_str().unwrap();
        let back = browser.consent(page, &user.id, &[]).await.unwrap();
        let answers = tokio::join!(
            browser.open(&back),
            browser.open(&back),
            browser.open(&back),
            browser.open(&back)
        );
        let answers = [answers.0, answers.1, answers.2, answers.3];
        let won = answers.iter().filter(|one| one.status == 200).count();
        let refused = answers.iter().filter(|one| one.text.contains("state_used"));
        assert_eq!((won, refused.count()), (1, 3));
        let exchanges = w.sim().calls().by_endpoint["facebook.code_exchange"];
        assert_eq!(serde_json::to_value(exchanges).unwrap()["calls"], 1);
        w.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn row_045_of_two_workspaces_that_connect_one_account_at_once_exactly_one_gets_it() {
    for w in worlds().await {
        let here = w.api(Role::Operator).await;
        let pier = acts::create_workspace(&w.store, &Actor::Cli, "Pier", w.now())
            .await
            .unwrap();
        let key = acts::create_key(&w.store, &Actor::Cli, "k", &[pier], Role::Operator, w.now())
            .await
            .unwrap();
        let there = Api::stranger(w.gateway).with_key(key.text.expose());
        for _ in 0..4 {
            let user = w.facebook_person(1);
            let choice = json!({ "destinations": [user.pages[0].id] });
            let mut paths = Vec::new();
            for api in [&here, &there] {
                let begun = api.post("/connect/facebook", json!({})).await.ok(201);
                let page = begun["authorize_url"].as_str().unwrap();
                Browser::default().go(page, &user.id, &[]).await;
                paths.push(format!(
                    "/connects/{}/choose",
                    begun["id"].as_str().unwrap()
                ));
            }
            let (one, two) = tokio::join!(
                here.post(&paths[0], choice.clone()),
                there.post(&paths[1], choice.clone())
            );
            let mut statuses = [one.status, two.status];
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 409], "{} {}", one.text, two.text);
        }
        w.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn g20_of_reconnects_at_once_each_ends_and_the_connection_works() {
    for w in worlds().await {
        let api = w.api(Role::Operator).await;
        let person = w.newcomer(Platform::X);
        let (account, _) = w.connect_in_browser(&api, Platform::X, &person).await;
        let path = format!("/connections/{}/reconnect", account.connection);
        let (one, two) = tokio::join!(api.post(&path, json!({})), api.post(&path, json!({})));
        let (one, two) = (one.ok(201), two.ok(201));
        let (first, second) = tokio::join!(w.consent(&one, &person), w.consent(&two, &person));
        assert_eq!(
            (first.status, second.status),
            (200, 200),
            "{} {}",
            first.text,
            second.text
        );
        let row = w.connection(&account).await;
        assert_eq!(
            row.token_version, 3,
            "both brought tokens, one after the other"
        );
        // Whichever came last is whole: access and refresh token of one consent.
        w.advance(hours(6)).await;
        let row = w.connection(&account).await;
        assert_eq!(row.auth_state, "connected", "{:?}", row.reasons);
        w.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_account_that_is_connected_twice_at_once_is_one_connection() {
    for w in worlds().await {
        let api = w.api(Role::Operator).await;
        let user = w.facebook_person(1);
        let choice = json!({ "destinations": [user.pages[0].id] });
        let mut paths = Vec::new();
        for _ in 0..2 {
            let begun = api.post("/connect/facebook", json!({})).await.ok(201);
            let page = begun["authorize_url"].as_str().unwrap();
            Browser::default().go(page, &user.id, &[]).await;
            paths.push(format!(
                "/connects/{}/choose",
                begun["id"].as_str().unwrap()
            ));
        }
        let (one, two) = tokio::join!(
            api.post(&paths[0], choice.clone()),
            api.post(&paths[1], choice.clone())
        );
        assert_eq!(
            (one.status, two.status),
            (200, 200),
            "{} {}",
            one.text,
            two.text
        );
        assert_eq!(w.connections().await.len(), 1);
        w.done().await;
    }
}

/// Whether a refresh of any grant has begun and has not ended.
async fn refreshing(w: &World) -> bool {
    let db = w.store.connection();
    let sql = "SELECT count(*) AS n FROM grants WHERE refresh_begun_at IS NOT NULL";
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let row = db.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get::<i64>("", "n").unwrap() > 0
}

/// Whatever a refresh of the old tokens is answered, the new ones stay, and nothing is held against them.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn g20_a_refresh_that_is_on_its_way_does_not_undo_a_reconnect() {
    let refused = FaultKind::Status {
        code: 400,
        body: Some(
            json!({"error": "invalid_request", "error_description": "Value passed for the token was invalid."}),
        ),
    };
    for also in [None, Some(refused)] {
        let w = World::start().await;
        let api = w.api(Role::Operator).await;
        let person = w.newcomer(Platform::X);
        let (account, _) = w.connect_in_browser(&api, Platform::X, &person).await;
        w.advance(minutes(30)).await;
        for kind in [Some(FaultKind::LatencyMs { ms: 2_500 }), also.clone()]
            .into_iter()
            .flatten()
        {
            w.sim()
                .add_fault(Fault::new(Sim::X, "refresh_token", kind).times(1))
                .unwrap();
        }
        w.pass(minutes(65));
        w.queue.wake().await.unwrap();
        eventually("a refresh has begun", || refreshing(&w)).await;
        let path = format!("/connections/{}/reconnect", account.connection);
        let begun = api.post(&path, json!({})).await.ok(201);
        let shown = w.consent(&begun, &person).await;
        assert_eq!(shown.status, 200, "{}", shown.text);
        w.settle().await;
        let row = w.connection(&account).await;
        assert_eq!(
            (row.token_version, row.auth_state.as_str()),
            (2, "connected"),
            "{also:?}"
        );
        assert_eq!(w.event_counts().await.get("auth_state_changed"), None);
        w.advance(hours(6)).await;
        let row = w.connection(&account).await;
        assert_eq!(row.health.as_str(), "healthy", "{:?}", row.reasons);
        assert!(row.token_version > 2, "it renews itself");
        w.done().await;
    }
}
