//! TikTok's errors as [`Failure`]s: pure, total, and tested on `fixtures/`.
//!
//! `error.code` decides, never the status: an answer of 200 may hold an error, and OAuth's errors may come with 200,
//! too. Codes are compared whole: their texts contain each other. Sources: the error tables of the Content Posting
//! API, of Login Kit's error handling, and of the rate limits at developers.tiktok.com.

use chrono::TimeDelta;
use mooring_domain::{Failure, Time, failure::RateScope};
use serde::Deserialize;

use crate::wire::{Op, Reply};

/// What a code means.
#[derive(Clone, Copy)]
enum Class {
    /// The access token is over or was taken back; the refresh tells which.
    Token,
    /// The grant is over.
    Revoked,
    Scope,
    /// The creator may not post.
    Banned,
    /// Our app, not the creator.
    App,
    /// The post is refused.
    Content,
    /// A parameter is refused: at a publish, the post; else a mistake of ours.
    Request,
    /// The creator's cap of 24 hours. TikTok does not say when it ends.
    DailyCap,
    /// The cap of our app's creators of a day.
    AppCap,
    /// A sliding window of one minute.
    Minute,
    Down,
}

#[rustfmt::skip]
const CODES: &[(&str, Class)] = &[
    ("access_token_invalid", Class::Token),
    ("scope_not_authorized", Class::Scope),
    ("scope_permission_missed", Class::Scope),
    ("spam_risk_user_banned_from_posting", Class::Banned),
    ("spam_risk_too_many_posts", Class::DailyCap),
    ("spam_risk_too_many_pending_share", Class::DailyCap),
    ("reached_active_user_cap", Class::AppCap),
    ("unaudited_client_can_only_post_to_private_accounts", Class::App),
    ("url_ownership_unverified", Class::App),
    ("privacy_level_option_mismatch", Class::Content),
    ("app_version_check_failed", Class::Content),
    ("invalid_file_upload", Class::Content),
    ("spam_risk", Class::Content),
    ("spam_risk_text", Class::Content),
    ("invalid_param", Class::Request),
    ("invalid_params", Class::Request),
    ("rate_limit_exceeded", Class::Minute),
    ("internal_error", Class::Down),
    // OAuth.
    ("invalid_grant", Class::Revoked),
    ("access_denied", Class::Revoked),
    ("invalid_client", Class::App),
    ("unauthorized_client", Class::App),
    ("invalid_scope", Class::App),
];

/// Reasons of `FAILED` that say something about the content or the files.
const REFUSED: &[&str] = &[
    "file_format_check_failed",
    "duration_check_failed",
    "frame_rate_check_failed",
    "picture_size_check_failed",
    "video_pull_failed",
    "photo_pull_failed",
    "publish_cancelled",
    "spam_risk",
    "spam_risk_text",
];

/// What an answer other than a success means to this call.
pub(super) fn failure(op: Op, reply: &Reply, now: Time) -> Failure {
    if reply.status == 429 {
        return minute(reply, now);
    }
    let code = code(reply).unwrap_or_default();
    match CODES.iter().find(|(known, _)| *known == code) {
        Some((_, class)) => classify(*class, op, reply, &code, now),
        None if reply.status >= 500 && reply.status != 501 => Failure::ProviderDown,
        None => unknown(reply.status, &code),
    }
}

/// The error's code; `None` where the answer has none, or says "ok".
pub(super) fn code(reply: &Reply) -> Option<String> {
    #[derive(Deserialize)]
    struct Body {
        error: Error,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Error {
        Object { code: String },
        OAuth(String),
    }
    let body: Body = serde_json::from_slice(&reply.body).ok()?;
    match body.error {
        Error::Object { code } | Error::OAuth(code) => (code != "ok").then_some(code),
    }
}

/// Why a publish ended in `FAILED`.
pub(super) fn failed(reason: &str) -> Failure {
    match reason {
        known if REFUSED.contains(&known) => Failure::ContentRejected {
            code: known.to_owned(),
        },
        "internal" => Failure::ProviderDown,
        "auth_removed" => Failure::TokenRevoked,
        "spam_risk_too_many_posts" => Failure::RateLimited {
            scope: RateScope::Account,
            until: None,
        },
        "spam_risk_user_banned_from_posting" => Failure::AccountUnavailable,
        other if is_name(other) => Failure::Contract {
            detail: format!("failed: {other}"),
        },
        _ => Failure::Contract {
            detail: "failed without a reason".to_owned(),
        },
    }
}

fn classify(class: Class, op: Op, reply: &Reply, code: &str, now: Time) -> Failure {
    let limited = |scope| Failure::RateLimited { scope, until: None };
    match class {
        Class::Token if op == Op::Revoke => Failure::TokenRevoked,
        Class::Token => Failure::TokenExpired,
        Class::Revoked => Failure::TokenRevoked,
        Class::Scope => Failure::ScopeMissing { scopes: Vec::new() },
        Class::Banned => Failure::AccountUnavailable,
        Class::App => Failure::AppAccess,
        Class::Request if !matches!(op, Op::Prepare | Op::Publish) => unknown(reply.status, code),
        Class::Content | Class::Request => Failure::ContentRejected {
            code: code.to_owned(),
        },
        Class::DailyCap => limited(RateScope::Account),
        Class::AppCap => limited(RateScope::App),
        Class::Minute => minute(reply, now),
        Class::Down => Failure::ProviderDown,
    }
}

/// Limits hold per token, endpoint and minute; no header tells of them, and one that does is believed.
fn minute(reply: &Reply, now: Time) -> Failure {
    let until = reply
        .retry_after(now)
        .unwrap_or(now + TimeDelta::minutes(1));
    Failure::RateLimited {
        scope: RateScope::Account,
        until: Some(until),
    }
}

fn unknown(status: u16, code: &str) -> Failure {
    // The code comes from outside and goes into logs: only what looks like a name is repeated.
    let detail = if is_name(code) {
        format!("status {status} {code}")
    } else {
        format!("status {status} without an error code")
    };
    Failure::Contract { detail }
}

fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !text.is_empty() && text.len() <= 64 && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::fixtures;

    #[test]
    fn recorded_answers_mean_what_the_table_says() {
        let count = fixtures::check(include_str!("fixtures/errors.json"), failure);
        assert!(count >= 45, "only {count} cases");
    }

    #[test]
    fn reasons_of_failed_publishes_mean_what_the_table_says() {
        #[derive(Deserialize)]
        struct Case {
            reason: String,
            failure: Failure,
        }
        let cases: Vec<Case> =
            serde_json::from_str(include_str!("fixtures/fail_reasons.json")).expect("a list");
        for case in cases {
            assert_eq!(failed(&case.reason), case.failure, "{}", case.reason);
        }
    }

    #[test]
    fn the_map_is_total_and_what_it_does_not_know_ends_nothing() {
        fixtures::check_total(failure);
    }

    #[test]
    fn ok_is_no_error_whatever_the_status() {
        let reply = |body: &'static str| Reply {
            status: 200,
            headers: http::HeaderMap::new(),
            body: body.into(),
        };
        assert_eq!(code(&reply(r#"{"data":{},"error":{"code":"ok"}}"#)), None);
        assert_eq!(code(&reply(r#"{"access_token":"x"}"#)), None);
        assert_eq!(
            code(&reply(r#"{"error":"invalid_grant"}"#)).as_deref(),
            Some("invalid_grant")
        );
    }
}
