//! `[policy]`: the product's times and limits (design §4 and §5). Units are in the names.

use serde::{Deserialize, Serialize};

/// One number for each lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PerLane {
    /// Health checks.
    pub check: u64,
    /// Token refreshes.
    pub refresh: u64,
    /// Publishing, with its resolution.
    pub publish: u64,
    /// Reading back what was published.
    pub verify: u64,
    /// Everything else.
    pub house: u64,
}

impl PerLane {
    /// The names of the five lanes.
    pub const LANES: [&'static str; 5] = ["check", "refresh", "publish", "verify", "house"];

    /// Name and number of each lane.
    #[must_use]
    pub fn each(&self) -> [(&'static str, u64); 5] {
        let Self {
            check,
            refresh,
            publish,
            verify,
            house,
        } = *self;
        [
            ("check", check),
            ("refresh", refresh),
            ("publish", publish),
            ("verify", verify),
            ("house", house),
        ]
    }

    /// The number of a lane by its name.
    #[must_use]
    pub fn get(&self, lane: &str) -> Option<u64> {
        self.each()
            .into_iter()
            .find(|(name, _)| *name == lane)
            .map(|(_, number)| number)
    }
}

/// Times and limits of the four jobs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct PolicyConfig {
    /// How long a claim lasts without renewal, in seconds. Also the time after which a killed worker's job is
    /// claimed again.
    pub leases_s: PerLane,
    /// How long one run of a job may take in all, in seconds. Renewals stop here.
    pub hard_caps_s: PerLane,
    /// How old a health fact may be before it no longer proves anything, in seconds.
    pub freshness_s: u64,
    /// How late a post may still be published, in seconds. After that it is missed.
    pub max_lateness_s: u64,
    /// The least time between two posts on one connection that has no spacing of its own, in seconds; 0 = none.
    pub spacing_s: u64,
    /// Time between two checks of a connection, in seconds.
    pub check_interval_s: u64,
    /// Time between two checks while a post is due soon, in seconds.
    pub check_interval_due_s: u64,
    /// What "due soon" means, in seconds before the post.
    pub check_due_window_s: u64,
    /// When the last check before a post is made, in seconds before it.
    pub check_before_post_s: u64,
    /// The earliest start of a refresh before the token's end, in seconds; a quarter of the lifetime where that is
    /// less.
    pub refresh_lead_s: u64,
    /// Pause between two series of refresh attempts, in seconds.
    pub refresh_series_s: u64,
    /// Days before that end at which a connection's health becomes a warning.
    pub warning_days: u64,
    /// So many days before that end people are warned, once each: 1 to 365, none twice. Empty: they are not warned.
    pub warn_days: Vec<u64>,
    /// Failed looks in a row after which the platform counts as unsteady: 1 to 100.
    pub unsteady_after: u64,
    /// A grant that is taken back within so many days of its connecting counts towards flapping: 1 to 365.
    pub flapping_within_days: u64,
    /// So many times in a row, and it is flapping: 1 to 100.
    pub flapping_after: u64,
    /// Time between two comparisons of a grant's connections with what it reaches, in seconds: 600 to 2,592,000.
    pub survey_interval_s: u64,
    /// Posts scheduled on one connection within an hour that are no unusual activity yet: 1 or more.
    pub unusual_per_hour: u64,
    /// When a published post is looked at again, in seconds after acceptance. The first look is at once.
    pub verify_after_s: Vec<u64>,
    /// Runs of connecting without one success, within an hour, after which a workspace may begin none for an hour.
    pub connect_attempts: u64,
    /// Leases lost in a row after which a job is parked as poison.
    pub poison_losses: u64,
}

impl Default for PolicyConfig {
    fn default() -> Self {
        const MINUTE: u64 = 60;
        const HOUR: u64 = 60 * MINUTE;
        const DAY: u64 = 24 * HOUR;
        Self {
            leases_s: PerLane {
                check: 30,
                refresh: 60,
                publish: 60,
                verify: 30,
                house: 30,
            },
            hard_caps_s: PerLane {
                check: 60,
                refresh: 60,
                publish: 15 * MINUTE,
                verify: 60,
                house: 60,
            },
            freshness_s: 3 * HOUR,
            max_lateness_s: HOUR,
            spacing_s: 0,
            check_interval_s: HOUR,
            check_interval_due_s: 15 * MINUTE,
            check_due_window_s: DAY,
            check_before_post_s: 10 * MINUTE,
            refresh_lead_s: 7 * DAY,
            refresh_series_s: 6 * HOUR,
            warning_days: 7,
            warn_days: vec![14, 7],
            unsteady_after: 2,
            flapping_within_days: 14,
            flapping_after: 2,
            survey_interval_s: DAY,
            unusual_per_hour: 100,
            verify_after_s: vec![MINUTE, 15 * MINUTE, DAY, 7 * DAY],
            connect_attempts: 10,
            poison_losses: 5,
        }
    }
}
