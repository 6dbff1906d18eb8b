//! How a consent ends: with an account, or with a code and nothing changed.

use mooring_domain::{
    Event,
    connection::Health,
    time::{minutes, seconds},
};
use mooring_tests::{Browser, Says};
use serde_json::json;

use super::scene::{SITES, Scene, Site, says};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_is_connected_by_its_owners_consent_and_looked_at() {
    for site in SITES {
        let s = Scene::at(site).await;
        let person = s.person().await;
        let (id, page) = s.begin(&person).await;
        assert_eq!(s.run(&id).await["status"], "pending");
        let shown = s.go(&page, &person, Says::Yes).await;
        assert_eq!(shown.status, 200, "{}", shown.text);
        says(&shown, "offered");
        let run = s.run(&id).await;
        assert_eq!(run["status"], "offered", "{run}");
        assert_eq!(run["destinations"][0]["remote_id"], person.remote_id);
        assert_eq!(run["destinations"][0]["may_publish"], true);
        assert!(s.w.connections().await.is_empty(), "nobody has chosen yet");

        let (account, look) = s.choose(&id, &person).await;
        assert_eq!(look["outcome"], "connected", "{look}");
        assert_eq!(look["health"], "healthy", "{look}");
        s.assert_run(&id, "done", "connected").await;
        s.w.settle().await;
        let row = s.w.connection(&account).await;
        assert_eq!(row.health, Health::Healthy, "{:?}", row.reasons);
        assert_eq!(row.remote_id, person.remote_id);
        assert!(row.access_expires_at.is_some_and(|end| end > s.w.now()));
        let told = s.w.told(account.connection.uuid()).await;
        let connected = told
            .iter()
            .filter(|event| matches!(event, Event::ConnectionConnected { .. }));
        assert_eq!(connected.count(), 1, "{told:?}");
        assert!(s.lives(&person, &s.tokens(&account).await).await);
        s.w.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_no_at_the_servers_page_changes_nothing_and_can_be_tried_again() {
    for site in SITES {
        let s = Scene::at(site).await;
        let person = s.person().await;
        let (id, page) = s.begin(&person).await;
        let shown = s.go(&page, &person, Says::No).await;
        assert_eq!(shown.status, 409, "{}", shown.text);
        says(&shown, "denied");
        s.assert_run(&id, "failed", "denied").await;
        assert!(s.w.connections().await.is_empty());

        // The same at a reconnect: what is connected stays what it was.
        let account = s.connected(&person).await;
        let (before, tokens) = (s.w.connection(&account).await, s.tokens(&account).await);
        let (id, page) = s.begin_again(&account).await;
        says(&s.go(&page, &person, Says::No).await, "denied");
        s.assert_run(&id, "failed", "denied").await;
        assert_eq!(s.w.connection(&account).await, before);
        assert!(s.lives(&person, &tokens).await);
        s.w.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_comes_back_too_late_changes_nothing() {
    for site in SITES {
        let s = Scene::at(site).await;
        let person = s.person().await;
        let (id, page) = s.begin(&person).await;
        let back = s.answer(&page, &person, Says::Yes).await;
        let begun = s.w.now();
        s.w.advance(minutes(10) + seconds(1)).await;
        says(&Browser::default().open(&back).await, "expired");
        s.assert_run(&id, "failed", "expired").await;
        assert!(s.w.connections().await.is_empty());
        // Not even now, when there would be time again: it is over.
        s.w.clock.set(begun);
        says(&Browser::default().open(&back).await, "state_used");
        // The code was shown to nobody, and a new run works.
        let account = s.connected(&person).await;
        assert!(s.lives(&person, &s.tokens(&account).await).await);
        s.w.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callback_that_is_replayed_is_not_shown_to_the_server() {
    for site in SITES {
        let s = Scene::at(site).await;
        let person = s.person().await;
        let (id, page) = s.begin(&person).await;
        let back = s.answer(&page, &person, Says::Yes).await;
        let browser = Browser::default();
        says(&browser.open(&back).await, "offered");
        let events = s.w.events().await.len();
        for who in [&browser, &Browser::default()] {
            says(&who.open(&back).await, "state_used");
        }
        let forged = back.replacen("state=st_", "state=st_x", 1);
        assert_ne!(forged, back);
        says(&browser.open(&forged).await, "state_unknown");
        assert_eq!(s.w.events().await.len(), events, "nothing was changed");
        s.assert_run(&id, "offered", "offered").await;

        // Each of these servers ends the session whose code it sees twice. It lives: the code was shown once.
        let (account, look) = s.choose(&id, &person).await;
        assert_eq!(look["health"], "healthy", "{look}");
        s.w.settle().await;
        assert!(s.lives(&person, &s.tokens(&account).await).await);
        says(&browser.open(&back).await, "state_used");
        assert!(s.lives(&person, &s.tokens(&account).await).await);
        s.w.done().await;
    }
}

/// At the only one of these servers whose page lets a person leave a permission out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_permission_that_is_declined_at_bluesky_is_named_and_publishing_is_off() {
    let s = Scene::at(Site::Bluesky).await;
    let person = s.person().await;
    let only = Says::Only("atproto");
    let (id, page) = s.begin(&person).await;
    says(&s.go(&page, &person, only).await, "offered");
    let run = s.run(&id).await;
    assert_eq!(run["declined"], json!(["transition:generic"]), "{run}");

    let account = s.connected(&person).await;
    let (id, page) = s.begin_again(&account).await;
    let shown = s.go(&page, &person, only).await;
    assert!(shown.text.contains("scopes_missing"), "{}", shown.text);
    s.assert_run(&id, "done", "reconnected").await;
    let row = s.w.connection(&account).await;
    assert_eq!(row.health, Health::Critical, "{:?}", row.reasons);
    let told = s.w.told(account.connection.uuid()).await;
    let declined = told.iter().rev().find_map(|event| match event {
        Event::ConnectionReconnected { declined, .. } => Some(declined.clone()),
        _ => None,
    });
    assert_eq!(declined, Some(vec!["transition:generic".to_owned()]));

    // Allowed the next time, it is well again.
    let (_, page) = s.begin_again(&account).await;
    says(&s.go(&page, &person, Says::Yes).await, "reconnected");
    assert_eq!(s.w.connection(&account).await.health, Health::Healthy);
    s.w.done().await;
}

/// A code that came from elsewhere: the gateway hands it to the server, which does not know it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_that_the_server_never_gave_connects_nothing() {
    for site in SITES {
        let s = Scene::at(site).await;
        let person = s.person().await;
        let (id, page) = s.begin(&person).await;
        let back = s.answer(&page, &person, Says::Yes).await;
        let mut other: url::Url = back.parse().expect("a URL");
        let pairs: Vec<(String, String)> = other
            .query_pairs()
            .map(|(name, value)| {
                let value = match (&*name, site) {
                    ("code", Site::Bluesky) => format!("cod-{}", "0".repeat(64)),
                    ("code", _) => "0".repeat(value.len()),
                    _ => value.into_owned(),
                };
                (name.into_owned(), value)
            })
            .collect();
        other.query_pairs_mut().clear().extend_pairs(pairs);
        says(
            &Browser::default().open(other.as_str()).await,
            "code_refused",
        );
        s.assert_run(&id, "failed", "code_refused").await;
        assert!(s.w.connections().await.is_empty());
        s.connected(&person).await;
        s.w.done().await;
    }
}
