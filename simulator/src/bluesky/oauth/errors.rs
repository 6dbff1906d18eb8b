//! Error bodies of OAuth: `{"error": name, "error_description": text}`.

use serde_json::json;

use crate::call::Answer;

/// Any error.
pub(super) fn error(status: u16, name: &str, description: &str) -> Answer {
    Answer::json(
        status,
        &json!({ "error": name, "error_description": description }),
    )
}

pub(super) fn invalid_grant(description: &str) -> Answer {
    error(400, "invalid_grant", description)
}

pub(super) fn invalid_request(description: &str) -> Answer {
    error(400, "invalid_request", description)
}

pub(super) fn invalid_client(description: &str) -> Answer {
    error(400, "invalid_client", description)
}
