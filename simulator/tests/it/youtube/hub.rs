//! The hub: handshake, and signed news of new, changed and deleted videos.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::Query;
use axum::routing::get;
use hmac::{Hmac, KeyInit as _, Mac as _};
use mooring_simulator::{Delivery, Platform};
use sha1::Sha1;
use tokio::net::TcpListener;

use super::{DAY, Youtube};

/// A callback that answers every challenge; returns its address and what it was asked.
async fn callback() -> (String, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let answer = async move |Query(query): Query<Vec<(String, String)>>| {
        let find = |name: &str| {
            query
                .iter()
                .find(|(n, _)| n == name)
                .map(|(_, v)| v.clone())
        };
        seen.lock()
            .unwrap()
            .push(find("hub.topic").unwrap_or_default());
        find("hub.challenge").unwrap_or_default()
    };
    let app = Router::new().route("/hook", get(answer).post(async || ""));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    #[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
    tokio::spawn(async move { axum::serve(listener, app).await });
    (format!("http://{address}/hook"), asked)
}

impl Youtube {
    /// Uploads a video that is processed at once; its id.
    async fn publish(&self, title: &str) -> String {
        self.admin.set_youtube_processing(0);
        self.upload(title).await["id"].as_str().unwrap().to_owned()
    }

    async fn subscribe(&self, callback: &str, mode: &str) -> u16 {
        let topic = format!(
            "https://www.youtube.com/xml/feeds/videos.xml?channel_id={}",
            self.channel()
        );
        let fields = [
            ("hub.mode", mode),
            ("hub.topic", &topic),
            ("hub.callback", callback),
            ("hub.secret", "hush"),
            ("hub.lease_seconds", "864000"),
        ];
        self.form("subscribe", &fields).await.status
    }

    /// Waits until the first `count` deliveries were answered.
    async fn delivered(&self, count: usize) -> Vec<Delivery> {
        let wait = async {
            loop {
                let all = self.admin.deliveries();
                if all.len() >= count && all.iter().take(count).all(|d| d.answer.is_some()) {
                    return all;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), wait)
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn a_subscriber_that_repeats_the_challenge_hears_of_uploads_changes_and_deletions() {
    let yt = Youtube::new().await;
    let (callback, asked) = callback().await;
    assert_eq!(yt.subscribe(&callback, "subscribe").await, 202);
    yt.delivered(1).await;
    assert!(asked.lock().unwrap()[0].ends_with(yt.channel()));
    let id = yt.publish("News & more").await;
    yt.admin
        .edit_post(Platform::YouTube, &id, "Changed")
        .unwrap();
    yt.admin.delete_post(Platform::YouTube, &id).unwrap();
    let all = yt.delivered(4).await;
    let upload = &all[1];
    assert!(
        upload
            .body
            .contains(&format!("<yt:videoId>{id}</yt:videoId>"))
    );
    assert!(upload.body.contains("<title>News &amp; more</title>"));
    let mut mac = Hmac::<Sha1>::new_from_slice(b"hush").unwrap();
    mac.update(upload.body.as_bytes());
    let want = format!("sha1={}", hex::encode(mac.finalize().into_bytes()));
    assert!(
        upload
            .headers
            .contains(&("x-hub-signature".to_owned(), want))
    );
    assert!(
        all[3]
            .body
            .contains(&format!("<at:deleted-entry ref=\"yt:video:{id}\""))
    );
    assert_eq!(all.len(), 4);
}

#[tokio::test]
async fn nobody_hears_without_a_handshake_after_the_lease_or_after_leaving() {
    let yt = Youtube::new().await;
    assert_eq!(
        yt.subscribe("http://127.0.0.1:9/hook", "subscribe").await,
        202
    );
    yt.publish("Unheard").await;
    assert_eq!(yt.admin.deliveries().len(), 1, "the handshake alone");
    let (callback, _) = callback().await;
    yt.subscribe(&callback, "subscribe").await;
    let wait = async {
        while yt.admin.deliveries()[1].answer.is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wait)
        .await
        .unwrap();
    yt.publish("Heard").await;
    assert_eq!(yt.admin.deliveries().len(), 3);
    yt.subscribe(&callback, "unsubscribe").await;
    let id = yt.publish("Left").await;
    assert_eq!(yt.admin.deliveries().len(), 4, "the farewell alone");
    yt.subscribe(&callback, "subscribe").await;
    yt.admin.clock().advance(DAY * 11).unwrap();
    yt.admin.delete_post(Platform::YouTube, &id).unwrap();
    assert_eq!(yt.admin.deliveries().len(), 5, "the lease has ended");
    assert_eq!(
        yt.form("subscribe", &[("hub.mode", "subscribe")])
            .await
            .status,
        400
    );
}
