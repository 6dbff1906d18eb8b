//! Bringing a target to its platform: once in effect, whatever is lost on the way.
//!
//! Two rules carry everything here. An error answer is a claim, not a proof: unless no byte left us, a post
//! is looked for before anything is concluded. And *absent* is believed only when no byte of the attempt can
//! bring the post about any more.

use crate::{
    connection::{AccountState, check_poke},
    decision::{Change, Decision, Evidence, Next, Outcome, ParkReason},
    event::Event,
    failure::Failure,
    grant::{self, AuthState, GrantFacts},
    id::{ConnectionId, GrantId, TargetId},
    platform::{Platform, PublishKey},
    policy::Policy,
    post::{Accepted, AttemptFacts, Finding, Progress, Settlement, Stage},
    retry::{Jitter, Schedule},
    time::{Time, minutes, seconds},
};

/// A target as a publish job loads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishWork {
    /// The target.
    pub target: TargetId,
    /// Where it goes.
    pub connection: ConnectionId,
    /// The platform.
    pub platform: Platform,
    /// How far it has come.
    pub progress: Progress,
    /// When it is due.
    pub due: Time,
    /// The connection's grant.
    pub grant_id: GrantId,
    /// The grant's facts.
    pub grant: GrantFacts,
    /// Where the destination stands, as far as known.
    pub account: Option<AccountState>,
    /// Attempts of this edition, oldest first.
    pub attempts: Vec<AttemptFacts>,
    /// Another target of the same connection with the same text has an attempt that dangles.
    pub twin_in_flight: bool,
    /// Failed tries of this job so far.
    pub attempt: u16,
}

impl PublishWork {
    /// The attempt whose outcome is not settled, if any.
    #[must_use]
    pub fn dangling(&self) -> Option<&AttemptFacts> {
        self.attempts.iter().find(|attempt| attempt.settlement.is_none())
    }

    fn too_late(&self, policy: &Policy, now: Time) -> bool {
        now > self.due + policy.max_lateness
    }

    fn deadline(&self, policy: &Policy) -> Time {
        self.due + policy.max_lateness + seconds(1)
    }
}

/// What a publish job does next.
#[derive(Debug, Clone, PartialEq)]
pub enum PublishStep {
    /// Begin a new attempt and send it.
    Send,
    /// Look for this attempt's post.
    Resolve(AttemptFacts),
    /// Neither; this is the decision.
    Settled(Decision),
}

/// Decides whether to send, to look, or to wait.
#[must_use]
pub fn before_publish(work: &PublishWork, policy: &Policy, now: Time) -> PublishStep {
    if work.progress.stage.is_settled() {
        return PublishStep::Settled(Decision::new(Next::Done, Outcome::Nothing));
    }
    if let Some(attempt) = work.dangling() {
        return PublishStep::Resolve(attempt.clone());
    }
    if work.too_late(policy, now) {
        return PublishStep::Settled(missed(work));
    }
    if now < work.due {
        return PublishStep::Settled(Decision::new(Next::At(work.due), Outcome::Nothing));
    }
    let barred = matches!(
        work.account,
        Some(AccountState::Unavailable | AccountState::RoleLost | AccountState::Checkpoint)
    );
    if work.grant.state != AuthState::Connected || barred {
        return PublishStep::Settled(await_connection(work, policy));
    }
    if !work.grant.usable(now) {
        return PublishStep::Settled(await_token(work, policy, now));
    }
    PublishStep::Send
}

/// Turns the platform's answer to a send into a decision.
#[must_use]
pub fn after_send(
    work: &PublishWork,
    attempt: &AttemptFacts,
    answer: Result<Accepted, Failure>,
    policy: &Policy,
    now: Time,
    jitter: Jitter,
) -> Decision {
    let failure = match answer {
        Ok(accepted) => return accept(work, attempt, accepted, now),
        Err(failure) => failure,
    };
    let ended = Evidence::CallEnded {
        attempt: attempt.id,
        failure: Some(failure.clone()),
        at: now,
    };
    if failure == Failure::NotSent {
        return absent(work, attempt, &failure, policy, now, jitter).evidence(ended);
    }
    let look = now + work.platform.capabilities().settle + policy.clock_margin;
    let decision = Decision::new(Next::Retry(look), Outcome::Retry(failure.clone())).evidence(ended);
    if failure.is_transient() {
        decision.event(Event::OutcomeUnknown {
            target: work.target,
            attempt: attempt.id,
            class: failure.class().to_owned(),
        })
    } else {
        decision
    }
}

/// Turns what looking for a lost post brought into a decision.
///
/// `sender_ended`: the process that sent the attempt is known to have ended.
#[must_use]
pub fn after_resolve(
    work: &PublishWork,
    attempt: &AttemptFacts,
    found: Result<Finding, Failure>,
    sender_ended: bool,
    policy: &Policy,
    now: Time,
    jitter: Jitter,
) -> Decision {
    let keyed = work.platform.capabilities().publish_key == PublishKey::Ours;
    match found {
        // Without a key, what was found may be the twin's.
        Ok(_) if work.twin_in_flight && !keyed => {
            look_again(work, attempt, Failure::Indeterminate, policy, now, jitter)
        }
        Ok(Finding::Found(accepted)) => accept(work, attempt, accepted, now),
        Ok(Finding::Absent) => {
            let from = absent_from(work.platform, attempt, policy);
            let silent = keyed || sender_ended || attempt.call_ended.is_some();
            if now >= from && silent {
                let failure = attempt.call_ended.as_ref().and_then(|(_, failure)| failure.clone());
                let failure = failure.unwrap_or(Failure::Indeterminate);
                return absent(work, attempt, &failure, policy, now, jitter);
            }
            let again = look_again(work, attempt, Failure::Indeterminate, policy, now, jitter);
            not_before(again, from.max(now))
        }
        Ok(Finding::Unsure) => look_again(work, attempt, Failure::Indeterminate, policy, now, jitter),
        Err(Failure::TokenExpired) if grant::can_refresh(&work.grant, work.platform, now) => {
            await_token(work, policy, now)
        }
        Err(Failure::RateLimited { scope, until }) => {
            let until = until.unwrap_or(now + minutes(1));
            let failure = Failure::RateLimited { scope, until: Some(until) };
            not_before(look_again(work, attempt, failure, policy, now, jitter), until)
        }
        Err(failure) => look_again(work, attempt, failure, policy, now, jitter),
    }
}

/// From when on "it is not there" proves that it never will be: after the last moment at which the platform
/// can have executed the call, plus the time the platform needs to show it, plus the clocks' margin.
#[must_use]
pub fn absent_from(platform: Platform, attempt: &AttemptFacts, policy: &Policy) -> Time {
    let row = platform.capabilities();
    let last_execution = match &attempt.call_ended {
        // With an answer in hand the platform is done with the call. Without one it may still be at it.
        Some((at, Some(failure))) if answered(failure) => *at,
        Some((at, _)) => *at + row.publish_timeout,
        None => attempt.send_by + row.publish_timeout,
    };
    last_execution + row.settle + policy.clock_margin
}

const fn answered(failure: &Failure) -> bool {
    !matches!(failure, Failure::Indeterminate)
}

fn accept(work: &PublishWork, attempt: &AttemptFacts, accepted: Accepted, now: Time) -> Decision {
    // The evidence itself lifts the target, wakes verify and tells the stream, fenced or not.
    Decision::new(Next::Done, Outcome::Success)
        .evidence(Evidence::Accepted {
            attempt: attempt.id,
            accepted,
            at: now,
        })
        .change(Change::AttemptSettled {
            attempt: attempt.id,
            settlement: Settlement::Found,
        })
        .change(Change::TargetMoved {
            target: work.target,
            edition: attempt.edition,
            stage: Stage::Accepted,
            reason: None,
        })
}

/// The post is certainly not there: what the platform answered now decides.
fn absent(
    work: &PublishWork,
    attempt: &AttemptFacts,
    failure: &Failure,
    policy: &Policy,
    now: Time,
    jitter: Jitter,
) -> Decision {
    let decision = if failure.is_transient() || *failure == Failure::TokenExpired {
        send_again(work, failure, policy, now, jitter)
    } else {
        refused(work, failure, now)
    };
    decision.change(Change::AttemptSettled {
        attempt: attempt.id,
        settlement: Settlement::Absent,
    })
}

fn send_again(
    work: &PublishWork,
    failure: &Failure,
    policy: &Policy,
    now: Time,
    jitter: Jitter,
) -> Decision {
    if work.too_late(policy, now) {
        return missed(work);
    }
    match failure {
        Failure::TokenExpired => await_token(work, policy, now),
        Failure::RateLimited { until, .. } => {
            let until = until.unwrap_or_else(|| now + jitter.spread(minutes(1), 50));
            let waiting = Outcome::Waiting(ParkReason::RateLimited);
            Decision::new(Next::Park(Some(until), ParkReason::RateLimited), waiting)
        }
        other => {
            let delay = Schedule::TRANSIENT
                .delay(work.attempt + 1, jitter)
                .unwrap_or(minutes(5));
            Decision::new(Next::Retry(now + delay), Outcome::Retry(other.clone()))
        }
    }
}

fn refused(work: &PublishWork, failure: &Failure, now: Time) -> Decision {
    let class = failure.class().to_owned();
    let mut decision = Decision::new(Next::Done, Outcome::Failed(failure.clone()))
        .change(Change::TargetMoved {
            target: work.target,
            edition: work.progress.edition,
            stage: Stage::Failed,
            reason: Some(class.clone()),
        })
        .event(Event::TargetFailed {
            target: work.target,
            class,
        });
    if let Some(state) = AuthState::after(failure) {
        decision = decision.change(Change::GrantState {
            grant: work.grant_id,
            token_version: work.grant.token_version,
            state,
            why: failure.class(),
        });
    }
    // "The account is no longer yours" is a claim about the connection too: look at it.
    match failure {
        Failure::ContentRejected { .. } | Failure::DuplicateContent => decision,
        _ => decision.poke(check_poke(work.connection, work.platform, now)),
    }
}

fn look_again(
    work: &PublishWork,
    attempt: &AttemptFacts,
    failure: Failure,
    policy: &Policy,
    now: Time,
    jitter: Jitter,
) -> Decision {
    let patience_over = work.too_late(policy, now) && now >= absent_from(work.platform, attempt, policy);
    let delay = Schedule::RESOLVE.delay(work.attempt + 1, jitter);
    match delay.filter(|_| !patience_over) {
        Some(delay) => Decision::new(Next::Retry(now + delay), Outcome::Retry(failure)),
        None => unconfirmed(work, attempt, failure),
    }
}

fn unconfirmed(work: &PublishWork, attempt: &AttemptFacts, failure: Failure) -> Decision {
    Decision::new(Next::Done, Outcome::Failed(failure))
        .change(Change::AttemptSettled {
            attempt: attempt.id,
            settlement: Settlement::Unsure,
        })
        .change(Change::TargetMoved {
            target: work.target,
            edition: attempt.edition,
            stage: Stage::Unconfirmed,
            reason: Some("outcome_unknown".to_owned()),
        })
        .event(Event::TargetUnconfirmed {
            target: work.target,
            attempt: attempt.id,
        })
}

fn not_before(mut decision: Decision, earliest: Time) -> Decision {
    if let Next::Retry(at) = decision.next {
        decision.next = Next::Retry(at.max(earliest));
    }
    decision
}

fn missed(work: &PublishWork) -> Decision {
    let last = work.attempts.iter().rev().find_map(|a| a.call_ended.as_ref()?.1.as_ref());
    let reason = match last {
        Some(failure) => failure.class(),
        None if work.grant.state != AuthState::Connected => "connection_not_connected",
        None => "too_late",
    };
    Decision::new(Next::Done, Outcome::Nothing)
        .change(Change::TargetMoved {
            target: work.target,
            edition: work.progress.edition,
            stage: Stage::Missed,
            reason: Some(reason.to_owned()),
        })
        .event(Event::TargetMissed {
            target: work.target,
            reason: reason.to_owned(),
        })
}

fn await_connection(work: &PublishWork, policy: &Policy) -> Decision {
    let until = Some(work.deadline(policy));
    Decision::new(
        Next::Park(until, ParkReason::AwaitingConnection),
        Outcome::Waiting(ParkReason::AwaitingConnection),
    )
}

fn await_token(work: &PublishWork, policy: &Policy, now: Time) -> Decision {
    if !grant::can_refresh(&work.grant, work.platform, now) {
        return await_connection(work, policy);
    }
    let until = Some(work.deadline(policy).max(now + minutes(1)));
    Decision::new(
        Next::Park(until, ParkReason::AwaitingRefresh),
        Outcome::Waiting(ParkReason::AwaitingRefresh),
    )
    .poke(grant::refresh_poke(work.grant_id, work.platform, now))
}

#[cfg(test)]
#[path = "publish_test.rs"]
mod tests;
