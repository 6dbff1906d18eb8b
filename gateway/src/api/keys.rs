//! `/keys` and `/me`: who may call.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use chrono::{DateTime, Utc};
use mooring_domain::{KeyId, Role};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Body, ByAdmin, ByViewer, Problem};
use crate::{App, acts};

/// Whose key this is.
#[derive(Serialize, ToSchema)]
pub(crate) struct Me {
    /// The key's id.
    key: String,
    /// Its name.
    name: String,
    /// The workspace that this call is about.
    workspace: String,
    /// What the key may do there: viewer, operator or admin.
    role: &'static str,
    /// Every workspace that it opens.
    workspaces: Vec<Right>,
}

/// What a key may do in a workspace.
#[derive(Serialize, ToSchema)]
pub(crate) struct Right {
    /// The workspace.
    workspace: String,
    /// viewer, operator or admin.
    role: &'static str,
}

/// A key, without its text.
#[derive(Serialize, ToSchema)]
pub(crate) struct Key {
    id: String,
    name: String,
    /// viewer, operator or admin.
    role: String,
    created_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<DateTime<Utc>>,
}

/// A key to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewKey {
    /// Who will use it.
    name: String,
    /// viewer, operator or admin.
    #[schema(value_type = String)]
    role: Role,
}

/// A key that was just made.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedKey {
    id: String,
    /// The key itself. It is shown this once.
    key: String,
}

/// Says whose key this is.
#[utoipa::path(get, path = "/me", responses((status = OK, body = Me), (status = "default", body = Problem)))]
pub(crate) async fn me(ByViewer(caller): ByViewer) -> Json<Me> {
    let rights = caller.roles.iter().map(|(workspace, role)| Right {
        workspace: workspace.to_string(),
        role: role.as_str(),
    });
    Json(Me {
        key: caller.key.to_string(),
        name: caller.name.clone(),
        workspace: caller.workspace.to_string(),
        role: caller.role.as_str(),
        workspaces: rights.collect(),
    })
}

/// Lists the workspace's keys, also those that were taken back.
#[utoipa::path(get, path = "/keys", responses((status = OK, body = Vec<Key>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    ByAdmin(caller): ByAdmin,
    State(app): State<App>,
) -> Result<Json<Vec<Key>>, Problem> {
    let rows = app.store.keys(caller.workspace).await?.into_iter();
    let keys = rows.map(|row| Key {
        id: row.id.to_string(),
        name: row.name,
        role: row.role,
        created_at: row.created_at,
        revoked_at: row.revoked_at,
    });
    Ok(Json(keys.collect()))
}

/// Makes a key. Its text is in this answer and nowhere else.
#[utoipa::path(post, path = "/keys", request_body = NewKey, responses((status = CREATED, body = CreatedKey), (status = "default", body = Problem)))]
pub(crate) async fn create(
    ByAdmin(caller): ByAdmin,
    State(app): State<App>,
    Body(new): Body<NewKey>,
) -> Result<(StatusCode, Json<CreatedKey>), Problem> {
    let now = app.context.clock.now();
    let created = acts::create_key(
        &app.store,
        &caller.actor(),
        &new.name,
        &[caller.workspace],
        new.role,
        now,
    )
    .await?;
    let body = CreatedKey {
        id: created.id.to_string(),
        key: created.text.expose().to_owned(),
    };
    Ok((StatusCode::CREATED, Json(body)))
}

/// Takes a key back, in every workspace that it opens.
#[utoipa::path(delete, path = "/keys/{key}", params(("key" = String, Path)), responses((status = NO_CONTENT), (status = "default", body = Problem)))]
pub(crate) async fn revoke(
    ByAdmin(caller): ByAdmin,
    State(app): State<App>,
    Path(key): Path<String>,
) -> Result<StatusCode, Problem> {
    let key: KeyId = key.parse().map_err(|_| Problem::not_found(&key))?;
    let now = app.context.clock.now();
    acts::revoke_key(&app.store, &caller.actor(), caller.workspace, key, now).await?;
    Ok(StatusCode::NO_CONTENT)
}
