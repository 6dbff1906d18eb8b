//! Every adapter, by platform.

use std::sync::Arc;

use mooring_domain::Platform;
use mooring_runtime::{Clock, Http};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    bluesky::Bluesky, facebook::Facebook, instagram::Instagram, linkedin::LinkedIn,
    mastodon::Mastodon, provider::Provider, telegram::Telegram, threads::Threads, tiktok::TikTok,
    transport::Transport, x::X, youtube::Youtube,
};

/// Where the platforms are. The defaults are the real ones; tests and the demo point at the simulator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BaseUrls {
    /// The Graph API, without a version.
    pub facebook: Url,
    /// Where people consent on Facebook, without a version.
    pub facebook_dialog: Url,
    /// Where videos for Facebook go.
    pub facebook_upload: Url,
    /// Instagram's API for accounts with Instagram Login.
    pub instagram: Url,
    /// Where Instagram changes codes into tokens.
    pub instagram_oauth: Url,
    /// Where people consent on Instagram.
    pub instagram_dialog: Url,
    /// The API of Threads.
    pub threads: Url,
    /// Where people consent on Threads.
    pub threads_dialog: Url,
    /// LinkedIn's API.
    pub linkedin: Url,
    /// LinkedIn's consent and tokens.
    pub linkedin_oauth: Url,
    /// X's API.
    pub x: Url,
    /// Where people consent on X.
    pub x_dialog: Url,
    /// TikTok's API.
    pub tiktok: Url,
    /// Where people consent on TikTok.
    pub tiktok_dialog: Url,
    /// YouTube's API, uploads included.
    pub youtube: Url,
    /// Google's tokens.
    pub youtube_oauth: Url,
    /// Where people consent at Google.
    pub youtube_dialog: Url,
    /// The server of Bluesky accounts whose own server is not known.
    pub bluesky: Url,
    /// Where Bluesky identities (`did:plc:…`) are looked up.
    pub bluesky_directory: Url,
    /// The server of Mastodon accounts whose own server is not known.
    pub mastodon: Url,
    /// Telegram's Bot API, without `/bot<token>`.
    pub telegram: Url,
    /// The Graph API's version. Meta keeps one for two years and then silently answers with a later one, which
    /// becomes a [`Notice`].
    pub facebook_version: String,
    /// The version of LinkedIn's API, `YYYYMM`. LinkedIn retires one after a year and then refuses every call, which
    /// becomes a [`Notice`], too.
    pub linkedin_version: String,
}

impl Default for BaseUrls {
    fn default() -> Self {
        let url = |text| Url::parse(text).expect("a constant that parses");
        Self {
            facebook: url("https://graph.facebook.com"),
            facebook_dialog: url("https://www.facebook.com"),
            facebook_upload: url("https://rupload.facebook.com"),
            instagram: url("https://graph.instagram.com"),
            instagram_oauth: url("https://api.instagram.com"),
            instagram_dialog: url("https://www.instagram.com"),
            threads: url("https://graph.threads.net"),
            threads_dialog: url("https://threads.net"),
            linkedin: url("https://api.linkedin.com"),
            linkedin_oauth: url("https://www.linkedin.com"),
            x: url("https://api.x.com"),
            x_dialog: url("https://x.com"),
            tiktok: url("https://open.tiktokapis.com"),
            tiktok_dialog: url("https://www.tiktok.com"),
            youtube: url("https://youtube.googleapis.com"),
            youtube_oauth: url("https://oauth2.googleapis.com"),
            youtube_dialog: url("https://accounts.google.com"),
            bluesky: url("https://bsky.social"),
            bluesky_directory: url("https://plc.directory"),
            mastodon: url("https://mastodon.social"),
            telegram: url("https://api.telegram.org"),
            facebook_version: "v25.0".to_owned(),
            linkedin_version: "202609".to_owned(),
        }
    }
}

impl BaseUrls {
    /// All of them at a simulator, which plays each platform below a path of its own.
    #[must_use]
    pub fn simulated(simulator: &Url) -> Self {
        let mut urls = Self::default();
        for (_, site, url) in urls.each() {
            let mut at = simulator.clone();
            at.set_path(site);
            *url = at;
        }
        urls
    }

    /// The name of each.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        let mut urls = Self::default();
        urls.each().into_iter().map(|(name, ..)| name).collect()
    }

    /// Sets one by its name (`facebook`, `x_dialog`). Says whether there is such a name.
    pub fn set(&mut self, name: &str, to: Url) -> bool {
        let found = self.each().into_iter().find(|(one, ..)| *one == name);
        found.map(|(.., url)| *url = to).is_some()
    }

    /// The address of one, by its name.
    #[must_use]
    pub fn get(&mut self, name: &str) -> Option<&Url> {
        let found = self.each().into_iter().find(|(one, ..)| *one == name);
        found.map(|(.., url)| &*url)
    }

    /// Name, site in the simulator, and address of each.
    fn each(&mut self) -> [(&'static str, &'static str, &mut Url); 21] {
        [
            ("facebook", "facebook", &mut self.facebook),
            ("facebook_dialog", "facebook", &mut self.facebook_dialog),
            ("facebook_upload", "facebook", &mut self.facebook_upload),
            ("instagram", "instagram", &mut self.instagram),
            ("instagram_oauth", "instagram", &mut self.instagram_oauth),
            ("instagram_dialog", "instagram", &mut self.instagram_dialog),
            ("threads", "threads", &mut self.threads),
            ("threads_dialog", "threads", &mut self.threads_dialog),
            ("linkedin", "linkedin", &mut self.linkedin),
            ("linkedin_oauth", "linkedin", &mut self.linkedin_oauth),
            ("x", "x", &mut self.x),
            ("x_dialog", "x", &mut self.x_dialog),
            ("tiktok", "tiktok", &mut self.tiktok),
            ("tiktok_dialog", "tiktok", &mut self.tiktok_dialog),
            ("youtube", "youtube", &mut self.youtube),
            ("youtube_oauth", "youtube", &mut self.youtube_oauth),
            ("youtube_dialog", "youtube", &mut self.youtube_dialog),
            ("bluesky", "bluesky", &mut self.bluesky),
            ("bluesky_directory", "bluesky", &mut self.bluesky_directory),
            ("mastodon", "mastodon", &mut self.mastodon),
            ("telegram", "telegram", &mut self.telegram),
        ]
    }
}

/// Something about a platform that no single call fails on, and that an operator should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice<'a> {
    /// The platform answers with another version of its API than the one asked for.
    VersionChanged {
        /// Which platform.
        platform: Platform,
        /// What we ask for.
        asked: &'a str,
        /// What answers.
        answered: &'a str,
    },
}

/// Who is told of [`Notice`]s, for counting them. It is called on every occurrence and must not block.
pub type Observer = Arc<dyn Fn(Notice<'_>) + Send + Sync>;

/// The adapters, built once per process. Clones share them.
#[derive(Clone)]
pub struct Registry {
    adapters: Arc<[Arc<dyn Provider>]>,
}

impl Registry {
    /// All adapters, over the process's one HTTP client and its clock.
    #[must_use]
    pub fn new(http: &Http, clock: &Arc<dyn Clock>, urls: &BaseUrls) -> Self {
        Self::observed(
            http,
            clock,
            urls,
            &(Arc::new(|_: Notice<'_>| {}) as Observer),
        )
    }

    /// The same, with somebody who counts [`Notice`]s.
    #[must_use]
    pub fn observed(
        http: &Http,
        clock: &Arc<dyn Clock>,
        urls: &BaseUrls,
        observer: &Observer,
    ) -> Self {
        let build = |platform| {
            let transport = Transport::new(http.clone(), Arc::clone(clock), platform);
            adapter(platform, transport, urls, observer)
        };
        Self {
            adapters: Platform::ALL.map(build).into(),
        }
    }

    /// Every adapter.
    pub fn all(&self) -> impl Iterator<Item = &Arc<dyn Provider>> {
        self.adapters.iter()
    }

    /// The adapter of a platform.
    #[must_use]
    pub fn of(&self, platform: Platform) -> &Arc<dyn Provider> {
        let found = self.all().find(|adapter| adapter.platform() == platform);
        found.expect("the registry was built from Platform::ALL")
    }
}

/// The only `match` on a platform outside the domain's table: a new platform is one line here.
fn adapter(
    platform: Platform,
    transport: Transport,
    urls: &BaseUrls,
    observer: &Observer,
) -> Arc<dyn Provider> {
    match platform {
        Platform::Facebook => Arc::new(Facebook::new(transport, urls, Arc::clone(observer))),
        Platform::Instagram => Arc::new(Instagram::new(transport, urls, observer)),
        Platform::InstagramFacebook => Arc::new(Instagram::by_facebook(transport, urls, observer)),
        Platform::Threads => Arc::new(Threads::new(transport, urls, observer)),
        Platform::LinkedIn | Platform::LinkedInPage => {
            let observer = Arc::clone(observer);
            Arc::new(LinkedIn::new(transport, platform, urls, observer))
        }
        Platform::X => Arc::new(X::new(transport, urls)),
        Platform::TikTok => Arc::new(TikTok::new(transport, urls)),
        Platform::YouTube => Arc::new(Youtube::new(transport, urls)),
        Platform::Mastodon => Arc::new(Mastodon::new(transport, urls.mastodon.clone())),
        Platform::Telegram => Arc::new(Telegram::new(transport, urls.telegram.clone())),
        Platform::Bluesky | Platform::BlueskyOAuth => Arc::new(Bluesky::new(
            platform,
            transport,
            urls.bluesky.clone(),
            urls.bluesky_directory.clone(),
        )),
    }
}
