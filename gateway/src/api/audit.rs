//! `/audit`: who did what, when, from where. Read from the stream, which is append-only.

use axum::{
    Json,
    extract::{Query, State},
};
use chrono::{DateTime, Utc};
use mooring_domain::Event;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Asked, ByViewer, Kind, Page, Problem, page};
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

/// Which entries are asked for.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Only about this: an id, bare or with its prefix.
    subject: Option<String>,
    /// Only of this name.
    event: Option<String>,
}

/// Lists acts of people and what was done with credentials, newest first.
#[utoipa::path(get, path = "/audit", params(Asked, Wanted), responses((status = OK, body = Page<Entry>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    ByViewer(caller): ByViewer,
    State(app): State<App>,
    Query(asked): Query<Asked>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page<Entry>>, Problem> {
    let limit = asked.limit()?;
    let before = asked.before()?;
    let subject = wanted.subject.as_deref().map(subject).transpose()?;
    let names = names(wanted.event.as_deref())?;
    let rows = app
        .store
        .events_before(caller.workspace, Some(&names), subject, before, limit)
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

/// What an entry is about, from an id with or without its prefix.
fn subject(text: &str) -> Result<Uuid, Problem> {
    let bare = text.rsplit('_').next().unwrap_or(text);
    bare.parse().map_err(|_| {
        Problem::new(Kind::Invalid, "subject: is no id; copy one from an answer").field("subject")
    })
}

/// The names that are asked for; one that the audit does not show is refused, lest an empty list be believed.
fn names(event: Option<&str>) -> Result<Vec<&'static str>, Problem> {
    let Some(event) = event else {
        return Ok(Event::AUDITED.to_vec());
    };
    let known = Event::AUDITED.iter().find(|name| **name == event);
    let known = known.ok_or_else(|| {
        let all = Event::AUDITED.join(", ");
        Problem::new(Kind::Invalid, format!("event: is none of: {all}")).field("event")
    })?;
    Ok(vec![*known])
}
