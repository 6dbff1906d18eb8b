//! Windows, bills, names.

use std::time::Duration;

use mooring_simulator::x::{XFieldNames, XLimits, XPostAct};
use serde_json::json;

use super::{X, problem};
use crate::client::START_MS;

#[tokio::test]
async fn windows_have_their_headers_and_end_by_the_clock() {
    let x = X::new().await;
    x.set(|s| {
        s.limits = XLimits {
            creates_per_user_15min: Some(2),
            creates_per_user_24h: Some(3),
            creates_per_app_24h: Some(100),
            ..XLimits::default()
        };
    });
    let first = x.post("1").await;
    assert_eq!(first.headers["x-rate-limit-limit"], "2");
    assert_eq!(first.headers["x-rate-limit-remaining"], "1");
    assert_eq!(
        first.headers["x-rate-limit-reset"],
        (START_MS / 1000 + 900).to_string()
    );
    assert_eq!(first.headers["x-app-limit-24hour-remaining"], "99");
    assert_eq!(x.post("2").await.status, 201);
    let over = x.post("3").await;
    assert_eq!(
        (over.status, over.json()["title"].as_str()),
        (429, Some("Too Many Requests"))
    );
    assert_eq!(over.headers["x-rate-limit-remaining"], "0");
    x.advance(Duration::from_mins(15));
    let over = x.post("4").await;
    assert_eq!(
        over.status, 429,
        "the day's three are used up, one of them refused"
    );
    assert_eq!(over.headers["x-user-limit-24hour-remaining"], "0");
    assert_eq!(
        over.headers["x-user-limit-24hour-reset"],
        (START_MS / 1000 + 86_400).to_string()
    );
    x.set(|s| s.limits.me_per_user_15min = Some(1));
    assert_eq!(x.own("users/me").await.status, 200);
    assert_eq!(x.own("users/me").await.status, 429);
}

#[tokio::test]
async fn reads_are_billed_once_a_day_and_end_at_the_monthly_cap() {
    let x = X::new().await;
    let id = x.posted("plain").await;
    x.posted("with https://example.com").await;
    for _ in 0..3 {
        x.own("users/me").await;
        x.own(&format!("tweets/{id}")).await;
        x.own("tweets/1").await;
    }
    let usage = x.admin.x_usage(&x.app.id).unwrap();
    assert_eq!((usage.user_reads, usage.post_reads), (1, 1));
    assert_eq!((usage.creates, usage.creates_with_link), (1, 1));
    assert_eq!(usage.cost_micro_usd, 10_000 + 5_000 + 15_000 + 200_000);
    x.advance(Duration::from_hours(12));
    let fresh = x
        .refresh(x.user.refresh_token.as_ref().unwrap())
        .await
        .json();
    let token = fresh["access_token"].as_str().unwrap();
    x.get("users/me", token).await;
    assert_eq!(
        x.admin.x_usage(&x.app.id).unwrap().user_reads,
        2,
        "a new UTC day"
    );
    x.set(|s| s.monthly_read_cap = Some(1));
    let capped = x.get(&format!("tweets/{id}"), token).await;
    assert_eq!(problem(&capped), (429, "usage-capped".to_owned()));
    assert_eq!(capped.json()["title"], "UsageCapExceeded");
    let report = x.get("usage/tweets", &x.app.bearer).await.json();
    assert_eq!(
        (
            &report["data"]["project_cap"],
            &report["data"]["project_usage"]
        ),
        (&"1".into(), &"1".into())
    );
}

#[tokio::test]
async fn names_of_both_generations_are_spoken() {
    let x = X::new().await;
    let id = x.posted("names").await;
    for name in ["tweet.fields", "post.fields"] {
        assert_eq!(
            x.own(&format!("tweets/{id}?{name}=created_at"))
                .await
                .status,
            200
        );
    }
    x.set(|s| s.field_names = XFieldNames::Current);
    assert_eq!(
        x.own(&format!("tweets/{id}?tweet.fields=created_at"))
            .await
            .status,
        400
    );
    let read = x.own(&format!("tweets/{id}")).await.json();
    assert!(read["data"].get("edit_history_tweet_ids").is_none());
    x.set(|s| s.field_names = XFieldNames::Legacy);
    assert_eq!(
        x.own(&format!("tweets/{id}?post.fields=created_at"))
            .await
            .status,
        400
    );
    let gone = x.own("tweets/1").await.json();
    assert_eq!(
        gone["errors"][0]["type"],
        "https://api.twitter.com/2/problems/resource-not-found"
    );
    x.admin
        .act_on_x_post(&id, XPostAct::WithholdIn(vec!["DE".to_owned()]))
        .unwrap();
    let read = x
        .own(&format!("tweets/{id}?tweet.fields=withheld"))
        .await
        .json();
    assert_eq!(read["data"]["withheld"]["country_codes"], json!(["DE"]));
}
