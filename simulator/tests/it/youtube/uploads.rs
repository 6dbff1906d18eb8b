//! `videos.insert`.

use mooring_simulator::youtube::NewYoutubeApp;
use mooring_simulator::{Fault, FaultKind, LedgerFilter, Platform};
use serde_json::{Value, json};

use super::{DAY, GRAIN, HOUR, PROCESSED, Youtube, draft};

#[tokio::test]
async fn chunks_are_acknowledged_and_the_last_one_makes_the_video() {
    let yt = Youtube::new().await;
    let session = yt.session("Harbour").await;
    let total = GRAIN * 2 + 10;
    let empty = yt
        .put(&session, Some(format!("bytes */{total}")), Vec::new())
        .await;
    assert_eq!((empty.status, empty.header("range")), (308, None));
    let first = yt
        .put(
            &session,
            Some(format!("bytes 0-{}/{total}", GRAIN - 1)),
            vec![1; GRAIN],
        )
        .await;
    assert_eq!(
        (first.status, first.header("range")),
        (308, Some("bytes=0-262143"))
    );
    let odd = format!("bytes {GRAIN}-{}/{total}", GRAIN + 9);
    assert_eq!(
        yt.put(&session, Some(odd), vec![2; 10]).await.status,
        400,
        "256 KiB is the grain"
    );
    let gap = format!("bytes {}-{}/{total}", GRAIN * 2, total - 1);
    let gap = yt.put(&session, Some(gap), vec![3; 10]).await;
    assert_eq!(
        (gap.status, gap.header("range")),
        (308, Some("bytes=0-262143"))
    );
    assert_eq!(
        yt.admin.ledger_summary().posts,
        0,
        "an unfinished upload is nothing"
    );
    let rest = format!("bytes {GRAIN}-{}/{total}", total - 1);
    let done = yt
        .put(&session, Some(rest.clone()), vec![2; GRAIN + 10])
        .await;
    assert_eq!(done.status, 201);
    let video = done.json();
    assert_eq!(video["kind"], "youtube#video");
    assert_eq!(video["snippet"]["title"], "Harbour");
    assert_eq!(video["snippet"]["channelId"], yt.channel());
    assert_eq!(video["status"]["uploadStatus"], "uploaded");
    let repeated = yt.put(&session, Some(rest), vec![2; GRAIN + 10]).await;
    assert_eq!((repeated.status, repeated.json()), (201, video.clone()));
    let probe = yt
        .put(&session, Some(format!("bytes */{total}")), Vec::new())
        .await;
    assert_eq!((probe.status, probe.json()), (201, video));
    assert_eq!(
        yt.admin.ledger_summary().posts,
        0,
        "nobody sees it while it is processed"
    );
    yt.admin.clock().advance(PROCESSED).unwrap();
    let entries = yt.admin.ledger(&LedgerFilter::default());
    assert_eq!(entries.len(), 1);
    assert_eq!(
        (entries[0].account.as_str(), entries[0].text.as_str()),
        (yt.channel(), "About Harbour")
    );
}

#[tokio::test]
async fn a_lost_last_answer_is_found_again_by_a_probe() {
    let yt = Youtube::new().await;
    let fault = Fault::new(Platform::YouTube, "publish", FaultKind::LostAnswer);
    yt.admin
        .add_fault(fault.account(yt.channel()).times(1))
        .unwrap();
    let session = yt.session("Lost").await;
    #[expect(clippy::disallowed_methods, reason = "a test's own client")]
    let lost = yt.http.put(&session).body("bytes").send().await;
    assert!(lost.is_err(), "{lost:?}");
    let probe = yt
        .put(&session, Some("bytes */5".to_owned()), Vec::new())
        .await;
    assert_eq!(
        (probe.status, probe.json()["snippet"]["title"].clone()),
        (201, "Lost".into())
    );
    yt.admin.clock().advance(PROCESSED).unwrap();
    assert_eq!(yt.admin.ledger_summary().posts, 1);
}

#[tokio::test]
async fn a_session_ends_after_a_week() {
    let yt = Youtube::new().await;
    let session = yt.session("Late").await;
    yt.admin.clock().advance(DAY * 8).unwrap();
    let late = yt.put(&session, None, vec![1; 3]).await;
    assert_eq!(late.status, 404);
    assert_eq!(
        yt.put(&session, Some("bytes */3".to_owned()), Vec::new())
            .await
            .status,
        404
    );
    assert_eq!(yt.admin.ledger_summary().posts, 0);
}

#[tokio::test]
async fn metadata_is_checked_before_a_session_begins() {
    let yt = Youtube::new().await;
    let change = |part: &str, field: &str, value: Value| {
        let mut metadata = draft("Fine");
        metadata[part][field] = value;
        metadata
    };
    let cases = [
        (change("snippet", "title", "".into()), "invalidTitle"),
        (
            change("snippet", "title", "ü".repeat(101).into()),
            "invalidTitle",
        ),
        (change("snippet", "title", "a <b>".into()), "invalidTitle"),
        (
            change("snippet", "description", "ü".repeat(2501).into()),
            "invalidDescription",
        ),
        (
            change("snippet", "description", "a > b".into()),
            "invalidDescription",
        ),
        (
            change("snippet", "tags", json!(["a".repeat(250), "b".repeat(250)])),
            "invalidTags",
        ),
        (
            change("snippet", "categoryId", "999".into()),
            "invalidCategoryId",
        ),
        (
            change("status", "publishAt", "2026-12-01T10:00:00Z".into()),
            "invalidPublishAt",
        ),
        (
            change("status", "privacyStatus", "friends".into()),
            "badRequest",
        ),
        (change("status", "colour", "red".into()), "badRequest"),
    ];
    for (metadata, reason) in cases {
        let reply = yt.start_upload(&metadata).await;
        assert_eq!(reply.reason(), (400, reason.to_owned()), "{metadata}");
    }
    for fine in [
        change("snippet", "title", "ü".repeat(100).into()),
        change("snippet", "description", "ü".repeat(2500).into()),
        change("snippet", "tags", json!(["a".repeat(250), "b".repeat(249)])),
    ] {
        assert_eq!(yt.start_upload(&fine).await.status, 200, "{fine}");
    }
}

#[tokio::test]
async fn a_scheduled_video_is_private_until_its_time() {
    let yt = Youtube::new().await;
    let mut metadata = draft("Later");
    metadata["status"]["privacyStatus"] = "private".into();
    metadata["status"]["publishAt"] = "2026-11-23T15:30:00Z".into();
    let session = yt.start_upload(&metadata).await;
    let session = session.header("location").unwrap().to_owned();
    let video = yt.put(&session, None, vec![1]).await.json();
    let id = video["id"].as_str().unwrap();
    assert_eq!(video["status"]["publishAt"], "2026-11-23T15:30:00Z");
    assert_eq!(yt.admin.ledger_summary().posts, 0);
    yt.admin.clock().advance(HOUR / 2).unwrap();
    let video = yt.video(id).await;
    assert_eq!(video["status"]["privacyStatus"], "public");
    assert_eq!(video["snippet"]["publishedAt"], "2026-11-23T15:30:00Z");
    assert_eq!(yt.admin.ledger_summary().posts, 1);
}

#[tokio::test]
async fn an_unverified_project_uploads_for_its_owner_alone() {
    let yt = Youtube::with(NewYoutubeApp {
        locks_uploads: true,
        ..NewYoutubeApp::default()
    })
    .await;
    let video = yt.upload("Locked").await;
    assert_eq!(video["status"]["privacyStatus"], "private");
    yt.admin.clock().advance(PROCESSED).unwrap();
    assert_eq!(yt.admin.ledger_summary().posts, 0);
}

#[tokio::test]
async fn a_channel_may_upload_so_much_and_no_more() {
    let yt = Youtube::new().await;
    yt.admin.set_youtube_upload_limit(yt.channel(), 1).unwrap();
    yt.upload("One").await;
    let refused = yt.start_upload(&draft("Two")).await;
    assert_eq!(refused.reason(), (400, "uploadLimitExceeded".to_owned()));
    yt.admin.clock().advance(DAY + PROCESSED).unwrap();
    let access = yt.refresh(&yt.user.refresh_token).await.json();
    let request = yt.http.post(yt.url(super::UPLOADS)).json(&draft("Two"));
    let later = yt
        .send(request.bearer_auth(access["access_token"].as_str().unwrap()))
        .await;
    assert_eq!(later.status, 200);
}
