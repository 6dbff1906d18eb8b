//! What a check sees, and what follows from it.

use super::{
    AccountFacts, AccountState, Assessment, Facts, Health, Publishing, assess, declined_scopes,
    failed::look_again, is_of_old_method, missing_scopes,
};
use crate::{
    decision::{Change, Decision, Next, Outcome, Poke},
    event::Event,
    failure::Failure,
    grant::{self, AuthState, GrantFacts, GrantPast},
    id::{ConnectionId, GrantId},
    job::JobKind,
    platform::Platform,
    policy::Policy,
    retry::Jitter,
    time::{Time, seconds},
};

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
    /// What else the platform told.
    pub about: AccountFacts,
}

impl AccountSeen {
    /// An account of which nothing but its state and perhaps its name was told.
    #[must_use]
    pub fn new(state: AccountState, name: Option<String>) -> Self {
        let about = AccountFacts::default();
        Self { state, name, about }
    }
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
    /// What is known about the account, where this look told something.
    pub about: Option<AccountFacts>,
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
    /// The grant's past.
    pub past: GrantPast,
    /// The connection's facts before this check.
    pub facts: Facts,
    /// The stored health, for events on change.
    pub health: Health,
    /// The stored name, for the rename event.
    pub name: String,
    /// What is known about the account.
    pub about: AccountFacts,
    /// The class of the last failed look, while looks fail.
    pub failed_why: Option<String>,
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
    let failure = match seen {
        Ok(observation) => match inconclusive(work, &observation) {
            None => return conclude(work, observation, policy, now, jitter),
            Some(failure) => failure,
        },
        Err(failure) => failure,
    };
    let may_heal = failure == Failure::TokenExpired
        && !work.grant.refresh_begun
        && grant::can_refresh(&work.grant, work.platform, now);
    let again = look_again(work, failure, policy, now, jitter);
    let again = warn_of_the_end(again, work, &work.grant, policy, now);
    if may_heal {
        renew_first(again, work, now)
    } else {
        again
    }
}

/// Why an observation is no news about the connection: our app is refused, a refresh may be replacing the token
/// right now, a refresh can heal it, or the platform only stumbled.
fn inconclusive(work: &CheckWork, observation: &Observation) -> Option<Failure> {
    let TokenSeen::Dead(failure) = &observation.token else {
        return None;
    };
    let no_news = match failure {
        Failure::AppAccess => true,
        Failure::TokenExpired => work.facts.renews_itself || work.grant.refresh_begun,
        other => other.is_transient() || work.grant.refresh_begun,
    };
    no_news.then(|| failure.clone())
}

/// A token that has ended and can be renewed: the refresh comes first, then the next look.
fn renew_first(decision: Decision, work: &CheckWork, now: Time) -> Decision {
    decision
        .change(Change::AccessEnded {
            grant: work.grant_id,
            token_version: work.grant.token_version,
            at: now,
        })
        .poke(grant::refresh_poke(work.grant_id, work.platform, now))
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
    let about = observation
        .account
        .as_ref()
        .map(|account| work.about.updated_by(&account.about));
    let mut facts = facts_after(work, &observation, dead.as_ref(), now);
    if let Some(about) = &about {
        facts.publishing = publishing(about, facts.publishing);
    }
    let health = assess(&facts, policy, now);
    let next = next_check(work.next_post, policy, now, jitter);
    let mut decision = Decision::new(Next::At(next), Outcome::Success);
    if let Some(failure) = dead {
        decision = token_verdict(decision, work, &failure, now);
    } else if let TokenSeen::Alive {
        access_expires_at,
        scopes,
    } = &observation.token
    {
        decision = decision.change(Change::GrantProbed {
            grant: work.grant_id,
            token_version: work.grant.token_version,
            access_expires_at: *access_expires_at,
            scopes: scopes.clone(),
            at: now,
        });
    }
    for event in news(work, &observation, about.as_ref(), &health) {
        decision = decision.event(event);
    }
    let decision = warn_of_the_end(
        decision,
        work,
        &grant_after(work, &observation),
        policy,
        now,
    );
    woken(decision, work, &facts, now).change(Change::ConnectionSeen {
        connection: work.connection,
        seen: ConnectionSeen {
            account: facts.account,
            name: observation.account.and_then(|account| account.name),
            scopes_missing: facts.scopes_missing,
            checked_at: now,
            used: facts.used_at == Some(now),
            about,
        },
        health,
    })
}

/// Whoever waits for the connection goes on when it can publish again.
fn woken(decision: Decision, work: &CheckWork, facts: &Facts, now: Time) -> Decision {
    if can_publish(facts) && !can_publish(&work.facts) {
        decision.poke(Poke::PublishesOf(work.connection, now))
    } else {
        decision
    }
}

/// What the account allows, where the old way in does not forbid it all.
fn publishing(about: &AccountFacts, before: Option<Publishing>) -> Option<Publishing> {
    match before {
        Some(Publishing::OldMethod) => before,
        _ => about.publishing,
    }
}

/// The grant's facts with what the probe said about its end.
fn grant_after(work: &CheckWork, observation: &Observation) -> GrantFacts {
    let mut grant = work.grant.clone();
    match &observation.token {
        TokenSeen::Alive {
            access_expires_at: Some(end),
            ..
        } => grant.access_expires_at = Some(*end),
        TokenSeen::Dead(failure) => {
            grant.state = AuthState::after(failure).unwrap_or(grant.state);
        }
        TokenSeen::Alive { .. } | TokenSeen::NotProbed => {}
    }
    grant
}

/// People are warned before the end of what ends the connection: also when the platform cannot be asked.
pub(super) fn warn_of_the_end(
    decision: Decision,
    work: &CheckWork,
    facts: &GrantFacts,
    policy: &Policy,
    now: Time,
) -> Decision {
    let due = grant::warning_due(facts, &work.past, work.platform, policy, now);
    let Some(warned) = due else {
        return decision;
    };
    decision.change(Change::EndWarned {
        grant: work.grant_id,
        token_version: work.grant.token_version,
        before: work.past.warned,
        warned,
    })
}

fn can_publish(facts: &Facts) -> bool {
    facts.account.is_some_and(|state| !state.bars_publishing())
        && facts.scopes_missing.is_empty()
        && facts.publishing.and_then(Publishing::denied).is_none()
        && facts.auth_state == AuthState::Connected
}

/// A verdict on the credential, where the failure is one.
fn token_verdict(decision: Decision, work: &CheckWork, failure: &Failure, now: Time) -> Decision {
    let Some(state) = AuthState::after(failure).filter(|state| *state != work.grant.state) else {
        // Known already: saying it again would only send every sibling looking again.
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
    // Whether a refresh runs is asked at every look; stored, it would be shown until the next check.
    facts.refreshing_until = None;
    facts.failed_looks = 0;
    facts.failing = None;
    // The connection's own part of it follows from the account, which is being looked at.
    facts.auth_state = work.grant.state;
    if let Some(account) = &observation.account {
        facts.account = Some(state_after(facts.account, account.state));
    }
    let read = observation
        .account
        .as_ref()
        .is_some_and(|seen| !seen.state.bars_publishing());
    let used = match &observation.token {
        TokenSeen::Alive { .. } => true,
        TokenSeen::NotProbed => read,
        TokenSeen::Dead(_) => false,
    };
    if used {
        facts.used_at = Some(now);
    }
    if let TokenSeen::Alive {
        scopes: Some(granted),
        ..
    } = &observation.token
    {
        facts.scopes_missing = missing_scopes(work.platform, granted);
        facts.scopes_declined = declined_scopes(work.platform, granted);
        let old = is_of_old_method(work.platform, granted);
        let known = facts.publishing.filter(|one| *one != Publishing::OldMethod);
        facts.publishing = if old {
            Some(Publishing::OldMethod)
        } else {
            known
        };
    }
    if let Some(failure) = dead {
        judge_dead(&mut facts, work.platform, failure);
    }
    facts
}

/// A page that is gone from the grant's list is out of reach as well: the list's word says more. Only when it can be
/// published to, or is seen, is it back.
fn state_after(before: Option<AccountState>, seen: AccountState) -> AccountState {
    let out_of_reach = matches!(seen, AccountState::Unavailable | AccountState::RoleLost);
    if before == Some(AccountState::Gone) && out_of_reach {
        AccountState::Gone
    } else {
        seen
    }
}

/// What a dead token says about the connection, once no refresh can heal it.
fn judge_dead(facts: &mut Facts, platform: Platform, failure: &Failure) {
    match failure {
        // Which ones the platform does not say: then all that we need.
        Failure::ScopeMissing { scopes } if scopes.is_empty() => {
            facts.scopes_missing = missing_scopes(platform, &[]);
        }
        Failure::ScopeMissing { scopes } => facts.scopes_missing.clone_from(scopes),
        Failure::Checkpoint => facts.account = Some(AccountState::Checkpoint),
        Failure::AccountUnavailable => facts.account = Some(AccountState::Unavailable),
        other => facts.auth_state = AuthState::after(other).unwrap_or(facts.auth_state),
    }
}

fn news(
    work: &CheckWork,
    observation: &Observation,
    about: Option<&AccountFacts>,
    health: &Assessment,
) -> Vec<Event> {
    let mut events: Vec<Event> = changed_health(work, health).into_iter().collect();
    let name = observation.account.as_ref().and_then(|a| a.name.as_ref());
    if let Some(name) = name.filter(|name| **name != work.name) {
        events.push(Event::ConnectionRenamed {
            connection: work.connection,
            name: name.clone(),
        });
    }
    let what = about.map(|about| about.changes_since(&work.about));
    // The first look tells what an account is; that is no change.
    let known = work.about != AccountFacts::default();
    if let Some(what) = what.filter(|what| known && !what.is_empty()) {
        let what = what.into_iter().map(str::to_owned).collect();
        let connection = work.connection;
        events.push(Event::AccountChanged { connection, what });
    }
    events
}

/// The event of a health that is another than the stored one.
pub(super) fn changed_health(work: &CheckWork, health: &Assessment) -> Option<Event> {
    (health.health != work.health).then(|| Event::HealthChanged {
        connection: work.connection,
        from: work.health,
        to: health.health,
        reasons: health.reasons.iter().map(|r| r.code().to_owned()).collect(),
    })
}

/// When to look again: hourly, every quarter of an hour while a post is due within a day, and ten
/// minutes before it; always with a spread, so that a fleet does not look all at once.
#[must_use]
pub fn next_check(next_post: Option<Time>, policy: &Policy, now: Time, jitter: Jitter) -> Time {
    let soon = next_post.is_some_and(|due| due <= now + policy.check_horizon);
    let every = if soon {
        policy.check_soon
    } else {
        policy.check_every
    };
    // Never later than the promised rhythm: the spread is cut off the end.
    let rhythm = now + every - jitter.spread(every / 10, 100).max(seconds(0));
    let preflight = next_post
        .map(|due| due - policy.preflight)
        .filter(|at| *at > now);
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
#[path = "check_test.rs"]
mod tests;
