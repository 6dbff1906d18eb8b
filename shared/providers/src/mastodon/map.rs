//! Mastodon's errors as [`Failure`]s: pure, total, and tested on `fixtures/errors.json`.
//!
//! A status and an English sentence are all that there is (`mastodon/mastodon`,
//! app/controllers/concerns/api/error_handling.rb and app/controllers/api/base_controller.rb; Doorkeeper's for
//! tokens). Servers of other makers speak the same API with sentences of their own: GoToSocial's are known, too.

use chrono::DateTime;
use mooring_domain::{Failure, Time, failure::RateScope};
use serde::Deserialize;

use crate::wire::{Op, Reply};

/// What an answer other than a success means to this call.
pub(super) fn failure(op: Op, reply: &Reply, now: Time) -> Failure {
    let text = error(reply);
    let text = text.as_deref().unwrap_or_default();
    if let Some(failure) = oauth(op, text, reply.status) {
        return failure;
    }
    match reply.status {
        400 if posts(op) && !text.is_empty() => rejected("bad_request"),
        401 => unauthorized(text),
        403 => forbidden(op, text),
        404 if op == Op::Check && text == "Record not found" => Failure::AccountUnavailable,
        404 if posts(op) && !text.is_empty() => rejected("record_not_found"),
        410 => Failure::AccountUnavailable,
        413 if posts(op) => rejected("too_large"),
        422 => unprocessable(op, text, reply.status),
        429 => rate_limited(reply, now),
        _ if text.starts_with("Error processing thumbnail") => rejected("media_failed"),
        // 501 is a server that does not speak this, which no waiting heals.
        status if status >= 500 && status != 501 => Failure::ProviderDown,
        status => unknown(status),
    }
}

/// Whether the answer says that the post is not there, or not for us.
pub(super) fn is_missing(reply: &Reply) -> bool {
    reply.status == 404 && error(reply).is_some()
}

fn error(reply: &Reply) -> Option<String> {
    #[derive(Deserialize)]
    struct Body {
        error: String,
    }
    serde_json::from_slice::<Body>(&reply.body)
        .ok()
        .map(|body| body.error)
}

/// OAuth's names.
fn oauth(op: Op, text: &str, status: u16) -> Option<Failure> {
    Some(match text {
        "invalid_grant" | "access_denied" => Failure::TokenRevoked,
        "invalid_client" | "invalid_scope" | "unauthorized_client" => Failure::AppAccess,
        "invalid_request" | "unsupported_grant_type" if !posts(op) => Failure::Contract {
            detail: format!("status {status} {text}"),
        },
        _ => return None,
    })
}

/// Whether the call brings a post about, or a file of one.
const fn posts(op: Op) -> bool {
    matches!(op, Op::Prepare | Op::Publish)
}

fn unauthorized(text: &str) -> Failure {
    match text {
        "The access token expired" => Failure::TokenExpired,
        "The access token is invalid"
        | "The access token was revoked"
        // Every call of ours carries a token: then it is not one any more.
        | "This API requires an authenticated user"
        | "This method requires an authenticated user" => Failure::TokenRevoked,
        text if text.starts_with("Unauthorized") => Failure::TokenRevoked,
        _ => unknown(401),
    }
}

fn forbidden(op: Op, text: &str) -> Failure {
    let refused = matches!(op, Op::Publish | Op::Delete);
    match text {
        "This action is outside the authorized scopes" => {
            Failure::ScopeMissing { scopes: Vec::new() }
        }
        text if text.contains("insufficient scope") => Failure::ScopeMissing { scopes: Vec::new() },
        // A suspended account says the same.
        "Your login is currently disabled" => Failure::AccountUnavailable,
        "Your login is missing a confirmed e-mail address"
        | "Your login is currently pending approval" => Failure::Checkpoint,
        "This action is not allowed" if refused => rejected("not_allowed"),
        "This action is not allowed" => Failure::Contract {
            detail: "status 403 not_allowed".to_owned(),
        },
        _ => unknown(403),
    }
}

fn unprocessable(op: Op, text: &str, status: u16) -> Failure {
    if text == "This method requires an authenticated user" {
        // A token of the app, without a person behind it.
        return Failure::TokenRevoked;
    }
    if text.starts_with("Error processing thumbnail") {
        return rejected("media_failed");
    }
    match text {
        _ if !posts(op) => unknown(status),
        "" => unknown(status),
        "Duplicate record" => Failure::Indeterminate,
        text if text.contains("have not finished processing") => Failure::MediaProcessing,
        text if text.starts_with("Cannot attach") || text.starts_with("Media ") => {
            rejected("media_refused")
        }
        text if text.starts_with("Validation failed") => rejected("validation_failed"),
        _ => rejected("unprocessable"),
    }
}

/// The reset is a time in ISO 8601; there is no `Retry-After`, and one that is there is believed. Limits hold per
/// account, mostly in windows of five minutes.
fn rate_limited(reply: &Reply, now: Time) -> Failure {
    let reset = reply.header("x-ratelimit-reset");
    let reset = reset.and_then(|text| DateTime::parse_from_rfc3339(text.trim()).ok());
    let until = reset
        .map(|time| time.to_utc())
        .or_else(|| reply.retry_after(now));
    Failure::RateLimited {
        scope: RateScope::Account,
        until,
    }
}

fn rejected(code: &str) -> Failure {
    Failure::ContentRejected {
        code: code.to_owned(),
    }
}

fn unknown(status: u16) -> Failure {
    // The sentence comes from outside and may name what it likes: it is not repeated.
    Failure::Contract {
        detail: format!("status {status} without an error we know"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::fixtures;

    #[test]
    fn recorded_answers_mean_what_the_table_says() {
        let count = fixtures::check(include_str!("fixtures/errors.json"), failure);
        assert!(count >= 48, "only {count} cases");
    }

    #[test]
    fn the_map_is_total_and_what_it_does_not_know_ends_nothing() {
        fixtures::check_total(|op, reply, now| match failure(op, reply, now) {
            // These two statuses speak for themselves, whoever gives them.
            Failure::ContentRejected { .. } if reply.status == 413 => Failure::ProviderDown,
            Failure::AccountUnavailable if reply.status == 410 => Failure::ProviderDown,
            other => other,
        });
    }
}
