//! The hand behind the platforms: makes accounts, breaks them, reads the
//! ledger. [`Admin`] is for tests in the same process; `http.rs` offers the
//! same under `/admin`.

mod bluesky;
mod facebook;
pub(crate) mod http;
mod identity;

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Serialize, Serializer};

pub use bluesky::{BlueskyAccount, BlueskyTokenAction, NewBlueskyAccounts};
pub use facebook::{
    FacebookApp, FacebookPage, FacebookUser, NewFacebookApp, NewFacebookUsers, PageState,
};

use crate::calls::CallReport;
use crate::clock::SimClock;
use crate::faults::{Fault, FaultError, FaultReport};
use crate::ledger::{LedgerEntry, LedgerFilter, LedgerGroup, LedgerSummary, Platform};
use crate::limits::Limits;
use crate::outbox::Delivery;
use crate::sites::{self, Account};
use crate::world::{Shared, World};

/// Control over a running simulator. Clones control the same one.
#[derive(Clone)]
pub struct Admin {
    shared: Arc<Shared>,
}

/// Why an act of the admin API is refused.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// There is no such thing in the simulated world.
    #[error("there is no {what} {id:?} here: create it first")]
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// By which id.
        id: String,
    },
    /// That id or handle is taken.
    #[error("{what} {id:?} exists already: choose another")]
    Taken {
        /// What was to be created.
        what: &'static str,
        /// With which id.
        id: String,
    },
    /// The fault rule is wrong.
    #[error(transparent)]
    Fault(#[from] FaultError),
    /// The clock cannot be moved.
    #[error(transparent)]
    Clock(#[from] crate::clock::ClockError),
}

impl AdminError {
    pub(crate) fn not_found(what: &'static str, id: &str) -> Self {
        Self::NotFound {
            what,
            id: id.to_owned(),
        }
    }
}

/// A token, password or secret of the simulated world. It goes out in JSON, but
/// not into debug output, so that logs of tests stay clean.
#[derive(Clone, PartialEq, Eq)]
pub struct SimSecret(pub(crate) String);

impl Deref for SimSecret {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SimSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Serialize for SimSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl Admin {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        self.shared.with(act)
    }

    /// The clock of the platforms.
    #[must_use]
    pub fn clock(&self) -> SimClock {
        self.with(|w| w.clock.clone())
    }

    /// Puts a fault rule in force. Returns its id.
    pub fn add_fault(&self, fault: Fault) -> Result<u64, FaultError> {
        self.with(|w| w.faults.add(fault))
    }

    /// Takes one fault rule away.
    pub fn remove_fault(&self, id: u64) -> Result<(), AdminError> {
        let removed = self.with(|w| w.faults.remove(Some(id)));
        if removed {
            Ok(())
        } else {
            Err(AdminError::not_found("fault", &id.to_string()))
        }
    }

    /// Takes all fault rules away. Their hits stay counted.
    pub fn clear_faults(&self) {
        self.with(|w| w.faults.remove(None));
    }

    /// Rules in force, and hits per kind since the start.
    #[must_use]
    pub fn faults(&self) -> FaultReport {
        self.with(|w| w.faults.report())
    }

    /// Every post that ever came to exist and fits the filter.
    #[must_use]
    pub fn ledger(&self, filter: &LedgerFilter) -> Vec<LedgerEntry> {
        self.with(|w| w.ledger.page(filter))
    }

    /// All posts grouped by account and text: each group of a sound run has
    /// `created == 1`.
    #[must_use]
    pub fn ledger_groups(&self) -> Vec<LedgerGroup> {
        self.with(|w| w.ledger.groups())
    }

    /// The ledger in a few numbers.
    #[must_use]
    pub fn ledger_summary(&self) -> LedgerSummary {
        self.with(|w| w.ledger.summary())
    }

    /// Every call since the start.
    #[must_use]
    pub fn calls(&self) -> CallReport {
        self.with(|w| w.calls.report())
    }

    /// How often an account (page, user or DID) was asked for an operation.
    #[must_use]
    pub fn calls_of(&self, account: &str, operation: &str) -> u64 {
        let rows = self.calls().by_account.into_iter();
        let fits = rows.filter(|c| c.account == account && c.operation.as_str() == operation);
        fits.map(|c| c.count.calls).sum()
    }

    /// A fresh account that somebody has connected by this way in (`facebook`, `linkedin_page`).
    pub fn account(&self, way: &str) -> Result<Account, AdminError> {
        let mut found = sites::SITES
            .iter()
            .filter_map(|site| (site.account)(self, way));
        found
            .next()
            .ok_or_else(|| AdminError::not_found("way in", way))
    }

    /// Every webhook that was ever sent or is to be sent, oldest first.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.with(|w| w.outbox.all())
    }

    /// The platforms' own limits.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.with(|w| w.limits.clone())
    }

    /// Sets the platforms' own limits.
    pub fn set_limits(&self, limits: Limits) {
        self.with(|w| w.limits = limits);
    }

    /// Deletes a post on the platform, as its owner or a moderator would.
    pub fn delete_post(&self, platform: Platform, remote_id: &str) -> Result<(), AdminError> {
        let removed = self.with(|w| (sites::of(platform).remove)(w, remote_id));
        if removed {
            Ok(())
        } else {
            Err(AdminError::not_found("live post", remote_id))
        }
    }

    /// Changes a post's text on the platform.
    pub fn edit_post(
        &self,
        platform: Platform,
        remote_id: &str,
        text: &str,
    ) -> Result<(), AdminError> {
        let edited = self.with(|w| (sites::of(platform).edit)(w, remote_id, text));
        if edited {
            Ok(())
        } else {
            Err(AdminError::not_found("live post", remote_id))
        }
    }
}
