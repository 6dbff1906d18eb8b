//! The verified publish rate: of what was planned, how much was seen live.

/// What became of the targets that were due in a period. Every target is counted in exactly one of the numbers below
/// `planned`; what a person cancelled was not planned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RateRow {
    /// Due in the period, and not cancelled.
    pub planned: u64,
    /// Published, and seen live with the text that was sent, at least once. Whether it was taken down later changes
    /// nothing: it was published.
    pub verified: u64,
    /// Of the verified ones: not there any more by the newest look, or taken down by a person of ours.
    pub verified_removed: u64,
    /// Published, and only ever seen with another text than was sent.
    pub altered: u64,
    /// Published where nobody can look. Counted apart: neither verified nor failed.
    pub unverifiable: u64,
    /// Taken down before anybody saw it live. Its owner's doing is no failure of ours: counted apart.
    pub removed_unseen: u64,
    /// Published, and not looked at yet.
    pub unlooked: u64,
    /// Missed, failed, or nobody knows whether it went out.
    pub unpublished: u64,
    /// Still on its way.
    pub open: u64,
}

impl RateRow {
    /// What the rate is of: what was planned and could be verified. Nothing that is ours to mend is left out.
    #[must_use]
    pub const fn verifiable(&self) -> u64 {
        self.planned - self.unverifiable - self.removed_unseen - self.open
    }

    /// The verified publish rate in hundredths of a percent, rounded down: 10 000 only where every one was seen.
    /// `None`: there was nothing to verify.
    #[must_use]
    pub const fn per_ten_thousand(&self) -> Option<u64> {
        match self.verifiable() {
            0 => None,
            whole => Some(self.verified * 10_000 / whole),
        }
    }
}

impl std::ops::Add for RateRow {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            planned: self.planned + other.planned,
            verified: self.verified + other.verified,
            verified_removed: self.verified_removed + other.verified_removed,
            altered: self.altered + other.altered,
            unverifiable: self.unverifiable + other.unverifiable,
            removed_unseen: self.removed_unseen + other.removed_unseen,
            unlooked: self.unlooked + other.unlooked,
            unpublished: self.unpublished + other.unpublished,
            open: self.open + other.open,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_among_many_is_never_rounded_away() {
        let row = RateRow {
            planned: 100_000,
            verified: 99_999,
            unpublished: 1,
            ..RateRow::default()
        };
        assert_eq!(row.per_ten_thousand(), Some(9_999));
    }

    #[test]
    fn what_cannot_be_looked_at_and_what_its_owner_took_down_is_counted_apart() {
        let row = RateRow {
            planned: 10,
            verified: 4,
            verified_removed: 1,
            altered: 1,
            unverifiable: 2,
            removed_unseen: 1,
            unpublished: 1,
            open: 1,
            unlooked: 0,
        };
        assert_eq!((row.verifiable(), row.per_ten_thousand()), (6, Some(6_666)));
        assert_eq!(RateRow::default().per_ten_thousand(), None);
    }
}
