//! Error bodies as Google sends them: the Data API's, told apart by domain and reason, and the
//! token endpoint's.

use serde_json::{Value, json};

use crate::call::Answer;

/// Domain of the errors that every Google API knows.
const GLOBAL: &str = "global";

/// An error of the Data API.
fn error(status: u16, domain: &str, reason: &str, message: &str) -> Answer {
    Answer::json(status, &body(status, domain, reason, message))
}

fn body(status: u16, domain: &str, reason: &str, message: &str) -> Value {
    let item = json!({ "message": message, "domain": domain, "reason": reason });
    json!({ "error": { "code": status, "message": message, "errors": [item] } })
}

/// The same with the place of the mistake.
fn located(mut body: Value, location: &str, kind: &str) -> Value {
    body["error"]["errors"][0]["location"] = location.into();
    body["error"]["errors"][0]["locationType"] = kind.into();
    body
}

/// 401 `authError`: the access token has ended, was revoked, or never was one.
pub(crate) fn bad_token() -> Answer {
    let message = "Request had invalid authentication credentials. Expected OAuth 2 access token, \
        login cookie or other valid authentication credential. See \
        https://developers.google.com/identity/sign-in/web/devconsole-project.";
    let mut body = located(
        body(401, GLOBAL, "authError", message),
        "Authorization",
        "header",
    );
    body["error"]["errors"][0]["message"] = "Invalid Credentials".into();
    body["error"]["status"] = "UNAUTHENTICATED".into();
    let challenge = "Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\"";
    Answer::json(401, &body).with("www-authenticate", challenge)
}

/// 401 `required`: no token was sent.
pub(crate) fn no_token() -> Answer {
    let message = "Request is missing required authentication credential. Expected OAuth 2 access \
        token, login cookie or other valid authentication credential. See \
        https://developers.google.com/identity/sign-in/web/devconsole-project.";
    let mut body = located(
        body(401, GLOBAL, "required", message),
        "Authorization",
        "header",
    );
    body["error"]["errors"][0]["message"] = "Login Required.".into();
    body["error"]["status"] = "UNAUTHENTICATED".into();
    Answer::json(401, &body).with(
        "www-authenticate",
        "Bearer realm=\"https://accounts.google.com/\"",
    )
}

/// 403 `insufficientPermissions`: the token lacks the scope.
pub(crate) fn scope_missing(method: &str) -> Answer {
    let message = "Request had insufficient authentication scopes.";
    let mut body = body(403, GLOBAL, "insufficientPermissions", message);
    body["error"]["errors"][0]["message"] = "Insufficient Permission".into();
    body["error"]["status"] = "PERMISSION_DENIED".into();
    body["error"]["details"] = json!([{
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
        "domain": "googleapis.com",
        "metadata": { "service": "youtube.googleapis.com", "method": method },
    }]);
    let challenge = "Bearer realm=\"https://accounts.google.com/\", error=\"insufficient_scope\"";
    Answer::json(403, &body).with("www-authenticate", challenge)
}

/// 401 `youtubeSignupRequired`: the account has no channel.
pub(crate) fn signup_required() -> Answer {
    let body = body(
        401,
        "youtube.header",
        "youtubeSignupRequired",
        "Unauthorized",
    );
    Answer::json(401, &located(body, "Authorization", "header"))
}

/// 403: the account of the token is suspended or closed.
pub(crate) fn account_shut(closed: bool) -> Answer {
    let (reason, message) = if closed {
        (
            "authenticatedUserAccountClosed",
            "The YouTube account of the authenticated user is closed.",
        )
    } else {
        (
            "authenticatedUserAccountSuspended",
            "The YouTube account of the authenticated user is suspended.",
        )
    };
    let body = body(403, "youtube.common", reason, message);
    Answer::json(403, &located(body, "Authorization", "header"))
}

/// 403 `accessNotConfigured`: the API is switched off in the project.
pub(crate) fn api_disabled(client_id: &str) -> Answer {
    let project = client_id.split('-').next().unwrap_or("");
    let message = format!(
        "YouTube Data API v3 has not been used in project {project} before or it is disabled. \
         Enable it by visiting \
         https://console.developers.google.com/apis/api/youtube.googleapis.com/overview?project={project} \
         then retry. If you enabled this API recently, wait a few minutes for the action to \
         propagate to our systems and retry."
    );
    let mut body = body(403, "usageLimits", "accessNotConfigured", &message);
    body["error"]["status"] = "PERMISSION_DENIED".into();
    Answer::json(403, &body)
}

/// 403 `quotaExceeded`: the project's units of this Pacific day are used up.
pub(crate) fn quota_exceeded() -> Answer {
    let message = "The request cannot be completed because you have exceeded your \
        <a href=\"/youtube/v3/getting-started#quota\">quota</a>.";
    error(403, "youtube.quota", "quotaExceeded", message)
}

/// 403 `rateLimitExceeded`: too many calls in a short time.
pub(crate) fn rate_limited() -> Answer {
    error(
        403,
        "usageLimits",
        "rateLimitExceeded",
        "Rate Limit Exceeded",
    )
}

/// 400 `uploadLimitExceeded`: the channel has uploaded too much.
pub(crate) fn upload_limit() -> Answer {
    let message = "The user has exceeded the number of videos they may upload.";
    error(400, "youtube.video", "uploadLimitExceeded", message)
}

/// 403 `forbidden`: not the caller's own.
pub(crate) fn forbidden(domain: &str, message: &str) -> Answer {
    let mut body = body(403, domain, "forbidden", message);
    body["error"]["errors"][0]["message"] = "Forbidden".into();
    Answer::json(403, &body)
}

/// 404 of a thing that a call names.
pub(crate) fn no_such(domain: &str, reason: &str, parameter: &str, message: &str) -> Answer {
    let body = body(404, domain, reason, message);
    Answer::json(404, &located(body, parameter, "parameter"))
}

/// 400: a parameter is missing or wrong, by the caller's mistake.
pub(crate) fn parameter(reason: &str, location: &str, message: &str) -> Answer {
    let body = body(400, "youtube.parameter", reason, message);
    Answer::json(400, &located(body, location, "parameter"))
}

/// 400 `unknownPart`.
pub(crate) fn unknown_part(part: &str) -> Answer {
    let body = body(400, "youtube.part", "unknownPart", part);
    Answer::json(400, &located(body, "part", "parameter"))
}

/// 400: the content of a video's metadata is refused (`invalidTitle`, …).
pub(crate) fn bad_metadata(reason: &str, location: &str, message: &str) -> Answer {
    let body = body(400, "youtube.video", reason, message);
    Answer::json(400, &located(body, location, "other"))
}

/// 400: the JSON does not fit the schema.
pub(crate) fn bad_json(message: &str) -> Answer {
    let mut body = body(400, GLOBAL, "badRequest", message);
    body["error"]["status"] = "INVALID_ARGUMENT".into();
    Answer::json(400, &body)
}

/// 400 `badContent`: that kind of file is not taken.
pub(crate) fn bad_media(kind: &str) -> Answer {
    let message = format!(
        "Media type '{kind}' is not supported. Valid media types: [video/*, \
         application/octet-stream]"
    );
    error(400, GLOBAL, "badContent", &message)
}

/// 400: the upload protocol is not kept.
pub(crate) fn bad_upload(message: &str) -> Answer {
    error(400, GLOBAL, "badRequest", message)
}

/// 404: the upload session is not known, or has ended.
pub(crate) fn no_session() -> Answer {
    Answer::text(404, "text/html; charset=UTF-8", "Not Found")
}

/// 404: no endpoint of that name.
pub(crate) fn not_found(path: &str) -> Answer {
    let text = format!("The requested URL /{path} was not found on this server.");
    Answer::text(404, "text/html; charset=UTF-8", text)
}

/// An error of the token endpoint.
pub(crate) fn oauth(status: u16, error: &str, description: &str) -> Answer {
    Answer::json(
        status,
        &json!({ "error": error, "error_description": description }),
    )
}

/// `invalid_grant` with the kind of log-in that is wanted.
pub(crate) fn reauth_wanted() -> Answer {
    let body = json!({
        "error": "invalid_grant",
        "error_description": "reauth related error (invalid_rapt)",
        "error_uri": "https://support.google.com/a/answer/9368756",
        "error_subtype": "invalid_rapt",
    });
    Answer::json(400, &body)
}

/// What usually stands in a body of this HTTP status.
pub(crate) fn usual_for_status(status: u16) -> Answer {
    match status {
        401 => bad_token(),
        403 => forbidden(
            "youtube.common",
            "Access forbidden. The request may not be properly authorized.",
        ),
        404 => error(404, GLOBAL, "notFound", "Not Found"),
        429 => {
            let mut body = body(
                429,
                GLOBAL,
                "rateLimitExceeded",
                "Resource has been exhausted (e.g. check quota).",
            );
            body["error"]["status"] = "RESOURCE_EXHAUSTED".into();
            Answer::json(429, &body)
        }
        503 => {
            let message = "The service is currently unavailable.";
            let mut body = body(503, GLOBAL, "backendError", message);
            body["error"]["status"] = "UNAVAILABLE".into();
            Answer::json(503, &body)
        }
        500.. => error(
            status,
            GLOBAL,
            "internalError",
            "Internal error encountered.",
        ),
        _ => error(status, GLOBAL, "badRequest", "Bad Request"),
    }
}
