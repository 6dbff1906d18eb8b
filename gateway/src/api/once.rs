//! `Idempotency-Key`: a request that comes twice is carried out once, and answered the same again.
//!
//! For every method that changes something. Refused requests (4xx) have changed nothing and are not remembered; a
//! request whose process died at work is not repeated by itself: its caller is told to look first.

use axum::{
    body::{Bytes, to_bytes},
    extract::{Request, State},
    http::{Method, Response, StatusCode, header, request::Parts},
    middleware::Next,
    response::IntoResponse,
};
use chrono::TimeDelta;
use mooring_store::Earlier;
use mooring_vault::Secret;

use super::{
    Caller, Kind, Problem,
    caller::{caller, other_key},
};
use crate::{App, bearer};

const HEADER: &str = "idempotency-key";
/// Longest key, as the field's drafts have it.
const KEY_MAX: usize = 255;
/// Longest body of a request with a key, and longest answer that is remembered.
const BODY_MAX: usize = 1 << 20;
/// A request at work for longer has lost its process.
const AT_WORK: TimeDelta = TimeDelta::seconds(120);

type Answer = axum::response::Response;

pub(crate) async fn once(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Result<Answer, Problem> {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    let key = request.headers().get(HEADER).filter(|_| changes);
    let Some(key) = key.map(|value| value.to_str().map(str::to_owned)) else {
        return Ok(next.run(request).await);
    };
    let key = key
        .ok()
        .filter(|key| !key.is_empty() && key.len() <= KEY_MAX)
        .ok_or_else(|| {
            Problem::new(
                Kind::Malformed,
                format!("Idempotency-Key: must have 1 to {KEY_MAX} visible characters"),
            )
        })?;
    let (mut parts, body) = request.into_parts();
    let caller = caller(&mut parts, &app).await?;
    let body = to_bytes(body, BODY_MAX)
        .await
        .map_err(|_| Problem::new(Kind::Malformed, "the body is longer than 1 MiB"))?;
    let digest = digest(&caller, &parts, &body);
    let now = app.context.clock.now();
    match app
        .store
        .request_begins(caller.workspace, &key, &digest, now)
        .await?
    {
        Earlier::None => {}
        Earlier::Answered { status, body } => return Ok(again(status, &body)),
        Earlier::Other => {
            return Err(Problem::new(
                Kind::KeyReused,
                "use a new key for a new request",
            ));
        }
        Earlier::Unanswered { since } if now - since < AT_WORK => {
            return Err(Problem::new(Kind::KeyInProgress, "ask again in a moment"));
        }
        Earlier::Unanswered { .. } => {
            return Err(Problem::new(
                Kind::OutcomeUnknown,
                "look whether it was carried out, then send it with a new key if it was not",
            ));
        }
    }
    let answer = next.run(Request::from_parts(parts, body.into())).await;
    remember(&app, caller.workspace, &key, answer).await
}

/// Keeps an answer, or forgets a request that has changed nothing.
async fn remember(
    app: &App,
    workspace: mooring_domain::WorkspaceId,
    key: &str,
    answer: Answer,
) -> Result<Answer, Problem> {
    let status = answer.status();
    if status.is_client_error() {
        app.store.request_refused(workspace, key).await?;
        return Ok(answer);
    }
    if status.is_server_error() {
        // It may have been carried out: whoever asks again is told to look first.
        return Ok(answer);
    }
    let (parts, body) = answer.into_parts();
    let body = to_bytes(body, BODY_MAX)
        .await
        .map_err(|_| Problem::new(Kind::Internal, "the answer is too long to be remembered"))?;
    // Every answer of ours is text.
    let text = Secret::from(String::from_utf8_lossy(&body).into_owned());
    app.store
        .request_answered(workspace, key, status.as_u16(), &text)
        .await?;
    Ok(Response::from_parts(parts, body.into()))
}

/// Whose request it is, and which. Another caller's answer is nobody's to see.
fn digest(caller: &Caller, parts: &Parts, body: &Bytes) -> String {
    let (method, uri) = (&parts.method, &parts.uri);
    let other = other_key(&parts.headers).map_or_else(String::new, bearer::digest);
    let body = bearer::digest(body);
    bearer::digest(format!("{} {method} {uri}\n{other}\n{body}", caller.key))
}

/// The answer of the first time.
fn again(status: u16, body: &Secret) -> Answer {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let headers = [
        (header::CONTENT_TYPE.as_str(), "application/json"),
        ("idempotency-replayed", "true"),
    ];
    (status, headers, body.expose().to_owned()).into_response()
}
