//! Jobs and lanes: what can be due, and which conveyor carries it.

use std::{borrow::Cow, fmt, str::FromStr};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::time::{Time, minutes, seconds};

/// What a job does. Together with its subject it is the job's identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// Prove a connection's token, scopes, account and publish right. Subject: connection.
    Check,
    /// Renew a grant's tokens. Subject: grant.
    Refresh,
    /// Compare a grant's connections with what it reaches. Subject: grant.
    Survey,
    /// Bring a target to its platform. Subject: target.
    Publish,
    /// Look whether an accepted attempt is still live. Subject: attempt.
    Verify,
    /// Merge something that a platform told us on its own. Subject: its row in the inbox.
    News,
    /// Compare the books with each other and repair drift. Subject: nil.
    Reconcile,
    /// Create tomorrow's partitions and drop the oldest. Subject: nil.
    Retention,
    /// Seal stored secrets anew that are not under the active key. Subject: nil.
    Reseal,
    /// Chain what has happened to targets into the proof ledgers, and sign the days that are over. Subject: nil.
    Ledger,
}

/// One conveyor of envelopes: a sorted set in Redis, or its in-process twin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Health checks.
    Check,
    /// Token refreshes.
    Refresh,
    /// Publishes, with a worker pool of their own.
    Publish,
    /// Read-backs.
    Verify,
    /// Everything the house does for itself.
    House,
}

impl JobKind {
    /// Every kind, in the order of the lanes.
    pub const ALL: [Self; 10] = [
        Self::Check,
        Self::Refresh,
        Self::Survey,
        Self::Publish,
        Self::Verify,
        Self::News,
        Self::Reconcile,
        Self::Retention,
        Self::Reseal,
        Self::Ledger,
    ];

    /// The lane that carries this kind.
    #[must_use]
    pub const fn lane(self) -> Lane {
        match self {
            Self::Check | Self::Survey => Lane::Check,
            Self::Refresh => Lane::Refresh,
            Self::Publish => Lane::Publish,
            Self::Verify => Lane::Verify,
            Self::News | Self::Reconcile | Self::Retention | Self::Reseal | Self::Ledger => {
                Lane::House
            }
        }
    }

    /// The name in the database, in envelopes and in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Survey => "survey",
            Self::Refresh => "refresh",
            Self::Publish => "publish",
            Self::Verify => "verify",
            Self::News => "news",
            Self::Reconcile => "reconcile",
            Self::Retention => "retention",
            Self::Reseal => "reseal",
            Self::Ledger => "ledger",
        }
    }

    /// Whether a worker must [begin](crate::job) a job of this kind before it calls anybody:
    /// the calls of these two have effects that must not happen twice.
    #[must_use]
    pub const fn begins(self) -> bool {
        matches!(self, Self::Publish | Self::Refresh)
    }
}

impl Lane {
    /// Every lane.
    pub const ALL: [Self; 5] = [
        Self::Check,
        Self::Refresh,
        Self::Publish,
        Self::Verify,
        Self::House,
    ];

    /// The lane's name: in Redis keys, flags and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Refresh => "refresh",
            Self::Publish => "publish",
            Self::Verify => "verify",
            Self::House => "house",
        }
    }

    /// The kinds that travel on this lane.
    pub fn kinds(self) -> impl Iterator<Item = JobKind> {
        JobKind::ALL
            .into_iter()
            .filter(move |kind| kind.lane() == self)
    }
}

/// How long a claim holds, and how long a job of the lane may run at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseRule {
    /// Length of a lease; a worker extends it every third of this.
    pub lease: TimeDelta,
    /// A job that runs longer is cancelled, and its lease is no longer extended.
    pub hard_cap: TimeDelta,
    /// What must be left of the lease for a job to begin.
    pub budget: TimeDelta,
}

impl LeaseRule {
    /// The defaults of design.md §5.
    #[must_use]
    pub const fn default_of(lane: Lane) -> Self {
        match lane {
            Lane::Publish => Self {
                lease: seconds(60),
                hard_cap: minutes(15),
                budget: seconds(10),
            },
            Lane::Refresh => Self {
                lease: seconds(60),
                hard_cap: seconds(60),
                budget: seconds(10),
            },
            Lane::Check | Lane::Verify | Lane::House => Self {
                lease: seconds(30),
                hard_cap: seconds(60),
                budget: seconds(5),
            },
        }
    }
}

/// Identity and fencing token of one claim: who may act on a job.
///
/// A generation comes from a sequence that never restarts, so a fence from before a deletion, a
/// restore or a re-publish can never match a later claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fence {
    /// The job's kind.
    pub kind: JobKind,
    /// What the job is about: a connection, grant, target or attempt, by kind.
    pub subject: Uuid,
    /// The fencing token.
    pub generation: i64,
}

/// One claimed job, as the scheduler sends it and the worker receives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Who may act.
    pub fence: Fence,
    /// Until when.
    pub lease_until: Time,
    /// When the job was due.
    pub due: Time,
    /// Smaller is more urgent; at most 899, so that a lane's score stays exact.
    pub priority: i16,
}

/// A word that names no kind or lane.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is none of: {1}")]
pub struct UnknownName(pub String, pub Cow<'static, str>);

impl FromStr for JobKind {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| {
                UnknownName(
                    text.to_owned(),
                    "check, survey, refresh, publish, verify, news, reconcile, retention, reseal, ledger"
                        .into(),
                )
            })
    }
}

impl FromStr for Lane {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|lane| lane.as_str() == text)
            .ok_or_else(|| {
                UnknownName(
                    text.to_owned(),
                    "check, refresh, publish, verify, house".into(),
                )
            })
    }
}

impl fmt::Display for JobKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
