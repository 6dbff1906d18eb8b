//! Looks that told nothing about the connection, and what they tell about the platform.

use super::{
    Failing, assess,
    check::{CheckWork, changed_health},
};
use crate::{
    decision::{Change, Decision, Next, Outcome, ParkReason},
    event::Event,
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
    let in_trouble = blames_the_platform || matches!(failure, Failure::RateLimited { .. });
    let why = failure.class();
    let told = grant::provider_changed(work.connection.uuid(), work.platform, &failure);
    let mut decision = later(work, failure, policy, now, jitter);
    if let Some(event) = told.filter(|_| work.failed_why.as_deref() != Some(why)) {
        decision = decision.event(event);
    }
    let mut facts = work.facts.clone();
    facts.failed_looks = match (blames_the_platform, facts.failed_looks) {
        // It answered; what it said is no news about how well the platform is.
        (false, _) => 0,
        (true, looks) => looks.saturating_add(1),
    };
    facts.failing = in_trouble.then(|| failing(work.facts.failing, now));
    if (facts.failed_looks, facts.failing) == (work.facts.failed_looks, work.facts.failing) {
        return decision;
    }
    if facts
        .failing
        .is_some_and(|one| is_stuck_now(work.facts.failing, one, policy))
    {
        decision = decision.event(Event::ConnectionStuck {
            connection: work.connection,
            since: facts.failing.map_or(now, |one| one.since),
            class: why.to_owned(),
        });
    }
    facts.refreshing_until = None;
    let health = assess(&facts, policy, now);
    if let Some(event) = changed_health(work, &health) {
        decision = decision.event(event);
    }
    decision.change(Change::LookFailed {
        connection: work.connection,
        looks: facts.failed_looks,
        failing: facts.failing,
        why,
        health,
    })
}

/// One more look in a row that told nothing.
fn failing(before: Option<Failing>, now: Time) -> Failing {
    Failing {
        since: before.map_or(now, |one| one.since),
        last: now,
    }
}

/// Whether this look is the first one for which waiting has lasted too long: said once for each such time.
fn is_stuck_now(before: Option<Failing>, after: Failing, policy: &Policy) -> bool {
    let too_long = |one: Failing| one.last - one.since >= policy.stuck_after;
    too_long(after) && !before.is_some_and(too_long)
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
