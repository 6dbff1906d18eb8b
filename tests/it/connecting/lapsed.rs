//! What a log-in offered and nobody chose.

use mooring_domain::{
    Event, Lane, Role,
    time::{hours, minutes},
};
use mooring_simulator::{FacebookUser, NewBlueskyAccounts};
use mooring_tests::{Api, Browser, Engine, World, WorldOptions};
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::json;

/// A world that looks after itself.
pub(super) async fn with_a_house(engine: Engine) -> World {
    let mut options = WorldOptions {
        engine,
        ..WorldOptions::default()
    };
    options.lanes.push(Lane::House);
    World::with(options).await
}

/// Runs for which something is sealed.
pub(super) async fn sealed(w: &World) -> i64 {
    let sql = "SELECT count(*) AS n FROM connects WHERE kept IS NOT NULL OR offered IS NOT NULL";
    let db = w.store.connection();
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let row = db.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get("", "n").unwrap()
}

/// How often a platform was asked to take a credential back.
pub(super) fn revocations(w: &World) -> u64 {
    let rows = w.sim().calls().by_account.into_iter();
    let asked = rows.filter(|row| row.operation.as_str() == "disconnect");
    asked.map(|row| row.count.calls).sum()
}

/// Consents on Facebook and chooses nothing; the run.
async fn offer(api: &Api, user: &FacebookUser) -> mooring_domain::ConnectId {
    let begun = api.post("/connect/facebook", json!({})).await.ok(201);
    let page = begun["authorize_url"].as_str().unwrap();
    Browser::default().go(page, &user.id, &[]).await;
    begun["id"].as_str().unwrap().parse().unwrap()
}

pub(super) async fn lapsed(w: &World, run: mooring_domain::ConnectId) -> Vec<Event> {
    let told = w.told(run.uuid()).await.into_iter();
    told.filter(|event| matches!(event, Event::OfferLapsed { .. }))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_chose_is_forgotten_within_the_hour_and_given_back() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let w = with_a_house(engine).await;
        let api = w.api(Role::Operator).await;
        let user = w.facebook_person(1);
        let run = offer(&api, &user).await;
        // Another window was closed before anybody consented.
        let _ = api.post("/connect/facebook", json!({})).await.ok(201);
        assert_eq!(sealed(&w).await, 2);
        w.advance(minutes(14)).await;
        assert_eq!(
            (sealed(&w).await, revocations(&w)),
            (1, 0),
            "it stands for 15 minutes, the window for ten"
        );
        w.advance(minutes(61)).await;
        assert_eq!((sealed(&w).await, revocations(&w)), (0, 1));
        let told = lapsed(&w, run).await;
        assert_eq!(
            told,
            [Event::OfferLapsed {
                connect: run,
                kept: None
            }]
        );
        w.advance(hours(2)).await;
        assert_eq!(revocations(&w), 1, "once");
        w.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_chose_is_left_alone_at_the_platform_where_a_connection_lives_by_it() {
    let w = with_a_house(Engine::Sqlite).await;
    let api = w.api(Role::Operator).await;
    let user = w.facebook_person(2);
    let made = w.connect_pages(&api, &user, &[&user.pages[0].id]).await;
    let run = offer(&api, &user).await;
    w.advance(minutes(80)).await;
    assert_eq!((sealed(&w).await, revocations(&w)), (0, 0));
    let kept = Some("held_elsewhere".to_owned());
    assert_eq!(
        lapsed(&w, run).await,
        [Event::OfferLapsed { connect: run, kept }]
    );
    assert_eq!(w.connection(&made[0]).await.health.as_str(), "healthy");
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_chose_waits_while_the_same_person_chooses_elsewhere() {
    let w = with_a_house(Engine::Sqlite).await;
    let api = w.api(Role::Operator).await;
    let user = w.facebook_person(1);
    offer(&api, &user).await;
    w.advance(minutes(10)).await;
    let second = offer(&api, &user).await;
    w.advance(minutes(10)).await;
    assert_eq!(
        (sealed(&w).await, revocations(&w)),
        (2, 0),
        "the consent is one and the same"
    );
    let path = format!("/connects/{second}/choose");
    let choice = json!({ "destinations": [user.pages[0].id] });
    let chosen = api.post(&path, choice).await.ok(200);
    assert_eq!(chosen["connections"][0]["health"], "healthy", "{chosen}");
    w.advance(minutes(40)).await;
    assert_eq!((sealed(&w).await, revocations(&w)), (0, 0));
    assert_eq!(w.connections().await[0].health.as_str(), "healthy");
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_nobody_chose_ends_alone() {
    let w = with_a_house(Engine::Sqlite).await;
    let api = w.api(Role::Operator).await;
    let new = NewBlueskyAccounts::default();
    let person = w.sim().create_bluesky_accounts(&new).unwrap().remove(0);
    let login = json!({ "identifier": person.handle, "password": person.password.to_string() });
    let begun = api.post("/connect/bluesky", login.clone()).await.ok(201);
    let path = format!("/connects/{}/choose", begun["id"].as_str().unwrap());
    let choice = json!({ "destinations": [person.did] });
    let _ = api.post(&path, choice).await.ok(200);
    let _ = api.post("/connect/bluesky", login).await.ok(201);
    w.advance(minutes(80)).await;
    assert_eq!((sealed(&w).await, revocations(&w)), (0, 1));
    w.advance(hours(3)).await;
    let row = w.connections().await.remove(0);
    assert_eq!(row.health.as_str(), "healthy", "{:?}", row.reasons);
    w.done().await;
}
