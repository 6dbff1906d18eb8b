//! A connection's health: derived from facts and `now`, never stored as truth.

mod account;
pub mod advice;
mod check;
mod failed;
pub mod life;
mod price;
pub mod projection;
mod rights;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

pub use account::{AccountFacts, AccountKind, AccountRole, Publishing};
pub use check::{
    AccountSeen, CheckWork, ConnectionSeen, Observation, TokenSeen, after_check, check_poke,
    next_check,
};
pub use price::{CheckStep, before_check};
pub use rights::{
    Declined, RightOff, declined_scopes, is_of_old_method, may, missing_scopes, rights_off,
};

use crate::{grant::AuthState, policy::Policy, time::Time};

/// How a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Token valid and used lately, scopes complete, account accessible, no end in sight.
    Healthy,
    /// Works, but something wants attention.
    Warning,
    /// Cannot publish.
    Critical,
    /// Not known: the last conclusive check is too old, or there was none.
    Unknown,
    /// A refresh runs right now.
    Refreshing,
}

impl Health {
    /// The name in the database and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Warning => "warning",
            Self::Critical => "critical",
            Self::Unknown => "unknown",
            Self::Refreshing => "refreshing",
        }
    }

    /// Reads the database's name; anything else is unknown.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        [
            Self::Healthy,
            Self::Warning,
            Self::Critical,
            Self::Refreshing,
        ]
        .into_iter()
        .find(|health| health.as_str() == text)
        .unwrap_or(Self::Unknown)
    }
}

/// Why a connection is not healthy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Reason {
    /// The credential is not connected.
    Auth {
        /// The worse of the grant's and the connection's own state.
        state: AuthState,
    },
    /// The credential's own end has come.
    TokenEnded,
    /// Required permissions are missing.
    ScopesMissing {
        /// Which.
        scopes: Vec<String>,
    },
    /// The account cannot be reached or may not be published to.
    Account {
        /// How it stands.
        state: AccountState,
    },
    /// The account cannot be published to, whatever its state.
    NoPublishing {
        /// Why.
        why: Publishing,
    },
    /// A whole series of refreshes failed.
    RefreshExhausted,
    /// The platform itself is not well.
    Provider {
        /// How it is.
        verdict: ProviderVerdict,
    },
    /// The platform was slow or intermittent in the last looks; nobody needs to act, and posts go out.
    ProviderUnsteady,
    /// The credential was taken back again and again soon after it was connected.
    Flapping,
    /// A person has declined permissions, and what depends on them is off.
    ScopesDeclined {
        /// Which.
        scopes: Vec<String>,
    },
    /// The credential ends soon and does not renew itself.
    EndsSoon,
    /// No conclusive check within the freshness limit.
    Stale,
    /// No successful use within the last day.
    Unused,
}

impl Reason {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Auth { .. } => "auth_state",
            Self::TokenEnded => "token_ended",
            Self::ScopesMissing { .. } => "scopes_missing",
            Self::Account { .. } => "account",
            Self::NoPublishing { .. } => "no_publishing",
            Self::RefreshExhausted => "refresh_exhausted",
            Self::Provider { .. } => "provider",
            Self::ProviderUnsteady => "provider_unsteady",
            Self::Flapping => "flapping",
            Self::ScopesDeclined { .. } => "scopes_declined",
            Self::EndsSoon => "ends_soon",
            Self::Stale => "stale",
            Self::Unused => "unused",
        }
    }

    const fn health(&self) -> Health {
        match self {
            Self::Auth { .. }
            | Self::TokenEnded
            | Self::ScopesMissing { .. }
            | Self::Account { .. }
            | Self::NoPublishing { .. }
            | Self::RefreshExhausted => Health::Critical,
            Self::Provider { .. }
            | Self::ProviderUnsteady
            | Self::Flapping
            | Self::ScopesDeclined { .. }
            | Self::EndsSoon
            | Self::Unused => Health::Warning,
            Self::Stale => Health::Unknown,
        }
    }
}

/// Where the destination itself stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    /// Reachable, and we may publish.
    Accessible,
    /// Exists, but the public does not see it.
    Hidden,
    /// Reachable, but the user lost the role that may publish.
    RoleLost,
    /// Suspended, deleted, or out of reach.
    Unavailable,
    /// The user must pass a checkpoint at the platform first.
    Checkpoint,
    /// Not among what the grant reaches any more: not connected.
    Gone,
}

/// Whether a platform itself is well, judged over many connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderVerdict {
    /// Nothing is known against it.
    Normal,
    /// It fails now and then, or is slow.
    Degraded,
    /// It fails.
    Down,
}

impl AccountState {
    /// Whether nothing can be published there as it stands.
    #[must_use]
    pub const fn bars_publishing(self) -> bool {
        matches!(
            self,
            Self::RoleLost | Self::Unavailable | Self::Checkpoint | Self::Gone
        )
    }

    /// The name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accessible => "accessible",
            Self::Hidden => "hidden",
            Self::RoleLost => "role_lost",
            Self::Unavailable => "unavailable",
            Self::Checkpoint => "checkpoint",
            Self::Gone => "gone",
        }
    }

    /// Reads the database's name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Accessible,
            Self::Hidden,
            Self::RoleLost,
            Self::Unavailable,
            Self::Checkpoint,
            Self::Gone,
        ]
        .into_iter()
        .find(|state| state.as_str() == text)
    }
}

/// A platform that has not let us look for a while: it fails, or calls us too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failing {
    /// The first of the looks in a row that told nothing.
    pub since: Time,
    /// The last of them.
    pub last: Time,
}

/// Everything that health is judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The worse of the grant's and the connection's own state.
    pub auth_state: AuthState,
    /// End of what ends the connection: the refresh token where there is one, else the access token.
    pub ends_at: Option<Time>,
    /// Whether it renews itself before that end.
    pub renews_itself: bool,
    /// Required permissions that are not granted.
    pub scopes_missing: Vec<String>,
    /// Optional permissions that are not granted, and what is off without them.
    pub scopes_declined: Vec<Declined>,
    /// Whether the account, as it is, may be published to; `None` = nobody has told.
    pub publishing: Option<Publishing>,
    /// Where the destination stands; `None` before the first check.
    pub account: Option<AccountState>,
    /// Last check that could tell.
    pub checked_at: Option<Time>,
    /// Last successful use of the token.
    pub used_at: Option<Time>,
    /// A whole refresh series failed and none succeeded since.
    pub refresh_exhausted: bool,
    /// End of the lease of a refresh that runs now.
    pub refreshing_until: Option<Time>,
    /// Looks in a row that told nothing because the platform did not answer well.
    pub failed_looks: u16,
    /// Since when the platform has not let us look, while it does not.
    pub failing: Option<Failing>,
    /// Whether the platform itself is well; `None` = nobody has judged it.
    pub provider: Option<ProviderVerdict>,
    /// The grant was taken back again and again soon after it was connected.
    pub flapping: bool,
    /// How seldom the platform is asked, where asking costs money; then news may be that much older.
    pub paid_probe_every: Option<TimeDelta>,
}

/// Health with its reasons, strongest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// The verdict.
    pub health: Health,
    /// What led to it; empty when healthy.
    pub reasons: Vec<Reason>,
}

/// Judges a connection.
///
/// The order is total: link, then end, then scopes, then account, then refresh, then freshness, then what only wants
/// attention. A critical reason beats staleness (a revoked token stays revoked however old the news), staleness beats a warning.
#[must_use]
pub fn assess(facts: &Facts, policy: &Policy, now: Time) -> Assessment {
    let mut reasons = Vec::new();
    if facts.auth_state != AuthState::Connected {
        reasons.push(Reason::Auth {
            state: facts.auth_state,
        });
    } else if facts.ends_at.is_some_and(|end| end <= now) {
        reasons.push(Reason::TokenEnded);
    }
    if !facts.scopes_missing.is_empty() {
        reasons.push(Reason::ScopesMissing {
            scopes: facts.scopes_missing.clone(),
        });
    }
    if let Some(state) = facts
        .account
        .filter(|state| *state != AccountState::Accessible)
    {
        reasons.push(Reason::Account { state });
    }
    if let Some(why) = facts.publishing.and_then(Publishing::denied) {
        reasons.push(Reason::NoPublishing { why });
    }
    if facts.refresh_exhausted {
        reasons.push(Reason::RefreshExhausted);
    }
    let freshness = policy.freshness + facts.paid_probe_every.unwrap_or_default();
    // An account that no check has ever seen is as unknown as one that was not looked at for long.
    let stale = facts.checked_at.is_none_or(|at| at + freshness < now);
    if stale || facts.account.is_none() {
        reasons.push(Reason::Stale);
    }
    warnings(&mut reasons, facts, policy, now);
    Assessment {
        health: verdict(&reasons, facts, now),
        reasons,
    }
}

/// What works, but wants attention: the platform, the credential, its permissions, its end, its use.
fn warnings(reasons: &mut Vec<Reason>, facts: &Facts, policy: &Policy, now: Time) {
    if let Some(verdict) = facts
        .provider
        .filter(|verdict| *verdict != ProviderVerdict::Normal)
    {
        reasons.push(Reason::Provider { verdict });
    }
    if facts.failed_looks >= policy.unsteady_after {
        reasons.push(Reason::ProviderUnsteady);
    }
    if facts.flapping {
        reasons.push(Reason::Flapping);
    }
    if !facts.scopes_declined.is_empty() {
        let scopes = facts.scopes_declined.iter().map(|one| one.scope.clone());
        reasons.push(Reason::ScopesDeclined {
            scopes: scopes.collect(),
        });
    }
    let ends_soon = |end: Time| end > now && end - policy.warning_before <= now;
    if !facts.renews_itself && facts.ends_at.is_some_and(ends_soon) {
        reasons.push(Reason::EndsSoon);
    }
    if facts.used_at.is_none_or(|at| at + policy.used_within < now) {
        reasons.push(Reason::Unused);
    }
}

fn verdict(reasons: &[Reason], facts: &Facts, now: Time) -> Health {
    let has = |health: Health| reasons.iter().any(|reason| reason.health() == health);
    if has(Health::Critical) {
        Health::Critical
    } else if facts.refreshing_until.is_some_and(|until| until > now) {
        Health::Refreshing
    } else if has(Health::Unknown) {
        Health::Unknown
    } else if has(Health::Warning) {
        Health::Warning
    } else {
        Health::Healthy
    }
}

#[cfg(test)]
#[path = "test.rs"]
mod tests;
