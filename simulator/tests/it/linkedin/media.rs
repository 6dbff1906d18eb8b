//! Images, several images, documents and videos.

use std::time::Duration;

use serde_json::{Value, json};

use super::{LinkedIn, encoded, is, post_with};
use crate::client::{post_bytes, send};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and more";
const MP4: &[u8] = b"\0\0\0\x20ftypisom";
const PART: usize = 4_194_304;

/// The path of an address on the simulator.
fn path(address: &Value) -> String {
    let address = address.as_str().unwrap();
    format!("/linkedin/{}", address.split_once("/linkedin/").unwrap().1)
}

async fn initialize(li: &LinkedIn, kind: &str, request: Value) -> Value {
    let body = json!({ "initializeUploadRequest": request });
    let reply = li
        .post(&format!("rest/{kind}?action=initializeUpload"), &body)
        .await;
    assert_eq!(reply.status, 200, "{}", reply.json());
    reply.json()["value"].clone()
}

/// An image with these bytes; its URN.
async fn image(li: &LinkedIn, owner: &str, bytes: &[u8]) -> String {
    let value = initialize(li, "images", json!({ "owner": owner })).await;
    let put = post_bytes(path(&value["uploadUrl"]), "image/png", bytes).method("PUT");
    assert_eq!(li.call(put).await.status, 201);
    value["image"].as_str().unwrap().to_owned()
}

/// A video of this size, its URN and the entity tags of its parts; not finalized.
async fn video_parts(li: &LinkedIn, owner: &str, size: usize) -> (String, Vec<String>) {
    let value = initialize(
        li,
        "videos",
        json!({ "owner": owner, "fileSizeBytes": size }),
    )
    .await;
    let mut bytes = MP4.to_vec();
    bytes.resize(size, 0);
    let mut etags = Vec::new();
    for part in value["uploadInstructions"].as_array().unwrap() {
        let number = |name: &str| usize::try_from(part[name].as_u64().unwrap()).unwrap();
        let range = &bytes[number("firstByte")..=number("lastByte")];
        let put = post_bytes(path(&part["uploadUrl"]), "application/octet-stream", range);
        // Without a token, as the documentation says.
        let reply = send(&li.simulator, &put.method("PUT")).await;
        assert_eq!(reply.status, 200);
        etags.push(reply.headers["etag"].clone());
    }
    (value["video"].as_str().unwrap().to_owned(), etags)
}

fn finalize(video: &str, etags: &[String]) -> Value {
    json!({ "finalizeUploadRequest": { "video": video, "uploadToken": "", "uploadedPartIds": etags } })
}

#[tokio::test]
async fn an_image_is_uploaded_with_the_token_and_posted_by_its_owner() {
    let li = LinkedIn::new().await;
    let value = initialize(&li, "images", json!({ "owner": li.page() })).await;
    let urn = value["image"].as_str().unwrap();
    let content = json!({ "media": { "id": urn, "altText": "a boat" } });
    let waiting = li
        .post("rest/posts", &post_with(li.page(), "x", content.clone()))
        .await;
    is(&waiting, 400, "MEDIA_ASSET_WAITING_UPLOAD");
    let status = format!("rest/images/{}", encoded(urn));
    assert_eq!(li.get(&status).await.json()["status"], "WAITING_UPLOAD");

    let put = || post_bytes(path(&value["uploadUrl"]), "image/png", PNG).method("PUT");
    is(
        &send(&li.simulator, &put()).await,
        401,
        "EMPTY_ACCESS_TOKEN",
    );
    assert_eq!(li.call(put()).await.status, 201);
    assert_eq!(li.get(&status).await.json()["status"], "AVAILABLE");
    let foreign = post_with(&li.member.urn, "x", content.clone());
    is(
        &li.post("rest/posts", &foreign).await,
        400,
        "INVALID_IMAGE_ID",
    );
    let created = li
        .post("rest/posts", &post_with(li.page(), "x", content))
        .await;
    assert_eq!(created.status, 201);

    li.admin.clock().advance(Duration::from_hours(24)).unwrap();
    is(&li.call(put()).await, 400, "EXPIRED_UPLOAD_URL");
}

#[tokio::test]
async fn a_member_cannot_see_how_an_image_is_doing() {
    let li = LinkedIn::new().await;
    let urn = image(&li, &li.member.urn, PNG).await;
    let status = li.get(&format!("rest/images/{}", encoded(&urn))).await;
    is(&status, 403, "ACCESS_DENIED");
    let text = status.json()["message"].as_str().unwrap().to_owned();
    assert!(
        text.starts_with("Accessing this image resource is forbidden"),
        "{text}"
    );
    let foreign = json!({ "initializeUploadRequest": { "owner": "urn:li:person:else" } });
    let refused = li
        .post("rest/images?action=initializeUpload", &foreign)
        .await;
    is(&refused, 403, "ACCESS_DENIED");
}

#[tokio::test]
async fn several_images_are_two_to_twenty_and_in_order() {
    let li = LinkedIn::new().await;
    let mut images = Vec::new();
    for _ in 0..3 {
        images.push(json!({ "id": image(&li, li.page(), PNG).await, "altText": "x" }));
    }
    let several = |images: &[Value]| {
        post_with(
            li.page(),
            "gallery",
            json!({ "multiImage": { "images": images } }),
        )
    };
    is(
        &li.post("rest/posts", &several(&images[..1])).await,
        400,
        "INVALID_VALUE_FOR_FIELD",
    );
    let created = li.post("rest/posts", &several(&images)).await;
    assert_eq!(created.status, 201);
    let urn = encoded(&created.headers["x-restli-id"]);
    let read = li.get(&format!("rest/posts/{urn}")).await.json();
    assert_eq!(read["content"]["multiImage"]["images"], json!(images));
}

#[tokio::test]
async fn an_image_that_cannot_be_processed_cannot_be_posted() {
    let li = LinkedIn::new().await;
    li.set(|settings| settings.sniff_media = true);
    let urn = image(&li, li.page(), b"no picture").await;
    let status = li
        .get(&format!("rest/images/{}", encoded(&urn)))
        .await
        .json();
    assert_eq!(status["status"], "PROCESSING_FAILED");
    let content = json!({ "media": { "id": urn } });
    let refused = li
        .post("rest/posts", &post_with(li.page(), "x", content))
        .await;
    is(&refused, 400, "MEDIA_ASSET_PROCESSING_FAILED");
}

#[tokio::test]
async fn a_video_comes_in_parts_and_is_processed_for_a_while() {
    let li = LinkedIn::new().await;
    let owner = li.member.urn.clone();
    let (urn, etags) = video_parts(&li, &owner, PART + 10).await;
    assert_eq!(etags.len(), 2);
    let status = format!("rest/videos/{}", encoded(&urn));
    assert_eq!(li.get(&status).await.json()["status"], "WAITING_UPLOAD");
    let action = "rest/videos?action=finalizeUpload";
    let swapped = [etags[1].clone(), etags[0].clone()];
    let refused = li.post(action, &finalize(&urn, &swapped)).await;
    is(&refused, 400, "INVALID_VALUE_FOR_FIELD");
    assert_eq!(li.post(action, &finalize(&urn, &etags)).await.status, 200);
    assert_eq!(li.get(&status).await.json()["status"], "PROCESSING");
    li.admin.clock().advance(Duration::from_secs(5)).unwrap();
    assert_eq!(li.get(&status).await.json()["status"], "AVAILABLE");
    let content = json!({ "media": { "id": urn, "title": "film" } });
    let created = li
        .post("rest/posts", &post_with(&owner, "film", content))
        .await;
    assert!(created.headers["x-restli-id"].starts_with("urn:li:ugcPost:"));
    assert_eq!(li.texts(), ["film"]);
}

#[tokio::test]
async fn a_post_with_an_unprocessed_video_exists_when_the_video_does() {
    let li = LinkedIn::new().await;
    for (fails, state, posts) in [(0, "PUBLISHED", 1), (1, "PUBLISH_FAILED", 1)] {
        li.set(|settings| settings.fail_processing = fails);
        let (urn, etags) = video_parts(&li, li.page(), 100).await;
        let action = "rest/videos?action=finalizeUpload";
        assert_eq!(li.post(action, &finalize(&urn, &etags)).await.status, 200);
        let content = json!({ "media": { "id": urn, "title": "film" } });
        let created = li
            .post("rest/posts", &post_with(li.page(), "soon", content))
            .await;
        let path = format!("rest/posts/{}", encoded(&created.headers["x-restli-id"]));
        assert_eq!(
            li.get(&path).await.json()["lifecycleState"],
            "PUBLISH_REQUESTED"
        );
        li.admin.clock().advance(Duration::from_mins(11)).unwrap();
        assert_eq!(li.get(&path).await.json()["lifecycleState"], state);
        assert_eq!(li.texts().len(), posts);
    }
}

#[tokio::test]
async fn a_missing_part_can_be_sent_again_and_a_missing_title_is_refused() {
    let li = LinkedIn::new().await;
    let value = initialize(
        &li,
        "videos",
        json!({ "owner": li.page(), "fileSizeBytes": 20 }),
    )
    .await;
    let urn = value["video"].as_str().unwrap();
    let action = "rest/videos?action=finalizeUpload";
    let early = li.post(action, &finalize(urn, &[])).await;
    is(&early, 400, "MEDIA_ASSET_WAITING_UPLOAD");
    let address = path(&value["uploadInstructions"][0]["uploadUrl"]);
    let short = post_bytes(address.clone(), "application/octet-stream", MP4).method("PUT");
    is(&send(&li.simulator, &short).await, 400, "INVALID_REQUEST");
    let mut etag = String::new();
    for _ in 0..2 {
        let whole = post_bytes(address.clone(), "application/octet-stream", &[0; 20]);
        etag = send(&li.simulator, &whole.method("PUT")).await.headers["etag"].clone();
    }
    assert_eq!(li.post(action, &finalize(urn, &[etag])).await.status, 200);
    let big =
        json!({ "initializeUploadRequest": { "owner": li.page(), "fileSizeBytes": 600_000_000 } });
    let refused = li.post("rest/videos?action=initializeUpload", &big).await;
    is(&refused, 400, "INVALID_VALUE_FOR_FIELD");

    let value = initialize(&li, "documents", json!({ "owner": li.page() })).await;
    let put = post_bytes(path(&value["uploadUrl"]), "application/pdf", b"%PDF-1.7");
    assert_eq!(li.call(put.method("PUT")).await.status, 201);
    let content = json!({ "media": { "id": value["document"] } });
    is(
        &li.post("rest/posts", &post_with(li.page(), "x", content))
            .await,
        400,
        "MISSING_FIELD",
    );
}
