//! Looks that told nothing about the connection, and what they tell about the platform.

use super::{
    assess,
    check::{CheckWork, changed_health},
};
use crate::{
    decision::{Change, Decision, Next, Outcome, ParkReason},
    failure::{Failure, RateScope},
    grant,
    policy::Policy,
    retry::{Jitter, Schedule},
    time::Time,
};

/// A look that told nothing comes back. That it failed is a fact about the platform, never about the connection.
pub(super) fn look_again(
    work: &CheckWork,
    failure: Failure,
    policy: &Policy,
    now: Time,
    jitter: Jitter,
) -> Decision {
    let blames_the_platform = is_the_platforms(&failure);
    let why = failure.class();
    let told = grant::provider_changed(work.connection.uuid(), work.platform, &failure);
    let mut decision = later(work, failure, policy, now, jitter);
    if let Some(event) = told.filter(|_| work.failed_why.as_deref() != Some(why)) {
        decision = decision.event(event);
    }
    let mut facts = work.facts.clone();
    facts.failed_looks = match (blames_the_platform, facts.failed_looks) {
        // It answered, and well; what it said is no news about the platform.
        (false, 0) => return decision,
        (false, _) => 0,
        (true, looks) => looks.saturating_add(1),
    };
    facts.refreshing_until = None;
    let health = assess(&facts, policy, now);
    if let Some(event) = changed_health(work, &health) {
        decision = decision.event(event);
    }
    decision.change(Change::LookFailed {
        connection: work.connection,
        looks: facts.failed_looks,
        why,
        health,
    })
}

/// Whether a failed look says that the platform, or what it thinks of our app, is not as it should be.
const fn is_the_platforms(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::ProviderDown
            | Failure::NotSent
            | Failure::Indeterminate
            | Failure::Contract { .. }
            | Failure::AppAccess
            | Failure::RateLimited {
                scope: RateScope::Provider,
                ..
            }
    )
}

fn later(
    work: &CheckWork,
    failure: Failure,
    policy: &Policy,
    now: Time,
    jitter: Jitter,
) -> Decision {
    let attempt = work.attempt.saturating_add(1);
    if let Failure::RateLimited { until, .. } = failure {
        let until = Some(Schedule::pause(until, attempt, now, jitter));
        return Decision::new(
            Next::Park(until, ParkReason::RateLimited),
            Outcome::Retry(failure),
        );
    }
    let delay = Schedule::TRANSIENT
        .delay(attempt, jitter)
        .unwrap_or(policy.check_soon);
    Decision::new(Next::Retry(now + delay), Outcome::Retry(failure))
}
