//! Where people's browsers reach us, and where we may send them on to.

use std::net::SocketAddr;

use mooring_runtime::config::GatewayConfig;
use url::Url;

/// The addresses that connecting by a browser needs.
#[derive(Debug, Clone, Default)]
pub struct Site {
    public: Option<Url>,
    others: Vec<Url>,
}

impl Site {
    /// The site that the configuration names; without a name, the gateway's own address where that is of this machine
    /// only: a browser beside it can come back there.
    #[must_use]
    pub fn of(config: &GatewayConfig, bound: Option<SocketAddr>) -> Self {
        let named = config
            .public_url
            .as_deref()
            .and_then(|url| url.parse().ok());
        let local = bound
            .filter(|address| address.ip().is_loopback())
            .and_then(|address| format!("http://{address}").parse().ok());
        let others = config.return_urls.iter().filter_map(|url| url.parse().ok());
        Self {
            public: named.or(local),
            others: others.collect(),
        }
    }

    /// Where platforms send browsers back to; `None` while nobody has said where we are.
    #[must_use]
    pub fn callback(&self) -> Option<Url> {
        self.below(&["connect", "callback"])
    }

    /// A reconnect link's address.
    #[must_use]
    pub fn reconnect_link(&self, token: &str) -> Option<Url> {
        self.below(&["reconnect", token])
    }

    /// The address of something in the API, below `/api/v1`.
    #[must_use]
    pub fn api(&self, segments: &[&str]) -> Option<Url> {
        self.below(&[&["api", "v1"], segments].concat())
    }

    /// Whether browsers reach us over TLS, so that their cookies may demand it.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.public
            .as_ref()
            .is_some_and(|url| url.scheme() == "https")
    }

    /// Whether a browser may be sent on to an address: one of ours, or one that the configuration allows.
    #[must_use]
    pub fn allows(&self, to: &Url) -> bool {
        let plain = to.username().is_empty() && to.password().is_none();
        let within = |base: &Url| base.origin() == to.origin() && under(base.path(), to.path());
        let own = self.public.as_ref();
        plain
            && (own.is_some_and(|base| base.origin() == to.origin())
                || self.others.iter().any(within))
    }

    fn below(&self, segments: &[&str]) -> Option<Url> {
        let mut url = self.public.clone()?;
        url.path_segments_mut()
            .ok()?
            .pop_if_empty()
            .extend(segments);
        Some(url)
    }
}

/// Whether a path is the other one, or lies below it.
fn under(base: &str, path: &str) -> bool {
    let base = base.trim_end_matches('/');
    path.strip_prefix(base)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().expect("a URL")
    }

    #[test]
    fn browsers_come_back_to_the_named_site_or_to_this_machine() {
        let named = GatewayConfig {
            public_url: Some("https://mooring.example/app/".to_owned()),
            ..GatewayConfig::default()
        };
        let site = Site::of(&named, None);
        let callback = site.callback().expect("a site");
        assert_eq!(
            callback.as_str(),
            "https://mooring.example/app/connect/callback"
        );
        assert!(site.is_secure());
        let here = SocketAddr::from(([127, 0, 0, 1], 8080));
        let local = Site::of(&GatewayConfig::default(), Some(here));
        assert_eq!(
            local.callback().expect("a site").as_str(),
            "http://127.0.0.1:8080/connect/callback"
        );
        let open = SocketAddr::from(([0, 0, 0, 0], 8080));
        assert!(
            Site::of(&GatewayConfig::default(), Some(open))
                .callback()
                .is_none()
        );
    }

    #[test]
    fn browsers_are_sent_on_to_allowed_places_only() {
        let config = GatewayConfig {
            public_url: Some("https://mooring.example".to_owned()),
            return_urls: vec!["https://app.example/accounts".to_owned()],
            ..GatewayConfig::default()
        };
        let site = Site::of(&config, None);
        for good in [
            "https://mooring.example/anywhere",
            "https://app.example/accounts",
            "https://app.example/accounts/new?a=b",
        ] {
            assert!(site.allows(&url(good)), "{good}");
        }
        for bad in [
            "https://app.example/accounts-of-others",
            "https://app.example/",
            "http://app.example/accounts",
            "https://app.example.evil/accounts",
            "https://mooring.example@evil.example/",
            "https://evil:x@mooring.example/",
            "javascript:alert(1)",
        ] {
            assert!(!site.allows(&url(bad)), "{bad}");
        }
    }
}
