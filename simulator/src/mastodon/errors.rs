//! Error bodies: `{"error": text}`, with `error_description` where OAuth speaks.

use serde_json::json;

use crate::call::Answer;

/// What a proxy in front of the server answers.
const PROXY: &str = "<html><head><title>Error</title></head><body>nginx</body></html>";

/// Any error.
pub(super) fn error(status: u16, text: &str) -> Answer {
    Answer::json(status, &json!({ "error": text }))
}

/// 401: the token is unknown.
pub(super) fn invalid_token() -> Answer {
    error(401, "The access token is invalid")
}

/// 403: the token lacks a scope.
pub(super) fn outside_scopes() -> Answer {
    error(403, "This action is outside the authorized scopes")
}

/// 404: nothing there, or not for this caller.
pub(super) fn not_found() -> Answer {
    error(404, "Record not found")
}

/// 422: a sentence of the validator.
pub(super) fn invalid(text: &str) -> Answer {
    error(422, &format!("Validation failed: {text}"))
}

/// OAuth's form.
pub(super) fn oauth(status: u16, name: &str, text: &str) -> Answer {
    Answer::json(status, &json!({ "error": name, "error_description": text }))
}

/// What usually stands in a body of this HTTP status.
pub(super) fn usual_for_status(status: u16) -> Answer {
    let text = match status {
        401 => "The access token is invalid",
        403 => "This action is not allowed",
        404 => "Record not found",
        410 => "Gone",
        422 => "Validation failed",
        429 => "Too many requests",
        503 => "There was a temporary problem serving your request, please try again",
        413 | 500.. => return Answer::text(status, "text/html", PROXY),
        _ => "Bad Request",
    };
    error(status, text)
}
