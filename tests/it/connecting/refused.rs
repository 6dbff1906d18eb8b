//! What a log-in brought that was refused: another account, or one too many.

use mooring_domain::{
    ConnectId, Event, Plan, Role,
    time::{hours, minutes},
};
use mooring_gateway::acts;
use mooring_simulator::NewBlueskyAccounts;
use mooring_store::Actor;
use mooring_tests::{Browser, Engine, World};
use reqwest::Method;
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::json;

use super::lapsed::{lapsed, revocations, sealed, with_a_house};
use crate::life::pier;

/// The only run for which a credential is sealed.
async fn refused_run(w: &World) -> ConnectId {
    let sql = "SELECT id FROM connects WHERE offered IS NOT NULL AND ended_at IS NOT NULL";
    let db = w.store.connection();
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let rows = db.query_all_raw(statement).await.unwrap();
    let [row] = &rows[..] else {
        panic!("{} runs", rows.len())
    };
    ConnectId::from_uuid(row.try_get("", "id").unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_refused_log_in_brought_is_given_back_and_no_other() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let w = with_a_house(engine).await;
        let api = w.api(Role::Operator).await;
        let (ann, bob) = (w.facebook_person(1), w.facebook_person(1));
        let made = w.connect_pages(&api, &ann, &[&ann.pages[0].id]).await;
        // By a link nobody connects another account: nobody else knows of Bob's credential.
        let path = format!("/connections/{}/reconnect-link", made[0].connection);
        let link = api.post(&path, json!({})).await.ok(201);
        let browser = Browser::default();
        let page = browser.press(link["url"].as_str().unwrap()).await;
        let shown = browser.go(&page, &bob.id, &[]).await;
        assert!(shown.text.contains("account_mismatch"), "{}", shown.text);
        let run = refused_run(&w).await;
        // The run is the link's: nobody chooses from what it brought.
        let path = format!("/connects/{run}/choose");
        let choice = json!({ "destinations": [bob.pages[0].id] });
        let _ = api.post(&path, choice).await.problem(403, "not_yours");
        assert_eq!((sealed(&w).await, revocations(&w)), (1, 0));
        w.advance(minutes(30)).await;
        assert_eq!((sealed(&w).await, revocations(&w)), (0, 1));
        let kept = None;
        assert_eq!(
            lapsed(&w, run).await,
            [Event::OfferLapsed { connect: run, kept }]
        );
        w.advance(hours(2)).await;
        assert_eq!(revocations(&w), 1, "once");
        assert_eq!(w.connection(&made[0]).await.health.as_str(), "healthy");
        w.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_refused_password_opened_is_given_back_also_by_a_copy() {
    let w = with_a_house(Engine::Sqlite).await;
    let api = w.api(Role::Operator).await;
    let pier = pier(&w, Role::Operator).await;
    let new = NewBlueskyAccounts {
        count: 2,
        ..NewBlueskyAccounts::default()
    };
    let people = w.sim().create_bluesky_accounts(&new).unwrap();
    let login = |who: usize| json!({ "identifier": people[who].handle, "password": people[who].password.to_string() });
    let begun = api.post("/connect/bluesky", login(0)).await.ok(201);
    let path = format!("/connects/{}/choose", begun["id"].as_str().unwrap());
    let choice = json!({ "destinations": [people[0].did] });
    let _ = api.post(&path, choice).await.ok(200);
    let account = w.connections().await.remove(0);
    let path = format!("/connections/{}", account.id);
    let again = api.post(&format!("{path}/reconnect"), login(1)).await;
    let _ = again.problem(409, "account_mismatch");
    let other = [("mooring-other-key", pier.key.as_str())];
    let copy = async |who: usize| {
        let mut body = login(who);
        body["workspace"] = pier.id.to_string().into();
        let path = format!("{path}/copy");
        api.send(Method::POST, &path, Some(body), &other).await
    };
    let _ = copy(1).await.problem(409, "account_mismatch");
    assert_eq!((sealed(&w).await, revocations(&w)), (2, 0));
    w.advance(minutes(30)).await;
    assert_eq!((sealed(&w).await, revocations(&w)), (0, 2));
    // What was meant is as it was, and can be copied.
    w.advance(hours(3)).await;
    assert_eq!(w.connections().await[0].health.as_str(), "healthy");
    let _ = copy(0).await.ok(201);
    w.advance(hours(3)).await;
    assert_eq!((sealed(&w).await, revocations(&w)), (0, 2));
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_log_in_of_somebody_who_has_connections_is_left_alone_at_the_platform() {
    let w = with_a_house(Engine::Sqlite).await;
    let api = w.api(Role::Operator).await;
    let user = w.facebook_person(1);
    let page = user.pages[0].id.as_str();
    let made = w.connect_pages(&api, &user, &[page]).await;
    let pier = pier(&w, Role::Operator).await;
    let begun = pier.copy(&api, &made[0], json!({})).await.ok(201);
    let plan = Plan {
        platforms: None,
        per_platform: Some(0),
    };
    let set = acts::set_plan(&w.store, &Actor::Cli, pier.id, plan, w.now()).await;
    set.expect("the plan is kept");
    let address = begun["authorize_url"].as_str().unwrap();
    let shown = Browser::default().go(address, &user.id, &[]).await;
    assert!(shown.text.contains("plan_refused"), "{}", shown.text);
    let run = refused_run(&w).await;
    w.advance(hours(1)).await;
    assert_eq!((sealed(&w).await, revocations(&w)), (0, 0));
    let told = w.store.events(pier.id, 100).await.unwrap();
    let told = told.iter().find(|row| row.name == "offer_lapsed");
    let told = told.expect("an event");
    assert_eq!(
        (told.subject, &told.data["kept"]),
        (run.uuid(), &json!("held_elsewhere"))
    );
    assert_eq!(w.connection(&made[0]).await.health.as_str(), "healthy");
    w.done().await;
}
