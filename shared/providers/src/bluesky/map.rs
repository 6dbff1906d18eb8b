//! Bluesky's errors as [`Failure`]s: pure, total, and tested on `fixtures/errors.json`.
//!
//! The error's *name* decides, not the status: an expired access token is a 400. Names are listed per lexicon and
//! in the reference server (`bluesky-social/atproto`, packages/pds); what a running server answered was recorded.

use mooring_domain::{Failure, Time, failure::RateScope};

use super::wire::ErrorBody;
use crate::wire::{Op, Reply, unix};

/// What an error's name means.
#[derive(Clone, Copy)]
enum Class {
    /// The access token is over; a refresh may heal it. The refresh token's answer to a refresh is the end.
    Token,
    /// The credential is refused for good.
    Revoked,
    Scope,
    Unavailable,
    Checkpoint,
    /// The record or its parts are refused.
    Content,
    /// Something else is stored under that key, or it was changed: look.
    Look,
    /// An invalid request: to a publish, the content; to a read, a repository that is not served here.
    Request,
    RateLimited,
    Down,
}

#[rustfmt::skip]
const NAMES: &[(&str, Class)] = &[
    ("ExpiredToken", Class::Token),
    ("InvalidToken", Class::Token),
    ("invalid_token", Class::Token),
    ("AuthMissing", Class::Revoked),
    ("AuthenticationRequired", Class::Revoked),
    ("AuthFactorTokenRequired", Class::Checkpoint),
    ("AccountTakedown", Class::Unavailable),
    ("AccountDeactivated", Class::Unavailable),
    ("AccountNotFound", Class::Unavailable),
    ("RepoTakendown", Class::Unavailable),
    ("RepoSuspended", Class::Unavailable),
    ("RepoDeactivated", Class::Unavailable),
    ("RepoNotFound", Class::Unavailable),
    ("ScopeMissingError", Class::Scope),
    ("InvalidRequest", Class::Request),
    ("InvalidRecord", Class::Content),
    ("InvalidMimeType", Class::Content),
    ("InvalidSize", Class::Content),
    ("BlobNotFound", Class::Content),
    ("PayloadTooLarge", Class::Content),
    ("InvalidSwap", Class::Look),
    ("RateLimitExceeded", Class::RateLimited),
    ("InternalServerError", Class::Down),
    ("UpstreamFailure", Class::Down),
    ("NotEnoughResources", Class::Down),
    ("UpstreamTimeout", Class::Down),
];

/// What an answer other than a success means to this call.
pub(super) fn failure(op: Op, reply: &Reply, now: Time) -> Failure {
    let body = error_body(reply);
    // 429 counts whatever its body is: proxies in front of a server answer in HTML.
    if reply.status == 429 {
        return rate_limited(op, reply, now);
    }
    let known = NAMES.iter().find(|(name, _)| *name == body.error);
    match known {
        Some((_, class)) => classify(*class, op, reply, &body, now),
        None if reply.status == 413 && matches!(op, Op::Publish | Op::Prepare) => {
            Failure::ContentRejected {
                code: "PayloadTooLarge".to_owned(),
            }
        }
        // 501 is a server that does not speak this method, which no waiting heals.
        None if reply.status >= 500 && reply.status != 501 => Failure::ProviderDown,
        None => unknown(reply, &body.error),
    }
}

/// Whether the answer says that the record is not there.
pub(super) fn is_record_missing(reply: &Reply) -> bool {
    reply.status == 400 && error_body(reply).error == "RecordNotFound"
}

/// Whether a server wants another nonce in the proof. It has done nothing yet: 400 from where tokens are issued, 401
/// from where they are used.
pub(super) fn wants_nonce(reply: &Reply) -> bool {
    matches!(reply.status, 400 | 401) && error_body(reply).error == "use_dpop_nonce"
}

/// Whether the answer is the one that getSession gives for an account that was taken down or deleted: a plain
/// `InvalidRequest`, "Could not find user info for account".
pub(super) fn is_invalid_request(reply: &Reply) -> bool {
    reply.status == 400 && error_body(reply).error == "InvalidRequest"
}

/// Whether the server asked another one in vain. That is also what it answers for a repository of its own that was
/// shut: it no longer serves it, and asks the public index.
pub(super) fn is_upstream_failure(reply: &Reply) -> bool {
    error_body(reply).error == "UpstreamFailure"
}

fn classify(class: Class, op: Op, reply: &Reply, body: &ErrorBody, now: Time) -> Failure {
    match class {
        // An app password that may not do this answers so; the token itself is well.
        Class::Token if body.message.eq_ignore_ascii_case("bad token scope") => {
            Failure::ScopeMissing { scopes: Vec::new() }
        }
        Class::Token if op == Op::Refresh || op == Op::Revoke => Failure::TokenRevoked,
        Class::Token => Failure::TokenExpired,
        Class::Revoked => Failure::TokenRevoked,
        Class::Scope => Failure::ScopeMissing { scopes: Vec::new() },
        Class::Unavailable => Failure::AccountUnavailable,
        Class::Checkpoint => Failure::Checkpoint,
        Class::Content => Failure::ContentRejected {
            code: body.error.clone(),
        },
        Class::Request if matches!(op, Op::Publish | Op::Prepare) => Failure::ContentRejected {
            code: body.error.clone(),
        },
        Class::Request if op == Op::Read => Failure::AccountUnavailable,
        Class::Request => unknown(reply, &body.error),
        Class::Look => Failure::Indeterminate,
        Class::RateLimited => rate_limited(op, reply, now),
        Class::Down => Failure::ProviderDown,
    }
}

/// Limits per account are counted in hours and days, the one per address in windows of five minutes; log-ins are
/// counted per account in five minutes, too.
pub(super) fn rate_limited(op: Op, reply: &Reply, now: Time) -> Failure {
    let reset = reply
        .header("ratelimit-reset")
        .and_then(|text| text.trim().parse().ok());
    let until = reset.and_then(unix).or_else(|| reply.retry_after(now));
    let five_minutes = reply
        .header("ratelimit-policy")
        .is_some_and(|policy| policy.ends_with(";w=300"));
    let scope = if five_minutes && op != Op::Connect {
        RateScope::Provider
    } else {
        RateScope::Account
    };
    Failure::RateLimited { scope, until }
}

pub(super) fn unknown(reply: &Reply, name: &str) -> Failure {
    let status = reply.status;
    // The name comes from outside and goes into logs: only what looks like a name is repeated.
    let plain = !name.is_empty()
        && name.len() <= 64
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let detail = if plain {
        format!("status {status} {name}")
    } else {
        format!("status {status} without an error name")
    };
    Failure::Contract { detail }
}

fn error_body(reply: &Reply) -> ErrorBody {
    serde_json::from_slice(&reply.body).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::fixtures;

    #[test]
    fn recorded_answers_mean_what_the_table_says() {
        let count = fixtures::check(include_str!("fixtures/errors.json"), failure);
        assert!(count >= 30, "only {count} cases");
    }

    #[test]
    fn the_map_is_total_and_what_it_does_not_know_ends_nothing() {
        fixtures::check_total(|op, reply, now| match failure(op, reply, now) {
            // 413 is an answer about the content's size, whoever gives it.
            Failure::ContentRejected { .. } if reply.status == 413 => Failure::ProviderDown,
            other => other,
        });
    }
}
