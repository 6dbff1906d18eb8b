//! `/posts` and `/targets`: roles, lists, overrides, edits, requests that come twice.

use mooring_domain::{Platform, Role, time::hours};
use mooring_tests::World;
use reqwest::Method;
use serde_json::{Value, json};

use super::{plan, target, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_100_a_scheduled_post_is_confirmed() {
    let w = World::start().await;
    let account = w.connect(Platform::Bluesky).await;
    let operator = w.api(Role::Operator).await;
    let made = operator
        .post("/posts", plan(&w, &[&account], "ahoy", 60))
        .await;
    let made = made.ok(201);
    assert_eq!(text(&made, "state"), "scheduled");
    assert_eq!(made["platforms"], json!({"bluesky": "scheduled"}));
    assert_eq!(text(&made["targets"][0], "stage"), "scheduled");
    let id = text(&made, "id");
    let viewer = w.api(Role::Viewer).await;
    let shown = viewer.get(&format!("/posts/{id}")).await.ok(200);
    assert_eq!(shown, made, "what is shown is what was answered");
    let told = w.events().await;
    let told = told.iter().find(|event| event.name == "post_scheduled");
    assert_eq!(text(&told.expect("told").data, "post"), id);
    for (path, body) in [
        ("/posts".to_owned(), plan(&w, &[&account], "mutiny", 60)),
        (format!("/posts/{id}/cancel"), json!({})),
        (format!("/targets/{}/cancel", target(&made, 0).0), json!({})),
        (
            format!("/targets/{}/publish-again", target(&made, 0).0),
            json!({}),
        ),
    ] {
        let _ = viewer.post(&path, body).await.problem(403, "role_too_low");
    }
    let _ = viewer
        .patch(&format!("/posts/{id}"), json!({"text": "mutiny"}))
        .await
        .problem(403, "role_too_low");
    w.advance(hours(2)).await;
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_is_filtered_and_comes_in_pages_the_newest_first() {
    let w = World::start().await;
    let (blue, page) = (
        w.connect(Platform::Bluesky).await,
        w.connect(Platform::Facebook).await,
    );
    let api = w.api(Role::Operator).await;
    let brand = json!({"brand": "Quay"});
    let _ = api
        .patch(&format!("/connections/{}", page.connection), brand)
        .await
        .ok(200);
    for (number, to) in [[&blue], [&page], [&blue], [&page]].iter().enumerate() {
        let minutes = 60 * (i64::try_from(number).unwrap() + 1);
        let _ = api
            .post(
                "/posts",
                plan(&w, &to[..], &format!("no. {number}"), minutes),
            )
            .await
            .ok(201);
        w.advance(mooring_domain::time::seconds(1)).await;
    }
    let base = w.now() - mooring_domain::time::seconds(4);
    let texts = async |query: &str| {
        let (mut texts, mut next) = (Vec::new(), None::<String>);
        loop {
            let cursor = next
                .map(|next| format!("&cursor={next}"))
                .unwrap_or_default();
            let page = api
                .get(&format!("/posts?limit=1{query}{cursor}"))
                .await
                .ok(200);
            let items = page["items"].as_array().expect("items").clone();
            texts.extend(items.iter().map(|item| text(item, "text").to_owned()));
            next = page["next"].as_str().map(str::to_owned);
            if next.is_none() {
                return texts;
            }
        }
    };
    assert_eq!(texts("").await, ["no. 3", "no. 2", "no. 1", "no. 0"]);
    assert_eq!(
        texts(&format!("&connection={}", blue.connection)).await,
        ["no. 2", "no. 0"]
    );
    assert_eq!(texts("&brand=Quay").await, ["no. 3", "no. 1"]);
    let from = (base + hours(2)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let to = (base + hours(4)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    assert_eq!(
        texts(&format!("&due_from={from}&due_to={to}")).await,
        ["no. 2", "no. 1"]
    );
    w.advance(hours(2)).await;
    assert_eq!(texts("&state=published").await, ["no. 1", "no. 0"]);
    assert_eq!(texts("&state=scheduled&brand=Quay").await, ["no. 3"]);
    assert_eq!(texts("&state=failed").await, Vec::<String>::new());
    for query in [
        "state=lost",
        "brand=None",
        "connection=conn_1",
        "due_from=tomorrow",
    ] {
        let _ = api
            .get(&format!("/posts?{query}"))
            .await
            .problem(422, "invalid");
    }
    w.advance(hours(3)).await;
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_platform_gets_what_is_said_there_and_each_is_checked_by_that() {
    let w = World::start().await;
    let (blue, page) = (
        w.connect(Platform::Bluesky).await,
        w.connect(Platform::Facebook).await,
    );
    let api = w.api(Role::Operator).await;
    let long = "a long story ".repeat(40);
    let order = |overrides: Value| {
        let mut order = plan(&w, &[&blue, &page], &long, 60);
        order["overrides"] = overrides;
        order
    };
    let detail = api
        .post("/posts", order(json!({})))
        .await
        .problem(422, "invalid");
    assert!(detail.contains("too many for bluesky"), "{detail}");
    let detail = api
        .post("/posts", order(json!({"x": {"text": "short"}})))
        .await
        .problem(422, "invalid");
    assert!(detail.starts_with("overrides: x is no place"), "{detail}");
    let _ = api
        .post("/posts", order(json!({"bluesky": {"words": "short"}})))
        .await
        .problem(422, "invalid");
    let made = api
        .post("/posts", order(json!({"bluesky": {"text": "short"}})))
        .await
        .ok(201);
    assert_eq!(made["overrides"], json!({"bluesky": {"text": "short"}}));
    // An edit is checked by what each place would say, too.
    let path = format!("/posts/{}", text(&made, "id"));
    let detail = api
        .patch(&path, json!({"overrides": {}}))
        .await
        .problem(422, "invalid");
    assert!(detail.contains("too many for bluesky"), "{detail}");
    let by_connection = json!({"overrides": {"bluesky": {"text": "short"}, (page.connection.to_string()): {"text": "for the page"}}});
    let edited = api.patch(&path, by_connection).await.ok(200);
    assert_eq!(edited["revision"], 2);
    w.advance(hours(2)).await;
    assert_eq!(
        (w.copies(&blue, "short"), w.copies(&page, "for the page")),
        (1, 1)
    );
    assert_eq!(w.copies(&page, long.trim()), 0);
    let shown = api.get(&path).await.ok(200);
    assert_eq!(text(&shown, "state"), "published");
    // What was read back is what was sent there.
    for place in 0..2 {
        assert_eq!(text(&shown["targets"][place], "verdict"), "live");
        assert_eq!(shown["targets"][place]["attempts"][0]["revision"], 2);
    }
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_that_waits_can_be_changed() {
    let w = World::start().await;
    let (blue, page) = (
        w.connect(Platform::Bluesky).await,
        w.connect(Platform::Facebook).await,
    );
    let api = w.api(Role::Operator).await;
    let made = api
        .post("/posts", plan(&w, &[&blue, &page], "first words", 60))
        .await
        .ok(201);
    let path = format!("/posts/{}", text(&made, "id"));
    let detail = api.patch(&path, json!({})).await.problem(422, "invalid");
    assert!(detail.contains("says nothing"), "{detail}");
    let past = w.now() - hours(3);
    let _ = api
        .patch(&path, json!({"due": past}))
        .await
        .problem(422, "invalid");
    let _ = api
        .patch(&path, json!({"max_lateness_s": 5}))
        .await
        .problem(422, "invalid");
    let (later, critical) = (w.now() + hours(5), true);
    let told =
        json!({"text": "last words", "due": later, "critical": critical, "max_lateness_s": 120});
    let edited = api.patch(&path, told).await.ok(200);
    assert_eq!(
        (
            text(&edited, "text"),
            &edited["critical"],
            &edited["max_lateness_s"]
        ),
        ("last words", &json!(true), &json!(120))
    );
    assert_eq!(edited["targets"][0]["due"], edited["due"]["at"]);
    w.advance(hours(4)).await;
    let shown = api.get(&path).await.ok(200);
    assert_eq!(text(&shown, "state"), "scheduled", "its time was moved");
    // One target is taken out; what is left is changed and goes out.
    let (first, _) = target(&made, 0);
    let cancelled = api
        .post(&format!("/targets/{first}/cancel"), json!({}))
        .await
        .ok(200);
    assert_eq!(cancelled["platforms"]["bluesky"], "cancelled");
    let sooner = w.now() + mooring_domain::time::minutes(5);
    let _ = api
        .patch(&path, json!({"due": sooner, "max_lateness_s": null}))
        .await
        .ok(200);
    w.advance(mooring_domain::time::minutes(10)).await;
    assert_eq!(
        (w.copies(&blue, "last words"), w.copies(&page, "last words")),
        (0, 1)
    );
    let shown = api.get(&path).await.ok(200);
    assert_eq!(
        text(&shown, "state"),
        "published",
        "what was cancelled does not count"
    );
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_that_waits_can_be_cancelled_as_a_whole() {
    let w = World::start().await;
    let (blue, page) = (
        w.connect(Platform::Bluesky).await,
        w.connect(Platform::Facebook).await,
    );
    let api = w.api(Role::Operator).await;
    let made = api
        .post("/posts", plan(&w, &[&blue, &page], "never mind", 60))
        .await
        .ok(201);
    let cancel = format!("/posts/{}/cancel", text(&made, "id"));
    assert_eq!(
        text(&api.post(&cancel, json!({})).await.ok(200), "state"),
        "cancelled"
    );
    assert_eq!(
        text(&api.post(&cancel, json!({})).await.ok(200), "state"),
        "cancelled",
        "again changes nothing"
    );
    assert_eq!(w.event_counts().await["target_cancelled"], 2);
    w.advance(hours(2)).await;
    assert_eq!(w.copies(&blue, "never mind"), 0);
    let _ = api
        .post("/posts/post_1/cancel", json!({}))
        .await
        .problem(404, "not_found");
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_comes_twice_schedules_once() {
    let w = World::start().await;
    let account = w.connect(Platform::Bluesky).await;
    let api = w.api(Role::Operator).await;
    let key = [("idempotency-key", "monday")];
    let order = plan(&w, &[&account], "once", 60);
    let mut answers = Vec::new();
    for _ in 0..2 {
        let answer = api
            .send(Method::POST, "/posts", Some(order.clone()), &key)
            .await;
        answers.push(answer.ok(201));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(w.event_counts().await["post_scheduled"], 1);
    w.advance(hours(2)).await;
    assert_eq!(w.copies(&account, "once"), 1);
    w.done().await;
}
