//! The way through the server's own pages in a person's browser, from the address that our gateway has made to the one
//! that it is called back at.

use mooring_runtime::Http;
use reqwest::{Client, redirect::Policy};
use serde_json::json;
use url::Url;

use super::{Pds, PdsAccount};
use crate::{Says, browser};

impl Pds {
    /// Opens a page of ours that leads to the server's, logs in as the account's owner, and presses one of its two
    /// buttons; where the server sends the browser back to.
    pub async fn consent(
        &self,
        http: &Http,
        page: &Url,
        account: &PdsAccount,
        says: Says,
    ) -> String {
        let mut browser = browser::Browser::new(http);
        let person = browser::Person {
            did: &account.did,
            handle: &account.handle,
            password: &account.password,
            grants: None,
        };
        browser.log_in(&person, page).await;
        let pressed = match says {
            Says::Yes => {
                let who = json!({ "sub": account.did });
                browser.press(page, "consent", &who).await
            }
            Says::Only(scopes) => {
                let who = json!({ "sub": account.did, "scope": scopes });
                browser.press(page, "consent", &who).await
            }
            Says::No => browser.press(page, "reject", &json!({})).await,
        };
        let on = pressed["url"].as_str().expect("an address");
        sent_on(on, page).await
    }
}

/// The page's script goes to the address that the button has brought, and the server sends the browser on from there.
async fn sent_on(to: &str, from: &Url) -> String {
    let client = Client::builder().no_proxy().redirect(Policy::none());
    let request = client
        .build()
        .expect("a client")
        .get(to)
        .header("referer", from.as_str())
        .header("sec-fetch-site", "same-origin")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-dest", "document");
    #[expect(
        clippy::disallowed_methods,
        reason = "a browser, which does not use our client"
    )]
    let answer = request.send().await.expect("the server answers");
    assert_eq!(answer.status().as_u16(), 303, "the server sends it back");
    let location = answer.headers().get("location").expect("an address");
    location.to_str().expect("an address").to_owned()
}
