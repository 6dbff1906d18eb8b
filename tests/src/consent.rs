//! A person's browser: it goes to the platform's page, consents, and is sent back to us.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use reqwest::{Client, redirect::Policy};
use url::Url;

/// A browser with its own cookies, which it shows to the gateway only. Redirects are followed by hand.
pub struct Browser {
    client: Client,
    cookies: Mutex<BTreeMap<String, String>>,
}

/// What a person answers at the page of a platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// Agrees to everything.
    Yes,
    /// Allows these permissions and no others.
    Only(&'static str),
    /// Allows nothing.
    No,
}

/// What a browser was shown.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Status.
    pub status: u16,
    /// Where it is sent on to.
    pub location: Option<String>,
    /// Headers by their lower-case names.
    pub headers: BTreeMap<String, String>,
    /// Body.
    pub text: String,
}

impl Shown {
    /// The hidden field of the form on one of our pages.
    #[must_use]
    pub fn field(&self) -> &str {
        let (_, rest) = self
            .text
            .split_once("name=\"form\" value=\"")
            .expect("a form");
        rest.split('"').next().expect("its value")
    }
}

impl Default for Browser {
    fn default() -> Self {
        mooring_runtime::boot::install_tls();
        let client = Client::builder().no_proxy().redirect(Policy::none());
        Self {
            client: client.build().expect("a client"),
            cookies: Mutex::default(),
        }
    }
}

impl Browser {
    /// Opens an address.
    pub async fn open(&self, url: &str) -> Shown {
        self.send(self.client.get(url)).await
    }

    /// Sends a form.
    pub async fn submit(&self, url: &str, fields: &[(&str, &str)]) -> Shown {
        self.send(self.client.post(url).form(fields)).await
    }

    /// Opens a reconnect link and presses its button; the platform's page, where the browser is sent to.
    pub async fn press(&self, link: &str) -> String {
        let shown = self.open(link).await;
        assert_eq!(shown.status, 200, "{}", shown.text);
        let sent = self.submit(link, &[("form", shown.field())]).await;
        assert_eq!(sent.status, 303, "{}", sent.text);
        sent.location.expect("the platform's page")
    }

    /// Consents at the platform's page in the name of a user; `None` where the platform does not know them. Answers
    /// where the platform sends the browser back to.
    pub async fn consent(&self, page: &str, user: &str, more: &[(&str, &str)]) -> Option<String> {
        let mut url: Url = page.parse().expect("a page");
        // The simulated pages go by the first hint that they read, so ours replaces one that was there.
        let kept: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(name, _)| name != "login_hint")
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        url.query_pairs_mut()
            .clear()
            .extend_pairs(kept)
            .append_pair("login_hint", user)
            .extend_pairs(more);
        self.open(url.as_str()).await.location
    }

    /// Consents, and comes back to us.
    pub async fn go(&self, page: &str, user: &str, more: &[(&str, &str)]) -> Shown {
        let back = self.consent(page, user, more).await;
        self.open(&back.expect("the platform sends the browser back"))
            .await
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a browser, which does not use our client"
    )]
    async fn send(&self, request: reqwest::RequestBuilder) -> Shown {
        let line = {
            let cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
            let pairs: Vec<String> = cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
            pairs.join("; ")
        };
        let answer = request.header("cookie", line).send().await;
        let answer = answer.expect("the page answers");
        let mut headers = BTreeMap::new();
        for (name, value) in answer.headers() {
            let value = value.to_str().unwrap_or_default().to_owned();
            if name == "set-cookie" {
                self.keep(&value);
            }
            headers.insert(name.as_str().to_owned(), value);
        }
        Shown {
            status: answer.status().as_u16(),
            location: headers.get("location").cloned(),
            headers,
            text: answer.text().await.expect("a body"),
        }
    }

    fn keep(&self, line: &str) {
        let pair = line.split(';').next().unwrap_or_default();
        if let Some((name, value)) = pair.split_once('=') {
            let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
            cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}
