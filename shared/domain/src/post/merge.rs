//! The one merge: what is known about a target after another piece of news, wherever it comes from.
//!
//! A publish's result, a read-back, a webhook, a sync and a person's word all become [`TargetNews`]. Merging is
//! commutative, associative and idempotent, so that order, repetition and delay change nothing: progress is the higher of
//! both, the verdict is the newest observation of the present edition, and what people may follow is the newest address
//! that the edition was seen at, unless the newest observation says that it is gone.

use super::{Progress, Stage, Verdict};
use crate::time::Time;

/// What is known about a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// How far it has come.
    pub progress: Progress,
    /// Why, as a stable code.
    pub reason: Option<String>,
    /// The newest observation of the present edition.
    pub observed: Option<Observed>,
    /// The newest address of the present edition, and from when it is. It is kept when the post is gone.
    pub address: Option<(Time, String)>,
}

/// An observation of a published post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Observed {
    /// When.
    pub at: Time,
    /// What.
    pub as_what: Sight,
}

/// What an observation showed. Of two at the same moment the higher one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sight {
    /// Nobody may look.
    Unverifiable,
    /// There, as sent.
    Live,
    /// There, with another text.
    Altered,
    /// Gone.
    Removed,
}

impl Sight {
    /// The name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unverifiable => "unverifiable",
            Self::Live => "live",
            Self::Altered => "altered",
            Self::Removed => "removed",
        }
    }

    /// Reads the database's name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Unverifiable, Self::Live, Self::Altered, Self::Removed]
            .into_iter()
            .find(|one| one.as_str() == text)
    }
}

impl From<&Verdict> for Sight {
    fn from(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Live { .. } => Self::Live,
            Verdict::Altered { .. } => Self::Altered,
            Verdict::Removed => Self::Removed,
            Verdict::Unverifiable => Self::Unverifiable,
        }
    }
}

/// A piece of news about a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetNews {
    /// It has come so far.
    Moved {
        /// How far.
        to: Progress,
        /// Why, as a stable code.
        reason: Option<String>,
    },
    /// The platform took the edition.
    Accepted {
        /// Which edition.
        edition: i32,
        /// When we learnt it.
        at: Time,
        /// Where people see it.
        address: Option<String>,
    },
    /// Somebody looked, or was there.
    Seen {
        /// Which edition.
        edition: i32,
        /// When.
        at: Time,
        /// What.
        what: Sight,
        /// Where people see it.
        address: Option<String>,
    },
}

impl Known {
    /// Before anything was heard.
    #[must_use]
    pub const fn start() -> Self {
        Self {
            progress: Progress::start(),
            reason: None,
            observed: None,
            address: None,
        }
    }

    /// What is known after `news`.
    #[must_use]
    pub fn merge(self, news: TargetNews) -> Self {
        match news {
            TargetNews::Moved { to, reason } => self.raised(to, reason),
            TargetNews::Accepted {
                edition,
                at,
                address,
            } => {
                let to = Progress {
                    edition,
                    stage: Stage::Accepted,
                };
                self.raised(to, None).addressed(edition, at, address)
            }
            TargetNews::Seen {
                edition,
                at,
                what,
                address,
            } => {
                // What was seen, or is seen to be gone, was taken before, whether or not we have heard of that.
                let stage = match what {
                    Sight::Removed => Stage::Removed,
                    Sight::Live | Sight::Altered | Sight::Unverifiable => Stage::Accepted,
                };
                self.raised(Progress { edition, stage }, None)
                    .addressed(edition, at, address)
                    .observed(edition, Observed { at, as_what: what })
            }
        }
    }

    /// Where people may look: nowhere once it is gone.
    #[must_use]
    pub fn link(&self) -> Option<&str> {
        let gone = self
            .observed
            .is_some_and(|seen| seen.as_what == Sight::Removed);
        let address = self.address.as_ref().filter(|_| !gone);
        address.map(|(_, address)| address.as_str())
    }

    /// A new edition begins with nothing known about it.
    fn raised(mut self, to: Progress, reason: Option<String>) -> Self {
        if to.edition > self.progress.edition {
            self.observed = None;
            self.address = None;
        }
        if to > self.progress {
            self.progress = self.progress.merge(to);
            self.reason = reason;
        } else if to == self.progress {
            self.reason = self.reason.max(reason);
        }
        self
    }

    fn addressed(mut self, edition: i32, at: Time, address: Option<String>) -> Self {
        if edition == self.progress.edition
            && let Some(address) = address
        {
            self.address = self.address.max(Some((at, address)));
        }
        self
    }

    fn observed(mut self, edition: i32, seen: Observed) -> Self {
        if edition == self.progress.edition {
            self.observed = self.observed.max(Some(seen));
        }
        self
    }
}

#[cfg(test)]
#[path = "merge_test.rs"]
mod tests;
