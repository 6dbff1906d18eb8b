//! A grant, what it feeds, and what its end endangers.

use mooring_domain::{
    Role,
    time::{days, hours},
};
use mooring_simulator::{RevokeReason, TokenScope};
use mooring_tests::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_shows_what_it_feeds_and_what_its_end_endangers() {
    let mut w = World::start().await;
    let api = w.api(Role::Operator).await;
    let user = w.facebook_person(2);
    let pages: Vec<&str> = user.pages.iter().map(|page| page.id.as_str()).collect();
    let made = w.connect_pages(&api, &user, &pages).await;
    w.post(&made[0], "soon", hours(2)).await;
    w.post(&made[1], "after the end", days(70)).await;
    let list = api.get("/grants").await.ok(200);
    let id = list["items"][0]["id"].as_str().unwrap();
    let path = format!("/grants/{id}");
    let grant = api.get(&path).await.ok(200);
    assert_eq!(grant["state"], "connected");
    assert_eq!(grant["waiting"]["count"], 2);
    assert_eq!(grant["endangered"]["count"], 1, "{grant}");
    assert!(grant["endangered"]["next"].as_str() > grant["ends_at"].as_str());
    assert!(grant["scopes"].is_null(), "permissions are for admins");
    let admin = w.api(Role::Admin).await;
    assert!(admin.get(&path).await.ok(200)["scopes"].is_array());
    // Revoked, it endangers everything.
    let all = TokenScope::All;
    w.sim()
        .revoke_facebook_tokens(&user.id, RevokeReason::AppRemoved, all)
        .unwrap();
    w.advance(hours(1)).await;
    let grant = api.get(&path).await.ok(200);
    assert_eq!(grant["state"], "revoked");
    assert_eq!(grant["endangered"]["count"], 2, "{grant}");
    let nobody = format!("/grants/grant_{}", "0".repeat(32));
    assert_eq!(api.get(&nobody).await.status, 404);
    w.leave_undone();
    w.done().await;
}
