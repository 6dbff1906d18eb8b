//! Wall times: what a clock on the wall of a place shows, and which instant that is.
//!
//! People plan posts by the clock of their audience. The instant decides when a post goes out; zone and wall time stay
//! beside it, so that people are shown what they said (docs/adr/0019). The zones' rules are compiled in: no file of the
//! machine is read, and an image without `tzdata` gives the same answers.

use std::{fmt, str::FromStr};

use chrono::{MappedLocalTime, NaiveDateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;

use crate::time::{Time, hours};

/// How wall times are written: `2027-03-28T02:30`, with seconds where there are any.
const FORMATS: [&str; 2] = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"];

/// A time zone of the IANA database, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Zone(Tz);

/// The name is none of the IANA database's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no IANA time zone; write it as Europe/Berlin or UTC")]
pub struct UnknownZone(String);

impl Zone {
    /// The name, as it was given.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// Every zone that is known, links included.
    pub fn all() -> impl Iterator<Item = Self> {
        chrono_tz::TZ_VARIANTS.iter().copied().map(Self)
    }

    /// What the clocks there show at an instant.
    #[must_use]
    pub fn wall(self, at: Time) -> NaiveDateTime {
        at.with_timezone(&self.0).naive_local()
    }

    /// How far its clocks are ahead of UTC at an instant.
    #[must_use]
    pub fn offset(self, at: Time) -> TimeDelta {
        let fixed = self.0.offset_from_utc_datetime(&at.naive_utc()).fix();
        TimeDelta::seconds(i64::from(fixed.local_minus_utc()))
    }
}

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(text: &str) -> Result<Self, UnknownZone> {
        let known = text.parse().map(Self);
        known.map_err(|_| UnknownZone(text.chars().take(64).collect()))
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Reads a wall time.
#[must_use]
pub fn parse_wall(text: &str) -> Option<NaiveDateTime> {
    FORMATS
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
}

/// Writes a wall time as [`parse_wall`] reads it.
#[must_use]
pub fn wall_text(wall: NaiveDateTime) -> String {
    let has_seconds = wall.and_utc().timestamp() % 60 != 0;
    wall.format(FORMATS[usize::from(has_seconds)]).to_string()
}

/// Which side of a gap is meant, where clocks are set forward over a wall time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// As much earlier as the clocks are set forward.
    Earlier,
    /// As much later.
    Later,
}

/// Which one is meant, where clocks are set back and show a wall time twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fold {
    /// The one before they are set back.
    #[default]
    First,
    /// The one after.
    Second,
}

/// A wall time with the instant that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zoned {
    /// The instant.
    pub at: Time,
    /// The zone.
    pub zone: Zone,
    /// What the clocks there show then.
    pub wall: NaiveDateTime,
}

/// The clocks of the zone never show this wall time: they are set forward over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} does not exist in {zone}: its clocks are set forward then; say {} or {}, or add gap: earlier or gap: later",
    wall_text(*.wall), wall_text(.earlier.wall), wall_text(.later.wall)
)]
pub struct InGap {
    /// The wall time.
    pub wall: NaiveDateTime,
    /// The zone.
    pub zone: Zone,
    /// The nearest that exists, as much earlier as the clocks are set forward.
    pub earlier: Zoned,
    /// … and as much later.
    pub later: Zoned,
}

/// The instant that a wall time names. One that never comes is refused unless `gap` says which is meant; one that comes
/// twice is the first unless `fold` says otherwise.
pub fn resolve(
    wall: NaiveDateTime,
    zone: Zone,
    gap: Option<Gap>,
    fold: Fold,
) -> Result<Zoned, InGap> {
    let at = match zone.0.from_local_datetime(&wall) {
        MappedLocalTime::Single(at) => at,
        MappedLocalTime::Ambiguous(first, second) => match fold {
            Fold::First => first,
            Fold::Second => second,
        },
        MappedLocalTime::None => {
            let around = around_gap(wall, zone);
            return match gap {
                Some(Gap::Earlier) => Ok(around.earlier),
                Some(Gap::Later) => Ok(around.later),
                None => Err(around),
            };
        }
    };
    let at = at.to_utc();
    Ok(Zoned { at, zone, wall })
}

/// Read with the clocks as they were before the gap, a wall time falls behind it; read as they are after it, before.
fn around_gap(wall: NaiveDateTime, zone: Zone) -> InGap {
    // Zones are less than a day from UTC, and none sets its clocks twice within two days.
    let utc = wall.and_utc();
    let (before, after) = (zone.offset(utc - hours(24)), zone.offset(utc + hours(24)));
    let of = |offset: TimeDelta| {
        let at = utc - offset;
        let wall = zone.wall(at);
        Zoned { at, zone, wall }
    };
    InGap {
        wall,
        zone,
        earlier: of(after),
        later: of(before),
    }
}

#[cfg(test)]
#[path = "zoned_test.rs"]
mod tests;
