//! Uploads.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mooring_simulator::x::NewXUsers;
use serde_json::json;

use super::{X, id_of};
use crate::client::{post_json, send};

#[tokio::test]
async fn a_video_goes_up_in_chunks_and_is_processed_by_the_clock() {
    let x = X::new().await;
    let done = x
        .upload("tweet_video", "video/mp4", &[b"first", b"second"])
        .await
        .json();
    let id = done["data"]["id"].as_str().unwrap().to_owned();
    assert_eq!(done["data"]["size"], 11);
    assert!(
        done["data"]["media_key"]
            .as_str()
            .unwrap()
            .starts_with("7_")
    );
    assert_eq!(done["data"]["processing_info"]["state"], "pending");
    let with_media = json!({ "text": "look", "media": { "media_ids": [id] } });
    let early = x.json("tweets", &with_media).await;
    assert_eq!(early.status, 400);
    assert_eq!(
        early.json()["errors"][0]["message"],
        "Your media IDs are invalid."
    );
    let status = format!("media/upload?command=STATUS&media_id={id}");
    x.advance(Duration::from_secs(2));
    let half = x.own(&status).await.json();
    assert_eq!(half["data"]["processing_info"]["state"], "in_progress");
    assert_eq!(half["data"]["processing_info"]["progress_percent"], 50);
    x.advance(Duration::from_secs(2));
    assert_eq!(
        x.own(&status).await.json()["data"]["processing_info"]["state"],
        "succeeded"
    );
    let posted = x.json("tweets", &with_media).await;
    assert_eq!(posted.status, 201);
    let text = posted.json()["data"]["text"].as_str().unwrap().to_owned();
    assert!(text.starts_with("look https://t.co/"), "{text}");
    let path = format!(
        "tweets/{}?tweet.fields=attachments,entities&expansions=attachments.media_keys",
        id_of(&posted)
    );
    let read = x.own(&path).await.json();
    assert_eq!(read["includes"]["media"][0]["type"], "video");
    assert_eq!(
        read["data"]["entities"]["urls"][0]["media_key"],
        format!("7_{id}")
    );
}

#[tokio::test]
async fn uploads_can_fail_in_every_documented_way() {
    let x = X::new().await;
    x.set(|s| s.failing_media = 1);
    let failed = x.upload("tweet_video", "video/mp4", &[b"bad"]).await;
    x.advance(Duration::from_secs(5));
    let status = x
        .own(&format!(
            "media/upload?command=STATUS&media_id={}",
            id_of(&failed)
        ))
        .await
        .json();
    assert_eq!(status["data"]["processing_info"]["state"], "failed");
    assert_eq!(
        status["data"]["processing_info"]["error"]["name"],
        "InvalidMedia"
    );

    let body =
        json!({ "media_type": "image/png", "media_category": "tweet_image", "total_bytes": 8 });
    let id = id_of(&x.json("media/upload/initialize", &body).await);
    assert_eq!(x.append(&id, 0, b"half").await.status, 200);
    let short = x
        .json(&format!("media/upload/{id}/finalize"), &json!({}))
        .await;
    assert!(
        short.json()["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("add up")
    );
    assert_eq!(x.append(&id, 1, b"full").await.status, 200);
    assert_eq!(
        x.append(&id, 1, b"full").await.status,
        200,
        "the same segment again"
    );
    let done = x
        .json(&format!("media/upload/{id}/finalize"), &json!({}))
        .await;
    assert_eq!(done.status, 200);
    assert!(
        done.json()["data"].get("processing_info").is_none(),
        "images are ready at once"
    );
    assert_eq!(
        x.append(&id, 2, &vec![0; 5 * 1024 * 1024 + 1]).await.status,
        413
    );
    let too_big = json!({ "media_type": "image/png", "media_category": "tweet_image", "total_bytes": 6_000_000 });
    assert_eq!(
        x.json("media/upload/initialize", &too_big).await.status,
        400
    );

    let alt = json!({ "id": id, "metadata": { "alt_text": { "text": "a pier" } } });
    assert_eq!(x.json("media/metadata", &alt).await.status, 200);
    let post = json!({ "media": { "media_ids": [id] } });
    x.advance(Duration::from_hours(25));
    let fresh = x
        .refresh(x.user.refresh_token.as_ref().unwrap())
        .await
        .json();
    let call = post_json("/x/2/tweets", &post).token(fresh["access_token"].as_str().unwrap());
    let late = send(&x.simulator, &call).await;
    assert_eq!(
        late.json()["errors"][0]["message"],
        "Your media IDs are invalid."
    );
}

#[tokio::test]
async fn small_images_go_up_in_one_call_and_four_make_a_post() {
    let x = X::new().await;
    let mut ids = Vec::new();
    for n in 0..5 {
        let media = STANDARD.encode(format!("image {n}"));
        let body = json!({ "media": media, "media_category": "tweet_image" });
        ids.push(id_of(&x.json("media/upload", &body).await));
    }
    let post = |ids: &[String]| json!({ "text": "pictures", "media": { "media_ids": ids } });
    assert_eq!(x.json("tweets", &post(&ids)).await.status, 400);
    assert_eq!(x.json("tweets", &post(&ids[..4])).await.status, 201);
    let users = NewXUsers {
        app: x.app.id.clone(),
        ..NewXUsers::default()
    };
    let other = x.admin.create_x_users(&users).unwrap().remove(0);
    let call = post_json("/x/2/tweets", &post(&ids[..1])).token(&other.access_token);
    assert_eq!(
        send(&x.simulator, &call).await.status,
        400,
        "somebody else's"
    );
}
