//! What the platforms tell the gateway on their own.

use mooring_domain::{AppId, Platform};
use mooring_gateway::acts;
use mooring_providers::AppCredentials;
use mooring_simulator::{
    Delivery,
    facebook::{FacebookCallbacks, FacebookSubscription},
    tiktok::TikTokAppChange,
};
use reqwest::Client;

use super::{Account, World};
use crate::within;

/// An address of ours that a platform knows.
#[derive(Debug, Clone)]
pub struct Hook {
    /// The app whose address it is.
    pub app: AppId,
    /// The platform's id for it.
    pub client_id: String,
    /// The address.
    pub url: String,
    /// The word for its handshake, where there is one.
    pub word: Option<String>,
}

/// How long deliveries may take.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

impl World {
    /// The address at which we hear of a platform. Its app must be registered: connect an account first.
    pub async fn hook(&self, platform: Platform) -> Hook {
        let app = self.store.app(self.workspace, platform).await;
        let app = app.expect("the books answer").expect("an app");
        let known = self.store.hook_app(app).await.expect("the books answer");
        let known = known.expect("the app").app;
        let credentials = AppCredentials {
            client_id: known.client_id.clone(),
            client_secret: known.client_secret,
        };
        let registry = self.registry();
        let word = registry.of(platform).webhook_word(&credentials);
        Hook {
            app,
            client_id: known.client_id,
            url: format!("http://{}/hooks/{platform}/{app}", self.gateway),
            word: word.map(|word| word.expose().to_owned()),
        }
    }

    /// Lets Facebook tell us of these pages' posts, of permissions, and of people who leave.
    pub async fn hear_facebook(&self, pages: &[&Account]) -> Hook {
        let hook = self.hook(Platform::Facebook).await;
        let sim = self.sim();
        let subscription = |object: &str, fields: &[&str]| FacebookSubscription {
            object: object.to_owned(),
            callback_url: hook.url.clone(),
            verify_token: hook.word.clone().expect("Facebook takes a word"),
            fields: fields.iter().map(|field| (*field).to_owned()).collect(),
            verified: false,
        };
        let permissions = ["connected", "pages_manage_posts", "pages_read_engagement"];
        for wanted in [
            subscription("page", &["feed"]),
            subscription("permissions", &permissions),
        ] {
            sim.subscribe_facebook_app(&hook.client_id, &wanted)
                .expect("subscribed");
        }
        for page in pages {
            sim.install_facebook_app(&hook.client_id, &page.remote_id)
                .expect("installed");
        }
        let callbacks = FacebookCallbacks {
            deauthorize_url: Some(format!("{}/deauthorize", hook.url)),
            data_deletion_url: Some(format!("{}/deletion", hook.url)),
        };
        sim.set_facebook_callbacks(&hook.client_id, callbacks)
            .expect("an app");
        self.delivered().await;
        hook
    }

    /// Lets TikTok tell us of its creators and orders.
    pub async fn hear_tiktok(&self) -> Hook {
        let hook = self.hook(Platform::TikTok).await;
        let change = TikTokAppChange {
            callback_url: Some(hook.url.clone()),
            ..TikTokAppChange::default()
        };
        self.sim()
            .change_tiktok_app(&hook.client_id, change)
            .expect("an app");
        hook
    }

    /// Waits until everything that the platforms have sent was answered, and what follows from it is done.
    pub async fn delivered(&self) {
        within(
            PATIENCE,
            "the platforms' deliveries are answered",
            || async {
                self.sim()
                    .deliveries()
                    .iter()
                    .all(|one| one.answer.is_some())
            },
        )
        .await;
        self.settle().await;
    }

    /// Sends what a platform has sent once more, or what somebody has made of it. Status and body of the answer.
    pub async fn deliver(&self, delivery: &Delivery) -> (u16, String) {
        mooring_runtime::boot::install_tls();
        let client = Client::builder().no_proxy().build().expect("a client");
        let method = delivery.method.parse().expect("a method");
        let mut request = client.request(method, &delivery.url);
        for (name, value) in &delivery.headers {
            request = request.header(name, value);
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "a caller from outside, who does not use our client"
        )]
        let answer = request.body(delivery.body.clone()).send().await;
        let answer = answer.expect("the gateway answers");
        let status = answer.status().as_u16();
        (status, answer.text().await.expect("a body"))
    }

    /// Everything in the books that news could change, as one text.
    pub async fn books(&self) -> String {
        const TABLES: [&str; 8] = [
            "inbox:",
            "connections:",
            "grants:",
            "post_targets:",
            "publish_attempts:",
            "proofs:",
            "events:",
            "jobs:",
        ];
        let all = crate::dump(&self.store).await;
        let of_news = |line: &&str| TABLES.iter().any(|table| line.starts_with(table));
        let mut lines: Vec<&str> = all.lines().filter(of_news).collect();
        lines.sort_unstable();
        lines.join("\n")
    }

    /// How much news was kept.
    pub async fn inbox(&self) -> usize {
        let books = self.books().await;
        books
            .lines()
            .filter(|line| line.starts_with("inbox:"))
            .count()
    }

    /// Somebody tells us, through the act, that they took a post down themselves.
    pub async fn say_removed(&self, posted: &super::Posted) -> Result<(), acts::ActError> {
        let actor = mooring_store::Actor::Cli;
        acts::say_removed(
            &self.store,
            &actor,
            self.workspace,
            posted.target(),
            self.now(),
        )
        .await
        .map(drop)
    }
}
