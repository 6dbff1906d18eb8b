//! `GET /api/v1/status`: the fleet in numbers, for people and for a first look. Read-only, without names.

use axum::response::IntoResponse;
use axum::{Json, Router, extract::State, http::StatusCode, response::Response, routing::get};

use crate::App;

pub(crate) fn routes(app: App) -> Router {
    Router::new()
        .route("/api/v1/status", get(status))
        .with_state(app)
}

async fn status(State(app): State<App>) -> Response {
    match app.store.counts(None).await {
        Ok(counts) => Json(counts).into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
    }
}
