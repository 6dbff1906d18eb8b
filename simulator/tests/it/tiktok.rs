//! TikTok on the wire.

mod publishing;

use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use mooring_simulator::tiktok::{
    NewTikTokApp, NewTikTokUsers, TikTokAccountState, TikTokApp, TikTokAppChange, TikTokSettings,
    TikTokTokenAction, TikTokUser,
};
use mooring_simulator::{Admin, Fault, FaultKind, Platform, RunningSimulator};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::client::start;
use crate::web::{Back, ask};

const MB: u64 = 1_000_000;
const CALLBACK: &str = "https://mooring.example/callback";

struct TikTok {
    simulator: RunningSimulator,
    admin: Admin,
    app: TikTokApp,
    user: TikTokUser,
}

impl TikTok {
    async fn new() -> Self {
        Self::with(NewTikTokApp::default(), false).await
    }

    async fn with(app: NewTikTokApp, private: bool) -> Self {
        let simulator = start().await;
        let admin = simulator.admin();
        let app = admin.create_tiktok_app(app);
        let new = NewTikTokUsers {
            app: app.client_key.clone(),
            private,
            ..NewTikTokUsers::default()
        };
        let user = admin.create_tiktok_users(&new).unwrap().remove(0);
        Self {
            simulator,
            admin,
            app,
            user,
        }
    }

    fn later(&self, seconds: u64) {
        self.admin
            .clock()
            .advance(Duration::from_secs(seconds))
            .unwrap();
    }

    async fn post(&self, path: &str, body: &Value) -> Back {
        let path = format!("/tiktok/v2/{path}");
        let request = ask(&self.simulator, "POST", &path).token(&self.user.access_token);
        request.json(body).send().await
    }

    async fn token(&self, pairs: &[(&str, &str)]) -> Back {
        let client: [(&str, &str); 2] = [
            ("client_key", &self.app.client_key),
            ("client_secret", &self.app.client_secret),
        ];
        let all = [&client[..], pairs].concat();
        ask(&self.simulator, "POST", "/tiktok/v2/oauth/token/")
            .form(&all)
            .send()
            .await
    }

    async fn refresh(&self, token: &str) -> Back {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)])
            .await
    }

    async fn creator_info(&self) -> Back {
        self.post("post/publish/creator_info/query/", &json!({}))
            .await
    }

    async fn pull(&self, title: &str, privacy: &str) -> Back {
        let source =
            json!({ "source": "PULL_FROM_URL", "video_url": "https://media.example/v.mp4" });
        let info = json!({ "title": title, "privacy_level": privacy });
        let body = json!({ "post_info": info, "source_info": source });
        self.post("post/publish/video/init/", &body).await
    }

    async fn upload(&self, size: u64, chunk: u64, count: u64) -> Back {
        let source = json!({
            "source": "FILE_UPLOAD", "video_size": size, "chunk_size": chunk,
            "total_chunk_count": count,
        });
        let info = json!({ "title": "hello", "privacy_level": "PUBLIC_TO_EVERYONE" });
        let body = json!({ "post_info": info, "source_info": source });
        self.post("post/publish/video/init/", &body).await
    }

    async fn put(&self, url: &str, first: u64, length: u64, total: u64) -> Back {
        let range = format!("bytes {first}-{}/{total}", first + length - 1);
        let bytes = vec![7; usize::try_from(length).unwrap()];
        let request = ask(&self.simulator, "PUT", url).header("content-range", range);
        request.body("video/mp4", bytes).send().await
    }

    async fn status(&self, id: &str) -> Value {
        let body = json!({ "publish_id": id });
        self.post("post/publish/status/fetch/", &body).await.json()["data"].clone()
    }

    async fn list(&self, body: &Value) -> Value {
        let path = "video/list/?fields=id,title,create_time,share_url,video_description";
        self.post(path, body).await.json()["data"].clone()
    }

    fn posts(&self) -> usize {
        self.admin.ledger_summary().posts
    }
}

fn code(back: &Back) -> (u16, String) {
    let body = back.json();
    (
        back.status,
        body["error"]["code"].as_str().unwrap_or("").to_owned(),
    )
}

fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no text: {value}"))
        .to_owned()
}

#[tokio::test]
async fn connecting_takes_one_code_once_with_its_redirect_and_a_hexadecimal_challenge() {
    let t = TikTok::new().await;
    let challenge = hex::encode(Sha256::digest("verifier"));
    let path = format!(
        "/tiktok/v2/auth/authorize/?client_key={}&response_type=code&state=s1\
         &scope=user.info.basic,video.publish,video.list&redirect_uri={CALLBACK}\
         &login_hint={}&decline=video.list&code_challenge={challenge}",
        t.app.client_key, t.user.open_id
    );
    let page = ask(&t.simulator, "GET", &path).send().await;
    assert_eq!(page.redirected("state").as_deref(), Some("s1"));
    assert_eq!(
        page.redirected("scopes").as_deref(),
        Some("user.info.basic,video.publish")
    );
    let granted = page.redirected("code").unwrap();
    let pairs = |verifier| {
        [
            ("grant_type", "authorization_code"),
            ("code", granted.as_str()),
            ("redirect_uri", CALLBACK),
            ("code_verifier", verifier),
        ]
    };
    let body = t.token(&pairs("verifier")).await.json();
    assert_eq!(
        (&body["expires_in"], &body["refresh_expires_in"]),
        (&json!(86_400), &json!(31_536_000))
    );
    assert_eq!(
        (&body["open_id"], &body["token_type"]),
        (&json!(t.user.open_id), &json!("Bearer"))
    );
    assert_eq!(body["scope"], "user.info.basic,video.publish");
    let again = t.token(&pairs("verifier")).await;
    assert_eq!(
        (again.status, &again.json()["error"]),
        (200, &json!("invalid_grant"))
    );
    let denied = ask(&t.simulator, "GET", &format!("{path}&deny=1"))
        .send()
        .await;
    assert_eq!(denied.redirected("error").as_deref(), Some("access_denied"));
}

#[tokio::test]
async fn a_wrong_client_redirect_or_verifier_is_told_in_oauths_form() {
    let t = TikTok::new().await;
    let path = format!(
        "/tiktok/v2/auth/authorize/?client_key={}&response_type=code&scope=video.publish\
         &redirect_uri={CALLBACK}&login_hint={}&code_challenge=abc",
        t.app.client_key, t.user.open_id
    );
    for (redirect, wanted) in [
        ("https://other.example", "invalid_request"),
        (CALLBACK, "invalid_request"),
    ] {
        let granted = ask(&t.simulator, "GET", &path)
            .send()
            .await
            .redirected("code")
            .unwrap();
        let pairs = [
            ("grant_type", "authorization_code"),
            ("code", &*granted),
            ("redirect_uri", redirect),
            ("code_verifier", "wrong"),
        ];
        assert_eq!(t.token(&pairs).await.json()["error"], wanted);
    }
    let wrong = [
        ("client_key", &*t.app.client_key),
        ("client_secret", "no"),
        ("grant_type", "refresh_token"),
    ];
    let back = ask(&t.simulator, "POST", "/tiktok/v2/oauth/token/")
        .form(&wrong)
        .send()
        .await;
    assert_eq!(back.json()["error"], "invalid_client");
    let json = ask(&t.simulator, "POST", "/tiktok/v2/oauth/token/")
        .json(&json!({}))
        .send()
        .await;
    assert_eq!(json.json()["error"], "invalid_request");
    t.admin.set_tiktok_settings(TikTokSettings {
        oauth_error_status: 400,
        ..t.admin.tiktok_settings()
    });
    assert_eq!(t.refresh("rft.unknown").await.status, 400);
}

#[tokio::test]
async fn a_refresh_returns_another_token_and_the_old_one_is_dead() {
    let t = TikTok::new().await;
    let first = t.refresh(&t.user.refresh_token).await.json();
    let second = text(&first["refresh_token"]);
    assert_ne!(second, *t.user.refresh_token);
    assert_eq!(
        t.refresh(&t.user.refresh_token).await.json()["error"],
        "invalid_grant"
    );
    assert_eq!(t.refresh(&second).await.json()["token_type"], "Bearer");
    // A server that keeps its refresh tokens.
    t.admin.set_tiktok_settings(TikTokSettings {
        rotates: false,
        ..t.admin.tiktok_settings()
    });
    let user = t.admin.create_tiktok_users(&NewTikTokUsers {
        app: t.app.client_key.clone(),
        ..NewTikTokUsers::default()
    });
    let kept = user.unwrap().remove(0).refresh_token;
    assert_eq!(t.refresh(&kept).await.json()["refresh_token"], *kept);
    assert_eq!(t.refresh(&kept).await.json()["refresh_token"], *kept);
}

#[tokio::test]
async fn tokens_end_after_a_day_and_a_year() {
    let t = TikTok::new().await;
    t.later(86_399);
    assert_eq!(code(&t.creator_info().await), is(200, "ok"));
    t.later(1);
    assert_eq!(
        code(&t.creator_info().await),
        is(401, "access_token_invalid")
    );
    t.later(364 * 86_400 - 1);
    assert_eq!(
        t.refresh(&t.user.refresh_token).await.json()["expires_in"],
        86_400
    );
    let t = TikTok::new().await;
    t.later(365 * 86_400);
    assert_eq!(
        t.refresh(&t.user.refresh_token).await.json()["error"],
        "invalid_grant"
    );
}

#[tokio::test]
async fn scopes_guard_their_calls_and_fields() {
    let t = TikTok::new().await;
    let info = |fields: &str| {
        let path = format!("/tiktok/v2/user/info/?fields={fields}");
        ask(&t.simulator, "GET", &path)
            .token(&t.user.access_token)
            .send()
    };
    let user = info("open_id,union_id,avatar_url,display_name,username")
        .await
        .json();
    assert_eq!(user["data"]["user"]["username"], t.user.username);
    t.admin
        .set_tiktok_scope(&t.user.open_id, "user.info.profile", false)
        .unwrap();
    assert_eq!(code(&info("open_id").await), is(200, "ok"));
    assert_eq!(
        code(&info("username").await),
        is(401, "scope_not_authorized")
    );
    assert_eq!(code(&info("").await), is(400, "invalid_params"));
    t.admin
        .set_tiktok_scope(&t.user.open_id, "video.publish", false)
        .unwrap();
    assert_eq!(
        code(&t.creator_info().await),
        is(401, "scope_not_authorized")
    );
    let public = "PUBLIC_TO_EVERYONE";
    assert_eq!(
        code(&t.pull("x", public).await),
        is(401, "scope_not_authorized")
    );
}

#[tokio::test]
async fn a_banned_creator_is_told_with_two_hundred_and_at_init_with_403() {
    let t = TikTok::new().await;
    let banned = "spam_risk_user_banned_from_posting";
    t.admin
        .set_tiktok_state(&t.user.open_id, TikTokAccountState::BannedFromPosting)
        .unwrap();
    assert_eq!(code(&t.creator_info().await), is(200, banned));
    assert_eq!(
        code(&t.pull("x", "PUBLIC_TO_EVERYONE").await),
        is(403, banned)
    );
    t.admin
        .set_tiktok_state(&t.user.open_id, TikTokAccountState::Deleted)
        .unwrap();
    assert_eq!(
        code(&t.creator_info().await),
        is(401, "access_token_invalid")
    );
}

#[tokio::test]
async fn revoking_ends_both_tokens() {
    let t = TikTok::new().await;
    let pairs = [
        ("client_key", &*t.app.client_key),
        ("client_secret", &*t.app.client_secret),
        ("token", &*t.user.access_token),
    ];
    let back = ask(&t.simulator, "POST", "/tiktok/v2/oauth/revoke/")
        .form(&pairs)
        .send()
        .await;
    assert_eq!((back.status, &*back.text), (200, ""));
    assert_eq!(
        code(&t.creator_info().await),
        is(401, "access_token_invalid")
    );
    assert_eq!(
        t.refresh(&t.user.refresh_token).await.json()["error"],
        "invalid_grant"
    );
    t.admin
        .act_on_tiktok_tokens(&t.user.open_id, TikTokTokenAction::Revoke)
        .unwrap();
}
