//! When to try again, as arithmetic.
//!
//! Retry is a state, not a loop: these functions say *when*, a decision writes it down, the job ends.

use chrono::TimeDelta;

use crate::time::{Time, minutes, seconds};

/// Deterministic spread for a delay, so that a thousand failures of one moment do not come back together.
///
/// Made from a seed of the caller's (a fence's generation serves well): the same seed gives the same
/// delay, which keeps this crate free of dice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jitter(u64);

impl Jitter {
    /// Spread for `seed`.
    #[must_use]
    pub const fn of(seed: u64) -> Self {
        // SplitMix64: neighbouring seeds (generations) land far apart.
        let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Self(z ^ (z >> 31))
    }

    /// `span` ± `percent` %, never negative.
    #[must_use]
    pub fn spread(self, span: TimeDelta, percent: i64) -> TimeDelta {
        let reach = span.num_milliseconds() * percent / 100;
        if reach <= 0 {
            return span;
        }
        let width = u64::try_from(2 * reach + 1).unwrap_or(1);
        let offset = i64::try_from(self.0 % width).unwrap_or(0) - reach;
        (span + TimeDelta::milliseconds(offset)).max(TimeDelta::zero())
    }
}

/// A bounded list of delays between attempts.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    delays: &'static [TimeDelta],
    /// ± percent of each delay.
    spread: i64,
    /// Attempts in one series; after the last one the schedule says `None`.
    attempts: u16,
}

impl Schedule {
    /// A refresh series: three attempts, waiting 1, then 5 (then 15) minutes ± 50 %.
    pub const REFRESH: Self = Self {
        delays: &[minutes(1), minutes(5), minutes(15)],
        spread: 50,
        attempts: 3,
    };

    /// Looking for a post after an unknown outcome: quick at first, then patient, for about a day.
    pub const RESOLVE: Self = Self {
        delays: &[
            seconds(2),
            seconds(5),
            seconds(15),
            minutes(1),
            minutes(5),
            minutes(30),
        ],
        spread: 20,
        attempts: 60,
    };

    /// Asking whether a platform has finished its work on a post's media.
    pub const PROCESSING: Self = Self {
        delays: &[
            seconds(3),
            seconds(5),
            seconds(10),
            seconds(30),
            minutes(1),
            minutes(5),
        ],
        spread: 20,
        attempts: u16::MAX,
    };

    /// A platform that asks for a pause without saying how long: going on lengthens the block.
    pub const THROTTLED: Self = Self {
        delays: &[minutes(1), minutes(4), minutes(15), minutes(60)],
        spread: 20,
        attempts: u16::MAX,
    };

    /// A publish that was certainly not executed, and any other transient trouble of a job.
    pub const TRANSIENT: Self = Self {
        delays: &[seconds(2), seconds(10), seconds(30), minutes(2), minutes(5)],
        spread: 50,
        attempts: u16::MAX,
    };

    /// How many attempts one series has.
    #[must_use]
    pub const fn attempts(&self) -> u16 {
        self.attempts
    }

    /// When to come back after a platform asked for a pause: its own time where it gave one, never the past.
    #[must_use]
    pub fn pause(until: Option<Time>, attempt: u16, now: Time, jitter: Jitter) -> Time {
        let asked = until.or_else(|| Some(now + Self::THROTTLED.delay(attempt, jitter)?));
        asked.unwrap_or(now).max(now + seconds(1))
    }

    /// How long to wait after the `attempt`-th failure (the first is 1); `None` when the series is over.
    #[must_use]
    pub fn delay(&self, attempt: u16, jitter: Jitter) -> Option<TimeDelta> {
        if attempt >= self.attempts {
            return None;
        }
        let step = usize::from(attempt.max(1) - 1).min(self.delays.len() - 1);
        Some(jitter.spread(self.delays[step], self.spread))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_refresh_series_has_three_attempts() {
        let jitter = Jitter::of(1);
        assert!(Schedule::REFRESH.delay(1, jitter).is_some());
        assert!(Schedule::REFRESH.delay(2, jitter).is_some());
        assert_eq!(Schedule::REFRESH.delay(3, jitter), None);
    }

    #[test]
    fn neighbouring_seeds_do_not_come_back_together() {
        let delays: std::collections::BTreeSet<_> = (0..100)
            .filter_map(|seed| Schedule::REFRESH.delay(1, Jitter::of(seed)))
            .collect();
        assert!(delays.len() > 90, "only {} different delays", delays.len());
    }

    proptest! {
        #[test]
        fn prop_delays_stay_within_their_bounds(seed: u64, attempt in 1_u16..3) {
            let base = [minutes(1), minutes(5)][usize::from(attempt) - 1];
            let delay = Schedule::REFRESH.delay(attempt, Jitter::of(seed)).expect("within the series");
            prop_assert!(delay >= base / 2 && delay <= base * 3 / 2, "{delay}");
        }

        #[test]
        fn prop_transient_never_ends_and_never_exceeds_its_last_step(seed: u64, attempt in 1_u16..1000) {
            let delay = Schedule::TRANSIENT.delay(attempt, Jitter::of(seed)).expect("never ends");
            prop_assert!(delay > TimeDelta::zero() && delay <= minutes(5) * 3 / 2);
        }
    }
}
