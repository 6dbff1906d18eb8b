//! Facebook Pages on the wire.

use std::time::Duration;

use mooring_simulator::{
    Admin, FacebookApp, FacebookUser, Limits, NewFacebookApp, NewFacebookUsers, PageState,
    Platform, RevokeReason, RunningSimulator, TokenScope,
};
use serde_json::Value;

use crate::client::{Reply, START_MS, delete, get, post_form, send, start};

const DAY: Duration = Duration::from_hours(24);

pub(crate) struct Facebook {
    pub(crate) simulator: RunningSimulator,
    pub(crate) admin: Admin,
    pub(crate) app: FacebookApp,
    pub(crate) user: FacebookUser,
}

impl Facebook {
    pub(crate) async fn new() -> Self {
        let simulator = start().await;
        let admin = simulator.admin();
        let app = admin
            .create_facebook_app(NewFacebookApp::default())
            .unwrap();
        let new = NewFacebookUsers {
            app: app.id.clone(),
            pages: 3,
            ..NewFacebookUsers::default()
        };
        let user = admin.create_facebook_users(&new).unwrap().remove(0);
        Self {
            simulator,
            admin,
            app,
            user,
        }
    }

    pub(crate) fn page(&self) -> &str {
        &self.user.pages[0].id
    }

    pub(crate) fn page_token(&self) -> &str {
        &self.user.pages[0].token
    }

    pub(crate) async fn post(&self, message: &str) -> Reply {
        let path = format!("/facebook/v26.0/{}/feed", self.page());
        send(
            &self.simulator,
            &post_form(path, &format!("message={message}")).token(self.page_token()),
        )
        .await
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Reply {
        send(
            &self.simulator,
            &get(format!("/facebook/v26.0/{path}")).token(token),
        )
        .await
    }

    async fn debug(&self, token: &str) -> Value {
        let path = format!(
            "/facebook/debug_token?input_token={token}&access_token={}%7C{}",
            self.app.id, &*self.app.secret
        );
        let reply = send(&self.simulator, &get(path)).await;
        assert_eq!(reply.status, 200);
        reply.json()["data"].clone()
    }
}

pub(crate) fn code(reply: &Reply) -> (u64, u64) {
    let body = reply.json();
    let number = |name: &str| body["error"][name].as_u64().unwrap_or(0);
    (number("code"), number("error_subcode"))
}

#[tokio::test]
async fn debug_token_answers_200_for_a_dead_token_and_says_why() {
    let fb = Facebook::new().await;
    let live = fb.debug(&fb.user.token).await;
    assert_eq!(
        (&live["is_valid"], &live["type"]),
        (&true.into(), &"USER".into())
    );
    assert_eq!(live["expires_at"], START_MS / 1000 + 60 * 24 * 3600);
    assert!(
        live["scopes"]
            .as_array()
            .unwrap()
            .contains(&"pages_manage_posts".into())
    );
    let page = fb.debug(fb.page_token()).await;
    assert_eq!(
        (&page["expires_at"], &page["profile_id"]),
        (&0.into(), &fb.page().into())
    );

    fb.admin
        .revoke_facebook_tokens(&fb.user.id, RevokeReason::PasswordChanged, TokenScope::All)
        .unwrap();
    let dead = fb.debug(fb.page_token()).await;
    assert_eq!(dead["is_valid"], false);
    assert_eq!(dead["error"]["subcode"], 460);
    let unknown = fb.debug("EAAnothing").await;
    assert_eq!(
        (&unknown["is_valid"], &unknown["error"]["code"]),
        (&false.into(), &190.into())
    );
}

#[tokio::test]
async fn a_user_token_expires_by_the_clock_and_can_be_exchanged_before() {
    let fb = Facebook::new().await;
    let exchange = format!(
        "oauth/access_token?grant_type=fb_exchange_token&client_id={}&client_secret={}&fb_exchange_token={}",
        fb.app.id, &*fb.app.secret, &*fb.user.token
    );
    fb.admin.clock().advance(59 * DAY).unwrap();
    let fresh = send(&fb.simulator, &get(format!("/facebook/{exchange}")))
        .await
        .json();
    assert_eq!(fresh["expires_in"], 60 * 24 * 3600);
    fb.admin.clock().advance(2 * DAY).unwrap();
    let late = send(&fb.simulator, &get(format!("/facebook/{exchange}"))).await;
    assert_eq!((late.status, code(&late)), (400, (190, 463)));
    let expired = fb.get("me", &fb.user.token).await;
    assert_eq!(code(&expired), (190, 463));
    assert_eq!(fb.debug(&fb.user.token).await["error"]["subcode"], 463);
    assert_eq!(
        fb.get("me", fresh["access_token"].as_str().unwrap())
            .await
            .status,
        200
    );
    assert_eq!(
        fb.post("still+alive").await.status,
        200,
        "a page token has no end"
    );
}

#[tokio::test]
async fn every_way_to_lose_access_has_its_own_answer() {
    let fb = Facebook::new().await;
    fb.admin
        .set_facebook_page_state(fb.page(), PageState::Blocked)
        .unwrap();
    assert_eq!(code(&fb.post("a").await), (368, 0));
    fb.admin
        .set_facebook_page_state(fb.page(), PageState::Unpublished)
        .unwrap();
    let path = format!("{}?fields=id,name,link,is_published", fb.page());
    assert_eq!(
        fb.get(&path, fb.page_token()).await.json()["is_published"],
        false
    );
    fb.admin
        .set_facebook_page_state(fb.page(), PageState::Deleted)
        .unwrap();
    assert_eq!(code(&fb.get(&path, fb.page_token()).await), (100, 33));
    fb.admin
        .set_facebook_page_state(fb.page(), PageState::Active)
        .unwrap();
    fb.admin
        .drop_facebook_scope(&fb.user.id, "pages_manage_posts", None)
        .unwrap();
    let refused = fb.post("b").await;
    assert_eq!((refused.status, code(&refused)), (403, (200, 0)));
    fb.admin
        .restore_facebook_scope(&fb.user.id, "pages_manage_posts")
        .unwrap();
    fb.admin
        .drop_facebook_scope(&fb.user.id, "pages_read_engagement", Some(fb.page()))
        .unwrap();
    let feed = format!("{}/published_posts", fb.page());
    assert_eq!(code(&fb.get(&feed, fb.page_token()).await), (10, 0));
    fb.admin
        .restore_facebook_scope(&fb.user.id, "pages_read_engagement")
        .unwrap();
    fb.admin.set_facebook_may_publish(fb.page(), false).unwrap();
    assert_eq!(code(&fb.post("c").await), (200, 0));
    fb.admin.set_facebook_may_publish(fb.page(), true).unwrap();
    fb.admin.set_facebook_checkpoint(&fb.user.id, true).unwrap();
    assert_eq!(code(&fb.post("d").await), (190, 459));
    fb.admin
        .set_facebook_checkpoint(&fb.user.id, false)
        .unwrap();
    fb.admin
        .set_facebook_tasks(fb.page(), &fb.user.id, None)
        .unwrap();
    assert_eq!(code(&fb.post("e").await), (190, 492));
    let accounts = fb
        .get("me/accounts?fields=id,tasks", &fb.user.token)
        .await
        .json();
    assert_eq!(accounts["data"].as_array().unwrap().len(), 2);
    assert_eq!(fb.admin.ledger_summary().posts, 0);
}

#[tokio::test]
async fn revoking_the_app_is_458_and_a_new_consent_gives_new_tokens() {
    let fb = Facebook::new().await;
    let all = format!("/facebook/v26.0/{}/permissions", fb.user.id);
    let gone = send(&fb.simulator, &delete(all).token(&fb.user.token)).await;
    assert_eq!(gone.json()["success"], true);
    assert_eq!(code(&fb.post("x").await), (190, 458));

    let dialog = format!(
        "/facebook/v26.0/dialog/oauth?client_id={}&redirect_uri=http://127.0.0.1/cb&state=s1&scope=pages_show_list,pages_manage_posts&decline=pages_manage_posts&login_hint={}",
        fb.app.id, fb.user.id
    );
    let consent = send(&fb.simulator, &get(dialog)).await;
    let target = consent.headers["location"].clone();
    let answer = target.split_once("code=").unwrap().1;
    let (auth_code, rest) = answer.split_once('&').unwrap();
    assert_eq!((consent.status, rest), (302, "state=s1"));
    let exchange = |redirect: &str| {
        get(format!(
            "/facebook/oauth/access_token?client_id={}&client_secret={}&redirect_uri={redirect}&code={auth_code}",
            fb.app.id, &*fb.app.secret
        ))
    };
    assert_eq!(
        code(&send(&fb.simulator, &exchange("http://other/")).await),
        (100, 36_008)
    );
    let token = send(&fb.simulator, &exchange("http://127.0.0.1/cb"))
        .await
        .json();
    assert_eq!(
        code(&send(&fb.simulator, &exchange("http://127.0.0.1/cb")).await),
        (100, 36_009)
    );
    let token = token["access_token"].as_str().unwrap();
    assert_eq!(
        fb.admin.calls_of(&fb.user.id, "connect"),
        4,
        "the dialog and three exchanges"
    );
    let permissions = fb.get("me/permissions", token).await.json().to_string();
    assert!(permissions.contains(r#"{"permission":"pages_manage_posts","status":"declined"}"#));
    let pages = fb
        .get("me/accounts?limit=1&summary=true", token)
        .await
        .json();
    assert_eq!(pages["summary"]["total_count"], 3);
    let short_lived = pages["data"][0]["access_token"].as_str().unwrap();
    assert_ne!(
        fb.debug(short_lived).await["expires_at"],
        0,
        "it dies with its user token"
    );
}

#[tokio::test]
async fn pages_are_listed_over_several_answers() {
    let fb = Facebook::new().await;
    let mut path = "me/accounts?fields=id,access_token&limit=2".to_owned();
    let mut seen = Vec::new();
    loop {
        let body = fb.get(&path, &fb.user.token).await.json();
        let ids = body["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| p["id"].as_str().unwrap().to_owned());
        seen.extend(ids);
        let Some(next) = body["paging"]["next"].as_str() else {
            break;
        };
        path = next.split_once("/v26.0/").unwrap().1.to_owned();
    }
    let wanted: Vec<_> = fb.user.pages.iter().map(|p| p.id.clone()).collect();
    assert_eq!(seen, wanted);
}

#[tokio::test]
async fn published_posts_are_found_by_since_and_read_back_until_deleted() {
    let fb = Facebook::new().await;
    let old = fb.post("old").await.json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    fb.admin.clock().advance(Duration::from_mins(10)).unwrap();
    let new = fb.post("new").await.json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let since = START_MS / 1000 + 600;
    let path = format!(
        "{}/published_posts?fields=id,message,created_time&since={since}",
        fb.page()
    );
    let found = fb.get(&path, fb.page_token()).await.json();
    assert_eq!(found["data"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&found["data"][0]["id"], &found["data"][0]["message"]),
        (&new.as_str().into(), &"new".into())
    );
    assert_eq!(found["data"][0]["created_time"], "2026-11-23T15:10:00+0000");
    let fields = format!("{old}?fields=id,message,permalink_url,is_published");
    let read = fb.get(&fields, fb.page_token()).await.json();
    assert!(
        read["permalink_url"]
            .as_str()
            .unwrap()
            .starts_with("https://www.facebook.com/")
    );
    let path = format!("/facebook/v26.0/{old}");
    assert_eq!(
        send(&fb.simulator, &delete(path.clone()).token(fb.page_token()))
            .await
            .json()["success"],
        true
    );
    assert_eq!(code(&fb.get(&fields, fb.page_token()).await), (100, 33));
    let again = send(&fb.simulator, &delete(path).token(fb.page_token())).await;
    assert!(
        again.json()["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("Unsupported delete request")
    );
}

#[tokio::test]
async fn the_duplicate_guard_catches_only_consecutive_repetitions() {
    let fb = Facebook::new().await;
    assert_eq!(fb.post("same").await.status, 200);
    assert_eq!(code(&fb.post("same").await).0, 506);
    assert_eq!(fb.post("other").await.status, 200);
    assert_eq!(fb.post("same").await.status, 200);
    let limits = Limits {
        facebook_duplicate_guard: false,
        ..fb.admin.limits()
    };
    fb.admin.set_limits(limits);
    assert_eq!(fb.post("same").await.status, 200);
    let summary = fb.admin.ledger_summary();
    assert_eq!(
        (summary.posts, summary.doubled, summary.refused_duplicates),
        (4, 2, 1)
    );
    assert_eq!(
        (summary.doubles[0].text.as_str(), summary.doubles[0].created),
        ("same", 3)
    );
}

#[tokio::test]
async fn content_that_the_platform_cannot_take_is_refused() {
    let fb = Facebook::new().await;
    let longest = "x".repeat(63_206);
    assert_eq!(fb.post(&longest).await.status, 200);
    let too_long = fb.post(&format!("{longest}y")).await;
    assert_eq!(code(&too_long), (100, 0));
    assert!(too_long.json()["error"]["error_user_msg"].is_string());
    assert_eq!(code(&fb.post("").await), (100, 0));
    assert_eq!(code(&fb.post("x&link=nowhere").await), (1_609_005, 0));
    let feed = post_form(format!("/facebook/{}/feed", fb.page()), "message=x");
    assert_eq!(
        code(&send(&fb.simulator, &feed.token(&fb.user.token)).await),
        (190, 2_069_032)
    );
}

#[tokio::test]
async fn photos_are_posts_or_wait_for_one() {
    let fb = Facebook::new().await;
    let path = format!("/facebook/{}/photos", fb.page());
    let post = |form: &str| post_form(path.clone(), form);
    let body = "url=https%3A%2F%2Fexample.com%2Fa.jpg&caption=seen";
    let one = send(&fb.simulator, &post(body).token(fb.page_token()))
        .await
        .json();
    assert!(one["post_id"].as_str().unwrap().starts_with(fb.page()));
    let waiting = format!("{body}&published=false");
    let photo = send(&fb.simulator, &post(&waiting).token(fb.page_token()))
        .await
        .json();
    assert_eq!(
        (photo["post_id"].is_null(), fb.admin.ledger_summary().posts),
        (true, 1)
    );
    let media = format!("later&attached_media=[{{\"media_fbid\":{}}}]", photo["id"]);
    let post = fb.post(&media).await.json();
    let id = post["id"].as_str().unwrap();
    let read = fb
        .get(
            &format!("{id}?fields=attachments{{media,target}},status_type"),
            fb.page_token(),
        )
        .await;
    assert_eq!(
        read.json()["attachments"]["data"][0]["target"]["id"],
        photo["id"]
    );
}

#[tokio::test]
async fn the_proof_of_the_app_secret_is_checked_and_may_be_demanded() {
    let simulator = start().await;
    let admin = simulator.admin();
    let strict = NewFacebookApp {
        secret: Some("secret".into()),
        require_proof: true,
        ..Default::default()
    };
    let app = admin.create_facebook_app(strict).unwrap();
    let new = NewFacebookUsers {
        app: app.id,
        ..Default::default()
    };
    let user = admin.create_facebook_users(&new).unwrap().remove(0);
    let me = |proof: &str| get(format!("/facebook/me?access_token={}{proof}", &*user.token));
    let missing = send(&simulator, &me("")).await.json();
    assert!(
        missing["error"]["message"]
            .as_str()
            .unwrap()
            .contains("require an appsecret_proof")
    );
    let wrong = send(&simulator, &me("&appsecret_proof=00")).await.json();
    assert!(
        wrong["error"]["message"]
            .as_str()
            .unwrap()
            .contains("Invalid appsecret_proof")
    );
    let right = format!("&appsecret_proof={}", proof("secret", &user.token));
    assert_eq!(send(&simulator, &me(&right)).await.status, 200);
}

fn proof(secret: &str, token: &str) -> String {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(token.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

#[tokio::test]
async fn limits_and_versions_are_told_in_headers() {
    let fb = Facebook::new().await;
    let old = send(
        &fb.simulator,
        &get("/facebook/v19.0/me").token(&fb.user.token),
    )
    .await;
    assert_eq!(old.headers["facebook-api-version"], "v21.0");
    fb.admin.set_limits(Limits {
        facebook_page_calls_per_day: Some(1),
        ..fb.admin.limits()
    });
    assert_eq!(fb.post("one").await.status, 200);
    let throttled = fb.post("two").await;
    assert_eq!(code(&throttled).0, 80_001);
    let usage: Value =
        serde_json::from_str(&throttled.headers["x-business-use-case-usage"]).unwrap();
    assert_eq!(
        usage[fb.page()][0]["estimated_time_to_regain_access"],
        24 * 60
    );
    fb.admin.clock().advance(DAY).unwrap();
    assert_eq!(fb.post("two").await.status, 200);
    fb.admin.set_limits(Limits {
        facebook_app_calls_per_hour: Some(0),
        ..fb.admin.limits()
    });
    assert_eq!(code(&fb.post("three").await), (4, 0));
}

#[tokio::test]
async fn an_edit_on_the_platform_is_seen_by_readers_and_ledger() {
    let fb = Facebook::new().await;
    let id = fb.post("before").await.json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    fb.admin
        .edit_post(Platform::Facebook, &id, "after")
        .unwrap();
    assert_eq!(
        fb.get(&id, fb.page_token()).await.json()["message"],
        "after"
    );
    let everything = mooring_simulator::LedgerFilter::default();
    let entry = fb.admin.ledger(&everything).remove(0);
    assert_eq!((entry.text.as_str(), entry.edits), ("after", 1));
    fb.admin.delete_post(Platform::Facebook, &id).unwrap();
    assert!(fb.admin.delete_post(Platform::Facebook, &id).is_err());
}
