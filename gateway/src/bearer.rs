//! Texts that open something for whoever bears them: keys to the API, states of connecting, reconnect links.
//!
//! Each has 256 random bits, is shown once, and is stored as its SHA-256 only: with so much chance in it, a slower
//! hash would add nothing but time for whoever sends nonsense.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use mooring_vault::Secret;
use sha2::{Digest as _, Sha256};

/// A new one, behind a prefix that says what it is.
pub(crate) fn mint(prefix: &str) -> Secret {
    let chance: [u8; 32] = rand::random();
    Secret::from(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(chance)))
}

/// What is stored of it: SHA-256 in hex.
pub(crate) fn digest(text: impl AsRef<[u8]>) -> String {
    hex::encode(Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_are_never_equal_and_only_the_digest_tells_them_apart() {
        let (one, two) = (mint("mk_"), mint("mk_"));
        assert_ne!(one, two);
        assert_eq!(one.expose().len(), "mk_".len() + 43);
        assert_ne!(digest(one.expose()), digest(two.expose()));
        assert_eq!(digest("a").len(), 64);
    }
}
