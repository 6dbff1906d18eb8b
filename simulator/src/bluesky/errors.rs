//! Error bodies of XRPC: `{"error": name, "message": text}`.

use serde_json::{Value, json};

use crate::call::Answer;

/// Any error.
pub(crate) fn error(status: u16, name: &str, message: &str) -> Answer {
    Answer::json(status, &json!({ "error": name, "message": message }))
}

/// 400 `InvalidRequest`.
pub(crate) fn invalid_request(message: &str) -> Answer {
    error(400, "InvalidRequest", message)
}

/// 401 `AuthMissing`: no token.
pub(crate) fn auth_missing() -> Answer {
    error(401, "AuthMissing", "Authentication Required")
}

/// 400 `InvalidToken`.
pub(crate) fn invalid_token(message: &str) -> Answer {
    error(400, "InvalidToken", message)
}

/// 400 `ExpiredToken`, not 401: the token's time is over.
pub(crate) fn expired() -> Answer {
    error(400, "ExpiredToken", "Token has expired")
}

/// 400 `ExpiredToken`: revoked, replaced, or ended by a new password.
pub(crate) fn revoked() -> Answer {
    error(400, "ExpiredToken", "Token has been revoked")
}

/// 401 `AccountTakedown`.
pub(crate) fn taken_down() -> Answer {
    error(401, "AccountTakedown", "Account has been taken down")
}

/// 401 `AccountDeactivated`.
pub(crate) fn deactivated() -> Answer {
    error(401, "AccountDeactivated", "Account is deactivated")
}

/// 400 `InvalidSwap`: the record is there already, or another.
pub(crate) fn invalid_swap(current: Option<&str>) -> Answer {
    error(
        400,
        "InvalidSwap",
        &format!("Record was at {}", current.unwrap_or("null")),
    )
}

/// 500: what `createRecord` answers when the key is taken.
pub(crate) fn internal() -> Answer {
    error(500, "InternalServerError", "Internal Server Error")
}

/// 501: no such method.
pub(crate) fn not_implemented() -> Answer {
    error(501, "MethodNotImplemented", "Method Not Implemented")
}

/// What usually stands in a body of this HTTP status.
pub(crate) fn usual_for_status(status: u16) -> Answer {
    let (name, message) = match status {
        401 => ("AuthenticationRequired", "Authentication Required"),
        403 => ("Forbidden", "Forbidden"),
        404 => ("XRPCNotSupported", "XRPCNotSupported"),
        413 => ("PayloadTooLarge", "request entity too large"),
        429 => ("RateLimitExceeded", "Rate Limit Exceeded"),
        501 => ("MethodNotImplemented", "Method Not Implemented"),
        502 => ("UpstreamFailure", "Upstream Failure"),
        503 => ("NotEnoughResources", "Not Enough Resources"),
        504 => ("UpstreamTimeout", "Operation timed out, please try again."),
        500.. => ("InternalServerError", "Internal Server Error"),
        _ => ("InvalidRequest", "Invalid Request"),
    };
    error(status, name, message)
}

/// The error of a call that took effect all the same: a proxy sent it twice,
/// and its second sending met the record of the first.
pub(crate) fn although_created(own: &Answer) -> Answer {
    let body: Option<Value> = serde_json::from_slice(&own.body).ok();
    match body.as_ref().and_then(|b| b["cid"].as_str()) {
        Some(cid) => invalid_swap(Some(cid)),
        None => invalid_request("Invalid Request"),
    }
}
