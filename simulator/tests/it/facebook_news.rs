//! What Facebook tells an app by itself: webhooks, deauthorize, data deletion.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use mooring_simulator::facebook::{FacebookCallbacks, FacebookSubscription};
use mooring_simulator::{Delivery, Platform, RevokeReason, TokenScope};
use serde_json::{Value, json};

use crate::client::{delete, get, post_form, post_json, send};
use crate::facebook::Facebook;

/// An app's server: answers a handshake with its challenge, and everything else with a text.
struct Receiver {
    url: String,
    answer: Arc<Mutex<String>>,
}

type Params = Query<std::collections::HashMap<String, String>>;

impl Receiver {
    async fn start() -> Self {
        let answer = Arc::new(Mutex::new(String::new()));
        let hear = async |State(answer): State<Arc<Mutex<String>>>, Query(params): Params| {
            let fixed = || answer.lock().unwrap().clone();
            params.get("hub.challenge").cloned().unwrap_or_else(fixed)
        };
        let app = Router::new().fallback(hear).with_state(Arc::clone(&answer));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        #[expect(clippy::disallowed_methods, reason = "a test's own server")]
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, answer }
    }
}

/// Waits until so many deliveries have been answered.
async fn answered(fb: &Facebook, count: usize) -> Vec<Delivery> {
    let wait = async {
        loop {
            let all = fb.admin.deliveries();
            if all.iter().filter(|d| d.answer.is_some()).count() >= count {
                return all;
            }
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(10), wait).await;
    waited.unwrap_or_else(|_| panic!("too few deliveries: {:?}", fb.admin.deliveries()))
}

async fn subscribed(object: &str, fields: &[&str]) -> (Facebook, Receiver) {
    let (fb, receiver) = (Facebook::new().await, Receiver::start().await);
    let wanted = FacebookSubscription {
        object: object.to_owned(),
        callback_url: format!("{}/hook", receiver.url),
        verify_token: "verify".to_owned(),
        fields: fields.iter().map(|f| (*f).to_owned()).collect(),
        verified: false,
    };
    fb.admin
        .subscribe_facebook_app(&fb.app.id, &wanted)
        .unwrap();
    answered(&fb, 1).await;
    (fb, receiver)
}

fn mac(fb: &Facebook, message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(fb.app.secret.as_bytes()).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// The body of a webhook whose signature is right.
fn signed_body(fb: &Facebook, delivery: &Delivery) -> Value {
    let signature = format!("sha256={}", hex::encode(mac(fb, delivery.body.as_bytes())));
    let header = ("x-hub-signature-256".to_owned(), signature);
    assert!(delivery.headers.contains(&header), "{:?}", delivery.headers);
    serde_json::from_str(&delivery.body).unwrap()
}

/// The payload of a signed request whose signature is right.
fn signed_payload(fb: &Facebook, delivery: &Delivery) -> Value {
    let signed = delivery.body.strip_prefix("signed_request=").unwrap();
    let (signature, payload) = signed.split_once('.').unwrap();
    assert_eq!(
        signature,
        URL_SAFE_NO_PAD.encode(mac(fb, payload.as_bytes()))
    );
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[tokio::test]
async fn an_app_subscribes_by_a_handshake_and_is_installed_on_a_page() {
    let (fb, receiver) = (Facebook::new().await, Receiver::start().await);
    let app_token = format!("{}|{}", fb.app.id, &*fb.app.secret);
    let path = format!("/facebook/v26.0/{}/subscriptions", fb.app.id);
    let form = format!(
        "object=page&callback_url={}/hook&verify_token=v&fields=feed",
        receiver.url
    );
    let reply = send(&fb.simulator, &post_form(&*path, &form).token(&app_token)).await;
    assert_eq!(reply.json()["success"], true);
    let shake = answered(&fb, 1).await.remove(0);
    assert_eq!(shake.method, "GET");
    assert!(shake.url.contains("hub.mode=subscribe") && shake.url.contains("hub.verify_token=v"));
    let listed = send(&fb.simulator, &get(&*path).token(&app_token))
        .await
        .json();
    assert_eq!(listed["data"][0]["active"], true);
    assert_eq!(listed["data"][0]["fields"][0]["name"], "feed");

    let path = format!("/facebook/v26.0/{}/subscribed_apps", fb.page());
    let install = post_form(&*path, "subscribed_fields=feed").token(fb.page_token());
    assert_eq!(send(&fb.simulator, &install).await.json()["success"], true);
    let installed = send(&fb.simulator, &get(&*path).token(fb.page_token()))
        .await
        .json();
    assert_eq!(installed["data"][0]["id"], fb.app.id);
    assert_eq!(installed["data"][0]["subscribed_fields"], json!(["feed"]));
    fb.admin
        .drop_facebook_scope(&fb.user.id, "pages_manage_metadata", None)
        .unwrap();
    assert_eq!(send(&fb.simulator, &install).await.status, 403);
}

#[tokio::test]
async fn a_page_tells_what_was_added_edited_and_removed() {
    let (fb, _receiver) = subscribed("page", &["feed"]).await;
    fb.post("before it is installed").await;
    fb.admin
        .install_facebook_app(&fb.app.id, fb.page())
        .unwrap();
    let id = fb.post("caf%C3%A9").await.json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    fb.admin.edit_post(Platform::Facebook, &id, "tea").unwrap();
    fb.admin.delete_post(Platform::Facebook, &id).unwrap();
    let sent = answered(&fb, 4).await;
    assert_eq!(sent.len(), 4);
    assert!(
        sent[1].body.contains("caf\\u00e9"),
        "ASCII only: {}",
        sent[1].body
    );
    let verbs = ["add", "edited", "remove"];
    for (delivery, verb) in sent[1..].iter().zip(verbs) {
        let body = signed_body(&fb, delivery);
        assert_eq!(
            (&body["object"], &body["entry"][0]["id"]),
            (&"page".into(), &fb.page().into())
        );
        let value = &body["entry"][0]["changes"][0]["value"];
        assert_eq!(
            (&value["verb"], &value["post_id"]),
            (&verb.into(), &id.as_str().into())
        );
    }
    // A delivery may come twice.
    fb.admin.resend_facebook_webhook().unwrap();
    let again = answered(&fb, 5).await;
    assert_eq!(again[4].body, again[3].body);
}

#[tokio::test]
async fn nothing_is_sent_before_the_handshake_is_answered_well() {
    let fb = Facebook::new().await;
    let wanted = FacebookSubscription {
        object: "page".to_owned(),
        // Nobody listens there.
        callback_url: "http://127.0.0.1:1/hook".to_owned(),
        verify_token: "v".to_owned(),
        fields: vec!["feed".to_owned()],
        verified: false,
    };
    fb.admin
        .subscribe_facebook_app(&fb.app.id, &wanted)
        .unwrap();
    fb.admin
        .install_facebook_app(&fb.app.id, fb.page())
        .unwrap();
    fb.post("unheard").await;
    assert_eq!(fb.admin.deliveries().len(), 1);
}

#[tokio::test]
async fn a_permission_that_is_taken_away_is_told_with_its_pages() {
    let (fb, _receiver) = subscribed("permissions", &["pages_manage_posts", "connected"]).await;
    fb.admin
        .drop_facebook_scope(&fb.user.id, "pages_manage_posts", Some(fb.page()))
        .unwrap();
    let path = format!("/facebook/{}/permissions/pages_manage_posts", fb.user.id);
    send(&fb.simulator, &delete(path).token(&fb.user.token)).await;
    let sent = answered(&fb, 3).await;
    let one = signed_body(&fb, &sent[1]);
    assert_eq!(one["entry"][0]["uid"], fb.user.id);
    let change = &one["entry"][0]["changes"][0];
    assert_eq!(change["field"], "pages_manage_posts");
    assert_eq!(
        change["value"],
        json!({ "verb": "revoked", "target_ids": [fb.page()] })
    );
    let all = signed_body(&fb, &sent[2]);
    let targets = &all["entry"][0]["changes"][0]["value"]["target_ids"];
    assert_eq!(targets.as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn removing_the_app_calls_the_deauthorize_callback() {
    let (fb, receiver) = subscribed("permissions", &["connected"]).await;
    let callbacks = FacebookCallbacks {
        deauthorize_url: Some(format!("{}/gone", receiver.url)),
        data_deletion_url: None,
    };
    fb.admin
        .set_facebook_callbacks(&fb.app.id, callbacks)
        .unwrap();
    let reason = RevokeReason::PasswordChanged;
    fb.admin
        .revoke_facebook_tokens(&fb.user.id, reason, TokenScope::All)
        .unwrap();
    assert_eq!(
        fb.admin.deliveries().len(),
        1,
        "a new password is told to nobody"
    );
    let reason = RevokeReason::AppRemoved;
    fb.admin
        .revoke_facebook_tokens(&fb.user.id, reason, TokenScope::All)
        .unwrap();
    let sent = answered(&fb, 3).await;
    let change = signed_body(&fb, &sent[1])["entry"][0]["changes"][0].clone();
    assert_eq!(
        (&change["field"], &change["verb"]),
        (&"connected".into(), &"revoked".into())
    );
    let payload = signed_payload(&fb, &sent[2]);
    assert_eq!(
        (&payload["user_id"], &payload["algorithm"]),
        (&fb.user.id.as_str().into(), &"HMAC-SHA256".into())
    );
}

#[tokio::test]
async fn a_request_to_delete_data_wants_an_address_and_a_code_back() {
    let (fb, receiver) = (Facebook::new().await, Receiver::start().await);
    assert!(
        fb.admin
            .request_facebook_data_deletion(&fb.user.id)
            .is_err()
    );
    let callbacks = FacebookCallbacks {
        deauthorize_url: None,
        data_deletion_url: Some(format!("{}/delete", receiver.url)),
    };
    fb.admin
        .set_facebook_callbacks(&fb.app.id, callbacks)
        .unwrap();
    fb.admin
        .request_facebook_data_deletion(&fb.user.id)
        .unwrap();
    let sent = answered(&fb, 1).await;
    assert_eq!(signed_payload(&fb, &sent[0])["user_id"], fb.user.id);
    assert!(fb.admin.facebook_data_deletions()[0].problem.is_some());
    *receiver.answer.lock().unwrap() =
        r#"{"url":"https://app.example/deletion/7","confirmation_code":"7"}"#.to_owned();
    fb.admin
        .request_facebook_data_deletion(&fb.user.id)
        .unwrap();
    answered(&fb, 2).await;
    let receipts = fb.admin.facebook_data_deletions();
    assert_eq!(receipts[1].confirmation_code.as_deref(), Some("7"));
    assert_eq!(receipts[1].problem, None);
}

#[tokio::test]
async fn the_acts_are_there_over_http_too() {
    let (fb, receiver) = (Facebook::new().await, Receiver::start().await);
    let act = async |path: String, body: Value| {
        let reply = send(
            &fb.simulator,
            &post_json(format!("/admin/facebook/{path}"), &body),
        )
        .await;
        (reply.status, reply.json())
    };
    let ok = (200, json!({ "ok": true }));
    let (app, page, user) = (&fb.app.id, fb.page(), &fb.user.id);
    let url = format!("{}/x", receiver.url);
    let subscription = json!({
        "object": "page", "callback_url": format!("{}/hook", receiver.url), "verify_token": "v", "fields": ["feed"],
    });
    for (path, body) in [
        ("media/fail".to_owned(), json!({ "message": "too dark" })),
        (
            "media/reach".to_owned(),
            json!({ "url": "https://a.example/", "on": false }),
        ),
        (
            format!("apps/{app}/callbacks"),
            json!({ "data_deletion_url": url }),
        ),
        (format!("apps/{app}/subscriptions"), subscription),
        (format!("pages/{page}/install"), json!({ "app": app })),
        (format!("pages/{page}/story_archive"), json!({ "on": true })),
        (format!("users/{user}/data_deletion"), json!({})),
    ] {
        assert_eq!(act(path.clone(), body).await, ok, "{path}");
    }
    answered(&fb, 2).await;
    assert_eq!(
        act("webhooks/resend".to_owned(), json!({})).await.0,
        404,
        "none was signed yet"
    );
    fb.post("heard").await;
    answered(&fb, 3).await;
    assert_eq!(act("webhooks/resend".to_owned(), json!({})).await, ok);
    let receipts = send(&fb.simulator, &get("/admin/facebook/data_deletions")).await;
    assert_eq!(receipts.json()["deletions"].as_array().unwrap().len(), 1);
    let rules = send(&fb.simulator, &get("/admin/facebook/media")).await;
    assert_eq!(rules.json()["processing_ms"], 8_000);
    assert_eq!(act("apps/0/callbacks".to_owned(), json!({})).await.0, 404);
}
