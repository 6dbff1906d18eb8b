//! `/posts`: scheduling them, changing them, looking at them; and what went out lately and who wanted it, for a review
//! after a breach.

pub(crate) mod read;
mod told;
mod view;
pub(crate) mod write;

use axum::{
    Json,
    extract::{Query, State},
};
use chrono::{DateTime, Utc};
use mooring_domain::time::hours;
use mooring_store::{PostView, Published, RecentPost};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ByViewer, Kind, Problem};
use crate::{
    App,
    acts::{ActError, NewOverrides},
};

/// A post as the API shows it.
#[must_use]
pub fn post_as_json(view: PostView) -> serde_json::Value {
    serde_json::to_value(view::Post::from(view)).unwrap_or_default()
}

/// Reads overrides as the API takes them: an object of JSON, by platform or by a connection's id.
pub fn read_overrides(text: &str) -> Result<NewOverrides, ActError> {
    let read = serde_json::from_str(text);
    let read = read.map_err(|error| ActError::invalid("overrides", error.to_string()))?;
    told::overrides(read)
}

/// Hours that a review looks back at most: a month.
const HOURS_MAX: i64 = 24 * 31;
/// Posts that a review lists at most.
const POSTS_MAX: u64 = 500;

/// How far to look back.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Back {
    /// Hours, 1 to 744; a day where left out.
    hours: Option<i64>,
}

/// A post that went out.
#[derive(Serialize, ToSchema)]
pub(crate) struct Sent {
    /// The post.
    post: String,
    /// The target: the post on one connection.
    target: String,
    /// The connection.
    connection: String,
    /// Its platform.
    platform: String,
    /// How the text begins.
    text: String,
    /// When the platform took it.
    published_at: DateTime<Utc>,
    /// Where people see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    permalink: Option<String>,
    /// live, altered, removed or unverifiable; missing before the first look.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<String>,
}

/// A post that went out, and who wanted it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Recent {
    #[serde(flatten)]
    sent: Sent,
    /// Who scheduled it: `cli` or a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduled_by: Option<String>,
    /// Where they came from, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
    /// When they did.
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduled_at: Option<DateTime<Utc>>,
}

/// Lists what went out within the last hours, newest first, at most 500 posts.
#[utoipa::path(get, path = "/posts/recent", params(Back), responses((status = OK, body = Vec<Recent>), (status = "default", body = Problem)))]
pub(crate) async fn recent(
    ByViewer(caller): ByViewer,
    State(app): State<App>,
    Query(back): Query<Back>,
) -> Result<Json<Vec<Recent>>, Problem> {
    let back = back.hours.unwrap_or(24);
    if !(1..=HOURS_MAX).contains(&back) {
        let detail = format!("hours: must be 1 to {HOURS_MAX}");
        return Err(Problem::new(Kind::Invalid, detail).field("hours"));
    }
    let since = app.context.clock.now() - hours(back);
    let rows = app
        .store
        .published_since(caller.workspace, since, POSTS_MAX)
        .await?;
    Ok(Json(rows.into_iter().map(Recent::from).collect()))
}

impl From<Published> for Sent {
    fn from(row: Published) -> Self {
        Self {
            post: row.post.to_string(),
            target: row.target.to_string(),
            connection: row.connection.to_string(),
            platform: row.platform,
            text: row.text,
            published_at: row.published_at,
            permalink: row.permalink,
            verdict: row.verdict,
        }
    }
}

impl From<RecentPost> for Recent {
    fn from(row: RecentPost) -> Self {
        Self {
            sent: row.published.into(),
            scheduled_by: row.scheduled_by,
            origin: row.origin,
            scheduled_at: row.scheduled_at,
        }
    }
}
