//! Midnight in California, when Google's daily quotas begin anew.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};
use mooring_domain::Time;

/// The next midnight in California after `now`.
pub(super) fn next_midnight(now: Time) -> Time {
    let local = (now + offset(now)).date_naive();
    let Some(tomorrow) = local.succ_opt() else {
        return now;
    };
    let naive = tomorrow.and_time(NaiveTime::MIN).and_utc();
    // Clocks change at two in the morning: at midnight the offset of the moment before still holds.
    let guess = naive - offset(now);
    naive - offset(guess)
}

/// What the clocks of California are ahead of UTC (they are behind: it is negative).
fn offset(utc: DateTime<Utc>) -> TimeDelta {
    TimeDelta::hours(if is_summer(utc) { -7 } else { -8 })
}

/// Daylight saving time of the United States (15 U.S.C. 260a): from the second Sunday of March to the first Sunday of
/// November, each at two in the morning by the clock that ends.
fn is_summer(utc: DateTime<Utc>) -> bool {
    let at = |month, nth, hour| {
        NaiveDate::from_weekday_of_month_opt(utc.year(), month, Weekday::Sun, nth)
            .and_then(|day| day.and_hms_opt(hour, 0, 0))
            .map(|time| time.and_utc())
    };
    let (begins, ends) = (at(3, 2, 10), at(11, 1, 9));
    begins.is_some_and(|begin| begin <= utc) && ends.is_some_and(|end| utc < end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn midnight_is_eight_hours_behind_in_winter_and_seven_in_summer() {
        let at = |text: &str| {
            let time: Time = text.parse().expect("a time");
            next_midnight(time).to_rfc3339()
        };
        assert_eq!(at("2026-11-23T15:00:00Z"), "2026-11-24T08:00:00+00:00");
        assert_eq!(at("2026-11-24T07:59:59Z"), "2026-11-24T08:00:00+00:00");
        assert_eq!(at("2026-11-24T08:00:00Z"), "2026-11-25T08:00:00+00:00");
        assert_eq!(at("2026-07-01T00:00:00Z"), "2026-07-01T07:00:00+00:00");
        // The days on which clocks change.
        assert_eq!(at("2026-03-08T12:00:00Z"), "2026-03-09T07:00:00+00:00");
        assert_eq!(at("2026-03-08T09:00:00Z"), "2026-03-09T07:00:00+00:00");
        assert_eq!(at("2026-11-01T08:00:00Z"), "2026-11-02T08:00:00+00:00");
        assert_eq!(at("2026-11-01T12:00:00Z"), "2026-11-02T08:00:00+00:00");
    }
}
