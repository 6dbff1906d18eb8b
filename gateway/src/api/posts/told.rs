//! What callers say about posts, read into the acts' words.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use mooring_domain::{
    ConnectionId, MediaId, Platform,
    post::Format,
    zoned::{Fold, Gap},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::Problem;
use crate::acts::{ActError, NewOverride, NewOverrides, When};

/// When: an instant as text (RFC 3339), or a wall time, or an instant, in a zone.
#[derive(Debug, Clone, ToSchema)]
#[schema(value_type = Object, example = json!({"wall": "2027-03-28T09:30", "zone": "Europe/Berlin"}))]
pub(crate) struct Due(When);

/// A wall time, or an instant, in a zone.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InZone {
    wall: Option<String>,
    at: Option<DateTime<Utc>>,
    zone: Option<String>,
    gap: Option<GapTold>,
    fold: Option<FoldTold>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum GapTold {
    Earlier,
    Later,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum FoldTold {
    First,
    Second,
}

impl<'de> Deserialize<'de> for Due {
    fn deserialize<D: serde::Deserializer<'de>>(told: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let wrong = || {
            D::Error::custom(
                "due: is no time; write \"2027-01-31T09:30:00Z\", or {\"wall\": \"2027-01-31T09:30\", \"zone\": \"Europe/Berlin\"}",
            )
        };
        let value = serde_json::Value::deserialize(told)?;
        if let Some(text) = value.as_str() {
            let at = DateTime::parse_from_rfc3339(text).map_err(|_| wrong())?;
            let (at, zone) = (at.to_utc(), None);
            return Ok(Self(When::At { at, zone }));
        }
        let told: InZone = serde_json::from_value(value)
            .map_err(|error| D::Error::custom(format!("due: {error}")))?;
        Ok(Self(match (told.at, told.wall, told.zone) {
            (Some(at), None, zone) => When::At { at, zone },
            (None, Some(wall), Some(zone)) => When::Wall {
                wall,
                zone,
                gap: told.gap.map(|gap| match gap {
                    GapTold::Earlier => Gap::Earlier,
                    GapTold::Later => Gap::Later,
                }),
                fold: match told.fold {
                    Some(FoldTold::Second) => Fold::Second,
                    Some(FoldTold::First) | None => Fold::First,
                },
            },
            _ => return Err(wrong()),
        }))
    }
}

impl Due {
    /// The instant, and what was said.
    pub(super) fn read(&self) -> Result<mooring_domain::post::plan::Due, Problem> {
        Ok(self.0.due()?)
    }
}

/// What replaces the post's own content somewhere. What is left out stays; an empty link or title takes it away.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OverrideTold {
    text: Option<String>,
    link: Option<String>,
    title: Option<String>,
    /// feed, reel, story or short.
    #[schema(value_type = Option<String>)]
    format: Option<Format>,
    /// Ids of what it shows there: all of it.
    media: Option<Vec<String>>,
}

/// Overrides by platform, or by connection: its id.
pub(super) fn overrides(told: BTreeMap<String, OverrideTold>) -> Result<NewOverrides, ActError> {
    let mut overrides = NewOverrides::default();
    for (place, one) in told {
        let one = NewOverride {
            text: one.text,
            link: one.link,
            title: one.title,
            format: one.format,
            media: one.media.map(|ids| media(&ids)).transpose()?,
        };
        if let Ok(platform) = place.parse::<Platform>() {
            overrides.platforms.insert(platform, one);
        } else if let Ok(connection) = place.parse::<ConnectionId>() {
            overrides.connections.insert(connection, one);
        } else {
            let problem = format!("\"{place}\" is neither a platform nor a connection's id");
            return Err(ActError::invalid("overrides", problem));
        }
    }
    Ok(overrides)
}

/// Ids of images and videos.
pub(super) fn media(told: &[String]) -> Result<Vec<MediaId>, ActError> {
    let ids = told.iter().map(|text| text.parse::<MediaId>());
    ids.collect::<Result<_, _>>()
        .map_err(|error| ActError::invalid("media", error.to_string()))
}

/// Ids of connections.
pub(super) fn connections(told: &[String]) -> Result<Vec<ConnectionId>, ActError> {
    let ids = told.iter().map(|text| text.parse::<ConnectionId>());
    ids.collect::<Result<_, _>>()
        .map_err(|error| ActError::invalid("connections", error.to_string()))
}
