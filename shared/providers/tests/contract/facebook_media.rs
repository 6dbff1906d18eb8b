//! Media posts, stories and callbacks of Facebook: what the common cases do not reach.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use mooring_domain::{
    Failure, Platform,
    post::{Accepted, Content, Finding, Format, MediaKind, Prepared, Seen, Sent},
    time::from_ms,
};
use mooring_providers::{Attachment, Draft, Inbound, InboundKind, InboundRefused, News, NewsKind};
use mooring_simulator::{
    Delivery, FaultKind, LedgerFilter,
    facebook::{FacebookCallbacks, FacebookSubscription, MediaRules},
};
use mooring_vault::Secret;

use crate::{arena::Arena, media};

async fn arena() -> Arena {
    Arena::new(Platform::Facebook).await
}

fn draft(arena: &Arena, format: Format, text: &str, kinds: &[MediaKind]) -> Draft {
    let files: Vec<Attachment> = kinds
        .iter()
        .map(|kind| media::attachment(Platform::Facebook, *kind))
        .collect();
    let mut draft = arena.draft(text);
    draft.content = Content {
        format,
        media: files.iter().map(|file| file.media.clone()).collect(),
        ..Content::text(text)
    };
    draft.media = files;
    draft
}

/// The same draft with files that have no address.
fn without_addresses(mut draft: Draft) -> Draft {
    for file in &mut draft.media {
        file.url = None;
    }
    draft
}

async fn find(arena: &Arena, draft: &Draft) -> Finding {
    let lost = arena.lost(draft);
    let access = arena.scene.access();
    arena
        .provider
        .find(&access, &lost)
        .await
        .expect("a finding")
}

async fn read_back(arena: &Arena, accepted: &Accepted) -> Seen {
    let access = arena.scene.access();
    let seen = arena.provider.read_back(&access, &accepted.remote_id);
    seen.await.expect("a look")
}

fn texts(arena: &Arena) -> Vec<String> {
    let all = arena.admin.ledger(&LedgerFilter::default());
    all.into_iter().map(|entry| entry.text).collect()
}

fn uploads(arena: &Arena) -> u64 {
    arena.admin.calls_of(&arena.scene.account(), "upload")
}

#[tokio::test]
async fn several_photos_become_one_post_that_reads_back() {
    let arena = arena().await;
    let draft = draft(&arena, Format::Feed, "four boats", &[MediaKind::Image; 4]);
    let draft = arena.ready(draft).await.expect("prepared");
    assert!(texts(&arena).is_empty(), "the steps before show nothing");
    let accepted = arena.publish(&draft).await.expect("accepted");
    assert_eq!(texts(&arena), ["four boats"]);
    assert!(
        matches!(read_back(&arena, &accepted).await, Seen::Live { digest: Some(d), .. } if d == draft.content.digest())
    );
    assert_eq!(find(&arena, &draft).await, Finding::Found(accepted));
    // The same photos are taken once: even a send too many makes no second post.
    let again = arena.publish(&draft).await;
    assert_eq!(again, Err(Failure::DuplicateContent));
}

#[tokio::test]
async fn a_lost_photo_post_without_a_text_is_known_by_its_photos() {
    let arena = arena().await;
    let draft = draft(&arena, Format::Feed, "", &[MediaKind::Image; 2]);
    let draft = arena.ready(draft).await.expect("prepared");
    arena.fault("publish", FaultKind::LostAnswer, 1);
    assert_eq!(arena.publish(&draft).await, Err(Failure::Indeterminate));
    assert!(matches!(find(&arena, &draft).await, Finding::Found(_)));
}

#[tokio::test]
async fn a_photo_step_keeps_what_it_has_when_a_later_upload_fails() {
    let arena = arena().await;
    let access = arena.scene.access();
    let mut draft = draft(&arena, Format::Feed, "three", &[MediaKind::Image; 3]);
    // Of the last one there is so little that it is no photo.
    draft.media[2].media.bytes = 2;
    let first = arena.provider.prepare(&access, &draft, None).await;
    let Ok(Prepared::Pending { state, .. }) = first else {
        panic!("two are kept: {first:?}");
    };
    let uploaded = uploads(&arena);
    let second = arena.provider.prepare(&access, &draft, Some(&state)).await;
    let code = "324/2069019".to_owned();
    assert_eq!(second, Err(Failure::ContentRejected { code }));
    assert_eq!(
        uploads(&arena),
        uploaded + 1,
        "only the last one is tried again"
    );
    // Trouble with the first one of a step is told as what it is.
    arena.fault(
        "upload",
        FaultKind::Status {
            code: 503,
            body: None,
        },
        1,
    );
    let down = arena.provider.prepare(&access, &draft, Some(&state)).await;
    assert_eq!(down, Err(Failure::ProviderDown));
}

#[tokio::test]
async fn a_video_goes_up_in_chunks_and_is_followed_until_it_is_a_post() {
    let arena = arena().await;
    let rules = MediaRules {
        chunk_bytes: 70_000,
        ..MediaRules::default()
    };
    arena.admin.set_facebook_media_rules(rules);
    let draft = draft(&arena, Format::Feed, "moving", &[MediaKind::Video]);
    let draft = arena.ready(draft).await.expect("prepared");
    assert!(uploads(&arena) >= 10, "600,000 bytes in chunks of 70,000");
    assert_eq!(
        find(&arena, &draft).await,
        Finding::Absent,
        "nothing was told to be published"
    );
    let sent = arena.provider.publish(&arena.scene.access(), &draft).await;
    assert!(matches!(sent, Ok(Sent::Processing { .. })));
    assert_eq!(find(&arena, &draft).await, Finding::Processing);
    arena.advance(Duration::from_secs(10));
    let Finding::Found(accepted) = find(&arena, &draft).await else {
        panic!("published");
    };
    assert_eq!(texts(&arena), ["moving"]);
    assert!(
        accepted
            .remote_id
            .starts_with(&format!("{}_", arena.scene.account()))
    );
    assert!(
        matches!(read_back(&arena, &accepted).await, Seen::Live { digest: Some(d), .. } if d == draft.content.digest())
    );
}

#[tokio::test]
async fn a_chunk_whose_answer_was_lost_is_not_sent_into_the_file_twice() {
    let arena = arena().await;
    let rules = MediaRules {
        chunk_bytes: 400_000,
        ..MediaRules::default()
    };
    arena.admin.set_facebook_media_rules(rules);
    let draft = draft(&arena, Format::Feed, "once", &[MediaKind::Video]);
    let access = arena.scene.access();
    let Ok(Prepared::Pending { state, .. }) = arena.provider.prepare(&access, &draft, None).await
    else {
        panic!("begun");
    };
    arena.fault("upload", FaultKind::LostAnswer, 1);
    let lost = arena.provider.prepare(&access, &draft, Some(&state)).await;
    assert_eq!(lost, Err(Failure::ProviderDown));
    let Ok(Prepared::Ready(state)) = arena.provider.prepare(&access, &draft, Some(&state)).await
    else {
        panic!("the platform said which bytes it wants");
    };
    let draft = Draft {
        prepared: Some(state),
        ..draft
    };
    arena.publish(&draft).await.expect("accepted");
    assert_eq!(texts(&arena), ["once"]);
}

#[tokio::test]
async fn a_reel_and_a_lost_answer_to_its_end() {
    let arena = arena().await;
    let draft = draft(&arena, Format::Reel, "a reel", &[MediaKind::Video]);
    let draft = arena.ready(draft).await.expect("prepared");
    arena.fault("publish", FaultKind::DroppedRequest, 1);
    let access = arena.scene.access();
    let dropped = arena.provider.publish(&access, &draft).await;
    assert_eq!(dropped, Err(Failure::Indeterminate));
    assert_eq!(
        find(&arena, &draft).await,
        Finding::Absent,
        "the end was not heard"
    );
    arena.fault("publish", FaultKind::LostAnswer, 1);
    let lost = arena.provider.publish(&access, &draft).await;
    assert_eq!(lost, Err(Failure::Indeterminate));
    assert_eq!(
        find(&arena, &draft).await,
        Finding::Processing,
        "it was heard"
    );
    arena.advance(Duration::from_secs(10));
    let Finding::Found(accepted) = find(&arena, &draft).await else {
        panic!("published");
    };
    assert_eq!(texts(&arena), ["a reel"]);
    assert!(
        accepted
            .permalink
            .as_deref()
            .is_some_and(|url| url.starts_with("https://www.facebook.com/reel/"))
    );
    arena
        .provider
        .delete(&access, &accepted.remote_id)
        .await
        .expect("deleted");
    assert_eq!(read_back(&arena, &accepted).await, Seen::Gone);
}

#[tokio::test]
async fn a_reel_goes_up_as_bytes_where_we_have_no_address_or_the_platform_cannot_reach_it() {
    let arena = arena().await;
    let draft = draft(&arena, Format::Reel, "bytes", &[MediaKind::Video]);
    let bare = arena
        .ready(without_addresses(draft.clone()))
        .await
        .expect("prepared");
    arena.publish(&bare).await.expect("accepted");
    arena
        .admin
        .set_facebook_reaches("https://media.mooring.example/", false);
    let other = self::draft(&arena, Format::Reel, "bytes after all", &[MediaKind::Video]);
    arena.publish(&other).await.expect("accepted");
    assert_eq!(texts(&arena), ["bytes", "bytes after all"]);
}

#[tokio::test]
async fn a_video_that_the_platform_cannot_use_is_refused_for_its_content() {
    let arena = arena().await;
    for format in [Format::Reel, Format::Feed] {
        arena.admin.fail_next_facebook_video("Resolution too low.");
        let draft = draft(&arena, format, "unusable", &[MediaKind::Video]);
        let draft = arena.ready(draft).await.expect("prepared");
        let end = arena.publish(&draft).await;
        assert!(
            matches!(end, Err(Failure::ContentRejected { .. })),
            "{format}: {end:?}"
        );
    }
    assert!(texts(&arena).is_empty());
}

#[tokio::test]
async fn an_upload_that_was_left_alone_for_days_is_begun_anew() {
    let arena = arena().await;
    let access = arena.scene.access();
    let draft = draft(&arena, Format::Reel, "late", &[MediaKind::Video]);
    let draft = arena
        .ready(without_addresses(draft))
        .await
        .expect("prepared");
    // Nothing was published with the old upload; its end is not heard any more.
    let Ok(Prepared::Pending { state, .. }) = arena.provider.prepare(&access, &draft, None).await
    else {
        panic!("begun");
    };
    let begun = Draft {
        prepared: Some(state),
        ..draft.clone()
    };
    arena.advance(Duration::from_hours(25));
    let end = find(&arena, &begun).await;
    assert_eq!(
        end,
        Finding::Refused(Failure::MediaProcessing),
        "so that it is prepared anew"
    );
}

#[tokio::test]
async fn stories_are_published_found_and_read_back_by_their_list() {
    let arena = arena().await;
    let photo = draft(&arena, Format::Story, "", &[MediaKind::Image]);
    let photo = arena.ready(photo).await.expect("prepared");
    assert_eq!(find(&arena, &photo).await, Finding::Absent);
    let accepted = arena.publish(&photo).await.expect("accepted");
    assert!(
        matches!(find(&arena, &photo).await, Finding::Found(found) if found.remote_id == accepted.remote_id)
    );
    assert!(matches!(
        read_back(&arena, &accepted).await,
        Seen::Live { digest: None, .. }
    ));

    let video = draft(&arena, Format::Story, "", &[MediaKind::Video]);
    let video = arena.ready(video).await.expect("prepared");
    let moving = arena.publish(&video).await.expect("accepted");
    assert!(matches!(
        read_back(&arena, &moving).await,
        Seen::Live { .. }
    ));
    assert_eq!(texts(&arena).len(), 2);

    let access = arena.scene.access();
    let stands = arena.provider.delete(&access, &accepted.remote_id).await;
    assert!(
        matches!(stands, Err(Failure::Contract { .. })),
        "there is no deleting of stories"
    );
    // Over or taken down: nobody can tell, so nothing is claimed.
    arena.advance(Duration::from_hours(25));
    assert_eq!(read_back(&arena, &accepted).await, Seen::Unverifiable);
    arena
        .provider
        .delete(&access, &accepted.remote_id)
        .await
        .expect("over");
}

#[tokio::test]
async fn media_and_a_link_do_not_go_together() {
    let arena = arena().await;
    let mut draft = draft(&arena, Format::Feed, "both", &[MediaKind::Image]);
    draft.content.link = Some("https://example.com/".to_owned());
    let refused = arena.publish(&draft).await;
    let code = "link_with_media".to_owned();
    assert_eq!(refused, Err(Failure::ContentRejected { code }));
}

#[tokio::test]
async fn webhooks_that_the_platform_signs_are_read_and_others_are_not() {
    let arena = arena().await;
    let access = arena.scene.access();
    let app = access.app.as_ref().expect("an app").clone();
    let server = Server::start().await;
    for (object, fields) in [
        ("page", vec!["feed"]),
        ("permissions", vec!["connected", "pages_manage_posts"]),
    ] {
        let wanted = FacebookSubscription {
            object: object.to_owned(),
            callback_url: server.url.clone(),
            verify_token: "the word".to_owned(),
            fields: fields.into_iter().map(str::to_owned).collect(),
            verified: false,
        };
        arena
            .admin
            .subscribe_facebook_app(&app.client_id, &wanted)
            .expect("an app");
    }
    answered(&arena, 2).await;
    arena
        .admin
        .install_facebook_app(&app.client_id, &access.remote_id)
        .expect("a page");
    let callbacks = FacebookCallbacks {
        deauthorize_url: Some(server.url.clone()),
        data_deletion_url: Some(server.url.clone()),
    };
    arena
        .admin
        .set_facebook_callbacks(&app.client_id, callbacks)
        .expect("an app");
    let accepted = arena
        .publish(&arena.draft("Grüße"))
        .await
        .expect("accepted");
    let simulated = arena.scene.simulated();
    arena
        .admin
        .delete_post(simulated, &accepted.remote_id)
        .expect("a post");
    let user = access.remote_user_id.as_str();
    arena
        .admin
        .request_facebook_data_deletion(user)
        .expect("a person");
    arena
        .admin
        .drop_facebook_scope(user, "pages_manage_posts", None)
        .expect("a person");
    arena.provider.revoke(&access).await.expect("revoked");
    let sent = answered(&arena, 8).await;

    let hear = |delivery: &Delivery, kind: InboundKind| listen(&arena, delivery, kind, None);
    let handshake = hear(&sent[0], InboundKind::Notification).expect("a handshake");
    assert!(handshake.1.chars().all(|c| c.is_ascii_digit()) && handshake.1.len() == 10);
    let what = |delivery: &Delivery, kind| {
        let (news, _) = hear(delivery, kind).expect("news");
        news.into_iter().next().expect("one").what
    };
    let remote_id = accepted.remote_id.clone();
    let news = InboundKind::Notification;
    assert_eq!(
        what(&sent[2], news),
        NewsKind::PostAppeared {
            remote_id: remote_id.clone()
        }
    );
    assert_eq!(what(&sent[3], news), NewsKind::PostRemoved { remote_id });
    assert!(matches!(
        what(&sent[4], InboundKind::DataDeletion),
        NewsKind::DataDeletion { .. }
    ));
    assert_eq!(what(&sent[5], news), NewsKind::PermissionsChanged);
    assert_eq!(what(&sent[6], news), NewsKind::AccessRevoked);
    assert_eq!(
        what(&sent[7], InboundKind::Deauthorize),
        NewsKind::AccessRevoked
    );

    let forged = Some(Secret::from("another app's secret"));
    for (delivery, kind) in [
        (&sent[2], news),
        (&sent[4], InboundKind::DataDeletion),
        (&sent[7], InboundKind::Deauthorize),
    ] {
        assert_eq!(
            listen(&arena, delivery, kind, forged.clone()).err(),
            Some(InboundRefused::Forged)
        );
    }
    let again = hear(&sent[3], news).expect("again").0;
    assert_eq!(
        again,
        hear(&sent[3], news).expect("again").0,
        "told twice, it has one key"
    );
}

/// What the adapter makes of a delivery: its news and its answer.
fn listen(
    arena: &Arena,
    delivery: &Delivery,
    kind: InboundKind,
    secret: Option<Secret>,
) -> Result<(Vec<News>, String), InboundRefused> {
    let mut app = arena.scene.access().app.expect("an app");
    app.client_secret = secret.unwrap_or(app.client_secret);
    let url = url::Url::parse(&delivery.url).expect("a URL");
    let query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let headers: HeaderMap = delivery
        .headers
        .iter()
        .map(|(name, value)| {
            let name: HeaderName = name.parse().expect("a name");
            (name, HeaderValue::from_str(value).expect("a value"))
        })
        .collect();
    let method: Method = delivery.method.parse().expect("a method");
    let status = url::Url::parse("https://mooring.example/deletions").expect("a URL");
    let word = Secret::from("the word");
    let received = arena.provider.receive(&Inbound {
        kind,
        method: &method,
        query: &query,
        headers: &headers,
        body: delivery.body.as_bytes(),
        app: &app,
        verify_token: Some(&word),
        status_url: Some(&status),
        now: from_ms(arena.clock.now_ms()),
    })?;
    Ok((received.news, received.reply.body))
}

/// Waits until so many deliveries have an answer.
async fn answered(arena: &Arena, count: usize) -> Vec<Delivery> {
    let wait = async {
        loop {
            let all = arena.admin.deliveries();
            if all.iter().filter(|one| one.answer.is_some()).count() >= count {
                return all;
            }
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(10), wait).await;
    waited.expect("deliveries that are answered")
}

/// An address that answers handshakes with their challenge, and everything with 200.
struct Server {
    url: String,
    _task: Arc<tokio::task::JoinHandle<()>>,
}

impl Server {
    async fn start() -> Self {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        #[expect(clippy::disallowed_methods, reason = "a test's own server")]
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut bytes = vec![0; 64 * 1024];
                let read = stream.read(&mut bytes).await.unwrap_or(0);
                let head = String::from_utf8_lossy(&bytes[..read]).into_owned();
                let challenge = head.split("hub.challenge=").nth(1).unwrap_or("");
                let body: String = challenge.chars().take_while(char::is_ascii_digit).collect();
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
                );
                stream.write_all(answer.as_bytes()).await.ok();
            }
        });
        Self {
            url,
            _task: Arc::new(task),
        }
    }
}
