//! The Graph API's errors as [`Failure`]s: pure, total, and tested on `fixtures/errors.json`.
//!
//! What the numbers mean is in `table.rs`; what a meaning is to a call, and until when a limit holds, is here.

use mooring_domain::{Failure, Platform, Time, failure::RateScope};
use serde::Deserialize;

use super::{
    table::{Class, class_of},
    wire::{DebugError, ErrorBody, GraphError},
    wire_media::{DebugInfo, UploadRefused},
};
use crate::wire::{Op, Reply};

/// What an answer other than a success means to this call.
pub(super) fn failure(op: Op, reply: &Reply, now: Time) -> Failure {
    if let Some(refused) = upload_refused(reply) {
        return upload_failure(&refused);
    }
    let Some(error) = error(reply) else {
        return match reply.status {
            429 => Failure::RateLimited {
                scope: RateScope::Account,
                until: reset(reply, now),
            },
            500.. => Failure::ProviderDown,
            status => Failure::Contract {
                detail: format!("status {status} without an error object"),
            },
        };
    };
    match class_of(&error) {
        Some(class) => classify(class, op, &error, reply, now),
        None if error.is_transient || reply.status >= 500 => Failure::ProviderDown,
        None => unknown(&error, reply.status),
    }
}

/// Why `debug_token` calls a token dead.
pub(super) fn dead_token(error: Option<&DebugError>) -> Failure {
    let Some(error) = error else {
        return Failure::TokenRevoked;
    };
    let error = GraphError {
        code: error.code,
        error_subcode: error.subcode,
        message: error.message.clone(),
        is_transient: false,
    };
    match class_of(&error) {
        Some(Class::Expired) => Failure::TokenExpired,
        Some(Class::Security) => Failure::SecurityEvent,
        Some(Class::Checkpoint) => Failure::Checkpoint,
        Some(Class::App) => Failure::AppAccess,
        Some(Class::Down) => Failure::ProviderDown,
        Some(Class::Revoked | Class::Scope) => Failure::TokenRevoked,
        _ => unknown(&error, 200),
    }
}

/// Whether the body is an error, whatever the status says.
pub(super) fn is_error(reply: &Reply) -> bool {
    !reply.is_success() || error(reply).is_some()
}

/// Whether the answer says that the object is not there, or not to be seen with this token: the two look alike.
pub(super) fn is_gone(reply: &Reply) -> bool {
    error(reply).is_some_and(|error| {
        error.code == 33 || (error.code == 100 && error.error_subcode == Some(33))
    })
}

fn classify(class: Class, op: Op, error: &GraphError, reply: &Reply, now: Time) -> Failure {
    match class {
        Class::Expired => Failure::TokenExpired,
        Class::Revoked => Failure::TokenRevoked,
        Class::Security => Failure::SecurityEvent,
        Class::Scope => Failure::ScopeMissing { scopes: Vec::new() },
        Class::NamedScope => Failure::ScopeMissing {
            scopes: named_scopes(&error.message),
        },
        Class::Unavailable => Failure::AccountUnavailable,
        Class::Checkpoint => Failure::Checkpoint,
        Class::App => Failure::AppAccess,
        Class::Media => Failure::MediaProcessing,
        Class::Content if matches!(op, Op::Prepare | Op::Publish) => {
            Failure::ContentRejected { code: name(error) }
        }
        Class::Content | Class::OurCall => unknown(error, reply.status),
        Class::Duplicate => Failure::DuplicateContent,
        Class::RateAccount => Failure::RateLimited {
            scope: RateScope::Account,
            until: reset(reply, now),
        },
        Class::RateApp => Failure::RateLimited {
            scope: RateScope::App,
            until: reset(reply, now),
        },
        Class::Down => Failure::ProviderDown,
    }
}

/// What the host for uploads says; it has a form of its own for errors.
pub(super) fn upload_refused(reply: &Reply) -> Option<DebugInfo> {
    let refused = serde_json::from_slice::<UploadRefused>(&reply.body).ok()?;
    Some(refused.debug_info)
}

/// Documented are the first four; the host's word for a dead token is not, and it decides nothing.
fn upload_failure(refused: &DebugInfo) -> Failure {
    match refused.kind.as_str() {
        "OffsetInvalidError" | "PartialRequestError" => Failure::ProviderDown,
        "ProcessingFailedError" => Failure::MediaProcessing,
        "FileUrlProcessingError" => Failure::ContentRejected {
            code: refused.kind.clone(),
        },
        _ if refused.retriable => Failure::ProviderDown,
        kind => Failure::Contract {
            detail: format!("the host for uploads says {}", known_word(kind)),
        },
    }
}

/// A name of an error, and nothing else that an answer might hold.
fn known_word(kind: &str) -> &str {
    let is_name =
        !kind.is_empty() && kind.len() <= 60 && kind.chars().all(|c| c.is_ascii_alphanumeric());
    if is_name {
        kind
    } else {
        "something unreadable"
    }
}

/// Permissions of ours that the text names.
fn named_scopes(message: &str) -> Vec<String> {
    let known = Platform::Facebook.capabilities().required_scopes.iter();
    known
        .filter(|scope| message.contains(**scope))
        .map(|scope| (*scope).to_owned())
        .collect()
}

/// One entry of `X-Business-Use-Case-Usage`.
#[derive(Deserialize)]
struct Usage {
    /// Minutes.
    #[serde(default)]
    estimated_time_to_regain_access: u32,
}

/// When calls are welcome again. Only the limits per page say so, in minutes; those per app and per user are
/// rolling hours whose end nobody is told.
fn reset(reply: &Reply, now: Time) -> Option<Time> {
    let text = reply.header("x-business-use-case-usage");
    let usage = text.and_then(|text| {
        serde_json::from_str::<std::collections::HashMap<String, Vec<Usage>>>(text).ok()
    });
    let longest = usage.and_then(|usage| {
        usage
            .into_values()
            .flatten()
            .map(|usage| usage.estimated_time_to_regain_access)
            .max()
    });
    let minutes = longest.filter(|minutes| *minutes > 0);
    minutes
        .map(|minutes| now + chrono::TimeDelta::minutes(i64::from(minutes)))
        .or_else(|| reply.retry_after(now))
}

fn error(reply: &Reply) -> Option<GraphError> {
    serde_json::from_slice::<ErrorBody>(&reply.body)
        .ok()
        .map(|body| body.error)
}

fn name(error: &GraphError) -> String {
    error.error_subcode.map_or_else(
        || error.code.to_string(),
        |sub| format!("{}/{sub}", error.code),
    )
}

fn unknown(error: &GraphError, status: u16) -> Failure {
    Failure::Contract {
        detail: format!("status {status} code {}", name(error)),
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
    fn an_error_under_a_200_is_no_success() {
        let reply = |status, body: &'static str| Reply {
            status,
            headers: http::HeaderMap::new(),
            body: bytes::Bytes::from_static(body.as_bytes()),
        };
        let body = r#"{"error":{"message":"x","code":190,"error_subcode":460}}"#;
        assert!(is_error(&reply(200, body)));
        assert_eq!(
            failure(Op::Check, &reply(200, body), fixtures::now()),
            Failure::SecurityEvent
        );
        // What debug_token says about another token is inside of `data`.
        assert!(!is_error(&reply(
            200,
            r#"{"data":{"is_valid":false,"error":{"code":190}}}"#
        )));
        assert!(is_error(&reply(302, "")));
    }

    #[test]
    fn debug_token_says_200_and_means_dead() {
        let cases: Vec<(String, serde_json::Value, Failure)> =
            serde_json::from_str(include_str!("fixtures/debug_token_errors.json"))
                .expect("a list of cases");
        for (case, error, failure) in cases {
            let error: Option<DebugError> = serde_json::from_value(error).expect(&case);
            assert_eq!(dead_token(error.as_ref()), failure, "{case}");
        }
    }
}
