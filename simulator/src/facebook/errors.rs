//! Error bodies as the Graph API sends them. Texts and numbers come from its
//! error-handling guide and from bodies seen in the wild.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::call::Answer;
use crate::faults::mix;

pub(super) const OAUTH: &str = "OAuthException";
const METHOD: &str = "GraphMethodException";

/// A fresh trace id; unique in this process, meaningless otherwise.
pub(crate) fn trace_id() -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let n = mix(COUNTER.fetch_add(1, Ordering::Relaxed));
    let bytes = [n.to_le_bytes(), mix(n).to_le_bytes()].concat();
    format!("A{}", URL_SAFE_NO_PAD.encode(bytes))
}

fn error(status: u16, kind: &str, code: u32, subcode: Option<u32>, message: &str) -> Answer {
    Answer::json(status, &body(kind, code, subcode, message))
}

pub(super) fn body(kind: &str, code: u32, subcode: Option<u32>, message: &str) -> Value {
    let mut error = json!({
        "message": message,
        "type": kind,
        "code": code,
        "fbtrace_id": trace_id(),
    });
    if let Some(subcode) = subcode {
        error["error_subcode"] = subcode.into();
    }
    json!({ "error": error })
}

pub(super) fn with_user_text(mut body: Value, title: &str, text: &str) -> Value {
    body["error"]["is_transient"] = false.into();
    body["error"]["error_user_title"] = title.into();
    body["error"]["error_user_msg"] = text.into();
    body
}

/// 190: the token does not work (any more).
pub(crate) fn token(subcode: Option<u32>, message: &str) -> Answer {
    error(400, OAUTH, 190, subcode, message).with(
        "www-authenticate",
        format!("OAuth \"Facebook Platform\" \"invalid_token\" \"{message}\""),
    )
}

/// 104: no token was sent.
pub(crate) fn no_token() -> Answer {
    error(
        400,
        OAUTH,
        104,
        None,
        "An access token is required to request this resource.",
    )
}

/// 190/2069032: a page token is wanted.
pub(crate) fn page_token_wanted() -> Answer {
    let text = "A Page access token is required for this call for the new Pages experience.";
    let body = body(
        OAUTH,
        190,
        Some(2_069_032),
        "User Access Token Is Not Supported",
    );
    Answer::json(
        400,
        &with_user_text(body, "User Access Token Is Not Supported", text),
    )
}

/// 100/33: gone, or not to be seen with this token; the two look alike.
pub(crate) fn no_such_object(method: &str, id: &str) -> Answer {
    let message = format!(
        "Unsupported {method} request. Object with ID '{id}' does not exist, cannot be loaded \
         due to missing permissions, or does not support this operation. Please read the Graph \
         API documentation at https://developers.facebook.com/docs/graph-api"
    );
    error(400, METHOD, 100, Some(33), &message)
}

/// 100: a parameter is wrong, by our mistake.
pub(crate) fn bad_parameter(message: &str) -> Answer {
    error(400, OAUTH, 100, None, &format!("(#100) {message}"))
}

/// 100 with a text for people: the content is refused.
pub(crate) fn content_refused(message: &str, for_people: &str) -> Answer {
    let body = body(OAUTH, 100, None, &format!("(#100) {message}"));
    Answer::json(
        400,
        &with_user_text(body, "Post Could Not Be Published", for_people),
    )
}

/// 1609005: the link cannot be posted.
pub(crate) fn bad_link(link: &str) -> Answer {
    let message = format!("(#1609005) Error Posting Link: The link {link} cannot be scraped.");
    error(400, OAUTH, 1_609_005, None, &message)
}

/// 506: identical to the page's last post.
pub(crate) fn duplicate() -> Answer {
    let text = "This status update is identical to the last one you posted. Try posting \
                something different, or delete your previous update.";
    let body = body(
        OAUTH,
        506,
        Some(1_455_006),
        "(#506) Duplicate status message",
    );
    Answer::json(400, &with_user_text(body, "Duplicate Status Update", text))
}

/// 368: the page is blocked for policy reasons.
pub(crate) fn blocked() -> Answer {
    let text = "We limit how often you can post, comment or do other things in a given amount \
                of time in order to help protect the community from spam. You can try again later.";
    let message = "The action attempted has been deemed abusive or is otherwise disallowed";
    let body = body(OAUTH, 368, None, message);
    Answer::json(
        400,
        &with_user_text(body, "You're Temporarily Blocked", text),
    )
}

/// 200: a permission or a role is missing for publishing.
pub(crate) fn may_not_publish() -> Answer {
    let message = "(#200) If posting to a group, requires app being installed in the group, and \
        either publish_to_groups permission with user token, or both pages_read_engagement and \
        pages_manage_posts permission with page token; If posting to a page, requires both \
        pages_read_engagement and pages_manage_posts as an admin with sufficient administrative \
        permission";
    error(403, OAUTH, 200, None, message)
}

/// 10: a permission is missing for reading.
pub(crate) fn may_not_read(permission: &str) -> Answer {
    let message = format!(
        "(#10) This endpoint requires the '{permission}' permission or the 'Page Public Content \
         Access' feature. Refer to https://developers.facebook.com/docs/apps/review/login-permissions#manage-pages"
    );
    error(400, OAUTH, 10, None, &message)
}

/// 200: a permission is missing for an act on the page's settings.
pub(crate) fn missing_permission(permission: &str) -> Answer {
    let message = format!(
        "(#200) To subscribe to the feed field, one of these permissions is needed: {permission}"
    );
    error(403, OAUTH, 200, None, &message)
}

/// 100: the proof of the app secret is missing.
pub(crate) fn proof_missing() -> Answer {
    let message = "API calls from the server require an appsecret_proof argument";
    error(400, METHOD, 100, None, message)
}

/// 100: the proof of the app secret is wrong.
pub(crate) fn proof_wrong() -> Answer {
    error(
        400,
        METHOD,
        100,
        None,
        "Invalid appsecret_proof provided in the API argument",
    )
}

/// 101: no such app.
pub(crate) fn no_such_app() -> Answer {
    error(
        400,
        OAUTH,
        101,
        None,
        "Error validating application. Invalid application ID.",
    )
}

/// 1: the app's secret is wrong.
pub(crate) fn wrong_secret() -> Answer {
    error(400, OAUTH, 1, None, "Error validating client secret.")
}

/// 100/3600x: the authorization code is refused.
pub(crate) fn bad_code(subcode: u32, message: &str) -> Answer {
    error(400, OAUTH, 100, Some(subcode), message)
}

/// 2500: no endpoint of that name.
pub(crate) fn unknown_path(path: &str) -> Answer {
    error(
        400,
        OAUTH,
        2500,
        None,
        &format!("Unknown path components: /{path}"),
    )
}

/// 1: something went wrong. It is known to come although a post was created.
pub(crate) fn unknown_error() -> Answer {
    error(400, OAUTH, 1, None, "An unknown error has occurred.")
}

/// 4: the app makes too many calls.
pub(crate) fn app_throttled() -> Answer {
    error(
        400,
        OAUTH,
        4,
        None,
        "(#4) Application request limit reached",
    )
}

/// 80001: too many calls for this page.
pub(crate) fn page_throttled() -> Answer {
    let message = "(#80001) There have been too many calls to this Page account. Wait a bit and \
        try again. For more info, please refer to \
        https://developers.facebook.com/docs/graph-api/overview/rate-limiting.";
    error(400, OAUTH, 80_001, None, message)
}

/// What usually stands in a body of this HTTP status.
pub(crate) fn usual_for_status(status: u16) -> Answer {
    let (code, message) = match status {
        401 => (190, "Invalid OAuth 2.0 Access Token"),
        403 => (200, "(#200) Permissions error"),
        404 => (803, "(#803) Some of the aliases you requested do not exist"),
        429 => (4, "(#4) Application request limit reached"),
        500.. => (
            2,
            "An unexpected error has occurred. Please retry your request later.",
        ),
        _ => (1, "An unknown error has occurred."),
    };
    let mut body = body(OAUTH, code, None, message);
    body["error"]["is_transient"] = (status >= 500).into();
    Answer::json(status, &body)
}
