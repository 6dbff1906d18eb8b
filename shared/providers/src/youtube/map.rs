//! Google's errors as [`Failure`]s: pure, total, and tested on `fixtures/errors.json`.
//!
//! The *reason* decides, not the status: a 403 is a spent quota (until midnight in California), too many calls (for
//! seconds), a missing scope or a suspended account. The Data API says it in `error.errors[0].reason`; answers of newer
//! make say it in `error.details[].reason` or in `error.status` alone. The token endpoint answers in the form of
//! OAuth, where `error` is a word. Sources: developers.google.com/youtube/v3/docs/errors and the methods' own pages,
//! Google's own Python client for what it repeats.

use mooring_domain::{Failure, Time, failure::RateScope};

use super::{
    pacific,
    wire::{ApiError, ErrorBody, OauthError},
};
use crate::wire::{Op, Reply};

/// What a reason means.
#[derive(Clone, Copy)]
enum Class {
    /// The access token is over; a refresh may heal it.
    Token,
    Scope,
    Unavailable,
    AppAccess,
    /// The content or the file is refused.
    Content,
    /// The project's share of the day is spent.
    Day,
    /// Too many calls of the whole project.
    Busy,
    /// Too many calls, or too many videos, of this account.
    BusyAccount,
    Down,
}

/// Reasons of the Data API. A reason that stands here keeps its meaning whatever the status is.
#[rustfmt::skip]
const REASONS: &[(&str, Class)] = &[
    ("authError", Class::Token),
    ("required", Class::Token),
    ("expired", Class::Token),
    ("unauthorized", Class::Token),
    ("authorizationRequired", Class::Token),
    ("invalidCredentials", Class::Token),
    ("ACCESS_TOKEN_EXPIRED", Class::Token),
    ("ACCESS_TOKEN_TYPE_UNSUPPORTED", Class::Token),
    ("CREDENTIALS_MISSING", Class::Token),
    ("insufficientPermissions", Class::Scope),
    ("forbidden", Class::Scope),
    ("ACCESS_TOKEN_SCOPE_INSUFFICIENT", Class::Scope),
    ("youtubeSignupRequired", Class::Unavailable),
    ("authenticatedUserAccountSuspended", Class::Unavailable),
    ("authenticatedUserAccountClosed", Class::Unavailable),
    ("authenticatedUserNotChannel", Class::Unavailable),
    ("accountDelegationForbidden", Class::Unavailable),
    ("channelSuspended", Class::Unavailable),
    ("channelClosed", Class::Unavailable),
    ("channelNotFound", Class::Unavailable),
    ("channelForbidden", Class::Unavailable),
    ("accessNotConfigured", Class::AppAccess),
    ("dailyLimitExceededUnreg", Class::AppAccess),
    ("SERVICE_DISABLED", Class::AppAccess),
    ("CONSUMER_INVALID", Class::AppAccess),
    ("CONSUMER_SUSPENDED", Class::AppAccess),
    ("invalidTitle", Class::Content),
    ("invalidDescription", Class::Content),
    ("invalidTags", Class::Content),
    ("invalidCategoryId", Class::Content),
    ("invalidPublishAt", Class::Content),
    ("invalidFilename", Class::Content),
    ("invalidRecordingDetails", Class::Content),
    ("invalidVideoGameRating", Class::Content),
    ("invalidVideoMetadata", Class::Content),
    ("invalidDefaultBroadcastPrivacySetting", Class::Content),
    ("defaultLanguageNotSet", Class::Content),
    ("mediaBodyRequired", Class::Content),
    ("badContent", Class::Content),
    ("forbiddenPrivacySetting", Class::Content),
    ("forbiddenLicenseSetting", Class::Content),
    ("forbiddenEmbedSetting", Class::Content),
    ("quotaExceeded", Class::Day),
    ("dailyLimitExceeded", Class::Day),
    ("rateLimitExceeded", Class::Busy),
    ("RATE_LIMIT_EXCEEDED", Class::Busy),
    ("userRateLimitExceeded", Class::BusyAccount),
    ("uploadRateLimitExceeded", Class::BusyAccount),
    ("uploadLimitExceeded", Class::BusyAccount),
    ("backendError", Class::Down),
    ("internalError", Class::Down),
    ("processingFailure", Class::Down),
    // What stands in `error.status` alone.
    ("UNAUTHENTICATED", Class::Token),
    ("RESOURCE_EXHAUSTED", Class::Busy),
    ("UNAVAILABLE", Class::Down),
    ("INTERNAL", Class::Down),
    ("DEADLINE_EXCEEDED", Class::Down),
];

/// What an answer other than a success means to this call.
pub(super) fn failure(op: Op, reply: &Reply, now: Time) -> Failure {
    let failure = match serde_json::from_slice::<ErrorBody>(&reply.body) {
        Ok(ErrorBody::Oauth(error)) => oauth(op, reply, &error, now),
        Ok(ErrorBody::Api { error }) => api(reply, &error, now),
        Err(_) => None,
    };
    failure.unwrap_or_else(|| by_status(reply, now))
}

/// Whether the answer says that the video is not there.
pub(super) fn is_video_missing(reply: &Reply) -> bool {
    says(reply, "videoNotFound")
}

/// Whether the answer says that the playlist is not there: a channel that never had an upload has none.
pub(super) fn is_playlist_missing(reply: &Reply) -> bool {
    says(reply, "playlistNotFound")
}

/// Whether an upload session is not there (any more).
pub(super) fn is_session_gone(reply: &Reply) -> bool {
    matches!(reply.status, 404 | 410)
}

/// Whether the token was dead already when it was to be given back.
pub(super) fn is_revoked_already(reply: &Reply) -> bool {
    reply.status == 400
        && matches!(serde_json::from_slice(&reply.body), Ok(ErrorBody::Oauth(e)) if e.error == "invalid_token")
}

fn says(reply: &Reply, reason: &str) -> bool {
    reply.status == 404
        && matches!(serde_json::from_slice(&reply.body), Ok(ErrorBody::Api { error }) if error.reasons().any(|r| r == reason))
}

/// The token endpoint's word. What is not listed is told by the status.
fn oauth(op: Op, reply: &Reply, error: &OauthError, now: Time) -> Option<Failure> {
    Some(match error.error.as_str() {
        // The organisation wants its member to log in again; the grant itself lives on.
        "invalid_grant" if error.error_subtype == "invalid_rapt" => Failure::Checkpoint,
        "invalid_grant" | "access_denied" => Failure::TokenRevoked,
        "invalid_token" if op == Op::Revoke => Failure::TokenRevoked,
        "invalid_token" => Failure::TokenExpired,
        "invalid_client"
        | "deleted_client"
        | "disabled_client"
        | "unauthorized_client"
        | "redirect_uri_mismatch"
        | "org_internal" => Failure::AppAccess,
        "admin_policy_enforced" | "invalid_scope" => Failure::ScopeMissing { scopes: Vec::new() },
        "internal_failure" | "server_error" | "temporarily_unavailable" => Failure::ProviderDown,
        "rate_limit_exceeded" | "slow_down" => busy(RateScope::App, reply, now),
        _ => return None,
    })
}

fn api(reply: &Reply, error: &ApiError, now: Time) -> Option<Failure> {
    let named = error.reasons().find_map(|reason| {
        let row = REASONS.iter().find(|(name, _)| *name == reason);
        row.map(|(_, class)| (reason, *class))
    });
    let (reason, class) = named?;
    Some(match class {
        Class::Token => Failure::TokenExpired,
        Class::Scope => Failure::ScopeMissing { scopes: Vec::new() },
        Class::Unavailable => Failure::AccountUnavailable,
        Class::AppAccess => Failure::AppAccess,
        Class::Content => Failure::ContentRejected {
            code: reason.to_owned(),
        },
        // Buckets of newer make answer 429 and name their limit; a day's is a day's all the same.
        Class::Busy if error.is_daily() => day(now),
        Class::Day => day(now),
        Class::Busy => busy(RateScope::App, reply, now),
        Class::BusyAccount => busy(RateScope::Account, reply, now),
        Class::Down => Failure::ProviderDown,
    })
}

fn day(now: Time) -> Failure {
    Failure::RateLimited {
        scope: RateScope::App,
        until: Some(pacific::next_midnight(now)),
    }
}

fn busy(scope: RateScope, reply: &Reply, now: Time) -> Failure {
    Failure::RateLimited {
        scope,
        until: reply.retry_after(now),
    }
}

fn by_status(reply: &Reply, now: Time) -> Failure {
    match reply.status {
        429 => busy(RateScope::App, reply, now),
        // 501 is a server that does not speak this method, which no waiting heals.
        500 | 502..=599 => Failure::ProviderDown,
        _ => unknown(reply),
    }
}

fn unknown(reply: &Reply) -> Failure {
    let reason = match serde_json::from_slice::<ErrorBody>(&reply.body) {
        Ok(ErrorBody::Oauth(error)) => error.error,
        Ok(ErrorBody::Api { error }) => error.reasons().next().unwrap_or_default().to_owned(),
        Err(_) => String::new(),
    };
    let status = reply.status;
    // The reason comes from outside and goes into logs: only what looks like a name is repeated.
    let is_name = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let plain = !reason.is_empty() && reason.len() <= 64 && reason.bytes().all(is_name);
    let detail = if plain {
        format!("status {status} {reason}")
    } else {
        format!("status {status} without a reason")
    };
    Failure::Contract { detail }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::fixtures;

    #[test]
    fn documented_answers_mean_what_the_table_says() {
        let count = fixtures::check(include_str!("fixtures/errors.json"), failure);
        assert!(count >= 60, "only {count} cases");
    }

    #[test]
    fn the_map_is_total_and_what_it_does_not_know_ends_nothing() {
        fixtures::check_total(failure);
    }

    #[test]
    fn every_reason_has_its_fixture() {
        let fixtures = include_str!("fixtures/errors.json");
        for (reason, _) in REASONS {
            assert!(
                fixtures.contains(&format!("\"{reason}\"")),
                "no fixture for {reason}"
            );
        }
    }
}
