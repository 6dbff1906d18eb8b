//! What a person gives to connect an account, and what becomes of it.

use std::fmt;

use mooring_domain::{Platform, Time};
use mooring_vault::Secret;
use serde::Deserialize;
use url::Url;

use crate::provider::{Access, AppCredentials};

/// A request to connect by a browser.
#[derive(Clone, Copy)]
pub struct Authorize<'a> {
    /// Our app, where the platform knows apps that are registered beforehand.
    pub app: Option<&'a AppCredentials>,
    /// Where the browser comes back to.
    pub redirect_uri: &'a Url,
    /// The caller's single-use value; it comes back with the code.
    pub state: &'a str,
    /// The account's own server, or handle, where the platform has many servers.
    pub host: Option<&'a Url>,
    /// Whom the platform should suggest.
    pub login_hint: Option<&'a str>,
}

impl fmt::Debug for Authorize<'_> {
    /// Without the state: whoever knows it can end the run.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorize")
            .field("app", &self.app)
            .field("redirect_uri", &self.redirect_uri.as_str())
            .field("host", &self.host.map(Url::as_str))
            .field("login_hint", &self.login_hint)
            .finish_non_exhaustive()
    }
}

/// Where to send a browser. The address holds the state, and shows in no `Debug`.
#[derive(Clone)]
pub struct Consent {
    /// The address.
    pub url: Url,
    /// What must be kept, sealed, until the code comes back: PKCE verifier, bound key, registered app. JSON of the
    /// adapter's own; hand it back in [`Credentials::Code`].
    pub kept: Option<Secret>,
}

impl fmt::Debug for Consent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consent")
            .field("host", &self.url.host_str())
            .field("kept", &self.kept)
            .finish_non_exhaustive()
    }
}

/// What a person gave.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// Name and (app) password: used for one call, stored nowhere.
    Password {
        /// The account's own server; `None` = the platform's base URL from the configuration.
        host: Option<Url>,
        /// Handle, e-mail address or DID.
        identifier: String,
        /// The app password.
        password: Secret,
        /// The code from the e-mail, where the account asks for one.
        factor: Option<Secret>,
    },
    /// A bot's token, which becomes the grant's, and the destination that it is for: bots cannot list theirs.
    Bot {
        /// A Bot API server of one's own; `None` = the platform's base URL from the configuration.
        host: Option<Url>,
        /// The bot's token.
        token: Secret,
        /// The channel or group: its id, or its public name (`@harbour`).
        chat: String,
    },
    /// An authorization code that came back to our redirect URI.
    Code {
        /// Our app, where the platform knows apps that are registered beforehand.
        app: Option<AppCredentials>,
        /// The code; it works once.
        code: Secret,
        /// The redirect URI exactly as it was in [`Authorize`].
        redirect_uri: Url,
        /// [`Consent::kept`], as it was.
        kept: Option<Secret>,
        /// The issuer that came back beside the code, where one did.
        issuer: Option<String>,
    },
}

/// A new grant and what it reaches.
#[derive(Debug, Clone)]
pub struct Connected {
    /// The provider user behind the grant; compare it when somebody reconnects.
    pub remote_user_id: String,
    /// The user's token.
    pub grant_token: Secret,
    /// The refresh token, where the platform has one.
    pub refresh_token: Option<Secret>,
    /// End of the user's token; `None` = it does not end by itself.
    pub access_expires_at: Option<Time>,
    /// End of the refresh token.
    pub refresh_expires_at: Option<Time>,
    /// Granted permissions, where the platform says them.
    pub scopes: Option<Vec<String>>,
    /// Base URL of the account's own server, where the platform has such.
    pub host: Option<Url>,
    /// The key that the tokens are bound to, where they are.
    pub binding: Option<Secret>,
    /// The app that was registered on the way (Mastodon: one per server).
    pub app: Option<AppCredentials>,
    /// The destinations, in the platform's order.
    pub destinations: Vec<Destination>,
}

/// The part of a kept offer by which it can be given back. The gateway writes offers, whole; the house, which gives
/// back what nobody chose, reads this much of them.
#[derive(Deserialize)]
pub struct KeptOffer {
    /// The provider user behind the grant.
    pub remote_user_id: String,
    grant_token: String,
    refresh_token: Option<String>,
    host: Option<Url>,
    binding: Option<String>,
    /// Id and secret of the app that was registered on the way, where one was.
    app: Option<(String, String)>,
}

impl KeptOffer {
    /// Reads an offer's text.
    #[must_use]
    pub fn read(text: &Secret) -> Option<Self> {
        serde_json::from_str(text.expose()).ok()
    }

    /// What gives it back. `app`: the one that its run noted.
    #[must_use]
    pub fn access(&self, app: Option<AppCredentials>) -> Access {
        let secret = |text: &String| Secret::from(text.as_str());
        let own = self.app.as_ref().map(|(client_id, text)| AppCredentials {
            client_id: client_id.clone(),
            client_secret: secret(text),
        });
        Access {
            app: own.or(app),
            host: self.host.clone(),
            remote_id: self.remote_user_id.clone(),
            remote_user_id: self.remote_user_id.clone(),
            token: secret(&self.grant_token),
            grant_token: secret(&self.grant_token),
            refresh_token: self.refresh_token.as_ref().map(secret),
            binding: self.binding.as_ref().map(secret),
        }
    }
}

/// One page, profile or channel that a grant reaches.
#[derive(Debug, Clone)]
pub struct Destination {
    /// What it is: one grant may reach destinations of several kinds (LinkedIn: a member and organizations).
    pub platform: Platform,
    /// Its id at the platform.
    pub remote_id: String,
    /// What people call it.
    pub name: String,
    /// Its own token; `None` = the grant's token publishes there.
    pub token: Option<Secret>,
    /// Whether the user's role there allows publishing.
    pub may_publish: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_shows_in_no_debug() {
        let url = |text: &str| Url::parse(text).expect("a URL");
        let redirect_uri = url("https://mooring.example/connect/callback");
        let request = Authorize {
            app: None,
            redirect_uri: &redirect_uri,
            state: "st_hidden",
            host: None,
            login_hint: Some("ann"),
        };
        let consent = Consent {
            url: url("https://platform.example/dialog?state=st_hidden"),
            kept: Some(Secret::from("st_hidden")),
        };
        let shown = format!("{request:?} {consent:?}");
        assert!(
            shown.contains("ann") && shown.contains("platform.example"),
            "{shown}"
        );
        assert!(!shown.contains("st_hidden"), "{shown}");
    }
}
