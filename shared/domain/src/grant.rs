//! A grant: one OAuth credential of one provider user, and when and how it is renewed.

mod bounds;
mod past;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    decision::{Change, Decision, Evidence, Next, Outcome, ParkReason, Poke},
    event::Event,
    failure::Failure,
    id::GrantId,
    job::JobKind,
    platform::{Capabilities, Platform, RefreshRule},
    policy::Policy,
    retry::{Jitter, Schedule},
    time::{Time, from_ms, minutes},
};

pub(crate) use bounds::believable;
pub use past::{GrantPast, Warned, final_end, flaps_if_revoked, is_flapping, warning_due};

/// What is known about the credential itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthState {
    /// It works, as far as anybody knows.
    Connected,
    /// Its time is over and it cannot renew itself.
    Expired,
    /// It was taken back.
    Revoked,
    /// It is refused for a reason that a person must clear up.
    Error,
}

impl AuthState {
    /// The name in the database and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Error => "error",
        }
    }

    /// Reads the database's name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Connected, Self::Expired, Self::Revoked, Self::Error]
            .into_iter()
            .find(|state| state.as_str() == text)
    }

    /// The state that a failure proves; `None` for everything that says nothing about the credential.
    #[must_use]
    pub const fn after(failure: &Failure) -> Option<Self> {
        match failure {
            Failure::TokenExpired => Some(Self::Expired),
            Failure::TokenRevoked | Failure::SecurityEvent => Some(Self::Revoked),
            _ => None,
        }
    }
}

/// A grant, as every job sees it. Times are the platform's own word where it gave one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantFacts {
    /// What is known about the credential.
    pub state: AuthState,
    /// Bumped by new token material and by nothing else; the fence of every verdict on the tokens.
    pub token_version: i64,
    /// When the stored tokens were issued to us.
    pub issued_at: Time,
    /// End of the access token; `None` = it does not end by itself.
    pub access_expires_at: Option<Time>,
    /// Whether there is a refresh token.
    pub has_refresh_token: bool,
    /// End of the refresh token, where it is known.
    pub refresh_expires_at: Option<Time>,
    /// Whether a refresh has begun and has not ended.
    pub refresh_begun: bool,
    /// Whether a whole series failed and none succeeded since.
    pub refresh_exhausted: bool,
    /// When a connection of this grant last probed the tokens.
    pub probed_at: Option<Time>,
}

/// An access token is not used in its last minute: it might end on the way.
const SPENT_BEFORE: TimeDelta = minutes(1);

impl GrantFacts {
    /// End of what ends the connection, where it is known: the refresh token's where there is one, else the
    /// access token's.
    #[must_use]
    pub fn ends_at(&self) -> Option<Time> {
        if self.has_refresh_token {
            self.refresh_expires_at
        } else {
            self.access_expires_at
        }
    }

    /// Whether the access token is still good for a call that starts now.
    #[must_use]
    pub fn usable(&self, now: Time) -> bool {
        self.access_expires_at
            .is_none_or(|end| end > now + SPENT_BEFORE)
    }
}

/// What a successful refresh brought, apart from the tokens themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renewed {
    /// End of the new access token.
    pub access_expires_at: Option<Time>,
    /// End of the new refresh token.
    pub refresh_expires_at: Option<Time>,
    /// Granted permissions, where the answer says them.
    pub scopes: Option<Vec<String>>,
}

/// Whether the platform renews this grant without its user.
#[must_use]
pub fn can_refresh(grant: &GrantFacts, platform: Platform, now: Time) -> bool {
    if grant.state != AuthState::Connected {
        return false;
    }
    let row = platform.capabilities();
    let has_means =
        row.refresh != RefreshRule::None && (grant.has_refresh_token || !row.refresh_by_token);
    has_means && grant.ends_at().is_none_or(|end| end > now)
}

/// When the next refresh is due: min(7 days, a quarter of the lifetime) before the access token's end.
///
/// A token that is not due is never rotated: an hourly habit would rotate a two-hour token all day long
/// and turn every hiccup into a lost session.
#[must_use]
pub fn refresh_due(grant: &GrantFacts, platform: Platform, policy: &Policy) -> Option<Time> {
    let row = platform.capabilities();
    if row.refresh == RefreshRule::None {
        return None;
    }
    let end = grant.access_expires_at.or_else(|| unsaid_end(grant, row))?;
    let lifetime = (end - grant.issued_at).max(TimeDelta::zero());
    let lead = policy
        .refresh_before
        .min(lifetime / policy.refresh_fraction.max(1));
    // At the latest when the token stops being used: otherwise its users would wait for a refresh not yet due.
    let due = end - lead.max(SPENT_BEFORE);
    // A token that is too young is refused; one that ends before it is old enough is asked for all the same.
    let due = due.max((grant.issued_at + row.refresh_min_age).min(end));
    // Whole milliseconds, as they are stored: the stored time must not be before the computed one.
    Some(from_ms(due.timestamp_millis()))
}

/// When a token ends of which nobody has told us, where every token ends and renews itself: its usual life is all that
/// there is to go by, and without a refresh it would die unused.
fn unsaid_end(grant: &GrantFacts, row: &Capabilities) -> Option<Time> {
    let dies_unused = !row.refresh_by_token && !row.has_endless_tokens;
    let usual = row.access_lifetime.filter(|_| dies_unused)?;
    Some(grant.issued_at + usual)
}

/// A grant as a refresh job loads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshWork {
    /// The grant.
    pub grant: GrantId,
    /// Its platform.
    pub platform: Platform,
    /// What a lost answer costs there.
    pub rule: RefreshRule,
    /// Its facts.
    pub facts: GrantFacts,
    /// Failed attempts so far; series follow each other.
    pub attempt: u16,
    /// An earlier refresh of these very tokens has begun and its answer never came.
    pub dangling: bool,
    /// Whether the process of that earlier refresh is known to have ended.
    pub sender_ended: bool,
    /// Whether other tokens were stored while ours were being spent, as a look after the answer showed.
    pub superseded: bool,
}

/// What a refresh job does next.
#[derive(Debug, Clone, PartialEq)]
pub enum RefreshStep {
    /// Ask the platform.
    Call,
    /// Do not; this is the decision.
    Settled(Decision),
}

/// Decides whether to call at all.
#[must_use]
pub fn before_refresh(
    work: &RefreshWork,
    policy: &Policy,
    now: Time,
    jitter: Jitter,
) -> RefreshStep {
    if !can_refresh(&work.facts, work.platform, now) {
        return RefreshStep::Settled(unrefreshable(work, now));
    }
    let due = refresh_due(&work.facts, work.platform, policy);
    if !work.dangling && due.is_none_or(|due| due > now) {
        // A token that does not end is never due.
        let next = due.map_or(Next::Done, Next::At);
        let decision = Decision::new(next, Outcome::Nothing);
        return RefreshStep::Settled(decision.poke(Poke::WaitersOf(work.grant, now)));
    }
    // A second use of a single-use token ends the session, so it waits until nobody can be using it.
    if work.rule == RefreshRule::SingleUse && work.dangling && !work.sender_ended {
        let until = Some(now + jitter.spread(minutes(1), 20));
        return RefreshStep::Settled(Decision::new(
            Next::Park(until, ParkReason::BackingOff),
            Outcome::Retry(Failure::Indeterminate),
        ));
    }
    RefreshStep::Call
}

fn unrefreshable(work: &RefreshWork, now: Time) -> Decision {
    let decision =
        Decision::new(Next::Done, Outcome::Nothing).poke(Poke::WaitersOf(work.grant, now));
    let ended = work.facts.ends_at().is_some_and(|end| end <= now);
    if work.facts.state != AuthState::Connected || !ended {
        return decision;
    }
    terminal(decision, work, &Failure::TokenExpired, now)
}

/// Turns a refresh's answer into a decision.
///
/// Three transient failures never change the grant's state: they exhaust the series, health turns critical,
/// and the next series starts after a pause, until the credential's real end.
#[must_use]
pub fn after_refresh(
    work: &RefreshWork,
    answer: Result<Renewed, Failure>,
    policy: &Policy,
    now: Time,
    jitter: Jitter,
) -> Decision {
    match answer {
        Ok(renewed) => succeeded(work, renewed, policy, now),
        Err(failure) if failure.ends_the_credential() && work.superseded => {
            // What was refused is not what is stored: no verdict. The next run goes by the new tokens.
            Decision::new(Next::At(now + minutes(1)), Outcome::Retry(failure))
                .change(Change::RefreshEnded {
                    grant: work.grant,
                    exhausted: false,
                    still_begun: false,
                })
                .poke(Poke::WaitersOf(work.grant, now))
        }
        Err(failure) if failure.ends_the_credential() => {
            let decision = Decision::new(Next::Done, Outcome::Failed(failure.clone()));
            let decision = terminal(decision, work, &failure, now);
            if rotates(work.rule) && work.dangling {
                // Nobody but us can have spent it: the successor died between the answer and the commit.
                decision.event(Event::RotationLost { grant: work.grant })
            } else {
                decision
            }
        }
        Err(failure) => failed(work, &failure, policy, now, jitter),
    }
}

fn succeeded(work: &RefreshWork, renewed: Renewed, policy: &Policy, now: Time) -> Decision {
    let (renewed, wrong) = bounds::bounded(work.platform, renewed, now);
    let after = GrantFacts {
        issued_at: now,
        access_expires_at: renewed.access_expires_at,
        ..work.facts.clone()
    };
    // A platform that issues tokens already over must not be asked again at once.
    let due = refresh_due(&after, work.platform, policy).map(|due| due.max(now + minutes(1)));
    let next = due.map_or(Next::Done, Next::At);
    // A fact, not a change: tokens that have come must be kept even if the lease is gone meanwhile.
    let mut decision = Decision::new(next, Outcome::Success)
        .evidence(Evidence::Renewed {
            grant: work.grant,
            spent_version: work.facts.token_version,
            renewed,
            at: now,
        })
        .poke(Poke::WaitersOf(work.grant, now));
    if let Some(detail) = wrong {
        decision = decision.event(Event::ProviderChanged {
            subject: work.grant.uuid(),
            platform: work.platform,
            class: "contract".to_owned(),
            detail: detail.to_owned(),
        });
    }
    if work.facts.refresh_exhausted {
        // Its connections were shown critical; show them healed.
        return decision.poke(Poke::ChecksOf(work.grant, now));
    }
    decision
}

fn terminal(decision: Decision, work: &RefreshWork, failure: &Failure, now: Time) -> Decision {
    let state = AuthState::after(failure).unwrap_or(AuthState::Error);
    let decision = decision
        // First the end of the refresh: a verdict is refused while one is begun.
        .change(Change::RefreshEnded {
            grant: work.grant,
            exhausted: false,
            still_begun: false,
        })
        .change(Change::GrantState {
            grant: work.grant,
            token_version: work.facts.token_version,
            state,
            why: failure.class(),
        });
    decision
        .poke(Poke::WaitersOf(work.grant, now))
        .poke(Poke::ChecksOf(work.grant, now))
}

fn failed(
    work: &RefreshWork,
    failure: &Failure,
    policy: &Policy,
    now: Time,
    jitter: Jitter,
) -> Decision {
    let class = failure.class().to_owned();
    // Series follow each other: the fourth attempt is the first of the second series.
    let attempt = (work.attempt % Schedule::REFRESH.attempts()) + 1;
    let asked = match failure {
        Failure::RateLimited { until, .. } => Schedule::pause(*until, attempt, now, jitter),
        _ => now,
    };
    let Some(delay) = Schedule::REFRESH.delay(attempt, jitter) else {
        let next_series = now + jitter.spread(policy.refresh_pause, 5);
        return ended(work, failure, true, next_series.max(asked))
            .event(Event::RefreshExhausted {
                grant: work.grant,
                class,
            })
            .poke(Poke::ChecksOf(work.grant, now));
    };
    let decision = ended(work, failure, false, asked.max(now + delay));
    let decision = match provider_changed(work.grant.uuid(), work.platform, failure) {
        Some(event) if attempt == 1 => decision.event(event),
        _ => decision,
    };
    decision.event(Event::RefreshFailed {
        grant: work.grant,
        attempt,
        class,
    })
}

/// The event of an answer that the platform should not give: one that we do not understand, or a refusal of our app.
#[must_use]
pub fn provider_changed(subject: Uuid, platform: Platform, failure: &Failure) -> Option<Event> {
    let detail = match failure {
        Failure::Contract { detail } => status_of(detail),
        Failure::AppAccess => "our app is refused".to_owned(),
        _ => return None,
    };
    Some(Event::ProviderChanged {
        subject,
        platform,
        class: failure.class().to_owned(),
        detail,
    })
}

/// The status alone: a platform's own words may repeat what we sent, the token included, and events are kept.
fn status_of(detail: &str) -> String {
    let status = detail
        .strip_prefix("status ")
        .and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next())
        .filter(|digits| digits.len() == 3);
    status.map_or_else(
        || "an answer that nobody understands".to_owned(),
        |status| format!("status {status}"),
    )
}

/// A refresh that brought nothing: a pause that no wish ends. Where the answer was lost and the token may be
/// spent, the refresh stays begun: what comes of the next one tells whether a rotation was lost.
fn ended(work: &RefreshWork, failure: &Failure, exhausted: bool, until: Time) -> Decision {
    let next = Next::Park(Some(until), ParkReason::BackingOff);
    let outcome = if exhausted {
        Outcome::Failed(failure.clone())
    } else {
        Outcome::Retry(failure.clone())
    };
    let unanswered = matches!(
        failure,
        Failure::Indeterminate | Failure::ProviderDown | Failure::Contract { .. }
    );
    let still_begun = rotates(work.rule) && (unanswered || work.dangling);
    Decision::new(next, outcome).change(Change::RefreshEnded {
        grant: work.grant,
        exhausted,
        still_begun,
    })
}

/// Whether a refresh spends the refresh token.
#[must_use]
pub const fn rotates(rule: RefreshRule) -> bool {
    matches!(rule, RefreshRule::SingleUse | RefreshRule::Grace(_))
}

/// The refresh job's poke for a grant.
#[must_use]
pub fn refresh_poke(grant: GrantId, platform: Platform, at: Time) -> Poke {
    Poke::Job {
        kind: JobKind::Refresh,
        subject: grant.uuid(),
        platform,
        at,
        priority: 300,
    }
}

#[cfg(test)]
#[path = "grant_test.rs"]
mod tests;
