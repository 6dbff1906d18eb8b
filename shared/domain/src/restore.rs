//! After the database was restored from a backup: what may have happened in the time that it has forgotten.
//!
//! Between the backup and the restore, posts went out and tokens were renewed, and the database knows nothing of it.
//! So every target that may have been sent since is given an attempt that dangles and that stands for that send: from
//! there on the rule of every unknown outcome holds, and nothing is sent before the platform was asked.

use chrono::TimeDelta;

use crate::{
    acts::act,
    decision::{Change, Decision},
    grant::rotates,
    id::ProcessId,
    platform::Platform,
    policy::Policy,
    post::plan::LATENESS_MOST,
    time::{Time, days, minutes},
};

/// How exactly people know when their backup was taken: looking back a little further costs a few looks, looking
/// back too little costs a double post.
const SLACK: TimeDelta = minutes(10);

/// Nobody runs a fleet on a backup that is older than the history that is kept.
const OLDEST: TimeDelta = days(90);

/// What the act that follows a restore does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Whoever worked in the forgotten time, as one process that has ended: nobody knows their ids.
    pub forgotten: ProcessId,
    /// When the backup was taken.
    pub taken_at: Time,
    /// Targets that were due from here on …
    pub due_from: Time,
    /// … up to here may have been sent since.
    pub due_to: Time,
    /// The last moment at which anybody can have sent them.
    pub sent_by: Time,
    /// Platforms whose refresh tokens are spent by a refresh.
    pub rotating: Vec<Platform>,
}

/// A time at which no backup of this fleet can have been taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImplausibleTime {
    /// It has not come yet.
    #[error("lies in the future; give the time at which the backup was begun, with its time zone")]
    Future,
    /// It is too long ago.
    #[error(
        "is more than 90 days ago; give the time at which the backup was begun, and check the year"
    )]
    TooOld,
}

/// The act that follows a restore, before anything else runs. `forgotten` is a fresh id.
///
/// A target is sent from its due time until `max_lateness` after it, its own or the policy's. Both ends are taken generously: of what is
/// marked in vain, the platform simply says that it is not there.
pub fn restored(
    forgotten: ProcessId,
    taken_at: Time,
    policy: &Policy,
    now: Time,
) -> Result<Decision, ImplausibleTime> {
    if taken_at > now + policy.clock_margin {
        return Err(ImplausibleTime::Future);
    }
    if taken_at < now - OLDEST {
        return Err(ImplausibleTime::TooOld);
    }
    let rotating = Platform::ALL
        .into_iter()
        .filter(|platform| rotates(platform.capabilities().refresh));
    Ok(act().change(Change::BackupRestored(Restored {
        forgotten,
        taken_at,
        due_from: taken_at - SLACK - policy.max_lateness.max(LATENESS_MOST),
        due_to: now + policy.clock_margin,
        sent_by: now,
        rotating: rotating.collect(),
    })))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::time::{from_ms, hours, seconds};

    fn now() -> Time {
        from_ms(1_800_000_000_000)
    }

    fn marked(taken_at: Time) -> Result<Restored, ImplausibleTime> {
        let forgotten = ProcessId::mint(now(), [1; 10]);
        let decision = restored(forgotten, taken_at, &Policy::default(), now())?;
        match decision.changes.as_slice() {
            [Change::BackupRestored(restored)] => Ok(restored.clone()),
            other => panic!("one change, not {other:?}"),
        }
    }

    #[test]
    fn a_backup_is_neither_of_tomorrow_nor_of_another_age() {
        assert_eq!(marked(now() + seconds(2)), Err(ImplausibleTime::Future));
        assert_eq!(marked(now() - days(91)), Err(ImplausibleTime::TooOld));
        for taken_at in [
            now() - days(90),
            now() - hours(3),
            now(),
            now() + seconds(1),
        ] {
            assert!(marked(taken_at).is_ok(), "{taken_at}");
        }
    }

    #[test]
    fn platforms_that_rotate_their_tokens_are_named() {
        let rotating = marked(now()).expect("plausible").rotating;
        assert!(rotating.contains(&Platform::Bluesky));
        assert!(!rotating.contains(&Platform::Facebook));
    }

    proptest! {
        #[test]
        fn prop_whatever_may_have_been_sent_since_is_marked(ago in 0_i64..86_400, sent_after in 0_i64..86_400, late in 0_i64..=3_600) {
            let taken_at = now() - seconds(ago);
            let sent_at = taken_at + seconds(sent_after);
            prop_assume!(sent_at <= now());
            let due = sent_at - seconds(late);
            let marked = marked(taken_at).expect("plausible");
            prop_assert!(marked.due_from <= due && due <= marked.due_to);
            prop_assert!(sent_at <= marked.sent_by);
        }
    }
}
