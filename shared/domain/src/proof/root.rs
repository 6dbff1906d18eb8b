//! The signed root of a day.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{Digest, canonical};
use crate::{id::WorkspaceId, time::Time};

/// A day in UTC.
pub type Day = NaiveDate;

/// In front of what is signed, so that no signature of ours over anything else can be taken for one over a root.
const CONTEXT: &[u8] = b"mooring-ledger-root-v1\n";

/// What is signed about a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// [`VERSION`](super::VERSION).
    pub v: u32,
    /// Whose chain.
    pub workspace: WorkspaceId,
    /// The day in UTC: the entries that were appended on it.
    pub day: Day,
    /// The number of its first entry: one more than the last of the day before that has a root.
    pub first: u64,
    /// The number of its last entry.
    pub last: u64,
    /// The root of the Merkle tree over its entries, in their order.
    pub root: Digest,
    /// The hash of the statement before it; `None` for the first: a day that is taken out is missed.
    pub previous: Option<Digest>,
    /// How often the database had been restored from a backup: a second root for one day is explained by this alone.
    pub restores: u64,
    /// The id of the key that signs.
    pub key: String,
    /// When it was signed, in epoch milliseconds.
    pub signed_at: i64,
}

impl Statement {
    /// The bytes that are signed: the context, and the canonical text.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        [CONTEXT, canonical::of(self).as_bytes()].concat()
    }

    /// What the next statement carries of this one.
    #[must_use]
    pub fn hash(&self) -> Digest {
        Digest::of(&[&self.message()])
    }

    /// How many entries the day has.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.last.saturating_sub(self.first).saturating_add(1)
    }
}

/// A statement with its signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// What is signed.
    pub statement: Statement,
    /// Ed25519 over [`Statement::message`], in lower-case hex.
    pub signature: String,
}

/// The day of an instant.
pub(super) fn day_of(at: Time) -> Day {
    at.date_naive()
}

/// The first moment of the day after.
pub(super) fn end_of(day: Day) -> Time {
    let next = day.succ_opt().unwrap_or(day);
    next.and_time(chrono::NaiveTime::MIN).and_utc()
}
