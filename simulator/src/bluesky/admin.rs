//! Acts on the sessions of OAuth.

use axum::extract::{Path, State};
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::oauth;
use crate::admin::{Admin, AdminError, SimSecret};
use crate::clock::rfc3339;

/// A session of OAuth that somebody has consented to.
#[derive(Clone, Debug, Serialize)]
pub struct BlueskyGrant {
    /// The account.
    pub did: String,
    /// Access token, bound to `binding`.
    pub access_token: SimSecret,
    /// Its end, as RFC 3339.
    pub access_expires_at: String,
    /// Refresh token; it works once.
    pub refresh_token: SimSecret,
    /// Its end, as RFC 3339.
    pub refresh_expires_at: String,
    /// The private key that the tokens are bound to, a JWK.
    pub binding: SimSecret,
    /// Granted permissions.
    pub scopes: Vec<String>,
    /// Id of the client that it was given to.
    pub client_id: String,
    /// The client's private key, a JWK.
    pub client_key: SimSecret,
}

impl Admin {
    /// Opens a session of the registered client, as if the account's owner had consented now.
    pub fn grant_bluesky_oauth(&self, did: &str) -> Result<BlueskyGrant, AdminError> {
        let granted = self.with(|w| {
            w.bluesky.account(did)?;
            let issued = oauth::open(w, did)?;
            let (access_end, refresh_end) = oauth::ends(w.now);
            let (client_id, client_key) = w.bluesky.oauth.registered_client();
            Some(BlueskyGrant {
                did: did.to_owned(),
                access_token: SimSecret(issued.access_token),
                access_expires_at: rfc3339(access_end),
                refresh_token: SimSecret(issued.refresh_token),
                refresh_expires_at: rfc3339(refresh_end),
                binding: SimSecret(issued.key),
                scopes: issued.scope.split(' ').map(str::to_owned).collect(),
                client_id: client_id.to_owned(),
                client_key: SimSecret(client_key),
            })
        });
        granted.ok_or_else(|| AdminError::not_found("account", did))
    }

    /// Sets how many bytes a blob may have (a server's operator does; usual are 52,428,800).
    pub fn set_bluesky_blob_limit(&self, bytes: usize) {
        self.with(|w| w.bluesky.blob_limit = bytes);
    }
}

/// The same over HTTP.
pub(super) fn routes() -> Router<Admin> {
    Router::new()
        .route("/accounts/{did}/oauth", post(grant))
        .route("/blob-limit", post(limit_blobs))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BlobLimit {
    bytes: usize,
}

async fn limit_blobs(State(admin): State<Admin>, Json(limit): Json<BlobLimit>) -> Json<Value> {
    admin.set_bluesky_blob_limit(limit.bytes);
    Json(json!({}))
}

async fn grant(
    State(admin): State<Admin>,
    Path(did): Path<String>,
) -> Result<Json<BlueskyGrant>, AdminError> {
    Ok(Json(admin.grant_bluesky_oauth(&did)?))
}
