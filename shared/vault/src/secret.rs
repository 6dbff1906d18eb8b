//! The only type in which a credential travels through the process.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

/// A credential in clear: a token, a password, a client secret.
///
/// It has no `Display` and no `Serialize`, its `Debug` prints `Secret(***)`, its memory is wiped when it is
/// dropped, and equality takes the same time wherever two values differ. The one way to the text is
/// [`Secret::expose`], so `grep expose` finds every place where a credential leaves its wrapper.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// The text in clear. Call it where the text is sent, and store the result nowhere.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// True when the text is empty, which no credential is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(SecretString::from(text))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(SecretString::from(text))
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose()
            .as_bytes()
            .ct_eq(other.expose().as_bytes())
            .into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(
            format!("{:?}", Some(Secret::from("hunter2"))),
            "Some(Secret(***))"
        );
    }

    #[test]
    fn equality_compares_the_text() {
        assert_eq!(Secret::from("a"), Secret::from("a".to_owned()));
        assert_ne!(Secret::from("a"), Secret::from("b"));
        assert_ne!(Secret::from("a"), Secret::from("aa"));
    }

    #[test]
    fn an_empty_text_is_recognised() {
        assert!(Secret::from("").is_empty());
        assert!(!Secret::from(" ").is_empty());
    }
}
