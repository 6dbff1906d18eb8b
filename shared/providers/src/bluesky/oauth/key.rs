//! Keys on P-256: the one that a grant's tokens are bound to, and the one of our client.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use mooring_domain::{Failure, Time};
use mooring_vault::Secret;
use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A private key. Signs with ES256; its signatures need no randomness (RFC 6979).
pub(super) struct Key {
    signing: SigningKey,
    /// Its name among a client's keys.
    pub(super) id: Option<String>,
    /// When the session that it was made for began, in seconds since 1970.
    pub(super) begun: Option<i64>,
}

/// The members of a JWK (RFC 7517, RFC 7518 §6.2) that are ours to read. `iat` is not registered for keys, and what
/// is not known there is ignored.
#[derive(Serialize, Deserialize)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
    y: String,
    d: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
}

impl Key {
    /// A new key for a session that begins now.
    pub(super) fn fresh(now: Time) -> Self {
        loop {
            let bytes: [u8; 32] = rand::random();
            // All but one in 2^32 of such numbers are a key.
            if let Ok(signing) = SigningKey::from_slice(&bytes) {
                return Self {
                    signing,
                    id: None,
                    begun: Some(now.timestamp()),
                };
            }
        }
    }

    /// Reads a key that was stored; `None` when it is none on this curve.
    fn parse(jwk: &str) -> Option<Self> {
        let jwk: Jwk = serde_json::from_str(jwk).ok()?;
        if jwk.kty != "EC" || jwk.crv != "P-256" {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(jwk.d.trim_end_matches('=')).ok()?;
        Some(Self {
            signing: SigningKey::from_slice(&bytes).ok()?,
            id: jwk.kid,
            begun: jwk.iat,
        })
    }

    /// The key that a grant's tokens are bound to.
    pub(super) fn of_grant(binding: Option<&Secret>) -> Result<Self, Failure> {
        binding
            .and_then(|jwk| Self::parse(jwk.expose()))
            .ok_or_else(|| Failure::Contract {
                detail:
                    "the key of this grant's tokens is missing or cannot be read: connect it again"
                        .to_owned(),
            })
    }

    /// The key of a client that has one: its secret is a JWK then.
    pub(super) fn of_client(secret: &Secret) -> Result<Option<Self>, Failure> {
        if !secret.expose().trim_start().starts_with('{') {
            return Ok(None);
        }
        let key = Self::parse(secret.expose());
        key.map(Some).ok_or(Failure::AppAccess)
    }

    /// The private key as it is stored.
    pub(super) fn to_jwk(&self) -> Secret {
        let (x, y) = self.coordinates();
        let jwk = Jwk {
            kty: "EC".to_owned(),
            crv: "P-256".to_owned(),
            x,
            y,
            d: URL_SAFE_NO_PAD.encode(self.signing.to_bytes()),
            kid: self.id.clone(),
            iat: self.begun,
        };
        let text = serde_json::to_string(&jwk).expect("texts and numbers are JSON");
        Secret::from(text)
    }

    /// The public key.
    pub(super) fn public_jwk(&self) -> Value {
        let (x, y) = self.coordinates();
        json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y })
    }

    /// Header and claims, signed: a compact JWS.
    pub(super) fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature: Signature = self.signing.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }

    fn coordinates(&self) -> (String, String) {
        let point = self.signing.verifying_key().to_sec1_point(false);
        let bytes = point.as_bytes();
        (
            URL_SAFE_NO_PAD.encode(&bytes[1..33]),
            URL_SAFE_NO_PAD.encode(&bytes[33..65]),
        )
    }
}

/// A value that nobody can guess, and that no other call has.
pub(super) fn nonce() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>())
}

#[cfg(test)]
mod tests {
    use mooring_domain::time::from_ms;

    use super::*;

    /// The key of RFC 6979, appendix A.2.5, and its signature of "sample" with SHA-256.
    #[test]
    fn a_known_key_gives_its_known_signature() {
        let bytes = |hex: &str| hex::decode(hex).expect("hex");
        let x = bytes("60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6");
        let y = bytes("7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299");
        let d = bytes("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721");
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let jwk =
            json!({ "kty": "EC", "crv": "P-256", "x": part(&x), "y": part(&y), "d": part(&d) });
        let key = Key::parse(&jwk.to_string()).expect("a key");
        assert_eq!(key.public_jwk()["x"], jwk["x"]);
        assert_eq!(key.public_jwk()["y"], jwk["y"]);
        let signature: Signature = key.signing.sign(b"sample");
        assert_eq!(
            hex::encode_upper(signature.to_bytes()),
            "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716\
             F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
        );
    }

    #[test]
    fn a_stored_key_is_the_same_key() {
        let key = Key::fresh(from_ms(1_795_446_000_000));
        let again = Key::of_grant(Some(&key.to_jwk())).expect("a key");
        assert_eq!(again.public_jwk(), key.public_jwk());
        assert_eq!(again.begun, Some(1_795_446_000));
        assert!(key.public_jwk().get("d").is_none(), "the secret stays here");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for jwk in [
            "",
            "{}",
            r#"{"kty":"EC","crv":"P-384","x":"","y":"","d":""}"#,
        ] {
            assert!(Key::of_grant(Some(&Secret::from(jwk))).is_err(), "{jwk}");
        }
        assert!(Key::of_grant(None).is_err());
        assert!(matches!(Key::of_client(&Secret::from("")), Ok(None)));
        assert!(matches!(
            Key::of_client(&Secret::from("{}")),
            Err(Failure::AppAccess)
        ));
    }
}
