//! Threads on the wire.

use std::time::Duration;

use mooring_simulator::instagram::{MediaFailure, MetaAccountState, MetaCallbacks};
use mooring_simulator::{Admin, LedgerFilter, Platform, RevokeReason};

use crate::client::{Reply, delete, get, send};
use crate::instagram::{Meta, code, code_of, id};

const DAY: Duration = Duration::from_hours(24);
const REDIRECT: &str = "https://app.example/back";

async fn threads() -> Meta {
    Meta::new("threads", Admin::threads).await
}

impl Meta {
    async fn thread(&self, form: &str) -> Reply {
        self.post(&format!("v1.0/{}/threads", self.account.id), form)
            .await
    }

    async fn publish_thread(&self, container: &str) -> Reply {
        let path = format!("v1.0/{}/threads_publish", self.account.id);
        self.post(&path, &format!("creation_id={container}")).await
    }

    async fn thread_status(&self, container: &str) -> String {
        let path = format!("v1.0/{container}?fields=status,error_message");
        let body = self.get(&path).await.json();
        let message = body["error_message"].as_str().unwrap_or("");
        format!("{}{message}", body["status"].as_str().unwrap())
    }
}

#[tokio::test]
async fn log_in_tells_no_scopes_and_tokens_are_renewed_after_a_day() {
    let th = threads().await;
    let page = th
        .authorize("&scope=threads_basic,threads_content_publish")
        .await;
    let short = th.exchange(&code_of(&page), REDIRECT).await.json();
    assert!(short.get("permissions").is_none() && short.get("expires_in").is_none());
    let short = short["access_token"].as_str().unwrap();
    let long = th
        .grant("access_token", "th_exchange_token", short)
        .await
        .json();
    let long = long["access_token"].as_str().unwrap();
    let refresh = async |token: &str| {
        th.grant("refresh_access_token", "th_refresh_token", token)
            .await
    };
    assert_eq!(code(&refresh(long).await), (100, 0));
    assert_eq!(
        code(&th.grant("access_token", "th_exchange_token", long).await),
        (452, 0)
    );
    th.admin.clock().advance(DAY).unwrap();
    assert_eq!(refresh(long).await.json()["expires_in"], 60 * 24 * 3600);
    th.admin.clock().advance(59 * DAY).unwrap();
    assert_eq!(code(&refresh(long).await), (190, 463));
}

#[tokio::test]
async fn debug_token_tells_scopes_and_the_end() {
    let th = threads().await;
    let debug = async || {
        let token = &*th.account.token;
        let path = format!("/threads/v1.0/debug_token?input_token={token}");
        send(&th.simulator, &get(path).token(token)).await
    };
    let data = debug().await.json()["data"].clone();
    assert_eq!(
        (&data["is_valid"], &data["user_id"]),
        (&true.into(), &th.account.id.clone().into())
    );
    assert!(
        data["scopes"]
            .as_array()
            .unwrap()
            .contains(&"threads_content_publish".into())
    );
    th.admin
        .threads()
        .revoke_tokens(&th.account.id, RevokeReason::LoggedOut)
        .unwrap();
    assert_eq!(
        code(&debug().await),
        (190, 467),
        "a dead token cannot ask for itself"
    );
}

#[tokio::test]
async fn a_text_takes_two_steps_or_one() {
    let th = threads().await;
    let container = id(&th.thread("media_type=TEXT&text=two").await);
    assert!(th.admin.ledger(&LedgerFilter::default()).is_empty());
    assert_eq!(th.thread_status(&container).await, "FINISHED");
    let media = id(&th.publish_thread(&container).await);
    assert_eq!(th.thread_status(&container).await, "PUBLISHED");
    assert_eq!(code(&th.publish_thread(&container).await), (24, 4_279_009));
    let at_once = id(&th
        .thread("media_type=TEXT&text=one&auto_publish_text=true")
        .await);
    let texts: Vec<_> = th.admin.ledger(&LedgerFilter::default());
    assert_eq!(
        (&*texts[0].remote_id, &*texts[1].remote_id),
        (&*media, &*at_once)
    );
    assert_eq!(th.admin.calls_of(&th.account.id, "publish"), 3);
    let read = th
        .get(&format!(
            "v1.0/{media}?fields=id,permalink,text,timestamp,media_type,shortcode,username"
        ))
        .await;
    let read = read.json();
    assert_eq!(
        (&read["text"], &read["media_type"]),
        (&"two".into(), &"TEXT_POST".into())
    );
    let permalink = read["permalink"].as_str().unwrap();
    assert!(permalink.starts_with("https://www.threads.net/@") && permalink.contains("/post/"));
}

#[tokio::test]
async fn texts_and_links_have_limits() {
    let th = threads().await;
    let long = "x".repeat(501);
    let refused = th.thread(&format!("media_type=TEXT&text={long}")).await;
    assert_eq!(code(&refused), (100, 0));
    let message = refused.json()["error"]["message"].to_string();
    assert!(message.contains("at most 500 characters long"));
    let emoji = "😀".repeat(126);
    assert_eq!(
        code(&th.thread(&format!("media_type=TEXT&text={emoji}")).await),
        (100, 0)
    );
    let fits = format!("media_type=TEXT&text={}", "😀".repeat(125));
    assert_eq!(th.thread(&fits).await.status, 200);
    let links = ["a", "b", "c", "d", "e", "f"]
        .map(|n| format!("https://{n}.example"))
        .join("+");
    let refused = th.thread(&format!("media_type=TEXT&text={links}")).await;
    assert!(
        refused.json()["error"]["message"]
            .to_string()
            .contains("LINK_LIMIT_EXCEEDED")
    );
    let link =
        "media_type=IMAGE&image_url=https://m.example/a.jpg&link_attachment=https://l.example";
    assert_eq!(
        code(&th.thread(link).await),
        (100, 0),
        "links hang on texts alone"
    );
    let link = id(&th
        .thread("media_type=TEXT&text=see&link_attachment=https://l.example")
        .await);
    let media = id(&th.publish_thread(&link).await);
    let read = th
        .get(&format!("{media}?fields=link_attachment_url"))
        .await
        .json();
    assert_eq!(read["link_attachment_url"], "https://l.example");
}

#[tokio::test]
async fn a_video_is_processed_and_may_fail() {
    let th = threads().await;
    let form = "media_type=VIDEO&video_url=https://media.example/a.mp4&text=v";
    let container = id(&th.thread(form).await);
    assert_eq!(th.thread_status(&container).await, "IN_PROGRESS");
    assert_eq!(
        code(&th.publish_thread(&container).await),
        (9007, 2_207_027)
    );
    th.admin.clock().advance(Duration::from_secs(10)).unwrap();
    assert_eq!(th.publish_thread(&container).await.status, 200);
    let hand = th.admin.threads();
    hand.fail_media(&th.account.id, MediaFailure::FetchTimeout, 1)
        .unwrap();
    hand.fail_media(&th.account.id, MediaFailure::Processing, 1)
        .unwrap();
    assert_eq!(code(&th.thread(form).await), (-2, 2_207_003));
    let failed = id(&th.thread(form).await);
    th.admin.clock().advance(Duration::from_secs(10)).unwrap();
    assert_eq!(
        th.thread_status(&failed).await,
        "ERRORFAILED_PROCESSING_VIDEO"
    );
    let old = id(&th.thread("media_type=TEXT&text=old").await);
    th.admin.clock().advance(DAY).unwrap();
    assert_eq!(th.thread_status(&old).await, "EXPIRED");
}

#[tokio::test]
async fn a_carousel_has_two_to_twenty_parts() {
    let th = threads().await;
    let part = "media_type=IMAGE&image_url=https://media.example/a.jpg&is_carousel_item=true";
    let (one, two) = (id(&th.thread(part).await), id(&th.thread(part).await));
    let few = format!("media_type=CAROUSEL&children={one}");
    assert_eq!(code(&th.thread(&few).await), (100, 0));
    let both = id(&th
        .thread(&format!("media_type=CAROUSEL&text=c&children={one},{two}"))
        .await);
    let media = id(&th.publish_thread(&both).await);
    let read = th
        .get(&format!("{media}?fields=media_type,children"))
        .await
        .json();
    assert_eq!(read["media_type"], "CAROUSEL_ALBUM");
    assert_eq!(read["children"]["data"].as_array().unwrap().len(), 2);
    assert_eq!(th.admin.ledger_summary().posts, 1);
}

#[tokio::test]
async fn posts_are_listed_newest_first_with_paging_and_times() {
    let th = threads().await;
    for n in 0..3 {
        id(&th
            .thread(&format!("media_type=TEXT&text=t{n}&auto_publish_text=true"))
            .await);
        th.admin.clock().advance(Duration::from_mins(1)).unwrap();
    }
    let path = format!("v1.0/{}/threads?fields=id,text&limit=2", th.account.id);
    let first = th.get(&path).await.json();
    assert_eq!(
        (&first["data"][0]["text"], &first["data"][1]["text"]),
        (&"t2".into(), &"t1".into())
    );
    let next = first["paging"]["next"].as_str().unwrap();
    let next = next.split_once("/threads/").unwrap().1;
    let second = th.get(next).await.json();
    assert_eq!(second["data"][0]["text"], "t0");
    assert!(second["paging"].get("next").is_none());
    let since = th.admin.clock().now_ms() / 1000 - 90;
    let recent = th.get(&format!("{path}&since={since}")).await.json();
    assert_eq!(recent["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn deletion_has_a_scope_a_quota_and_an_answer() {
    let th = threads().await;
    let post = "media_type=TEXT&text=t&auto_publish_text=true";
    let media = id(&th.thread(post).await);
    let remove = async |id: &str| th.send(delete(format!("/threads/v1.0/{id}"))).await;
    th.admin
        .threads()
        .set_scope(&th.account.id, "threads_delete", false)
        .unwrap();
    assert_eq!(code(&remove(&media).await), (10, 0));
    th.admin
        .threads()
        .set_scope(&th.account.id, "threads_delete", true)
        .unwrap();
    let gone = remove(&media).await.json();
    assert_eq!(
        (&gone["success"], &gone["deleted_id"]),
        (&true.into(), &media.clone().into())
    );
    assert_eq!(code(&remove(&media).await), (100, 33));
    assert_eq!(code(&th.get(&media).await), (24, 4_279_009));
    for _ in 0..99 {
        let media = id(&th.thread(post).await);
        assert_eq!(remove(&media).await.status, 200);
    }
    let last = id(&th.thread(post).await);
    assert_eq!(code(&remove(&last).await), (9, 2_207_042));
    let fields =
        "fields=quota_usage,config,reply_quota_usage,reply_config,delete_quota_usage,delete_config";
    let limit = th
        .get(&format!(
            "{}/threads_publishing_limit?{fields}",
            th.account.id
        ))
        .await
        .json();
    let row = &limit["data"][0];
    assert_eq!(
        (&row["quota_usage"], &row["delete_quota_usage"]),
        (&101.into(), &100.into())
    );
    assert_eq!(row["config"]["quota_total"], 250);
}

#[tokio::test]
async fn replies_have_their_own_quota_and_need_a_target() {
    let th = threads().await;
    let missing = "media_type=TEXT&text=r&reply_to_id=18000000000000000";
    assert_eq!(code(&th.thread(missing).await), (24, 4_279_009));
    let root = id(&th
        .thread("media_type=TEXT&text=t&auto_publish_text=true")
        .await);
    let reply = format!("media_type=TEXT&text=r&auto_publish_text=true&reply_to_id={root}");
    id(&th.thread(&reply).await);
    let path = format!(
        "{}/threads_publishing_limit?fields=quota_usage,reply_quota_usage",
        th.account.id
    );
    let row = th.get(&path).await.json()["data"][0].clone();
    assert_eq!(
        (&row["quota_usage"], &row["reply_quota_usage"]),
        (&1.into(), &1.into())
    );
}

#[tokio::test]
async fn profiles_can_be_restricted_and_lose_permissions() {
    let th = threads().await;
    let hand = th.admin.threads();
    let text = "media_type=TEXT&text=t";
    hand.set_state(&th.account.id, MetaAccountState::Restricted)
        .unwrap();
    assert_eq!(code(&th.thread(text).await), (10, 4_279_013));
    hand.set_state(&th.account.id, MetaAccountState::SpamBlocked)
        .unwrap();
    assert_eq!(code(&th.thread(text).await), (4, 2_207_051));
    hand.set_state(&th.account.id, MetaAccountState::Active)
        .unwrap();
    hand.set_scope(&th.account.id, "threads_content_publish", false)
        .unwrap();
    assert_eq!(code(&th.thread(text).await), (10, 0));
    let profile = th.get("v1.0/me?fields=id,username").await.json();
    assert_eq!(profile["id"], *th.account.id);
    hand.set_state(&th.account.id, MetaAccountState::Deleted)
        .unwrap();
    assert_eq!(code(&th.get("v1.0/me").await), (100, 33));
}

#[tokio::test]
async fn publishing_and_deleting_are_told_with_a_signature() {
    let th = threads().await;
    let callbacks = MetaCallbacks {
        webhook_url: Some("http://127.0.0.1:9/hook".to_owned()),
        verify_token: "v1".to_owned(),
        fields: ["publish".to_owned(), "delete".to_owned()].into(),
        ..MetaCallbacks::default()
    };
    th.admin
        .threads()
        .set_callbacks(&th.app.id, callbacks)
        .unwrap();
    let media = id(&th
        .thread("media_type=TEXT&text=t&auto_publish_text=true")
        .await);
    th.admin.delete_post(Platform::Threads, &media).unwrap();
    let sent = th.admin.deliveries();
    assert_eq!(sent.len(), 3);
    let body: serde_json::Value = serde_json::from_str(&sent[1].body).unwrap();
    assert_eq!(
        (&body["topic"], &body["values"]["field"]),
        (&"interaction".into(), &"publish".into())
    );
    assert_eq!(body["values"]["value"]["id"], media);
    let body: serde_json::Value = serde_json::from_str(&sent[2].body).unwrap();
    assert_eq!(
        (&body["topic"], &body["target_id"]),
        (&"moderate".into(), &th.account.id.clone().into())
    );
    assert!(
        sent[2]
            .headers
            .iter()
            .any(|(name, _)| name == "x-hub-signature-256")
    );
}

#[tokio::test]
async fn another_profiles_post_and_container_look_like_none() {
    let th = threads().await;
    let new = mooring_simulator::instagram::NewMetaAccounts {
        app: th.app.id.clone(),
        ..Default::default()
    };
    let other = th.admin.threads().create_accounts(&new).unwrap().remove(0);
    let container = id(&th.thread("media_type=TEXT&text=t").await);
    let media = id(&th.publish_thread(&container).await);
    let read = async |id: &str| {
        let request = get(format!("/threads/v1.0/{id}"));
        send(&th.simulator, &request.token(&other.token)).await
    };
    assert_eq!(code(&read(&container).await), (24, 4_279_009));
    assert_eq!(code(&read(&media).await), (100, 33));
    assert_eq!(code(&read(&th.account.id).await), (100, 33));
}
