//! `GET /client-metadata.json`: who we are, for platforms where a client is named by the address of its description.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use mooring_domain::{Platform, WorkspaceId};
use mooring_providers::{AppCredentials, bluesky_client_metadata};

use crate::{App, api::Problem};

/// The document of the app that every workspace shares. It holds no secret.
pub(super) async fn document(State(app): State<App>) -> Result<Response, Problem> {
    let everybody = WorkspaceId::from_uuid(uuid::Uuid::nil());
    let found = app
        .store
        .connect_app(everybody, Platform::BlueskyOAuth, None)
        .await?;
    let (Some(ours), Some(callback)) = (found, app.site.callback()) else {
        return Ok(StatusCode::NOT_FOUND.into_response());
    };
    let credentials = AppCredentials {
        client_id: ours.client_id,
        client_secret: ours.client_secret,
    };
    match bluesky_client_metadata(&credentials, "Mooring", &callback) {
        Ok(document) => {
            let kept = [(header::CACHE_CONTROL, "public, max-age=300")];
            Ok((kept, Json(document)).into_response())
        }
        Err(failure) => {
            tracing::error!(
                event.name = "client_metadata.failed",
                error.class = failure.class(),
                "the app's secret for Bluesky is no key: register the app again"
            );
            Ok(StatusCode::NOT_FOUND.into_response())
        }
    }
}
