//! The steps before the one that publishes: uploads, containers, processing. Each may be repeated, nobody sees its
//! effect, and what it brought is kept, so that the next run goes on where this one ended.

use std::fmt;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::publish::{PublishWork, access_ended, await_token, refused};
use crate::{
    decision::{Change, Decision, Next, Outcome, ParkReason},
    failure::Failure,
    policy::Policy,
    retry::{Jitter, Schedule},
    time::{Time, seconds},
};

/// What a step of a preparation brought.
///
/// What it says shows in no `Debug`: an upload's address lets whoever knows it feed that upload.
#[derive(Clone, PartialEq, Eq)]
pub enum Prepared {
    /// The post can be published with this.
    Ready(Value),
    /// There is more to do, or the platform is working.
    Pending {
        /// What the next step needs.
        state: Value,
        /// How long the platform wants to be left alone; zero where we have more to send.
        again: TimeDelta,
    },
}

/// A preparation as it is stored, sealed, with its target; what it says is the adapter's affair, and shows in no
/// `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preparation {
    /// What the adapter needs to go on.
    pub state: Value,
    /// Whether the next step publishes.
    pub ready: bool,
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready(_) => f.write_str("Ready(***)"),
            Self::Pending { again, .. } => f
                .debug_struct("Pending")
                .field("again", again)
                .finish_non_exhaustive(),
        }
    }
}

impl fmt::Debug for Preparation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Preparation")
            .field("ready", &self.ready)
            .finish_non_exhaustive()
    }
}

/// Turns what a step of a preparation brought into a decision. Nothing can have been published by it, so an error
/// is believed at once.
#[must_use]
pub fn after_prepare(
    work: &PublishWork,
    prepared: Result<Prepared, Failure>,
    policy: &Policy,
    now: Time,
    jitter: Jitter,
) -> Decision {
    let failure = match prepared {
        Ok(Prepared::Ready(state)) => return keep(work, state, true, now),
        Ok(Prepared::Pending { state, again }) => {
            let again = again.max(TimeDelta::zero());
            return keep(
                work,
                state,
                false,
                (now + again).min(last_moment(work, policy, now)),
            );
        }
        Err(failure) => failure,
    };
    let attempt = work.attempt.saturating_add(1);
    match &failure {
        Failure::TokenExpired => access_ended(await_token(work, policy, now), work, now),
        Failure::RateLimited { until, .. } => {
            let until = Schedule::pause(*until, attempt, now, jitter);
            let until = Some(until.min(last_moment(work, policy, now)));
            Decision::new(
                Next::Park(until, ParkReason::RateLimited),
                Outcome::Waiting(ParkReason::RateLimited),
            )
        }
        other if other.is_transient() => {
            let delay = Schedule::TRANSIENT.delay(attempt, jitter);
            let at = now + delay.unwrap_or(seconds(60));
            Decision::new(
                Next::Retry(at.min(last_moment(work, policy, now))),
                Outcome::Retry(failure.clone()),
            )
        }
        other => refused(work, other, now),
    }
}

/// Progress was made: the next step is a fresh piece of work.
fn keep(work: &PublishWork, state: Value, ready: bool, next: Time) -> Decision {
    Decision::new(Next::At(next), Outcome::Success).change(Change::TargetPrepared {
        target: work.target,
        revision: work.revision,
        preparation: Some(Preparation { state, ready }),
    })
}

/// Not beyond the post's time: then it must be missed, loudly.
fn last_moment(work: &PublishWork, policy: &Policy, now: Time) -> Time {
    work.deadline(policy).max(now + seconds(1))
}

#[cfg(test)]
#[path = "prepare_test.rs"]
mod tests;
