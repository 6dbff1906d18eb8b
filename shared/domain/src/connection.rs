//! A connection's health: derived from facts and `now`, never stored as truth.

use serde::{Deserialize, Serialize};

use crate::{
    decision::{Change, Decision, Next, Outcome, Poke},
    event::Event,
    failure::Failure,
    grant::{self, AuthState, GrantFacts},
    id::{ConnectionId, GrantId},
    job::JobKind,
    platform::Platform,
    policy::Policy,
    retry::{Jitter, Schedule},
    time::{Time, seconds},
};

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
        [Self::Healthy, Self::Warning, Self::Critical, Self::Refreshing]
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
    /// A whole series of refreshes failed.
    RefreshExhausted,
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
            Self::RefreshExhausted => "refresh_exhausted",
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
            | Self::RefreshExhausted => Health::Critical,
            Self::EndsSoon | Self::Unused => Health::Warning,
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
}

impl AccountState {
    /// The name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accessible => "accessible",
            Self::Hidden => "hidden",
            Self::RoleLost => "role_lost",
            Self::Unavailable => "unavailable",
            Self::Checkpoint => "checkpoint",
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
        ]
        .into_iter()
        .find(|state| state.as_str() == text)
    }
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
/// The order is total: link, then end, then scopes, then account, then refresh, then freshness. A critical
/// reason beats staleness (a revoked token stays revoked however old the news), staleness beats a warning.
#[must_use]
pub fn assess(facts: &Facts, policy: &Policy, now: Time) -> Assessment {
    let mut reasons = Vec::new();
    if facts.auth_state != AuthState::Connected {
        reasons.push(Reason::Auth { state: facts.auth_state });
    } else if facts.ends_at.is_some_and(|end| end <= now) {
        reasons.push(Reason::TokenEnded);
    }
    if !facts.scopes_missing.is_empty() {
        reasons.push(Reason::ScopesMissing {
            scopes: facts.scopes_missing.clone(),
        });
    }
    if let Some(state) = facts.account.filter(|state| *state != AccountState::Accessible) {
        reasons.push(Reason::Account { state });
    }
    if facts.refresh_exhausted {
        reasons.push(Reason::RefreshExhausted);
    }
    if facts.checked_at.is_none_or(|at| at + policy.freshness < now) {
        reasons.push(Reason::Stale);
    }
    let ends_soon = |end: Time| end > now && end - policy.warning_before <= now;
    if !facts.renews_itself && facts.ends_at.is_some_and(ends_soon) {
        reasons.push(Reason::EndsSoon);
    }
    if facts.used_at.is_none_or(|at| at + policy.used_within < now) {
        reasons.push(Reason::Unused);
    }
    Assessment {
        health: verdict(&reasons, facts, now),
        reasons,
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

/// What a provider's check call saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The credential, where this check looked at it.
    pub token: TokenSeen,
    /// The destination, where it could be seen at all.
    pub account: Option<AccountSeen>,
}

/// What a probe says about a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSeen {
    /// Another connection of the grant has probed it a moment ago; stored facts stand.
    NotProbed,
    /// It works.
    Alive {
        /// End of the access token, where the probe says it.
        access_expires_at: Option<Time>,
        /// Granted permissions, where the probe says them.
        scopes: Option<Vec<String>>,
    },
    /// It does not.
    Dead(Failure),
}

/// What a check says about the destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSeen {
    /// Where it stands.
    pub state: AccountState,
    /// Its name now, where readable.
    pub name: Option<String>,
}

/// What a check leaves behind on the connection's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionSeen {
    /// Where the destination stands.
    pub account: Option<AccountState>,
    /// Its name now.
    pub name: Option<String>,
    /// Required permissions that are missing.
    pub scopes_missing: Vec<String>,
    /// When this was seen.
    pub checked_at: Time,
    /// Whether the token was used with success.
    pub used: bool,
}

/// A connection as a check job loads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckWork {
    /// The connection.
    pub connection: ConnectionId,
    /// Its platform.
    pub platform: Platform,
    /// Its grant.
    pub grant_id: GrantId,
    /// The grant's facts.
    pub grant: GrantFacts,
    /// The connection's facts before this check.
    pub facts: Facts,
    /// The stored health, for events on change.
    pub health: Health,
    /// The stored name, for the rename event.
    pub name: String,
    /// The next post that is due on this connection.
    pub next_post: Option<Time>,
    /// Earlier failed tries of this check.
    pub attempt: u16,
}

/// Turns what a check saw into a decision.
///
/// A failure to look is no news about the connection: it changes nothing, the check is repeated soon.
#[must_use]
pub fn after_check(
    work: &CheckWork,
    seen: Result<Observation, Failure>,
    policy: &Policy,
    now: Time,
    jitter: Jitter,
) -> Decision {
    match seen {
        Ok(observation) => conclude(work, observation, policy, now, jitter),
        Err(Failure::RateLimited { scope, until }) => {
            let until = until.unwrap_or_else(|| now + jitter.spread(policy.check_soon, 50));
            let failure = Failure::RateLimited { scope, until: Some(until) };
            Decision::new(Next::Retry(until), Outcome::Retry(failure))
        }
        Err(failure) => {
            let delay = Schedule::TRANSIENT
                .delay(work.attempt + 1, jitter)
                .unwrap_or(policy.check_soon);
            Decision::new(Next::Retry(now + delay), Outcome::Retry(failure))
        }
    }
}

fn conclude(
    work: &CheckWork,
    observation: Observation,
    policy: &Policy,
    now: Time,
    jitter: Jitter,
) -> Decision {
    let dead = match &observation.token {
        TokenSeen::Dead(failure) => Some(failure.clone()),
        TokenSeen::Alive { .. } | TokenSeen::NotProbed => None,
    };
    let facts = facts_after(work, &observation, dead.as_ref(), now);
    let health = assess(&facts, policy, now);
    let next = next_check(work.next_post, policy, now, jitter);
    let mut decision = Decision::new(Next::At(next), Outcome::Success);
    if let Some(failure) = dead {
        decision = token_verdict(decision, work, &failure, now);
    } else if let TokenSeen::Alive { access_expires_at, scopes } = &observation.token {
        decision = decision.change(Change::GrantProbed {
            grant: work.grant_id,
            token_version: work.grant.token_version,
            access_expires_at: *access_expires_at,
            scopes: scopes.clone(),
            at: now,
        });
    }
    for event in news(work, &observation, &health) {
        decision = decision.event(event);
    }
    decision.change(Change::ConnectionSeen {
        connection: work.connection,
        seen: ConnectionSeen {
            account: facts.account,
            name: observation.account.and_then(|account| account.name),
            scopes_missing: facts.scopes_missing,
            checked_at: now,
            used: facts.used_at == Some(now),
        },
        health,
    })
}

/// A dead token is first of all a reason to refresh; only what no refresh can heal is a verdict.
///
/// While a refresh is begun a 401 is no evidence: the old token may just have been replaced.
fn token_verdict(decision: Decision, work: &CheckWork, failure: &Failure, now: Time) -> Decision {
    if work.grant.refresh_begun {
        return decision;
    }
    if *failure == Failure::TokenExpired && grant::can_refresh(&work.grant, work.platform, now) {
        return decision.poke(grant::refresh_poke(work.grant_id, work.platform, now));
    }
    let Some(state) = AuthState::after(failure) else {
        return decision;
    };
    decision
        .change(Change::GrantState {
            grant: work.grant_id,
            token_version: work.grant.token_version,
            state,
            why: failure.class(),
        })
        .poke(Poke::ChecksOf(work.grant_id, now))
}

fn facts_after(
    work: &CheckWork,
    observation: &Observation,
    dead: Option<&Failure>,
    now: Time,
) -> Facts {
    let mut facts = work.facts.clone();
    facts.checked_at = Some(now);
    if let Some(account) = &observation.account {
        facts.account = Some(account.state);
    }
    if let TokenSeen::Alive { scopes, .. } = &observation.token {
        facts.used_at = Some(now);
        if let Some(granted) = scopes {
            facts.scopes_missing = missing_scopes(work.platform, granted);
        }
    }
    let refresh_may_heal =
        |failure: &Failure| *failure == Failure::TokenExpired && facts.renews_itself;
    if let Some(failure) = dead.filter(|f| !work.grant.refresh_begun && !refresh_may_heal(f)) {
        facts.auth_state = AuthState::after(failure).unwrap_or(facts.auth_state);
        if let Failure::ScopeMissing { scopes } = failure {
            facts.scopes_missing.clone_from(scopes);
        }
    }
    facts
}

/// Required permissions that are not among the granted ones.
#[must_use]
pub fn missing_scopes(platform: Platform, granted: &[String]) -> Vec<String> {
    platform
        .capabilities()
        .required_scopes
        .iter()
        .filter(|scope| !granted.iter().any(|g| g == *scope))
        .map(|scope| (*scope).to_owned())
        .collect()
}

fn news(work: &CheckWork, observation: &Observation, health: &Assessment) -> Vec<Event> {
    let mut events = Vec::new();
    if health.health != work.health {
        events.push(Event::HealthChanged {
            connection: work.connection,
            from: work.health,
            to: health.health,
            reasons: health.reasons.iter().map(|r| r.code().to_owned()).collect(),
        });
    }
    let name = observation.account.as_ref().and_then(|a| a.name.as_ref());
    if let Some(name) = name.filter(|name| **name != work.name) {
        events.push(Event::ConnectionRenamed {
            connection: work.connection,
            name: name.clone(),
        });
    }
    events
}

/// When to look again: hourly, every quarter of an hour while a post is due within a day, and ten
/// minutes before it; always with a spread, so that a fleet does not look all at once.
#[must_use]
pub fn next_check(next_post: Option<Time>, policy: &Policy, now: Time, jitter: Jitter) -> Time {
    let soon = next_post.is_some_and(|due| due <= now + policy.check_horizon);
    let every = if soon { policy.check_soon } else { policy.check_every };
    // Never later than the promised rhythm: the spread is cut off the end.
    let rhythm = now + every - jitter.spread(every / 10, 100).max(seconds(0));
    let preflight = next_post.map(|due| due - policy.preflight).filter(|at| *at > now);
    preflight.map_or(rhythm, |at| at.min(rhythm))
}

/// The check job's poke for a connection.
#[must_use]
pub fn check_poke(connection: ConnectionId, platform: Platform, at: Time) -> Poke {
    Poke::Job {
        kind: JobKind::Check,
        subject: connection.uuid(),
        platform,
        at,
        priority: 500,
    }
}

#[cfg(test)]
#[path = "connection_test.rs"]
mod tests;
