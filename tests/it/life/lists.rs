//! Lists and details of connections, as pages and programs read them.

use mooring_domain::{
    Platform, Role,
    time::{hours, minutes},
};
use mooring_simulator::{RevokeReason, TokenScope};
use mooring_tests::{Api, World};
use serde_json::Value;

use super::{ENGINES, on};

async fn items(api: &Api, query: &str) -> Vec<Value> {
    let page = api.get(&format!("/connections?{query}")).await.ok(200);
    page["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_080_a_card_tells_the_same_truth_in_every_vocabulary() {
    let w = World::start().await;
    let (well, dead) = (
        w.connect(Platform::Facebook).await,
        w.connect(Platform::Facebook).await,
    );
    w.settle().await;
    let (user, reason) = (dead.user.as_str(), RevokeReason::LoggedOut);
    w.sim()
        .revoke_facebook_tokens(user, reason, TokenScope::All)
        .unwrap();
    w.advance(hours(2)).await;
    let viewer = w.api(Role::Viewer).await;
    let healthy = items(&viewer, "health=healthy").await;
    let [card] = &healthy[..] else {
        panic!("{healthy:?}")
    };
    for (field, value) in [
        ("remote_id", well.remote_id.as_str()),
        ("platform", "facebook"),
        ("network", "Facebook"),
        ("auth_state", "connected"),
        ("colour", "green"),
        ("state", "active"),
        ("icon", "check-circle"),
        ("publish", "full"),
        ("status_text", "All is well"),
    ] {
        assert_eq!(card[field], value, "{field}");
    }
    assert!(card["checked_at"].is_string(), "the last sync");
    let critical = items(&viewer, "health=critical").await;
    let [card] = &critical[..] else {
        panic!("{critical:?}")
    };
    for (field, value) in [
        ("remote_id", dead.remote_id.as_str()),
        ("colour", "amber"),
        ("state", "error"),
    ] {
        assert_eq!(card[field], value, "{field}");
    }
    assert_ne!(card["auth_state"], "connected");
    assert_eq!(card["needs_reconnect"], true);
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_061_many_accounts_of_a_platform_in_pages_and_row_081_by_attention() {
    let w = World::start().await;
    let mut accounts = Vec::new();
    for _ in 0..5 {
        accounts.push(w.connect(Platform::Facebook).await);
    }
    w.settle().await;
    let dead = &accounts[3];
    let (user, reason) = (dead.user.as_str(), RevokeReason::LoggedOut);
    w.sim()
        .revoke_facebook_tokens(user, reason, TokenScope::All)
        .unwrap();
    w.advance(hours(2)).await;
    let viewer = w.api(Role::Viewer).await;
    for sort in ["id", "attention"] {
        let mut seen = Vec::new();
        let mut query = format!("sort={sort}&limit=2&platform=facebook");
        loop {
            let page = viewer.get(&format!("/connections?{query}")).await.ok(200);
            let items = page["items"].as_array().unwrap().clone();
            assert!(items.len() <= 2);
            seen.extend(
                items
                    .into_iter()
                    .map(|one| one["id"].as_str().unwrap().to_owned()),
            );
            let Some(next) = page["next"].as_str() else {
                break;
            };
            query = format!("sort={sort}&limit=2&platform=facebook&cursor={next}");
        }
        let mut distinct = seen.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!((seen.len(), distinct.len()), (5, 5), "{sort}");
        if sort == "attention" {
            assert_eq!(seen[0], dead.connection.to_string());
        }
    }
    for query in [
        "sort=colour",
        "health=ill",
        "platform=mars",
        "cursor=x&sort=attention",
    ] {
        let answer = viewer.get(&format!("/connections?{query}")).await;
        let _ = answer.problem(422, "invalid");
    }
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_082_a_detail_tells_all_and_permissions_to_admins() {
    let w = World::start().await;
    let account = w.connect(Platform::Facebook).await;
    w.settle().await;
    let path = format!("/connections/{}", account.connection);
    let (viewer, admin) = (w.api(Role::Viewer).await, w.api(Role::Admin).await);
    let seen = viewer.get(&path).await;
    assert!(!seen.text.contains("pages_manage_posts"), "{}", seen.text);
    let seen = seen.ok(200);
    for field in [
        "connected_at",
        "refreshed_at",
        "remote_id",
        "publish",
        "main",
        "used_at",
    ] {
        assert!(!seen[field].is_null(), "{field}: {seen}");
    }
    assert!(seen["support"].is_null(), "all is well");

    let user = account.user.as_str();
    w.sim()
        .drop_facebook_scope(user, "pages_manage_posts", None)
        .unwrap();
    w.advance(hours(2)).await;
    let told = admin.get(&path).await.ok(200);
    let missing = told["permissions"]["missing"].as_array().unwrap();
    assert_eq!(missing, &["pages_manage_posts"]);
    assert!(
        !told["permissions"]["required"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    assert_eq!(told["publish"], "none");
    let seen = viewer.get(&path).await;
    assert!(!seen.text.contains("pages_manage_posts"), "{}", seen.text);
    let seen = seen.ok(200);
    assert_eq!(seen["reasons"][0], "scopes_missing");
    let support = seen["support"].as_str().expect("something to send along");
    assert!(
        support.contains(&account.connection.to_string()),
        "{support}"
    );
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_036_a_look_at_all_counts_what_needs_a_reconnect() {
    for engine in ENGINES {
        let w = on(engine).await;
        let (one, other) = (
            w.connect(Platform::Facebook).await,
            w.connect(Platform::Facebook).await,
        );
        w.settle().await;
        let kill = |user: &str| {
            let reason = RevokeReason::PasswordChanged;
            w.sim()
                .revoke_facebook_tokens(user, reason, TokenScope::All)
                .unwrap();
        };
        kill(&one.user);
        w.advance(hours(2)).await;
        let operator = w.api(Role::Operator).await;
        let path = format!("/connections/{}/check", one.connection);
        kill(&other.user);
        let all = async || {
            let path = "/connections/check";
            operator
                .send(reqwest::Method::POST, path, None, &[])
                .await
                .ok(202)
        };
        let begun = all().await;
        assert_eq!(begun["connections"], 2);
        assert_eq!(begun["need_reconnect"], 1, "what is known so far");
        w.settle().await;
        assert_eq!(all().await["need_reconnect"], 2, "what the look has found");
        w.settle().await;
        w.disconnect(&one).await;
        let refused = operator.send(reqwest::Method::POST, &path, None, &[]).await;
        let _ = refused.problem(409, "connection_removed");
        let begun = all().await;
        assert_eq!(
            (&begun["connections"], &begun["need_reconnect"]),
            (&1.into(), &1.into())
        );
        w.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_023_a_connection_is_looked_at_on_demand() {
    let w = World::start().await;
    let account = w.connect(Platform::Facebook).await;
    w.settle().await;
    let (user, reason) = (account.user.as_str(), RevokeReason::PasswordChanged);
    w.sim()
        .revoke_facebook_tokens(user, reason, TokenScope::All)
        .unwrap();
    let operator = w.api(Role::Operator).await;
    let path = format!("/connections/{}/check", account.connection);
    let answer = operator.send(reqwest::Method::POST, &path, None, &[]).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    w.settle().await;
    let state = w.connection(&account).await.auth_state;
    assert_ne!(state, "connected", "no hour had to pass");
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_084_a_detail_shows_what_went_out_through_it() {
    let w = World::start().await;
    let account = w.connect(Platform::Facebook).await;
    w.settle().await;
    let post = w.post(&account, "seen on the page", minutes(1)).await;
    w.advance(minutes(3)).await;
    let viewer = w.api(Role::Viewer).await;
    let path = format!("/connections/{}", account.connection);
    let seen = viewer.get(&path).await.ok(200);
    let [recent] = &seen["recent_posts"].as_array().unwrap()[..] else {
        panic!("{seen}")
    };
    assert_eq!(recent["target"], post.target().to_string());
    assert_eq!(recent["text"], "seen on the page");
    assert_eq!(recent["verdict"], "live");
    assert!(recent["permalink"].is_string());
    w.done().await;
}
