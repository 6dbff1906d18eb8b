//! LinkedIn's webhooks, from the simulator's own hand to the adapter's.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use http::{HeaderMap, Method};
use mooring_domain::{Platform, time::from_ms};
use mooring_providers::{AppCredentials, Inbound, InboundKind, InboundRefused, Provider, Received};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};
use url::Url;

use crate::arena::Arena;

/// A receiver of ours on a real port, which answers as the adapter says and keeps what came.
struct Receiver {
    url: String,
    came: Arc<Mutex<Vec<Came>>>,
}

/// One request, and what the adapter made of it.
#[derive(Clone)]
struct Came {
    headers: HeaderMap,
    body: Vec<u8>,
    got: Result<Received, InboundRefused>,
}

impl Receiver {
    async fn start(arena: &Arena) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let came: Arc<Mutex<Vec<Came>>> = Arc::default();
        let (kept, provider) = (Arc::clone(&came), Arc::clone(&arena.provider));
        let app = arena.scene.access().app.expect("an app");
        #[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (request, stream) = read(stream).await;
                let got = request.receive(&*provider, &app);
                let reply = got.clone().map_or_else(
                    |_| "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n".to_owned(),
                    |received| {
                        let (kind, body) = (received.reply.content_type, received.reply.body);
                        let length = body.len();
                        format!(
                            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}"
                        )
                    },
                );
                let mut stream = stream;
                stream.write_all(reply.as_bytes()).await.expect("an answer");
                let Raw { headers, body, .. } = request;
                kept.lock()
                    .expect("no panic")
                    .push(Came { headers, body, got });
            }
        });
        Self { url, came }
    }

    /// Waits until so many requests have come and were answered.
    async fn after(&self, arena: &Arena, count: usize) -> Vec<Came> {
        let settled = async {
            while arena
                .admin
                .deliveries()
                .iter()
                .filter(|one| one.answer.is_some())
                .count()
                < count
            {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), settled)
            .await
            .expect("in time");
        self.came.lock().expect("no panic").clone()
    }
}

/// A request as it stood on the wire.
struct Raw {
    method: Method,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Raw {
    fn receive(
        &self,
        provider: &dyn Provider,
        app: &AppCredentials,
    ) -> Result<Received, InboundRefused> {
        provider.receive(&Inbound {
            kind: InboundKind::Notification,
            method: &self.method,
            query: &self.query,
            headers: &self.headers,
            body: &self.body,
            app,
            verify_token: None,
            status_url: None,
            now: from_ms(0),
        })
    }
}

async fn read(stream: TcpStream) -> (Raw, TcpStream) {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).await.expect("a request");
    let mut words = line.split(' ');
    let method: Method = words.next().unwrap_or_default().parse().expect("a method");
    let target = Url::parse("http://hook/")
        .expect("a URL")
        .join(words.next().unwrap_or_default());
    let query = target
        .expect("a target")
        .query_pairs()
        .into_owned()
        .collect();
    let mut headers = HeaderMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.expect("a header");
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        let name: http::HeaderName = name.parse().expect("a name");
        headers.insert(name, value.parse().expect("a value"));
    }
    let length = headers
        .get("content-length")
        .and_then(|text| text.to_str().ok());
    let mut body = vec![0; length.map_or(0, |text| text.parse().expect("a length"))];
    stream.read_exact(&mut body).await.expect("a body");
    let raw = Raw {
        method,
        query,
        headers,
        body,
    };
    (raw, stream.into_inner())
}

#[tokio::test]
async fn linkedins_challenge_is_passed_and_its_notifications_are_believed_only_as_they_came() {
    let arena = Arena::new(Platform::LinkedInPage).await;
    let hook = Receiver::start(&arena).await;
    let access = arena.scene.access();
    let app = access.app.clone().expect("an app");
    let member = access.remote_user_id.trim_start_matches("urn:li:person:");
    let page = access.remote_id.trim_start_matches("urn:li:organization:");
    let subscribed = arena
        .admin
        .subscribe_linkedin(&app.client_id, member, page, &hook.url);
    subscribed.expect("an app");
    let challenged = hook.after(&arena, 1).await;
    assert!(challenged[0].got.is_ok(), "the challenge");

    let accepted = arena.publish(&arena.draft("liked")).await.expect("a post");
    let told = arena
        .admin
        .act_on_linkedin_post(&accepted.remote_id, "LIKE");
    assert_eq!(told, 1, "only a receiver that passed is told");
    let came = hook.after(&arena, 2).await.remove(1);
    let received = came.got.clone().expect("a right signature");
    assert_eq!((received.reply.status, received.news.len()), (200, 0));

    let mut raw = Raw {
        method: Method::POST,
        query: Vec::new(),
        headers: came.headers,
        body: came.body,
    };
    let other = AppCredentials {
        client_id: app.client_id.clone(),
        client_secret: "another app's".into(),
    };
    let provider = &*arena.provider;
    assert_eq!(raw.receive(provider, &other), Err(InboundRefused::Forged));
    raw.body.push(b' ');
    assert_eq!(raw.receive(provider, &app), Err(InboundRefused::Forged));
    raw.headers
        .insert("x-li-signature", "zz".parse().expect("a header"));
    assert_eq!(raw.receive(provider, &app), Err(InboundRefused::Forged));
    raw.headers.clear();
    assert_eq!(raw.receive(provider, &app), Err(InboundRefused::Unsigned));
    raw.method = Method::GET;
    let refused = raw.receive(provider, &app);
    assert!(
        matches!(refused, Err(InboundRefused::Unreadable(_))),
        "{refused:?}"
    );
}
