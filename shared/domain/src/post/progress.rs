//! How far a target has come: a value that only rises.

use serde::{Deserialize, Serialize};

/// The stages, lowest first. The order *is* the rule: merging takes the higher one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Waits for its time.
    Scheduled,
    /// An attempt has begun; from here on it cannot be edited or cancelled.
    Begun,
    /// Its time passed without an attempt that counts.
    Missed,
    /// Somebody cancelled it.
    Cancelled,
    /// The platform refused it.
    Failed,
    /// Whether it is live cannot be found out.
    Unconfirmed,
    /// The platform took it. Beats every failure, however late the news.
    Accepted,
    /// It was taken down after it had been accepted.
    Removed,
}

impl Stage {
    /// Every stage, lowest first.
    pub const ALL: [Self; 8] = [
        Self::Scheduled,
        Self::Begun,
        Self::Missed,
        Self::Cancelled,
        Self::Failed,
        Self::Unconfirmed,
        Self::Accepted,
        Self::Removed,
    ];

    /// The name in JSON and on screens.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Begun => "begun",
            Self::Missed => "missed",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Unconfirmed => "unconfirmed",
            Self::Accepted => "accepted",
            Self::Removed => "removed",
        }
    }

    /// The number in the database: gaps leave room, the order is the stages' own.
    #[must_use]
    pub const fn rank(self) -> i16 {
        match self {
            Self::Scheduled => 0,
            Self::Begun => 10,
            Self::Missed => 20,
            Self::Cancelled => 30,
            Self::Failed => 40,
            Self::Unconfirmed => 50,
            Self::Accepted => 60,
            Self::Removed => 70,
        }
    }

    /// Reads the database's number.
    #[must_use]
    pub fn from_rank(rank: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.rank() == rank)
    }

    /// Whether no publish job is needed any more.
    #[must_use]
    pub const fn is_settled(self) -> bool {
        !matches!(self, Self::Scheduled | Self::Begun)
    }
}

/// The progress of a target: its edition first, then the stage within the edition.
///
/// An edition is one deliberate publishing; it rises only when a person publishes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Progress {
    /// 1 unless a person published again.
    pub edition: i32,
    /// How far this edition has come.
    pub stage: Stage,
}

impl Progress {
    /// The first edition, waiting.
    #[must_use]
    pub const fn start() -> Self {
        Self {
            edition: 1,
            stage: Stage::Scheduled,
        }
    }

    /// What is known after `news`: the higher of both. Late, doubled and reordered news are harmless.
    #[must_use]
    pub fn merge(self, news: Self) -> Self {
        self.max(news)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn progress() -> impl Strategy<Value = Progress> {
        (1_i32..4, 0_usize..Stage::ALL.len()).prop_map(|(edition, stage)| Progress {
            edition,
            stage: Stage::ALL[stage],
        })
    }

    #[test]
    fn the_ranks_follow_the_order() {
        for pair in Stage::ALL.windows(2) {
            assert!(pair[0] < pair[1]);
            assert!(pair[0].rank() < pair[1].rank());
            assert_eq!(Stage::from_rank(pair[0].rank()), Some(pair[0]));
        }
    }

    #[test]
    fn an_acceptance_beats_a_later_failure_and_an_earlier_one() {
        let accepted = Progress {
            edition: 1,
            stage: Stage::Accepted,
        };
        let failed = Progress {
            edition: 1,
            stage: Stage::Failed,
        };
        assert_eq!(accepted.merge(failed), accepted);
        assert_eq!(failed.merge(accepted), accepted);
    }

    proptest! {
        #[test]
        fn prop_merge_is_a_semilattice(a in progress(), b in progress(), c in progress()) {
            prop_assert_eq!(a.merge(b), b.merge(a));
            prop_assert_eq!(a.merge(b).merge(c), a.merge(b.merge(c)));
            prop_assert_eq!(a.merge(a), a);
            prop_assert!(a.merge(b) >= a);
        }

        #[test]
        fn prop_any_order_of_news_ends_the_same(news in prop::collection::vec(progress(), 1..12), seed: u64) {
            let straight = news.iter().copied().fold(Progress::start(), Progress::merge);
            let mut shuffled = news.clone();
            let len = shuffled.len() as u64;
            for i in 0..shuffled.len() {
                let j = usize::try_from(seed.wrapping_mul(i as u64 + 7) % len).unwrap_or(0);
                shuffled.swap(i, j);
            }
            shuffled.extend(news);
            prop_assert_eq!(shuffled.into_iter().fold(Progress::start(), Progress::merge), straight);
        }
    }
}
