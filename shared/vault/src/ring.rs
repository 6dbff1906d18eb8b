//! The key ring: seals with its active key, opens with any of them.
//!
//! The sealed form is `version (1 byte) ‖ id length (1 byte) ‖ key id ‖ nonce (12 bytes) ‖ ciphertext and tag`.
//! The nonce is random; with 96 bits a key stays far from its limit of 2^32 sealings (NIST SP 800-38D, §8.3)
//! for any fleet that rotates keys now and then.

use std::fmt::{self, Display};
use std::path::Path;
use std::sync::Arc;

use aes_gcm::aead::{Aead, Generate, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use zeroize::Zeroize;

use crate::Secret;
use crate::key::{KeyRingError, NamedKey};

/// The first byte of everything this version seals.
const VERSION: u8 = 1;
/// The id of a key that dies with its process. It has a character that no configured key may have.
const EPHEMERAL: &str = "(ephemeral)";
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// The cell a secret belongs to. It is authenticated with the ciphertext, not stored in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    table: &'static str,
    row: String,
    column: &'static str,
}

impl Place {
    /// The cell `column` of the row with primary key `row` in `table`.
    #[must_use]
    pub fn new(table: &'static str, row: impl Display, column: &'static str) -> Self {
        Self {
            table,
            row: row.to_string(),
            column,
        }
    }

    /// Version, key and place as associated data; each part carries its length, so no two places read alike.
    fn associated_data(&self, key_id: &str) -> Vec<u8> {
        let parts = [key_id, self.table, &self.row, self.column];
        let mut data = Vec::with_capacity(1 + parts.iter().map(|p| p.len() + 8).sum::<usize>());
        data.push(VERSION);
        for part in parts {
            data.extend_from_slice(&(part.len() as u64).to_be_bytes());
            data.extend_from_slice(part.as_bytes());
        }
        data
    }
}

/// Why a ciphertext does not open.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The ring has no key of that id.
    #[error(
        "no key {0:?} in the key ring: add it to vault.keys, it sealed data that is still stored"
    )]
    UnknownKey(String),
    /// The ciphertext was changed, belongs to another place, or was sealed by another key of the same id.
    #[error(
        "a sealed value does not belong to its place or was changed: restore the row, or ask for a reconnect"
    )]
    Tampered,
    /// The bytes are not something a vault has written.
    #[error(
        "a sealed value is not in a format this version knows: restore the row, or run a newer version"
    )]
    Malformed,
}

/// A set of keys. The active one seals, every one opens. Until another is [activated](KeyRing::activate), the first
/// one is the active one.
///
/// A clone shares the keys, and has an active one of its own.
#[derive(Clone)]
pub struct KeyRing {
    keys: Arc<[NamedKey]>,
    active: usize,
}

impl KeyRing {
    /// Reads `id:base64,id2:base64`; white space and line ends around entries are ignored.
    ///
    /// # Errors
    /// A [`KeyRingError`] that names the entry and the fix, and never shows a key.
    pub fn parse(text: &str) -> Result<Self, KeyRingError> {
        let entries = text
            .split([',', '\n'])
            .map(str::trim)
            .filter(|e| !e.is_empty());
        let mut keys: Vec<NamedKey> = Vec::new();
        for (index, entry) in entries.enumerate() {
            let key = NamedKey::parse(entry, index + 1)?;
            if keys.iter().any(|k| k.id == key.id) {
                return Err(KeyRingError::Twice { id: key.id });
            }
            keys.push(key);
        }
        if keys.is_empty() {
            Err(KeyRingError::Empty)
        } else {
            Ok(Self {
                keys: keys.into(),
                active: 0,
            })
        }
    }

    /// Reads a key file of the form that [`KeyRing::parse`] reads.
    ///
    /// # Errors
    /// As [`KeyRing::parse`], or [`KeyRingError::File`].
    pub fn from_file(path: &Path) -> Result<Self, KeyRingError> {
        let mut text = std::fs::read_to_string(path).map_err(|source| KeyRingError::File {
            path: path.to_owned(),
            source,
        })?;
        let ring = Self::parse(&text);
        text.zeroize();
        ring
    }

    /// A ring with one random key that dies with the process: for tests and the demo.
    #[must_use]
    pub fn generate() -> Self {
        Self {
            keys: Arc::from([NamedKey::random(EPHEMERAL)]),
            active: 0,
        }
    }

    /// Whether this ring was [generated](KeyRing::generate): what it seals cannot be opened tomorrow.
    #[must_use]
    pub fn is_ephemeral(&self) -> bool {
        self.keys[0].id == EPHEMERAL
    }

    /// Lets another key seal from now on. `false`: the ring has no key of that id, and nothing was changed.
    pub fn activate(&mut self, id: &str) -> bool {
        let found = self.keys.iter().position(|key| key.id == id);
        self.active = found.unwrap_or(self.active);
        found.is_some()
    }

    /// Seals a secret for its place with the active key.
    #[must_use]
    pub fn seal(&self, place: &Place, secret: &Secret) -> Vec<u8> {
        let key = &self.keys[self.active];
        let nonce = Nonce::generate();
        let aad = place.associated_data(&key.id);
        let payload = Payload {
            msg: secret.expose().as_bytes(),
            aad: &aad,
        };
        let ciphertext = key
            .cipher
            .encrypt(&nonce, payload)
            .expect("AES-GCM refuses only inputs beyond 64 GiB, which a credential is not");
        let id_len =
            u8::try_from(key.id.len()).expect("key ids are checked to have at most 32 bytes");
        let mut sealed = Vec::with_capacity(2 + key.id.len() + NONCE_BYTES + ciphertext.len());
        sealed.extend_from_slice(&[VERSION, id_len]);
        sealed.extend_from_slice(key.id.as_bytes());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&ciphertext);
        sealed
    }

    /// Opens what was sealed for this place by any key of the ring.
    ///
    /// # Errors
    /// See [`VaultError`]. No input panics.
    pub fn open(&self, place: &Place, sealed: &[u8]) -> Result<Secret, VaultError> {
        let parts = Parts::split(sealed)?;
        let cipher = self.cipher(parts.key_id)?;
        let aad = place.associated_data(parts.key_id);
        let payload = Payload {
            msg: parts.ciphertext,
            aad: &aad,
        };
        let nonce = Nonce::try_from(parts.nonce).map_err(|_| VaultError::Malformed)?;
        let clear = cipher
            .decrypt(&nonce, payload)
            .map_err(|_| VaultError::Tampered)?;
        String::from_utf8(clear).map(Secret::from).map_err(|error| {
            error.into_bytes().zeroize();
            VaultError::Malformed
        })
    }

    /// True when another key than the active one sealed this: open it and seal it again.
    ///
    /// # Errors
    /// [`VaultError::Malformed`] when the bytes are no sealed value.
    pub fn needs_resealing(&self, sealed: &[u8]) -> Result<bool, VaultError> {
        Ok(Parts::split(sealed)?.key_id != self.keys[self.active].id)
    }

    /// The id of the key that seals.
    #[must_use]
    pub fn active_id(&self) -> &str {
        &self.keys[self.active].id
    }

    /// The ids of all keys, in the ring's order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|key| key.id.as_str())
    }

    /// Whether the ring has a key of this id.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.ids().any(|known| known == id)
    }

    fn cipher(&self, id: &str) -> Result<&Aes256Gcm, VaultError> {
        let key = self.keys.iter().find(|k| k.id == id);
        key.map(|k| &k.cipher)
            .ok_or_else(|| VaultError::UnknownKey(id.to_owned()))
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<&str> = self.ids().collect();
        f.debug_struct("KeyRing")
            .field("ids", &ids)
            .finish_non_exhaustive()
    }
}

/// The id of the key that a sealed value says it was sealed with. Nothing proves it but opening.
///
/// # Errors
/// [`VaultError::Malformed`] when the bytes are no sealed value.
pub fn key_id_of(sealed: &[u8]) -> Result<&str, VaultError> {
    Ok(Parts::split(sealed)?.key_id)
}

/// A sealed value taken apart, nothing of it trusted yet.
struct Parts<'a> {
    key_id: &'a str,
    nonce: &'a [u8],
    ciphertext: &'a [u8],
}

impl<'a> Parts<'a> {
    fn split(sealed: &'a [u8]) -> Result<Self, VaultError> {
        let [VERSION, id_len, rest @ ..] = sealed else {
            return Err(VaultError::Malformed);
        };
        let (id, rest) = rest
            .split_at_checked(usize::from(*id_len))
            .ok_or(VaultError::Malformed)?;
        let (nonce, ciphertext) = rest
            .split_at_checked(NONCE_BYTES)
            .ok_or(VaultError::Malformed)?;
        if ciphertext.len() < TAG_BYTES {
            return Err(VaultError::Malformed);
        }
        let key_id = std::str::from_utf8(id).map_err(|_| VaultError::Malformed)?;
        Ok(Self {
            key_id,
            nonce,
            ciphertext,
        })
    }
}

#[cfg(test)]
mod tests;
