//! Posts and their files.

use super::*;

#[tokio::test]
async fn one_key_makes_one_post_for_an_hour() {
    let m = Mastodon::new().await;
    let first = id(&m.say("hello", Some("k1")).await);
    assert_eq!(id(&m.say("hello", Some("k1")).await), first);
    assert_eq!(id(&m.say("another text", Some("k1")).await), first);
    assert_eq!(m.posts(), 1);
    m.later(3600);
    assert_ne!(id(&m.say("hello", Some("k1")).await), first);
    m.set(|s| s.idempotency = false);
    assert_ne!(
        id(&m.say("x", Some("k2")).await),
        id(&m.say("x", Some("k2")).await)
    );
    let entries = m.admin.ledger(&mooring_simulator::LedgerFilter::default());
    assert_eq!(entries[0].client_reference.as_deref(), Some("k1"));
}

#[tokio::test]
async fn texts_are_counted_as_the_server_says_and_shown_as_html() {
    let m = Mastodon::new().await;
    assert_eq!(
        error(&m.say(" ", None).await),
        is(422, "Validation failed: Text can't be blank")
    );
    let long = "x".repeat(501);
    let refused = is(
        422,
        "Validation failed: Text character limit of 500 exceeded",
    );
    assert_eq!(error(&m.say(&long, None).await), refused);
    let link = format!(
        "{} https://example.com/{}",
        "x".repeat(476),
        "y".repeat(200)
    );
    let post = m.say(&link, None).await;
    assert_eq!(post.status, 200);
    assert!(
        post.json()["content"]
            .as_str()
            .unwrap()
            .contains("<a href=\"https://example.com/")
    );
    m.set(|s| s.max_characters = 1000);
    assert_eq!(m.say(&long, None).await.status, 200);
    let limits = m.open("GET", "api/v2/instance").send().await.json();
    assert_eq!(limits["configuration"]["statuses"]["max_characters"], 1000);
    let source = m
        .get(&format!("api/v1/statuses/{}/source", id(&post)))
        .await
        .json();
    assert_eq!(source["text"], link);
}

#[tokio::test]
async fn pictures_are_ready_at_once_and_videos_after_a_while() {
    let m = Mastodon::new().await;
    let picture = m.upload("image/png", b"png").await;
    assert_eq!(
        (picture.status, &picture.json()["description"]),
        (200, &json!("a boat"))
    );
    let video = m.upload("video/mp4", b"mp4").await;
    assert_eq!((video.status, &video.json()["url"]), (202, &Value::Null));
    let path = format!("api/v1/media/{}", id(&video));
    assert_eq!(m.get(&path).await.status, 206);
    let attach = |ids: Vec<String>| {
        let body = json!({ "status": "look", "media_ids": ids });
        m.call("POST", "api/v1/statuses").json(&body).send()
    };
    let early = is(
        422,
        "Cannot attach files that have not finished processing. Try again in a moment!",
    );
    assert_eq!(error(&attach(vec![id(&video)]).await), early);
    m.later(3);
    assert_eq!((m.get(&path).await.status, m.posts()), (200, 0));
    let mixed = attach(vec![id(&picture), id(&video)]).await;
    assert_eq!(
        error(&mixed),
        is(
            422,
            "Cannot attach a video to a post that already contains images"
        )
    );
    let post = attach(vec![id(&video)]).await.json();
    assert_eq!(post["media_attachments"][0]["type"], "video");
    assert_eq!(m.get(&path).await.status, 404);
    let twice = attach(vec![id(&video)]).await;
    assert_eq!(twice.status, 422);
    let many = attach(vec![id(&picture); 5]).await;
    assert_eq!(error(&many), is(422, "Cannot attach more than 4 files"));
}

#[tokio::test]
async fn a_bad_file_is_refused_and_a_broken_one_never_ready() {
    let m = Mastodon::new().await;
    let odd = m.upload("text/plain", b"x").await;
    assert_eq!(
        error(&odd).1,
        "Validation failed: File content type is invalid, File is invalid"
    );
    m.set(|s| s.image_size_limit = 2);
    assert_eq!(m.upload("image/png", b"png").await.status, 422);
    m.admin.fail_next_mastodon_media(&m.account.id).unwrap();
    let video = m.upload("video/mp4", b"mp4").await;
    m.later(3);
    let path = format!("api/v1/media/{}", id(&video));
    let broken = is(422, "Error processing thumbnail for uploaded media");
    assert_eq!(error(&m.get(&path).await), broken);
}

#[tokio::test]
async fn posts_are_read_listed_changed_and_deleted() {
    let m = Mastodon::new().await;
    let ids: Vec<String> = {
        let mut ids = Vec::new();
        for n in 0..3 {
            ids.push(id(&m.say(&format!("p{n}"), None).await));
            m.later(1);
        }
        ids
    };
    let list = format!(
        "api/v1/accounts/{}/statuses?limit=2&exclude_reblogs=true",
        m.account.id
    );
    let page = m.get(&list).await;
    assert_eq!(page.json()[0]["id"], ids[2]);
    assert!(page.headers["link"].contains(&format!("max_id={}", ids[1])));
    let rest = m.get(&format!("{list}&max_id={}", ids[1])).await.json();
    assert_eq!(
        (rest.as_array().unwrap().len(), &rest[0]["id"]),
        (1, &json!(ids[0]))
    );
    m.admin
        .edit_post(Platform::Mastodon, &ids[1], "changed")
        .unwrap();
    let path = format!("api/v1/statuses/{}", ids[1]);
    let changed = m.get(&path).await.json();
    assert!(changed["edited_at"].is_string() && changed["content"] == "<p>changed</p>");
    let deleted = m.call("DELETE", &path).send().await;
    assert_eq!(
        (deleted.status, &deleted.json()["text"]),
        (200, &json!("changed"))
    );
    assert_eq!(error(&m.get(&path).await), is(404, "Record not found"));
    assert_eq!(
        error(&m.call("DELETE", &path).send().await),
        is(404, "Record not found")
    );
    let several = m
        .get(&format!("api/v1/statuses?id[]={}&id[]={}", ids[0], ids[1]))
        .await;
    assert_eq!(several.json().as_array().unwrap().len(), 1);
    assert_eq!(m.admin.ledger_summary().live, 2);
}

#[tokio::test]
async fn everybody_reads_what_is_public_unless_the_server_says_otherwise() {
    let m = Mastodon::new().await;
    let post = m.say("hello", None).await;
    let path = format!("api/v1/statuses/{}", id(&post));
    assert_eq!(m.open("GET", &path).send().await.status, 200);
    let link = post.json()["url"]
        .as_str()
        .unwrap()
        .replacen("https", "http", 1);
    assert_eq!(ask(&m.simulator, "GET", &link).send().await.status, 200);
    let body = json!({ "status": "secret", "visibility": "private" });
    let private = m.call("POST", "api/v1/statuses").json(&body).send().await;
    let hidden = format!("api/v1/statuses/{}", id(&private));
    assert_eq!(m.open("GET", &hidden).send().await.status, 404);
    assert_eq!(m.get(&hidden).await.status, 200);
    m.set(|s| s.public_reads = false);
    let refused = m.open("GET", &path).send().await;
    assert_eq!(
        error(&refused),
        is(401, "This API requires an authenticated user")
    );
}
