//! `GET /internal/scale?lane=publish` on the admin port: how much work more workers could take on.
//!
//! For a metrics-api trigger of an autoscaler. Jobs that wait for a rate limit, a refresh or a connection do
//! not count: more workers would only wait with them.

use axum::{
    Json, Router,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use mooring_domain::Lane;
use serde::{Deserialize, Serialize};

use crate::App;

pub(crate) fn routes(app: App) -> Router {
    Router::new()
        .route("/internal/scale", get(scale))
        .with_state(app)
}

#[derive(Deserialize)]
struct Asked {
    lane: String,
}

/// The answer; `backlog` is the value to scale on.
#[derive(Serialize)]
struct Signal {
    lane: &'static str,
    due: u64,
    leased: u64,
    oldest_due_seconds: i64,
    backlog: u64,
}

async fn scale(State(app): State<App>, Query(asked): Query<Asked>) -> Response {
    let lane: Lane = match asked.lane.parse() {
        Ok(lane) => lane,
        Err(error) => return (StatusCode::BAD_REQUEST, format!("lane: {error}")).into_response(),
    };
    let now = app.context.clock.now();
    match app.store.backlog(lane, now).await {
        Ok(backlog) => {
            let age = backlog
                .oldest_due
                .map_or(0, |due| (now - due).num_seconds().max(0));
            Json(Signal {
                lane: lane.as_str(),
                due: backlog.due,
                leased: backlog.leased,
                oldest_due_seconds: age,
                backlog: backlog.due + backlog.leased,
            })
            .into_response()
        }
        // No number is better than a wrong one: the autoscaler keeps what it has.
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
    }
}
