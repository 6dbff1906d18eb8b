//! Long lists in pages. A cursor says after which item the next page begins; callers hand it back as it is.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use mooring_store::StreamPlace;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Kind, Problem};

/// Items of a page where the caller does not say.
const USUAL: u64 = 50;
/// Items of a page at most.
const MOST: u64 = 200;

/// Which page is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// Where the page before ended (its `next`).
    pub(crate) cursor: Option<String>,
    /// How many items, 1 to 200.
    pub(crate) limit: Option<u64>,
}

/// A page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T: ToSchema> {
    /// The items.
    pub(crate) items: Vec<T>,
    /// The cursor of the next page; missing on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

impl Asked {
    /// How many items the page has.
    pub(crate) fn limit(&self) -> Result<u64, Problem> {
        match self.limit.unwrap_or(USUAL) {
            limit @ 1..=MOST => Ok(limit),
            _ => Err(
                Problem::new(Kind::Invalid, format!("limit: must be 1 to {MOST}")).field("limit"),
            ),
        }
    }

    /// The id after which the page begins.
    pub(crate) fn after(&self) -> Result<Option<Uuid>, Problem> {
        self.cursor
            .as_deref()
            .map(|text| read(text)?.parse().map_err(|_| wrong()))
            .transpose()
    }

    /// The place in the stream before which the page ends.
    pub(crate) fn before(&self) -> Result<Option<StreamPlace>, Problem> {
        let place = |text: &str| {
            let text = read(text)?;
            let (at, id) = text.split_once(' ').ok_or_else(wrong)?;
            Ok(StreamPlace {
                at: at.parse().map_err(|_| wrong())?,
                id: id.parse().map_err(|_| wrong())?,
            })
        };
        self.cursor.as_deref().map(place).transpose()
    }
}

/// The cursor behind an item of a list that is ordered by id.
pub(crate) fn after(id: Uuid) -> String {
    URL_SAFE_NO_PAD.encode(id.to_string())
}

/// The cursor before a place in the stream.
pub(crate) fn before(place: StreamPlace) -> String {
    URL_SAFE_NO_PAD.encode(format!("{} {}", place.at, place.id))
}

/// The cursor behind an item of a list that is ordered by rank, then id.
pub(crate) fn ranked(rank: u8, id: Uuid) -> String {
    URL_SAFE_NO_PAD.encode(format!("{rank} {id}"))
}

/// The place that [`ranked`] named.
pub(crate) fn ranked_place(cursor: &str) -> Result<(u8, Uuid), Problem> {
    let text = read(cursor)?;
    let (rank, id) = text.split_once(' ').ok_or_else(wrong)?;
    Ok((
        rank.parse().map_err(|_| wrong())?,
        id.parse().map_err(|_| wrong())?,
    ))
}

fn read(text: &str) -> Result<String, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?;
    String::from_utf8(bytes).map_err(|_| wrong())
}

fn wrong() -> Problem {
    Problem::new(
        Kind::Invalid,
        "cursor: is none of ours; use `next` of the page before",
    )
    .field("cursor")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(cursor: Option<String>, limit: Option<u64>) -> Asked {
        Asked { cursor, limit }
    }

    #[test]
    fn a_cursor_comes_back_as_the_place_that_it_was_made_of() {
        let place = StreamPlace {
            at: 1_732_000_000_000,
            id: Uuid::from_u128(7),
        };
        assert_eq!(
            asked(Some(before(place)), None).before().expect("reads"),
            Some(place)
        );
        let id = Uuid::from_u128(9);
        assert_eq!(
            asked(Some(after(id)), None).after().expect("reads"),
            Some(id)
        );
        for text in ["", "%%%", "eA", "bm9ib2R5"] {
            assert!(
                asked(Some(text.to_owned()), None).before().is_err(),
                "{text}"
            );
            assert!(
                asked(Some(text.to_owned()), None).after().is_err(),
                "{text}"
            );
        }
    }

    #[test]
    fn a_page_has_its_limits() {
        assert_eq!(asked(None, None).limit().expect("reads"), 50);
        assert!(asked(None, Some(0)).limit().is_err());
        assert!(asked(None, Some(201)).limit().is_err());
    }
}
