//! Each kind of fault really has its effect, or really has none.

use std::io;

use mooring_simulator::{Fault, FaultKind, Platform};
use serde_json::json;

use crate::bluesky::{Bluesky, RKEY};
use crate::client::{Connection, Reply, get, post_form, post_json, send, try_send};
use crate::facebook::Facebook;

/// One Facebook publish under one fault: what the caller saw, how many posts
/// exist, how often the fault struck.
async fn publish_under(kind: FaultKind) -> (io::Result<Reply>, usize, u64) {
    let fb = Facebook::new().await;
    let name = kind.as_str();
    fb.admin
        .add_fault(Fault::new(Platform::Facebook, "publish", kind).times(1))
        .unwrap();
    let path = format!("/facebook/{}/feed", fb.page());
    let seen = try_send(
        &fb.simulator,
        &post_form(path, "message=hi").token(fb.page_token()),
    )
    .await;
    let hits = fb.admin.faults().hits[name];
    (seen, fb.admin.ledger_summary().posts, hits)
}

#[tokio::test]
async fn a_lost_answer_leaves_a_post_and_a_dropped_request_none() {
    let (seen, posts, hits) = publish_under(FaultKind::LostAnswer).await;
    assert!(seen.is_err(), "{seen:?}");
    assert_eq!((posts, hits), (1, 1));
    let (seen, posts, hits) = publish_under(FaultKind::DroppedRequest).await;
    assert!(seen.is_err(), "{seen:?}");
    assert_eq!((posts, hits), (0, 1));
}

#[tokio::test]
async fn a_status_and_a_rate_limit_leave_no_post() {
    let (seen, posts, _) = publish_under(FaultKind::Status {
        code: 503,
        body: None,
    })
    .await;
    let seen = seen.unwrap();
    assert_eq!((seen.status, posts), (503, 0));
    assert_eq!(seen.json()["error"]["is_transient"], true);
    let own = json!({ "error": { "code": 1 } });
    let body = Some(own.clone());
    let (seen, ..) = publish_under(FaultKind::Status { code: 400, body }).await;
    assert_eq!(seen.unwrap().json(), own);
    let (seen, posts, _) = publish_under(FaultKind::RateLimited { reset_s: 90 }).await;
    let seen = seen.unwrap();
    assert_eq!(
        (seen.json()["error"]["code"].clone(), posts),
        (80_001.into(), 0)
    );
    assert!(
        seen.headers["x-business-use-case-usage"]
            .contains(r#""estimated_time_to_regain_access":2"#)
    );
}

#[tokio::test]
async fn an_error_although_created_and_garbage_leave_a_post() {
    let kind = FaultKind::ErrorAlthoughCreated {
        code: None,
        body: None,
    };
    let (seen, posts, hits) = publish_under(kind).await;
    let seen = seen.unwrap();
    assert_eq!(
        (seen.status, seen.json()["error"]["code"].clone()),
        (400, 1.into())
    );
    assert_eq!((posts, hits), (1, 1));
    let (seen, posts, _) = publish_under(FaultKind::Garbage).await;
    let seen = seen.unwrap();
    assert_eq!((seen.status, posts), (200, 1));
    assert!(serde_json::from_slice::<serde_json::Value>(&seen.body).is_err());
}

#[tokio::test]
async fn an_error_although_created_waits_for_a_call_that_creates() {
    let fb = Facebook::new().await;
    let kind = FaultKind::ErrorAlthoughCreated {
        code: Some(409),
        body: None,
    };
    fb.admin
        .add_fault(Fault::new(Platform::Facebook, "publish", kind).times(1))
        .unwrap();
    assert_eq!(fb.post("").await.status, 400);
    assert_eq!(fb.admin.faults().faults[0].hits, 0);
    assert_eq!(fb.post("real").await.status, 409);
    assert_eq!(fb.post("next").await.status, 200);
    assert_eq!(fb.admin.ledger_summary().posts, 2);
}

#[tokio::test]
async fn late_answers_differ_from_late_effects() {
    let fb = Facebook::new().await;
    let path = format!("/facebook/{}/feed", fb.page());
    let fault = |kind| {
        fb.admin
            .add_fault(Fault::new(Platform::Facebook, "publish", kind).times(1))
            .unwrap()
    };
    // The answer hangs for an hour, yet the post is there: seen by the ledger.
    fault(FaultKind::LatencyMs { ms: 3_600_000 });
    let mut hanging = Connection::open(&fb.simulator).await;
    hanging
        .write(&post_form(path.clone(), "message=first").token(fb.page_token()))
        .await
        .unwrap();
    wait_for(&fb, 1).await;
    // The effect comes although the caller has hung up before.
    fault(FaultKind::LateEffectMs { ms: 400 });
    let mut leaving = Connection::open(&fb.simulator).await;
    leaving
        .write(&post_form(path, "message=second").token(fb.page_token()))
        .await
        .unwrap();
    wait_for_hits(&fb, "late_effect_ms", 1).await;
    assert_eq!(fb.admin.ledger_summary().posts, 1, "not yet");
    drop(leaving);
    wait_for(&fb, 2).await;
}

async fn wait_for(fb: &Facebook, posts: usize) {
    within_ten_seconds(|| fb.admin.ledger_summary().posts == posts).await;
}

async fn wait_for_hits(fb: &Facebook, kind: &str, hits: u64) {
    within_ten_seconds(|| fb.admin.faults().hits.get(kind) == Some(&hits)).await;
}

async fn within_ten_seconds(condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), wait)
        .await
        .expect("the condition comes true");
}

#[tokio::test]
async fn a_lost_refresh_can_be_repeated_and_a_lost_put_too() {
    let bsky = Bluesky::new().await;
    let fault = |operation| {
        let fault = Fault::new(Platform::Bluesky, operation, FaultKind::LostAnswer);
        bsky.admin
            .add_fault(fault.account(&bsky.account.did).times(1))
            .unwrap()
    };
    fault("refresh");
    let path = "/bluesky/xrpc/com.atproto.server.refreshSession";
    let request = post_json(path, &json!({})).token(&bsky.account.refresh_token);
    assert!(try_send(&bsky.simulator, &request).await.is_err());
    assert_eq!(send(&bsky.simulator, &request).await.status, 200);
    fault("putRecord");
    let path = "/bluesky/xrpc/com.atproto.repo.putRecord";
    let request = post_json(path, &bsky.record(RKEY, "hello")).token(&bsky.account.access_token);
    assert!(try_send(&bsky.simulator, &request).await.is_err());
    assert_eq!(bsky.read(RKEY).await.status, 200);
    assert_eq!(send(&bsky.simulator, &request).await.status, 200);
    assert_eq!(bsky.admin.ledger_summary().posts, 1);
    assert_eq!(bsky.admin.calls_of(&bsky.account.did, "publish"), 2);
}

#[tokio::test]
async fn bluesky_has_its_own_faces_of_failure() {
    let bsky = Bluesky::new().await;
    let fault = |kind| {
        bsky.admin
            .add_fault(Fault::new(Platform::Bluesky, "publish", kind).times(1))
            .unwrap()
    };
    fault(FaultKind::RateLimited { reset_s: 248 });
    let limited = bsky
        .write("repo.putRecord", &bsky.record(RKEY, "hello"))
        .await;
    assert_eq!(
        (limited.status, &*limited.headers["retry-after"]),
        (429, "248")
    );
    fault(FaultKind::Status {
        code: 502,
        body: None,
    });
    let failed = bsky
        .write("repo.putRecord", &bsky.record(RKEY, "hello"))
        .await;
    assert_eq!(
        (failed.status, &failed.json()["error"]),
        (502, &"UpstreamFailure".into())
    );
    fault(FaultKind::ErrorAlthoughCreated {
        code: None,
        body: None,
    });
    let created = bsky
        .write("repo.putRecord", &bsky.record(RKEY, "hello"))
        .await;
    assert_eq!(
        (created.status, &created.json()["error"]),
        (400, &"InvalidSwap".into())
    );
    assert_eq!(bsky.read(RKEY).await.status, 200);
}

#[tokio::test]
async fn a_fault_strikes_only_its_account_and_operation() {
    let fb = Facebook::new().await;
    let other = &fb.user.pages[1];
    let fault = Fault::new(
        Platform::Facebook,
        "publish",
        FaultKind::Status {
            code: 500,
            body: None,
        },
    );
    fb.admin.add_fault(fault.account(&other.id)).unwrap();
    assert_eq!(fb.post("untouched").await.status, 200);
    let request = |token| get(format!("/facebook/{}", other.id)).token(token);
    assert_eq!(
        send(&fb.simulator, &request(&other.token)).await.status,
        200
    );
    let path = format!("/facebook/{}/feed", other.id);
    let publish = post_form(path, "message=struck").token(&other.token);
    assert_eq!(send(&fb.simulator, &publish).await.status, 500);
    fb.admin.clear_faults();
    assert_eq!(send(&fb.simulator, &publish).await.status, 200);
}

#[tokio::test]
async fn a_cut_connection_serves_nothing_more() {
    let fb = Facebook::new().await;
    let mut connection = Connection::open(&fb.simulator).await;
    let me = get("/facebook/me").token(&fb.user.token);
    assert_eq!(connection.send(&me).await.unwrap().status, 200);
    assert_eq!(
        connection.send(&me).await.unwrap().status,
        200,
        "kept alive"
    );
    fb.admin
        .add_fault(Fault::new(Platform::Facebook, "*", FaultKind::DroppedRequest).times(1))
        .unwrap();
    assert!(connection.send(&me).await.is_err());
    assert!(connection.send(&me).await.is_err());
    assert_eq!(send(&fb.simulator, &me).await.status, 200);
    let count = fb.admin.calls().by_operation["facebook.check"];
    assert_eq!((count.calls, count.succeeded, count.unanswered), (4, 3, 1));
}
