//! What people want of a post: when, where, what; and what they want changed.

use chrono::TimeDelta;

use super::{Content, Overrides, Stage};
use crate::{
    id::{ConnectionId, PostId, TargetId},
    platform::Platform,
    time::{Time, hours},
    zoned::Zoned,
};

/// The longest lateness that a post may ask for. What a restored backup may have forgotten is looked for this far back.
pub const LATENESS_MOST: TimeDelta = hours(24);

/// When something is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The instant.
    pub at: Time,
    /// What the person said, where they named a zone.
    pub zoned: Option<Zoned>,
}

impl From<Time> for Due {
    fn from(at: Time) -> Self {
        Self { at, zoned: None }
    }
}

impl From<Zoned> for Due {
    fn from(zoned: Zoned) -> Self {
        Self {
            at: zoned.at,
            zoned: Some(zoned),
        }
    }
}

/// A post to schedule.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPost {
    /// The post's id.
    pub post: PostId,
    /// What it says.
    pub content: Content,
    /// What it says otherwise somewhere.
    pub overrides: Overrides,
    /// When it is due.
    pub due: Due,
    /// How late it may begin; `None` = as the policy says.
    pub max_lateness: Option<TimeDelta>,
    /// Critical posts go first.
    pub critical: bool,
    /// It may say what another post has said on the same connection within a day.
    pub allow_duplicate: bool,
    /// Where it goes, with the target ids.
    pub targets: Vec<(TargetId, ConnectionId, Platform)>,
}

/// What is to be changed about a post; `None` = as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct PostEdit {
    /// The post.
    pub post: PostId,
    /// Only while this is its revision: what is changed was read from it.
    pub revision: Option<i32>,
    /// What it says.
    pub content: Option<Content>,
    /// What it says otherwise somewhere.
    pub overrides: Option<Overrides>,
    /// When it is due.
    pub due: Option<Due>,
    /// How late it may begin; `Some(None)` = as the policy says.
    pub max_lateness: Option<Option<TimeDelta>>,
    /// Whether it goes first.
    pub critical: Option<bool>,
    /// It may say what another post has said on the same connection within a day.
    pub allow_duplicate: bool,
}

impl PostEdit {
    /// A change that changes nothing yet.
    #[must_use]
    pub const fn of(post: PostId) -> Self {
        Self {
            post,
            revision: None,
            content: None,
            overrides: None,
            due: None,
            max_lateness: None,
            critical: None,
            allow_duplicate: false,
        }
    }

    /// Whether what people see may change by it.
    #[must_use]
    pub const fn changes_content(&self) -> bool {
        self.content.is_some() || self.overrides.is_some()
    }
}

/// A deliberate publishing of a target that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishAgain {
    /// The target.
    pub target: TargetId,
    /// When.
    pub due: Time,
    /// Also where the edition before is out, or may be.
    pub even_if_published: bool,
    /// It may say what another post has said on the same connection within a day.
    pub allow_duplicate: bool,
}

/// Why a target is not published again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAgain {
    /// Its edition has not ended: it goes out by itself.
    NotEnded,
    /// What became of an attempt is not known yet: the post may appear.
    Dangles,
    /// It is out: a published target is settled.
    Published,
    /// Nobody knows whether it is out.
    Unconfirmed,
}

/// Whether a target may be published again. What is out is settled, and goes out a second time only where a person says
/// that this is what they want.
pub const fn may_publish_again(
    stage: Stage,
    dangles: bool,
    even_if_published: bool,
) -> Result<(), NotAgain> {
    if dangles {
        return Err(NotAgain::Dangles);
    }
    match stage {
        Stage::Scheduled | Stage::Begun => Err(NotAgain::NotEnded),
        Stage::Accepted if !even_if_published => Err(NotAgain::Published),
        Stage::Unconfirmed if !even_if_published => Err(NotAgain::Unconfirmed),
        Stage::Accepted
        | Stage::Unconfirmed
        | Stage::Missed
        | Stage::Cancelled
        | Stage::Failed
        | Stage::Removed => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guard_022_what_is_out_is_settled_and_goes_out_again_only_by_a_clear_word() {
        for stage in Stage::ALL {
            let dangling = may_publish_again(stage, true, true);
            assert_eq!(dangling, Err(NotAgain::Dangles), "{stage:?}");
            let (plain, clear) = match stage {
                Stage::Scheduled | Stage::Begun => {
                    (Err(NotAgain::NotEnded), Err(NotAgain::NotEnded))
                }
                Stage::Accepted => (Err(NotAgain::Published), Ok(())),
                Stage::Unconfirmed => (Err(NotAgain::Unconfirmed), Ok(())),
                Stage::Missed | Stage::Cancelled | Stage::Failed | Stage::Removed => {
                    (Ok(()), Ok(()))
                }
            };
            assert_eq!(may_publish_again(stage, false, false), plain, "{stage:?}");
            assert_eq!(may_publish_again(stage, false, true), clear, "{stage:?}");
        }
    }
}
