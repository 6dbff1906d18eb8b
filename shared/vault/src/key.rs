//! Keys: how they are named, written and made.

use std::path::PathBuf;

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Generate, Key, KeyInit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::Secret;

/// The length of a key in bytes (AES-256).
const KEY_BYTES: usize = 32;
/// The longest key id. An id is stored in front of every ciphertext, so it stays short.
const MAX_ID_BYTES: usize = 32;

/// Why a text is not a key ring. No message repeats any part of a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyRingError {
    /// There is no key at all.
    #[error(
        "the key ring is empty: give at least one key as id:base64, for example from `mooring keys new`"
    )]
    Empty,
    /// An entry has no colon between id and key.
    #[error("key {position} of the ring has no id: write it as id:base64")]
    NoId {
        /// The entry's place in the list, counted from 1.
        position: usize,
    },
    /// An id is empty, too long or has other characters than the allowed ones.
    #[error("key {position} of the ring has a bad id: use 1 to 32 of a-z, 0-9, '-' and '_'")]
    BadId {
        /// The entry's place in the list, counted from 1.
        position: usize,
    },
    /// A key is not base64 of exactly 32 bytes.
    #[error("key {id:?} is not 32 bytes in base64: make one with `mooring keys new`")]
    BadKey {
        /// The id of the bad key.
        id: String,
    },
    /// Two keys have the same id.
    #[error("key id {id:?} appears twice: a ciphertext names its key by id, so ids are unique")]
    Twice {
        /// The id that appears twice.
        id: String,
    },
    /// The key file cannot be read.
    #[error("cannot read the key file {}: check the path and its permissions", path.display())]
    File {
        /// The file that was asked for.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
}

/// A new random key as a ring entry, `id:base64`, to be put into a secret store.
///
/// # Errors
/// [`KeyRingError::BadId`] when the id is not 1 to 32 of a-z, 0-9, `-` and `_`.
pub fn new_key_text(id: &str) -> Result<Secret, KeyRingError> {
    check_id(id, 1)?;
    let key = Key::<Aes256Gcm>::generate();
    let key = Zeroizing::new(<[u8; KEY_BYTES]>::from(key));
    let encoded = Zeroizing::new(STANDARD.encode(*key));
    Ok(Secret::from(format!("{id}:{}", *encoded)))
}

/// A key with its name, ready to use. The raw bytes are wiped once the cipher has expanded them.
pub(crate) struct NamedKey {
    pub(crate) id: String,
    pub(crate) cipher: Aes256Gcm,
}

impl NamedKey {
    /// Reads one `id:base64` entry; `position` counts from 1 and serves the error message.
    pub(crate) fn parse(entry: &str, position: usize) -> Result<Self, KeyRingError> {
        let (id, bytes) = entry_of(entry, position)?;
        let bad_key = |_| KeyRingError::BadKey { id: id.to_owned() };
        let cipher = Aes256Gcm::new_from_slice(&bytes).map_err(bad_key)?;
        Ok(Self {
            id: id.to_owned(),
            cipher,
        })
    }

    /// A random key that no one else will ever hold.
    pub(crate) fn random(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            cipher: Aes256Gcm::new(&Key::<Aes256Gcm>::generate()),
        }
    }
}

/// The id and the bytes of one `id:base64` entry; `position` counts from 1 and serves the error message.
pub(crate) fn entry_of(
    entry: &str,
    position: usize,
) -> Result<(&str, Zeroizing<Vec<u8>>), KeyRingError> {
    let (id, encoded) = entry
        .split_once(':')
        .ok_or(KeyRingError::NoId { position })?;
    let id = id.trim();
    check_id(id, position)?;
    let bad_key = |_| KeyRingError::BadKey { id: id.to_owned() };
    let bytes = STANDARD.decode(encoded.trim()).map_err(bad_key)?;
    Ok((id, Zeroizing::new(bytes)))
}

fn check_id(id: &str, position: usize) -> Result<(), KeyRingError> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    if id.is_empty() || id.len() > MAX_ID_BYTES || !id.bytes().all(allowed) {
        return Err(KeyRingError::BadId { position });
    }
    Ok(())
}
