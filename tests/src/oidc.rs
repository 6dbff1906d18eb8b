//! The OAuth server of the tests that we did not write, at X's paths: its people, its apps, and what it has counted.

use std::net::SocketAddr;

use mooring_providers::{AppCredentials, Authorize, Connected, Consent, Credentials, Provider};
use mooring_runtime::boot::install_tls;
use mooring_vault::Secret;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use url::Url;

/// A server that `dev/oidc` (or `dev/test`) has started, and an app that only this test has.
pub struct Oidc {
    client: Client,
    url: Url,
    /// The test's app.
    pub app: AppCredentials,
}

impl Oidc {
    /// The server that the environment names, with a fresh app.
    pub async fn of_environment() -> Self {
        let url = std::env::var("MOORING_TEST_OIDC_X_URL").unwrap_or_else(|_| {
            panic!("MOORING_TEST_OIDC_X_URL is not set: run the tests with dev/test, or start the server with dev/oidc start and read its address with eval \"$(dev/oidc env)\"")
        });
        install_tls();
        let mut server = Self {
            client: Client::builder().no_proxy().build().expect("a client"),
            url: url.parse().expect("a URL"),
            app: AppCredentials {
                client_id: String::new(),
                client_secret: Secret::from(""),
            },
        };
        server.app = server.register("client_secret_basic").await;
        server
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The same as an address and a port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        let text = self.url.as_str().trim_start_matches("http://");
        let address = text.trim_end_matches('/').parse();
        address.expect("dev/oidc names an address and a port")
    }

    async fn register(&self, proof: &str) -> AppCredentials {
        let app = json!({
            "redirect_uris": [back()],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": proof,
        });
        let made = answer(self.client.post(self.at("/reg")).json(&app)).await;
        AppCredentials {
            client_id: text(&made["client_id"]),
            client_secret: Secret::from(text(&made["client_secret"])),
        }
    }

    /// A new person connects through the adapter.
    pub async fn connect(&self, adapter: &dyn Provider) -> Connected {
        let request = Authorize {
            app: Some(&self.app),
            redirect_uri: &back(),
            state: "state-1",
            host: None,
            login_hint: None,
        };
        let consent = adapter.authorize(&request).await.expect("an address");
        let Consent { url, kept } = consent.expect("a page");
        let person = uuid::Uuid::now_v7().as_u128() % 1_000_000_000_000_000;
        let asked = [("page", url.to_string()), ("person", person.to_string())];
        let led = answer(self.client.get(self.at("/harness/consent")).query(&asked)).await;
        let to = Url::parse(&text(&led["back"])).expect("a URL");
        let mut values = to.query_pairs();
        let (_, code) = values.find(|(name, _)| name == "code").expect("a code");
        let credentials = Credentials::Code {
            app: Some(self.app.clone()),
            code: Secret::from(&*code),
            redirect_uri: back(),
            kept,
            issuer: None,
        };
        adapter.connect(credentials).await.expect("a grant")
    }

    /// How often the app has asked for a refresh.
    pub async fn refreshes(&self) -> u64 {
        self.calls("token.refresh_token").await
    }

    /// How often the app has asked for something, by the server's count.
    pub async fn calls(&self, what: &str) -> u64 {
        let asked = [("client_id", &self.app.client_id)];
        let counts = answer(self.client.get(self.at("/harness/calls")).query(&asked)).await;
        counts[what].as_u64().unwrap_or(0)
    }

    /// Whether the server still takes a token, by its own word to another app.
    pub async fn lives(&self, token: &Secret) -> bool {
        let auditor = self.register("client_secret_post").await;
        let form = [
            ("client_id", auditor.client_id.as_str()),
            ("client_secret", auditor.client_secret.expose()),
            ("token", token.expose()),
        ];
        let request = self.client.post(self.at("/token/introspection"));
        let told = answer(request.form(&form)).await;
        told["active"].as_bool().expect("RFC 7662 demands it")
    }

    fn at(&self, path: &str) -> Url {
        self.url.join(path).expect("a URL")
    }
}

/// Where browsers come back to. Nobody listens there: the code is in the address.
fn back() -> Url {
    Url::parse("https://mooring.invalid/oauth/back").expect("a URL")
}

async fn answer(request: RequestBuilder) -> Value {
    #[expect(
        clippy::disallowed_methods,
        reason = "the harness acts as other people do, not through the code under test"
    )]
    let answer = request.send().await.expect("the server answers");
    let (status, path) = (answer.status(), answer.url().path().to_owned());
    let body = answer.text().await.expect("the server answers");
    assert!(status.is_success(), "{path}: {status} {body}");
    serde_json::from_str(&body).expect("JSON")
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
