//! Finding out what became of an attempt whose outcome is unknown.

use super::{
    AttemptFacts, Finding,
    publish::{PublishWork, absent, accept, access_ended, not_before, park, unconfirmed},
};
use crate::{
    connection::check_poke,
    decision::{Change, Decision, Next, Outcome, ParkReason},
    failure::Failure,
    grant,
    platform::{Lookup, Platform},
    policy::Policy,
    retry::{Jitter, Schedule},
    time::{Time, minutes},
};

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
    let look = Look {
        work,
        attempt,
        policy,
        now,
        jitter,
    };
    match found {
        Ok(Finding::Unsure) if look.is_blind() => look.told_soon(),
        // Without a key, what was found may be the twin's.
        Ok(_) if work.is_obscured(attempt) => look.again(Failure::Indeterminate),
        Ok(Finding::Found(accepted)) => accept(attempt, accepted, now),
        Ok(Finding::Absent) => look.absent(sender_ended),
        Ok(Finding::Processing) => look.processing(),
        Ok(Finding::Refused(failure)) => look.refused(&failure),
        Ok(Finding::Unlisted) => look.unlisted(),
        Ok(Finding::Unsure) => look.again(Failure::Indeterminate),
        // Nobody may look any more. Should its call still be accepted, that evidence counts all the same.
        Err(failure) if work.removed => unconfirmed(work, attempt, failure),
        Err(failure) => look.failed(failure),
    }
}

/// One look for a lost post.
struct Look<'a> {
    work: &'a PublishWork,
    attempt: &'a AttemptFacts,
    policy: &'a Policy,
    now: Time,
    jitter: Jitter,
}

impl Look<'_> {
    /// Whether nobody can look there, so that no look will ever tell more than this one.
    fn is_blind(&self) -> bool {
        self.work.platform.capabilities().lookup == Lookup::Nothing
    }

    /// Nothing is known, and nothing will be: a person is told as soon as no byte of the attempt can bring the post
    /// about any more (docs/adr/0023). Should its answer still come, that evidence counts all the same.
    fn told_soon(&self) -> Decision {
        let from = absent_from(self.work.platform, self.attempt, self.policy);
        if self.now >= from {
            return unconfirmed(self.work, self.attempt, Failure::Indeterminate);
        }
        Decision::new(Next::Retry(from), Outcome::Retry(Failure::Indeterminate))
    }

    /// Nobody sees it, which proves nothing. Where the platform has refused it in its own words, that and the refusal
    /// together are all that will ever be known, and the refusal is believed (docs/adr/0023).
    fn unlisted(&self) -> Decision {
        let refusal = match &self.attempt.call_ended {
            Some((_, Some(failure))) if is_refusal(failure) => failure,
            _ => return self.again(Failure::Indeterminate),
        };
        let Self {
            work,
            attempt,
            policy,
            now,
            jitter,
        } = *self;
        let from = absent_from(work.platform, attempt, policy);
        if now < from {
            return not_before(self.again(Failure::Indeterminate), from);
        }
        absent(work, attempt, refusal, policy, now, jitter)
    }

    /// It is not there. That is believed once no byte of the attempt can bring it about any more.
    fn absent(&self, sender_ended: bool) -> Decision {
        let Self {
            work,
            attempt,
            policy,
            now,
            jitter,
        } = *self;
        let from = absent_from(work.platform, attempt, policy);
        let silent =
            work.is_repeatable(attempt, now) || sender_ended || attempt.call_ended.is_some();
        if now >= from && silent {
            let failure = attempt
                .call_ended
                .as_ref()
                .and_then(|(_, failure)| failure.clone());
            let failure = failure.unwrap_or(Failure::Indeterminate);
            return absent(work, attempt, &failure, policy, now, jitter);
        }
        if now >= from && work.too_late(policy, now) {
            // Its sender may still wake up and send it, and its time is over: somebody must look.
            return unconfirmed(work, attempt, Failure::Indeterminate);
        }
        not_before(self.again(Failure::Indeterminate), from)
    }

    /// The platform works on: it is asked again, ever more patiently, until nobody believes in it any more.
    fn processing(&self) -> Decision {
        let waited = self.now - self.attempt.begun_at;
        if waited > self.work.platform.capabilities().processing_max {
            return unconfirmed(self.work, self.attempt, Failure::MediaProcessing);
        }
        let looks = self.attempt.looks.saturating_add(1);
        let delay = Schedule::PROCESSING.delay(looks, self.jitter);
        Decision::new(
            Next::Retry(self.now + delay.unwrap_or(minutes(5))),
            Outcome::Retry(Failure::MediaProcessing),
        )
    }

    /// The order has ended without a post: that is certain at once, and what was prepared is used up.
    fn refused(&self, failure: &Failure) -> Decision {
        let Self {
            work,
            attempt,
            policy,
            now,
            jitter,
        } = *self;
        absent(work, attempt, failure, policy, now, jitter).change(Change::TargetPrepared {
            target: work.target,
            revision: work.revision,
            preparation: None,
        })
    }

    /// The look itself failed; that says nothing about the post.
    fn failed(&self, failure: Failure) -> Decision {
        let Self {
            work, now, jitter, ..
        } = *self;
        let again = self.again(failure.clone());
        let Next::Retry(at) = again.next else {
            return again;
        };
        match failure {
            Failure::TokenExpired if grant::can_refresh(&work.grant, work.platform, now) => {
                let waiting = park(again, at.max(now + minutes(1)), ParkReason::AwaitingRefresh);
                let refresh = grant::refresh_poke(work.grant_id, work.platform, now);
                access_ended(waiting, work, now).poke(refresh)
            }
            Failure::RateLimited { until, .. } => {
                let until = Schedule::pause(until, self.attempt.looks, now, jitter);
                park(again, until, ParkReason::RateLimited)
            }
            other if other.is_transient() => again,
            _ => park(again, at, ParkReason::AwaitingConnection).poke(check_poke(
                work.connection,
                work.platform,
                now,
            )),
        }
    }

    fn again(&self, failure: Failure) -> Decision {
        let looks = self.attempt.looks.saturating_add(1);
        match Schedule::RESOLVE.delay(looks, self.jitter) {
            Some(delay) => Decision::new(Next::Retry(self.now + delay), Outcome::Retry(failure)),
            None => unconfirmed(self.work, self.attempt, failure),
        }
    }
}

/// From when on "it is not there" proves that it never will be: after the last moment at which the platform
/// can have executed the call, plus the time the platform needs to show it, plus the clocks' margin.
#[must_use]
pub fn absent_from(platform: Platform, attempt: &AttemptFacts, policy: &Policy) -> Time {
    let row = platform.capabilities();
    let last_execution = match &attempt.call_ended {
        // With the platform's own answer in hand it is done with the call. Without one, or with one that may be
        // a proxy's, it may still be at it.
        Some((at, Some(failure))) if answered(failure) => *at,
        Some((at, _)) => *at + row.publish_timeout,
        None => attempt.send_by + row.publish_timeout,
    };
    last_execution + row.settle + policy.clock_margin
}

/// Whether it is the platform's own answer, and not a lost one or one that a proxy may have given.
pub(super) const fn answered(failure: &Failure) -> bool {
    !matches!(
        failure,
        Failure::Indeterminate | Failure::ProviderDown | Failure::Contract { .. }
    )
}

/// Whether it is a refusal in the platform's own words. A duplicate may be one of our own.
pub(super) const fn is_refusal(failure: &Failure) -> bool {
    answered(failure)
        && !matches!(
            failure,
            Failure::DuplicateContent | Failure::MediaProcessing
        )
}

#[cfg(test)]
#[path = "resolve_test.rs"]
mod tests;
