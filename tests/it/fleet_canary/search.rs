//! Searching a text for secrets, in the forms in which they could have got into it.

use std::collections::BTreeSet;

use mooring_tests::{Rig, RigAccount, hex};

/// Secrets by name, and the search for them.
pub(super) struct Search(pub(super) Vec<(String, String)>);

/// What no platform ever hears.
const OURS: [&str; 2] = ["vault key", "database password"];

/// A secret shorter than this could be found by chance.
const SHORTEST: usize = 16;

impl Search {
    pub(super) fn new(rig: &Rig, accounts: &[RigAccount]) -> Self {
        let mut secrets: Vec<_> = accounts
            .iter()
            .flat_map(|account| account.secrets.clone())
            .collect();
        secrets.push(("app secret".to_owned(), rig.app.secret.to_string()));
        let (_, key) = rig.key.split_once(':').expect("id:base64");
        secrets.push(("vault key".to_owned(), key.to_owned()));
        let database: url::Url = rig.fleet.env["MOORING_DATABASE_URL"]
            .parse()
            .expect("a URL");
        secrets.push((
            "database password".to_owned(),
            database.password().expect("a password").to_owned(),
        ));
        Self(secrets)
    }

    /// Adds every credential that was on the wire: renewed tokens, and proofs made of secrets.
    pub(super) fn harvest(&mut self, rig: &Rig) {
        const BEFORE: [&str; 9] = [
            "\"accessJwt\":\"",
            "\"refreshJwt\":\"",
            "\"access_token\":\"",
            "access_token=",
            "input_token=",
            "client_secret=",
            "fb_exchange_token=",
            "appsecret_proof=",
            "uthorization: Bearer ",
        ];
        let wire = rig.wire.requests() + &rig.wire.answers();
        let known = self.0.len();
        for before in BEFORE {
            for (at, _) in wire.match_indices(before) {
                let value = &wire[at + before.len()..];
                let end = value
                    .find(|c: char| !c.is_ascii_alphanumeric() && !"-._~".contains(c))
                    .unwrap_or(value.len());
                let value = value[..end].to_owned();
                if value.len() >= SHORTEST && self.0.iter().all(|(_, secret)| *secret != value) {
                    self.0
                        .push((format!("what followed {before} on the wire"), value));
                }
            }
        }
        assert!(
            self.0.len() >= known + 3,
            "tokens were renewed, and their successors are searched for, too"
        );
    }

    /// The search finds each token where it belongs: on the wire to its platform.
    pub(super) fn proves_itself(&self, rig: &Rig) {
        let hits = self.hits("wire", &(rig.wire.requests() + &rig.wire.answers()));
        for (name, _) in self
            .0
            .iter()
            .filter(|(name, _)| !OURS.contains(&name.as_str()))
        {
            assert!(
                hits.iter().any(|hit| hit.contains(name.as_str())),
                "the {name} was never used"
            );
        }
    }

    /// Where secrets were found, without saying them. The end of a token is searched for, in clear, percent-encoded
    /// and in hex: its beginning is the same for all tokens of a platform.
    pub(super) fn hits(&self, place: &str, text: &str) -> Vec<String> {
        let mut hits = BTreeSet::new();
        for (name, secret) in &self.0 {
            assert!(
                secret.len() >= SHORTEST,
                "the {name} is too short to be searched for"
            );
            let tail = &secret[secret.len() - SHORTEST..];
            let encoded = url::form_urlencoded::byte_serialize(tail.as_bytes()).collect();
            for needle in BTreeSet::from([tail.to_owned(), encoded, hex(tail.as_bytes())]) {
                for (at, _) in text.match_indices(&needle) {
                    hits.insert(format!(
                        "the {name} is in the {place}, behind: {}",
                        self.before(&text[..at])
                    ));
                }
            }
        }
        hits.into_iter().collect()
    }

    /// The last words before a secret, without it and others.
    fn before(&self, text: &str) -> String {
        let from = text.floor_char_boundary(text.len().saturating_sub(4_000));
        let words = text[from..]
            .trim_end_matches(|c: char| c.is_ascii_alphanumeric() || "-._~%+/".contains(c));
        let words = self.0.iter().fold(words.to_owned(), |words, (_, secret)| {
            words.replace(secret, "***")
        });
        words
            .chars()
            .skip(words.chars().count().saturating_sub(60))
            .collect()
    }
}
