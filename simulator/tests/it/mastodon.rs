//! The Mastodon server on the wire.

mod posts;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mooring_simulator::mastodon::{
    MastodonAccount, MastodonAccountState, MastodonApp, MastodonSettings, MastodonTokenAction,
    NewMastodonAccounts, NewMastodonApp,
};
use mooring_simulator::{Admin, Fault, FaultKind, Platform, RunningSimulator};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::client::start;
use crate::web::{Ask, Back, ask};

const CALLBACK: &str = "https://mooring.example/callback";

struct Mastodon {
    simulator: RunningSimulator,
    admin: Admin,
    app: MastodonApp,
    account: MastodonAccount,
}

impl Mastodon {
    async fn new() -> Self {
        let simulator = start().await;
        let admin = simulator.admin();
        let app = admin.create_mastodon_app(NewMastodonApp::default());
        let new = NewMastodonAccounts {
            app: app.client_id.clone(),
            ..NewMastodonAccounts::default()
        };
        let account = admin.create_mastodon_accounts(&new).unwrap().remove(0);
        Self {
            simulator,
            admin,
            app,
            account,
        }
    }

    fn later(&self, seconds: u64) {
        self.admin
            .clock()
            .advance(Duration::from_secs(seconds))
            .unwrap();
    }

    /// A call below `/mastodon` with the account's token.
    fn call(&self, method: &'static str, path: &str) -> Ask {
        ask(&self.simulator, method, &format!("/mastodon/{path}")).token(&self.account.access_token)
    }

    fn open(&self, method: &'static str, path: &str) -> Ask {
        ask(&self.simulator, method, &format!("/mastodon/{path}"))
    }

    async fn say(&self, text: &str, key: Option<&str>) -> Back {
        let mut request = self
            .call("POST", "api/v1/statuses")
            .json(&json!({ "status": text }));
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        request.send().await
    }

    async fn get(&self, path: &str) -> Back {
        self.call("GET", path).send().await
    }

    async fn verify(&self) -> Back {
        self.get("api/v1/accounts/verify_credentials").await
    }

    async fn upload(&self, mime: &str, bytes: &[u8]) -> Back {
        let request = self.call("POST", "api/v2/media");
        request
            .multipart(mime, bytes, &[("description", "a boat")])
            .send()
            .await
    }

    fn set(&self, change: impl FnOnce(&mut MastodonSettings)) {
        let mut settings = self.admin.mastodon_settings();
        change(&mut settings);
        self.admin.set_mastodon_settings(settings);
    }

    fn posts(&self) -> usize {
        self.admin.ledger_summary().posts
    }
}

fn error(back: &Back) -> (u16, String) {
    (
        back.status,
        back.json()["error"].as_str().unwrap_or("").to_owned(),
    )
}

fn is(status: u16, text: &str) -> (u16, String) {
    (status, text.to_owned())
}

fn id(back: &Back) -> String {
    let body = back.json();
    body["id"]
        .as_str()
        .unwrap_or_else(|| panic!("no id: {body}"))
        .to_owned()
}

#[tokio::test]
async fn a_client_registers_and_connects_with_pkce_and_a_code_that_serves_once() {
    let m = Mastodon::new().await;
    let body = json!({
        "client_name": "Mooring", "redirect_uris": [CALLBACK],
        "scopes": "read:accounts write:statuses",
    });
    let app = m
        .open("POST", "api/v1/apps")
        .json(&body)
        .send()
        .await
        .json();
    let (key, secret) = (
        app["client_id"].as_str().unwrap(),
        app["client_secret"].as_str().unwrap(),
    );
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest("verifier"));
    let path = format!(
        "oauth/authorize?response_type=code&client_id={key}&redirect_uri={CALLBACK}&state=s1\
         &scope=read:accounts+write:statuses&code_challenge={challenge}\
         &code_challenge_method=S256&login_hint={}",
        m.account.username
    );
    let page = m.open("GET", &path).send().await;
    assert_eq!(page.redirected("state").as_deref(), Some("s1"));
    let code = page.redirected("code").unwrap();
    let exchange = |verifier| {
        let pairs = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("client_id", key),
            ("client_secret", secret),
            ("redirect_uri", CALLBACK),
            ("code_verifier", verifier),
        ];
        m.open("POST", "oauth/token").form(&pairs).send()
    };
    assert_eq!(error(&exchange("wrong").await), is(400, "invalid_grant"));
    assert_eq!(error(&exchange("").await), is(400, "invalid_request"));
    let token = exchange("verifier").await.json();
    assert_eq!(
        (&token["token_type"], &token["scope"]),
        (&json!("Bearer"), &json!("read:accounts write:statuses"))
    );
    assert!(token["refresh_token"].is_null() && token["expires_in"].is_null());
    assert_eq!(error(&exchange("verifier").await), is(400, "invalid_grant"));
    let more = m
        .open("GET", &path.replace("write:statuses", "write:media"))
        .send()
        .await;
    assert_eq!(more.redirected("error").as_deref(), Some("invalid_scope"));
    let denied = m.open("GET", &format!("{path}&deny=1")).send().await;
    assert_eq!(denied.redirected("error").as_deref(), Some("access_denied"));
    let other = path.replace(CALLBACK, "https://other.example");
    assert_eq!(m.open("GET", &other).send().await.status, 400);
}

#[tokio::test]
async fn an_unknown_client_is_told_so() {
    let m = Mastodon::new().await;
    m.admin.delete_mastodon_app(&m.app.client_id).unwrap();
    let pairs = [
        ("grant_type", "client_credentials"),
        ("client_id", &*m.app.client_id),
        ("client_secret", &*m.app.client_secret),
    ];
    let back = m.open("POST", "oauth/token").form(&pairs).send().await;
    assert_eq!(error(&back), is(401, "invalid_client"));
    assert_eq!(
        error(&m.verify().await),
        is(401, "The access token is invalid")
    );
}

#[tokio::test]
async fn tokens_have_no_end_but_are_revoked_and_say_so() {
    let m = Mastodon::new().await;
    m.later(10 * 365 * 86_400);
    assert_eq!(m.verify().await.status, 200);
    let pairs = [
        ("client_id", &*m.app.client_id),
        ("client_secret", &*m.app.client_secret),
        ("token", &*m.account.access_token),
    ];
    let revoke = || m.open("POST", "oauth/revoke").form(&pairs).send();
    assert_eq!(
        (revoke().await.json(), revoke().await.status),
        (json!({}), 200)
    );
    assert_eq!(
        error(&m.verify().await),
        is(401, "The access token was revoked")
    );
    let other = m.admin.create_mastodon_app(NewMastodonApp::default());
    let pairs = [
        ("client_id", &*other.client_id),
        ("client_secret", &*other.client_secret),
        pairs[2],
    ];
    let foreign = m.open("POST", "oauth/revoke").form(&pairs).send().await;
    assert_eq!(error(&foreign), is(403, "unauthorized_client"));
    m.admin
        .act_on_mastodon_tokens(&m.account.id, MastodonTokenAction::Forget)
        .unwrap();
    assert_eq!(
        error(&m.verify().await),
        is(401, "The access token is invalid")
    );
}

#[tokio::test]
async fn the_account_may_be_disabled_pending_unconfirmed_or_gone() {
    let m = Mastodon::new().await;
    let account = m.verify().await.json();
    assert_eq!(
        (&account["id"], &account["role"]["id"]),
        (&json!(m.account.id), &json!("-99"))
    );
    assert_eq!(account["source"]["privacy"], "public");
    let cases = [
        (
            MastodonAccountState::Disabled,
            is(403, "Your login is currently disabled"),
        ),
        (
            MastodonAccountState::Suspended,
            is(403, "Your login is currently disabled"),
        ),
        (
            MastodonAccountState::Pending,
            is(403, "Your login is currently pending approval"),
        ),
        (
            MastodonAccountState::Unconfirmed,
            is(403, "Your login is missing a confirmed e-mail address"),
        ),
        (
            MastodonAccountState::Deleted,
            is(401, "The access token is invalid"),
        ),
    ];
    for (state, wanted) in cases {
        m.admin.set_mastodon_state(&m.account.id, state).unwrap();
        assert_eq!(error(&m.verify().await), wanted);
    }
}

#[tokio::test]
async fn a_suspended_account_hides_its_posts_and_a_limited_one_still_posts() {
    let m = Mastodon::new().await;
    let post = id(&m.say("hello", None).await);
    m.admin
        .set_mastodon_state(&m.account.id, MastodonAccountState::Suspended)
        .unwrap();
    let public = m
        .open("GET", &format!("api/v1/statuses/{post}"))
        .send()
        .await;
    assert_eq!(error(&public), is(404, "Record not found"));
    m.admin
        .set_mastodon_state(&m.account.id, MastodonAccountState::Limited)
        .unwrap();
    assert_eq!(m.say("again", None).await.status, 200);
    assert_eq!(m.verify().await.json()["limited"], true);
}

#[tokio::test]
async fn scopes_hold_their_families() {
    let m = Mastodon::new().await;
    m.admin
        .set_mastodon_scope(&m.account.id, "write:statuses", false)
        .unwrap();
    let outside = is(403, "This action is outside the authorized scopes");
    assert_eq!(error(&m.say("hello", None).await), outside);
    m.admin
        .set_mastodon_scope(&m.account.id, "write", true)
        .unwrap();
    assert_eq!(m.say("hello", None).await.status, 200);
    m.admin
        .set_mastodon_scope(&m.account.id, "read:accounts", false)
        .unwrap();
    assert_eq!(error(&m.verify().await), outside);
    m.admin
        .set_mastodon_scope(&m.account.id, "profile", true)
        .unwrap();
    assert_eq!(m.verify().await.status, 200);
}

#[tokio::test]
async fn limits_are_told_in_headers_with_an_iso_time() {
    let m = Mastodon::new().await;
    let first = m.verify().await;
    assert_eq!(first.headers["x-ratelimit-limit"], "300");
    assert_eq!(first.headers["x-ratelimit-remaining"], "299");
    assert_eq!(
        first.headers["x-ratelimit-reset"],
        "2026-11-23T15:05:00.000000Z"
    );
    m.set(|s| s.media_per_30min = Some(2));
    let left = m.upload("image/png", b"a").await.headers["x-ratelimit-remaining"].clone();
    assert_eq!(left, "1");
    m.upload("image/png", b"b").await;
    let third = m.upload("image/png", b"c").await;
    assert_eq!(error(&third), is(429, "Too many requests"));
    assert_eq!(
        third.headers["x-ratelimit-reset"],
        "2026-11-23T15:30:00.000000Z"
    );
    assert!(!third.headers.contains_key("retry-after"));
    assert_eq!(m.verify().await.status, 200);
    m.later(1800);
    assert_eq!(m.upload("image/png", b"d").await.status, 200);
}

#[tokio::test]
async fn faults_speak_in_the_servers_words() {
    let m = Mastodon::new().await;
    let fault = |operation: &str, kind| {
        let fault = Fault::new(Platform::Mastodon, operation, kind);
        m.admin
            .add_fault(fault.account(&m.account.id).times(1))
            .unwrap();
    };
    fault(
        "publish",
        FaultKind::ErrorAlthoughCreated {
            code: None,
            body: None,
        },
    );
    assert_eq!(
        error(&m.say("hello", Some("k")).await),
        is(422, "Duplicate record")
    );
    assert_eq!(
        (m.posts(), m.say("hello", Some("k")).await.status, m.posts()),
        (1, 200, 1)
    );
    fault("check", FaultKind::RateLimited { reset_s: 60 });
    let limited = m.verify().await;
    assert_eq!(
        limited.headers["x-ratelimit-reset"],
        "2026-11-23T15:01:00.000000Z"
    );
    fault(
        "check",
        FaultKind::Status {
            code: 503,
            body: None,
        },
    );
    assert!(
        error(&m.verify().await)
            .1
            .starts_with("There was a temporary problem")
    );
    fault(
        "check",
        FaultKind::Status {
            code: 502,
            body: None,
        },
    );
    assert!(m.verify().await.text.starts_with("<html>"));
}
