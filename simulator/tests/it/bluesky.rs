//! The Bluesky server on the wire.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mooring_simulator::{
    AccountState, Admin, BlueskyAccount, BlueskyTokenAction, NewBlueskyAccounts, Platform,
    RunningSimulator,
};
use serde_json::{Value, json};

use crate::client::{Reply, START_MS, get, post_bytes, post_json, send, start};

pub(crate) const RKEY: &str = "3lfleet222222";
const HOUR: Duration = Duration::from_hours(1);

pub(crate) struct Bluesky {
    pub(crate) simulator: RunningSimulator,
    pub(crate) admin: Admin,
    pub(crate) account: BlueskyAccount,
}

impl Bluesky {
    pub(crate) async fn new() -> Self {
        let simulator = start().await;
        let admin = simulator.admin();
        let account = admin
            .create_bluesky_accounts(&NewBlueskyAccounts::default())
            .unwrap()
            .remove(0);
        Self {
            simulator,
            admin,
            account,
        }
    }

    pub(crate) fn record(&self, rkey: &str, text: &str) -> Value {
        json!({
            "repo": self.account.did,
            "collection": "app.bsky.feed.post",
            "rkey": rkey,
            "record": {
                "$type": "app.bsky.feed.post",
                "text": text,
                "createdAt": "2026-11-23T15:00:00.000Z",
            },
        })
    }

    pub(crate) async fn write(&self, method: &str, body: &Value) -> Reply {
        self.call(method, body, &self.account.access_token).await
    }

    async fn call(&self, method: &str, body: &Value, token: &str) -> Reply {
        let path = format!("/bluesky/xrpc/com.atproto.{method}");
        send(&self.simulator, &post_json(path, body).token(token)).await
    }

    async fn refresh(&self, token: &str) -> Reply {
        let path = "/bluesky/xrpc/com.atproto.server.refreshSession";
        send(
            &self.simulator,
            &post_bytes(path, "text/plain", b"").token(token),
        )
        .await
    }

    async fn session(&self) -> Reply {
        let path = "/bluesky/xrpc/com.atproto.server.getSession";
        send(
            &self.simulator,
            &get(path).token(&self.account.access_token),
        )
        .await
    }

    async fn login(&self, password: &str) -> Reply {
        let body = json!({ "identifier": self.account.handle, "password": password });
        send(
            &self.simulator,
            &post_json("/bluesky/xrpc/com.atproto.server.createSession", &body),
        )
        .await
    }

    pub(crate) async fn read(&self, rkey: &str) -> Reply {
        let did = &self.account.did;
        let query = format!("repo={did}&collection=app.bsky.feed.post&rkey={rkey}");
        send(
            &self.simulator,
            &get(format!("/bluesky/xrpc/com.atproto.repo.getRecord?{query}")),
        )
        .await
    }

    async fn status(&self) -> Value {
        let path = format!(
            "/bluesky/xrpc/com.atproto.sync.getRepoStatus?did={}",
            self.account.did
        );
        send(&self.simulator, &get(path)).await.json()
    }
}

fn error(reply: &Reply) -> (u16, String, String) {
    let body = reply.json();
    let text = |name: &str| body[name].as_str().unwrap_or("").to_owned();
    (reply.status, text("error"), text("message"))
}

fn is(status: u16, name: &str, message: &str) -> (u16, String, String) {
    (status, name.to_owned(), message.to_owned())
}

fn claims(token: &str) -> Value {
    let payload = URL_SAFE_NO_PAD
        .decode(token.split('.').nth(1).unwrap())
        .unwrap();
    serde_json::from_slice(&payload).unwrap()
}

fn token<'a>(body: &'a Value, name: &str) -> &'a str {
    body[name].as_str().unwrap()
}

#[tokio::test]
async fn refresh_may_be_repeated_for_two_hours_and_yields_the_same_next_id() {
    let bsky = Bluesky::new().await;
    let first = bsky.refresh(&bsky.account.refresh_token).await.json();
    let next = claims(token(&first, "refreshJwt"))["jti"].clone();
    assert_ne!(claims(&bsky.account.refresh_token)["jti"], next);
    bsky.admin.clock().advance(HOUR).unwrap();
    let again = bsky.refresh(&bsky.account.refresh_token).await;
    assert_eq!(
        (
            again.status,
            &claims(token(&again.json(), "refreshJwt"))["jti"]
        ),
        (200, &next)
    );
    // A repetition does not lengthen the grace.
    bsky.admin.clock().advance(HOUR).unwrap();
    let late = bsky.refresh(&bsky.account.refresh_token).await;
    assert_eq!(
        error(&late),
        is(400, "ExpiredToken", "Token has been revoked")
    );
    assert_eq!(bsky.refresh(token(&first, "refreshJwt")).await.status, 200);
}

#[tokio::test]
async fn tokens_end_by_the_clock_with_400_and_not_401() {
    let bsky = Bluesky::new().await;
    let access = claims(&bsky.account.access_token);
    assert_eq!(access["exp"], START_MS / 1000 + 7200);
    bsky.admin
        .clock()
        .advance(Duration::from_secs(2 * 3600 - 1))
        .unwrap();
    assert_eq!(bsky.session().await.status, 200);
    bsky.admin.clock().advance(Duration::from_secs(1)).unwrap();
    assert_eq!(
        error(&bsky.session().await),
        is(400, "ExpiredToken", "Token has expired")
    );
    bsky.admin.clock().advance(90 * 24 * HOUR).unwrap();
    let old = bsky.refresh(&bsky.account.refresh_token).await;
    assert_eq!(error(&old), is(400, "ExpiredToken", "Token has expired"));
}

#[tokio::test]
async fn put_record_is_idempotent_and_swap_record_null_means_must_not_exist() {
    let bsky = Bluesky::new().await;
    let mut record = bsky.record(RKEY, "hello");
    record["swapRecord"] = Value::Null;
    let first = bsky.write("repo.putRecord", &record).await.json();
    assert!(first["commit"]["rev"].is_string());
    let same = bsky.write("repo.putRecord", &record).await;
    assert_eq!((same.status, &same.json()["cid"]), (200, &first["cid"]));
    assert!(same.json()["commit"].is_null());
    let mut other = bsky.record(RKEY, "changed");
    other["swapRecord"] = Value::Null;
    let refused = bsky.write("repo.putRecord", &other).await;
    let message = format!("Record was at {}", token(&first, "cid"));
    assert_eq!(error(&refused), is(400, "InvalidSwap", &message));
    other["swapRecord"] = first["cid"].clone();
    assert_eq!(bsky.write("repo.putRecord", &other).await.status, 200);
    let summary = bsky.admin.ledger_summary();
    assert_eq!((summary.posts, summary.doubled), (1, 0));
}

#[tokio::test]
async fn create_record_twice_is_a_bare_500() {
    let bsky = Bluesky::new().await;
    let record = bsky.record(RKEY, "hello");
    assert_eq!(bsky.write("repo.createRecord", &record).await.status, 200);
    let twice = bsky.write("repo.createRecord", &record).await;
    assert_eq!(
        (twice.status, &twice.json()["error"]),
        (500, &"InternalServerError".into())
    );
    let mut keyless = record;
    keyless.as_object_mut().unwrap().remove("rkey");
    assert_eq!(bsky.write("repo.createRecord", &keyless).await.status, 200);
    assert_eq!(
        bsky.admin.ledger_summary().doubled,
        1,
        "a key of the server's choice doubles"
    );
}

#[tokio::test]
async fn a_record_is_read_until_it_is_deleted() {
    let bsky = Bluesky::new().await;
    let written = bsky
        .write("repo.putRecord", &bsky.record(RKEY, "hello"))
        .await
        .json();
    let read = bsky.read(RKEY).await.json();
    assert_eq!(
        (&read["cid"], &read["value"]["text"]),
        (&written["cid"], &"hello".into())
    );
    bsky.admin
        .edit_post(Platform::Bluesky, token(&written, "uri"), "altered")
        .unwrap();
    assert_ne!(bsky.read(RKEY).await.json()["cid"], written["cid"]);
    let address =
        json!({ "repo": bsky.account.did, "collection": "app.bsky.feed.post", "rkey": RKEY });
    assert!(bsky.write("repo.deleteRecord", &address).await.json()["commit"].is_object());
    assert_eq!(
        bsky.write("repo.deleteRecord", &address).await.json(),
        json!({})
    );
    let gone = format!("Could not locate record: {}", token(&written, "uri"));
    assert_eq!(
        error(&bsky.read(RKEY).await),
        is(400, "RecordNotFound", &gone)
    );
}

#[tokio::test]
async fn records_are_listed_newest_first_with_a_cursor() {
    let bsky = Bluesky::new().await;
    for rkey in ["3lfleet222222", "3lfleet222223", "3lfleet222224"] {
        bsky.write("repo.putRecord", &bsky.record(rkey, rkey)).await;
    }
    let list = |more: &str| {
        let query = format!(
            "repo={}&collection=app.bsky.feed.post&limit=2{more}",
            bsky.account.handle
        );
        get(format!(
            "/bluesky/xrpc/com.atproto.repo.listRecords?{query}"
        ))
    };
    let page = send(&bsky.simulator, &list("")).await.json();
    assert_eq!(
        (&page["records"][0]["value"]["text"], &page["cursor"]),
        (&"3lfleet222224".into(), &"3lfleet222223".into())
    );
    let rest = send(&bsky.simulator, &list("&cursor=3lfleet222223"))
        .await
        .json();
    assert_eq!(rest["records"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn keys_and_texts_are_judged_as_the_server_judges_them() {
    let bsky = Bluesky::new().await;
    let bad_key = bsky
        .write("repo.putRecord", &bsky.record("018f-uuid", "x"))
        .await;
    assert!(error(&bad_key).2.contains("Invalid TID string"));
    // 300 graphemes of 2 code points each are allowed, 301 are not.
    let longest = "e\u{301}".repeat(300);
    assert_eq!(
        bsky.write("repo.putRecord", &bsky.record(RKEY, &longest))
            .await
            .status,
        200
    );
    let long = bsky
        .write("repo.putRecord", &bsky.record(RKEY, &format!("{longest}x")))
        .await;
    assert!(
        error(&long)
            .2
            .contains("grapheme too big (maximum 300, got 301)")
    );
    let mut dateless = bsky.record(RKEY, "x");
    dateless["record"]
        .as_object_mut()
        .unwrap()
        .remove("createdAt");
    assert_eq!(bsky.write("repo.putRecord", &dateless).await.status, 400);
    assert_eq!(
        bsky.write("repo.noSuchMethod", &json!({})).await.status,
        501
    );
}

#[tokio::test]
async fn images_must_have_been_uploaded() {
    let bsky = Bluesky::new().await;
    let path = "/bluesky/xrpc/com.atproto.repo.uploadBlob";
    let upload = post_bytes(path, "image/jpeg", b"jpeg").token(&bsky.account.access_token);
    let blob = send(&bsky.simulator, &upload).await.json()["blob"].clone();
    assert!(
        blob["ref"]["$link"]
            .as_str()
            .unwrap()
            .starts_with("bafkrei")
    );
    let mut record = bsky.record(RKEY, "picture");
    record["record"]["embed"] =
        json!({ "$type": "app.bsky.embed.images", "images": [{ "alt": "", "image": blob }] });
    assert_eq!(bsky.write("repo.putRecord", &record).await.status, 200);
    record["record"]["embed"]["images"][0]["image"]["ref"]["$link"] = "bafkreinothing".into();
    assert_eq!(
        error(&bsky.write("repo.putRecord", &record).await).1,
        "BlobNotFound"
    );
}

#[tokio::test]
async fn deactivation_stops_writing_but_no_session() {
    let bsky = Bluesky::new().await;
    bsky.admin
        .set_bluesky_state(&bsky.account.did, AccountState::Deactivated)
        .unwrap();
    let session = bsky.session().await.json();
    assert_eq!(
        (&session["active"], &session["status"]),
        (&false.into(), &"deactivated".into())
    );
    let write = bsky.write("repo.putRecord", &bsky.record(RKEY, "x")).await;
    assert_eq!(
        error(&write),
        is(401, "AccountDeactivated", "Account is deactivated")
    );
    assert_eq!(bsky.refresh(&bsky.account.refresh_token).await.status, 200);
    assert_eq!(bsky.status().await["status"], "deactivated");
    bsky.admin
        .set_bluesky_state(&bsky.account.did, AccountState::Active)
        .unwrap();
    assert_eq!(
        bsky.write("repo.putRecord", &bsky.record(RKEY, "x"))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_takedown_ends_the_sessions_for_good() {
    let bsky = Bluesky::new().await;
    bsky.write("repo.putRecord", &bsky.record(RKEY, "x")).await;
    bsky.admin
        .set_bluesky_state(&bsky.account.did, AccountState::Takendown)
        .unwrap();
    let taken = is(401, "AccountTakedown", "Account has been taken down");
    assert_eq!(
        error(&bsky.write("repo.putRecord", &bsky.record(RKEY, "y")).await),
        taken
    );
    assert_eq!(
        error(&bsky.refresh(&bsky.account.refresh_token).await),
        taken
    );
    let refused = is(
        401,
        "AuthenticationRequired",
        "Invalid identifier or password",
    );
    assert_eq!(error(&bsky.login(&bsky.account.password).await), refused);
    let session = error(&bsky.session().await);
    assert_eq!((session.0, session.1.as_str()), (400, "InvalidRequest"));
    assert!(
        session
            .2
            .starts_with("Could not find user info for account")
    );
    assert_eq!(bsky.status().await["status"], "takendown");
    assert_eq!(bsky.read(RKEY).await.status, 400);
    bsky.admin
        .set_bluesky_state(&bsky.account.did, AccountState::Active)
        .unwrap();
    let dead = bsky.refresh(&bsky.account.refresh_token).await;
    assert_eq!(
        error(&dead),
        is(400, "ExpiredToken", "Token has been revoked")
    );
    assert_eq!(bsky.login(&bsky.account.password).await.status, 200);
    assert_eq!(bsky.read(RKEY).await.status, 200);
}

#[tokio::test]
async fn a_new_password_is_unseen_until_the_access_token_ends() {
    let bsky = Bluesky::new().await;
    let password = bsky
        .admin
        .change_bluesky_password(&bsky.account.did)
        .unwrap();
    assert_eq!(bsky.session().await.status, 200);
    let dead = bsky.refresh(&bsky.account.refresh_token).await;
    assert_eq!(
        error(&dead),
        is(400, "ExpiredToken", "Token has been revoked")
    );
    let wrong = bsky.login(&bsky.account.password).await;
    assert_eq!(
        error(&wrong),
        is(
            401,
            "AuthenticationRequired",
            "Invalid identifier or password"
        )
    );
    assert_eq!(bsky.login(&password).await.status, 200);
}

#[tokio::test]
async fn tokens_that_are_no_good_are_told_apart() {
    let bsky = Bluesky::new().await;
    let path = "/bluesky/xrpc/com.atproto.server.getSession";
    let none = send(&bsky.simulator, &get(path)).await;
    assert_eq!(
        error(&none),
        is(401, "AuthMissing", "Authentication Required")
    );
    let unverified = is(400, "InvalidToken", "Token could not be verified");
    for bad in [
        "garbage",
        &*bsky.account.refresh_token,
        &format!("{}x", &*bsky.account.access_token),
    ] {
        assert_eq!(
            error(&send(&bsky.simulator, &get(path).token(bad)).await),
            unverified
        );
    }
    bsky.admin
        .set_bluesky_may_write(&bsky.account.did, false)
        .unwrap();
    let scope = bsky.write("repo.putRecord", &bsky.record(RKEY, "x")).await;
    assert_eq!(error(&scope), is(400, "InvalidToken", "Bad token scope"));
    bsky.admin
        .act_on_bluesky_tokens(&bsky.account.did, BlueskyTokenAction::ExpireAccess)
        .unwrap();
    assert_eq!(error(&bsky.session().await).1, "ExpiredToken");
    let fresh = bsky.refresh(&bsky.account.refresh_token).await.json();
    let session = get(path).token(token(&fresh, "accessJwt"));
    assert_eq!(send(&bsky.simulator, &session).await.status, 200);
    bsky.admin
        .set_bluesky_state(&bsky.account.did, AccountState::Deleted)
        .unwrap();
    assert_eq!(bsky.status().await["error"], "RepoNotFound");
}

#[tokio::test]
async fn log_ins_are_limited_per_account() {
    let bsky = Bluesky::new().await;
    for n in 0..30 {
        let reply = bsky.login(&bsky.account.password).await;
        assert_eq!(
            (reply.status, &reply.headers["ratelimit-policy"]),
            (200, &"30;w=300".to_owned()),
            "{n}"
        );
    }
    let refused = bsky.login(&bsky.account.password).await;
    assert_eq!(
        error(&refused),
        is(429, "RateLimitExceeded", "Rate Limit Exceeded")
    );
    assert_eq!(
        (
            &*refused.headers["retry-after"],
            &*refused.headers["ratelimit-remaining"]
        ),
        ("300", "0")
    );
    assert_eq!(
        refused.headers["ratelimit-reset"],
        (START_MS / 1000 + 300).to_string()
    );
    bsky.admin.clock().advance(Duration::from_mins(5)).unwrap();
    assert_eq!(bsky.login(&bsky.account.password).await.status, 200);
}
