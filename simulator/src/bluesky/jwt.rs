//! HS256 tokens in the shape of the real server's: clients may read `exp`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// What a token is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Access,
    Refresh,
}

/// The claims; times in unix seconds.
#[derive(Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) scope: String,
    pub(crate) sub: String,
    pub(crate) aud: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) jti: Option<String>,
    pub(crate) iat: i64,
    pub(crate) exp: i64,
    /// Ours alone: the account's generation, see `Account::generation`.
    #[serde(default)]
    pub(crate) generation: u64,
    /// The key that a token of OAuth is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cnf: Option<Confirmation>,
    /// Whom a token of OAuth was issued for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_id: Option<String>,
    /// Who issued a token of OAuth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) iss: Option<String>,
}

/// A key, by its thumbprint.
#[derive(Serialize, Deserialize)]
pub(crate) struct Confirmation {
    pub(crate) jkt: String,
}

const ACCESS_HEADER: &str = r#"{"typ":"at+jwt","alg":"HS256"}"#;
const REFRESH_HEADER: &str = r#"{"typ":"refresh+jwt","alg":"HS256"}"#;

/// Makes a token.
pub(crate) fn sign(key: &[u8], kind: Kind, claims: &Claims) -> String {
    let header = match kind {
        Kind::Access => ACCESS_HEADER,
        Kind::Refresh => REFRESH_HEADER,
    };
    let payload = serde_json::to_vec(claims).expect("claims are plain data");
    let (header, payload) = (
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(payload),
    );
    let signature = URL_SAFE_NO_PAD.encode(mac(key, &header, &payload).finalize().into_bytes());
    format!("{header}.{payload}.{signature}")
}

/// The kind and claims of a token of ours; nothing for any other text. The
/// time is not looked at.
pub(crate) fn verify(key: &[u8], token: &str) -> Option<(Kind, Claims)> {
    let mut parts = token.split('.');
    let (header, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    mac(key, header, payload).verify_slice(&signature).ok()?;
    let kind = match URL_SAFE_NO_PAD.decode(header).ok()?.as_slice() {
        h if h == ACCESS_HEADER.as_bytes() => Kind::Access,
        h if h == REFRESH_HEADER.as_bytes() => Kind::Refresh,
        _ => return None,
    };
    Some((kind, payload_claims(payload)?))
}

/// The subject that a token claims, unchecked: good for counting only.
pub(crate) fn peek_subject(token: &str) -> Option<String> {
    payload_claims(token.split('.').nth(1)?).map(|c| c.sub)
}

/// The id of a token, unchecked.
pub(crate) fn peek_token_id(token: &str) -> Option<String> {
    payload_claims(token.split('.').nth(1)?)?.jti
}

fn payload_claims(payload: &str) -> Option<Claims> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

fn mac(key: &[u8], header: &str, payload: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::new_from_slice(key).expect("HMAC takes keys of every length");
    mac.update(header.as_bytes());
    mac.update(b".");
    mac.update(payload.as_bytes());
    mac
}
