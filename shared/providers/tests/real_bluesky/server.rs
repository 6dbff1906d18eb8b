//! A running server, and the adapters that are judged by it.

use std::{ops::Deref, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use mooring_domain::{Platform, time::hours};
use mooring_providers::{Access, BaseUrls, Connected, Credentials, Provider, Registry};
use mooring_runtime::{Clock, Http, Metrics, SystemClock, config::HttpConfig};
use mooring_vault::Secret;
use serde_json::{Value, json};
use url::Url;

use crate::operator::{Account, Operator};

/// The server that `dev/bluesky` has started, and the adapters.
pub(crate) struct Server {
    operator: Operator,
    /// By app password.
    pub(crate) provider: Arc<dyn Provider>,
    /// By OAuth.
    pub(crate) oauth: Arc<dyn Provider>,
}

impl Deref for Server {
    type Target = Operator;

    fn deref(&self) -> &Operator {
        &self.operator
    }
}

impl Server {
    /// The server that `dev/bluesky env` names; `None` when there is none.
    pub(crate) fn from_env() -> Option<Self> {
        let Ok(url) = std::env::var("MOORING_TEST_PDS_URL") else {
            eprintln!(
                "not run: start a server with dev/bluesky start, then eval \"$(dev/bluesky env)\""
            );
            return None;
        };
        let variable = |name: &str| std::env::var(name).expect("dev/bluesky env prints it");
        mooring_runtime::boot::install_tls();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let config = HttpConfig {
            allow_private_addresses: true,
            ..HttpConfig::default()
        };
        let http = Http::new(&config, Arc::clone(&clock), Arc::new(Metrics::new("test")))
            .expect("a client");
        let url = Url::parse(&url).expect("a URL");
        let urls = BaseUrls {
            bluesky: url.clone(),
            ..BaseUrls::default()
        };
        let provider = Arc::clone(Registry::new(&http, &clock, &urls).of(Platform::Bluesky));
        // Proofs name the address that the server has for itself.
        let mut own = url.clone();
        own.set_host(Some("localhost")).expect("a host");
        let directory = Url::parse(&variable("MOORING_TEST_PLC_URL")).expect("a URL");
        let urls = BaseUrls {
            bluesky: own,
            bluesky_directory: directory,
            ..BaseUrls::default()
        };
        let oauth = Arc::clone(Registry::new(&http, &clock, &urls).of(Platform::BlueskyOAuth));
        let operator = Operator {
            url,
            admin_password: variable("MOORING_TEST_PDS_ADMIN_PASSWORD"),
            jwt_secret: variable("MOORING_TEST_PDS_JWT_SECRET"),
            bypass: variable("MOORING_TEST_PDS_RATE_LIMIT_BYPASS"),
            http,
            clock,
        };
        Some(Self {
            operator,
            provider,
            oauth,
        })
    }

    pub(crate) fn credentials(account: &Account, password: &str) -> Credentials {
        Credentials::Password {
            host: None,
            identifier: account.handle.clone(),
            password: Secret::from(password),
            factor: None,
        }
    }

    /// Connects the account through the adapter.
    pub(crate) async fn connect(&self, account: &Account) -> (Connected, Access) {
        let credentials = Self::credentials(account, &account.app_password);
        let connected = self.provider.connect(credentials).await.expect("a session");
        let access = Access {
            app: None,
            host: connected.host.clone(),
            remote_id: connected.destinations[0].remote_id.clone(),
            remote_user_id: connected.remote_user_id.clone(),
            token: connected.grant_token.clone(),
            grant_token: connected.grant_token.clone(),
            refresh_token: connected.refresh_token.clone(),
            binding: None,
        };
        (connected, access)
    }

    pub(crate) async fn delete_account(&self, account: &Account) {
        let did = json!({ "did": account.did });
        self.administer("com.atproto.admin.deleteAccount", &did)
            .await;
    }

    /// The same token as the server would have made it three hours ago.
    pub(crate) fn aged(&self, token: &Secret) -> Secret {
        self.moved(token.expose(), hours(-3))
    }
}

/// The `jti` claim.
pub(crate) fn token_id(token: &Secret) -> Option<String> {
    let payload = URL_SAFE_NO_PAD
        .decode(token.expose().split('.').nth(1)?)
        .ok()?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    claims.get("jti")?.as_str().map(str::to_owned)
}
