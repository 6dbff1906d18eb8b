//! What a grant has been through: when it was connected, how often it was taken back soon after, and which warning
//! about its end was given.

use chrono::TimeDelta;

use super::{AuthState, GrantFacts, can_refresh};
use crate::{
    platform::Platform,
    policy::Policy,
    time::{Time, days},
};

/// A grant's past, beside its present [`GrantFacts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrantPast {
    /// When a person last connected or reconnected it.
    pub connected_at: Time,
    /// How often in a row it was taken back soon after a person had connected it.
    pub flaps: u16,
    /// The last warning about its end.
    pub warned: Option<Warned>,
}

/// A warning that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Warned {
    /// The end that it was about.
    pub end: Time,
    /// The threshold that was passed, in days before it.
    pub days: i32,
}

/// Two ends that lie closer than this are the same one: some platforms count from the moment of each answer.
const SAME_END: TimeDelta = days(1);

/// The end of what ends the connection, unless a refresh moves it in time.
///
/// A refresh that leaves its refresh token's end where it was (LinkedIn: a year from the consent) does not, and neither
/// does one that has failed a whole series long.
#[must_use]
pub fn final_end(grant: &GrantFacts, platform: Platform, now: Time) -> Option<Time> {
    let end = grant.ends_at()?;
    let fixed = grant.has_refresh_token && platform.capabilities().refresh_end_is_fixed;
    let moves = can_refresh(grant, platform, now) && !fixed && !grant.refresh_exhausted;
    (!moves).then_some(end)
}

/// The warning that is due: the nearest threshold that has been passed, once for each end. Whoever is late warns of the
/// nearer one only, and an end that moves is a new one.
#[must_use]
pub fn warning_due(
    grant: &GrantFacts,
    past: &GrantPast,
    platform: Platform,
    policy: &Policy,
    now: Time,
) -> Option<Warned> {
    if grant.state != AuthState::Connected {
        return None;
    }
    let end = final_end(grant, platform, now).filter(|end| *end > now)?;
    let passed = policy.warn_days.iter().copied();
    let days = passed
        .filter(|before| end - days(i64::from(*before)) <= now)
        .min()?;
    let told = past.warned.is_some_and(|warned| {
        let apart = (warned.end - end).abs();
        apart < SAME_END && warned.days <= days
    });
    (!told).then_some(Warned { end, days })
}

/// How many times in a row the grant was taken back soon after it was connected, if it is taken back now.
#[must_use]
pub fn flaps_if_revoked(past: &GrantPast, policy: &Policy, now: Time) -> u16 {
    if now - past.connected_at <= policy.flapping_within {
        past.flaps.saturating_add(1)
    } else {
        0
    }
}

/// Whether reconnecting has not helped: it was taken back again and again, and has not lived long enough since.
#[must_use]
pub fn is_flapping(past: &GrantPast, state: AuthState, policy: &Policy, now: Time) -> bool {
    let young = now - past.connected_at <= policy.flapping_within;
    past.flaps >= policy.flapping_after && (state != AuthState::Connected || young)
}

#[cfg(test)]
#[path = "past_test.rs"]
mod tests;
