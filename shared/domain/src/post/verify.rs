//! Looking whether an accepted post is still there: the proof, and its repetition.

use chrono::TimeDelta;

use crate::{
    connection::{AccountState, check_poke},
    decision::{Change, Decision, Next, Outcome, ParkReason},
    event::Event,
    failure::Failure,
    grant::{self, AuthState, GrantFacts},
    id::{AttemptId, ConnectionId, GrantId, TargetId},
    platform::Platform,
    policy::Policy,
    post::{Format, Seen, Stage, Verdict},
    retry::{Jitter, Schedule},
    time::{Time, hours, minutes, seconds},
};

/// An accepted attempt as a verify job loads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyWork {
    /// The attempt.
    pub attempt_id: AttemptId,
    /// Its target.
    pub target: TargetId,
    /// The edition it published.
    pub edition: i32,
    /// Where.
    pub connection: ConnectionId,
    /// A person has disconnected it: nobody can look any more.
    pub removed: bool,
    /// The platform.
    pub platform: Platform,
    /// The connection's grant.
    pub grant_id: GrantId,
    /// The grant's facts.
    pub grant: GrantFacts,
    /// Where the destination stands, and when that was seen.
    pub account: Option<AccountState>,
    /// Required permissions are missing, perhaps those to read.
    pub scopes_missing: bool,
    /// Whether a person has declined the permission to read posts back.
    pub reading_declined: bool,
    /// When the connection was last checked.
    pub checked_at: Option<Time>,
    /// The kind of post.
    pub format: Format,
    /// When the attempt began: nothing of it was at the platform before.
    pub begun_at: Time,
    /// When the platform took the post.
    pub accepted_at: Time,
    /// Fingerprint of what was sent.
    pub sent_digest: String,
    /// The newest verdict's name, if there is one.
    pub verdict: Option<String>,
    /// Failed tries of this look.
    pub attempt: u16,
}

/// How long before the end of what ends by itself the last look is.
const LAST_LOOK: TimeDelta = hours(1);

/// When to look next, strictly after `now`; `None` when the last look is done. What ends by itself (a story) is looked
/// at for the last time shortly before its end.
#[must_use]
pub fn next_look(work: &VerifyWork, policy: &Policy, now: Time) -> Option<Time> {
    let planned = policy.verify_after.iter();
    let planned = planned.map(|after| work.accepted_at + *after);
    let end = ends_at(work);
    planned
        .chain(end.map(|end| end - LAST_LOOK))
        .filter(|at| *at > now && end.is_none_or(|end| *at < end))
        .min()
}

/// From when on what was published may be over by itself. Its life began at the earliest when the attempt did.
fn ends_at(work: &VerifyWork) -> Option<Time> {
    let lives = work.platform.lives(work.format)?;
    Some(work.begun_at + lives)
}

/// What needs no call: where the life of what was published is over, the platform shows nothing, and that says nothing;
/// where its connection is gone, or a person has declined the permission to read, nobody may look. The verdict stays what
/// it was; without one it is "unverifiable", for nobody can look any more.
#[must_use]
pub fn before_verify(work: &VerifyWork, policy: &Policy, now: Time) -> Option<Decision> {
    let over = ends_at(work).is_some_and(|end| now >= end);
    if !over && !work.removed && !work.reading_declined {
        return None;
    }
    Some(match work.verdict {
        Some(_) => Decision::new(Next::Done, Outcome::Success),
        None => Decision {
            next: Next::Done,
            ..conclude(work, Verdict::Unverifiable, policy, now)
        },
    })
}

/// Turns what a read-back saw into a decision.
///
/// "Gone" is believed only of an account that was seen well a moment ago: platforms answer the same to
/// "deleted" and to "not yours any more". Of what ends by itself it is believed only before its end.
#[must_use]
pub fn after_verify(
    work: &VerifyWork,
    seen: Result<Seen, Failure>,
    policy: &Policy,
    now: Time,
    jitter: Jitter,
) -> Decision {
    if !matches!(seen, Ok(Seen::Live { .. }))
        && let Some(over) = before_verify(work, policy, now)
    {
        return over;
    }
    match seen {
        Ok(Seen::Live { permalink, digest }) => match digest {
            Some(digest) if digest != work.sent_digest => {
                conclude(work, Verdict::Altered { permalink, digest }, policy, now)
            }
            digest => conclude(work, Verdict::Live { permalink, digest }, policy, now),
        },
        Ok(Seen::Unverifiable) => {
            let mut decision = conclude(work, Verdict::Unverifiable, policy, now);
            decision.next = Next::Done;
            decision
        }
        Ok(Seen::Gone) => gone(work, policy, now, jitter),
        Err(failure) => cannot_look(work, failure, policy, now, jitter),
    }
}

fn conclude(work: &VerifyWork, verdict: Verdict, policy: &Policy, now: Time) -> Decision {
    let next = next_look(work, policy, now).map_or(Next::Done, Next::At);
    let mut decision = Decision::new(next, Outcome::Success);
    if work.verdict.as_deref() != Some(verdict.as_str()) {
        decision = decision.event(Event::TargetVerified {
            target: work.target,
            attempt: work.attempt_id,
            verdict: verdict.as_str().to_owned(),
        });
    }
    if verdict == Verdict::Removed {
        decision = decision.change(Change::TargetMoved {
            target: work.target,
            edition: work.edition,
            stage: Stage::Removed,
            reason: Some("removed_at_platform".to_owned()),
        });
    }
    decision.change(Change::Verified {
        attempt: work.attempt_id,
        target: work.target,
        verdict,
        at: now,
    })
}

fn gone(work: &VerifyWork, policy: &Policy, now: Time, jitter: Jitter) -> Decision {
    let settle = work.platform.capabilities().settle;
    if now < work.accepted_at + settle {
        // Too young to be missed: the platform may not show it yet.
        let failure = Failure::Indeterminate;
        return Decision::new(
            Next::Retry(work.accepted_at + settle),
            Outcome::Retry(failure),
        );
    }
    let fresh = work
        .checked_at
        .is_some_and(|at| at + policy.gone_needs_check >= now);
    let well = work.grant.state == AuthState::Connected
        && work.account == Some(AccountState::Accessible)
        && !work.scopes_missing;
    if fresh && well {
        return conclude(work, Verdict::Removed, policy, now);
    }
    if fresh {
        // The account is not well, so nothing is known about the post; look again when it may be.
        return Decision::new(
            later(work, policy, now),
            Outcome::Waiting(ParkReason::AwaitingConnection),
        );
    }
    let delay = Schedule::TRANSIENT.delay(work.attempt.saturating_add(1), jitter);
    let wait = delay.unwrap_or(minutes(5)).max(seconds(15));
    Decision::new(
        Next::Retry(now + wait),
        Outcome::Retry(Failure::Indeterminate),
    )
    .poke(check_poke(work.connection, work.platform, now))
}

/// The next planned look. A post without any verdict is never given up: it is looked for at least hourly.
fn later(work: &VerifyWork, policy: &Policy, now: Time) -> Next {
    let planned = next_look(work, policy, now);
    let hourly = work.verdict.is_none().then(|| now + policy.check_every);
    let next = [planned, hourly].into_iter().flatten().min();
    next.map_or(Next::Done, Next::At)
}

fn cannot_look(
    work: &VerifyWork,
    failure: Failure,
    policy: &Policy,
    now: Time,
    jitter: Jitter,
) -> Decision {
    match &failure {
        Failure::TokenExpired if grant::can_refresh(&work.grant, work.platform, now) => {
            let waiting = ParkReason::AwaitingRefresh;
            Decision::new(
                Next::Park(Some(now + minutes(5)), waiting),
                Outcome::Waiting(waiting),
            )
            .change(Change::AccessEnded {
                grant: work.grant_id,
                token_version: work.grant.token_version,
                at: now,
            })
            .poke(grant::refresh_poke(work.grant_id, work.platform, now))
        }
        Failure::RateLimited { until, .. } => {
            let until = Schedule::pause(*until, work.attempt.saturating_add(1), now, jitter);
            let waiting = ParkReason::RateLimited;
            Decision::new(Next::Park(Some(until), waiting), Outcome::Waiting(waiting))
        }
        other if other.is_transient() => {
            let delay = Schedule::TRANSIENT.delay(work.attempt.saturating_add(1), jitter);
            Decision::new(
                Next::Retry(now + delay.unwrap_or(minutes(5))),
                Outcome::Retry(failure),
            )
        }
        _ => {
            // The connection is the problem, not the post: say so there, and look again when due.
            Decision::new(later(work, policy, now), Outcome::Failed(failure)).poke(check_poke(
                work.connection,
                work.platform,
                now,
            ))
        }
    }
}

#[cfg(test)]
#[path = "verify_test.rs"]
mod tests;
