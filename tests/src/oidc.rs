//! The OAuth server of the tests that we did not write, at X's or LinkedIn's paths: its people, its apps, and what it has
//! counted.

use std::net::SocketAddr;

use mooring_providers::{AppCredentials, Authorize, Connected, Consent, Credentials, Provider};
use mooring_runtime::boot::install_tls;
use mooring_vault::Secret;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use url::Url;

use crate::Says;

/// A server that `dev/oidc` (or `dev/test`) has started, and an app that only this test has.
pub struct Oidc {
    client: Client,
    url: Url,
    /// How apps prove themselves at its platform, in the words of RFC 7591.
    proof: &'static str,
    introspection: &'static str,
    /// The test's app.
    pub app: AppCredentials,
}

impl Oidc {
    /// The server that the environment names, at X's paths, with a fresh app.
    pub async fn of_environment() -> Self {
        let (proof, introspection) = ("client_secret_basic", "/token/introspection");
        Self::at("MOORING_TEST_OIDC_X_URL", proof, introspection).await
    }

    /// The same at LinkedIn's paths.
    pub async fn as_linkedin() -> Self {
        let (proof, introspection) = ("client_secret_post", "/oauth/v2/introspectToken");
        Self::at("MOORING_TEST_OIDC_LINKEDIN_URL", proof, introspection).await
    }

    async fn at(variable: &str, proof: &'static str, introspection: &'static str) -> Self {
        let url = std::env::var(variable).unwrap_or_else(|_| {
            panic!("{variable} is not set: run the tests with dev/test, or start the server with dev/oidc start and read its address with eval \"$(dev/oidc env)\"")
        });
        install_tls();
        let mut server = Self {
            client: Client::builder().no_proxy().build().expect("a client"),
            url: url.parse().expect("a URL"),
            proof,
            introspection,
            app: AppCredentials {
                client_id: String::new(),
                client_secret: Secret::from(""),
            },
        };
        server.app = server.register(proof, &back()).await;
        server
    }

    /// The test's app is another one from now on: browsers come back to this address.
    pub async fn send_back_to(&mut self, address: &Url) {
        self.app = self.register(self.proof, address).await;
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

    async fn register(&self, proof: &str, redirect_uri: &Url) -> AppCredentials {
        let app = json!({
            "redirect_uris": [redirect_uri],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": proof,
        });
        let made = answer(self.client.post(self.path("/reg")).json(&app)).await;
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
        let led = self.consent(&url, &Self::person(), Says::Yes).await;
        let to = Url::parse(&led).expect("a URL");
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

    /// Somebody whom nobody has seen here before.
    #[must_use]
    pub fn person() -> String {
        (uuid::Uuid::now_v7().as_u128() % 1_000_000_000_000_000).to_string()
    }

    /// Goes through the pages of log-in and consent as a person; where the server sends the browser back to.
    pub async fn consent(&self, page: &Url, person: &str, says: Says) -> String {
        let says = match says {
            Says::Yes => "yes",
            Says::No => "no",
            Says::Only(scopes) => panic!("its page has no box for {scopes}: all, or nothing"),
        };
        let asked = [("page", page.as_str()), ("person", person), ("says", says)];
        let led = answer(self.client.get(self.path("/harness/consent")).query(&asked)).await;
        text(&led["back"])
    }

    /// How often the app has asked for a refresh.
    pub async fn refreshes(&self) -> u64 {
        self.calls("token.refresh_token").await
    }

    /// How often the app has asked for something, by the server's count.
    pub async fn calls(&self, what: &str) -> u64 {
        let asked = [("client_id", &self.app.client_id)];
        let counts = answer(self.client.get(self.path("/harness/calls")).query(&asked)).await;
        counts[what].as_u64().unwrap_or(0)
    }

    /// Whether the server still takes a token, by its own word to another app.
    pub async fn lives(&self, token: &Secret) -> bool {
        let auditor = self.register("client_secret_post", &back()).await;
        let form = [
            ("client_id", auditor.client_id.as_str()),
            ("client_secret", auditor.client_secret.expose()),
            ("token", token.expose()),
        ];
        let request = self.client.post(self.path(self.introspection));
        let told = answer(request.form(&form)).await;
        told["active"].as_bool().expect("RFC 7662 demands it")
    }

    fn path(&self, path: &str) -> Url {
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
