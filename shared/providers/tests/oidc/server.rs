//! The server's other side: apps, people, what it knows about tokens, and how often it was asked.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use http::Method;
use mooring_domain::Platform;
use mooring_providers::{
    Access, AppCredentials, Authorize, BaseUrls, Connected, Consent, Credentials, NewTokens,
    Provider, Registry,
};
use mooring_runtime::{Call, Clock, Http, Metrics, SystemClock, config::HttpConfig};
use mooring_vault::Secret;
use serde_json::{Value, json};
use url::Url;

/// A running server with one platform's paths, and the adapter that is judged by it.
pub(crate) struct Server {
    url: Url,
    site: &'static Site,
    http: Http,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) provider: Arc<dyn Provider>,
    /// An app that looks at other apps' tokens.
    auditor: AppCredentials,
}

/// What differs between the platforms, apart from their adapters.
pub(crate) struct Site {
    platform: Platform,
    variable: &'static str,
    introspection: &'static str,
    /// How apps prove themselves, in the words of RFC 7591.
    proof: &'static str,
    set: fn(&mut BaseUrls, &Url),
}

pub(crate) static X: Site = Site {
    platform: Platform::X,
    variable: "MOORING_TEST_OIDC_X_URL",
    introspection: "/token/introspection",
    proof: "client_secret_basic",
    set: |urls, url| {
        urls.x = url.clone();
        urls.x_dialog = url.clone();
    },
};

pub(crate) static LINKEDIN: Site = Site {
    platform: Platform::LinkedIn,
    variable: "MOORING_TEST_OIDC_LINKEDIN_URL",
    introspection: "/oauth/v2/introspectToken",
    proof: "client_secret_post",
    set: |urls, url| {
        urls.linkedin = url.clone();
        urls.linkedin_oauth = url.clone();
    },
};

/// Where the person's browser comes back to. Nobody listens there: the code is in the address.
pub(crate) fn redirect_uri() -> Url {
    Url::parse("https://mooring.invalid/oauth/back").expect("a URL")
}

impl Server {
    /// The server that `dev/oidc env` names; `None` when there is none.
    pub(crate) async fn of(site: &'static Site) -> Option<Self> {
        let Ok(url) = std::env::var(site.variable) else {
            eprintln!("not run: start a server with dev/oidc start, then eval \"$(dev/oidc env)\"");
            return None;
        };
        mooring_runtime::boot::install_tls();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let config = HttpConfig {
            allow_private_addresses: true,
            ..HttpConfig::default()
        };
        let metrics = Arc::new(Metrics::new("test"));
        let http = Http::new(&config, Arc::clone(&clock), metrics).expect("a client");
        let url = Url::parse(&url).expect("a URL");
        let mut urls = BaseUrls::default();
        (site.set)(&mut urls, &url);
        let provider = Arc::clone(Registry::new(&http, &clock, &urls).of(site.platform));
        let mut server = Self {
            url,
            site,
            http,
            clock,
            provider,
            auditor: AppCredentials {
                client_id: String::new(),
                client_secret: Secret::from(""),
            },
        };
        server.auditor = server.register("client_secret_post", 7200).await;
        Some(server)
    }

    /// An app whose access tokens live for two hours.
    pub(crate) async fn app(&self) -> AppCredentials {
        self.app_with_tokens_of(7200).await
    }

    /// An app whose access tokens live for so many seconds.
    pub(crate) async fn app_with_tokens_of(&self, seconds: i64) -> AppCredentials {
        self.register(self.site.proof, seconds).await
    }

    async fn register(&self, proof: &str, access_life_s: i64) -> AppCredentials {
        let app = json!({
            "redirect_uris": [redirect_uri()],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": proof,
            "access_life_s": access_life_s,
        });
        let call = self.call("/reg", Method::POST).json(&app).expect("JSON");
        let made = self.answer(call).await;
        AppCredentials {
            client_id: text(&made, "client_id"),
            client_secret: Secret::from(text(&made, "client_secret")),
        }
    }

    /// Asks the adapter for the consent page.
    pub(crate) async fn page(&self, app: &AppCredentials) -> Consent {
        let request = Authorize {
            app: Some(app),
            redirect_uri: &redirect_uri(),
            state: "state-1",
            host: None,
            login_hint: None,
        };
        let consent = self.provider.authorize(&request).await.expect("an address");
        consent.expect("a page")
    }

    /// A person opens the page, logs in and agrees; where that leads.
    pub(crate) async fn browse(&self, page: &Url, person: &str) -> Url {
        let call = self
            .call("/harness/consent", Method::GET)
            .query("page", page.as_str())
            .query("person", person);
        let answer = self.answer(call).await;
        Url::parse(&text(&answer, "back")).expect("a URL")
    }

    /// What a new person's consent to an app brings back.
    pub(crate) async fn consented(&self, app: &AppCredentials) -> (String, Credentials) {
        let person = self.person();
        let consent = self.page(app).await;
        let back = self.browse(&consent.url, &person).await;
        assert_eq!(parameter(&back, "state").as_deref(), Some("state-1"));
        let credentials = Credentials::Code {
            app: Some(app.clone()),
            code: Secret::from(parameter(&back, "code").expect("a code")),
            redirect_uri: redirect_uri(),
            kept: consent.kept,
            issuer: parameter(&back, "iss"),
        };
        (person, credentials)
    }

    /// Connects a new person's account.
    pub(crate) async fn connect(&self, app: &AppCredentials) -> (Connected, Access) {
        let (_, credentials) = self.consented(app).await;
        let connected = self.provider.connect(credentials).await.expect("a grant");
        let access = Access {
            app: Some(app.clone()),
            host: None,
            remote_id: connected.destinations[0].remote_id.clone(),
            remote_user_id: connected.remote_user_id.clone(),
            token: connected.grant_token.clone(),
            grant_token: connected.grant_token.clone(),
            refresh_token: connected.refresh_token.clone(),
            binding: None,
        };
        (connected, access)
    }

    /// A number that no other person of this run has.
    fn person(&self) -> String {
        static COUNTER: AtomicI64 = AtomicI64::new(0);
        let counter = COUNTER.fetch_add(1, Ordering::SeqCst);
        // Tests run in processes of their own, side by side.
        format!("{}{:07}{counter:03}", self.clock.ms(), std::process::id())
    }

    /// Whether the server still takes a token, by its own word.
    pub(crate) async fn lives(&self, token: &Secret) -> bool {
        let form = [
            ("client_id", self.auditor.client_id.as_str()),
            ("client_secret", self.auditor.client_secret.expose()),
            ("token", token.expose()),
        ];
        let call = self
            .call(self.site.introspection, Method::POST)
            .form(form.map(|(name, value)| (name, value.to_owned())).to_vec());
        let answer = self.answer(call).await;
        answer["active"].as_bool().expect("RFC 7662 demands it")
    }

    /// Waits until the server does not take a token any more.
    pub(crate) async fn until_over(&self, token: &Secret) {
        let mut looks = tokio::time::interval(std::time::Duration::from_millis(50));
        for _ in 0..600 {
            looks.tick().await;
            if !self.lives(token).await {
                return;
            }
        }
        panic!("a token does not end");
    }

    /// How often an app has asked an endpoint (`token.refresh_token`, `revocation`, …).
    pub(crate) async fn calls(&self, app: &AppCredentials, endpoint: &str) -> i64 {
        let call = self
            .call("/harness/calls", Method::GET)
            .query("client_id", &app.client_id);
        self.answer(call).await[endpoint].as_i64().unwrap_or(0)
    }

    fn call(&self, path: &'static str, method: Method) -> Call {
        let url = self.url.join(path).expect("a URL");
        Call::new("harness", path, method, url)
    }

    async fn answer(&self, call: Call) -> Value {
        let answer = self.http.send(call).await.expect("an answer");
        let body = String::from_utf8_lossy(&answer.body);
        assert!(answer.status.is_success(), "{} {body}", answer.status);
        serde_json::from_str(&body).expect("JSON")
    }
}

/// The same access with the tokens that a refresh brought.
pub(crate) fn renewed(access: &Access, tokens: &NewTokens) -> Access {
    Access {
        token: tokens.access.clone(),
        grant_token: tokens.access.clone(),
        refresh_token: tokens.refresh.clone().or(access.refresh_token.clone()),
        ..access.clone()
    }
}

/// A parameter of an address.
pub(crate) fn parameter(url: &Url, name: &str) -> Option<String> {
    let mut pairs = url.query_pairs();
    let found = pairs.find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned())
}

fn text(value: &Value, name: &str) -> String {
    let text = value[name].as_str();
    text.unwrap_or_else(|| panic!("{name} is missing"))
        .to_owned()
}
