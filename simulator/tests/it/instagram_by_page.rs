//! Instagram on the wire, by way of a Facebook page.

use std::time::Duration;

use mooring_simulator::instagram::*;
use mooring_simulator::*;

use crate::client::*;
use crate::facebook::Facebook;
use crate::instagram::*;

/// The way in through a page.
struct Linked {
    fb: Facebook,
    id: String,
}

impl Linked {
    async fn new() -> Self {
        let fb = Facebook::new().await;
        let id = fb.admin.link_instagram(fb.page()).unwrap().id;
        Self { fb, id }
    }

    async fn send(&self, request: Request<'_>) -> Reply {
        send(&self.fb.simulator, &request.token(self.fb.page_token())).await
    }

    async fn post(&self, edge: &str, form: &str) -> Reply {
        let path = format!("/facebook/v25.0/{}/{edge}", self.id);
        self.send(post_form(path, form)).await
    }

    async fn get(&self, path: &str) -> Reply {
        self.send(get(format!("/facebook/v25.0/{path}"))).await
    }
}

#[tokio::test]
async fn with_facebook_login_the_account_hangs_on_its_page() {
    let ig = Linked::new().await;
    let accounts = "/facebook/v25.0/me/accounts?fields=id,instagram_business_account";
    let accounts = send(&ig.fb.simulator, &get(accounts).token(&ig.fb.user.token))
        .await
        .json();
    assert_eq!(
        accounts["data"][0]["instagram_business_account"]["id"],
        *ig.id
    );
    assert!(
        accounts["data"][1]
            .get("instagram_business_account")
            .is_none()
    );
    let other = get(format!("/facebook/{}", ig.id)).token(&ig.fb.user.pages[1].token);
    assert_eq!(
        code(&send(&ig.fb.simulator, &other).await),
        (100, 33),
        "another page's token"
    );
    let container = id(&ig
        .post("media", "image_url=https://media.example/a.jpg&caption=hi")
        .await);
    let media = id(&ig
        .post("media_publish", &format!("creation_id={container}"))
        .await);
    let read = ig
        .get(&format!("{media}?fields=caption,permalink"))
        .await
        .json();
    assert_eq!(read["caption"], "hi");
    assert_eq!(
        ig.get(&format!("{}/media", ig.id)).await.json()["data"][0]["id"],
        media
    );
    assert_eq!(
        ig.fb.admin.ledger(&LedgerFilter::default())[0].platform,
        Platform::Instagram
    );
    assert_eq!(ig.fb.admin.calls_of(&ig.id, "publish"), 1);
    let gone = ig
        .send(delete(format!("/facebook/v25.0/{media}")))
        .await
        .json();
    assert_eq!(
        (&gone["success"], &gone["deleted_id"]),
        (&true.into(), &media.clone().into())
    );
    assert_eq!(code(&ig.get(&media).await), (100, 33));
}

#[tokio::test]
async fn with_facebook_login_permissions_roles_and_links_can_be_lost() {
    let ig = Linked::new().await;
    let scope = "instagram_content_publish";
    let user = ig.fb.user.id.clone();
    ig.fb
        .admin
        .drop_facebook_scope(&user, scope, Some(&ig.id))
        .unwrap();
    let form = "image_url=https://media.example/a.jpg";
    assert_eq!(code(&ig.post("media", form).await), (10, 0));
    ig.fb.admin.restore_facebook_scope(&user, scope).unwrap();
    ig.fb
        .admin
        .set_facebook_tasks(ig.fb.page(), &user, Some(vec!["ANALYZE".to_owned()]))
        .unwrap();
    assert_eq!(code(&ig.post("media", form).await), (10, 0));
    assert_eq!(
        ig.get(&format!("{}?fields=username", ig.id)).await.status,
        200
    );
    let tasks = vec!["CREATE_CONTENT".to_owned()];
    ig.fb
        .admin
        .set_facebook_tasks(ig.fb.page(), &user, Some(tasks))
        .unwrap();
    assert_eq!(ig.post("media", form).await.status, 200);
    ig.fb.admin.unlink_instagram(ig.fb.page()).unwrap();
    assert_eq!(code(&ig.post("media", form).await), (100, 33));
    let page = ig
        .get(&format!(
            "{}?fields=instagram_business_account",
            ig.fb.page()
        ))
        .await;
    assert!(page.json().get("instagram_business_account").is_none());
}

#[tokio::test]
async fn a_video_can_be_uploaded_in_pieces() {
    let ig = Linked::new().await;
    let created = ig
        .post("media", "media_type=REELS&upload_type=resumable&caption=up")
        .await;
    let container = id(&created);
    let uri = created.json()["uri"].as_str().unwrap().to_owned();
    let path = uri.split_once("/facebook").unwrap().1;
    let piece = async |offset: usize, bytes: &[u8]| {
        let request = post_bytes(
            format!("/facebook{path}"),
            "application/octet-stream",
            bytes,
        );
        let request = request
            .header("offset", offset.to_string())
            .header("file_size", "6");
        ig.send(request).await
    };
    let part = piece(0, b"abc").await;
    assert_eq!(part.json()["debug_info"]["type"], "PartialRequestError");
    assert_eq!(
        piece(2, b"xyz").await.json()["debug_info"]["type"],
        "OffsetInvalidError"
    );
    assert_eq!(piece(3, b"def").await.json()["success"], true);
    let status = async || {
        ig.get(&format!("{container}?fields=status_code"))
            .await
            .json()
    };
    assert_eq!(status().await["status_code"], "IN_PROGRESS");
    ig.fb
        .admin
        .clock()
        .advance(Duration::from_secs(10))
        .unwrap();
    assert_eq!(status().await["status_code"], "FINISHED");
    let media = id(&ig
        .post("media_publish", &format!("creation_id={container}"))
        .await);
    let read = ig.get(&format!("{media}?fields=permalink")).await.json();
    assert!(read["permalink"].as_str().unwrap().contains("/reel/"));
}

#[tokio::test]
async fn callbacks_are_signed_with_the_apps_secret() {
    let ig = instagram().await;
    let hand = ig.admin.instagram();
    let callbacks = MetaCallbacks {
        webhook_url: Some("http://127.0.0.1:9/hook".to_owned()),
        verify_token: "v1".to_owned(),
        fields: ["comments".to_owned()].into(),
        deauthorize_url: Some("http://127.0.0.1:9/gone".to_owned()),
        deletion_url: Some("http://127.0.0.1:9/erase".to_owned()),
    };
    hand.set_callbacks(&ig.app.id, callbacks).unwrap();
    let value = serde_json::json!({ "text": "grüße" });
    hand.send_event(&ig.account.id, "comments", &value).unwrap();
    hand.request_deletion(&ig.account.id).unwrap();
    hand.revoke_tokens(&ig.account.id, RevokeReason::AppRemoved)
        .unwrap();
    let sent = ig.admin.deliveries();
    assert_eq!(sent.len(), 4);
    assert!(
        sent[0].url.contains("hub.mode=subscribe") && sent[0].url.ends_with("hub.verify_token=v1")
    );
    assert!(sent[1].body.is_ascii() && sent[1].body.contains("\\u00fc"));
    let signature = &sent[1].headers[1];
    assert_eq!(signature.0, "x-hub-signature-256");
    assert_eq!(signature.1.len(), "sha256=".len() + 64);
    assert!(sent[2].url.ends_with("/erase") && sent[3].url.ends_with("/gone"));
    assert!(sent[3].body.starts_with("signed_request="));
}
