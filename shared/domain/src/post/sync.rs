//! Comparing a post with its platforms because a person asks for it.
//!
//! A sync makes the calls that the jobs make, and lets their rules decide. What it does not decide is whether a post is sent
//! again: that stays with the publish job, which it wakes.

use crate::{
    acts::act,
    decision::{Decision, Evidence},
    failure::Failure,
    id::{AttemptId, TargetId},
    news::look_poke,
    platform::Platform,
    time::Time,
};

use super::{AttemptFacts, Progress, Settlement};

/// What a sync does about a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncStep {
    /// Nothing was ever sent: there is nothing to compare.
    NeverPublished,
    /// Look for this attempt's post.
    Look(AttemptId),
    /// Read this attempt's post back.
    ReadBack(AttemptId),
    /// It was refused, and that is certain.
    Certain,
}

/// Decides what to ask. `attempts` are those of the present edition, oldest first, each with whether the platform took it.
#[must_use]
pub fn sync_step(attempts: &[(AttemptFacts, bool)]) -> SyncStep {
    let real = || attempts.iter().filter(|(one, _)| !one.forgotten);
    if let Some((taken, _)) = real().rfind(|(_, accepted)| *accepted) {
        return SyncStep::ReadBack(taken.id);
    }
    let open = attempts
        .iter()
        .rfind(|(one, _)| matches!(one.settlement, None | Some(Settlement::Unsure)));
    match open {
        Some((one, _)) => SyncStep::Look(one.id),
        None if real().next().is_none() => SyncStep::NeverPublished,
        None => SyncStep::Certain,
    }
}

/// What a sync writes of a look that the resolver has judged: that the post was found is evidence. Everything else, a new
/// send above all, needs the publish job's claim, so that job is woken.
#[must_use]
pub fn after_look(
    target: TargetId,
    progress: Progress,
    judged: Decision,
    platform: Platform,
    now: Time,
) -> Decision {
    let found = judged
        .evidence
        .into_iter()
        .filter(|one| matches!(one, Evidence::Accepted { .. }));
    let found: Vec<Evidence> = found.collect();
    if found.is_empty() {
        return if progress.stage.is_settled() {
            act()
        } else {
            act().poke(look_poke(target, platform, now))
        };
    }
    found.into_iter().fold(act(), Decision::evidence)
}

/// Whether the platform could not be asked. Then a sync changes nothing and says so.
#[must_use]
pub fn unreachable(failure: &Failure) -> bool {
    failure.is_transient()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{id::Id, time::from_ms};

    fn attempt(number: i32, settlement: Option<Settlement>) -> AttemptFacts {
        AttemptFacts {
            id: Id::mint(from_ms(1_000 + i64::from(number)), [7; 10]),
            edition: 1,
            number,
            reference: None,
            handle: None,
            begun_at: from_ms(0),
            send_by: from_ms(1),
            call_ended: None,
            settlement,
            looks: 0,
            forgotten: false,
        }
    }

    #[test]
    fn row_111_what_was_never_sent_has_nothing_to_sync() {
        assert_eq!(sync_step(&[]), SyncStep::NeverPublished);
        let mut forgotten = attempt(1, Some(Settlement::Absent));
        forgotten.forgotten = true;
        assert_eq!(sync_step(&[(forgotten, false)]), SyncStep::NeverPublished);
    }

    #[test]
    fn what_was_taken_is_read_back_and_what_is_open_looked_for() {
        let refused = attempt(1, Some(Settlement::Absent));
        let taken = attempt(2, Some(Settlement::Found));
        let lost = attempt(2, Some(Settlement::Unsure));
        let both = [(refused.clone(), false), (taken.clone(), true)];
        assert_eq!(sync_step(&both), SyncStep::ReadBack(taken.id));
        let both = [(refused.clone(), false), (lost.clone(), false)];
        assert_eq!(sync_step(&both), SyncStep::Look(lost.id));
        assert_eq!(sync_step(&[(refused, false)]), SyncStep::Certain);
    }
}
