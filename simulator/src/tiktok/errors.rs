//! Bodies of answers: `{"data": …, "error": {"code", "message", "log_id"}}`, and OAuth's own form.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::call::Answer;
use crate::world::World;

/// 200 with data.
pub(super) fn ok(data: &Value) -> Answer {
    Answer::ok(
        &json!({ "data": data, "error": { "code": "ok", "message": "", "log_id": log_id() } }),
    )
}

/// Any error.
pub(super) fn error(status: u16, code: &str, message: &str) -> Answer {
    let error = json!({ "code": code, "message": message, "log_id": log_id() });
    Answer::json(status, &json!({ "data": {}, "error": error }))
}

/// 401: no token, an unknown one, one that ended.
pub(super) fn access_token_invalid() -> Answer {
    let text = "The access token is invalid or not found in the request.";
    error(401, "access_token_invalid", text)
}

/// 401: the creator did not grant it.
pub(super) fn scope_not_authorized() -> Answer {
    let text = "The user did not authorize the scope required for completing this request.";
    error(401, "scope_not_authorized", text)
}

/// 400: the body is wrong.
pub(super) fn invalid_params(text: &str) -> Answer {
    error(400, "invalid_params", text)
}

/// 429.
pub(super) fn rate_limited() -> Answer {
    error(
        429,
        "rate_limit_exceeded",
        "The API rate limit was exceeded. Please try again later.",
    )
}

/// OAuth's form.
pub(super) fn oauth(world: &World, name: &str, description: &str) -> Answer {
    let body = json!({ "error": name, "error_description": description, "log_id": log_id() });
    Answer::json(world.tiktok.settings.oauth_error_status, &body)
}

/// What usually stands in a body of this HTTP status.
pub(super) fn usual_for_status(status: u16) -> Answer {
    let (code, text) = match status {
        401 => return access_token_invalid(),
        403 => ("spam_risk", "This request is considered as spam."),
        404 => ("unsupported_path", "Unsupported path(Janus)"),
        429 => return rate_limited(),
        500.. => (
            "internal_error",
            "Something is wrong. Please try again later.",
        ),
        _ => (
            "invalid_params",
            "One or more fields in request is invalid.",
        ),
    };
    error(status, code, text)
}

/// As the platform's: a time, then hexadecimal digits.
fn log_id() -> String {
    static LAST: AtomicU64 = AtomicU64::new(0);
    format!(
        "20261123150000{:018X}",
        LAST.fetch_add(1, Ordering::Relaxed)
    )
}
