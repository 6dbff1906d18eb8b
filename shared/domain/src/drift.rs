//! Comparing the books with what is really there: leases against their holders, and against the workers' slots.
//!
//! Every lease ends by itself, so a drift costs time and never a post. What is repaired here is repaired sooner.

use chrono::TimeDelta;

use crate::{
    id::ProcessId,
    job::{Fence, LeaseRule},
    time::{Time, seconds},
};

/// What can be wrong. Closed, because it is a metric label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Drift {
    /// The process that holds the lease has certainly ended.
    HolderEnded,
    /// The process that is said to hold the lease does not.
    HolderWithout,
    /// The lease ends later than any lease may: somebody's clock was wrong.
    TooLong,
    /// A lane has more leases than waiting envelopes and slots, for longer than a lease.
    Unaccounted,
}

impl Drift {
    /// The code in events and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HolderEnded => "lease_without_a_live_holder",
            Self::HolderWithout => "lease_that_its_holder_does_not_hold",
            Self::TooLong => "lease_longer_than_any",
            Self::Unaccounted => "leases_without_slots",
        }
    }
}

/// A lease, as the books show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseSeen {
    /// The claim.
    pub fence: Fence,
    /// Its end.
    pub until: Time,
    /// Who began it or extended it last; `None` = nobody has yet.
    pub holder: Option<ProcessId>,
    /// Its job has begun: something may be on its way to a platform.
    pub begun: bool,
}

/// What is known about a lease's holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HolderSeen {
    /// It has certainly ended.
    Ended,
    /// It is the process that asks, and the lease is not in its hands.
    Without,
    /// It may live, or nobody is known to hold the lease.
    Unknown,
}

/// How much longer than its rule a lease may be: the clocks' disagreement, many times over.
const SLACK: TimeDelta = seconds(5);

/// What is wrong with a lease, and when it should end instead; `None` for the end: it is left to run out.
///
/// A lease whose holder has ended ends now: whatever it had begun, nothing more leaves it. One that its living holder
/// does not hold is left alone if its job has begun, for the call may still be under way.
#[must_use]
pub fn judge_lease(
    lease: &LeaseSeen,
    holder: HolderSeen,
    rule: LeaseRule,
    now: Time,
) -> Option<(Drift, Option<Time>)> {
    match holder {
        HolderSeen::Ended => return Some((Drift::HolderEnded, Some(now))),
        HolderSeen::Without => {
            let end = (!lease.begun).then_some(now);
            return Some((Drift::HolderWithout, end));
        }
        HolderSeen::Unknown => {}
    }
    // Its holder, if there is one, extends it within a lease.
    (lease.until > now + rule.lease + SLACK).then_some((Drift::TooLong, Some(now + rule.lease)))
}

/// Leases of a lane that lie neither in it nor in a worker's slot.
#[must_use]
pub const fn unaccounted(leased: u64, waiting: u64, slots: u64) -> u64 {
    leased.saturating_sub(waiting.saturating_add(slots))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        job::{JobKind, Lane},
        time::from_ms,
    };

    fn now() -> Time {
        from_ms(1_800_000_000_000)
    }

    fn judged(left: i64, holder: HolderSeen, begun: bool) -> Option<(Drift, Option<Time>)> {
        let lease = LeaseSeen {
            fence: Fence {
                kind: JobKind::Publish,
                subject: uuid::Uuid::nil(),
                generation: 1,
            },
            until: now() + seconds(left),
            holder: None,
            begun,
        };
        judge_lease(&lease, holder, LeaseRule::default_of(Lane::Publish), now())
    }

    #[test]
    fn a_lease_ends_with_its_holder_and_not_while_a_call_may_be_under_way() {
        for begun in [false, true] {
            let ended = judged(30, HolderSeen::Ended, begun);
            assert_eq!(ended, Some((Drift::HolderEnded, Some(now()))));
            assert_eq!(judged(30, HolderSeen::Unknown, begun), None);
        }
        let without = |end| Some((Drift::HolderWithout, end));
        assert_eq!(judged(30, HolderSeen::Without, true), without(None));
        assert_eq!(judged(30, HolderSeen::Without, false), without(Some(now())));
    }

    #[test]
    fn a_lease_longer_than_any_becomes_an_ordinary_one() {
        assert_eq!(judged(65, HolderSeen::Unknown, true), None);
        let shortened = Some((Drift::TooLong, Some(now() + seconds(60))));
        assert_eq!(judged(66, HolderSeen::Unknown, true), shortened);
    }

    #[test]
    fn what_waits_and_what_runs_is_accounted_for() {
        assert_eq!(unaccounted(20, 4, 16), 0);
        assert_eq!(unaccounted(21, 4, 16), 1);
        assert_eq!(unaccounted(0, 4, 16), 0);
    }
}
