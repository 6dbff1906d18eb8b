//! Signed tokens of the caller: ES256 over P-256, as compact JWS.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use rand::Rng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A token in its parts, not yet verified.
pub(super) struct Jws {
    pub(super) header: Value,
    pub(super) claims: Value,
    signed: String,
    signature: Signature,
}

impl Jws {
    /// Reads a token; nothing when it is none that is signed with ES256.
    pub(super) fn parse(token: &str) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let read = |part: &str| -> Option<Value> {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
        };
        let header = read(header)?;
        if header["alg"] != "ES256" {
            return None;
        }
        Some(Self {
            header,
            claims: read(claims)?,
            signed: signed.to_owned(),
            signature: Signature::from_slice(&URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?,
        })
    }

    /// Whether that key made it.
    pub(super) fn is_signed_by(&self, key: &VerifyingKey) -> bool {
        key.verify(self.signed.as_bytes(), &self.signature).is_ok()
    }

    /// A claim's text, empty when it is not there.
    pub(super) fn text(&self, name: &str) -> &str {
        self.claims[name].as_str().unwrap_or("")
    }
}

/// A key from 32 random bytes; nearly all of them are one.
pub(crate) fn new_key(rng: &mut StdRng) -> SigningKey {
    loop {
        let bytes: [u8; 32] = rng.random();
        if let Ok(key) = SigningKey::from_slice(&bytes) {
            return key;
        }
    }
}

/// The public key of a JWK; nothing for another curve, and for a key that shows its secret.
pub(super) fn public_key(jwk: &Value) -> Option<VerifyingKey> {
    if jwk["kty"] != "EC" || jwk["crv"] != "P-256" || !jwk["d"].is_null() {
        return None;
    }
    let mut point = vec![4];
    for name in ["x", "y"] {
        let part = URL_SAFE_NO_PAD.decode(jwk[name].as_str()?).ok()?;
        if part.len() != 32 {
            return None;
        }
        point.extend(part);
    }
    VerifyingKey::from_sec1_bytes(&point).ok()
}

/// RFC 7638.
pub(super) fn thumbprint(key: &VerifyingKey) -> String {
    let (x, y) = coordinates(key);
    let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))
}

pub(super) fn public_jwk(key: &VerifyingKey) -> Value {
    let (x, y) = coordinates(key);
    json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y })
}

pub(super) fn private_jwk(key: &SigningKey) -> Value {
    let mut jwk = public_jwk(key.verifying_key());
    jwk["d"] = URL_SAFE_NO_PAD.encode(key.to_bytes()).into();
    jwk
}

fn coordinates(key: &VerifyingKey) -> (String, String) {
    let point = key.to_sec1_point(false);
    let bytes = point.as_bytes();
    (
        URL_SAFE_NO_PAD.encode(&bytes[1..33]),
        URL_SAFE_NO_PAD.encode(&bytes[33..65]),
    )
}
