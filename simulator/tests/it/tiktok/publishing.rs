//! Posts, from init to webhook.

use super::*;

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
