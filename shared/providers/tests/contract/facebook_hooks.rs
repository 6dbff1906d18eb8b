//! Callbacks of Facebook: what the common cases do not reach.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use mooring_domain::time::from_ms;
use mooring_providers::{Inbound, InboundKind, InboundRefused, News, NewsKind};
use mooring_simulator::{
    Delivery,
    facebook::{FacebookCallbacks, FacebookSubscription},
};
use mooring_vault::Secret;

use crate::{arena::Arena, facebook_media::arena};

#[tokio::test]
async fn webhooks_that_the_platform_signs_are_read_and_others_are_not() {
    let arena = arena().await;
    let (sent, remote_id) = eight_deliveries(&arena).await;

    let hear = |delivery: &Delivery, kind: InboundKind| listen(&arena, delivery, kind, None);
    let handshake = hear(&sent[0], InboundKind::Notification).expect("a handshake");
    assert!(handshake.1.chars().all(|c| c.is_ascii_digit()) && handshake.1.len() == 10);
    let what = |delivery: &Delivery, kind| {
        let (news, _) = hear(delivery, kind).expect("news");
        news.into_iter().next().expect("one").what
    };
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

/// Two handshakes, a post that comes and goes, a wish for deletion, and a person who takes things back. With the id of
/// the post.
async fn eight_deliveries(arena: &Arena) -> (Vec<Delivery>, String) {
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
    answered(arena, 2).await;
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
    (answered(arena, 8).await, accepted.remote_id)
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
