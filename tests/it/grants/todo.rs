//! What people are asked to do: advice, alerts, tasks.

use chrono::{DateTime, Utc};
use mooring_domain::{
    Event, Platform, Role,
    connection::Health,
    time::{days, hours, minutes},
};
use mooring_simulator::{Fault, FaultKind, Platform as Sim, RevokeReason, TokenScope};
use mooring_tests::{Account, Api, Browser, World};
use serde_json::{Value, json};

use super::{count, patient};

async fn items(api: &Api, path: &str) -> Vec<Value> {
    let page = api.get(path).await.ok(200);
    page["items"].as_array().expect("a page").clone()
}

fn time(value: &Value) -> DateTime<Utc> {
    let text = value.as_str().expect("a time");
    text.parse().expect("a time")
}

async fn advice(api: &Api, account: &Account) -> Value {
    let path = format!("/connections/{}", account.connection);
    api.get(&path).await.ok(200)["advice"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_012_a_failing_platform_is_waited_for_and_after_a_day_help_is_advised_once() {
    for kind in [
        FaultKind::Status {
            code: 503,
            body: None,
        },
        FaultKind::RateLimited { reset_s: 600 },
    ] {
        let world = World::start().await;
        let account = world.connect(Platform::Facebook).await;
        let viewer = world.api(Role::Viewer).await;
        world.settle().await;
        assert_eq!(advice(&viewer, &account).await, Value::Null, "all is well");
        let fault = Fault::new(Sim::Facebook, "check", kind.clone());
        let fault = world.sim().add_fault(fault).expect("a fault");
        world.advance(hours(2)).await;
        let told = advice(&viewer, &account).await;
        assert_eq!(told["code"], "wait", "{kind:?}: {told}");
        let wait = time(&told["until"]) - world.now();
        assert!(
            wait <= minutes(30) && wait >= minutes(0),
            "{kind:?}: {wait}"
        );
        assert!(
            told["words"]
                .as_str()
                .expect("words")
                .contains("30 minutes")
        );
        world.advance(hours(21)).await;
        assert_eq!(advice(&viewer, &account).await["code"], "wait");
        assert_eq!(
            count(&world, "connection_stuck").await,
            0,
            "not for a day yet"
        );
        world.advance(hours(3)).await;
        assert_eq!(
            advice(&viewer, &account).await["code"],
            "support",
            "{kind:?}"
        );
        world.advance(hours(12)).await;
        assert_eq!(count(&world, "connection_stuck").await, 1, "told once");
        let alerts = items(&viewer, "/alerts").await;
        assert_eq!(alerts[0]["event"], "connection_stuck");
        assert_eq!(alerts[0]["connections"][0]["action"]["code"], "support");
        // It heals, and the next time is counted from its own beginning.
        world.sim().remove_fault(fault).expect("the fault goes");
        world.advance(hours(1)).await;
        assert_eq!(advice(&viewer, &account).await, Value::Null);
        assert_eq!(
            items(&viewer, "/alerts").await[0]["connections"][0]["settled"],
            true
        );
        world
            .sim()
            .add_fault(Fault::new(Sim::Facebook, "check", kind))
            .expect("a fault");
        world.advance(hours(3)).await;
        assert_eq!(advice(&viewer, &account).await["code"], "wait");
        assert_eq!(count(&world, "connection_stuck").await, 1);
        world.sim().clear_faults();
        world.advance(hours(1)).await;
        world.done().await;
    }
}

struct Changed {
    world: World,
    operator: Api,
    user: String,
    account: Account,
}

/// A page whose person has changed the password at the platform, some minutes ago.
async fn password_changed() -> Changed {
    let world = World::start().await;
    let operator = world.api(Role::Operator).await;
    let user = world.facebook_person(1);
    let made = world
        .connect_pages(&operator, &user, &[&user.pages[0].id])
        .await;
    world.advance(minutes(30)).await;
    world
        .sim()
        .revoke_facebook_tokens(&user.id, RevokeReason::PasswordChanged, TokenScope::All)
        .expect("changed");
    // Within the next check.
    world.advance(hours(1)).await;
    Changed {
        account: made[0].clone(),
        user: user.id,
        operator,
        world,
    }
}

/// The newest alert about a changed password, and its only connection.
async fn alert(api: &Api) -> (Value, Value) {
    let all = items(api, "/alerts?limit=200").await;
    let found = all.iter().find(|one| one["event"] == "security_event");
    let found = found.expect("an alert").clone();
    let connection = found["connections"][0].clone();
    (found, connection)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_020_the_alert_of_a_changed_password_leads_to_a_connected_account() {
    let s = password_changed().await;
    let viewer = s.world.api(Role::Viewer).await;
    let (told, connection) = alert(&viewer).await;
    assert_eq!(told["severity"], "critical");
    let id = s.account.connection.to_string();
    assert_eq!(connection["id"], id);
    assert_eq!(connection["action"]["code"], "reconnect");
    assert_eq!(connection["settled"], false);
    let link = connection["links"]["reconnect"].as_str().expect("a link");
    let at = format!("http://{}/api/v1", s.world.gateway);
    let path = link.strip_prefix(&at).expect("an absolute address of ours");
    // A link opens nothing by itself, and to a viewer it does not open at all.
    let _detail = viewer
        .post(path, json!({}))
        .await
        .problem(403, "role_too_low");
    let begun = s.operator.post(path, json!({})).await.ok(201);
    let page = begun["authorize_url"].as_str().expect("a page");
    let shown = Browser::default().go(page, &s.user, &[]).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    let row = s.world.connection(&s.account).await;
    assert_eq!(
        (row.id, row.health),
        (s.account.connection, Health::Healthy)
    );
    let (_, connection) = alert(&viewer).await;
    assert_eq!(connection["id"], id);
    assert_eq!(connection["settled"], true);
    assert!(connection.get("action").is_none());
    assert!(items(&viewer, "/tasks").await.is_empty());
    s.world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_020_the_alert_of_a_changed_password_leads_somebody_without_a_key_there_too() {
    let s = password_changed().await;
    let (_, connection) = alert(&s.operator).await;
    let link = connection["links"]["share"].as_str().expect("a link");
    let at = format!("http://{}/api/v1", s.world.gateway);
    let path = link.strip_prefix(&at).expect("an absolute address of ours");
    let made = s.operator.post(path, json!({})).await.ok(201);
    let url = made["url"].as_str().expect("an address");
    let browser = Browser::default();
    let shown = browser.open(url).await;
    let (_, rest) = shown
        .text
        .split_once("name=\"form\" value=\"")
        .expect("a form");
    let form = rest.split('"').next().expect("its value");
    let sent = browser.submit(url, &[("form", form)]).await;
    let page = sent.location.expect("the platform's page");
    let shown = browser.go(&page, &s.user, &[]).await;
    assert!(shown.text.contains("healthy"), "{}", shown.text);
    let row = s.world.connection(&s.account).await;
    assert_eq!(row.health, Health::Healthy);
    // What opens the account is in no alert and no event.
    let secret = url.rsplit('/').next().expect("a token");
    let alerts = s.operator.get("/alerts?limit=200").await;
    assert!(!alerts.text.contains(secret));
    let events = s.world.events().await;
    assert!(
        events
            .iter()
            .all(|row| !row.data.to_string().contains(secret))
    );
    s.world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_020_alerts_come_in_pages_newest_first_and_only_to_their_own_workspace() {
    let world = World::start().await;
    let viewer = world.api(Role::Viewer).await;
    for reason in [RevokeReason::PasswordChanged, RevokeReason::AppRemoved] {
        let account = world.connect(Platform::Facebook).await;
        world.settle().await;
        world
            .sim()
            .revoke_facebook_tokens(&account.user, reason, TokenScope::All)
            .expect("revoked");
        world.look(&account).await;
        world.advance(minutes(5)).await;
    }
    let all = items(&viewer, "/alerts").await;
    let names: Vec<&str> = all.iter().filter_map(|one| one["event"].as_str()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert_eq!(names[0], "auth_state_changed", "the newest");
    assert!(all.iter().all(|one| one["severity"] != "info"));
    assert!(
        all.windows(2)
            .all(|two| time(&two[0]["at"]) >= time(&two[1]["at"]))
    );
    let mut seen = Vec::new();
    let mut path = "/alerts?limit=1".to_owned();
    loop {
        let page = viewer.get(&path).await.ok(200);
        seen.extend(page["items"].as_array().expect("items").clone());
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!("/alerts?limit=1&cursor={next}");
    }
    assert_eq!(seen, all);
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_032_a_task_opens_fourteen_days_before_the_end_and_closes_by_a_reconnect() {
    let world = patient().await;
    let viewer = world.api(Role::Viewer).await;
    let operator = world.api(Role::Operator).await;
    let person = world.newcomer(Platform::LinkedIn);
    let (account, _) = world
        .connect_in_browser(&operator, Platform::LinkedIn, &person)
        .await;
    world.settle().await;
    let ends_at = world.facts(&account).await.token.ends_at.expect("an end");
    world.advance(ends_at - days(15) - world.now()).await;
    assert!(items(&viewer, "/tasks").await.is_empty(), "too early");
    world.advance(days(2)).await;
    let open = items(&viewer, "/tasks").await;
    let [task] = &open[..] else {
        panic!("{open:?}")
    };
    assert_eq!(
        (&task["kind"], &task["why"]),
        (&json!("reauthorize"), &json!("ends_soon"))
    );
    let (opened, due) = (time(&task["opened_at"]), time(&task["due"]));
    let ends_at = world.facts(&account).await.token.ends_at.expect("an end");
    assert_eq!(due, ends_at);
    assert_eq!(opened, due - days(14), "before it ends, not after");
    assert!(opened <= world.now());
    let link = task["connections"][0]["links"]["reconnect"]
        .as_str()
        .expect("a link");
    let (_, path) = link.split_once("/api/v1").expect("an address of ours");
    let begun = operator.post(path, json!({})).await.ok(201);
    let shown = world.consent(&begun, &person).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    assert!(
        items(&viewer, "/tasks").await.is_empty(),
        "it closed by itself"
    );
    let ends_now = world.facts(&account).await.token.ends_at.expect("an end");
    assert!(ends_now > ends_at + days(14));
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_032_what_renews_itself_opens_no_task_and_what_is_taken_back_opens_one_at_once() {
    let world = patient().await;
    let viewer = world.api(Role::Viewer).await;
    let pages = world.import_pages(2).await;
    for _ in 0..5 {
        world.advance(days(12)).await;
        assert!(items(&viewer, "/tasks").await.is_empty());
    }
    world
        .sim()
        .revoke_facebook_tokens(&pages[0].user, RevokeReason::AppRemoved, TokenScope::All)
        .expect("revoked");
    world.advance(hours(13)).await;
    let open = items(&viewer, "/tasks").await;
    let [task] = &open[..] else {
        panic!("{open:?}")
    };
    assert_eq!(task["why"], "revoked");
    let named = task["connections"].as_array().expect("a list");
    assert_eq!(named.len(), 2, "one consent heals both");
    let grant = world.grant_of(&pages[0]).await;
    let told = world.events().await;
    let verdict = told.iter().find(|row| {
        row.subject == grant.uuid()
            && matches!(
                serde_json::from_value(row.data.clone()),
                Ok(Event::AuthStateChanged { .. })
            )
    });
    let since = verdict.expect("a verdict").at;
    assert_eq!(
        (time(&task["opened_at"]), time(&task["due"])),
        (since, since)
    );
    world.done().await;
}
