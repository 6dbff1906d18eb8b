//! `/targets/{id}/proof`, `/posts/{id}/proof` and `/proof`: the ledger's proofs, and the keys to check them by.

use axum::{
    Json,
    extract::{Path, Query, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, NaiveDate, Utc};
use mooring_domain::{
    PostId, TargetId,
    proof::{Export, write},
};
use mooring_store::LedgerKey;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ByViewer, Kind, Problem};
use crate::App;

/// A public key that checks proofs. `mooring proof verify FILE --key ID:PUBLIC_KEY` takes it.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProofKey {
    /// Its id, which signed days name.
    id: String,
    /// Ed25519, 32 bytes in hex.
    public_key: String,
    /// When it first signed a day; missing where it has not yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_used_at: Option<DateTime<Utc>>,
}

impl From<LedgerKey> for ProofKey {
    fn from(key: LedgerKey) -> Self {
        Self {
            id: key.id,
            public_key: key.public_key,
            first_used_at: key.first_used_at,
        }
    }
}

/// Which day of the ledger.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct OfDay {
    /// A day in UTC, as 2026-01-31.
    day: Option<String>,
}

/// The proof of a target: a file in the format of docs/proof-format.md, to be kept byte by byte. `head.targets` tells
/// whether the target is done: verified, and the proof captured.
#[utoipa::path(get, path = "/targets/{target}/proof", params(("target" = String, Path)), responses((status = OK, body = serde_json::Value), (status = "default", body = Problem)))]
pub(crate) async fn of_target(
    ByViewer(caller): ByViewer,
    State(app): State<App>,
    Path(target): Path<String>,
) -> Result<Response, Problem> {
    let id: TargetId = target.parse().map_err(|_| Problem::not_found(&target))?;
    let export = app.store.target_proof(caller.workspace, id).await?;
    Ok(file(&export.ok_or_else(|| Problem::not_found(id))?))
}

/// The proof of a post on all its targets, in the same format.
#[utoipa::path(get, path = "/posts/{post}/proof", params(("post" = String, Path)), responses((status = OK, body = serde_json::Value), (status = "default", body = Problem)))]
pub(crate) async fn of_post(
    ByViewer(caller): ByViewer,
    State(app): State<App>,
    Path(post): Path<String>,
) -> Result<Response, Problem> {
    let id: PostId = post.parse().map_err(|_| Problem::not_found(&post))?;
    let export = app.store.post_proof(caller.workspace, id).await?;
    Ok(file(&export.ok_or_else(|| Problem::not_found(id))?))
}

/// Everything that was appended to the workspace's ledger on a day, in the same format.
#[utoipa::path(get, path = "/proof/ledger", params(OfDay), responses((status = OK, body = serde_json::Value), (status = "default", body = Problem)))]
pub(crate) async fn of_day(
    ByViewer(caller): ByViewer,
    State(app): State<App>,
    Query(of): Query<OfDay>,
) -> Result<Response, Problem> {
    let day: Option<NaiveDate> = of.day.and_then(|text| text.parse().ok());
    let day = day.ok_or_else(|| {
        let detail = "day: is no day; write it as 2026-01-31";
        Problem::new(Kind::Invalid, detail).field("day")
    })?;
    Ok(file(&app.store.ledger_of(caller.workspace, day).await?))
}

/// Lists the public keys, oldest first. They are of the whole installation, and no secret.
#[utoipa::path(get, path = "/proof/keys", responses((status = OK, body = Vec<ProofKey>), (status = "default", body = Problem)))]
pub(crate) async fn keys(
    ByViewer(_caller): ByViewer,
    State(app): State<App>,
) -> Result<Json<Vec<ProofKey>>, Problem> {
    let keys = app.store.ledger_keys().await?;
    Ok(Json(keys.into_iter().map(ProofKey::from).collect()))
}

/// The bytes as they are: whoever reads and writes them again may have made another file of them.
fn file(export: &Export) -> Response {
    let named = format!("attachment; filename=\"{}.proof.json\"", export.subject);
    let mut response = write(export).into_response();
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    if let Ok(named) = named.parse() {
        headers.insert(header::CONTENT_DISPOSITION, named);
    }
    response
}
