use serde_json::{Value, json};

use super::*;

fn video(status: &Value, more: &Value) -> Video {
    let mut video = json!({ "id": "7", "status": status });
    for (key, value) in more.as_object().expect("an object") {
        video[key] = value.clone();
    }
    serde_json::from_value(video).expect("a video")
}

fn found(status: &Value, more: &Value, format: Format) -> Finding {
    judge(&video(status, more), Some(format), "page")
}

#[test]
fn what_it_shall_be_is_no_proof_that_it_is() {
    // The documents' own example of an upload that is not even over.
    let early = json!({
        "video_status": "processing",
        "uploading_phase": { "status": "in_progress", "bytes_transfered": 50002 },
        "processing_phase": { "status": "not_started" },
        "publishing_phase": {
            "status": "not_started", "publish_status": "published", "publish_time": 234_523_452
        },
    });
    assert_eq!(
        found(&early, &json!({}), Format::Story),
        Finding::Processing
    );
}

#[test]
fn a_flag_that_the_phases_contradict_is_no_proof() {
    let begun = json!({
        "video_status": "uploading",
        "uploading_phase": { "status": "in_progress" },
        "publishing_phase": { "status": "not_started" },
    });
    let flag = json!({ "published": true });
    assert_eq!(found(&begun, &flag, Format::Reel), Finding::Absent);
}

#[test]
fn a_published_video_is_its_post() {
    for ended in ["complete", "completed"] {
        let status = json!({
            "video_status": "ready",
            "publishing_phase": { "status": ended, "publish_status": "published" },
        });
        let Finding::Found(accepted) =
            found(&status, &json!({ "post_id": "page_9" }), Format::Reel)
        else {
            panic!("found");
        };
        assert_eq!(accepted.remote_id, "page_9");
    }
    let by_flag = json!({ "post_id": 9, "published": true, "permalink_url": "/reel/7/" });
    let Finding::Found(accepted) = found(&json!({}), &by_flag, Format::Feed) else {
        panic!("found");
    };
    assert_eq!(accepted.remote_id, "page_9", "a bare number is made whole");
    let there = "https://www.facebook.com/reel/7/";
    assert_eq!(accepted.permalink.as_deref(), Some(there));
}

#[test]
fn whether_the_order_was_heard_depends_on_the_kind() {
    let uploaded = || {
        json!({
            "video_status": "ready",
            "uploading_phase": { "status": "complete" },
            "processing_phase": { "status": "complete" },
            "publishing_phase": { "status": "not_started" },
        })
    };
    assert_eq!(
        found(&uploaded(), &json!({}), Format::Reel),
        Finding::Absent
    );
    let chunked = found(&uploaded(), &json!({}), Format::Feed);
    assert_eq!(
        chunked,
        Finding::Processing,
        "the end of the upload publishes"
    );
    let half = json!({
        "video_status": "uploading",
        "uploading_phase": { "status": "in_progress" },
    });
    assert_eq!(found(&half, &json!({}), Format::Feed), Finding::Absent);
}

#[test]
fn a_video_that_cannot_be_used_is_refused_with_its_code() {
    let failed = json!({
        "video_status": "error",
        "processing_phase": { "status": "error", "errors": [{ "code": 1_363_025, "message": "x" }] },
    });
    let code = "1363025".to_owned();
    let refused = Finding::Refused(Failure::ContentRejected { code });
    assert_eq!(found(&failed, &json!({}), Format::Reel), refused);
}

#[test]
fn a_video_without_a_status_tells_nothing() {
    let video: Video = serde_json::from_value(json!({ "id": "7" })).expect("a video");
    assert_eq!(judge(&video, Some(Format::Reel), "page"), Finding::Unsure);
}

#[test]
fn an_interrupted_upload_is_not_over_whatever_the_summary_says() {
    let status = |body: Value| serde_json::from_value::<Status>(body).expect("a status");
    let interrupted = json!({
        "video_status": "processing",
        "uploading_phase": { "status": "in_progress", "bytes_transfered": 50002 },
    });
    assert!(!status(interrupted).is_uploaded());
    assert!(status(json!({ "video_status": "upload_complete" })).is_uploaded());
}
