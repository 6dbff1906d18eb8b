//! What becomes of an account that was connected: renewed, reconnected, let go.

use mooring_domain::{Event, Role, connection::Health};
use mooring_tests::{Browser, Says};
use serde_json::json;

use super::scene::{SITES, Scene, Site, says};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_connected_in_a_browser_renews_itself() {
    for site in SITES {
        let s = Scene::at(site).await;
        let person = s.person().await;
        let account = s.connected(&person).await;
        let first = s.tokens(&account).await;
        for round in 1..=2 {
            s.w.renew(&account).await;
            assert_eq!(s.refreshes(&person).await, round, "one each");
            let row = s.w.connection(&account).await;
            let seen = (row.health, row.auth_state.as_str());
            assert_eq!(seen, (Health::Healthy, "connected"), "{:?}", row.reasons);
            let versions = 1 + i64::try_from(round).expect("few");
            assert_eq!(row.token_version, versions);
            let tokens = s.tokens(&account).await;
            assert_ne!(tokens.grant_token.expose(), first.grant_token.expose());
            assert!(s.lives(&person, &tokens).await);
        }
        let refresh = |tokens: &mooring_providers::Access| {
            let token = tokens.refresh_token.as_ref().expect("it renews itself");
            token.expose().to_owned()
        };
        let kept = refresh(&s.tokens(&account).await) == refresh(&first);
        assert_eq!(kept, site == Site::LinkedIn, "the others' work once");
        // The new tokens are looked at, too.
        s.w.look(&account).await;
        assert_eq!(s.w.connection(&account).await.health, Health::Healthy);
        s.w.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reconnect_as_the_same_account_keeps_the_connection() {
    for site in SITES {
        let s = Scene::at(site).await;
        let person = s.person().await;
        let account = s.connected(&person).await;
        s.ended_by_its_owner(&account, &person).await;
        let before = s.w.connection(&account).await;
        let (id, page) = s.begin_again(&account).await;
        let shown = s.go(&page, &person, Says::Yes).await;
        assert_eq!(shown.status, 200, "{}", shown.text);
        says(&shown, "reconnected");
        assert!(
            shown.text.contains("A look at it just now says: healthy"),
            "{}",
            shown.text
        );
        s.assert_run(&id, "done", "reconnected").await;
        let rows = s.w.connections().await;
        assert_eq!(rows.len(), 1, "no second one");
        assert_eq!(rows[0].id, account.connection);
        assert_eq!(rows[0].token_version, before.token_version + 1);
        let seen = (rows[0].health, rows[0].auth_state.as_str());
        assert_eq!(seen, (Health::Healthy, "connected"));
        assert!(s.lives(&person, &s.tokens(&account).await).await);
        // From here on it renews itself as before.
        s.w.renew(&account).await;
        let row = s.w.connection(&account).await;
        assert_eq!(row.token_version, before.token_version + 2);
        assert_eq!(row.health, Health::Healthy, "{:?}", row.reasons);
        s.w.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reconnect_as_another_account_is_refused_and_changes_nothing() {
    for site in SITES {
        let s = Scene::at(site).await;
        let (ann, bob) = (s.person().await, s.person().await);
        let account = s.connected(&ann).await;
        let (before, tokens) = (s.w.connection(&account).await, s.tokens(&account).await);
        let (id, page) = s.begin_again(&account).await;
        let shown = s.go(&page, &bob, Says::Yes).await;
        assert_eq!(shown.status, 409, "{}", shown.text);
        says(&shown, "account_mismatch");
        s.assert_run(&id, "offered", "account_mismatch").await;
        assert_eq!(s.w.connection(&account).await, before);
        let same = s.tokens(&account).await.grant_token.expose() == tokens.grant_token.expose();
        assert!(same, "the tokens are Ann's still");
        assert!(s.lives(&ann, &tokens).await, "and work");
        assert_eq!(s.w.connections().await.len(), 1);

        // The choice: connect Bob's as a new one, and log in as Ann for hers.
        let (other, look) = s.choose(&id, &bob).await;
        assert_eq!(look["outcome"], "connected", "{look}");
        assert_ne!(other.connection, account.connection);
        let (id, page) = s.begin_again(&account).await;
        says(&s.go(&page, &ann, Says::Yes).await, "reconnected");
        s.assert_run(&id, "done", "reconnected").await;
        s.w.settle().await;
        for one in [&account, &other] {
            assert_eq!(s.w.connection(one).await.health, Health::Healthy);
        }
        s.w.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_without_a_key_reconnects_by_a_link_in_one_browser_once() {
    for site in SITES {
        let s = Scene::at(site).await;
        let person = s.person().await;
        let account = s.connected(&person).await;
        s.ended_by_its_owner(&account, &person).await;
        let path = format!("/connections/{}/reconnect-link", account.connection);
        let made = s.api.post(&path, json!({})).await.ok(201);
        let link = made["url"].as_str().expect("an address");
        let browser = Browser::default();
        let page = browser.press(link).await.parse().expect("a page");
        let back = s.answer(&page, &person, Says::Yes).await;
        // Who only has the address of the callback is not who has pressed the button.
        says(&Browser::default().open(&back).await, "wrong_browser");
        assert_eq!(s.w.connection(&account).await.auth_state, "revoked");
        let shown = browser.open(&back).await;
        assert_eq!(shown.status, 200, "{}", shown.text);
        assert!(shown.text.contains("healthy"), "{}", shown.text);
        assert_eq!(browser.open(link).await.status, 410, "it worked once");
        says(&browser.open(&back).await, "state_used");
        let row = s.w.connection(&account).await;
        assert_eq!(row.health, Health::Healthy, "{:?}", row.reasons);
        assert!(s.lives(&person, &s.tokens(&account).await).await);
        let audit = s.w.api(Role::Admin).await.get("/audit").await.ok(200);
        let all = audit["items"].as_array().expect("entries");
        let done = all
            .iter()
            .find(|one| one["event"] == "connection_reconnected");
        let actor = done.expect("it is told")["actor"].as_str();
        assert!(actor.is_some_and(|actor| actor.starts_with("link_")));
        s.w.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disconnect_ends_the_session_at_the_server() {
    for site in SITES {
        let s = Scene::at(site).await;
        let person = s.person().await;
        let account = s.connected(&person).await;
        // The tokens of now, which are not those that the consent brought.
        s.w.renew(&account).await;
        let tokens = s.tokens(&account).await;
        assert!(s.lives(&person, &tokens).await);
        let path = format!("/connections/{}", account.connection);
        let preview = s.api.get(&format!("{path}/disconnect")).await.ok(200);
        let confirm = preview["confirm"].as_str().expect("a word");
        let done = s.api.delete(&format!("{path}?confirm={confirm}")).await;
        assert_eq!(done.ok(200)["credentials"], "revoked");
        assert!(!s.lives(&person, &tokens).await, "by the server's own word");
        let adapter = s.w.adapter(account.platform);
        let refused = adapter.refresh(&tokens).await;
        assert!(refused.is_err(), "nothing comes of its refresh token");
        assert!(s.w.events().await.iter().any(|event| {
            matches!(
                serde_json::from_value(event.data.clone()),
                Ok(Event::GrantRevokedAtPlatform { .. })
            )
        }));

        // Who consents again comes back as who they were.
        let back = s.connected(&person).await;
        assert_eq!(back.connection, account.connection);
        assert!(s.lives(&person, &s.tokens(&back).await).await);
        s.w.done().await;
    }
}
