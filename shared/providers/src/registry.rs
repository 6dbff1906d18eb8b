//! Every adapter, by platform.

use std::sync::Arc;

use mooring_domain::Platform;
use mooring_runtime::{Clock, Http};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{bluesky::Bluesky, facebook::Facebook, provider::Provider, transport::Transport};

/// Where the platforms are. The defaults are the real ones; tests and the demo point at the simulator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BaseUrls {
    /// The Graph API, without a version.
    pub facebook: Url,
    /// Where people consent, without a version.
    pub facebook_dialog: Url,
    /// The Graph API's version. Meta keeps one for two years and then silently answers with a later one, which
    /// becomes a [`Notice`].
    pub facebook_version: String,
    /// The server of Bluesky accounts whose own server is not known.
    pub bluesky: Url,
}

impl Default for BaseUrls {
    fn default() -> Self {
        let url = |text| Url::parse(text).expect("a constant that parses");
        Self {
            facebook: url("https://graph.facebook.com"),
            facebook_dialog: url("https://www.facebook.com"),
            facebook_version: "v25.0".to_owned(),
            bluesky: url("https://bsky.social"),
        }
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
        Platform::Bluesky => Arc::new(Bluesky::new(transport, urls.bluesky.clone())),
    }
}
