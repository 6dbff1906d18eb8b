//! The Graph API's errors as [`Failure`]s: pure, total, and tested on `fixtures/errors.json`.
//!
//! The numbers are those of Meta's "Handle Errors" guide, the texts those of real bodies: code 190 comes more
//! often without its subcode than with it. Numbers are compared as numbers, never looked for in a text, because
//! ids contain them.

use mooring_domain::{Failure, Platform, Time, failure::RateScope};
use serde::Deserialize;

use super::wire::{DebugError, ErrorBody, GraphError};
use crate::wire::{Op, Reply};

/// What a row of the table means.
#[derive(Clone, Copy)]
enum Class {
    Expired,
    Revoked,
    Security,
    Scope,
    /// A permission is missing, and the text names it.
    NamedScope,
    Unavailable,
    Checkpoint,
    App,
    /// The content, when it was sent; anywhere else our own call is wrong.
    Content,
    Duplicate,
    RateAccount,
    RateApp,
    Down,
    /// Understood, and no fault of anybody but us.
    OurCall,
}

#[derive(Clone, Copy)]
enum Code {
    Is(u32),
    From(u32, u32),
    /// Seen as code and as subcode.
    Either(u32),
}

#[derive(Clone, Copy)]
enum Sub {
    Is(u32),
    Any,
}

/// Code, subcode, part of the text in lower case, meaning. The first row that fits wins.
struct Row(Code, Sub, &'static str, Class);

use Class as C;
use Code::{Either, From, Is};
use Sub::Any;

#[rustfmt::skip]
const TABLE: &[Row] = &[
    Row(Is(190), Sub::Is(458), "", C::Revoked),
    Row(Is(190), Sub::Is(459), "", C::Checkpoint),
    Row(Is(190), Sub::Is(460), "", C::Security),
    Row(Is(190), Sub::Is(463), "", C::Expired),
    Row(Is(190), Sub::Is(464), "", C::Checkpoint),
    Row(Is(190), Sub::Is(466), "", C::Revoked),
    Row(Is(190), Sub::Is(467), "", C::Revoked),
    Row(Is(190), Sub::Is(490), "", C::Checkpoint),
    // No longer a role on the page; the check finds out more from the list of pages.
    Row(Is(190), Sub::Is(492), "", C::Scope),
    // A user token where a page token belongs.
    Row(Is(190), Sub::Is(2_069_032), "", C::OurCall),
    Row(Is(190), Any, "application has been deleted", C::App),
    Row(Is(190), Any, "cannot get application info", C::Down),
    Row(Is(190), Any, "changed their password", C::Security),
    Row(Is(190), Any, "for security reasons", C::Security),
    Row(Is(190), Any, "has not authorized application", C::Revoked),
    Row(Is(190), Any, "checkpoint", C::Checkpoint),
    Row(Is(190), Any, "log in at www.facebook.com", C::Checkpoint),
    Row(Is(190), Any, "not a confirmed user", C::Checkpoint),
    Row(Is(190), Any, "has expired", C::Expired),
    // Whatever else makes a token invalid: the guide's answer is a new one.
    Row(Is(190), Any, "", C::Revoked),
    Row(Is(101), Any, "", C::App),
    Row(Is(102), Any, "", C::Expired),
    Row(Is(1), Any, "client secret", C::App),
    Row(Is(1), Sub::Is(2_853_006), "", C::Scope),
    Row(Either(1_363_047), Any, "", C::Down),
    Row(Either(1_609_010), Any, "", C::Down),
    Row(Is(1), Any, "", C::Down),
    Row(Is(2), Any, "", C::Down),
    Row(Is(4), Sub::Is(2_207_051), "", C::Unavailable),
    Row(Either(1_390_008), Any, "", C::RateAccount),
    Row(Either(1_404_078), Any, "", C::Checkpoint),
    Row(Either(1_404_006), Any, "", C::Checkpoint),
    Row(Either(4_854_002), Any, "", C::Checkpoint),
    Row(Either(1_404_112), Any, "", C::Unavailable),
    Row(Either(1_366_051), Any, "", C::Duplicate),
    Row(Either(1_366_046), Any, "", C::Content),
    Row(Either(1_349_125), Any, "", C::Content),
    Row(Either(2_061_006), Any, "", C::Content),
    Row(Either(1_609_005), Any, "", C::Content),
    Row(Either(1_609_008), Any, "", C::Content),
    Row(Either(2_069_019), Any, "", C::Content),
    Row(Either(1_346_003), Any, "", C::Content),
    Row(Either(1_404_102), Any, "", C::Content),
    Row(Is(3), Any, "", C::Scope),
    Row(Is(4), Any, "", C::RateApp),
    Row(Is(10), Any, "", C::NamedScope),
    Row(Is(15), Any, "", C::App),
    Row(Is(17), Any, "", C::RateAccount),
    Row(Is(32), Any, "", C::RateAccount),
    Row(Is(33), Any, "", C::Unavailable),
    Row(Is(100), Sub::Is(33), "", C::Unavailable),
    Row(Is(100), Any, "appsecret_proof", C::App),
    Row(Is(100), Any, "must provide an app access token", C::App),
    Row(Is(100), Any, "authorization code", C::Revoked),
    Row(Is(100), Any, "verification code", C::Revoked),
    Row(Is(100), Any, "no permission to publish", C::Scope),
    Row(Is(100), Any, "", C::Content),
    Row(Is(200), Sub::Is(2_069_030), "", C::OurCall),
    Row(Is(200), Sub::Is(2_069_031), "", C::OurCall),
    Row(Is(200), Sub::Is(2_069_033), "", C::OurCall),
    Row(Is(200), Any, "non-active apps", C::App),
    Row(Is(200), Any, "api access blocked", C::App),
    Row(From(200, 299), Any, "", C::Scope),
    Row(Is(321), Any, "", C::Content),
    Row(Is(324), Any, "", C::Content),
    Row(Is(341), Any, "", C::RateApp),
    Row(Is(368), Any, "", C::Unavailable),
    Row(Is(506), Any, "", C::Duplicate),
    Row(Is(613), Any, "", C::RateAccount),
    Row(Is(803), Any, "", C::Unavailable),
    Row(From(80_000, 80_014), Any, "", C::RateAccount),
];

/// What an answer other than a success means to this call.
pub(super) fn failure(op: Op, reply: &Reply, now: Time) -> Failure {
    let Some(error) = error(reply) else {
        return match reply.status {
            429 => Failure::RateLimited { scope: RateScope::Account, until: reset(reply, now) },
            500.. => Failure::ProviderDown,
            status => Failure::Contract { detail: format!("status {status} without an error object") },
        };
    };
    let row = TABLE.iter().find(|row| row.fits(&error));
    match row {
        Some(Row(.., class)) => classify(*class, op, &error, reply, now),
        None if error.is_transient || reply.status >= 500 => Failure::ProviderDown,
        None => unknown(&error, reply.status),
    }
}

/// Why `debug_token` calls a token dead.
pub(super) fn dead_token(error: Option<&DebugError>) -> Failure {
    let Some(error) = error else { return Failure::TokenRevoked };
    let error = GraphError {
        code: error.code,
        error_subcode: error.subcode,
        message: error.message.clone(),
        is_transient: false,
    };
    match TABLE.iter().find(|row| row.fits(&error)) {
        Some(Row(.., Class::Expired)) => Failure::TokenExpired,
        Some(Row(.., Class::Security)) => Failure::SecurityEvent,
        Some(Row(.., Class::Checkpoint)) => Failure::Checkpoint,
        Some(Row(.., Class::App)) => Failure::AppAccess,
        Some(Row(.., Class::Down)) => Failure::ProviderDown,
        Some(Row(.., Class::Revoked | Class::Scope)) => Failure::TokenRevoked,
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

impl Row {
    fn fits(&self, error: &GraphError) -> bool {
        let Self(code, sub, text, _) = self;
        let code = match *code {
            Is(code) => error.code == code,
            From(first, last) => (first..=last).contains(&error.code),
            Either(code) => error.code == code || error.error_subcode == Some(code),
        };
        let sub = match *sub {
            Sub::Is(sub) => error.error_subcode == Some(sub),
            Any => true,
        };
        code && sub && (text.is_empty() || error.message.to_ascii_lowercase().contains(text))
    }
}

fn classify(class: Class, op: Op, error: &GraphError, reply: &Reply, now: Time) -> Failure {
    match class {
        Class::Expired => Failure::TokenExpired,
        Class::Revoked => Failure::TokenRevoked,
        Class::Security => Failure::SecurityEvent,
        Class::Scope => Failure::ScopeMissing { scopes: Vec::new() },
        Class::NamedScope => Failure::ScopeMissing { scopes: named_scopes(&error.message) },
        Class::Unavailable => Failure::AccountUnavailable,
        Class::Checkpoint => Failure::Checkpoint,
        Class::App => Failure::AppAccess,
        Class::Content if op == Op::Publish => Failure::ContentRejected { code: name(error) },
        Class::Content | Class::OurCall => unknown(error, reply.status),
        Class::Duplicate => Failure::DuplicateContent,
        Class::RateAccount => Failure::RateLimited { scope: RateScope::Account, until: reset(reply, now) },
        Class::RateApp => Failure::RateLimited { scope: RateScope::App, until: reset(reply, now) },
        Class::Down => Failure::ProviderDown,
    }
}

/// Permissions of ours that the text names.
fn named_scopes(message: &str) -> Vec<String> {
    let known = Platform::Facebook.capabilities().required_scopes.iter();
    known.filter(|scope| message.contains(**scope)).map(|scope| (*scope).to_owned()).collect()
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
        usage.into_values().flatten().map(|usage| usage.estimated_time_to_regain_access).max()
    });
    let minutes = longest.filter(|minutes| *minutes > 0);
    minutes
        .map(|minutes| now + chrono::TimeDelta::minutes(i64::from(minutes)))
        .or_else(|| reply.retry_after(now))
}

fn error(reply: &Reply) -> Option<GraphError> {
    serde_json::from_slice::<ErrorBody>(&reply.body).ok().map(|body| body.error)
}

fn name(error: &GraphError) -> String {
    error.error_subcode.map_or_else(|| error.code.to_string(), |sub| format!("{}/{sub}", error.code))
}

fn unknown(error: &GraphError, status: u16) -> Failure {
    Failure::Contract { detail: format!("status {status} code {}", name(error)) }
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
    fn debug_token_says_200_and_means_dead() {
        let cases: Vec<(String, serde_json::Value, Failure)> =
            serde_json::from_str(include_str!("fixtures/debug_token_errors.json")).expect("a list of cases");
        for (case, error, failure) in cases {
            let error: Option<DebugError> = serde_json::from_value(error).expect(&case);
            assert_eq!(dead_token(error.as_ref()), failure, "{case}");
        }
    }
}
