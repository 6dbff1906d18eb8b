//! The numbers that a workspace or an operator may change, with the defaults of design.md §5.

use chrono::TimeDelta;

use crate::{
    job::{Lane, LeaseRule},
    time::{days, hours, minutes, seconds},
};

/// Every adjustable number of the domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Lease rules, by [`Lane`] in the order of [`Lane::ALL`].
    pub leases: [LeaseRule; Lane::ALL.len()],
    /// A connection without a conclusive check for this long is of unknown health.
    pub freshness: TimeDelta,
    /// A healthy connection has been used with success within this time.
    pub used_within: TimeDelta,
    /// Health is a warning from this long before the end of what ends the connection.
    pub warning_before: TimeDelta,
    /// How many days before that end people are warned, once each.
    pub warn_days: Vec<i32>,
    /// Failed looks in a row after which the platform counts as unsteady.
    pub unsteady_after: u16,
    /// How long people are told to wait when a platform fails or calls us too many …
    pub wait: TimeDelta,
    /// … and after how much time of that they are told to ask for help.
    pub stuck_after: TimeDelta,
    /// A grant that is taken back within this time of its connecting …
    pub flapping_within: TimeDelta,
    /// … so many times in a row is flapping.
    pub flapping_after: u16,
    /// How often a grant's connections are compared with what it reaches.
    pub survey_every: TimeDelta,
    /// Every connection is checked at least this often.
    pub check_every: TimeDelta,
    /// … and this often while a post is due within [`Policy::check_horizon`].
    pub check_soon: TimeDelta,
    /// How far ahead a due post makes checks frequent.
    pub check_horizon: TimeDelta,
    /// One check runs this long before each post.
    pub preflight: TimeDelta,
    /// A post that could not be begun for this long after its time is missed.
    pub max_lateness: TimeDelta,
    /// The least time between two posts on one connection, where it says nothing else.
    pub spacing: TimeDelta,
    /// A refresh begins at most this long before the end of the token …
    pub refresh_before: TimeDelta,
    /// … and at the latest when this fraction of its lifetime is left (4 = a quarter).
    pub refresh_fraction: i32,
    /// Pause between two series of refresh attempts.
    pub refresh_pause: TimeDelta,
    /// When an accepted post is looked at, counted from its acceptance.
    pub verify_after: Vec<TimeDelta>,
    /// Allowance for clocks that disagree, wherever *absent* is believed.
    pub clock_margin: TimeDelta,
    /// Expired leases in a row after which a job is parked as poison.
    pub max_losses: i32,
    /// "Gone" is believed when the account was seen healthy within this time.
    pub gone_needs_check: TimeDelta,
    /// So many runs of connecting without one success, within an hour, and none begins for an hour.
    pub connect_attempts: u32,
    /// More targets than this, scheduled on one connection within an hour, are unusual.
    pub unusual_per_hour: u64,
    /// Whether the internet reaches our media: platforms that fetch them need it.
    pub public_media: bool,
}

impl Policy {
    /// The lane's lease rule.
    #[must_use]
    pub fn lease(&self, lane: Lane) -> LeaseRule {
        let index = Lane::ALL.iter().position(|l| *l == lane).unwrap_or(0);
        self.leases[index]
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            leases: Lane::ALL.map(LeaseRule::default_of),
            freshness: hours(3),
            used_within: hours(24),
            warning_before: days(7),
            warn_days: vec![14, 7],
            unsteady_after: 2,
            wait: minutes(30),
            stuck_after: hours(24),
            flapping_within: days(14),
            flapping_after: 2,
            survey_every: hours(24),
            check_every: hours(1),
            check_soon: minutes(15),
            check_horizon: hours(24),
            preflight: minutes(10),
            max_lateness: minutes(60),
            spacing: seconds(0),
            refresh_before: days(7),
            refresh_fraction: 4,
            refresh_pause: hours(6),
            verify_after: vec![seconds(0), minutes(1), minutes(15), hours(24), days(7)],
            clock_margin: seconds(1),
            max_losses: 5,
            gone_needs_check: minutes(5),
            connect_attempts: 10,
            unusual_per_hour: 100,
            public_media: false,
        }
    }
}
