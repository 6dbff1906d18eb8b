//! Instants and spans, in the units that the house uses everywhere.

use chrono::{DateTime, TimeDelta, Utc};

/// An instant in UTC. Stored as epoch milliseconds, so anything finer is lost on the way.
pub type Time = DateTime<Utc>;

/// `n` seconds.
#[must_use]
pub const fn seconds(n: i64) -> TimeDelta {
    TimeDelta::seconds(n)
}

/// `n` minutes.
#[must_use]
pub const fn minutes(n: i64) -> TimeDelta {
    TimeDelta::minutes(n)
}

/// `n` hours.
#[must_use]
pub const fn hours(n: i64) -> TimeDelta {
    TimeDelta::hours(n)
}

/// `n` days of 24 hours.
#[must_use]
pub const fn days(n: i64) -> TimeDelta {
    TimeDelta::days(n)
}

/// The instant that `ms` epoch milliseconds name; instants outside chrono's range are clamped to its ends.
#[must_use]
pub fn from_ms(ms: i64) -> Time {
    DateTime::from_timestamp_millis(ms).unwrap_or(if ms < 0 {
        DateTime::<Utc>::MIN_UTC
    } else {
        DateTime::<Utc>::MAX_UTC
    })
}
