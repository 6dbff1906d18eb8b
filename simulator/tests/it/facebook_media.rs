//! Photos, videos, reels and stories of Facebook Pages on the wire.

use std::time::Duration;

use mooring_simulator::facebook::MediaRules;
use mooring_simulator::{LedgerFilter, Platform};
use serde_json::{Value, json};

use crate::client::{Reply, delete, post_bytes, post_form, post_json, send};
use crate::facebook::{Facebook, code};

const PROCESSING: Duration = Duration::from_secs(8);
const DAY: Duration = Duration::from_hours(24);
const PNG: &[u8] = b"\x89PNG\r\n\x1a\nrest of a picture";

impl Facebook {
    /// A POST with a form to an edge of the page, or to a path that begins with a slash.
    async fn form(&self, edge: &str, form: &str) -> Reply {
        let path = format!("/facebook/v26.0/{}/{edge}", self.page());
        let request = post_form(path, form).token(self.page_token());
        send(&self.simulator, &request).await
    }

    async fn multipart(&self, edge: &str, fields: &[(&str, &str)], file: (&str, &[u8])) -> Reply {
        let mut body = Vec::new();
        for (name, value) in fields {
            body.extend(
                format!(
                    "--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
                )
                .bytes(),
            );
        }
        body.extend(
            format!(
                "--b\r\ncontent-disposition: form-data; name=\"{}\"; filename=\"f\"\r\n\r\n",
                file.0
            )
            .bytes(),
        );
        body.extend(file.1);
        body.extend(b"\r\n--b--\r\n");
        let path = format!("/facebook/v26.0/{}/{edge}", self.page());
        let request = post_bytes(path, "multipart/form-data; boundary=b", &body);
        send(&self.simulator, &request.token(self.page_token())).await
    }

    async fn read(&self, path: &str) -> Value {
        self.get(path, self.page_token()).await.json()
    }

    async fn photo(&self, url: &str) -> String {
        let reply = self
            .form("photos", &format!("published=false&url={url}"))
            .await;
        reply.json()["id"].as_str().unwrap().to_owned()
    }

    /// Begins a reel or a video story; the id and the path of the upload.
    async fn begin(&self, edge: &str) -> (String, String) {
        let body = self.form(edge, "upload_phase=start").await.json();
        let url = body["upload_url"].as_str().unwrap();
        let path = url.strip_prefix(&self.simulator.base_url()).unwrap();
        (
            body["video_id"].as_str().unwrap().to_owned(),
            path.to_owned(),
        )
    }

    async fn upload(&self, path: &str, offset: usize, size: usize, bytes: &[u8]) -> Reply {
        let request = post_bytes(path, "application/octet-stream", bytes)
            .header("authorization", format!("OAuth {}", self.page_token()))
            .header("offset", offset.to_string())
            .header("file_size", size.to_string());
        send(&self.simulator, &request).await
    }

    async fn finish_reel(&self, id: &str, text: &str) -> Reply {
        let form =
            format!("upload_phase=finish&video_state=PUBLISHED&video_id={id}&description={text}");
        self.form("video_reels", &form).await
    }

    async fn status(&self, id: &str) -> Value {
        self.read(&format!("{id}?fields=status")).await["status"].clone()
    }

    fn texts(&self) -> Vec<String> {
        let entries = self.admin.ledger(&LedgerFilter::default());
        entries.into_iter().map(|e| e.text).collect()
    }
}

fn upload_error(reply: &Reply) -> (u16, String) {
    let kind = reply.json()["debug_info"]["type"]
        .as_str()
        .unwrap()
        .to_owned();
    (reply.status, kind)
}

#[tokio::test]
async fn several_photos_are_uploaded_unpublished_and_become_one_post() {
    let fb = Facebook::new().await;
    let (one, two) = (
        fb.photo("https://a.example/1.jpg").await,
        fb.photo("https://a.example/2.jpg").await,
    );
    assert!(fb.texts().is_empty(), "an upload publishes nothing");
    let media = format!(
        "message=both&attached_media=[{{\"media_fbid\":\"{one}\"}},{{\"media_fbid\":\"{two}\"}}]"
    );
    let post = fb.form("feed", &media).await.json();
    let id = post["id"].as_str().unwrap();
    let read = fb
        .read(&format!("{id}?fields=attachments,status_type"))
        .await;
    assert_eq!(
        read["attachments"]["data"][0]["subattachments"]["data"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(read["status_type"], "added_photos");
    assert_eq!(fb.texts(), ["both"]);
    // A photo belongs to one post.
    assert_eq!(code(&fb.form("feed", &media).await), (100, 1_366_051));
}

#[tokio::test]
async fn a_photo_file_is_checked_for_form_and_size() {
    let fb = Facebook::new().await;
    let reply = fb
        .multipart("photos", &[("caption", "a file")], ("source", PNG))
        .await;
    assert_eq!(reply.status, 200);
    assert!(
        reply.json()["post_id"]
            .as_str()
            .unwrap()
            .starts_with(fb.page())
    );
    let text = fb.multipart("photos", &[], ("source", b"hello")).await;
    assert_eq!(code(&text), (324, 2_069_019));
    let rules = MediaRules {
        photo_max_bytes: 10,
        ..fb.admin.facebook_media_rules()
    };
    fb.admin.set_facebook_media_rules(rules);
    let large = fb
        .multipart("photos", &[("published", "false")], ("source", PNG))
        .await;
    assert_eq!(code(&large), (1, 1_366_046));
    fb.admin.set_facebook_reaches("https://a.example/", false);
    assert_eq!(
        code(&fb.form("photos", "url=https://a.example/1.jpg").await).0,
        324
    );
    assert_eq!(fb.texts(), ["a file"]);
}

#[tokio::test]
async fn a_video_is_accepted_at_once_and_exists_when_it_is_processed() {
    let fb = Facebook::new().await;
    let form = "file_url=https://a.example/v.mp4&description=moving";
    let id = fb.form("videos", form).await.json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(fb.status(&id).await["video_status"], "processing");
    assert!(fb.texts().is_empty());
    fb.admin.clock().advance(PROCESSING).unwrap();
    let video = fb
        .read(&format!(
            "{id}?fields=status,post_id,published,permalink_url"
        ))
        .await;
    assert_eq!(
        video["status"]["publishing_phase"]["publish_status"],
        "published"
    );
    assert_eq!(video["published"], true);
    let post = video["post_id"].as_str().unwrap();
    assert_eq!(
        fb.read(&format!("{post}?fields=message,status_type")).await["status_type"],
        "added_video"
    );
    let listed = fb
        .read(&format!("{}/published_posts?fields=attachments", fb.page()))
        .await;
    assert_eq!(
        listed["data"][0]["attachments"]["data"][0]["target"]["id"],
        id.as_str()
    );
    let videos = fb.read(&format!("{}/videos", fb.page())).await;
    assert_eq!(videos["data"][0]["description"], "moving");
    assert_eq!(fb.texts(), ["moving"]);
    // The post came to exist when the processing ended, not when somebody looked.
    let at = fb.admin.ledger(&LedgerFilter::default())[0].created_at;
    assert_eq!(at, crate::client::START_MS + 8_000);
}

#[tokio::test]
async fn a_video_that_fails_in_processing_is_never_published() {
    let fb = Facebook::new().await;
    fb.admin.fail_next_facebook_video("Resolution too low.");
    let id = fb
        .form("videos", "file_url=https://a.example/v.mp4")
        .await
        .json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    fb.admin.clock().advance(PROCESSING).unwrap();
    let status = fb.status(&id).await;
    assert_eq!(status["video_status"], "error");
    assert_eq!(
        status["processing_phase"]["error"]["message"],
        "Resolution too low."
    );
    assert_eq!(status["publishing_phase"]["publish_status"], "error");
    fb.admin.set_facebook_reaches("https://b.example/", false);
    assert_eq!(
        code(&fb.form("videos", "file_url=https://b.example/v.mp4").await).0,
        389
    );
    assert_eq!(
        code(&fb.multipart("videos", &[], ("source", b"")).await).0,
        382
    );
    assert!(fb.texts().is_empty());
}

#[tokio::test]
async fn a_chunked_upload_names_the_bytes_that_it_wants() {
    let fb = Facebook::new().await;
    let rules = MediaRules {
        chunk_bytes: 4,
        ..MediaRules::default()
    };
    fb.admin.set_facebook_media_rules(rules);
    let start = fb
        .form("videos", "upload_phase=start&file_size=6")
        .await
        .json();
    assert_eq!(
        (&start["start_offset"], &start["end_offset"]),
        (&"0".into(), &"4".into())
    );
    let session = start["upload_session_id"].as_str().unwrap();
    let fields = |offset| {
        [
            ("upload_phase", "transfer"),
            ("upload_session_id", session),
            ("start_offset", offset),
        ]
    };
    let next = fb
        .multipart("videos", &fields("0"), ("video_file_chunk", b"1234"))
        .await
        .json();
    assert_eq!(
        (&next["start_offset"], &next["end_offset"]),
        (&"4".into(), &"6".into())
    );
    // A chunk sent twice does not fit; the refusal says what does.
    let again = fb
        .multipart("videos", &fields("0"), ("video_file_chunk", b"1234"))
        .await;
    assert_eq!(code(&again), (6001, 1_363_037));
    assert_eq!(again.json()["error"]["error_data"]["start_offset"], "4");
    let finish = format!("upload_phase=finish&upload_session_id={session}&description=in parts");
    assert_eq!(code(&fb.form("videos", &finish).await), (6001, 1_363_037));
    let last = fb
        .multipart("videos", &fields("4"), ("video_file_chunk", b"56"))
        .await
        .json();
    assert_eq!(last["start_offset"], last["end_offset"]);
    assert_eq!(fb.form("videos", &finish).await.json()["success"], true);
    fb.admin.clock().advance(PROCESSING).unwrap();
    assert_eq!(fb.texts(), ["in parts"]);
}

#[tokio::test]
async fn the_resumable_upload_api_tells_where_to_go_on_and_gives_a_handle() {
    let fb = Facebook::new().await;
    let path = format!("/facebook/v26.0/{}/uploads", fb.app.id);
    let start =
        post_form(path, "file_name=v.mp4&file_length=6&file_type=video/mp4").token(&fb.user.token);
    let id = send(&fb.simulator, &start).await.json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let send_part = async |offset: usize, bytes: &[u8]| {
        let request = post_bytes(
            format!("/facebook/v26.0/{id}"),
            "application/octet-stream",
            bytes,
        )
        .header("authorization", format!("OAuth {}", &*fb.user.token))
        .header("file_offset", offset.to_string());
        send(&fb.simulator, &request).await
    };
    assert_eq!(send_part(0, b"123").await.status, 400);
    let offset = fb.get(&id, &fb.user.token).await.json();
    assert_eq!(offset, json!({ "id": id, "file_offset": 3 }));
    let handle = send_part(3, b"456").await.json()["h"]
        .as_str()
        .unwrap()
        .to_owned();
    let form = format!("fbuploader_video_file_chunk={handle}&description=by handle");
    assert_eq!(fb.form("videos", &form).await.status, 200);
    fb.admin.clock().advance(PROCESSING).unwrap();
    assert_eq!(fb.texts(), ["by handle"]);
}

#[tokio::test]
async fn a_reel_is_begun_uploaded_and_finished() {
    let fb = Facebook::new().await;
    let (id, path) = fb.begin("video_reels").await;
    assert_eq!(code(&fb.finish_reel(&id, "early").await), (6000, 1_363_130));
    assert_eq!(
        fb.upload(&path, 0, 6, b"123456").await.json(),
        json!({ "success": true })
    );
    let finished = fb.finish_reel(&id, "a reel").await;
    assert_eq!(
        finished.json(),
        json!({ "success": true }),
        "no post id, as documented"
    );
    assert_eq!(
        fb.status(&id).await["publishing_phase"]["status"],
        "in_progress"
    );
    fb.admin.clock().advance(PROCESSING).unwrap();
    let reels = fb
        .read(&format!("{}/video_reels?since=1700000000", fb.page()))
        .await;
    assert_eq!(reels["data"][0]["id"], id.as_str());
    assert_eq!(reels["data"][0]["description"], "a reel");
    assert_eq!(fb.read(&id).await["description"], "a reel");
    let video = fb.read(&format!("{id}?fields=post_id,permalink_url")).await;
    assert_eq!(video["permalink_url"], format!("/reel/{id}/"));
    assert_eq!(
        fb.finish_reel(&id, "a reel").await.status,
        400,
        "one video is one reel"
    );
    assert_eq!(fb.texts(), ["a reel"]);
    let gone = delete(format!("/facebook/{id}")).token(fb.page_token());
    assert_eq!(send(&fb.simulator, &gone).await.json()["success"], true);
    assert_eq!(code(&fb.get(&id, fb.page_token()).await), (100, 33));
    assert_eq!(fb.admin.ledger_summary().live, 0);
}

#[tokio::test]
async fn an_interrupted_upload_goes_on_at_the_bytes_that_arrived() {
    let fb = Facebook::new().await;
    let (id, path) = fb.begin("video_reels").await;
    let part = fb.upload(&path, 0, 6, b"1234").await;
    assert_eq!(upload_error(&part), (400, "PartialRequestError".to_owned()));
    let status = fb.status(&id).await;
    assert_eq!(status["uploading_phase"]["bytes_transfered"], 4);
    assert_eq!(status["video_status"], "uploading");
    let wrong = fb.upload(&path, 2, 6, b"3456").await;
    assert_eq!(upload_error(&wrong), (412, "OffsetInvalidError".to_owned()));
    assert_eq!(fb.upload(&path, 4, 6, b"56").await.status, 200);
    let (_, other) = fb.begin("video_reels").await;
    fb.admin.set_facebook_reaches("https://a.example/", false);
    let hosted = post_bytes(other, "application/octet-stream", b"")
        .header("authorization", format!("OAuth {}", fb.page_token()))
        .header("file_url", "https://a.example/v.mp4");
    let refused = send(&fb.simulator, &hosted).await;
    assert_eq!(
        upload_error(&refused),
        (422, "FileUrlProcessingError".to_owned())
    );
    // An upload that nobody ends has to be begun anew after a day.
    let (late, _) = fb.begin("video_reels").await;
    fb.admin
        .clock()
        .advance(DAY + Duration::from_secs(1))
        .unwrap();
    assert_eq!(fb.status(&late).await["video_status"], "expired");
}

#[tokio::test]
async fn a_page_may_publish_thirty_reels_a_day() {
    let fb = Facebook::new().await;
    let rules = MediaRules {
        reels_per_day: 1,
        ..MediaRules::default()
    };
    fb.admin.set_facebook_media_rules(rules);
    let mut ids = Vec::new();
    for text in ["one", "two"] {
        let (id, path) = fb.begin("video_reels").await;
        fb.upload(&path, 0, 3, b"abc").await;
        ids.push((id, text));
    }
    assert_eq!(fb.finish_reel(&ids[0].0, ids[0].1).await.status, 200);
    assert_eq!(code(&fb.finish_reel(&ids[1].0, ids[1].1).await), (613, 0));
    fb.admin.clock().advance(DAY).unwrap();
    assert_eq!(fb.finish_reel(&ids[1].0, ids[1].1).await.status, 200);
    assert_eq!(fb.texts(), ["one", "two"]);
}

#[tokio::test]
async fn stories_are_listed_for_a_day_and_then_only_where_they_are_kept() {
    let fb = Facebook::new().await;
    let photo = fb.photo("https://a.example/s.jpg").await;
    let story = fb
        .form("photo_stories", &format!("photo_id={photo}"))
        .await
        .json();
    assert_eq!(story["success"], true);
    assert_eq!(
        code(&fb.form("photo_stories", &format!("photo_id={photo}")).await),
        (100, 1_366_051)
    );
    let (id, path) = fb.begin("video_stories").await;
    fb.upload(&path, 0, 3, b"abc").await;
    let finish = format!("upload_phase=finish&video_id={id}");
    let video_story = fb.form("video_stories", &finish).await.json();
    fb.admin.clock().advance(PROCESSING).unwrap();
    let listed = fb.read(&format!("{}/stories", fb.page())).await;
    let rows = listed["data"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(
        (&rows[0]["media_type"], &rows[0]["post_id"]),
        (&"video".into(), &video_story["post_id"])
    );
    assert_eq!(
        (&rows[1]["media_id"], &rows[1]["status"]),
        (&photo.as_str().into(), &"PUBLISHED".into())
    );
    let feed = fb.read(&format!("{}/published_posts", fb.page())).await;
    assert_eq!(
        feed["data"].as_array().unwrap().len(),
        0,
        "a story is no post"
    );
    fb.admin.clock().advance(DAY).unwrap();
    let listed = fb.read(&format!("{}/stories", fb.page())).await;
    assert_eq!(listed["data"].as_array().unwrap().len(), 0);
    fb.admin
        .set_facebook_story_archive(fb.page(), true)
        .unwrap();
    let kept = fb
        .read(&format!("{}/stories?status=[\"ARCHIVED\"]", fb.page()).replace('"', "%22"))
        .await;
    assert_eq!(kept["data"].as_array().unwrap().len(), 2);
    let id = story["post_id"].as_str().unwrap();
    fb.admin.delete_post(Platform::Facebook, id).unwrap();
    assert_eq!(fb.admin.ledger_summary().live, 1);
}

#[tokio::test]
async fn media_needs_the_right_to_publish_and_is_not_scheduled_there() {
    let fb = Facebook::new().await;
    let path = format!("/facebook/v26.0/{}/video_reels", fb.page());
    let as_user = post_form(&*path, "upload_phase=start").token(&fb.user.token);
    assert_eq!(code(&send(&fb.simulator, &as_user).await), (190, 2_069_032));
    let scheduled = fb
        .form(
            "videos",
            "file_url=https://a.example/v.mp4&scheduled_publish_time=1",
        )
        .await;
    assert_eq!(code(&scheduled).0, 100);
    fb.admin.set_facebook_may_publish(fb.page(), false).unwrap();
    assert_eq!(
        code(&fb.form("video_reels", "upload_phase=start").await).0,
        200
    );
    let foreign = post_json(&*path, &json!({ "upload_phase": "start" })).token("EAAnothing");
    assert_eq!(code(&send(&fb.simulator, &foreign).await).0, 190);
}
