//! `/audit`: who did what, when, from where. Read from the stream, which is append-only.

use axum::{
    Json,
    extract::{Query, State},
};
use chrono::{DateTime, Utc};
use mooring_domain::Event;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Asked, ByViewer, Page, Problem, page};
use crate::App;

/// An entry of the audit.
#[derive(Serialize, ToSchema)]
pub(crate) struct Entry {
    /// When.
    at: DateTime<Utc>,
    /// What, as a stable name.
    event: String,
    /// The id that it is about, bare.
    subject: String,
    /// Who: `cli`, a key, a link, or a process of ours.
    actor: String,
    /// From where, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
    /// The whole event. Never a secret.
    #[schema(value_type = Object)]
    data: serde_json::Value,
}

/// Lists acts of people and what was done with credentials, newest first.
#[utoipa::path(get, path = "/audit", params(Asked), responses((status = OK, body = Page<Entry>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    ByViewer(caller): ByViewer,
    State(app): State<App>,
    Query(asked): Query<Asked>,
) -> Result<Json<Page<Entry>>, Problem> {
    let limit = asked.limit()?;
    let before = asked.before()?;
    let names = Some(Event::AUDITED);
    let rows = app
        .store
        .events_before(caller.workspace, names, before, limit)
        .await?;
    let full = rows.len() as u64 == limit;
    let next = rows
        .last()
        .filter(|_| full)
        .map(|row| page::before(row.place));
    let items = rows.into_iter().map(|row| Entry {
        at: row.at,
        event: row.name,
        subject: row.subject.to_string(),
        actor: row.actor,
        origin: row.origin,
        data: row.data,
    });
    Ok(Json(Page {
        items: items.collect(),
        next,
    }))
}
