//! JSON of OAuth: what servers say about themselves (RFC 8414, RFC 9728), and their answers.

use mooring_domain::Failure;
use mooring_vault::Secret;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::super::wire::secret;

/// Whom a server takes tokens from.
#[derive(Debug, Deserialize)]
pub(super) struct ProtectedResource {
    #[serde(default)]
    pub(super) authorization_servers: Vec<String>,
}

/// An authorization server.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Metadata {
    pub(super) issuer: String,
    pub(super) authorization_endpoint: Url,
    pub(super) token_endpoint: Url,
    pub(super) pushed_authorization_request_endpoint: Url,
    #[serde(default)]
    pub(super) revocation_endpoint: Option<Url>,
}

/// Answer to a pushed request.
#[derive(Debug, Deserialize)]
pub(super) struct Pushed {
    pub(super) request_uri: String,
}

/// Answer of the token endpoint.
#[derive(Deserialize)]
pub(super) struct Tokens {
    #[serde(deserialize_with = "secret")]
    pub(super) access_token: Secret,
    pub(super) token_type: String,
    #[serde(default, deserialize_with = "optional_secret")]
    pub(super) refresh_token: Option<Secret>,
    #[serde(default)]
    pub(super) scope: String,
    #[serde(default)]
    pub(super) expires_in: Option<i64>,
    /// The account's DID.
    pub(super) sub: String,
}

fn optional_secret<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Secret>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    Ok(text.filter(|text| !text.is_empty()).map(Secret::from))
}

/// What is kept between the request and the code.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    /// The server that was asked.
    pub(super) issuer: String,
    /// The secret behind the challenge (PKCE).
    pub(super) verifier: String,
    /// The private key that the tokens will be bound to.
    pub(super) key: Value,
}

impl Kept {
    pub(super) fn seal(&self) -> Result<Secret, Failure> {
        let text = serde_json::to_string(self).map_err(|_| Failure::Contract {
            detail: "what must be kept cannot be written as JSON".to_owned(),
        })?;
        Ok(Secret::from(text))
    }

    /// Without it, a code is worth as little as one that was used up.
    pub(super) fn open(kept: Option<&Secret>) -> Result<Self, Failure> {
        let kept = kept.ok_or(Failure::TokenRevoked)?;
        serde_json::from_str(kept.expose()).map_err(|_| Failure::Contract {
            detail: "what was kept for this code cannot be read: connect again".to_owned(),
        })
    }
}

/// The body of an error.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ErrorBody {
    #[serde(default)]
    pub(super) error: String,
    #[serde(default)]
    pub(super) error_description: String,
}
