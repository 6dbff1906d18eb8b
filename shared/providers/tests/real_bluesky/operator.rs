//! The real server's other side: making accounts, and what its operator and its users do.
//!
//! The contract suite has the same operator: it includes this file.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use chrono::TimeDelta;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderName, Method};
use mooring_runtime::{Call, Clock, Http};
use mooring_vault::Secret;
use serde_json::{Value, json};
use url::Url;

/// Of every account here.
pub(crate) const OWNER_PASSWORD: &str = "the owner's own password";

/// Who runs a server: what `dev/bluesky env` names, or the server that a test has started.
pub(crate) struct Operator {
    pub(crate) url: Url,
    pub(crate) admin_password: String,
    pub(crate) jwt_secret: String,
    /// Lifts the limits for the harness, never for the code under test.
    pub(crate) bypass: String,
    pub(crate) http: Http,
    pub(crate) clock: Arc<dyn Clock>,
}

/// An account with an app password.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) did: String,
    pub(crate) handle: String,
    /// The account's own session, for what an app password may not do.
    pub(crate) owner_token: String,
    pub(crate) app_password: String,
}

impl Operator {
    /// A fresh account with an app password.
    pub(crate) async fn account(&self) -> Account {
        let name = format!("t{:x}", self.unique());
        let handle = format!("{name}.test");
        let email = format!("{name}@mail.test");
        let new = json!({ "handle": handle, "email": email, "password": OWNER_PASSWORD });
        let made = self
            .post("com.atproto.server.createAccount", &new, None)
            .await;
        let owner_token = text(&made, "accessJwt");
        let app = json!({ "name": "mooring" });
        let method = "com.atproto.server.createAppPassword";
        let app = self.post(method, &app, Some(&owner_token)).await;
        Account {
            did: text(&made, "did"),
            handle,
            owner_token,
            app_password: text(&app, "password"),
        }
    }

    /// A number that no other account of this run has.
    fn unique(&self) -> i64 {
        static COUNTER: AtomicI64 = AtomicI64::new(0);
        let counter = COUNTER.fetch_add(1, Ordering::SeqCst);
        self.clock.ms() * 1000 + counter
    }

    pub(crate) async fn take_down(&self, account: &Account) {
        let subject = json!({ "$type": "com.atproto.admin.defs#repoRef", "did": account.did });
        let body = json!({ "subject": subject, "takedown": { "applied": true, "ref": "1" } });
        self.administer("com.atproto.admin.updateSubjectStatus", &body)
            .await;
    }

    pub(crate) async fn change_password(&self, account: &Account) {
        let body = json!({ "did": account.did, "password": "another password of the owner" });
        self.administer("com.atproto.admin.updateAccountPassword", &body)
            .await;
    }

    pub(crate) async fn deactivate(&self, account: &Account) {
        let token = Some(account.owner_token.as_str());
        self.post("com.atproto.server.deactivateAccount", &json!({}), token)
            .await;
    }

    /// The same token as the server would have made it so much later, or earlier.
    pub(crate) fn moved(&self, token: &str, by: TimeDelta) -> Secret {
        let mut parts = token.split('.');
        let (header, payload) = (
            parts.next().expect("a header"),
            parts.next().expect("a payload"),
        );
        let payload = URL_SAFE_NO_PAD.decode(payload).expect("base64");
        let mut claims: Value = serde_json::from_slice(&payload).expect("JSON");
        for claim in ["iat", "exp"] {
            let at = claims[claim].as_i64().expect("a time");
            claims[claim] = (at + by.num_seconds()).into();
        }
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let mut mac =
            Hmac::<sha2::Sha256>::new_from_slice(self.jwt_secret.as_bytes()).expect("a key");
        mac.update(signed.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        Secret::from(format!("{signed}.{signature}"))
    }

    pub(crate) async fn administer(&self, method: &'static str, body: &Value) {
        let credential = STANDARD.encode(format!("admin:{}", self.admin_password));
        let call = self
            .call(method)
            .authorization("Basic", &credential)
            .json(body)
            .expect("JSON");
        self.answered(method, call).await;
    }

    pub(crate) async fn post(
        &self,
        method: &'static str,
        body: &Value,
        token: Option<&str>,
    ) -> Value {
        let mut call = self.call(method).json(body).expect("JSON");
        if let Some(token) = token {
            call = call.bearer(token);
        }
        serde_json::from_slice(&self.answered(method, call).await).unwrap_or_default()
    }

    /// A call of a method with the harness's own pass.
    pub(crate) fn call(&self, method: &'static str) -> Call {
        let url = self.url.join(&format!("/xrpc/{method}")).expect("a URL");
        let pass = HeaderName::from_static("x-ratelimit-bypass");
        Call::new("harness", method, Method::POST, url).header(pass, &self.bypass)
    }

    pub(crate) async fn answered(&self, method: &str, call: Call) -> bytes::Bytes {
        let answer = self.http.send(call).await.expect("an answer");
        assert!(
            answer.status.is_success(),
            "{method}: {} {:?}",
            answer.status,
            answer.body
        );
        answer.body
    }
}

fn text(value: &Value, name: &str) -> String {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} is missing"))
        .to_owned()
}
