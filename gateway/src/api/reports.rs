//! `/reports`: numbers that a client is shown.

use axum::{
    Json,
    extract::{Query, State},
};
use chrono::{DateTime, Utc};
use mooring_domain::{proof::RateRow, time::days};
use mooring_store::{RateBy, RateLine};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ByViewer, Kind, Problem};
use crate::App;

/// Days of a period at most.
const DAYS_MAX: i64 = 400;

/// Which period, and divided by what.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Period {
    /// The first moment, as RFC 3339; 30 days before `to` where left out.
    from: Option<String>,
    /// The moment at which it is over; now where left out.
    to: Option<String>,
    /// `brand` or `platform`.
    by: Option<String>,
}

/// The verified publish rate.
#[derive(Serialize, ToSchema)]
pub(crate) struct Rates {
    /// The first moment.
    from: DateTime<Utc>,
    /// The moment at which it is over.
    to: DateTime<Utc>,
    /// brand or platform.
    by: &'static str,
    /// One line for each.
    lines: Vec<Line>,
    /// All of them together.
    total: Numbers,
}

/// One brand or platform.
#[derive(Serialize, ToSchema)]
pub(crate) struct Line {
    /// The brand's id, or the platform; missing for connections without a brand.
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<String>,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(flatten)]
    numbers: Numbers,
}

/// What became of the posts that were due. Each is counted in one of the numbers below `planned`.
#[derive(Serialize, ToSchema)]
pub(crate) struct Numbers {
    /// Due in the period, and not cancelled.
    planned: u64,
    /// Published, and seen live as sent, at least once.
    verified: u64,
    /// Of the verified ones, those that are not there any more.
    verified_removed: u64,
    /// Published, and only ever seen with another text.
    altered: u64,
    /// Published where nobody can look; not counted in the rate.
    unverifiable: u64,
    /// Taken down before anybody saw it; not counted in the rate.
    removed_unseen: u64,
    /// Published, and not looked at yet.
    unlooked: u64,
    /// Missed, failed or unconfirmed.
    unpublished: u64,
    /// Still on its way; not counted in the rate.
    open: u64,
    /// Verified of those that are counted, from 0 to 1, rounded down to a hundredth of a percent; null where there are
    /// none.
    rate: Option<f64>,
}

impl From<RateRow> for Numbers {
    fn from(row: RateRow) -> Self {
        let rate = row
            .per_ten_thousand()
            .and_then(|part| u32::try_from(part).ok());
        Self {
            planned: row.planned,
            verified: row.verified,
            verified_removed: row.verified_removed,
            altered: row.altered,
            unverifiable: row.unverifiable,
            removed_unseen: row.removed_unseen,
            unlooked: row.unlooked,
            unpublished: row.unpublished,
            open: row.open,
            rate: rate.map(|part| f64::from(part) / 10_000.0),
        }
    }
}

/// The verified publish rate of a period: of the posts that were due, how many were seen live as sent.
#[utoipa::path(get, path = "/reports/verified-rate", params(Period), responses((status = OK, body = Rates), (status = "default", body = Problem)))]
pub(crate) async fn verified_rate(
    ByViewer(caller): ByViewer,
    State(app): State<App>,
    Query(period): Query<Period>,
) -> Result<Json<Rates>, Problem> {
    let to = time("to", period.to.as_deref())?.unwrap_or_else(|| app.context.clock.now());
    let from = time("from", period.from.as_deref())?.unwrap_or(to - days(30));
    if from >= to || to - from > days(DAYS_MAX) {
        let detail = format!("from: must be before to, by at most {DAYS_MAX} days");
        return Err(Problem::new(Kind::Invalid, detail).field("from"));
    }
    let (by, name) = match period.by.as_deref() {
        Some("brand") => (RateBy::Brand, "brand"),
        Some("platform") | None => (RateBy::Platform, "platform"),
        Some(_) => {
            let detail = "by: must be brand or platform";
            return Err(Problem::new(Kind::Invalid, detail).field("by"));
        }
    };
    let lines = app
        .store
        .verified_rates(caller.workspace, from, to, by)
        .await?;
    let total = lines
        .iter()
        .fold(RateRow::default(), |sum, line| sum + line.row);
    Ok(Json(Rates {
        from,
        to,
        by: name,
        lines: lines.into_iter().map(line).collect(),
        total: total.into(),
    }))
}

fn line(line: RateLine) -> Line {
    Line {
        of: line.of,
        name: line.name,
        numbers: line.row.into(),
    }
}

fn time(field: &'static str, text: Option<&str>) -> Result<Option<DateTime<Utc>>, Problem> {
    let read = text.map(DateTime::parse_from_rfc3339).transpose();
    let read = read.map_err(|_| {
        let detail = format!("{field}: is no time; write it as 2026-01-31T12:00:00Z");
        Problem::new(Kind::Invalid, detail).field(field)
    })?;
    Ok(read.map(|time| time.to_utc()))
}
