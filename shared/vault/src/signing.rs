//! The keys that sign the days of the proof ledger (Ed25519, RFC 8032), and the checking of such signatures.

use std::{fmt, sync::Arc};

use aes_gcm::{
    Aes256Gcm,
    aead::{Generate, Key},
};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use zeroize::Zeroizing;

use crate::key::{KeyRingError, entry_of};

/// Keys for signing. The first one signs; the others are shown with it, so that they can be handed out before they are
/// put first. A clone shares the keys.
#[derive(Clone)]
pub struct SigningKeys(Arc<[SigningKey]>);

/// A key for signing, with its name.
pub struct SigningKey {
    id: String,
    pair: Ed25519KeyPair,
}

impl SigningKeys {
    /// Reads `id:base64,id2:base64` as [`KeyRing::parse`](crate::KeyRing::parse) does: each key is the 32 bytes that an
    /// Ed25519 key is made of.
    ///
    /// # Errors
    /// A [`KeyRingError`] that names the entry and the fix, and never shows a key.
    pub fn parse(text: &str) -> Result<Self, KeyRingError> {
        let entries = text.split([',', '\n']).map(str::trim);
        let mut keys: Vec<SigningKey> = Vec::new();
        for (index, entry) in entries.filter(|one| !one.is_empty()).enumerate() {
            let (id, seed) = entry_of(entry, index + 1)?;
            let bad = || KeyRingError::BadKey { id: id.to_owned() };
            let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| bad())?;
            if keys.iter().any(|key| key.id == id) {
                return Err(KeyRingError::Twice { id: id.to_owned() });
            }
            keys.push(SigningKey {
                id: id.to_owned(),
                pair,
            });
        }
        if keys.is_empty() {
            return Err(KeyRingError::Empty);
        }
        Ok(Self(keys.into()))
    }

    /// A random key that dies with the process: for tests and the demo.
    #[must_use]
    pub fn generate() -> Self {
        let seed = Zeroizing::new(<[u8; 32]>::from(Key::<Aes256Gcm>::generate()));
        let pair = Ed25519KeyPair::from_seed_unchecked(&*seed);
        let key = SigningKey {
            id: "ephemeral".to_owned(),
            pair: pair.expect("32 bytes make an Ed25519 key"),
        };
        Self(Arc::from([key]))
    }

    /// The key that signs.
    #[must_use]
    pub fn active(&self) -> &SigningKey {
        &self.0[0]
    }

    /// Every key's id and public key.
    pub fn public(&self) -> impl Iterator<Item = (&str, [u8; 32])> {
        self.0.iter().map(|key| (key.id(), key.public()))
    }
}

impl SigningKey {
    /// Its name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What checks its signatures. No secret.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.pair.public_key().as_ref());
        bytes
    }

    /// Signs.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes.copy_from_slice(self.pair.sign(message).as_ref());
        bytes
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(SigningKey::id))
            .finish()
    }
}

/// Whether a signature is of this key over this message.
#[must_use]
pub fn is_signed(public: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public)
        .verify(message, signature)
        .is_ok()
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits = (0..text.len()).step_by(2);
        digits
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex"))
            .collect()
    }

    /// RFC 8032, 7.1, test 2.
    #[test]
    fn signatures_are_those_of_the_rfc() {
        let seed = hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
        let public = hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
        let signature = hex(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        );
        let keys = SigningKeys::parse(&format!("p1:{}", STANDARD.encode(seed))).expect("a key");
        assert_eq!(keys.active().public().to_vec(), public);
        assert_eq!(keys.active().sign(&[0x72]).to_vec(), signature);
        assert!(is_signed(&keys.active().public(), &[0x72], &signature));
        assert!(!is_signed(&keys.active().public(), &[0x73], &signature));
        assert!(!is_signed(
            &keys.active().public(),
            &[0x72],
            &signature[1..]
        ));
    }

    #[test]
    fn nothing_shows_a_key_and_a_bad_one_is_named_by_its_id() {
        let text = crate::new_key_text("p1").expect("a key");
        let keys = SigningKeys::parse(text.expose()).expect("a key ring");
        assert_eq!(format!("{keys:?}"), "[\"p1\"]");
        let twice = format!("{0}\n{0}", text.expose());
        let error = SigningKeys::parse(&twice).expect_err("twice");
        assert!(matches!(error, KeyRingError::Twice { .. }), "{error}");
        let error = SigningKeys::parse("p1:c2hvcnQ=").expect_err("too short");
        assert!(error.to_string().contains("\"p1\""), "{error}");
        assert!(matches!(
            SigningKeys::parse(" \n"),
            Err(KeyRingError::Empty)
        ));
    }
}
