//! What YouTube's hub sends, as the simulator signs it.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use mooring_domain::Platform;
use mooring_providers::{
    AppCredentials, Inbound, InboundKind, InboundRefused, NewsKind, Received, youtube_hub_secret,
};
use mooring_runtime::Call;
use mooring_simulator::Delivery;
use mooring_vault::Secret;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use url::Url;

use crate::arena::Arena;

/// The receiving end: the adapter reads what the hub posts.
struct Hub {
    arena: Arena,
    app: AppCredentials,
}

impl Hub {
    /// A subscription whose handshake the adapter answered.
    async fn subscribed() -> Self {
        let arena = Arena::new(Platform::YouTube).await;
        let app = arena.scene.access().app.expect("an app");
        let hub = Self { arena, app };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let callback = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let topic = format!(
            "https://www.youtube.com/xml/feeds/videos.xml?channel_id={}",
            hub.arena.scene.account()
        );
        let secret = youtube_hub_secret(&hub.app);
        crate::arena::remember([secret.expose().to_owned()]);
        let at = hub.arena.subscribe_url();
        let call = Call::new("test", "/subscribe", Method::POST, at).form([
            ("hub.mode", "subscribe"),
            ("hub.topic", &topic),
            ("hub.callback", &callback),
            ("hub.secret", secret.expose()),
            ("hub.verify_token", "a word"),
        ]);
        let answer = hub.arena.http.send(call).await.expect("an answer");
        assert_eq!(answer.status, 202);
        hub.shake_hands(&listener).await;
        hub
    }

    /// Answers the handshake on the wire with what the adapter says.
    async fn shake_hands(&self, listener: &TcpListener) {
        let (mut stream, _) = listener.accept().await.expect("the hub");
        let mut head = vec![0; 4096];
        let length = stream.read(&mut head).await.expect("a request");
        let text = String::from_utf8_lossy(&head[..length]).into_owned();
        let path = text.split(' ').nth(1).expect("a path");
        let url = Url::parse(&format!("http://localhost{path}")).expect("a URL");
        let query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let headers = HeaderMap::new();
        for word in ["another word", "a word"] {
            let word = Secret::from(word);
            let call = Inbound {
                method: &Method::GET,
                query: &query,
                verify_token: Some(&word),
                ..self.inbound(&headers, b"")
            };
            let received = self.arena.provider.receive(&call);
            if word.expose() == "another word" {
                assert_eq!(received, Err(InboundRefused::Forged));
                continue;
            }
            let body = received.expect("a handshake").reply.body;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            stream
                .write_all((head + &body).as_bytes())
                .await
                .expect("written");
        }
        drop(stream);
        let answered = async {
            while self.arena.admin.deliveries()[0].answer.is_none() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), answered)
            .await
            .expect("a handshake");
    }

    fn inbound<'a>(&'a self, headers: &'a HeaderMap, body: &'a [u8]) -> Inbound<'a> {
        Inbound {
            kind: InboundKind::Notification,
            method: &Method::POST,
            query: &[],
            headers,
            body,
            app: &self.app,
            verify_token: None,
            status_url: None,
            now: self.arena.now(),
        }
    }

    fn receive(&self, delivery: &Delivery) -> Result<Received, InboundRefused> {
        let headers = delivery.headers.iter().map(|(name, value)| {
            let name = HeaderName::try_from(name).expect("a name");
            (name, HeaderValue::try_from(value).expect("a value"))
        });
        let headers: HeaderMap = headers.collect();
        self.arena
            .provider
            .receive(&self.inbound(&headers, delivery.body.as_bytes()))
    }
}

#[tokio::test]
async fn news_of_the_hub_are_read_when_they_are_signed_and_only_then() {
    let hub = Hub::subscribed().await;
    let arena = &hub.arena;
    let id = arena
        .publish(&arena.usual("news"))
        .await
        .expect("published")
        .remote_id;
    arena.advance(Duration::from_mins(10));
    let simulated = arena.scene.simulated();
    arena
        .admin
        .edit_post(simulated, &id, "changed")
        .expect("a video");
    arena.admin.delete_post(simulated, &id).expect("a video");
    let deliveries = arena.admin.deliveries();
    let news: Vec<_> = deliveries[1..]
        .iter()
        .flat_map(|one| hub.receive(one).expect("genuine").news)
        .collect();
    let remote_id = id.clone();
    let kinds: Vec<_> = news.iter().map(|one| one.what.clone()).collect();
    assert_eq!(
        kinds,
        [
            NewsKind::PostAppeared {
                remote_id: id.clone()
            },
            NewsKind::PostChanged {
                remote_id: id.clone()
            },
            NewsKind::PostRemoved { remote_id },
        ]
    );
    assert!(
        news.iter()
            .all(|one| one.account == arena.scene.account() && one.at.is_some())
    );
    let again = hub.receive(&deliveries[1]).expect("genuine").news;
    assert_eq!(again[0].key, news[0].key, "told twice, the same key");

    let mut forged = deliveries[1].clone();
    forged.body = forged.body.replace(&id, "AAAAAAAAAAA");
    assert_eq!(hub.receive(&forged), Err(InboundRefused::Forged));
    let mut unsigned = deliveries[1].clone();
    unsigned
        .headers
        .retain(|(name, _)| name != "x-hub-signature");
    assert_eq!(hub.receive(&unsigned), Err(InboundRefused::Unsigned));
}
