//! Pages: several from one log-in, several people, roles, and the profile that is none.

use mooring_domain::{Event, Platform, Role};
use mooring_tests::{Browser, World};
use serde_json::{Value, json};

fn offered<'a>(run: &'a Value, remote_id: &str) -> &'a Value {
    let all = run["destinations"].as_array().expect("destinations");
    let found = all.iter().find(|one| one["remote_id"] == remote_id);
    found.unwrap_or_else(|| panic!("{remote_id} is offered: {run}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_067_several_pages_come_from_one_consent_and_share_its_grant() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let user = w.facebook_person(3);
    let pages: Vec<&str> = user.pages.iter().map(|page| page.id.as_str()).collect();
    let made = w.connect_pages(&api, &user, &pages[..2]).await;
    let grants = api.get("/grants").await.ok(200);
    let grants = grants["items"].as_array().unwrap();
    assert_eq!(grants.len(), 1);
    assert_eq!(grants[0]["connections"].as_array().unwrap().len(), 2);
    for account in &made {
        let told = w.told(account.connection.uuid()).await;
        let ended = |event: &Event| matches!(event, Event::ConnectionConnected { .. });
        assert_eq!(told.iter().filter(|event| ended(event)).count(), 1);
    }
    w.settle().await;
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_061_a_workspace_has_many_accounts_of_a_platform() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    for _ in 0..3 {
        let person = w.newcomer(Platform::X);
        let (_, seen) = w.connect_in_browser(&api, Platform::X, &person).await;
        assert_eq!(seen["outcome"], "connected");
    }
    assert_eq!(w.connections().await.len(), 3);
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_064_each_page_is_its_own_connection_and_another_admin_may_connect_another() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let (ann, bob) = (w.facebook_person(2), w.facebook_person(1));
    let tasks = vec!["MANAGE".to_owned(), "CREATE_CONTENT".to_owned()];
    let shared = &ann.pages[0].id;
    w.sim()
        .set_facebook_tasks(shared, &bob.id, Some(tasks))
        .unwrap();
    let first = w.connect_pages(&api, &ann, &[&ann.pages[1].id]).await;
    let second = w.connect_pages(&api, &bob, &[shared]).await;
    assert_ne!(first[0].connection, second[0].connection);
    let grants = api.get("/grants").await.ok(200);
    assert_eq!(
        grants["items"].as_array().unwrap().len(),
        2,
        "one of each admin"
    );
    w.settle().await;
    // When Bob has left, Ann reconnects the page as herself: same connection, her grant.
    w.sim().set_facebook_tasks(shared, &bob.id, None).unwrap();
    let (_, shown) = w.reconnect_as(&api, &second[0], &ann.id, &[]).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    assert!(shown.text.contains("healthy"), "{}", shown.text);
    let grants = api.get("/grants").await.ok(200);
    let grants = grants["items"].as_array().unwrap();
    assert_eq!(
        grants.len(),
        1,
        "Bob's feeds nothing any more, and is forgotten"
    );
    assert_eq!(grants[0]["connections"].as_array().unwrap().len(), 2);
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_065_a_page_without_the_role_to_publish_is_refused_and_says_why() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let user = w.facebook_person(2);
    let moderated = &user.pages[1].id;
    let tasks = vec!["MODERATE".to_owned()];
    w.sim()
        .set_facebook_tasks(moderated, &user.id, Some(tasks))
        .unwrap();
    let begun = api.post("/connect/facebook", json!({})).await.ok(201);
    let page = begun["authorize_url"].as_str().unwrap();
    Browser::default().go(page, &user.id, &[]).await;
    let id = begun["id"].as_str().unwrap();
    let run = api.get(&format!("/connects/{id}")).await.ok(200);
    assert_eq!(offered(&run, moderated)["refused"], "role");
    assert_eq!(offered(&run, moderated)["may_publish"], false);
    assert!(offered(&run, &user.pages[0].id)["refused"].is_null());
    let path = format!("/connects/{id}/choose");
    let both = json!({ "destinations": [user.pages[0].id, moderated] });
    let detail = api
        .post(&path, both)
        .await
        .problem(422, "destination_refused");
    assert!(
        detail.contains(moderated.as_str()) && detail.contains("role"),
        "{detail}"
    );
    assert!(w.connections().await.is_empty(), "all or none");
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_066_a_personal_profile_is_refused_with_the_reason() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let user = w.facebook_person(1);
    let begun = api.post("/connect/facebook", json!({})).await.ok(201);
    let page = begun["authorize_url"].as_str().unwrap();
    Browser::default().go(page, &user.id, &[]).await;
    let id = begun["id"].as_str().unwrap();
    let run = api.get(&format!("/connects/{id}")).await.ok(200);
    assert_eq!(offered(&run, &user.id)["refused"], "personal_profile");
    let path = format!("/connects/{id}/choose");
    let own = json!({ "destinations": [user.id] });
    let detail = api
        .post(&path, own)
        .await
        .problem(422, "destination_refused");
    assert!(detail.contains("personal profile"), "{detail}");
    // Somebody with nothing but a profile ends with a code of its own.
    let lone = w.facebook_person(0);
    let begun = api.post("/connect/facebook", json!({})).await.ok(201);
    let page = begun["authorize_url"].as_str().unwrap();
    let shown = Browser::default().go(page, &lone.id, &[]).await;
    assert!(shown.text.contains("no_destination"), "{}", shown.text);
    assert!(w.connections().await.is_empty());
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_068_instagram_accounts_of_different_pages_are_authorized_each_by_itself() {
    separately(Platform::InstagramFacebook).await;
    separately(Platform::Instagram).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_075_a_threads_profile_is_authorized_by_itself() {
    separately(Platform::Threads).await;
}

/// Two accounts, two consents, two grants.
async fn separately(platform: Platform) {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    for _ in 0..2 {
        let person = w.newcomer(platform);
        w.connect_in_browser(&api, platform, &person).await;
    }
    let grants = api.get("/grants").await.ok(200);
    let grants = grants["items"].as_array().unwrap();
    assert_eq!(grants.len(), 2, "{platform}");
    for grant in grants {
        assert_eq!(
            grant["connections"].as_array().unwrap().len(),
            1,
            "{platform}"
        );
    }
    w.done().await;
}
