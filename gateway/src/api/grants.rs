//! `/grants`: the credentials, what each feeds, and what its end endangers.

use axum::{
    Json,
    extract::{Path, Query, State},
};
use chrono::{DateTime, Utc};
use mooring_domain::{GrantId, Role};
use mooring_store::GrantRow;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Asked, ByViewer, Page, Problem, page};
use crate::App;

/// A credential of one person at one platform. One reconnect heals all that it feeds.
#[derive(Serialize, ToSchema)]
pub(crate) struct Grant {
    id: String,
    /// The way in.
    platform: String,
    /// connected, expired, revoked or error.
    state: &'static str,
    /// The failure class behind a state that is not connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    state_why: Option<String>,
    /// When it ends unless its person reconnects; missing where no end is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<DateTime<Utc>>,
    /// End of the access token, which may renew itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_expires_at: Option<DateTime<Utc>>,
    /// Granted permissions, where the platform tells them; for admins only.
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<String>>,
    /// The connections that it feeds.
    connections: Vec<Fed>,
    /// Posts that wait on them.
    waiting: Due,
    /// Those that its end endangers: due after it, or all of them where it does not work any more.
    endangered: Due,
}

/// A connection that a grant feeds.
#[derive(Serialize, ToSchema)]
pub(crate) struct Fed {
    id: String,
    platform: String,
    remote_id: String,
    name: String,
}

/// Posts that are due.
#[derive(Serialize, ToSchema)]
pub(crate) struct Due {
    /// How many.
    count: u64,
    /// When the first is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<DateTime<Utc>>,
}

fn shown(row: GrantRow, role: Role) -> Grant {
    let fed = row.destinations.into_iter().map(|one| Fed {
        id: one.connection.to_string(),
        platform: one.platform,
        remote_id: one.remote_id,
        name: one.name,
    });
    let due = |due: mooring_store::Due| Due {
        count: due.count,
        next: due.next,
    };
    Grant {
        id: row.id.to_string(),
        platform: row.platform,
        state: row.state.as_str(),
        state_why: row.state_why,
        ends_at: row.ends_at,
        access_expires_at: row.access_expires_at,
        scopes: row.scopes.filter(|_| role >= Role::Admin),
        connections: fed.collect(),
        waiting: due(row.waiting),
        endangered: due(row.endangered),
    }
}

/// Lists the workspace's grants, oldest first.
#[utoipa::path(get, path = "/grants", params(Asked), responses((status = OK, body = Page<Grant>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    ByViewer(caller): ByViewer,
    State(app): State<App>,
    Query(asked): Query<Asked>,
) -> Result<Json<Page<Grant>>, Problem> {
    let limit = asked.limit()?;
    let rows = app
        .store
        .grants_after(caller.workspace, asked.after()?, limit)
        .await?;
    let full = rows.len() as u64 == limit;
    let next = rows
        .last()
        .filter(|_| full)
        .map(|row| page::after(row.id.uuid()));
    let items = rows.into_iter().map(|row| shown(row, caller.role));
    Ok(Json(Page {
        items: items.collect(),
        next,
    }))
}

/// Shows one grant.
#[utoipa::path(get, path = "/grants/{grant}", params(("grant" = String, Path)), responses((status = OK, body = Grant), (status = "default", body = Problem)))]
pub(crate) async fn show(
    ByViewer(caller): ByViewer,
    State(app): State<App>,
    Path(grant): Path<String>,
) -> Result<Json<Grant>, Problem> {
    let id: GrantId = grant.parse().map_err(|_| Problem::not_found(&grant))?;
    let row = app.store.grant(caller.workspace, id).await?;
    let row = row.ok_or_else(|| Problem::not_found(id))?;
    Ok(Json(shown(row, caller.role)))
}
