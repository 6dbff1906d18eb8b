//! Posts: what is said, how far it has come, and what is known about it.

mod beyond;
mod content;
pub mod merge;
mod overrides;
pub mod plan;
mod prepare;
mod progress;
pub mod publish;
pub mod resolve;
pub mod rollup;
mod spacing;
pub mod sync;
mod twice;
pub mod verify;

use serde::{Deserialize, Serialize};

pub use content::{Content, Format, Media, MediaKind, text_digest};
pub use merge::{Known, Observed, Sight, TargetNews};
pub use overrides::{Override, Overrides};
pub use prepare::{Preparation, Prepared, after_prepare};
pub use progress::{Progress, Stage};
pub use rollup::{PostState, roll_up};
pub use spacing::Spacing;
pub use twice::{APART, Alike, fingerprint};

use crate::{failure::Failure, time::Time};

/// The platform's word that it took a post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The post's id at the platform.
    pub remote_id: String,
    /// Where people see it, where the answer says so.
    pub permalink: Option<String>,
}

/// What a publish call brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// The post exists.
    Accepted(Accepted),
    /// The platform took the order and works on it; whether a post comes of it, a look by this handle will tell.
    Processing {
        /// The platform's id for the order (a publish id, a container).
        handle: String,
    },
}

/// How a dangling attempt was settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settlement {
    /// The post exists.
    Found,
    /// It does not, and no byte of the attempt can bring it about any more.
    Absent,
    /// Nobody can tell; a person must look.
    Unsure,
}

impl Settlement {
    /// The name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Absent => "absent",
            Self::Unsure => "unsure",
        }
    }

    /// Reads the database's name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Found, Self::Absent, Self::Unsure]
            .into_iter()
            .find(|settlement| settlement.as_str() == text)
    }
}

/// What looking for a lost post brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It is there.
    Found(Accepted),
    /// It is not there now. Whether that may be believed is a matter of time; see [`publish`].
    Absent,
    /// The platform is still working on it.
    Processing,
    /// The platform says of this very order that it has ended without a post.
    Refused(Failure),
    /// It is not among the posts that the platform lists, and that proves nothing: what it takes it lists only after it
    /// has looked at it itself, whenever that may be.
    Unlisted,
    /// It cannot be told, for example because the list was cut off.
    Unsure,
}

/// What reading a post back brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It is there.
    Live {
        /// Where people see it.
        permalink: Option<String>,
        /// Fingerprint of its text, where the text can be read.
        digest: Option<String>,
    },
    /// It is not there, or we may not see it; which of both, the account's health decides.
    Gone,
    /// The platform does not let us look.
    Unverifiable,
}

/// The newest observation of an accepted attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is there, as sent.
    Live {
        /// Where people see it.
        permalink: Option<String>,
        /// Fingerprint of its text, where readable.
        digest: Option<String>,
    },
    /// It is there with another text.
    Altered {
        /// Where people see it.
        permalink: Option<String>,
        /// Fingerprint of its text now.
        digest: String,
    },
    /// It is gone, and the account is well.
    Removed,
    /// The platform does not let anybody look; the acceptance stands as the proof.
    Unverifiable,
}

impl Verdict {
    /// The name in the database and in JSON.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Live { .. } => "live",
            Self::Altered { .. } => "altered",
            Self::Removed => "removed",
            Self::Unverifiable => "unverifiable",
        }
    }
}

/// What is known about one attempt; the raw material of its target's progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptFacts {
    /// The attempt.
    pub id: crate::AttemptId,
    /// The edition that it tried.
    pub edition: i32,
    /// 1 for the edition's first.
    pub number: i32,
    /// Our key at the platform, where it takes one.
    pub reference: Option<String>,
    /// The platform's id for an order that it took and works on.
    pub handle: Option<String>,
    /// When it began: nothing of it can be older.
    pub begun_at: Time,
    /// Its last moment to be sent; never extended.
    pub send_by: Time,
    /// When its call was known to be over, and with which failure.
    pub call_ended: Option<(Time, Option<Failure>)>,
    /// How it was settled; `None` = it dangles.
    pub settlement: Option<Settlement>,
    /// How often it was looked for so far.
    pub looks: u16,
    /// Nobody knows whether it was ever made: it stands for whatever was sent in a time that a restored
    /// database has forgotten (see [`restore`](crate::restore)).
    pub forgotten: bool,
}

/// Another target's attempt with the same text on the same connection, whose outcome is not settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Twin {
    /// The attempt.
    pub attempt: crate::AttemptId,
    /// A key of ours travelled with it.
    pub keyed: bool,
    /// It stands for a send that a restored database may have forgotten.
    pub forgotten: bool,
    /// When it began.
    pub begun_at: Time,
}

impl Twin {
    /// Whether a look for `attempt` by text could bring this one's post instead.
    ///
    /// What two living senders have under way, nobody can tell apart by text, so both wait. A forgotten send is
    /// over, one way or the other: then they are told apart by turns, the earlier first, and what the earlier one
    /// found belongs to it when the later one looks. What has a key is never taken by text; for an attempt that has
    /// one, do not ask.
    #[must_use]
    pub fn obscures(&self, attempt: &AttemptFacts) -> bool {
        if self.keyed || !(self.forgotten || attempt.forgotten) {
            return true;
        }
        (self.begun_at, self.attempt) < (attempt.begun_at, attempt.id)
    }
}
