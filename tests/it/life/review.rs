//! After a breach: what went out, who wanted it, and what was unusual.

use mooring_domain::{
    Platform, Policy, Role,
    time::{hours, minutes, seconds},
};
use mooring_gateway::acts::{self, SchedulePost};
use mooring_store::Actor;
use mooring_tests::{World, WorldOptions};
use serde_json::json;

use super::{ENGINES, on};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_058_recent_posts_tell_where_they_are_and_who_wanted_them() {
    for engine in ENGINES {
        let w = on(engine).await;
        let account = w.connect(Platform::Facebook).await;
        w.settle().await;
        let old = w.post(&account, "of yesterday", minutes(1)).await;
        w.advance(hours(30)).await;
        let admin = w.api(Role::Admin).await;
        let key = admin.get("/me").await.ok(200)["key"].clone();
        let actor = Actor::Key {
            key: key.as_str().unwrap().parse().unwrap(),
            from: "203.0.113.7".to_owned(),
        };
        let order = SchedulePost {
            connections: vec![account.connection],
            content: mooring_domain::post::Content::text("of the thief"),
            media: Vec::new(),
            due: w.now() + minutes(1),
            critical: false,
            allow_duplicate: true,
            ..SchedulePost::default()
        };
        acts::schedule_post(&w.store, &actor, w.workspace, order, w.now())
            .await
            .unwrap();
        w.advance(minutes(3)).await;
        let recent = admin.get("/posts/recent?hours=24").await.ok(200);
        let [post] = &recent.as_array().unwrap()[..] else {
            panic!("{recent}")
        };
        assert_eq!(post["text"], "of the thief");
        assert_eq!(post["scheduled_by"], key);
        assert_eq!(post["origin"], "203.0.113.7");
        assert_eq!(post["connection"], account.connection.to_string());
        assert!(post["permalink"].is_string() && post["published_at"].is_string());
        let all = admin.get("/posts/recent?hours=48").await.ok(200);
        let all = all.as_array().unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!(all[1]["target"], old.target().to_string());
        assert_eq!(all[1]["scheduled_by"], "cli");
        let refused = admin.get("/posts/recent?hours=0").await;
        let _ = refused.problem(422, "invalid");
        w.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_059_a_burst_on_a_connection_is_flagged_once_an_hour() {
    let policy = Policy {
        unusual_per_hour: 3,
        public_media: true,
        ..Policy::default()
    };
    let w = World::with(WorldOptions {
        policy,
        ..WorldOptions::default()
    })
    .await;
    let (busy, calm) = (
        w.connect(Platform::Facebook).await,
        w.connect(Platform::Facebook).await,
    );
    w.settle().await;
    let told = async || w.event_counts().await.get("unusual_activity").copied();
    for number in 0..3 {
        w.post(&busy, &format!("{number}"), hours(9)).await;
        w.post(&calm, &format!("{number}"), hours(9)).await;
    }
    assert_eq!(told().await, None);
    for number in 3..6 {
        w.post(&busy, &format!("{number}"), hours(9)).await;
    }
    assert_eq!(told().await, Some(1), "once");
    let events = w.events().await;
    let event = events.iter().find(|row| row.name == "unusual_activity");
    let event = event.unwrap();
    assert_eq!(event.subject, busy.connection.uuid());
    assert_eq!(event.data["count"], 4);
    w.advance(minutes(61)).await;
    for number in 6..10 {
        w.post(&busy, &format!("{number}"), hours(9)).await;
    }
    assert_eq!(told().await, Some(2), "and again in another hour");
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_146_the_audit_finds_what_was_done_to_a_connection() {
    for engine in ENGINES {
        let w = on(engine).await;
        let account = w.connect(Platform::Bluesky).await;
        w.settle().await;
        let operator = w.api(Role::Operator).await;
        let path = format!("/connections/{}", account.connection);
        // Two events of one moment have no order.
        w.advance(seconds(1)).await;
        let _ = operator.patch(&path, json!({"owner": "Ada"})).await.ok(200);
        w.advance(seconds(1)).await;
        let check = format!("{path}/check");
        let answer = operator
            .send(reqwest::Method::POST, &check, None, &[])
            .await;
        assert_eq!(answer.status, 202);
        w.advance(seconds(1)).await;
        let shown = operator.get(&format!("{path}/disconnect")).await.ok(200);
        let confirm = shown["confirm"].as_str().unwrap();
        let _ = operator
            .delete(&format!("{path}?confirm={confirm}"))
            .await
            .ok(200);
        let key = operator.get("/me").await.ok(200)["key"].clone();
        let query = format!("/audit?subject={}", account.connection);
        let told = operator.get(&query).await.ok(200);
        let names: Vec<_> = told["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["event"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(
            names,
            [
                "connection_removed",
                "check_requested",
                "connection_edited",
                "connection_imported"
            ]
        );
        for entry in &told["items"].as_array().unwrap()[..3] {
            assert_eq!(
                (&entry["actor"], &entry["origin"]),
                (&key, &json!("127.0.0.1"))
            );
        }
        let revoked = operator
            .get("/audit?event=grant_revoked_at_platform")
            .await
            .ok(200);
        assert_eq!(
            revoked["items"][0]["actor"], key,
            "its outcome is theirs too"
        );
        for query in ["event=health_changed", "subject=nobody"] {
            let answer = operator.get(&format!("/audit?{query}")).await;
            let _ = answer.problem(422, "invalid");
        }
        w.done().await;
    }
}
