//! Processing, reading, finding, deleting.

use mooring_simulator::Platform;
use mooring_simulator::youtube::{ChannelState, Outcome, Privacy};

use super::{PROCESSED, Youtube};

#[tokio::test]
async fn a_video_is_processed_by_the_clock() {
    let yt = Youtube::new().await;
    let id = yt.upload("Slow").await["id"].as_str().unwrap().to_owned();
    let fresh = yt.video(&id).await;
    assert_eq!(fresh["status"]["uploadStatus"], "uploaded");
    assert_eq!(fresh["processingDetails"]["processingStatus"], "processing");
    yt.admin.clock().advance(PROCESSED).unwrap();
    let done = yt.video(&id).await;
    assert_eq!(done["status"]["uploadStatus"], "processed");
    assert_eq!(done["status"]["privacyStatus"], "public");
    assert_eq!(done["processingDetails"]["processingStatus"], "succeeded");
}

#[tokio::test]
async fn processing_may_end_badly() {
    let yt = Youtube::new().await;
    for (outcome, status, field, reason) in [
        (
            Outcome::Failed("codec".to_owned()),
            "failed",
            "failureReason",
            "codec",
        ),
        (
            Outcome::Rejected("copyright".to_owned()),
            "rejected",
            "rejectionReason",
            "copyright",
        ),
    ] {
        yt.admin.set_youtube_outcome(yt.channel(), outcome).unwrap();
        let id = yt.upload(status).await["id"].as_str().unwrap().to_owned();
        yt.admin.clock().advance(PROCESSED).unwrap();
        let video = yt.video(&id).await;
        assert_eq!(video["status"]["uploadStatus"], status);
        assert_eq!(video["status"][field], reason);
    }
    assert_eq!(yt.admin.ledger_summary().posts, 0);
}

#[tokio::test]
async fn the_same_file_again_is_rejected_where_the_guard_is_on() {
    let yt = Youtube::new().await;
    yt.admin.set_youtube_duplicate_guard(true);
    yt.upload("Twice").await;
    let id = yt.upload("Twice").await["id"].as_str().unwrap().to_owned();
    yt.admin.clock().advance(PROCESSED).unwrap();
    assert_eq!(
        yt.video(&id).await["status"]["rejectionReason"],
        "duplicate"
    );
}

#[tokio::test]
async fn what_is_gone_is_an_empty_list_and_deleting_it_again_a_404() {
    let yt = Youtube::new().await;
    let id = yt.upload("Short-lived").await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let url = yt.url(&format!("youtube/v3/videos?id={id}"));
    let delete = || yt.send(yt.http.delete(&url).bearer_auth(&*yt.user.access_token));
    let first = delete().await;
    assert_eq!((first.status, first.body.as_str()), (204, ""));
    let gone = yt.own(&format!("youtube/v3/videos?part=id&id={id}")).await;
    assert_eq!(
        (gone.status, gone.json()["items"].clone()),
        (200, serde_json::json!([]))
    );
    assert_eq!(delete().await.reason(), (404, "videoNotFound".to_owned()));
    assert_eq!(yt.admin.ledger_summary().live, 0);
}

#[tokio::test]
async fn an_edit_by_the_owner_is_read_back() {
    let yt = Youtube::new().await;
    let id = yt.upload("Plain").await["id"].as_str().unwrap().to_owned();
    yt.admin
        .edit_post(Platform::YouTube, &id, "Other words")
        .unwrap();
    assert_eq!(yt.video(&id).await["snippet"]["description"], "Other words");
}

#[tokio::test]
async fn a_private_video_is_its_owners_alone() {
    let yt = Youtube::new().await;
    let id = yt.upload("Hidden").await["id"].as_str().unwrap().to_owned();
    yt.admin.set_youtube_privacy(&id, Privacy::Private).unwrap();
    assert_eq!(yt.video(&id).await["status"]["privacyStatus"], "private");
    let new = mooring_simulator::youtube::NewYoutubeUsers {
        app: yt.app.client_id.clone(),
        ..Default::default()
    };
    let other = yt.admin.create_youtube_users(&new).unwrap().remove(0);
    let path = format!("youtube/v3/videos?part=status&id={id}");
    let seen = yt.get(&path, &other.access_token).await.json();
    assert_eq!(seen["items"], serde_json::json!([]));
}

#[tokio::test]
async fn the_playlist_of_uploads_is_paged_with_the_newest_first() {
    let yt = Youtube::new().await;
    for n in 0..7 {
        yt.upload(&format!("Video {n}")).await;
        yt.admin.clock().advance(PROCESSED).unwrap();
    }
    let channel = yt
        .own("youtube/v3/channels?part=id,contentDetails,status&mine=true")
        .await
        .json();
    let channel = &channel["items"][0];
    assert_eq!(
        (&channel["id"], &channel["status"]["isLinked"]),
        (&yt.channel().into(), &true.into())
    );
    let uploads = channel["contentDetails"]["relatedPlaylists"]["uploads"]
        .as_str()
        .unwrap();
    let path = format!("youtube/v3/playlistItems?part=snippet,contentDetails&playlistId={uploads}");
    let first = yt.own(&path).await.json();
    let titles = |page: &serde_json::Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items
            .map(|i| i["snippet"]["title"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        titles(&first),
        ["Video 6", "Video 5", "Video 4", "Video 3", "Video 2"]
    );
    assert_eq!(first["pageInfo"]["totalResults"], 7);
    let next = first["nextPageToken"].as_str().unwrap();
    let second = yt.own(&format!("{path}&pageToken={next}")).await.json();
    assert_eq!(titles(&second), ["Video 1", "Video 0"]);
    assert_eq!(second["nextPageToken"], serde_json::Value::Null);
    let unknown = yt
        .own("youtube/v3/playlistItems?part=id&playlistId=UUnothing")
        .await;
    assert_eq!(unknown.reason(), (404, "playlistNotFound".to_owned()));
}

#[tokio::test]
async fn calls_without_part_or_filter_are_refused() {
    let yt = Youtube::new().await;
    let cases = [
        ("youtube/v3/channels?mine=true", "missingRequiredParameter"),
        ("youtube/v3/channels?part=id", "missingRequiredParameter"),
        (
            "youtube/v3/channels?part=everything&mine=true",
            "unknownPart",
        ),
        ("youtube/v3/videos?part=id", "missingRequiredParameter"),
    ];
    for (path, reason) in cases {
        assert_eq!(
            yt.own(path).await.reason(),
            (400, reason.to_owned()),
            "{path}"
        );
    }
    yt.admin
        .set_youtube_channel_state(yt.channel(), ChannelState::Removed)
        .unwrap();
    let nobody = yt.own("youtube/v3/channels?part=id&mine=true").await.json();
    assert_eq!(nobody["pageInfo"]["totalResults"], 0);
    assert_eq!(nobody["items"], serde_json::Value::Null);
}
