//! What a person gives to connect an account, and what becomes of it.

use mooring_domain::Time;
use mooring_vault::Secret;
use url::Url;

use crate::provider::AppCredentials;

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
    /// An authorization code that came back to our redirect URI.
    Code {
        /// Our app.
        app: AppCredentials,
        /// The code; it works once.
        code: Secret,
        /// The redirect URI exactly as it was in [`Provider::authorize_url`](crate::Provider::authorize_url).
        redirect_uri: Url,
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
    /// The destinations, in the platform's order.
    pub destinations: Vec<Destination>,
}

/// One page, profile or channel that a grant reaches.
#[derive(Debug, Clone)]
pub struct Destination {
    /// Its id at the platform.
    pub remote_id: String,
    /// What people call it.
    pub name: String,
    /// Its own token; `None` = the grant's token publishes there.
    pub token: Option<Secret>,
    /// Whether the user's role there allows publishing.
    pub may_publish: bool,
}
