//! A post that its account does not take any more when it is due.

use super::{Stage, publish::PublishWork};
use crate::{
    decision::{Change, Decision, Next, Outcome},
    event::Event,
    failure::Failure,
};

/// Why a target failed whose content is beyond what its account takes now.
pub(super) const ACCOUNT_LIMIT: &str = "account_limit";

/// The account takes less than it did when the post was scheduled: the platform would refuse it, so nobody asks.
pub(super) fn beyond_the_account(work: &PublishWork) -> Decision {
    let code = ACCOUNT_LIMIT.to_owned();
    Decision::new(
        Next::Done,
        Outcome::Failed(Failure::ContentRejected { code }),
    )
    .change(Change::TargetMoved {
        target: work.target,
        edition: work.progress.edition,
        stage: Stage::Failed,
        reason: Some(ACCOUNT_LIMIT.to_owned()),
    })
    .event(Event::TargetFailed {
        target: work.target,
        class: ACCOUNT_LIMIT.to_owned(),
    })
}
