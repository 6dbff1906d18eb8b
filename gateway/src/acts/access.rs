//! Opened credentials, as a call to a platform needs them.

use mooring_providers::{Access, AppCredentials};
use mooring_store::Credentials;

/// The store's credentials in the providers' words.
pub(super) fn access(credentials: &Credentials) -> Access {
    let app = credentials.app.as_ref();
    let host = credentials.host.as_deref();
    Access {
        app: app.map(|(client_id, client_secret)| AppCredentials {
            client_id: client_id.clone(),
            client_secret: client_secret.clone(),
        }),
        host: host.and_then(|host| host.parse().ok()),
        remote_id: credentials.remote_id.clone(),
        remote_user_id: credentials.remote_user_id.clone(),
        token: credentials.token.clone(),
        grant_token: credentials.grant_token.clone(),
        refresh_token: credentials.refresh_token.clone(),
        binding: credentials.binding.clone(),
    }
}
