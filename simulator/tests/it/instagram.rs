//! Instagram on the wire, with Instagram Login and with Facebook Login.

use std::time::Duration;

use mooring_simulator::instagram::{
    MediaFailure, MetaAccount, MetaAccountState, MetaAdmin, MetaApp, MetaSettings, NewMetaAccounts,
    NewMetaApp,
};
use mooring_simulator::{
    Admin, Fault, FaultKind, LedgerFilter, Platform, RevokeReason, RunningSimulator,
};
use serde_json::Value;

use crate::client::{Reply, Request, delete, get, post_form, send, start, try_send};

pub(crate) const DAY: Duration = Duration::from_hours(24);
pub(crate) const REDIRECT: &str = "https://app.example/back";

pub(crate) struct Meta {
    pub(crate) simulator: RunningSimulator,
    pub(crate) admin: Admin,
    pub(crate) app: MetaApp,
    pub(crate) account: MetaAccount,
    site: &'static str,
}

impl Meta {
    pub(crate) async fn new(site: &'static str, pick: fn(&Admin) -> MetaAdmin) -> Self {
        let simulator = start().await;
        let admin = simulator.admin();
        let hand = pick(&admin);
        let app = hand.create_app(NewMetaApp::default()).unwrap();
        let new = NewMetaAccounts {
            app: app.id.clone(),
            ..NewMetaAccounts::default()
        };
        let account = hand.create_accounts(&new).unwrap().remove(0);
        Self {
            simulator,
            admin,
            app,
            account,
            site,
        }
    }

    pub(crate) async fn send(&self, request: Request<'_>) -> Reply {
        send(&self.simulator, &request.token(&self.account.token)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(get(format!("/{}/{path}", self.site))).await
    }

    pub(crate) async fn post(&self, path: &str, form: &str) -> Reply {
        let path = format!("/{}/{path}", self.site);
        self.send(post_form(path, form)).await
    }

    pub(crate) async fn authorize(&self, more: &str) -> Reply {
        let path = format!(
            "/{}/oauth/authorize?client_id={}&redirect_uri={REDIRECT}&response_type=code&state=s1&login_hint={}{more}",
            self.site, self.app.id, self.account.id
        );
        send(&self.simulator, &get(path)).await
    }

    pub(crate) async fn exchange(&self, code: &str, redirect: &str) -> Reply {
        let form = format!(
            "client_id={}&client_secret={}&grant_type=authorization_code&redirect_uri={redirect}&code={code}",
            self.app.id, &*self.app.secret
        );
        let path = format!("/{}/oauth/access_token", self.site);
        send(&self.simulator, &post_form(path, &form)).await
    }

    pub(crate) async fn grant(&self, path: &str, grant: &str, token: &str) -> Reply {
        let path = format!(
            "/{}/{path}?grant_type={grant}&client_secret={}&access_token={token}",
            self.site, &*self.app.secret
        );
        send(&self.simulator, &get(path)).await
    }
}

pub(crate) async fn instagram() -> Meta {
    Meta::new("instagram", Admin::instagram).await
}

pub(crate) fn code(reply: &Reply) -> (i64, u64) {
    let error = &reply.json()["error"];
    let subcode = error["error_subcode"].as_u64().unwrap_or(0);
    (error["code"].as_i64().unwrap_or(0), subcode)
}

pub(crate) fn id(reply: &Reply) -> String {
    let body = reply.json();
    assert_eq!(reply.status, 200, "{body}");
    body["id"].as_str().unwrap().to_owned()
}

pub(crate) fn code_of(reply: &Reply) -> String {
    let (_, rest) = reply.headers["location"].split_once("code=").unwrap();
    rest.split('&').next().unwrap().to_owned()
}

impl Meta {
    pub(crate) async fn contain(&self, form: &str) -> Reply {
        self.post(&format!("v25.0/{}/media", self.account.id), form)
            .await
    }

    pub(crate) async fn image(&self, caption: &str) -> String {
        let form = format!("image_url=https://media.example/a.jpg&caption={caption}");
        id(&self.contain(&form).await)
    }

    pub(crate) async fn publish(&self, container: &str) -> Reply {
        let path = format!("v25.0/{}/media_publish", self.account.id);
        self.post(&path, &format!("creation_id={container}")).await
    }

    pub(crate) async fn status(&self, container: &str) -> Value {
        let path = format!("v25.0/{container}?fields=status_code,status");
        self.get(&path).await.json()
    }
}

#[tokio::test]
async fn log_in_gives_a_short_token_then_a_long_one() {
    let ig = instagram().await;
    let scope = "&scope=instagram_business_basic,instagram_business_content_publish";
    let page = ig.authorize(scope).await;
    assert_eq!(page.status, 302);
    assert!(page.headers["location"].ends_with("state=s1#_"));
    let code = code_of(&page);
    let wrong = ig.exchange(&code, "https://other.example/").await;
    assert_eq!(
        (wrong.status, wrong.json()["code"].as_i64()),
        (400, Some(400))
    );
    let short = ig.exchange(&code, REDIRECT).await.json();
    assert_eq!(short["user_id"].to_string(), ig.account.app_scoped_id);
    assert_eq!(
        short["permissions"][1],
        "instagram_business_content_publish"
    );
    let again = ig.exchange(&code, REDIRECT).await.json();
    assert_eq!(
        again["error_message"],
        "Matching code was not found or was already used"
    );
    let short = short["access_token"].as_str().unwrap();
    let long = ig
        .grant("access_token", "ig_exchange_token", short)
        .await
        .json();
    assert_eq!(long["expires_in"], 60 * 24 * 3600);
    let me = get("/instagram/v25.0/me?fields=user_id,username,account_type");
    let me = send(
        &ig.simulator,
        &me.token(long["access_token"].as_str().unwrap()),
    )
    .await;
    assert_eq!(me.json()["user_id"], *ig.account.id);
    assert_eq!(me.json()["id"], *ig.account.app_scoped_id);
    assert_eq!(me.headers["facebook-api-version"], "v25.0");
    ig.admin.clock().advance(Duration::from_hours(2)).unwrap();
    let late = send(&ig.simulator, &get("/instagram/me").token(short)).await;
    assert_eq!(self::code(&late), (190, 463));
}

#[tokio::test]
async fn a_code_lives_an_hour_and_both_token_answers_occur() {
    let ig = instagram().await;
    let page = ig.authorize("&scope=instagram_business_basic").await;
    ig.admin.clock().advance(Duration::from_mins(61)).unwrap();
    assert_eq!(ig.exchange(&code_of(&page), REDIRECT).await.status, 400);
    ig.admin.instagram().set_settings(MetaSettings {
        wrapped_token_answer: true,
        ..MetaSettings::default()
    });
    let scopes = "&scope=instagram_business_basic,instagram_business_content_publish";
    let page = ig
        .authorize(&format!(
            "{scopes}&decline=instagram_business_content_publish"
        ))
        .await;
    let body = ig.exchange(&code_of(&page), REDIRECT).await.json();
    assert_eq!(body["data"][0]["permissions"], "instagram_business_basic");
    let denied = ig.authorize("&scope=instagram_business_basic&deny=1").await;
    assert!(denied.headers["location"].contains("error=access_denied&error_reason=user_denied"));
}

#[tokio::test]
async fn a_token_is_renewed_after_a_day_and_never_after_its_end() {
    let ig = instagram().await;
    let token = ig.account.token.to_string();
    let refresh = async |token: &str| {
        ig.grant("refresh_access_token", "ig_refresh_token", token)
            .await
    };
    assert_eq!(code(&refresh(&token).await), (100, 0), "too young");
    ig.admin.clock().advance(DAY).unwrap();
    let fresh = refresh(&token).await.json();
    assert_eq!(fresh["expires_in"], 60 * 24 * 3600);
    assert_ne!(fresh["access_token"], token);
    assert_eq!(
        ig.get("me").await.status,
        200,
        "the old one lives to its own end"
    );
    let basic = "instagram_business_basic";
    ig.admin
        .instagram()
        .set_scope(&ig.account.id, basic, false)
        .unwrap();
    let fresh = fresh["access_token"].as_str().unwrap();
    ig.admin.clock().advance(2 * DAY).unwrap();
    assert_eq!(code(&refresh(fresh).await), (10, 0));
    ig.admin
        .instagram()
        .set_scope(&ig.account.id, basic, true)
        .unwrap();
    ig.admin.clock().advance(57 * DAY).unwrap();
    assert_eq!(code(&refresh(&token).await), (190, 463));
    assert_eq!(
        refresh(fresh).await.status,
        200,
        "a day before its end it still works"
    );
    ig.admin.clock().advance(DAY).unwrap();
    assert_eq!(code(&refresh(fresh).await), (190, 463));
}

#[tokio::test]
async fn an_image_is_contained_published_read_and_listed() {
    let ig = instagram().await;
    let container = ig.image("hello").await;
    assert!(ig.admin.ledger(&LedgerFilter::default()).is_empty());
    assert_eq!(ig.status(&container).await["status_code"], "FINISHED");
    let media = id(&ig.publish(&container).await);
    assert_eq!(ig.status(&container).await["status_code"], "PUBLISHED");
    assert_eq!(
        code(&ig.publish(&container).await),
        (24, 2_207_008),
        "a container publishes once"
    );
    let fields =
        "fields=id,permalink,shortcode,media_type,media_product_type,timestamp,caption,username";
    let read = ig.get(&format!("v25.0/{media}?{fields}")).await.json();
    let shortcode = read["shortcode"].as_str().unwrap();
    assert_eq!(
        read["permalink"],
        format!("https://www.instagram.com/p/{shortcode}/")
    );
    assert_eq!(
        (&read["caption"], &read["media_type"]),
        (&"hello".into(), &"IMAGE".into())
    );
    let list = ig
        .get(&format!("v25.0/{}/media?{fields}&limit=10", ig.account.id))
        .await
        .json();
    assert_eq!(list["data"][0]["id"], media);
    let ledger = ig.admin.ledger(&LedgerFilter::default());
    assert_eq!(
        (ledger.len(), ledger[0].platform, &*ledger[0].text),
        (1, Platform::Instagram, "hello")
    );
    let gone = ig.send(delete(format!("/instagram/v25.0/{media}"))).await;
    assert_eq!(code(&gone), (100, 33), "this log-in cannot delete");
    ig.admin.delete_post(Platform::Instagram, &media).unwrap();
    assert_eq!(code(&ig.get(&media).await), (100, 33));
}

#[tokio::test]
async fn a_reel_is_processed_by_the_clock_and_a_container_expires() {
    let ig = instagram().await;
    let reel = ig
        .contain("media_type=REELS&video_url=https://media.example/a.mp4&caption=r")
        .await;
    let reel = id(&reel);
    assert_eq!(ig.status(&reel).await["status_code"], "IN_PROGRESS");
    assert_eq!(code(&ig.publish(&reel).await), (9007, 2_207_027));
    ig.admin.clock().advance(Duration::from_secs(10)).unwrap();
    assert_eq!(ig.status(&reel).await["status_code"], "FINISHED");
    ig.admin.clock().advance(DAY).unwrap();
    assert_eq!(ig.status(&reel).await["status_code"], "EXPIRED");
    assert_eq!(code(&ig.publish(&reel).await), (-2, 2_207_020));
    let video = ig
        .contain("media_type=VIDEO&video_url=https://media.example/a.mp4")
        .await;
    assert_eq!(code(&video), (100, 2_207_067));
}

#[tokio::test]
async fn media_that_fails_says_so_at_once_or_in_the_status() {
    let ig = instagram().await;
    let hand = ig.admin.instagram();
    hand.fail_media(&ig.account.id, MediaFailure::Fetch, 1)
        .unwrap();
    hand.fail_media(&ig.account.id, MediaFailure::Processing, 1)
        .unwrap();
    hand.fail_media(&ig.account.id, MediaFailure::Stuck, 1)
        .unwrap();
    let form = "image_url=https://media.example/a.jpg";
    assert_eq!(code(&ig.contain(form).await), (9004, 2_207_052));
    let failed = id(&ig.contain(form).await);
    let status = ig.status(&failed).await;
    assert_eq!(status["status_code"], "ERROR");
    assert!(status["status"].as_str().unwrap().contains("2207026"));
    let stuck = id(&ig.contain(form).await);
    ig.admin.clock().advance(Duration::from_hours(23)).unwrap();
    assert_eq!(ig.status(&stuck).await["status_code"], "IN_PROGRESS");
    assert_eq!(
        code(&ig.contain("image_url=ftp://x/a.jpg").await),
        (9004, 2_207_052)
    );
    assert_eq!(
        code(&ig.contain("image_url=https://m.example/a.png").await),
        (36_001, 2_207_005)
    );
}

#[tokio::test]
async fn a_carousel_is_one_post_of_two_to_ten_parts() {
    let ig = instagram().await;
    let part = "image_url=https://media.example/a.jpg&is_carousel_item=true";
    let one = id(&ig.contain(part).await);
    let video = "media_type=VIDEO&video_url=https://media.example/b.mp4&is_carousel_item=true";
    let two = id(&ig.contain(video).await);
    let single = format!("media_type=CAROUSEL&children={one}");
    assert_eq!(code(&ig.contain(&single).await), (100, 2_207_028));
    let both = format!("media_type=CAROUSEL&caption=both&children={one},{two}");
    assert_eq!(
        code(&ig.contain(&both).await),
        (9007, 2_207_027),
        "a part is not ready"
    );
    ig.admin.clock().advance(Duration::from_secs(10)).unwrap();
    let carousel = id(&ig.contain(&both).await);
    ig.admin.clock().advance(Duration::from_secs(10)).unwrap();
    assert_eq!(
        code(&ig.publish(&one).await),
        (24, 2_207_008),
        "a part is no post"
    );
    let media = id(&ig.publish(&carousel).await);
    let read = ig
        .get(&format!("{media}?fields=media_type,children"))
        .await
        .json();
    assert_eq!(read["media_type"], "CAROUSEL_ALBUM");
    let child = read["children"]["data"][1]["id"].as_str().unwrap();
    let child = ig
        .get(&format!("{child}?fields=id,permalink,media_type"))
        .await
        .json();
    assert_eq!(
        (child.get("permalink"), &child["media_type"]),
        (None, &"VIDEO".into())
    );
    assert_eq!(ig.admin.ledger_summary().posts, 1);
}

#[tokio::test]
async fn a_story_has_its_own_list_and_a_day_to_live() {
    let ig = instagram().await;
    let story = id(&ig
        .contain("media_type=STORIES&image_url=https://media.example/a.jpg")
        .await);
    let media = id(&ig.publish(&story).await);
    let list = async |edge: &str| {
        ig.get(&format!("{}/{edge}", ig.account.id)).await.json()["data"].clone()
    };
    assert_eq!(list("stories").await[0]["id"], media);
    assert_eq!(list("media").await, serde_json::json!([]));
    ig.admin.clock().advance(DAY).unwrap();
    assert_eq!(code(&ig.get(&media).await), (100, 33));
    assert_eq!(list("stories").await, serde_json::json!([]));
}

#[tokio::test]
async fn captions_and_quotas_have_limits() {
    let ig = instagram().await;
    let long = "x".repeat(2201);
    let refused = ig
        .contain(&format!("image_url=https://m.example/a.jpg&caption={long}"))
        .await;
    assert_eq!(code(&refused), (36_004, 2_207_010));
    let tags = "%23a+".repeat(31);
    let refused = ig
        .contain(&format!("image_url=https://m.example/a.jpg&caption={tags}"))
        .await;
    assert_eq!(code(&refused), (36_004, 2_207_010));
    ig.admin.instagram().set_settings(MetaSettings {
        posts_per_day: Some(2),
        ..MetaSettings::default()
    });
    for n in 0..2 {
        id(&ig.publish(&ig.image(&n.to_string()).await).await);
    }
    let third = ig.image("3").await;
    assert_eq!(code(&ig.publish(&third).await), (9, 2_207_042));
    let path = format!(
        "{}/content_publishing_limit?fields=quota_usage,config",
        ig.account.id
    );
    let quota = ig.get(&path).await.json();
    let expected = serde_json::json!([{"quota_usage": 2, "config": {"quota_total": 2, "quota_duration": 86400}}]);
    assert_eq!(quota["data"], expected);
    ig.admin.clock().advance(Duration::from_hours(23)).unwrap();
    assert_eq!(code(&ig.publish(&third).await), (9, 2_207_042));
    ig.admin.clock().advance(Duration::from_mins(59)).unwrap();
    assert_eq!(code(&ig.publish(&third).await), (9, 2_207_042));
    ig.admin.clock().advance(Duration::from_mins(1)).unwrap();
    let fourth = ig.image("4").await;
    assert_eq!(ig.publish(&fourth).await.status, 200);
}

#[tokio::test]
async fn every_way_to_lose_access_has_its_own_answer() {
    let ig = instagram().await;
    let hand = ig.admin.instagram();
    let ready = ig.image("a").await;
    let publish = "instagram_business_content_publish";
    hand.set_scope(&ig.account.id, publish, false).unwrap();
    assert_eq!(code(&ig.publish(&ready).await), (10, 0));
    assert_eq!(ig.get("me").await.status, 200);
    hand.set_scope(&ig.account.id, publish, true).unwrap();
    let states = [
        (MetaAccountState::Restricted, (25, 2_207_050)),
        (MetaAccountState::SpamBlocked, (4, 2_207_051)),
        (MetaAccountState::Personal, (10, 0)),
        (MetaAccountState::Deleted, (100, 33)),
    ];
    for (state, expected) in states {
        hand.set_state(&ig.account.id, state).unwrap();
        assert_eq!(code(&ig.publish(&ready).await), expected, "{state:?}");
    }
    hand.set_state(&ig.account.id, MetaAccountState::Active)
        .unwrap();
    hand.set_checkpoint(&ig.account.id, true).unwrap();
    assert_eq!(code(&ig.get("me").await), (190, 459));
    hand.set_checkpoint(&ig.account.id, false).unwrap();
    hand.revoke_tokens(&ig.account.id, RevokeReason::PasswordChanged)
        .unwrap();
    assert_eq!(code(&ig.get("me").await), (190, 460));
    hand.set_settings(MetaSettings {
        omit_subcodes: true,
        ..MetaSettings::default()
    });
    let bare = ig.get("me").await;
    assert_eq!(code(&bare), (190, 0));
    assert!(
        bare.json()["error"]["message"]
            .as_str()
            .unwrap()
            .contains("changed their password")
    );
}

#[tokio::test]
async fn limits_speak_in_headers_and_faults_take_their_form() {
    let ig = instagram().await;
    ig.admin.instagram().set_settings(MetaSettings {
        account_calls_per_day: Some(2),
        ..MetaSettings::default()
    });
    assert_eq!(ig.get("me").await.status, 200);
    assert_eq!(ig.get("me").await.status, 200);
    let refused = ig.get("me").await;
    assert_eq!(code(&refused), (80_002, 0));
    let header = &refused.headers["x-business-use-case-usage"];
    let usage: Value = serde_json::from_str(header).unwrap();
    assert_eq!(
        usage[&ig.account.id][0]["estimated_time_to_regain_access"],
        24 * 60
    );
    ig.admin.instagram().set_settings(MetaSettings::default());
    let container = ig.image("lost").await;
    let lost = Fault::new(Platform::Instagram, "publish", FaultKind::LostAnswer);
    ig.admin
        .add_fault(lost.account(&ig.account.id).times(1))
        .unwrap();
    let path = format!("/instagram/{}/media_publish", ig.account.id);
    let request = post_form(path, &format!("creation_id={container}"));
    assert!(
        try_send(&ig.simulator, &request.token(&ig.account.token))
            .await
            .is_err()
    );
    assert_eq!(ig.status(&container).await["status_code"], "PUBLISHED");
}
