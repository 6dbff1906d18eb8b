//! Checks that cost money: where the platform bills reads, stored facts are judged in between.

use super::{
    CheckWork, ConnectionSeen, Health, assess,
    check::{changed_health, next_check, warn_of_the_end},
};
use crate::{
    decision::{Change, Decision, Next, Outcome},
    policy::Policy,
    retry::Jitter,
    time::{Time, minutes},
};

/// What a check does next.
#[derive(Debug, Clone, PartialEq)]
pub enum CheckStep {
    /// Ask the platform.
    Look,
    /// Do not; this is the decision.
    Judged(Decision),
}

/// Decides whether to ask the platform. Where asking is free, always; where it is billed, only daily (the row says
/// how seldom), before a post, after new tokens came in by hand, and while something is wrong.
#[must_use]
pub fn before_check(work: &CheckWork, policy: &Policy, now: Time, jitter: Jitter) -> CheckStep {
    let Some(every) = work.platform.capabilities().paid_probe_every else {
        return CheckStep::Look;
    };
    let seen = work.facts.checked_at;
    // The spread of the rhythm may bring a check a little early.
    let lately = seen.is_some_and(|at| now < at + every - every / 20);
    let before_a_post = work.next_post.is_some_and(|due| {
        let from = due - policy.preflight - minutes(1);
        now >= from && seen.is_none_or(|at| at < from)
    });
    let well = match work.health {
        Health::Healthy | Health::Refreshing => true,
        // A look mends an answer that failed, and none of the other warnings.
        Health::Warning => work.facts.failed_looks == 0,
        Health::Critical | Health::Unknown => false,
    };
    // News of the credential asks for a probe, and nobody else does so here.
    let wanted = work.grant.probed_at.is_none();
    if !lately || before_a_post || !well || wanted {
        return CheckStep::Look;
    }
    CheckStep::Judged(judge(work, policy, now, jitter))
}

/// The same facts, at a later time.
fn judge(work: &CheckWork, policy: &Policy, now: Time, jitter: Jitter) -> Decision {
    let health = assess(&work.facts, policy, now);
    let next = next_check(work.next_post, policy, now, jitter);
    let decision = Decision::new(Next::At(next), Outcome::Nothing);
    let mut decision = warn_of_the_end(decision, work, &work.grant, policy, now);
    if let Some(event) = changed_health(work, &health) {
        decision = decision.event(event);
    }
    let Some(checked_at) = work.facts.checked_at else {
        return decision;
    };
    decision.change(Change::ConnectionSeen {
        connection: work.connection,
        seen: ConnectionSeen {
            account: work.facts.account,
            name: None,
            scopes_missing: work.facts.scopes_missing.clone(),
            checked_at,
            used: false,
            about: None,
        },
        health,
    })
}

#[cfg(test)]
#[path = "price_test.rs"]
mod tests;
