//! Spacing: how far posts on one connection keep apart, and which of several goes first.

use chrono::TimeDelta;

use crate::time::{Time, seconds};

/// How long a post waits for one that goes before it and is about to.
const YIELD: TimeDelta = seconds(2);

/// What a target must know of the others on its connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spacing {
    /// The least time between two sends; 0 = none.
    pub every: TimeDelta,
    /// When another target's newest attempt began that may have put something out.
    pub last: Option<Time>,
    /// How many due targets go before this one: critical ones first, then by their time.
    pub ahead: u32,
    /// Whether one of those can go now.
    pub ahead_ready: bool,
}

impl Spacing {
    /// The earliest time for a send, as far as those that went before say.
    #[must_use]
    pub fn free_at(&self) -> Option<Time> {
        (self.every > TimeDelta::zero())
            .then(|| self.last.map(|last| last + self.every))
            .flatten()
    }

    /// Until when this one waits; `None` = it may go now.
    ///
    /// One that stands behind many comes back half way to its turn, and so finds out in time when others have dropped
    /// out, without a crowd that wakes for each send.
    #[must_use]
    pub fn wait(&self, now: Time) -> Option<Time> {
        if self.every <= TimeDelta::zero() {
            return None;
        }
        let half_way = i32::try_from(self.ahead / 2).unwrap_or(i32::MAX);
        let half_way = self.every.checked_mul(half_way).unwrap_or(TimeDelta::MAX);
        match self.free_at().filter(|free| *free > now) {
            Some(free) => Some(free.checked_add_signed(half_way).unwrap_or(free)),
            None => self.ahead_ready.then(|| now + YIELD),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{from_ms, minutes};

    fn now() -> Time {
        from_ms(1_800_000_000_000)
    }

    fn spacing(last: Option<TimeDelta>, ahead: u32, ahead_ready: bool) -> Spacing {
        Spacing {
            every: minutes(10),
            last: last.map(|ago| now() - ago),
            ahead,
            ahead_ready,
        }
    }

    #[test]
    fn guard_031_a_send_waits_until_the_gap_to_the_last_one_is_over() {
        assert_eq!(spacing(None, 0, false).wait(now()), None);
        assert_eq!(
            spacing(Some(minutes(4)), 0, false).wait(now()),
            Some(now() + minutes(6))
        );
        assert_eq!(spacing(Some(minutes(10)), 0, false).wait(now()), None);
        let none = Spacing {
            every: TimeDelta::zero(),
            ..spacing(Some(minutes(0)), 7, true)
        };
        assert_eq!(none.wait(now()), None, "without spacing nothing waits");
    }

    #[test]
    fn one_that_goes_before_is_let_by_only_while_it_can_go() {
        assert_eq!(spacing(None, 1, true).wait(now()), Some(now() + YIELD));
        assert_eq!(spacing(None, 1, false).wait(now()), None);
        assert_eq!(
            spacing(Some(minutes(1)), 1, true).wait(now()),
            Some(now() + minutes(9))
        );
        assert_eq!(
            spacing(Some(minutes(1)), 6, true).wait(now()),
            Some(now() + minutes(39)),
            "half way to its turn"
        );
    }
}
