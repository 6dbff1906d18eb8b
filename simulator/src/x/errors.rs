//! Errors of the API: problems (RFC 7807 with X's types), the older list of
//! numbered errors, and those of the token endpoint.

use serde_json::{Value, json};

use crate::call::Answer;

/// Where the types of problems live.
const PROBLEMS: &str = "https://api.x.com/2/problems/";

/// The address of a problem type.
pub(super) fn type_uri(name: &str) -> String {
    format!("{PROBLEMS}{name}")
}

fn problem(status: u16, kind: &str, title: &str, detail: &str) -> Answer {
    let kind = if kind == "about:blank" {
        kind.to_owned()
    } else {
        type_uri(kind)
    };
    let body = json!({ "title": title, "detail": detail, "type": kind, "status": status });
    problem_answer(status, &body)
}

fn problem_answer(status: u16, body: &Value) -> Answer {
    Answer {
        content_type: "application/problem+json",
        ..Answer::json(status, body)
    }
}

/// The older shape: `{"errors":[{"code":326,"message":"…"}]}`.
fn numbered(status: u16, code: u32, message: &str) -> Answer {
    Answer::json(
        status,
        &json!({ "errors": [{ "code": code, "message": message }] }),
    )
}

/// 401: no token, or one that is dead.
pub(super) fn unauthorized() -> Answer {
    problem(401, "about:blank", "Unauthorized", "Unauthorized")
}

/// 403 without a reason: a scope is missing.
pub(super) fn forbidden() -> Answer {
    problem(403, "about:blank", "Forbidden", "Forbidden")
}

/// 403: the text was posted before.
pub(super) fn duplicate() -> Answer {
    let detail = "You are not allowed to create a Tweet with duplicate content.";
    problem(403, "about:blank", "Forbidden", detail)
}

/// 403 with many meanings, among them a text that is too long.
pub(super) fn not_permitted() -> Answer {
    let detail = "You are not permitted to perform this action.";
    problem(403, "about:blank", "Forbidden", detail)
}

/// 403: a reply to something that is gone.
pub(super) fn reply_to_nothing() -> Answer {
    let detail = "You attempted to reply to a Tweet that is deleted or not visible to you.";
    problem(403, "about:blank", "Forbidden", detail)
}

/// 403: somebody else's post.
pub(super) fn not_yours_to_delete() -> Answer {
    let detail = "You are not authorized to delete this Tweet.";
    problem(403, "about:blank", "Forbidden", detail)
}

/// 403: the account is suspended.
pub(super) fn user_suspended() -> Answer {
    let detail = "The user used for authentication is suspended";
    problem(403, "user-suspended", "Forbidden", detail)
}

/// 403/326: the account must unlock itself.
pub(super) fn locked() -> Answer {
    let message = "To protect our users from spam and other malicious activity, this account is \
        temporarily locked. Please log in to https://twitter.com to unlock your account.";
    numbered(403, 326, message)
}

/// 403/226: the account is taken for a machine.
pub(super) fn automated() -> Answer {
    let message = "This request looks like it might be automated. To protect our users from spam \
        and other malicious activity, we can't complete this action right now. Please try again later.";
    numbered(403, 226, message)
}

/// 403: the token of an app, where one of a user is needed.
pub(super) fn app_only() -> Answer {
    let detail = "Authenticating with OAuth 2.0 Application-Only is forbidden for this endpoint.  \
        Supported authentication types are [OAuth 1.0a User Context, OAuth 2.0 User Context].";
    problem(
        403,
        "unsupported-authentication",
        "Unsupported Authentication",
        detail,
    )
}

/// 403: the token of a user, where one of an app is needed.
pub(super) fn user_context() -> Answer {
    let detail = "Authenticating with OAuth 2.0 User Context is forbidden for this endpoint.  \
        Supported authentication types are [OAuth 2.0 Application-Only].";
    problem(
        403,
        "unsupported-authentication",
        "Unsupported Authentication",
        detail,
    )
}

/// 403: the app is in no project.
pub(super) fn not_enrolled() -> Answer {
    let detail = "When authenticating requests to the Twitter API v2 endpoints, you must use keys \
        and tokens from a Twitter developer App that is attached to a Project.";
    let body = json!({
        "title": "Client Forbidden",
        "detail": detail,
        "type": type_uri("client-forbidden"),
        "status": 403,
        "reason": "client-not-enrolled",
        "required_enrollment": "Appropriate Level of API Access",
        "registration_url": "https://developer.x.com/en/docs/projects/overview",
    });
    problem_answer(403, &body)
}

/// 403: the app is suspended.
pub(super) fn app_suspended() -> Answer {
    problem(
        403,
        "app-suspended",
        "Forbidden",
        "The client application is suspended.",
    )
}

/// 402: no credits.
pub(super) fn credits_depleted() -> Answer {
    let detail = "Your enrolled account does not have any credits to fulfill this request.";
    problem(402, "credits", "CreditsDepleted", detail)
}

/// 429: the month's reads are used up.
pub(super) fn usage_capped(account: &str) -> Answer {
    let body = json!({
        "title": "UsageCapExceeded",
        "detail": "Usage cap exceeded: Monthly product cap",
        "type": type_uri("usage-capped"),
        "status": 429,
        "period": "Monthly",
        "scope": "Product",
        "product_name": "standard-basic",
        "account_id": account,
    });
    problem_answer(429, &body)
}

/// 429: a window is used up.
pub(super) fn too_many_requests() -> Answer {
    problem(429, "about:blank", "Too Many Requests", "Too Many Requests")
}

/// 503, which is known to come although the call had its effect.
pub(super) fn over_capacity() -> Answer {
    problem(
        503,
        "about:blank",
        "Service Unavailable",
        "Service Unavailable",
    )
}

/// 400: a parameter is wrong.
pub(super) fn invalid(parameter: &str, value: &str, message: &str) -> Answer {
    let body = json!({
        "errors": [{ "parameters": { parameter: [value] }, "message": message }],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": type_uri("invalid-request"),
        "status": 400,
    });
    problem_answer(400, &body)
}

/// 413: the chunk is too big.
pub(super) fn chunk_too_big() -> Answer {
    problem(413, "about:blank", "Payload Too Large", "Payload Too Large")
}

/// 404: no such endpoint.
pub(super) fn no_such_path() -> Answer {
    problem(404, "about:blank", "Not Found", "Not Found")
}

/// The problem of one post that is not there, as it stands in `errors`.
pub(super) fn post_not_found(id: &str, parameter: &str) -> Value {
    json!({
        "value": id,
        "detail": format!("Could not find tweet with {parameter}: [{id}]."),
        "title": "Not Found Error",
        "resource_type": "tweet",
        "parameter": parameter,
        "resource_id": id,
        "type": type_uri("resource-not-found"),
    })
}

/// The problem of one post that the caller may not see: its author is
/// suspended or protected.
pub(super) fn post_not_visible(id: &str, parameter: &str) -> Value {
    json!({
        "value": id,
        "detail": format!("Sorry, you are not authorized to see the Tweet with {parameter}: [{id}]."),
        "title": "Authorization Error",
        "resource_type": "tweet",
        "parameter": parameter,
        "resource_id": id,
        "section": "data",
        "type": type_uri("not-authorized-for-resource"),
    })
}

/// The problem of a user whose posts nobody may see.
pub(super) fn user_suspended_resource(id: &str) -> Value {
    json!({
        "value": id,
        "detail": format!("User has been suspended: [{id}]."),
        "title": "Forbidden",
        "resource_type": "user",
        "parameter": "id",
        "resource_id": id,
        "type": type_uri("resource-not-found"),
    })
}

/// The problem of a user who is not there.
pub(super) fn user_not_found(id: &str) -> Value {
    json!({
        "value": id,
        "detail": format!("Could not find user with id: [{id}]."),
        "title": "Not Found Error",
        "resource_type": "user",
        "parameter": "id",
        "resource_id": id,
        "type": type_uri("resource-not-found"),
    })
}

/// A problem that fills a whole answer.
pub(super) fn whole(status: u16, problem: &Value) -> Answer {
    let mut body = problem.clone();
    body["status"] = status.into();
    problem_answer(status, &body)
}

/// An error of the token endpoint.
pub(super) fn oauth(status: u16, error: &str, description: &str) -> Answer {
    Answer::json(
        status,
        &json!({ "error": error, "error_description": description }),
    )
}

/// What usually stands in a body of this HTTP status.
pub(super) fn usual_for_status(status: u16) -> Answer {
    match status {
        401 => unauthorized(),
        402 => credits_depleted(),
        403 => not_permitted(),
        404 => no_such_path(),
        429 => too_many_requests(),
        503 => over_capacity(),
        500.. => problem(
            status,
            "internal-error",
            "Internal Server Error",
            "Internal Server Error",
        ),
        _ => problem(
            status,
            "invalid-request",
            "Invalid Request",
            "One or more parameters to your request was invalid.",
        ),
    }
}
