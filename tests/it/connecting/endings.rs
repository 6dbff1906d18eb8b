//! Every way in which connecting can end without an account: a code, nothing changed, and another try.

use mooring_domain::{
    Platform, Role,
    platform::ConnectsBy,
    time::{minutes, seconds},
};
use mooring_simulator::{Fault, FaultKind, Platform as Sim};
use mooring_tests::{Api, Browser, Shown, World};
use serde_json::{Value, json};

async fn begin(api: &Api) -> (String, String) {
    let begun = api.post("/connect/facebook", json!({})).await.ok(201);
    let text = |name: &str| begun[name].as_str().expect("a text").to_owned();
    (text("id"), text("authorize_url"))
}

async fn run(api: &Api, id: &str) -> Value {
    api.get(&format!("/connects/{id}")).await.ok(200)
}

fn says(shown: &Shown, code: &str) {
    assert!(
        shown.text.contains(&format!("Code: {code}")),
        "{}",
        shown.text
    );
}

/// After whatever went wrong: nothing is connected, and the next try works.
async fn still_works(w: &World, api: &Api) {
    assert!(w.connections().await.is_empty());
    let user = w.facebook_person(1);
    let made = w.connect_pages(api, &user, &[&user.pages[0].id]).await;
    assert_eq!(w.connections().await.len(), 1);
    assert_eq!(made.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_042_a_no_at_the_platform_changes_nothing_and_can_be_tried_again() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let user = w.facebook_person(1);
    let (id, page) = begin(&api).await;
    let shown = Browser::default()
        .go(&page, &user.id, &[("deny", "1")])
        .await;
    says(&shown, "denied");
    let seen = run(&api, &id).await;
    assert_eq!(
        (&seen["status"], &seen["code"]),
        (&json!("failed"), &json!("denied"))
    );
    assert_eq!(w.event_counts().await["connect_failed"], 1);
    still_works(&w, &api).await;
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_042_a_closed_window_ends_by_itself() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let (id, page) = begin(&api).await;
    assert_eq!(run(&api, &id).await["status"], "pending");
    w.advance(minutes(10) + seconds(1)).await;
    let seen = run(&api, &id).await;
    assert_eq!(
        (&seen["status"], &seen["code"]),
        (&json!("failed"), &json!("expired"))
    );
    // Whoever comes back now is too late.
    let user = w.facebook_person(1);
    let shown = Browser::default().go(&page, &user.id, &[]).await;
    says(&shown, "expired");
    still_works(&w, &api).await;
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_042_a_state_works_once_and_only_ours_work() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let user = w.facebook_person(1);
    let (id, page) = begin(&api).await;
    let browser = Browser::default();
    let back = browser.consent(&page, &user.id, &[]).await.unwrap();
    assert_eq!(browser.open(&back).await.status, 200);
    let before = w.events().await.len();
    let calls = w.sim().calls().total;
    says(&browser.open(&back).await, "state_used");
    let forged = format!(
        "http://{}/connect/callback?state=st_forged&code=x",
        w.gateway
    );
    says(&browser.open(&forged).await, "state_unknown");
    let bare = format!("http://{}/connect/callback", w.gateway);
    says(&browser.open(&bare).await, "state_unknown");
    assert_eq!(w.events().await.len(), before, "nothing was changed");
    assert_eq!(
        w.sim().calls().total,
        calls,
        "no code was shown to the platform"
    );
    assert_eq!(
        run(&api, &id).await["status"],
        "offered",
        "the first still stands"
    );
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_043_a_platform_that_fails_at_the_exchange_has_its_code() {
    let faults = [
        (
            FaultKind::Status {
                code: 500,
                body: None,
            },
            "provider_error",
        ),
        (FaultKind::DroppedRequest, "provider_error"),
        (FaultKind::LostAnswer, "provider_error"),
        (FaultKind::Garbage, "provider_error"),
        (FaultKind::RateLimited { reset_s: 60 }, "provider_error"),
    ];
    for (kind, code) in faults {
        let w = World::start().await;
        let api = w.api(Role::Operator).await;
        let user = w.facebook_person(1);
        let (id, page) = begin(&api).await;
        let fault = Fault::new(Sim::Facebook, "code_exchange", kind.clone()).times(1);
        w.sim().add_fault(fault).unwrap();
        says(&Browser::default().go(&page, &user.id, &[]).await, code);
        let seen = run(&api, &id).await;
        assert_eq!(
            (&seen["status"], &seen["code"]),
            (&json!("failed"), &json!(code)),
            "{kind:?}"
        );
        still_works(&w, &api).await;
        w.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_043_a_code_that_the_platform_does_not_know_has_its_code() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let user = w.facebook_person(1);
    let (id, page) = begin(&api).await;
    let browser = Browser::default();
    let back = browser.consent(&page, &user.id, &[]).await.unwrap();
    let back = back.replace("code=AQ", "code=XX");
    says(&browser.open(&back).await, "code_refused");
    assert_eq!(run(&api, &id).await["code"], "code_refused");
    still_works(&w, &api).await;
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_is_chosen_by_whoever_began_once_and_in_time() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let user = w.facebook_person(2);
    let choice = json!({ "destinations": [user.pages[0].id] });
    let (id, page) = begin(&api).await;
    let path = format!("/connects/{id}/choose");
    let detail = api
        .post(&path, choice.clone())
        .await
        .problem(409, "not_offered");
    assert!(detail.contains("not come back"), "{detail}");
    assert_eq!(
        Browser::default().go(&page, &user.id, &[]).await.status,
        200
    );
    let other = w.api(Role::Admin).await;
    let _ = other
        .post(&path, choice.clone())
        .await
        .problem(403, "not_yours");
    // Another operator may look, though.
    assert_eq!(
        run(&other, &id).await["destinations"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    let viewer = w.api(Role::Viewer).await;
    let _ = viewer
        .get(&format!("/connects/{id}"))
        .await
        .problem(403, "role_too_low");
    let _ = api.post(&path, choice.clone()).await.ok(200);
    let _ = api
        .post(&path, choice.clone())
        .await
        .problem(409, "not_offered");
    let (id, page) = begin(&api).await;
    assert_eq!(
        Browser::default().go(&page, &user.id, &[]).await.status,
        200
    );
    w.advance(minutes(15) + seconds(1)).await;
    let late = api.post(&format!("/connects/{id}/choose"), choice).await;
    let _ = late.problem(409, "not_offered");
    assert_eq!(w.connections().await.len(), 1);
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_is_sent_on_to_allowed_places_with_the_outcome() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let user = w.facebook_person(1);
    let evil = json!({ "return_url": "https://evil.example/" });
    let detail = api
        .post("/connect/facebook", evil)
        .await
        .problem(422, "invalid");
    assert!(detail.contains("gateway.return_urls"), "{detail}");
    let ours = format!("http://{}/accounts?tab=all", w.gateway);
    let begun = api
        .post("/connect/facebook", json!({ "return_url": ours }))
        .await
        .ok(201);
    let page = begun["authorize_url"].as_str().unwrap();
    let shown = Browser::default().go(page, &user.id, &[]).await;
    assert_eq!(shown.status, 303);
    let on = shown.location.unwrap();
    let id = begun["id"].as_str().unwrap();
    assert_eq!(on, format!("{ours}&connect={id}&outcome=offered"));
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_for_browsers_are_kept_framed_and_told_about_by_nobody() {
    let w = World::start().await;
    let browser = Browser::default();
    let url = format!("http://{}/connect/callback?state=x", w.gateway);
    let shown = browser.open(&url).await;
    let header = |name: &str| shown.headers.get(name).map(String::as_str);
    assert_eq!(header("cache-control"), Some("no-store"));
    assert_eq!(header("referrer-policy"), Some("no-referrer"));
    assert_eq!(header("x-content-type-options"), Some("nosniff"));
    let policy = header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!shown.text.contains("<script"), "{}", shown.text);
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_042_every_platform_s_own_no_is_told_as_a_no() {
    let has_a_page = |one: &Platform| one.connects_by() == ConnectsBy::Browser;
    for platform in Platform::ALL.into_iter().filter(has_a_page) {
        let w = World::start().await;
        let api = w.api(Role::Operator).await;
        let person = w.newcomer(platform);
        let begun = w.begin(&api, platform, &person).await;
        let page = begun["authorize_url"].as_str().unwrap();
        let user = &person.remote_user_id;
        let shown = Browser::default().go(page, user, &[("deny", "1")]).await;
        assert!(
            shown.text.contains("Code: denied"),
            "{platform}: {}",
            shown.text
        );
        assert!(w.connections().await.is_empty());
        w.done().await;
    }
}
