//! The browser of a person who consents at the real server: its page, its log-in, its button.
//!
//! The contract suite and the end-to-end tests have the same person: they include this file.

use std::collections::BTreeMap;

use http::{HeaderName, Method};
use mooring_domain::Platform;
use mooring_providers::{AppCredentials, Authorize, Credentials, Provider};
use mooring_runtime::{Call, Http, http::Answer};
use mooring_vault::Secret;
use serde_json::{Value, json};
use url::Url;

const API: &str = "/@atproto/oauth-provider/~api";

/// The client of an application on this machine: it needs no metadata anywhere, and has no key.
pub(crate) fn app() -> AppCredentials {
    app_at(&redirect_uri())
}

/// The same, where browsers come back to this address.
pub(crate) fn app_at(redirect_uri: &Url) -> AppCredentials {
    let mut id = Url::parse("http://localhost").expect("a URL");
    let scopes = Platform::BlueskyOAuth.capabilities().required_scopes;
    id.query_pairs_mut()
        .append_pair("redirect_uri", redirect_uri.as_str())
        .append_pair("scope", &scopes.join(" "));
    AppCredentials {
        // Without the slash that a URL of only a host gets.
        client_id: id.as_str().replacen("localhost/?", "localhost?", 1),
        client_secret: Secret::from(""),
    }
}

fn redirect_uri() -> Url {
    Url::parse("http://127.0.0.1/oauth/bluesky").expect("a URL")
}

/// The owner of an account.
pub(crate) struct Person<'a> {
    pub(crate) did: &'a str,
    pub(crate) handle: &'a str,
    pub(crate) password: &'a str,
    /// The permissions that the person leaves in; `None` = all that were asked for.
    pub(crate) grants: Option<&'a str>,
}

/// Asks for consent, gives it in a browser, and comes back with the code.
pub(crate) async fn consented(
    http: &Http,
    provider: &dyn Provider,
    person: &Person<'_>,
) -> Credentials {
    let (app, redirect_uri) = (app(), redirect_uri());
    let request = Authorize {
        app: Some(&app),
        redirect_uri: &redirect_uri,
        state: "state-1",
        host: None,
        login_hint: Some(person.handle),
    };
    let consent = provider.authorize(&request).await.expect("an address");
    let consent = consent.expect("a page");
    let back = Browser::new(http).consent(person, &consent.url).await;
    let value = |name: &str| {
        back.query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    assert_eq!(value("state").as_deref(), Some("state-1"));
    Credentials::Code {
        code: Secret::from(value("code").expect("a code")),
        issuer: value("iss"),
        app: Some(app),
        redirect_uri,
        kept: consent.kept,
    }
}

/// One person's browser, with its cookies.
pub(crate) struct Browser<'a> {
    http: &'a Http,
    cookies: BTreeMap<String, String>,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(http: &'a Http) -> Self {
        Self {
            http,
            cookies: BTreeMap::new(),
        }
    }

    /// Opens the page, logs in, and presses the button; where that leads.
    async fn consent(mut self, person: &Person<'_>, page: &Url) -> Url {
        self.log_in(person, page).await;
        let mut choice = json!({ "sub": person.did });
        if let Some(scope) = person.grants {
            choice["scope"] = scope.into();
        }
        let answer = self.press(page, "consent", &choice).await;
        Url::parse(answer["url"].as_str().expect("an address")).expect("a URL")
    }

    /// Opens the page and logs in.
    pub(crate) async fn log_in(&mut self, person: &Person<'_>, page: &Url) {
        let call = Call::new("browser", "a page", Method::GET, page.clone());
        let call = fetched(
            call,
            [("site", "none"), ("mode", "navigate"), ("dest", "document")],
        );
        self.send(call).await;
        let log_in = json!({
            "locale": "en",
            "username": person.handle,
            "password": person.password,
            "remember": true,
        });
        self.press(page, "sign-in", &log_in).await;
    }

    /// Presses a button of the page.
    pub(crate) async fn press(&mut self, page: &Url, what: &str, body: &Value) -> Value {
        let url = page.join(&format!("{API}/{what}")).expect("a URL");
        let call = Call::new("browser", "/~api", Method::POST, url);
        let call = fetched(
            call,
            [
                ("site", "same-origin"),
                ("mode", "same-origin"),
                ("dest", "empty"),
            ],
        );
        let header = |name| HeaderName::from_static(name);
        let call = call
            .header(header("origin"), &page.origin().ascii_serialization())
            .header(header("referer"), page.as_str())
            .header(header("x-csrf-token"), &self.cookies["csrf-token"])
            .json(body)
            .expect("JSON");
        let answer = self.send(call).await;
        serde_json::from_slice(&answer.body).expect("JSON")
    }

    async fn send(&mut self, call: Call) -> Answer {
        let jar: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let call = call.header(HeaderName::from_static("cookie"), &jar.join("; "));
        let answer = self.http.send(call).await.expect("an answer");
        assert!(
            answer.status.is_success(),
            "{} {:?}",
            answer.status,
            String::from_utf8_lossy(&answer.body)
        );
        for cookie in answer.headers.get_all("set-cookie") {
            let text = cookie.to_str().expect("a cookie");
            let pair = text.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }
}

/// What browsers say about a request themselves.
fn fetched(call: Call, facts: [(&str, &str); 3]) -> Call {
    facts.into_iter().fold(call, |call, (name, value)| {
        let name = HeaderName::try_from(format!("sec-fetch-{name}")).expect("a header's name");
        call.header(name, value)
    })
}
