//! `GET /client-metadata.json`: who we are, for platforms where a client is named by the address of its description.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use mooring_domain::{WorkspaceId, platform::ways};
use mooring_providers::AppCredentials;

use crate::{App, api::Problem};

/// The document of the app that every workspace shares. It holds no secret.
pub(super) async fn document(State(app): State<App>) -> Result<Response, Problem> {
    let nothing = || Ok(StatusCode::NOT_FOUND.into_response());
    let everybody = WorkspaceId::from_uuid(uuid::Uuid::nil());
    let Some(platform) = ways().find(|one| one.capabilities().client_document) else {
        return nothing();
    };
    let found = app.store.connect_app(everybody, platform, None).await?;
    let (Some(ours), Some(callback)) = (found, app.site.callback()) else {
        return nothing();
    };
    let credentials = AppCredentials {
        client_id: ours.client_id,
        client_secret: ours.client_secret,
    };
    let provider = app.registry.of(platform);
    match provider.client_metadata(&credentials, "Mooring", &callback) {
        Ok(Some(document)) => {
            let kept = [(header::CACHE_CONTROL, "public, max-age=300")];
            Ok((kept, Json(document)).into_response())
        }
        Ok(None) => nothing(),
        Err(failure) => {
            tracing::error!(
                event.name = "client_metadata.failed",
                platform = platform.as_str(),
                error.class = failure.class(),
                "the app's secret is no key: register the app again"
            );
            nothing()
        }
    }
}
