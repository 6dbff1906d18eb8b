//! X's webhooks: handshake, subscriptions, signatures.

use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::routing::get as on_get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use mooring_simulator::x::{XCallback, XTokenAct};
use mooring_simulator::{Delivery, Platform};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::client::{get, post_json, send};
use crate::x::X;

fn signature(secret: &str, message: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    format!("sha256={}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// A receiver that answers handshakes with this secret.
async fn receiver(secret: &str) -> String {
    async fn handshake(
        State(secret): State<String>,
        Query(query): Query<std::collections::HashMap<String, String>>,
    ) -> axum::Json<Value> {
        let token = query.get("crc_token").map_or("", String::as_str);
        axum::Json(json!({ "response_token": signature(&secret, token) }))
    }
    let app = Router::new()
        .route("/hook", on_get(handshake).post(|| async {}))
        .with_state(secret.to_owned());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    #[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}/hook")
}

/// Waits, with an end, until so many deliveries were answered.
async fn answered(x: &X, count: usize) -> Vec<Delivery> {
    let mut looks = tokio::time::interval(Duration::from_millis(10));
    for _ in 0..500 {
        let all = x.admin.deliveries();
        if all.iter().filter(|d| d.answer.is_some()).count() >= count {
            return all;
        }
        looks.tick().await;
    }
    panic!("no {count} deliveries: {:?}", x.admin.deliveries());
}

async fn subscribe(x: &X, url: &str) -> String {
    let call = post_json("/x/2/webhooks", &json!({ "url": url })).token(&x.app.bearer);
    let made = send(&x.simulator, &call).await;
    assert_eq!(made.status, 200, "{:?}", made.json());
    made.json()["data"]["id"].as_str().unwrap().to_owned()
}

async fn is_valid(x: &X) -> bool {
    let list = send(&x.simulator, &get("/x/2/webhooks").token(&x.app.bearer)).await;
    list.json()["data"][0]["valid"] == true
}

#[tokio::test]
async fn a_webhook_proves_itself_and_gets_what_it_asked_for() {
    let x = X::new().await;
    let url = receiver(&x.app.consumer_secret).await;
    let webhook = subscribe(&x, &url).await;
    answered(&x, 1).await;
    assert!(is_valid(&x).await);
    let body = json!({
        "event_type": "post.delete",
        "filter": { "user_id": x.user.id },
        "tag": "deletes",
        "webhook_id": webhook,
    });
    let call = post_json("/x/2/activity/subscriptions", &body).token(&x.app.bearer);
    assert_eq!(send(&x.simulator, &call).await.status, 200);
    let posted = x.post("soon gone").await.json();
    let id = posted["data"]["id"].as_str().unwrap();
    x.admin.delete_post(Platform::X, id).unwrap();
    let all = answered(&x, 2).await;
    assert_eq!(all.len(), 2, "post.create was not asked for");
    let event: Value = serde_json::from_str(&all[1].body).unwrap();
    assert_eq!(event["data"]["event_type"], "post.delete");
    assert_eq!(
        event["data"]["payload"],
        json!({ "id": id, "author_id": x.user.id })
    );
    assert_eq!(event["data"]["tag"], "deletes");
    event["data"]["event_uuid"]
        .as_str()
        .unwrap()
        .parse::<i64>()
        .unwrap();
    let header = all[1]
        .headers
        .iter()
        .find(|(k, _)| k == "x-twitter-webhooks-signature");
    assert_eq!(
        header.unwrap().1,
        signature(&x.app.consumer_secret, &all[1].body)
    );
}

#[tokio::test]
async fn a_receiver_with_the_wrong_secret_stays_invalid_and_gets_nothing() {
    let x = X::new().await;
    let url = receiver("another secret").await;
    let webhook = subscribe(&x, &url).await;
    answered(&x, 1).await;
    assert!(!is_valid(&x).await);
    x.admin
        .act_on_x_tokens(&x.user.id, XTokenAct::Revoke)
        .unwrap();
    assert_eq!(x.admin.deliveries().len(), 1);
    x.admin.check_x_webhook(&x.app.id, &webhook).unwrap();
    assert_eq!(x.admin.deliveries()[1].method, "GET");
}

#[tokio::test]
async fn a_consent_taken_back_is_told_without_a_subscription() {
    let x = X::new().await;
    let url = receiver(&x.app.consumer_secret).await;
    x.admin
        .set_x_callback(&x.app.id, &XCallback { url })
        .unwrap();
    x.admin
        .act_on_x_tokens(&x.user.id, XTokenAct::Revoke)
        .unwrap();
    let all = answered(&x, 1).await;
    let event: Value = serde_json::from_str(&all[0].body).unwrap();
    assert_eq!(event["data"]["event_type"], "oauth.revoke");
    assert_eq!(event["data"]["payload"]["user_id"], x.user.id);
    assert_eq!(event["data"]["payload"]["app_id"], x.app.id);
    assert_eq!(
        event["data"]["payload"]["date_time"],
        "2026-11-23T15:00:00+00:00"
    );
}
