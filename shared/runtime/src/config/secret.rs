//! Configured secrets: readable by the part that needs them, invisible in every print.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use url::Url;
use zeroize::Zeroizing;

/// A secret text. `Debug` and serialization show `***`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// The text in clear.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

/// A URL that may carry a password. `Debug` and serialization show it without credentials and query.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct SecretUrl(Zeroizing<String>);

impl SecretUrl {
    /// The URL as configured, with its credentials.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The URL without user, password and query: fit for logs.
    #[must_use]
    pub fn redacted(&self) -> String {
        let Ok(mut url) = Url::parse(&self.0) else {
            return "***".to_owned();
        };
        let hidden = !url.username().is_empty() || url.password().is_some();
        url.set_query(None);
        url.set_fragment(None);
        if hidden
            && url
                .set_username("***")
                .and_then(|()| url.set_password(None))
                .is_err()
        {
            return "***".to_owned();
        }
        url.to_string()
    }

    /// True when the host is this machine: a loopback address or `localhost`, or the scheme needs no host.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let Ok(url) = Url::parse(&self.0) else {
            return false;
        };
        match url.host_str() {
            Some(host) => is_loopback_host(host),
            None => matches!(url.scheme(), "sqlite" | "unix" | "redis+unix"),
        }
    }

    /// The scheme, or `None` when the text is no URL.
    pub(crate) fn scheme(&self) -> Option<String> {
        Url::parse(&self.0).ok().map(|url| url.scheme().to_owned())
    }
}

/// Whether a host name or address means this machine. A custom scheme keeps addresses as text, so they are parsed.
pub(crate) fn is_loopback_host(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

impl From<String> for SecretUrl {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for SecretUrl {
    fn from(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.redacted())
    }
}

impl Serialize for SecretUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.redacted())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_shows_neither_credentials_nor_query() {
        let url = SecretUrl::from(
            "postgres://fleet:hunter2@db.example:5432/fleet?password=hunter2&sslmode=require",
        );
        assert_eq!(url.redacted(), "postgres://***@db.example:5432/fleet");
        assert_eq!(SecretUrl::from("hunter2 is no url").redacted(), "***");
        assert_eq!(
            format!("{:?}", SecretText::from("hunter2".to_owned())),
            "***"
        );
    }

    #[test]
    fn loopback_is_recognised_in_every_spelling() {
        for url in [
            "postgres://localhost/x",
            "redis://127.0.0.1:1",
            "redis://[::1]:1",
            "http://127.9.9.9/",
            "sqlite::memory:",
        ] {
            assert!(SecretUrl::from(url).is_loopback(), "{url}");
        }
        for url in [
            "postgres://db/x",
            "redis://10.0.0.1",
            "http://127.0.0.1.example.com/",
            "nonsense",
        ] {
            assert!(!SecretUrl::from(url).is_loopback(), "{url}");
        }
    }
}
