//! When people want something: an instant, or a wall time in a zone.

use mooring_domain::{
    Time,
    post::plan::Due,
    zoned::{Fold, Gap, Zone, Zoned, parse_wall, resolve},
};

use super::ActError;

/// A time, as people say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// An instant; in a zone, its wall time is kept beside it.
    At {
        /// The instant.
        at: Time,
        /// The IANA zone.
        zone: Option<String>,
    },
    /// What the clocks of a zone show.
    Wall {
        /// As `2027-03-28T02:30`.
        wall: String,
        /// The IANA zone.
        zone: String,
        /// Which side is meant, where the clocks are set forward over it.
        gap: Option<Gap>,
        /// Which one is meant, where the clocks show it twice.
        fold: Fold,
    },
}

impl When {
    /// The instant, and what was said.
    pub fn due(&self) -> Result<Due, ActError> {
        match self {
            Self::At { at, zone: None } => Ok((*at).into()),
            Self::At {
                at,
                zone: Some(name),
            } => {
                let zone = zone(name)?;
                let wall = zone.wall(*at);
                Ok(Zoned {
                    at: *at,
                    zone,
                    wall,
                }
                .into())
            }
            Self::Wall {
                wall,
                zone: name,
                gap,
                fold,
            } => {
                let read = parse_wall(wall).ok_or_else(|| {
                    let problem = "is no wall time; write it as 2027-01-31T09:30";
                    ActError::invalid("due.wall", problem)
                })?;
                let found = resolve(read, zone(name)?, *gap, *fold);
                let found = found.map_err(|gap| ActError::invalid("due.wall", gap.to_string()));
                found.map(Due::from)
            }
        }
    }
}

fn zone(name: &str) -> Result<Zone, ActError> {
    name.parse()
        .map_err(|error: mooring_domain::zoned::UnknownZone| {
            ActError::invalid("due.zone", error.to_string())
        })
}
