//! The Bot API's errors as [`Failure`]s: pure, total, and tested on `fixtures/errors.json`.
//!
//! `{"ok": false, "error_code", "description", "parameters"}`, whatever the status. The sentences are English and
//! stand in `tdlib/telegram-bot-api` (`Client.cpp`) or inside `TDLib`; those in capitals are the server's own names.
//! They are compared in lower case, by what they contain, and never repeated.

use mooring_domain::{Failure, Time, failure::RateScope};

use super::wire::Refusal;
use crate::wire::{Op, Reply};

/// Sentences about a role that the bot does not have.
const NO_RIGHTS: [&str; 11] = [
    "bot was kicked",
    "bot is not a member",
    "not enough rights",
    "need administrator rights",
    "have no rights",
    "chat_write_forbidden",
    "chat_admin_required",
    "chat_restricted",
    "member list is inaccessible",
    "channel_private",
    "user_not_participant",
];
/// Sentences about a chat, or a bot, that is out of reach.
const GONE: [&str; 8] = [
    "chat not found",
    "chat was deleted",
    "chat was deactivated",
    // Its new id is another destination: people connect it again.
    "upgraded to a supergroup",
    "user is deactivated",
    "bot was blocked",
    "frozen_method_invalid",
    "user_deactivated",
];
/// Sentences about a file that may be there later.
const NOT_YET: [&str; 3] = [
    "failed to get http url content",
    "upload file by url",
    "temporarily unavailable",
];

/// What an answer other than a success means to this call.
pub(super) fn failure(op: Op, reply: &Reply, now: Time) -> Failure {
    let refusal = refusal(reply);
    let code = refusal
        .as_ref()
        .map_or(0, |refusal| refusal.error_code)
        .max(if reply.is_success() { 0 } else { reply.status });
    let text = refusal.as_ref().map_or_else(String::new, |refusal| {
        refusal.description.to_ascii_lowercase()
    });
    match code {
        429 => rate_limited(refusal.as_ref(), reply, now),
        413 if op == Op::Publish => rejected("too_large"),
        // 501 is a server that does not speak this, which no waiting heals.
        code if code >= 500 && code != 501 => Failure::ProviderDown,
        code => known(op, code, &text).unwrap_or_else(|| Failure::Contract {
            detail: format!("status {code} without an error we know"),
        }),
    }
}

/// Whether the answer says that the message to delete is not there.
pub(super) fn is_missing(reply: &Reply) -> bool {
    refusal(reply).is_some_and(|refusal| {
        let text = refusal.description.to_ascii_lowercase();
        text.contains("message to delete not found") || text.contains("message_id_invalid")
    })
}

fn refusal(reply: &Reply) -> Option<Refusal> {
    let refusal = serde_json::from_slice::<Refusal>(&reply.body).ok()?;
    (!refusal.ok).then_some(refusal)
}

/// What the sentences mean; `None` = nothing that we know. An empty sentence is no sentence.
fn known(op: Op, code: u16, text: &str) -> Option<Failure> {
    let says = |sentences: &[&str]| sentences.iter().any(|one| text.contains(one));
    Some(match code {
        401 if text.starts_with("unauthorized") => Failure::TokenRevoked,
        // So the server answers to what is no token, as far as anybody has seen.
        404 if text == "not found" => Failure::TokenRevoked,
        404 if text.contains("method not found") => Failure::AppAccess,
        409 if text.starts_with("conflict") => Failure::AppAccess,
        400 | 403 if says(&NO_RIGHTS) || is_forbidden_kind(text) => {
            Failure::ScopeMissing { scopes: Vec::new() }
        }
        400 | 403 if says(&GONE) => Failure::AccountUnavailable,
        400 if says(&NOT_YET) => Failure::MediaProcessing,
        400 if op == Op::Delete && text.contains("can't be deleted") => {
            rejected("message_cannot_be_deleted")
        }
        400 if op == Op::Publish && !text.is_empty() => rejected("bad_request"),
        _ => return None,
    })
}

/// `CHAT_SEND_PHOTOS_FORBIDDEN` and its sisters.
fn is_forbidden_kind(text: &str) -> bool {
    text.contains("chat_send_") && text.ends_with("_forbidden")
}

/// Limits hold per chat and per bot, and no answer says which of both: the connection waits, and its sisters of the
/// same bot hear it for themselves.
fn rate_limited(refusal: Option<&Refusal>, reply: &Reply, now: Time) -> Failure {
    let told = refusal.and_then(|refusal| refusal.parameters.retry_after);
    let until = told.map(|seconds| now + chrono::TimeDelta::seconds(i64::from(seconds)));
    Failure::RateLimited {
        scope: RateScope::Account,
        until: until.or_else(|| reply.retry_after(now)),
    }
}

fn rejected(code: &str) -> Failure {
    Failure::ContentRejected {
        code: code.to_owned(),
    }
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
    fn the_map_is_total_and_what_it_does_not_know_ends_nothing() {
        fixtures::check_total(|op, reply, now| match failure(op, reply, now) {
            // This status speaks for itself, whoever gives it.
            Failure::ContentRejected { .. } if reply.status == 413 => Failure::ProviderDown,
            other => other,
        });
    }

    #[test]
    fn a_message_that_is_not_there_is_told_from_one_that_may_not_be_deleted() {
        let reply = |text: &str| Reply {
            status: 400,
            headers: http::HeaderMap::new(),
            body: serde_json::json!({"ok": false, "error_code": 400, "description": text})
                .to_string()
                .into(),
        };
        assert!(is_missing(&reply(
            "Bad Request: message to delete not found"
        )));
        assert!(!is_missing(&reply("Bad Request: message can't be deleted")));
    }
}
