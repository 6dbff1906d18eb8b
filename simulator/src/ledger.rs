//! What really came to exist on the platforms, and how often each thing was
//! asked for. Doubles and losses are counted here, from outside the product.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize, Serializer};

use crate::clock::rfc3339;

/// A platform that the simulator plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// Facebook Pages, under `/facebook`.
    Facebook,
    /// Instagram, under `/instagram`; with Facebook Login also on Facebook's Graph API.
    Instagram,
    /// Threads, under `/threads`.
    Threads,
    /// LinkedIn, members and organizations, under `/linkedin`.
    LinkedIn,
    /// X, under `/x`.
    X,
    /// TikTok, under `/tiktok`.
    TikTok,
    /// YouTube and Google's token endpoint, under `/youtube`.
    YouTube,
    /// A Bluesky PDS, under `/bluesky`.
    Bluesky,
    /// A Mastodon server, under `/mastodon`.
    Mastodon,
    /// Telegram's Bot API, under `/telegram`.
    Telegram,
}

/// One post that once existed, whether or not anybody was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LedgerEntry {
    /// Position in the ledger, from 0, in order of creation.
    pub seq: usize,
    /// Where it was published.
    pub platform: Platform,
    /// Page id, or DID.
    pub account: String,
    /// Id at the platform: `{page}_{post}`, an `at://` URI, or `{chat}/{message}[,{message}…]`.
    pub remote_id: String,
    /// Its text now (an edit on the platform changes it).
    pub text: String,
    /// The key that the client chose (Bluesky record key), where there is one.
    pub client_reference: Option<String>,
    /// When it came to exist, in milliseconds since the epoch (RFC 3339 in JSON).
    #[serde(serialize_with = "as_rfc3339")]
    pub created_at: i64,
    /// When it was deleted, if it was.
    #[serde(serialize_with = "as_optional_rfc3339")]
    pub deleted_at: Option<i64>,
    /// How often its content was changed after its creation.
    pub edits: u32,
}

/// All posts of one account with one text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LedgerGroup {
    /// Where.
    pub platform: Platform,
    /// Page id, or DID.
    pub account: String,
    /// The text.
    pub text: String,
    /// How many such posts ever came to exist. More than 1 is a double post.
    pub created: u32,
    /// How many of them exist now.
    pub live: u32,
}

/// The ledger in a few numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LedgerSummary {
    /// Posts that ever came to exist.
    pub posts: usize,
    /// Posts that exist now.
    pub live: usize,
    /// Different (account, text) pairs.
    pub distinct: usize,
    /// Posts beyond the first of their (account, text) pair.
    pub doubled: usize,
    /// Publishes that the platform itself refused as a repetition (506).
    pub refused_duplicates: u64,
    /// The pairs that exist more than once.
    pub doubles: Vec<LedgerGroup>,
}

/// Append-only list of posts with an index by remote id.
#[derive(Default)]
pub(crate) struct Ledger {
    entries: Vec<LedgerEntry>,
    newest_by_remote_id: HashMap<String, usize>,
    pub(crate) refused_duplicates: u64,
}

impl Ledger {
    /// A post came to exist.
    pub(crate) fn created(&mut self, post: &NewPost<'_>, now: i64) {
        let seq = self.entries.len();
        self.newest_by_remote_id
            .insert(post.remote_id.to_owned(), seq);
        self.entries.push(LedgerEntry {
            seq,
            platform: post.platform,
            account: post.account.to_owned(),
            remote_id: post.remote_id.to_owned(),
            text: post.text.to_owned(),
            client_reference: post.client_reference.map(str::to_owned),
            created_at: now,
            deleted_at: None,
            edits: 0,
        });
    }

    /// A post was deleted, by whomever.
    pub(crate) fn deleted(&mut self, remote_id: &str, now: i64) {
        if let Some(entry) = self.entry_mut(remote_id) {
            entry.deleted_at.get_or_insert(now);
        }
    }

    /// A post's content was changed.
    pub(crate) fn edited(&mut self, remote_id: &str, text: &str) {
        if let Some(entry) = self.entry_mut(remote_id) {
            text.clone_into(&mut entry.text);
            entry.edits += 1;
        }
    }

    /// Entries from `after` on, at most `limit`, of one account when given.
    pub(crate) fn page(&self, filter: &LedgerFilter) -> Vec<LedgerEntry> {
        let fits = |e: &&LedgerEntry| {
            filter.platform.is_none_or(|p| p == e.platform)
                && filter.account.as_ref().is_none_or(|a| *a == e.account)
        };
        let limit = filter.limit.unwrap_or(usize::MAX);
        let from = filter.from.unwrap_or(0).min(self.entries.len());
        self.entries[from..]
            .iter()
            .filter(fits)
            .take(limit)
            .cloned()
            .collect()
    }

    /// Every (account, text) pair, in a stable order.
    pub(crate) fn groups(&self) -> Vec<LedgerGroup> {
        let mut counts: BTreeMap<(Platform, &str, &str), (u32, u32)> = BTreeMap::new();
        for e in &self.entries {
            let count = counts.entry((e.platform, &e.account, &e.text)).or_default();
            count.0 += 1;
            count.1 += u32::from(e.deleted_at.is_none());
        }
        let group =
            |((platform, account, text), (created, live)): ((_, &str, &str), _)| LedgerGroup {
                platform,
                account: account.to_owned(),
                text: text.to_owned(),
                created,
                live,
            };
        counts.into_iter().map(group).collect()
    }

    pub(crate) fn summary(&self) -> LedgerSummary {
        let groups = self.groups();
        LedgerSummary {
            posts: self.entries.len(),
            live: self
                .entries
                .iter()
                .filter(|e| e.deleted_at.is_none())
                .count(),
            distinct: groups.len(),
            doubled: self.entries.len() - groups.len(),
            refused_duplicates: self.refused_duplicates,
            doubles: groups.into_iter().filter(|g| g.created > 1).collect(),
        }
    }

    fn entry_mut(&mut self, remote_id: &str) -> Option<&mut LedgerEntry> {
        let index = *self.newest_by_remote_id.get(remote_id)?;
        self.entries.get_mut(index)
    }
}

/// A post at the moment it comes to exist.
pub(crate) struct NewPost<'a> {
    pub(crate) platform: Platform,
    pub(crate) account: &'a str,
    pub(crate) remote_id: &'a str,
    pub(crate) text: &'a str,
    pub(crate) client_reference: Option<&'a str>,
}

/// Which part of the ledger is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerFilter {
    /// Only this platform.
    pub platform: Option<Platform>,
    /// Only this page id or DID.
    pub account: Option<String>,
    /// From this `seq` on.
    pub from: Option<usize>,
    /// At most so many entries.
    pub limit: Option<usize>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes fields by reference"
)]
fn as_rfc3339<S: Serializer>(ms: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&rfc3339(*ms))
}

#[expect(clippy::ref_option, reason = "serde passes fields by reference")]
fn as_optional_rfc3339<S: Serializer>(ms: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
    ms.map(rfc3339).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post<'a>(id: &'a str, text: &'a str) -> NewPost<'a> {
        NewPost {
            platform: Platform::Bluesky,
            account: "did:plc:a",
            remote_id: id,
            text,
            client_reference: None,
        }
    }

    #[test]
    fn a_double_stays_a_double_when_one_of_the_two_is_deleted() {
        let mut ledger = Ledger::default();
        ledger.created(&post("1", "hello"), 10);
        ledger.created(&post("2", "hello"), 20);
        ledger.created(&post("3", "other"), 30);
        ledger.deleted("2", 40);
        let summary = ledger.summary();
        assert_eq!(
            (
                summary.posts,
                summary.live,
                summary.distinct,
                summary.doubled
            ),
            (3, 2, 2, 1)
        );
        assert_eq!(
            (summary.doubles[0].created, summary.doubles[0].live),
            (2, 1)
        );
    }

    #[test]
    fn a_hundred_thousand_posts_are_summed_up_without_a_quadratic_step() {
        let mut ledger = Ledger::default();
        for n in 0..100_000 {
            let id = n.to_string();
            ledger.created(&post(&id, &id), n);
            ledger.deleted(&id, n);
        }
        assert_eq!(ledger.summary().distinct, 100_000);
        let filter = LedgerFilter {
            from: Some(99_998),
            ..LedgerFilter::default()
        };
        assert_eq!(ledger.page(&filter).len(), 2);
    }
}
