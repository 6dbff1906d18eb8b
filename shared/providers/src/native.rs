//! Addresses that people see, and which post of an account they lead to.

use url::Url;

/// Which post an address leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostAt {
    /// This one of the account's own.
    Ours {
        /// Its id at the platform.
        remote_id: String,
    },
    /// None of the account's: another account's, or gone.
    NotOurs,
    /// The platform's addresses do not tell, or this is none of them.
    Unreadable,
}

impl PostAt {
    pub(crate) fn ours(remote_id: impl Into<String>) -> Self {
        Self::Ours {
            remote_id: remote_id.into(),
        }
    }
}

/// An address's path, where its host is one of these or below one of them.
pub(crate) fn path_at(url: &Url, hosts: &[&str]) -> Option<Vec<String>> {
    let host = url.host_str()?.to_ascii_lowercase();
    let fits = |one: &&str| host == **one || host.ends_with(&format!(".{one}"));
    if !matches!(url.scheme(), "https" | "http") || !hosts.iter().any(fits) {
        return None;
    }
    Some(segments(url))
}

/// The parts of an address's path.
pub(crate) fn segments(url: &Url) -> Vec<String> {
    let parts = url.path_segments().into_iter().flatten();
    parts
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The part that follows one of these words.
pub(crate) fn after<'a>(path: &'a [String], words: &[&str]) -> Option<&'a str> {
    let place = path
        .iter()
        .position(|part| words.contains(&part.as_str()))?;
    path.get(place + 1).map(String::as_str)
}

/// A number in digits, as most platforms name posts.
pub(crate) fn is_number(text: &str) -> bool {
    (1..=25).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_counts_only_at_its_platform() {
        let path = |text: &str| path_at(&text.parse().expect("a URL"), &["x.com"]);
        assert_eq!(
            path("https://x.com/i/status/7?s=20").as_deref(),
            Some(&["i", "status", "7"].map(str::to_owned)[..])
        );
        assert!(path("https://mobile.x.com/i/status/7").is_some());
        assert!(path("https://x.com.evil.example/i/status/7").is_none());
        assert!(path("https://evilx.com/i/status/7").is_none());
        assert!(path("file://x.com/i/status/7").is_none());
    }
}
