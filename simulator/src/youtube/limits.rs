//! Quota of a project by the Pacific day, and uploads of a channel.

use chrono::{DateTime, Datelike as _, NaiveDate, TimeDelta, Utc, Weekday};

use super::errors;
use crate::call::Answer;
use crate::world::World;

/// Units that a project has per day, unless it was granted more.
pub const UNITS_PER_DAY: u64 = 10_000;
/// `videos.insert` calls that a project has per day; a bucket of its own since 1 June 2026.
pub const UPLOADS_PER_DAY: u64 = 100;
/// Videos that one channel may upload in 24 hours. Google gives no number; this one is a guess.
pub(crate) const CHANNEL_UPLOADS_PER_DAY: u64 = 100;
const DAY_S: u64 = 24 * 3600;

/// What a project may use and has used on one Pacific day. `None` = not enforced: a project is
/// shared by a whole fleet, so its limits are off until they are set.
pub(crate) struct Quota {
    units_per_day: Option<u64>,
    uploads_per_day: Option<u64>,
    day: Option<NaiveDate>,
    units: u64,
    uploads: u64,
}

/// What a call costs.
#[derive(Clone, Copy)]
pub(crate) enum Cost {
    Units(u64),
    Upload,
}

impl Quota {
    pub(super) fn new(units_per_day: Option<u64>, uploads_per_day: Option<u64>) -> Self {
        Self {
            units_per_day,
            uploads_per_day,
            day: None,
            units: 0,
            uploads: 0,
        }
    }

    /// Other limits, counted from now on.
    pub(super) fn set(&mut self, units_per_day: Option<u64>, uploads_per_day: Option<u64>) {
        *self = Self::new(units_per_day, uploads_per_day);
    }

    /// Takes what a call costs, or refuses it. A refused call costs nothing.
    fn take(&mut self, cost: Cost, now: i64) -> Result<(), Answer> {
        let today = pacific_day(now);
        if self.day != Some(today) {
            (self.day, self.units, self.uploads) = (Some(today), 0, 0);
        }
        let (used, limit, wanted) = match cost {
            Cost::Units(units) => (&mut self.units, self.units_per_day, units),
            Cost::Upload => (&mut self.uploads, self.uploads_per_day, 1),
        };
        if limit.is_some_and(|limit| *used + wanted > limit) {
            return Err(errors::quota_exceeded());
        }
        *used += wanted;
        Ok(())
    }
}

/// Charges a project for a call.
pub(crate) fn charge(world: &mut World, app: &str, cost: Cost) -> Result<(), Answer> {
    let now = world.now;
    match world.youtube.apps.get_mut(app) {
        Some(app) => app.quota.take(cost, now),
        None => Ok(()),
    }
}

/// Counts one upload of a channel, or refuses it.
pub(crate) fn count_upload(world: &mut World, channel: &str) -> Result<(), Answer> {
    let now = world.now;
    let Some(channel) = world.youtube.channels.get_mut(channel) else {
        return Ok(());
    };
    let usage = channel
        .uploads
        .count(now, 1, channel.uploads_per_day, DAY_S);
    if usage.exceeded() {
        Err(errors::upload_limit())
    } else {
        Ok(())
    }
}

/// The day in California: quotas begin anew at its midnight.
fn pacific_day(ms: i64) -> NaiveDate {
    let utc = DateTime::from_timestamp_millis(ms).unwrap_or(DateTime::UNIX_EPOCH);
    let hours = if is_summer(utc) { 7 } else { 8 };
    (utc - TimeDelta::hours(hours)).date_naive()
}

/// Daylight saving time of the United States: from the second Sunday of March to the first Sunday
/// of November, each at 2:00 of the time that ends.
fn is_summer(utc: DateTime<Utc>) -> bool {
    let year = utc.year();
    let at = |month, nth, hour| {
        let day = NaiveDate::from_weekday_of_month_opt(year, month, Weekday::Sun, nth);
        day.and_then(|d| d.and_hms_opt(hour, 0, 0))
            .map(|t| t.and_utc())
    };
    let (begin, end) = (at(3, 2, 10), at(11, 1, 9));
    begin.is_some_and(|b| b <= utc) && end.is_some_and(|e| utc < e)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_ends_at_pacific_midnight_in_winter_and_in_summer() {
        let day = |text: &str| {
            let ms = DateTime::parse_from_rfc3339(text)
                .unwrap()
                .timestamp_millis();
            pacific_day(ms).to_string()
        };
        assert_eq!(day("2026-11-23T07:59:59Z"), "2026-11-22");
        assert_eq!(day("2026-11-23T08:00:00Z"), "2026-11-23");
        assert_eq!(day("2026-07-01T06:59:59Z"), "2026-06-30");
        assert_eq!(day("2026-07-01T07:00:00Z"), "2026-07-01");
        assert_eq!(day("2026-03-08T09:59:59Z"), "2026-03-08");
        assert_eq!(day("2026-11-01T06:59:59Z"), "2026-10-31");
        assert_eq!(day("2026-11-02T07:59:59Z"), "2026-11-01");
    }
}
