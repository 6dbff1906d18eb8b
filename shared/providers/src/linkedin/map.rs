//! LinkedIn's errors as [`Failure`]s: pure, total, and tested on `fixtures/errors.json`.
//!
//! Codes are those of its error references and of bodies seen in the wild; `serviceErrorCode` is often missing, and
//! so is `code`, so the text has to help. Numbers are compared as numbers, because URNs contain them.

use chrono::{Days, NaiveTime};
use mooring_domain::{Failure, Time, failure::RateScope};

use super::wire::{ErrorBody, Introspection};
use crate::wire::{Op, Reply};

/// What an answer other than a success means to this call.
pub(super) fn failure(op: Op, reply: &Reply, now: Time) -> Failure {
    let body = error(reply);
    let Some(body) = body.filter(ErrorBody::says_something) else {
        return match reply.status {
            429 => limited(RateScope::Account, reply.retry_after(now)),
            500.. => Failure::ProviderDown,
            status => contract(status, "no error object"),
        };
    };
    if reply.status >= 500 {
        return Failure::ProviderDown;
    }
    if reply.status == 429 {
        return throttled(&body, reply, now);
    }
    if body.error.is_some() {
        return oauth(op, &body, reply.status);
    }
    match reply.status {
        400 | 413 | 415 | 422 => refused(op, &body, reply.status),
        401 => token(&body),
        403 => forbidden(op, &body),
        404 if op == Op::Check && is_not_found(&body) => Failure::AccountUnavailable,
        409 if body.code() == Some("CONFLICT") => Failure::ProviderDown,
        426 if body.code().is_some() => Failure::AppAccess,
        status => unknown(&body, status),
    }
}

/// Whether the post is not there (any more).
pub(super) fn is_gone(reply: &Reply) -> bool {
    matches!(reply.status, 404 | 410) && error(reply).is_some_and(|body| is_not_found(&body))
}

/// Whether an upload's address has ended, so that a new one must be asked for.
pub(super) fn is_expired_upload(reply: &Reply) -> bool {
    is_gone(reply) || error(reply).is_some_and(|body| body.code() == Some("EXPIRED_UPLOAD_URL"))
}

/// Whether the version that we ask for is retired.
pub(super) fn is_retired_version(reply: &Reply) -> bool {
    reply.status == 426
}

/// Whether the token may not see an image, video or document that it may post.
pub(super) fn is_hidden_asset(reply: &Reply) -> bool {
    reply.status == 403
}

/// Why introspection calls a token dead. Without a status it is a token of another app.
pub(super) fn dead_token(seen: &Introspection) -> Failure {
    match seen.status.as_deref() {
        Some("expired") => Failure::TokenExpired,
        _ => Failure::TokenRevoked,
    }
}

fn error(reply: &Reply) -> Option<ErrorBody> {
    serde_json::from_slice(&reply.body).ok()
}

fn is_not_found(body: &ErrorBody) -> bool {
    body.code() == Some("NOT_FOUND") || text(body).contains("could not find entity")
}

fn text(body: &ErrorBody) -> String {
    let said = body
        .message
        .as_deref()
        .or(body.error_description.as_deref());
    said.unwrap_or_default().to_lowercase()
}

/// A daily quota ends at midnight UTC; nothing else says when it does.
fn throttled(body: &ErrorBody, reply: &Reply, now: Time) -> Failure {
    let text = text(body);
    let scope = if text.contains("application") {
        RateScope::App
    } else {
        RateScope::Account
    };
    let daily = text.contains("throttle") || body.service_code == Some(101);
    let midnight = daily.then(|| next_midnight(now)).flatten();
    limited(scope, reply.retry_after(now).or(midnight))
}

fn next_midnight(now: Time) -> Option<Time> {
    let tomorrow = now.date_naive().checked_add_days(Days::new(1))?;
    Some(tomorrow.and_time(NaiveTime::MIN).and_utc())
}

const fn limited(scope: RateScope, until: Option<Time>) -> Failure {
    Failure::RateLimited { scope, until }
}

fn oauth(op: Op, body: &ErrorBody, status: u16) -> Failure {
    let text = text(body);
    let names = |word: &str| text.contains(word);
    match body.error.as_deref().unwrap_or_default() {
        "invalid_client" | "unauthorized_client" | "unauthorized_scope_error" | "invalid_scope" => {
            Failure::AppAccess
        }
        "access_denied" => Failure::ScopeMissing { scopes: Vec::new() },
        // What OpenID Connect has `userinfo` say (RFC 6750, 3.1) of a token that has ended, or was revoked, or is none:
        // introspection knows which, and without it a refresh will tell.
        "invalid_token" if status == 401 => Failure::TokenExpired,
        "server_error" | "temporarily_unavailable" => Failure::ProviderDown,
        "invalid_grant" | "invalid_redirect_uri" if matches!(op, Op::Connect | Op::Refresh) => {
            Failure::TokenRevoked
        }
        "invalid_request" if names("required parameter") => unknown(body, status),
        "invalid_request" if op == Op::Connect && names("authorization code") => {
            Failure::TokenRevoked
        }
        "invalid_request" if op == Op::Refresh && names("refresh token") => Failure::TokenRevoked,
        // "Invalid client id or token" says neither.
        "invalid_request" if names("client") && names("token") => unknown(body, status),
        "invalid_request" if names("client") => Failure::AppAccess,
        "invalid_request" if names("token") && matches!(op, Op::Check | Op::Revoke) => {
            Failure::TokenRevoked
        }
        _ => unknown(body, status),
    }
}

fn token(body: &ErrorBody) -> Failure {
    let text = text(body);
    match (body.service_code, body.code().unwrap_or_default()) {
        (Some(65_602), _) | (_, "EXPIRED_ACCESS_TOKEN") => Failure::TokenExpired,
        // Restricted people must confirm at LinkedIn who they are; their tokens live on.
        (Some(65_608), _) | (_, "RESTRICTED_MEMBER") => Failure::Checkpoint,
        (Some(65_604), _) | (_, "EMPTY_ACCESS_TOKEN") => unknown(body, 401),
        (Some(65_600 | 65_601 | 65_603 | 65_605), _)
        | (_, "INVALID_ACCESS_TOKEN" | "REVOKED_ACCESS_TOKEN") => Failure::TokenRevoked,
        _ if text.contains("empty") => unknown(body, 401),
        _ if text.contains("expired") => Failure::TokenExpired,
        _ if text.contains("revoked") || text.contains("invalid access token") => {
            Failure::TokenRevoked
        }
        _ => unknown(body, 401),
    }
}

fn forbidden(op: Op, body: &ErrorBody) -> Failure {
    let text = text(body);
    if text.contains("resource is forbidden") {
        // Right after an upload its owner is told so, too, and a moment later not any more.
        return if op == Op::Publish {
            Failure::MediaProcessing
        } else {
            Failure::ScopeMissing { scopes: Vec::new() }
        };
    }
    // The author or owner is nobody for whom this token may act: the role is lost.
    if text.contains("data processing exception")
        && (text.contains("/author") || text.contains("/owner"))
    {
        return Failure::AccountUnavailable;
    }
    if body.code() == Some("ACCESS_DENIED") || body.service_code == Some(100) {
        return Failure::ScopeMissing { scopes: Vec::new() };
    }
    unknown(body, 403)
}

fn refused(op: Op, body: &ErrorBody, status: u16) -> Failure {
    let text = text(body);
    if text.contains("organization permissions must be used") {
        let scopes = vec!["w_organization_social".to_owned()];
        return Failure::ScopeMissing { scopes };
    }
    if text.contains("duplicate of urn:li:") || body.code() == Some("DUPLICATE_POST") {
        return Failure::DuplicateContent;
    }
    if text.contains("unable to obtain activity") {
        return Failure::ProviderDown;
    }
    let Some(code) = body.code() else {
        return unknown(body, status);
    };
    match code {
        "MEDIA_ASSET_WAITING_UPLOAD" | "EXPIRED_UPLOAD_URL" => Failure::MediaProcessing,
        _ if CONTENT.contains(&code) && matches!(op, Op::Publish | Op::Prepare) => {
            Failure::ContentRejected {
                code: code.to_owned(),
            }
        }
        _ => unknown(body, status),
    }
}

/// Codes that are about what a person wrote or attached. The others are about how we write calls.
const CONTENT: [&str; 12] = [
    "INVALID_VALUE_FOR_FIELD",
    "FIELD_LENGTH_TOO_LONG",
    "FIELD_LENGTH_TOO_SHORT",
    "INVALID_VALUE_BLANK_FIELD",
    "FIELD_INVALID",
    "INVALID_IMAGE_ID",
    "INVALID_VIDEO_ID",
    "MEDIA_ASSET_PROCESSING_FAILED",
    "UPDATING_ASSET_FAILED",
    "REQUEST_ENTITY_TOO_LARGE",
    "UNSUPPORTED_MEDIA_TYPE",
    "UNPROCESSABLE_ENTITY",
];

fn unknown(body: &ErrorBody, status: u16) -> Failure {
    let name = body.code().or(body.error.as_deref()).unwrap_or("none");
    // Codes are words of capitals; anything else could be a text, which may quote what people wrote.
    let word = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let name = if word { name } else { "unreadable" };
    match body.service_code {
        Some(number) => contract(status, &format!("code {name}/{number}")),
        None => contract(status, &format!("code {name}")),
    }
}

fn contract(status: u16, what: &str) -> Failure {
    Failure::Contract {
        detail: format!("status {status} {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::fixtures;

    #[test]
    fn recorded_answers_mean_what_the_table_says() {
        let count = fixtures::check(include_str!("fixtures/errors.json"), failure);
        assert!(count >= 60, "only {count} cases");
    }

    #[test]
    fn the_map_is_total_and_what_it_does_not_know_ends_nothing() {
        fixtures::check_total(failure);
    }

    #[test]
    fn gone_is_only_what_the_platform_itself_calls_gone() {
        let reply = |status, body: &'static str| Reply {
            status,
            headers: http::HeaderMap::new(),
            body: bytes::Bytes::from_static(body.as_bytes()),
        };
        let body = r#"{"status":404,"code":"NOT_FOUND","message":"Could not find entity"}"#;
        assert!(is_gone(&reply(404, body)) && is_gone(&reply(410, body)));
        assert!(!is_gone(&reply(403, body)));
        assert!(!is_gone(&reply(404, "<html>not found</html>")));
        let path =
            r#"{"status":404,"code":"RESOURCE_NOT_FOUND","message":"No virtual resource found"}"#;
        assert!(!is_gone(&reply(404, path)), "our own path is wrong");
    }

    #[test]
    fn introspection_says_200_and_means_dead() {
        let dead = |body: &str| dead_token(&serde_json::from_str(body).expect("a body"));
        let expired = r#"{"active":false,"status":"expired","expires_at":1,"scope":"openid"}"#;
        assert_eq!(dead(expired), Failure::TokenExpired);
        assert_eq!(
            dead(r#"{"active":false,"status":"revoked"}"#),
            Failure::TokenRevoked
        );
        assert_eq!(
            dead(r#"{"active":false}"#),
            Failure::TokenRevoked,
            "another app's"
        );
    }

    #[test]
    fn a_day_ends_at_midnight_utc() {
        let end = next_midnight(fixtures::now()).expect("a time");
        assert_eq!(end.to_rfc3339(), "2026-11-24T00:00:00+00:00");
        assert_eq!(
            next_midnight(end).map(|at| (at - end).num_hours()),
            Some(24)
        );
    }
}
