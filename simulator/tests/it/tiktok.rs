//! TikTok on the wire.

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
async fn a_pulled_video_comes_to_exist_by_itself_and_has_an_id_after_moderation() {
    let t = TikTok::new().await;
    let id = text(&t.pull("hello", "PUBLIC_TO_EVERYONE").await.json()["data"]["publish_id"]);
    assert!(id.starts_with("v_pub_url~") && id.len() <= 64, "{id}");
    assert_eq!(t.status(&id).await["status"], "PROCESSING_DOWNLOAD");
    assert_eq!(t.posts(), 0);
    t.later(5);
    let done = t.status(&id).await;
    assert_eq!(done["status"], "PUBLISH_COMPLETE");
    assert!(done["publicaly_available_post_id"].is_null());
    assert_eq!(
        (
            t.posts(),
            t.list(&json!({})).await["videos"].as_array().unwrap().len()
        ),
        (1, 0)
    );
    t.later(20);
    let post = t.status(&id).await["publicaly_available_post_id"][0]
        .as_u64()
        .unwrap();
    assert!(post > 1 << 53);
    let listed = t.list(&json!({})).await["videos"][0].clone();
    assert_eq!(
        (&listed["id"], &listed["title"]),
        (&json!(post.to_string()), &json!("hello"))
    );
    let link = format!("https://www.tiktok.com/@{}/video/{post}?", t.user.username);
    assert!(text(&listed["share_url"]).starts_with(&link));
    let entry = t
        .admin
        .ledger(&mooring_simulator::LedgerFilter::default())
        .remove(0);
    assert_eq!(entry.client_reference.as_deref(), Some(id.as_str()));
}

#[tokio::test]
async fn an_upload_follows_the_chunk_rules_and_its_last_chunk_publishes() {
    let t = TikTok::new().await;
    for (size, chunk, count) in [
        (11 * MB, 5 * MB, 3),
        (70 * MB, 70 * MB, 1),
        (11 * MB, 4 * MB, 2),
        (0, 0, 1),
    ] {
        assert_eq!(
            code(&t.upload(size, chunk, count).await),
            is(400, "invalid_params")
        );
    }
    let size = 11 * MB;
    let data = t.upload(size, 5 * MB, 2).await.json()["data"].clone();
    let (id, url) = (text(&data["publish_id"]), text(&data["upload_url"]));
    assert!(id.starts_with("v_pub_file~") && url.len() <= 256);
    assert_eq!(t.put(&url, 5 * MB, 6 * MB, size).await.status, 416);
    let first = t.put(&url, 0, 5 * MB, size).await;
    assert_eq!(
        (first.status, &*first.headers["content-range"]),
        (206, "bytes 0-4999999/11000000")
    );
    assert_eq!(t.status(&id).await["uploaded_bytes"], 5 * MB);
    assert_eq!(t.put(&url, 0, 5 * MB, size).await.status, 416);
    assert_eq!(t.put(&url, 5 * MB, 5 * MB, size).await.status, 416);
    t.later(10);
    assert_eq!(t.posts(), 0);
    assert_eq!(t.put(&url, 5 * MB, 6 * MB, size).await.status, 201);
    t.later(5);
    assert_eq!(t.status(&id).await["status"], "PUBLISH_COMPLETE");
    assert_eq!(t.posts(), 1);
    let calls = |operation: &str| t.admin.calls_of(&t.user.open_id, operation);
    // The five inits and three misplaced chunks, and the two that claimed to be the last one.
    assert_eq!(calls("publish"), 2);
    assert!(calls("upload") >= 8);
}

#[tokio::test]
async fn an_upload_address_ends_after_an_hour_and_an_abandoned_one_publishes_nothing() {
    let t = TikTok::new().await;
    let data = t.upload(100, 100, 1).await.json()["data"].clone();
    t.later(3601);
    assert_eq!(
        t.put(&text(&data["upload_url"]), 0, 100, 100).await.status,
        403
    );
    let unknown = "/tiktok/video/?upload_id=1&upload_token=none";
    assert_eq!(t.put(unknown, 0, 100, 100).await.status, 404);
    assert_eq!(t.posts(), 0);
}

#[tokio::test]
async fn photos_are_pulled_up_to_thirty_five() {
    let t = TikTok::new().await;
    let init = async |photos: usize, cover: usize, title: &str| {
        let urls: Vec<String> = (0..photos)
            .map(|n| format!("https://media.example/{n}.jpg"))
            .collect();
        let info = json!({
            "title": title, "description": "the words", "privacy_level": "PUBLIC_TO_EVERYONE",
        });
        let source = json!({
            "source": "PULL_FROM_URL", "photo_cover_index": cover, "photo_images": urls,
        });
        let body = json!({
            "post_mode": "DIRECT_POST", "media_type": "PHOTO", "post_info": info,
            "source_info": source,
        });
        t.post("post/publish/content/init/", &body).await
    };
    assert_eq!(code(&init(36, 0, "t").await), is(400, "invalid_params"));
    assert_eq!(code(&init(2, 2, "t").await), is(400, "invalid_params"));
    assert_eq!(
        code(&init(2, 0, &"t".repeat(91)).await),
        is(400, "invalid_params")
    );
    let id = text(&init(35, 1, "title").await.json()["data"]["publish_id"]);
    assert!(id.starts_with("p_pub_url~"));
    t.later(25);
    let listed = t.list(&json!({})).await["videos"][0].clone();
    assert_eq!(listed["video_description"], "the words");
    assert!(text(&listed["share_url"]).contains("/photo/"));
    assert_eq!(t.status(&id).await["status"], "PUBLISH_COMPLETE");
}

#[tokio::test]
async fn an_unaudited_client_posts_privately_only() {
    let app = NewTikTokApp {
        audited: false,
        ..NewTikTokApp::default()
    };
    let refused = "unaudited_client_can_only_post_to_private_accounts";
    let t = TikTok::with(app.clone(), false).await;
    assert_eq!(
        code(&t.pull("x", "PUBLIC_TO_EVERYONE").await),
        is(403, refused)
    );
    let t = TikTok::with(app, true).await;
    let options = t.creator_info().await.json()["data"]["privacy_level_options"].clone();
    assert_eq!(options[0], "FOLLOWER_OF_CREATOR");
    assert_eq!(
        code(&t.pull("x", "FOLLOWER_OF_CREATOR").await),
        is(403, refused)
    );
    let mismatch = t.pull("x", "PUBLIC_TO_EVERYONE").await;
    assert_eq!(code(&mismatch), is(403, "privacy_level_option_mismatch"));
    let id = text(&t.pull("x", "SELF_ONLY").await.json()["data"]["publish_id"]);
    t.later(3600);
    assert!(t.status(&id).await["publicaly_available_post_id"].is_null());
    assert_eq!(t.posts(), 1);
}

#[tokio::test]
async fn the_platform_pulls_only_from_verified_addresses() {
    let app = NewTikTokApp {
        verified_urls: vec!["https://mine.example/".to_owned()],
        ..NewTikTokApp::default()
    };
    let t = TikTok::with(app, false).await;
    let refused = t.pull("x", "PUBLIC_TO_EVERYONE").await;
    assert_eq!(code(&refused), is(403, "url_ownership_unverified"));
}

#[tokio::test]
async fn six_inits_a_minute_and_fifteen_posts_a_day() {
    let t = TikTok::new().await;
    let public = "PUBLIC_TO_EVERYONE";
    for n in 0..6 {
        assert_eq!(code(&t.pull(&format!("p{n}"), public).await), is(200, "ok"));
        t.later(1);
    }
    assert_eq!(
        code(&t.pull("p6", public).await),
        is(429, "rate_limit_exceeded")
    );
    t.later(55);
    assert_eq!(code(&t.pull("p6", public).await), is(200, "ok"));
    for n in 7..15 {
        t.later(20);
        assert_eq!(code(&t.pull(&format!("p{n}"), public).await), is(200, "ok"));
    }
    t.later(20);
    assert_eq!(
        code(&t.pull("p15", public).await),
        is(403, "spam_risk_too_many_posts")
    );
    assert_eq!(
        code(&t.creator_info().await),
        is(200, "spam_risk_too_many_posts")
    );
    assert_eq!(t.posts(), 15);
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
async fn processing_may_fail_and_cancelling_is_best_effort() {
    let t = TikTok::new().await;
    let public = "PUBLIC_TO_EVERYONE";
    t.admin
        .fail_next_tiktok(&t.user.open_id, "video_pull_failed")
        .unwrap();
    let id = text(&t.pull("x", public).await.json()["data"]["publish_id"]);
    t.later(5);
    let failed = t.status(&id).await;
    assert_eq!(
        (&failed["status"], &failed["fail_reason"]),
        (&json!("FAILED"), &json!("video_pull_failed"))
    );
    let id = text(&t.pull("x", public).await.json()["data"]["publish_id"]);
    let body = json!({ "publish_id": id });
    assert_eq!(
        code(&t.post("post/publish/cancel/", &body).await),
        is(200, "ok")
    );
    t.later(60);
    assert_eq!(t.status(&id).await["fail_reason"], "publish_cancelled");
    assert_eq!(t.posts(), 0);
    let unknown = t
        .post(
            "post/publish/status/fetch/",
            &json!({ "publish_id": "v_pub_url~0" }),
        )
        .await;
    assert_eq!(code(&unknown), is(400, "invalid_publish_id"));
}

#[tokio::test]
async fn the_list_pages_by_time_and_query_leaves_out_what_is_gone() {
    let t = TikTok::new().await;
    for n in 0..3 {
        t.pull(&format!("p{n}"), "PUBLIC_TO_EVERYONE").await;
        t.later(30);
    }
    let page = t.list(&json!({ "max_count": 2 })).await;
    assert_eq!(
        (&page["videos"][0]["title"], &page["has_more"]),
        (&json!("p2"), &json!(true))
    );
    let rest = t
        .list(&json!({ "max_count": 2, "cursor": page["cursor"] }))
        .await;
    assert_eq!(
        (&rest["videos"][0]["title"], &rest["has_more"]),
        (&json!("p0"), &json!(false))
    );
    let ids = [
        text(&page["videos"][0]["id"]),
        text(&page["videos"][1]["id"]),
    ];
    t.admin.delete_post(Platform::TikTok, &ids[0]).unwrap();
    let body = json!({ "filters": { "video_ids": ids } });
    let found = t.post("video/query/?fields=id,title", &body).await.json();
    assert_eq!(found["data"]["videos"].as_array().unwrap().len(), 1);
    assert_eq!(found["data"]["videos"][0]["title"], "p1");
}

#[tokio::test]
async fn webhooks_are_signed_over_time_and_body_with_content_as_a_string() {
    let t = TikTok::new().await;
    let change = TikTokAppChange {
        callback_url: Some("http://127.0.0.1:9/hook".to_owned()),
        ..TikTokAppChange::default()
    };
    t.admin
        .change_tiktok_app(&t.app.client_key, change)
        .unwrap();
    let id = text(&t.pull("x", "PUBLIC_TO_EVERYONE").await.json()["data"]["publish_id"]);
    t.later(25);
    let post = t.status(&id).await["publicaly_available_post_id"][0].to_string();
    t.admin.delete_post(Platform::TikTok, &post).unwrap();
    t.admin.disconnect_tiktok(&t.user.open_id, 1).unwrap();
    let sent = t.admin.deliveries();
    let body = |n: usize| serde_json::from_str::<Value>(&sent[n].body).unwrap();
    let events: Vec<String> = (0..sent.len()).map(|n| text(&body(n)["event"])).collect();
    let wanted = [
        "post.publish.complete",
        "post.publish.publicly_available",
        "post.publish.no_longer_publicaly_available",
        "authorization.removed",
    ];
    assert_eq!(events, wanted);
    let content: Value = serde_json::from_str(&text(&body(1)["content"])).unwrap();
    assert_eq!(
        (&content["publish_id"], &content["post_id"]),
        (&json!(id), &json!(post))
    );
    assert_eq!(body(3)["content"], "{\"reason\":1}");
    let (_, signature) = &sent[3].headers[1];
    let (time, given) = signature
        .strip_prefix("t=")
        .unwrap()
        .split_once(",s=")
        .unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(t.app.client_secret.as_bytes()).unwrap();
    mac.update(format!("{time}.{}", sent[3].body).as_bytes());
    assert_eq!(hex::encode(mac.finalize().into_bytes()), given);
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

#[tokio::test]
async fn a_lost_answer_of_a_pull_publishes_all_the_same() {
    let t = TikTok::new().await;
    let garbage = Fault::new(Platform::TikTok, "publish", FaultKind::Garbage);
    t.admin
        .add_fault(garbage.account(&t.user.open_id).times(1))
        .unwrap();
    assert!(
        t.pull("x", "PUBLIC_TO_EVERYONE")
            .await
            .text
            .starts_with("<html>")
    );
    t.later(25);
    assert_eq!(t.list(&json!({})).await["videos"][0]["title"], "x");
    let busy = Fault::new(
        Platform::TikTok,
        "check",
        FaultKind::RateLimited { reset_s: 60 },
    );
    t.admin.add_fault(busy.times(1)).unwrap();
    assert_eq!(
        code(&t.creator_info().await),
        is(429, "rate_limit_exceeded")
    );
}
