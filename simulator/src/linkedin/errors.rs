//! Error bodies as LinkedIn sends them: the API's own form, the form with `errorDetails` of the newer
//! endpoints, and OAuth's. Texts and numbers come from its error references and from bodies seen in
//! the wild.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::call::Answer;
use crate::faults::mix;

/// A fresh id for the trace headers; unique in this process, meaningless otherwise.
pub(super) fn request_id() -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let n = mix(COUNTER.fetch_add(1, Ordering::Relaxed));
    URL_SAFE_NO_PAD.encode([n.to_le_bytes(), mix(n).to_le_bytes()].concat())
}

/// `{status, serviceErrorCode?, code, message}`.
fn api(status: u16, service_code: Option<u32>, code: &str, message: &str) -> Answer {
    let mut body = json!({ "status": status, "code": code, "message": message });
    if let Some(number) = service_code {
        body["serviceErrorCode"] = number.into();
    }
    Answer::json(status, &body)
}

/// A field of the body that cannot be taken.
pub(super) fn field(code: &str, path: &str, description: &str) -> Answer {
    let input = json!({ "inputPath": { "fieldPath": path } });
    let mut body = details(
        400,
        &format!("{description} /{path}"),
        code,
        description,
        &input,
    );
    body["code"] = code.into();
    Answer::json(400, &body)
}

fn details(status: u16, message: &str, code: &str, description: &str, input: &Value) -> Value {
    json!({
        "errorDetailType": "com.linkedin.common.error.BadRequest",
        "message": message,
        "errorDetails": {
            "inputErrors": [{ "description": description, "input": input, "code": code }]
        },
        "status": status,
    })
}

/// 422: the author posted the same a moment ago; the first post's URN is named.
pub(super) fn duplicate(urn: &str) -> Answer {
    let message = format!("Content is a duplicate of {urn}");
    let description = "Duplicate post is detected";
    let body = details(422, &message, "DUPLICATE_POST", description, &json!({}));
    Answer::json(422, &body)
}

/// 401: no token was sent.
pub(super) fn no_token() -> Answer {
    let text = "Empty oauth2 access token";
    api(401, Some(65_604), "EMPTY_ACCESS_TOKEN", text)
}

/// 401: no token of ours, or one that a consent to other permissions has replaced.
pub(super) fn invalid_token() -> Answer {
    let text = "Invalid access token";
    api(401, Some(65_600), "INVALID_ACCESS_TOKEN", text)
}

/// 401: the person removed the app.
pub(super) fn revoked_token() -> Answer {
    let text = "The token used in the request has been revoked by the user";
    api(401, Some(65_601), "REVOKED_ACCESS_TOKEN", text)
}

/// 401: the token's time is over.
pub(super) fn expired_token() -> Answer {
    let text = "The token used in the request has expired";
    api(401, Some(65_602), "EXPIRED_ACCESS_TOKEN", text)
}

/// 401: LinkedIn has restricted the person.
pub(super) fn restricted_member() -> Answer {
    api(
        401,
        Some(65_608),
        "RESTRICTED_MEMBER",
        "Member is restricted",
    )
}

/// 403: a permission is missing. `resource` is `partnerApiPostsExternal.CREATE.20261101`.
pub(super) fn access_denied(resource: &str) -> Answer {
    let text = format!("Not enough permissions to access: {resource}");
    api(403, Some(100), "ACCESS_DENIED", &text)
}

/// 403: author or owner is nobody that this token may act for.
pub(super) fn may_not_act_for(field: &str) -> Answer {
    let text = format!(
        "Field Value validation failed in REQUEST_BODY: Data Processing Exception while processing \
         fields [/{field}]"
    );
    api(403, Some(100), "ACCESS_DENIED", &text)
}

/// 400: an organization is to be the author, and the token has no permission for organizations.
pub(super) fn organization_permissions(field: &str) -> Answer {
    let text = format!("Organization permissions must be used when using organization as {field}");
    api(400, None, "BAD_REQUEST", &text)
}

/// 403: an image, video or document that this token may not see.
pub(super) fn asset_forbidden(kind: &str) -> Answer {
    let text = format!(
        "Accessing this {kind} resource is forbidden. Please check your permissions for this \
         resource"
    );
    api(403, Some(100), "ACCESS_DENIED", &text)
}

/// 404: gone, or never there.
pub(super) fn not_found() -> Answer {
    api(404, None, "NOT_FOUND", "Could not find entity")
}

/// 404: no endpoint of that name.
pub(super) fn no_such_resource() -> Answer {
    api(404, None, "RESOURCE_NOT_FOUND", "No virtual resource found")
}

/// 400 without a field.
pub(super) fn bad_request(code: &str, message: &str) -> Answer {
    api(400, None, code, message)
}

/// 415: a body that is no JSON.
pub(super) fn unsupported_media_type() -> Answer {
    api(
        415,
        None,
        "UNSUPPORTED_MEDIA_TYPE",
        "The request body's media type is not supported",
    )
}

/// 400: the version header is missing.
pub(super) fn version_missing() -> Answer {
    let text = "A version must be present. Please specify a version by adding the Linkedin-Version header.";
    api(400, None, "VERSION_MISSING", text)
}

/// 426: the version is retired, or is not there yet.
pub(super) fn version_inactive(version: &str) -> Answer {
    let text = format!("Requested version {version} is not active");
    api(426, None, "NONEXISTENT_VERSION", &text)
}

/// 429: the day's calls are used up, until midnight UTC. Nothing says so in a header.
pub(super) fn throttled(member: bool) -> Answer {
    let whose = if member { "MEMBER" } else { "APPLICATION" };
    let text =
        format!("Resource level throttle {whose} DAY limit for calls to this resource is reached.");
    api(429, Some(101), "TOO_MANY_REQUESTS", &text)
}

/// An error of the OAuth endpoints.
pub(super) fn oauth(status: u16, error: &str, description: &str) -> Answer {
    let body = json!({ "error": error, "error_description": description });
    Answer::json(status, &body)
}

/// 401: the app's secret is wrong.
pub(super) fn invalid_client() -> Answer {
    oauth(401, "invalid_client", "Client authentication failed")
}

/// 400: a parameter of an OAuth call is missing.
pub(super) fn parameter_missing(name: &str) -> Answer {
    let text = format!("A required parameter \"{name}\" is missing");
    oauth(400, "invalid_request", &text)
}

/// What usually stands in a body of this HTTP status.
pub(super) fn usual_for_status(status: u16) -> Answer {
    match status {
        401 => invalid_token(),
        403 => access_denied("partnerApiPostsExternal.CREATE.20260901"),
        404 => not_found(),
        409 => {
            let text = "A write conflict occurred. Retry the request.";
            api(409, None, "CONFLICT", text)
        }
        422 => api(
            422,
            None,
            "UNPROCESSABLE_ENTITY",
            "The request could not be processed",
        ),
        426 => version_inactive("20240901"),
        429 => throttled(false),
        503 => api(503, None, "SERVICE_UNAVAILABLE", "Service Unavailable"),
        504 => api(504, None, "GATEWAY_TIMEOUT", "Gateway Timeout"),
        500.. => api(
            status,
            None,
            "INTERNAL_SERVER_ERROR",
            "Internal Server Error",
        ),
        _ => api(status, None, "BAD_REQUEST", "Bad request"),
    }
}
