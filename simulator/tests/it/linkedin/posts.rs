//! Versions, posts, text, duplicates, reading back, quotas and faults.

use std::time::Duration;

use mooring_simulator::{Fault, FaultKind, Platform};
use serde_json::json;

use super::{DAY, LinkedIn, VERSION, encoded, is, post, post_with};
use crate::client::{START_MS, get, post_bytes, post_json, send, try_send};

#[tokio::test]
async fn a_version_and_the_protocol_must_be_named() {
    let li = LinkedIn::new().await;
    let body = post(&li.member.urn, "hello");
    let request = || post_json("/linkedin/rest/posts", &body).token(&li.member.access_token);
    is(
        &send(&li.simulator, &request()).await,
        400,
        "VERSION_MISSING",
    );
    for old in ["202409", "202701", "latest"] {
        let reply = send(&li.simulator, &request().header("linkedin-version", old)).await;
        is(&reply, 426, "NONEXISTENT_VERSION");
    }
    let old = send(
        &li.simulator,
        &request().header("linkedin-version", "202409"),
    )
    .await;
    assert_eq!(
        old.json()["message"],
        "Requested version 20240901 is not active"
    );
    let request = || request().header("linkedin-version", VERSION);
    is(
        &send(&li.simulator, &request()).await,
        400,
        "ILLEGAL_ARGUMENT",
    );
    let wrong = request().header("x-restli-protocol-version", "3.0.0");
    is(&send(&li.simulator, &wrong).await, 400, "ILLEGAL_ARGUMENT");
    let right = request().header("x-restli-protocol-version", "2.0.0");
    assert_eq!(send(&li.simulator, &right).await.status, 201);
    li.set(|settings| settings.oldest_version = "202610".to_owned());
    is(
        &li.publish(&li.member.urn, "retired").await,
        426,
        "NONEXISTENT_VERSION",
    );
    let nothing = get("/linkedin/v2/nothing");
    is(
        &send(&li.simulator, &nothing).await,
        404,
        "RESOURCE_NOT_FOUND",
    );
}

#[tokio::test]
async fn a_post_is_a_201_without_a_body_and_its_urn_in_a_header() {
    let li = LinkedIn::new().await;
    let created = li.publish(li.page(), "hello \\(world\\) #Rust").await;
    assert_eq!((created.status, created.body.len()), (201, 0));
    let urn = created.headers["x-restli-id"].clone();
    assert!(urn.starts_with("urn:li:share:7"), "{urn}");
    assert_eq!(
        created.headers["location"],
        format!("/posts/{}", encoded(&urn))
    );
    assert!(created.headers.contains_key("x-li-uuid"));
    assert_eq!(li.texts(), ["hello (world) #Rust"]);

    let path = format!("rest/posts/{}", encoded(&urn));
    let read = li.get(&path).await.json();
    assert_eq!(read["id"], urn.as_str());
    assert_eq!(read["author"], li.page());
    assert_eq!(read["commentary"], "hello \\(world\\) {hashtag|\\#|Rust}");
    assert_eq!(read["lifecycleState"], "PUBLISHED");
    assert_eq!(read["publishedAt"], START_MS);
    li.admin
        .edit_post(Platform::LinkedIn, &urn, "1 < 2")
        .unwrap();
    let read = li.get(&path).await.json();
    assert_eq!(read["commentary"], "1 \\< 2");
    assert_eq!(read["lifecycleStateInfo"]["isEditedByAuthor"], true);

    assert_eq!(li.delete(&path).await.status, 204);
    assert_eq!(li.delete(&path).await.status, 204, "deleting is idempotent");
    is(&li.get(&path).await, 404, "NOT_FOUND");
}

#[tokio::test]
async fn urns_in_paths_and_queries_must_be_percent_encoded() {
    let li = LinkedIn::new().await;
    let urn = li.publish(li.page(), "hello").await.headers["x-restli-id"].clone();
    let raw = li.get(&format!("rest/posts/{urn}")).await;
    is(&raw, 400, "ILLEGAL_ARGUMENT");
    assert_eq!(raw.json()["message"], "Syntax exception in path variables");
    let raw = li
        .get(&format!("rest/posts?q=author&author={}", li.page()))
        .await;
    is(&raw, 400, "ILLEGAL_ARGUMENT");
    is(
        &li.delete(&format!("rest/posts/{urn}")).await,
        400,
        "ILLEGAL_ARGUMENT",
    );
}

#[tokio::test]
async fn posts_of_people_cannot_be_read_back_but_deleted() {
    let li = LinkedIn::new().await;
    let urn = li.publish(&li.member.urn, "mine").await.headers["x-restli-id"].clone();
    let path = format!("rest/posts/{}", encoded(&urn));
    is(&li.get(&path).await, 403, "ACCESS_DENIED");
    let finder = format!("rest/posts?q=author&author={}", encoded(&li.member.urn));
    is(&li.get(&finder).await, 403, "ACCESS_DENIED");
    assert_eq!(li.delete(&path).await.status, 204);

    // The closed permission.
    li.admin
        .set_linkedin_product(&li.app.id, "r_member_social", true)
        .unwrap();
    li.admin
        .set_linkedin_scope(&li.member.id, "r_member_social", true)
        .unwrap();
    is(&li.get(&path).await, 404, "NOT_FOUND");
    assert_eq!(li.get(&finder).await.status, 200);
}

#[tokio::test]
async fn posts_of_organizations_are_found_by_author_after_a_moment() {
    let li = LinkedIn::new().await;
    let finder = format!(
        "rest/posts?q=author&author={}&count=2&sortBy=CREATED",
        encoded(li.page())
    );
    for text in ["one", "two", "three"] {
        assert_eq!(li.publish(li.page(), text).await.status, 201);
        li.admin.clock().advance(Duration::from_secs(1)).unwrap();
    }
    let texts = |body: &serde_json::Value| -> Vec<String> {
        let rows = body["elements"].as_array().unwrap();
        rows.iter()
            .map(|row| row["commentary"].as_str().unwrap().to_owned())
            .collect()
    };
    let early = li.get(&finder).await.json();
    assert_eq!(
        texts(&early),
        ["two", "one"],
        "the newest is not indexed yet"
    );
    li.admin.clock().advance(Duration::from_secs(2)).unwrap();
    let first = li.get(&finder).await.json();
    assert_eq!(texts(&first), ["three", "two"]);
    let second = li.get(&format!("{finder}&start=2")).await.json();
    assert_eq!(texts(&second), ["one"]);

    let ids: Vec<String> = first["elements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| encoded(row["id"].as_str().unwrap()))
        .collect();
    let batch = format!(
        "rest/posts?ids=List({},urn%3Ali%3Ashare%3A1)",
        ids.join(",")
    );
    let batch = li.get(&batch).await.json();
    assert_eq!(batch["results"].as_object().unwrap().len(), 2);
    assert_eq!(batch["errors"]["urn:li:share:1"]["status"], 404);
    let escaped = li
        .get("rest/posts?ids=List%28urn%253Ali%253Ashare%253A1%29")
        .await;
    is(&escaped, 400, "ILLEGAL_ARGUMENT");
}

#[tokio::test]
async fn the_same_again_within_ten_minutes_is_a_422_that_names_the_first() {
    let li = LinkedIn::new().await;
    let urn = li.publish(&li.member.urn, "same").await.headers["x-restli-id"].clone();
    let again = li.publish(&li.member.urn, "same").await;
    is(&again, 422, "DUPLICATE_POST");
    assert_eq!(
        again.json()["message"],
        format!("Content is a duplicate of {urn}")
    );
    assert_eq!(li.publish(&li.member.urn, "other").await.status, 201);
    is(
        &li.publish(&li.member.urn, "same").await,
        422,
        "DUPLICATE_POST",
    );
    assert_eq!(
        li.publish(li.page(), "same").await.status,
        201,
        "another author"
    );
    li.admin.clock().advance(Duration::from_mins(10)).unwrap();
    assert_eq!(li.publish(&li.member.urn, "same").await.status, 201);
    let summary = li.admin.ledger_summary();
    assert_eq!(
        (summary.posts, summary.doubled, summary.refused_duplicates),
        (4, 1, 2)
    );
}

#[tokio::test]
async fn an_unescaped_character_cuts_the_text_without_a_word() {
    let li = LinkedIn::new().await;
    assert_eq!(
        li.publish(&li.member.urn, "price (net) is low")
            .await
            .status,
        201
    );
    assert_eq!(li.texts(), ["price "]);
    let longest = "x".repeat(2_998) + "\\(\\)";
    assert_eq!(
        li.publish(&li.member.urn, &longest).await.status,
        201,
        "escapes do not count"
    );
    let too_long = li.publish(&li.member.urn, &"x".repeat(3_001)).await;
    is(&too_long, 400, "FIELD_LENGTH_TOO_LONG");
    is(
        &li.publish(&li.member.urn, " ").await,
        400,
        "INVALID_VALUE_BLANK_FIELD",
    );
}

#[tokio::test]
async fn what_the_post_needs_must_be_there_and_right() {
    let li = LinkedIn::new().await;
    let author = &li.member.urn;
    let try_post = async |body: serde_json::Value| li.post("rest/posts", &body).await;
    let with = |field: &str, value: serde_json::Value| {
        let mut body = post(author, "x");
        body[field] = value;
        body
    };
    is(
        &try_post(with("author", json!(null))).await,
        400,
        "MISSING_FIELD",
    );
    is(
        &try_post(with("author", json!("urn:li:share:1"))).await,
        400,
        "INVALID_URN_TYPE",
    );
    is(
        &try_post(with("author", json!("urn:li:person:else"))).await,
        403,
        "ACCESS_DENIED",
    );
    is(
        &try_post(with("visibility", json!("ALL"))).await,
        400,
        "INVALID_VALUE_FOR_FIELD",
    );
    is(
        &try_post(with("lifecycleState", json!("DRAFT"))).await,
        400,
        "INVALID_VALUE_FOR_FIELD",
    );
    is(
        &try_post(with("distribution", json!({}))).await,
        400,
        "MISSING_FIELD",
    );
    let article = json!({ "article": { "source": "https://example.com/a" } });
    is(
        &try_post(post_with(author, "x", article)).await,
        400,
        "MISSING_FIELD",
    );
    let article = json!({ "article": { "source": "https://example.com/a", "title": "A" } });
    assert_eq!(try_post(post_with(author, "x", article)).await.status, 201);
    let image = json!({ "media": { "id": "urn:li:image:none" } });
    is(
        &try_post(post_with(author, "x", image)).await,
        400,
        "INVALID_IMAGE_ID",
    );
    let text = post_bytes("/linkedin/rest/posts", "text/plain", b"x");
    is(&li.call(text).await, 415, "UNSUPPORTED_MEDIA_TYPE");
}

#[tokio::test]
async fn quotas_are_per_day_for_members_and_for_apps_and_end_at_midnight() {
    let li = LinkedIn::new().await;
    li.set(|settings| settings.member_calls_per_day = Some(1));
    assert_eq!(li.publish(&li.member.urn, "one").await.status, 201);
    let refused = li.publish(&li.member.urn, "two").await;
    is(&refused, 429, "TOO_MANY_REQUESTS");
    let text = "Resource level throttle MEMBER DAY limit for calls to this resource is reached.";
    assert_eq!(refused.json()["message"], text);
    assert!(!refused.headers.contains_key("retry-after"));
    assert_eq!(li.get("v2/userinfo").await.status, 200, "another endpoint");
    // The clock starts at 15:00 UTC.
    li.admin.clock().advance(Duration::from_hours(9)).unwrap();
    assert_eq!(li.publish(&li.member.urn, "two").await.status, 201);
    li.set(|settings| settings.app_calls_per_day = Some(0));
    let refused = li.publish(&li.member.urn, "three").await;
    assert!(
        refused.json()["message"]
            .as_str()
            .unwrap()
            .contains("APPLICATION DAY")
    );
    li.admin.clock().advance(DAY).unwrap();
    is(
        &li.publish(&li.member.urn, "three").await,
        429,
        "TOO_MANY_REQUESTS",
    );
}

#[tokio::test]
async fn faults_strike_in_the_platforms_own_words() {
    let li = LinkedIn::new().await;
    let author = li.member.urn.as_str();
    let fault = |kind| {
        let fault = Fault::new(Platform::LinkedIn, "publish", kind);
        li.admin.add_fault(fault.account(author).times(1)).unwrap();
    };
    fault(FaultKind::RateLimited { reset_s: 60 });
    is(&li.publish(author, "a").await, 429, "TOO_MANY_REQUESTS");
    fault(FaultKind::Status {
        code: 503,
        body: None,
    });
    is(&li.publish(author, "a").await, 503, "SERVICE_UNAVAILABLE");
    fault(FaultKind::LostAnswer);
    let body = post(author, "lost");
    let request = post_json("/linkedin/rest/posts", &body)
        .token(&li.member.access_token)
        .header("linkedin-version", VERSION)
        .header("x-restli-protocol-version", "2.0.0");
    assert!(try_send(&li.simulator, &request).await.is_err());
    fault(FaultKind::ErrorAlthoughCreated {
        code: None,
        body: None,
    });
    is(
        &li.publish(author, "although").await,
        504,
        "GATEWAY_TIMEOUT",
    );
    assert_eq!(li.texts(), ["lost", "although"]);
    assert_eq!(li.admin.calls_of(author, "publish"), 4);
    assert_eq!(li.admin.calls_of(li.page(), "publish"), 0);
}
