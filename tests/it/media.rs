//! Media: added once, judged before a post is scheduled, served at signed addresses.

pub(crate) mod desk;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use mooring_domain::{
    Platform, Policy, WorkspaceId,
    post::{Content, Media, MediaKind, Stage},
    time::{hours, minutes},
};
use mooring_gateway::acts::{self, ActError, MediaFrom};
use mooring_runtime::{Answer, Call, Config, Context, ManualClock, media::FileType};
use mooring_store::Actor;
use mooring_tests::{Engine, World};
use reqwest::{
    Method,
    header::{self, HeaderName},
};
use url::Url;

use desk::{Desk, bytes, gif, jpeg, now};

#[tokio::test]
async fn media_are_told_once_and_travel_with_the_post() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let desk = Desk::on(engine, Policy::default()).await;
        let media = desk.add(bytes(gif(5, 4)), Some("  a dot ")).await.unwrap();
        assert_eq!(
            (
                &*media.mime,
                media.kind,
                media.width,
                media.height,
                media.bytes,
                media.duration_ms
            ),
            ("image/gif", MediaKind::Image, 5, 4, 14, None)
        );
        assert_eq!(media.alt.as_deref(), Some("a dot"));
        assert!(
            desk.files
                .exists(desk.workspace.uuid(), &media.sha256)
                .await
                .unwrap()
        );
        let again = desk.add(bytes(gif(5, 4)), None).await.unwrap();
        assert_eq!((&again.sha256, again.alt.as_deref()), (&media.sha256, None));
        assert_ne!(again.id, media.id);
        let events = desk.store.events(desk.workspace, 100).await.unwrap();
        let told = events.iter().filter(|event| event.name == "media_added");
        assert_eq!(told.clone().count(), 2);
        // Both are of the same millisecond, so that either may come first.
        let told: BTreeSet<_> = told.map(|event| event.subject).collect();
        assert_eq!(told, BTreeSet::from([again.id.uuid(), media.id.uuid()]));

        let known = desk.store.media(desk.workspace, &[media.id]).await.unwrap();
        assert_eq!(known.get(&media.id), Some(&media));
        let stranger = WorkspaceId::from_uuid(uuid::Uuid::from_u128(7));
        assert!(
            desk.store
                .media(stranger, &[media.id])
                .await
                .unwrap()
                .is_empty()
        );
    }
}

#[tokio::test]
async fn the_facts_of_media_come_from_the_books_whatever_a_caller_claims() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let desk = Desk::on(engine, Policy::default()).await;
        let media = desk.add(bytes(gif(5, 4)), None).await.unwrap();
        let again = desk.add(bytes(gif(5, 4)), None).await.unwrap();
        let claimed = Media {
            bytes: 1,
            mime: "image/jpeg".to_owned(),
            ..media.clone()
        };
        let content = Content {
            media: vec![claimed],
            ..Content::text("look")
        };
        let post = desk
            .post("bluesky", content, &[again.id, media.id])
            .await
            .unwrap()
            .post;
        assert_eq!(
            desk.contents().await[0].media,
            [again.clone(), media.clone()]
        );
        let edited = acts::EditPost {
            text: Some("look again".to_owned()),
            media: Some(vec![media.id]),
            ..acts::EditPost::default()
        };
        acts::edit_post(
            &desk.store,
            &Actor::Cli,
            desk.workspace,
            post,
            &edited,
            now(),
        )
        .await
        .unwrap();
        let contents = desk.contents().await;
        assert_eq!(
            (&*contents[0].text, &contents[0].media),
            ("look again", &vec![media])
        );
    }
}

#[tokio::test]
async fn a_post_is_refused_before_its_platform_would_refuse_it() {
    let desk = Desk::on(
        Engine::Sqlite,
        Policy {
            public_media: true,
            ..Policy::default()
        },
    )
    .await;
    let (dot, wide, square) = (
        desk.added(gif(5, 4)).await,
        desk.added(jpeg(4_000, 1_000)).await,
        desk.added(jpeg(1_000, 1_000)).await,
    );
    let refusal = desk.refusal("instagram", &[dot]).await;
    assert_eq!(
        refusal,
        "media: media[0]: image/gif is not taken (only image/jpeg); convert it for instagram [account: instagram]"
    );
    let refusal = desk.refusal("instagram", &[square, wide]).await;
    assert!(
        refusal.starts_with("media: media[1]: a shape of 4000/1000"),
        "{refusal}"
    );
    assert!(refusal.contains("crop it for instagram"), "{refusal}");
    let five = [
        desk.added(gif(1, 1)).await,
        dot,
        wide,
        square,
        desk.added(gif(2, 2)).await,
    ];
    let refusal = desk.refusal("x", &five).await;
    assert!(
        refusal.starts_with("media: 5 files are too many (at most 4)"),
        "{refusal}"
    );
    let linked = Content {
        link: Some("https://example.com".to_owned()),
        ..Content::text("look")
    };
    let refused = desk.post("facebook", linked, &[square]).await;
    let refusal = refused.expect_err("it is refused").to_string();
    assert!(
        refusal.starts_with("link: facebook shows media or a link's preview")
            && refusal.contains("or leave the media out"),
        "{refusal}"
    );
    desk.post("instagram", Content::text("look"), &[square])
        .await
        .unwrap();
    assert_eq!(
        desk.contents().await.len(),
        1,
        "what was refused left nothing"
    );
}

#[tokio::test]
async fn a_platform_that_fetches_is_refused_where_it_cannot() {
    let desk = Desk::on(Engine::Sqlite, Policy::default()).await;
    let square = desk.added(jpeg(1_000, 1_000)).await;
    let refusal = desk.refusal("instagram", &[square]).await;
    assert!(
        refusal.starts_with("media: instagram fetches media")
            && refusal.contains("media.public_url"),
        "{refusal}"
    );
    desk.post("facebook", Content::text("look"), &[square])
        .await
        .unwrap();
}

#[tokio::test]
async fn what_cannot_be_added_says_why_and_leaves_no_trace() {
    let desk = Desk::on(Engine::Sqlite, Policy::default()).await;
    let refused =
        |outcome: Result<Media, ActError>| outcome.expect_err("it is refused").to_string();
    let text = refused(desk.add(bytes(b"just words".to_vec()), None).await);
    assert!(text.starts_with("file: the file is no JPEG"), "{text}");
    let mut long = gif(5, 4);
    long.resize((1 << 20) + 1, 0);
    let text = refused(desk.add(bytes(long), None).await);
    assert!(
        text.starts_with("file: the file is longer than 1048576 bytes"),
        "{text}"
    );
    let text = refused(desk.add(bytes(gif(5, 4)), Some(&"x".repeat(2_001))).await);
    assert!(
        text.starts_with("alt: 2001 characters are too many"),
        "{text}"
    );
    let clock = Arc::new(ManualClock::new(now()));
    let context = Context::with_clock("test", Config::default(), clock).unwrap();
    for private in [
        "http://127.0.0.1:9/a.gif",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]:9/a.gif",
        "http://localhost:9/a.gif",
        "http://0x7f.1:9/a.gif",
    ] {
        let from = MediaFrom::Url {
            url: private.parse().unwrap(),
            http: context.http.clone(),
            timeout: Duration::from_secs(5),
        };
        let text = refused(desk.add(from, None).await);
        assert!(
            text.starts_with("url: ") && text.contains("private or loopback"),
            "{text}"
        );
    }
    let events = desk.store.events(desk.workspace, 100).await.unwrap();
    assert!(events.iter().all(|event| event.name != "media_added"));
}

async fn call(world: &World, method: Method, url: &Url, headers: &[(HeaderName, &str)]) -> Answer {
    let mut call = Call::new("media", "test", method, url.clone());
    for (name, value) in headers {
        call = call.header(name.clone(), value);
    }
    world
        .context
        .http
        .send(call)
        .await
        .expect("the gateway answers")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signed_address_serves_its_file_whole_and_in_parts() {
    let world = World::start().await;
    let file = gif(640, 480);
    let id = world.add_media(file.clone(), "a dot").await;
    let known = world.store.media(world.workspace, &[id]).await.unwrap();
    let (sha256, owner) = (&known[&id].sha256, world.workspace.uuid());
    let until = world.now() + minutes(20);
    let url = world
        .media
        .link(owner, sha256, FileType::Gif, until)
        .unwrap();

    let whole = call(&world, Method::GET, &url, &[]).await;
    assert_eq!((whole.status.as_u16(), &whole.body[..]), (200, &file[..]));
    let tag = format!("\"{sha256}\"");
    for (name, value) in [
        ("content-type", "image/gif"),
        ("content-length", "14"),
        ("accept-ranges", "bytes"),
        ("etag", &tag),
        ("cache-control", "public, max-age=3600, immutable"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(whole.header(name), Some(value), "{name}");
    }
    let part = call(&world, Method::GET, &url, &[(header::RANGE, "bytes=6-9")]).await;
    assert_eq!((part.status.as_u16(), &part.body[..]), (206, &file[6..10]));
    assert_eq!(part.header("content-range"), Some("bytes 6-9/14"));
    let stale = [
        (header::RANGE, "bytes=6-9"),
        (header::IF_RANGE, "\"other\""),
    ];
    assert_eq!(
        call(&world, Method::GET, &url, &stale)
            .await
            .status
            .as_u16(),
        200
    );
    let beyond = call(&world, Method::GET, &url, &[(header::RANGE, "bytes=14-")]).await;
    assert_eq!(
        (beyond.status.as_u16(), beyond.header("content-range")),
        (416, Some("bytes */14"))
    );
    let head = call(&world, Method::HEAD, &url, &[]).await;
    assert_eq!(
        (head.status.as_u16(), head.header("content-length")),
        (200, Some("14"))
    );
    let known = call(&world, Method::GET, &url, &[(header::IF_NONE_MATCH, &tag)]).await;
    assert_eq!((known.status.as_u16(), known.body.len()), (304, 0));
    assert_eq!(
        call(&world, Method::POST, &url, &[]).await.status.as_u16(),
        405
    );
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_but_a_signed_address_opens_anything() {
    let world = World::start().await;
    let id = world.add_media(gif(5, 4), "a dot").await;
    let known = world.store.media(world.workspace, &[id]).await.unwrap();
    let (sha256, owner) = (&known[&id].sha256, world.workspace.uuid());
    let link = || {
        let until = world.now() + minutes(20);
        world
            .media
            .link(owner, sha256, FileType::Gif, until)
            .unwrap()
    };
    let url = link();
    let status = async |url: &str| {
        let url = url.parse().unwrap();
        call(&world, Method::GET, &url, &[]).await.status.as_u16()
    };
    let good = url.as_str();
    let base = good.split("/m/").next().unwrap();
    let unsigned = good.split('?').next().unwrap();
    for forged in [
        good.replace(".gif", ".mp4"),
        good.replace("e=1", "e=9"),
        good[..good.len() - 3].to_owned(),
        unsigned.to_owned(),
        format!("{base}/m/{owner}/..%2f..%2fvault.keys?e=1&s=AA"),
    ] {
        assert_eq!(status(&forged).await, 403, "{forged}");
    }
    for listing in [
        format!("{base}/m"),
        format!("{base}/m/"),
        format!("{base}/m/{owner}"),
        format!("{base}/m/{owner}/"),
    ] {
        assert!([403, 404].contains(&status(&listing).await), "{listing}");
    }
    world.advance(hours(2)).await;
    assert_eq!(status(good).await, 410);
    let url = link();
    assert_eq!(status(url.as_str()).await, 200);
    world.media.delete(owner, sha256).await.unwrap();
    assert_eq!(status(url.as_str()).await, 404);
    world.done().await;
}

/// Some platforms take the bytes, the others fetch them from the signed address.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_with_an_image_goes_out_with_it_on_every_platform_that_takes_images() {
    let takes_images = |platform: &Platform| {
        let row = platform.capabilities();
        row.formats[0].image.is_some()
    };
    for platform in Platform::ALL.into_iter().filter(takes_images) {
        let world = World::start().await;
        let account = world.connect(platform).await;
        world.settle().await;
        let id = world
            .add_media(jpeg(1_080, 1_080), "a boat at its mooring")
            .await;
        let content = Content::text("moored");
        let post = world
            .post_with(&account, content, vec![id], minutes(1))
            .await;
        world.advance(hours(2)).await;
        let row = world.target(&post).await;
        assert_eq!(row.stage, Stage::Accepted, "{platform}: {:?}", row.reason);
        assert_eq!(world.copies(&account, "moored"), 1, "{platform}");
        world.done().await;
    }
}

/// Where the bytes are gone, the post fails with the reason, and nothing goes out without them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_whose_image_is_gone_fails_and_says_so() {
    let world = World::start().await;
    let account = world.connect(Platform::Mastodon).await;
    world.settle().await;
    let id = world.add_media(gif(640, 480), "a boat").await;
    let known = world.store.media(world.workspace, &[id]).await.unwrap();
    let content = Content::text("moored");
    let post = world
        .post_with(&account, content, vec![id], minutes(1))
        .await;
    let owner = world.workspace.uuid();
    world.media.delete(owner, &known[&id].sha256).await.unwrap();
    world.advance(hours(2)).await;
    let row = world.target(&post).await;
    assert_eq!(row.stage, Stage::Failed, "{:?}", row.reason);
    assert_eq!(world.copies(&account, "moored"), 0);
    world.done().await;
}
