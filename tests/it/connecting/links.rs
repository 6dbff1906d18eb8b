//! Links for people without a log-in: one connection, one use, an end, one browser.

use mooring_domain::{
    Event, Role,
    time::{hours, minutes},
};
use mooring_simulator::{RevokeReason, TokenScope};
use mooring_tests::{Account, Api, Browser, World};
use serde_json::json;

struct Story {
    w: World,
    api: Api,
    user: String,
    account: Account,
}

async fn story() -> Story {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let user = w.facebook_person(1);
    let made = w.connect_pages(&api, &user, &[&user.pages[0].id]).await;
    let all = TokenScope::All;
    w.sim()
        .revoke_facebook_tokens(&user.id, RevokeReason::AppRemoved, all)
        .unwrap();
    w.advance(hours(1)).await;
    Story {
        account: made[0].clone(),
        user: user.id,
        w,
        api,
    }
}

impl Story {
    async fn link(&self) -> String {
        let path = format!("/connections/{}/reconnect-link", self.account.connection);
        let made = self.api.post(&path, json!({})).await.ok(201);
        made["url"].as_str().expect("an address").to_owned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_038_a_link_reconnects_one_connection_without_a_log_in_once() {
    let s = story().await;
    let link = s.link().await;
    let browser = Browser::default();
    // Previews look; looking uses nothing up.
    for _ in 0..3 {
        let shown = Browser::default().open(&link).await;
        assert_eq!(shown.status, 200);
        let name = s.w.connection(&s.account).await.name;
        assert!(
            shown.text.contains(&name) && shown.text.contains("Facebook"),
            "{}",
            shown.text
        );
        assert_eq!(shown.headers["referrer-policy"], "no-referrer");
        assert_eq!(shown.headers["cache-control"], "no-store");
    }
    let page = browser.press(&link).await;
    let shown = browser.go(&page, &s.user, &[]).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    assert!(shown.text.contains("healthy"), "{}", shown.text);
    assert_eq!(browser.open(&link).await.status, 410, "it worked once");
    let told = s.w.told(s.account.connection.uuid()).await;
    let has = |wanted: fn(&Event) -> bool| told.iter().any(wanted);
    assert!(has(|event| matches!(
        event,
        Event::ReconnectLinkMade { .. }
    )));
    assert!(has(|event| matches!(
        event,
        Event::ReconnectLinkUsed { .. }
    )));
    assert!(has(|event| matches!(
        event,
        Event::ConnectionReconnected { .. }
    )));
    // The stream says that it came by the link, and from where.
    let audit = s.w.api(Role::Admin).await.get("/audit").await.ok(200);
    let all = audit["items"].as_array().unwrap();
    let done = all
        .iter()
        .find(|one| one["event"] == "connection_reconnected")
        .unwrap();
    assert!(
        done["actor"].as_str().unwrap().starts_with("link_"),
        "{done}"
    );
    assert_eq!(done["origin"], "127.0.0.1");
    assert!(!audit.to_string().contains(link.rsplit('/').next().unwrap()));
    s.w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_ends_in_the_browser_that_it_began_in() {
    let s = story().await;
    let link = s.link().await;
    let browser = Browser::default();
    let page = browser.press(&link).await;
    let back = browser.consent(&page, &s.user, &[]).await.unwrap();
    let stranger = Browser::default().open(&back).await;
    assert!(stranger.text.contains("wrong_browser"), "{}", stranger.text);
    assert_eq!(s.w.connection(&s.account).await.auth_state, "revoked");
    let right = browser.open(&back).await;
    assert_eq!(right.status, 200, "{}", right.text);
    s.w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_links_button_works_only_on_its_own_page() {
    let s = story().await;
    let link = s.link().await;
    let forger = Browser::default();
    assert_eq!(forger.submit(&link, &[("form", "x")]).await.status, 403);
    let shown = Browser::default().open(&link).await;
    // The field of a page that another browser was shown, by a browser that was shown one of its own.
    assert_eq!(forger.open(&link).await.status, 200);
    let sent = forger.submit(&link, &[("form", shown.field())]).await;
    assert_eq!(sent.status, 403);
    let page = Browser::default().press(&link).await;
    assert!(page.contains("dialog"), "it was not used up: {page}");
    s.w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_came_to_nothing_may_be_tried_again_until_its_end() {
    let s = story().await;
    let link = s.link().await;
    let browser = Browser::default();
    let page = browser.press(&link).await;
    // While somebody is at the platform, nobody else goes by it.
    let shown = browser.open(&link).await;
    let twice = browser.submit(&link, &[("form", shown.field())]).await;
    assert_eq!(twice.status, 410);
    let shown = browser.go(&page, &s.user, &[("deny", "1")]).await;
    assert!(shown.text.contains("denied"), "{}", shown.text);
    // A window that was closed counts as over after ten minutes.
    browser.press(&link).await;
    s.w.advance(minutes(11)).await;
    let page = browser.press(&link).await;
    // Another account ends it without a choice: by a link nobody connects new ones.
    let other = s.w.facebook_person(1);
    let shown = browser.go(&page, &other.id, &[]).await;
    assert!(shown.text.contains("account_mismatch"), "{}", shown.text);
    assert_eq!(s.w.connections().await.len(), 1);
    s.w.advance(hours(73)).await;
    assert_eq!(browser.open(&link).await.status, 410, "its time is over");
    let path = format!("/connections/{}/reconnect-link", s.account.connection);
    let viewer = s.w.api(Role::Viewer).await;
    let _ = viewer
        .post(&path, json!({}))
        .await
        .problem(403, "role_too_low");
    let _ = s
        .api
        .post(&path, json!({"hours": 0}))
        .await
        .problem(422, "invalid");
    s.w.done().await;
}
