//! What people are told of a post as a whole: a fold of its targets, whose order does not matter.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Stage;
use crate::platform::Platform;

/// How a post stands, as people say it: the whole, one platform's part, or one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostState {
    /// It waits for its time.
    Scheduled,
    /// It is on its way, and none of it is out yet.
    Publishing,
    /// All of it is out.
    Published,
    /// A part of it is out.
    PartiallyPublished,
    /// The platforms refused it.
    Failed,
    /// People took it back before it went out.
    Cancelled,
    /// Its time passed.
    Missed,
    /// Whether it is out cannot be found out; somebody must look.
    Unconfirmed,
    /// It was out, and was taken down.
    Removed,
}

impl PostState {
    /// Every state.
    pub const ALL: [Self; 9] = [
        Self::Scheduled,
        Self::Publishing,
        Self::Published,
        Self::PartiallyPublished,
        Self::Failed,
        Self::Cancelled,
        Self::Missed,
        Self::Unconfirmed,
        Self::Removed,
    ];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Publishing => "publishing",
            Self::Published => "published",
            Self::PartiallyPublished => "partially_published",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Missed => "missed",
            Self::Unconfirmed => "unconfirmed",
            Self::Removed => "removed",
        }
    }

    /// Reads the stable name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// One target's part.
    #[must_use]
    pub const fn of(stage: Stage) -> Self {
        match stage {
            Stage::Scheduled => Self::Scheduled,
            Stage::Begun => Self::Publishing,
            Stage::Missed => Self::Missed,
            Stage::Cancelled => Self::Cancelled,
            Stage::Failed => Self::Failed,
            Stage::Unconfirmed => Self::Unconfirmed,
            Stage::Accepted => Self::Published,
            Stage::Removed => Self::Removed,
        }
    }

    /// The stages of which a post in this state has at least one target.
    #[must_use]
    pub const fn shown_by(self) -> &'static [Stage] {
        match self {
            Self::Scheduled => &[Stage::Scheduled],
            Self::Publishing => &[Stage::Begun],
            Self::Published | Self::PartiallyPublished => &[Stage::Accepted],
            Self::Failed => &[Stage::Failed],
            Self::Cancelled => &[Stage::Cancelled],
            Self::Missed => &[Stage::Missed],
            Self::Unconfirmed => &[Stage::Unconfirmed],
            Self::Removed => &[Stage::Removed],
        }
    }
}

/// The state of a whole.
///
/// What was cancelled was taken out of the plan, and does not count while anything else is left. Of the rest: all out is
/// published, some out is partially published, whatever the others do. While none is out, what is under way and what
/// still waits come before what ended badly: first what somebody must look at, then failed, then missed.
#[must_use]
pub fn roll_up(stages: impl IntoIterator<Item = Stage>) -> PostState {
    let (mut seen, mut counted) = ([false; Stage::ALL.len()], 0_usize);
    let mut out = 0_usize;
    for stage in stages {
        seen[stage as usize] = true;
        counted += usize::from(stage != Stage::Cancelled);
        out += usize::from(stage == Stage::Accepted);
    }
    if out > 0 {
        return if out == counted {
            PostState::Published
        } else {
            PostState::PartiallyPublished
        };
    }
    let order = [
        Stage::Begun,
        Stage::Scheduled,
        Stage::Unconfirmed,
        Stage::Failed,
        Stage::Missed,
        Stage::Removed,
    ];
    let strongest = order.into_iter().find(|stage| seen[*stage as usize]);
    PostState::of(strongest.unwrap_or(Stage::Cancelled))
}

/// Whether nothing more happens by itself: every target's edition has ended.
#[must_use]
pub fn is_settled(stages: impl IntoIterator<Item = Stage>) -> bool {
    stages.into_iter().all(Stage::is_settled)
}

/// The state of each platform's part.
#[must_use]
pub fn by_platform(
    targets: impl IntoIterator<Item = (Platform, Stage)>,
) -> BTreeMap<Platform, PostState> {
    let mut stages = BTreeMap::<Platform, Vec<Stage>>::new();
    for (platform, stage) in targets {
        stages.entry(platform).or_default().push(stage);
    }
    stages
        .into_iter()
        .map(|(platform, stages)| (platform, roll_up(stages)))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use Stage::{Accepted, Begun, Cancelled, Failed, Missed, Removed, Scheduled, Unconfirmed};

    fn stages() -> impl Strategy<Value = Vec<Stage>> {
        prop::collection::vec(prop::sample::select(Stage::ALL.to_vec()), 1..7)
    }

    #[test]
    fn row_097_the_whole_follows_from_its_targets() {
        for (stages, state) in [
            (&[Accepted, Accepted][..], PostState::Published),
            (&[Accepted, Failed], PostState::PartiallyPublished),
            (&[Accepted, Missed], PostState::PartiallyPublished),
            (&[Accepted, Unconfirmed], PostState::PartiallyPublished),
            (&[Accepted, Scheduled], PostState::PartiallyPublished),
            (&[Accepted, Begun], PostState::PartiallyPublished),
            (&[Accepted, Removed], PostState::PartiallyPublished),
            (&[Accepted, Cancelled], PostState::Published),
            (&[Scheduled, Scheduled], PostState::Scheduled),
            (&[Scheduled, Failed], PostState::Scheduled),
            (&[Begun, Scheduled], PostState::Publishing),
            (&[Failed, Failed], PostState::Failed),
            (&[Failed, Missed], PostState::Failed),
            (&[Failed, Unconfirmed], PostState::Unconfirmed),
            (&[Missed, Cancelled], PostState::Missed),
            (&[Cancelled, Cancelled], PostState::Cancelled),
            (&[Removed], PostState::Removed),
            (&[Removed, Cancelled], PostState::Removed),
        ] {
            assert_eq!(roll_up(stages.iter().copied()), state, "{stages:?}");
        }
    }

    #[test]
    fn row_096_each_platform_has_a_state_of_its_own() {
        let parts = by_platform([
            (Platform::X, Accepted),
            (Platform::X, Failed),
            (Platform::Bluesky, Accepted),
            (Platform::Facebook, Scheduled),
        ]);
        assert_eq!(parts[&Platform::X], PostState::PartiallyPublished);
        assert_eq!(parts[&Platform::Bluesky], PostState::Published);
        assert_eq!(parts[&Platform::Facebook], PostState::Scheduled);
        assert_eq!(parts.len(), 3);
    }

    proptest! {
        #[test]
        fn row_097_prop_the_order_of_targets_does_not_matter(mut stages in stages(), turn in 0_usize..7) {
            let state = roll_up(stages.iter().copied());
            let turn = turn % stages.len();
            stages.rotate_left(turn);
            prop_assert_eq!(roll_up(stages.iter().copied()), state);
            stages.reverse();
            prop_assert_eq!(roll_up(stages.iter().copied()), state);
            let shown = state.shown_by();
            prop_assert!(stages.iter().any(|stage| shown.contains(stage)));
        }

        /// Whatever is told of one target of a post that is out in full, only a removal changes the whole.
        #[test]
        fn row_106_prop_late_news_never_take_a_published_post_back(count in 1_usize..6, which in 0_usize..6, news in stages()) {
            let mut stages = vec![Accepted; count];
            let which = which % count;
            for stage in news {
                stages[which] = stages[which].max(stage);
                let state = roll_up(stages.iter().copied());
                if stages[which] == Accepted {
                    prop_assert_eq!(state, PostState::Published);
                } else {
                    prop_assert!(matches!(state, PostState::PartiallyPublished | PostState::Removed));
                }
            }
        }

        /// An acceptance that comes late moves a part of a post forward, and the last one makes it whole.
        #[test]
        fn row_108_prop_a_post_that_is_out_in_part_moves_forward_to_published(mut stages in stages()) {
            stages.push(Accepted);
            stages.retain(|stage| *stage != Removed);
            for place in 0..stages.len() {
                let state = roll_up(stages.iter().copied());
                prop_assert!(matches!(state, PostState::PartiallyPublished | PostState::Published));
                stages[place] = stages[place].max(Accepted);
            }
            prop_assert_eq!(roll_up(stages), PostState::Published);
        }
    }
}
