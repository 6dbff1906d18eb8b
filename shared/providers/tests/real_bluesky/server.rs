//! The real server's other side: making accounts, and what its operator and its users do.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::Method;
use mooring_domain::{Platform, time::hours};
use mooring_providers::{Access, BaseUrls, Connected, Credentials, Provider, Registry};
use mooring_runtime::{Call, Clock, Http, Metrics, SystemClock, config::HttpConfig};
use mooring_vault::Secret;
use serde_json::{Value, json};
use url::Url;

/// A running server, and the adapter that is judged by it.
pub(crate) struct Server {
    url: Url,
    admin_password: String,
    jwt_secret: String,
    pub(crate) http: Http,
    pub(crate) clock: Arc<dyn Clock>,
    /// By app password.
    pub(crate) provider: Arc<dyn Provider>,
    /// By OAuth.
    pub(crate) oauth: Arc<dyn Provider>,
}

/// Of every account here.
pub(crate) const OWNER_PASSWORD: &str = "the owner's own password";

/// An account with an app password.
pub(crate) struct Account {
    pub(crate) did: String,
    pub(crate) handle: String,
    /// The account's own session, for what an app password may not do.
    owner_token: String,
    pub(crate) app_password: String,
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
        Some(Self {
            url,
            admin_password: variable("MOORING_TEST_PDS_ADMIN_PASSWORD"),
            jwt_secret: variable("MOORING_TEST_PDS_JWT_SECRET"),
            http,
            clock,
            provider,
            oauth,
        })
    }

    /// A fresh account with an app password.
    pub(crate) async fn account(&self) -> Account {
        let name = format!("t{:x}", self.unique());
        let handle = format!("{name}.test");
        let email = format!("{name}@mail.test");
        let new = json!({ "handle": handle, "email": email, "password": OWNER_PASSWORD });
        let made = self
            .post("com.atproto.server.createAccount", &new, None)
            .await;
        let owner_token = text(&made, "accessJwt");
        let app = json!({ "name": "mooring" });
        let app = self
            .post(
                "com.atproto.server.createAppPassword",
                &app,
                Some(&owner_token),
            )
            .await;
        Account {
            did: text(&made, "did"),
            handle,
            owner_token,
            app_password: text(&app, "password"),
        }
    }

    /// A number that no other account of this run has.
    fn unique(&self) -> i64 {
        static COUNTER: std::sync::atomic::AtomicI64 = std::sync::atomic::AtomicI64::new(0);
        let counter = COUNTER.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        self.clock.ms() * 1000 + counter
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

    pub(crate) async fn take_down(&self, account: &Account) {
        let subject = json!({ "$type": "com.atproto.admin.defs#repoRef", "did": account.did });
        let body = json!({ "subject": subject, "takedown": { "applied": true, "ref": "1" } });
        self.administer("com.atproto.admin.updateSubjectStatus", &body)
            .await;
    }

    pub(crate) async fn delete_account(&self, account: &Account) {
        self.administer(
            "com.atproto.admin.deleteAccount",
            &json!({ "did": account.did }),
        )
        .await;
    }

    pub(crate) async fn change_password(&self, account: &Account) {
        let body = json!({ "did": account.did, "password": "another password of the owner" });
        self.administer("com.atproto.admin.updateAccountPassword", &body)
            .await;
    }

    pub(crate) async fn deactivate(&self, account: &Account) {
        let token = Some(account.owner_token.as_str());
        self.post("com.atproto.server.deactivateAccount", &json!({}), token)
            .await;
    }

    /// The same token as the server would have made it three hours ago.
    pub(crate) fn aged(&self, token: &Secret) -> Secret {
        let mut parts = token.expose().split('.');
        let (header, payload) = (
            parts.next().expect("a header"),
            parts.next().expect("a payload"),
        );
        let mut claims: Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64"))
                .expect("JSON");
        for claim in ["iat", "exp"] {
            claims[claim] =
                (claims[claim].as_i64().expect("a time") - hours(3).num_seconds()).into();
        }
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let mut mac =
            Hmac::<sha2::Sha256>::new_from_slice(self.jwt_secret.as_bytes()).expect("a key");
        mac.update(signed.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        Secret::from(format!("{signed}.{signature}"))
    }

    async fn administer(&self, method: &'static str, body: &Value) {
        let credential = base64::engine::general_purpose::STANDARD
            .encode(format!("admin:{}", self.admin_password));
        let call = self
            .call(method)
            .authorization("Basic", &credential)
            .json(body)
            .expect("JSON");
        self.answered(method, call).await;
    }

    async fn post(&self, method: &'static str, body: &Value, token: Option<&str>) -> Value {
        let mut call = self.call(method).json(body).expect("JSON");
        if let Some(token) = token {
            call = call.bearer(token);
        }
        serde_json::from_slice(&self.answered(method, call).await).unwrap_or_default()
    }

    fn call(&self, method: &'static str) -> Call {
        let url = self.url.join(&format!("/xrpc/{method}")).expect("a URL");
        Call::new("harness", method, Method::POST, url)
    }

    async fn answered(&self, method: &str, call: Call) -> bytes::Bytes {
        let answer = self.http.send(call).await.expect("an answer");
        assert!(
            answer.status.is_success(),
            "{method}: {} {:?}",
            answer.status,
            answer.body
        );
        answer.body
    }
}

fn text(value: &Value, name: &str) -> String {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} is missing"))
        .to_owned()
}

/// The `jti` claim.
pub(crate) fn token_id(token: &Secret) -> Option<String> {
    let payload = URL_SAFE_NO_PAD
        .decode(token.expose().split('.').nth(1)?)
        .ok()?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    claims.get("jti")?.as_str().map(str::to_owned)
}
