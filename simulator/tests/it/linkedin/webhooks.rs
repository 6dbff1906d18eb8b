//! The challenge, and signed notifications.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::routing::get;
use axum::{Json, Router};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};

use super::{LinkedIn, encoded, is};
use crate::client::post_json;

type Parameters = Query<HashMap<String, String>>;

/// A receiver that answers the challenge under this secret, and keeps what it is told.
#[derive(Clone)]
struct Receiver {
    secret: String,
    told: Arc<Mutex<Vec<(String, String)>>>,
}

fn sign(secret: &str, message: &str) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

impl Receiver {
    /// Starts it; its address.
    async fn start(secret: &str) -> (Self, String) {
        let receiver = Self {
            secret: secret.to_owned(),
            told: Arc::default(),
        };
        let challenge = |State(receiver): State<Self>, Query(query): Parameters| async move {
            receiver.challenge(&query["challengeCode"])
        };
        let notification = |State(receiver): State<Self>, headers: HeaderMap, body: String| async move {
            receiver.notification(&headers, body);
        };
        let app = Router::new()
            .route("/hook", get(challenge).post(notification))
            .with_state(receiver.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        #[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        (receiver, url)
    }

    fn challenge(&self, code: &str) -> Json<Value> {
        let response = sign(&self.secret, code);
        Json(json!({ "challengeCode": code, "challengeResponse": response }))
    }

    fn notification(&self, headers: &HeaderMap, body: String) {
        let signature = headers["x-li-signature"].to_str().unwrap().to_owned();
        self.told.lock().unwrap().push((signature, body));
    }
}

/// Waits until every delivery has an answer.
async fn settle(li: &LinkedIn) {
    let settled = async {
        while li
            .admin
            .deliveries()
            .iter()
            .any(|delivery| delivery.answer.is_none())
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), settled)
        .await
        .unwrap();
}

/// Subscribes to the first organization; the subscription's path.
async fn subscribe(li: &LinkedIn, url: &str) -> String {
    let path = format!(
        "/linkedin/rest/eventSubscriptions/(developerApplication:urn%3Ali%3AdeveloperApplication%3A{},user:{},entity:{},eventType:ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS)",
        li.app.number,
        encoded(&li.member.urn),
        encoded(li.page()),
    );
    let put = post_json(path.clone(), &json!({ "webhook": url })).method("PUT");
    assert_eq!(li.call(put).await.status, 204);
    settle(li).await;
    path.trim_start_matches("/linkedin/").to_owned()
}

#[tokio::test]
async fn a_receiver_that_passes_the_challenge_is_told_with_a_signature() {
    let li = LinkedIn::new().await;
    let (receiver, url) = Receiver::start(&li.app.secret).await;
    let path = subscribe(&li, &url).await;
    assert_eq!(li.get(&path).await.json()["webhook"], url);
    let urn = li.publish(li.page(), "hello").await.headers["x-restli-id"].clone();
    assert_eq!(li.admin.act_on_linkedin_post(&urn, "COMMENT"), 1);
    settle(&li).await;
    let told = receiver.told.lock().unwrap().clone();
    let (signature, body) = &told[0];
    assert_eq!(
        *signature,
        sign(&li.app.secret, &format!("hmacsha256={body}"))
    );
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["type"], "ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS");
    let notification = &body["notifications"][0];
    assert_eq!(notification["sourcePost"], urn.as_str());
    assert_eq!(notification["organizationalEntity"], li.page());

    // Posts of people tell nobody; a lost role ends the subscription without a word.
    let own = li.publish(&li.member.urn, "hello").await.headers["x-restli-id"].clone();
    assert_eq!(li.admin.act_on_linkedin_post(&own, "LIKE"), 0);
    let organization = &li.member.organizations[0].id;
    li.admin
        .set_linkedin_role(organization, &li.member.id, None)
        .unwrap();
    assert_eq!(li.admin.act_on_linkedin_post(&urn, "LIKE"), 0);
    is(&li.get(&path).await, 403, "ACCESS_DENIED");
}

#[tokio::test]
async fn a_receiver_is_challenged_every_two_hours_and_told_nothing_once_it_fails() {
    let li = LinkedIn::new().await;
    let (_receiver, url) = Receiver::start("another secret").await;
    subscribe(&li, &url).await;
    let urn = li.publish(li.page(), "hello").await.headers["x-restli-id"].clone();
    assert_eq!(li.admin.act_on_linkedin_post(&urn, "LIKE"), 0);
    for challenges in [2, 3, 4, 4] {
        li.admin.clock().advance(Duration::from_hours(2)).unwrap();
        settle(&li).await;
        let sent = li.admin.deliveries();
        assert_eq!(sent.len(), challenges);
        assert!(
            sent.iter()
                .all(|delivery| delivery.url.contains("challengeCode="))
        );
    }
}
