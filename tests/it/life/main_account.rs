//! The main connection of a platform.

use mooring_domain::{Platform, Role, time::seconds};
use mooring_gateway::acts;
use mooring_store::Actor;
use mooring_tests::World;
use serde_json::json;

use super::{ENGINES, on};

async fn mains(w: &World) -> Vec<String> {
    let viewer = w.api(Role::Viewer).await;
    let page = viewer.get("/connections?main=true").await.ok(200);
    let items = page["items"].as_array().unwrap().clone();
    let ids = items
        .iter()
        .map(|one| one["id"].as_str().unwrap().to_owned());
    ids.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_062_a_new_main_account_demotes_the_old_one() {
    let w = World::start().await;
    let (one, two, else_where) = (
        w.connect(Platform::Facebook).await,
        w.connect(Platform::Facebook).await,
        w.connect(Platform::Bluesky).await,
    );
    let operator = w.api(Role::Operator).await;
    for account in [&one, &else_where, &two] {
        let path = format!("/connections/{}/main", account.connection);
        let shown = operator.post(&path, json!({})).await.ok(200);
        assert_eq!(shown["main"], true);
        // Two events of one moment have no order.
        w.advance(seconds(1)).await;
    }
    let mut expected = [&two, &else_where].map(|one| one.connection.to_string());
    expected.sort();
    let mut found = mains(&w).await;
    found.sort();
    assert_eq!(found, expected);
    let told = operator
        .get("/audit?event=main_connection_set")
        .await
        .ok(200);
    assert_eq!(
        told["items"][0]["data"]["before"],
        one.connection.to_string()
    );
    // One that is gone is nobody's main account.
    w.disconnect(&two).await;
    assert_eq!(mains(&w).await, [else_where.connection.to_string()]);
    let path = format!("/connections/{}/main", two.connection);
    let refused = operator.post(&path, json!({})).await;
    let _ = refused.problem(409, "connection_removed");
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_062_of_many_who_set_it_at_once_exactly_one_stays() {
    for engine in ENGINES {
        let w = on(engine).await;
        let mut accounts = Vec::new();
        for _ in 0..6 {
            accounts.push(w.connect(Platform::Facebook).await.connection);
        }
        let set = accounts.iter().map(|id| {
            let (store, workspace, now) = (w.store.clone(), w.workspace, w.now());
            let id = *id;
            #[expect(clippy::disallowed_methods, reason = "people act at the same moment")]
            tokio::spawn(
                async move { acts::set_main(&store, &Actor::Cli, workspace, id, now).await },
            )
        });
        let set: Vec<_> = set.collect();
        for one in set {
            one.await
                .expect("no panic")
                .expect("each of them is served");
        }
        assert_eq!(mains(&w).await.len(), 1, "{engine:?}");
        let told = w.event_counts().await;
        assert_eq!(told.get("main_connection_set"), Some(&6), "{engine:?}");
        w.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_063_what_a_new_campaign_begins_with_can_be_asked_for() {
    let w = World::start().await;
    let (main, other) = (
        w.connect(Platform::Facebook).await,
        w.connect(Platform::Facebook).await,
    );
    let operator = w.api(Role::Operator).await;
    let path = format!("/connections/{}/main", main.connection);
    let _ = operator.post(&path, json!({})).await.ok(200);
    let found = operator
        .get("/connections?main=true&platform=facebook")
        .await;
    let found = found.ok(200)["items"].clone();
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!(found[0]["id"], main.connection.to_string());
    let rest = operator.get("/connections?main=false").await.ok(200);
    assert_eq!(rest["items"][0]["id"], other.connection.to_string());
    w.done().await;
}
