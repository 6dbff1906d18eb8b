//! The errors of Instagram and Threads as [`Failure`]s: pure, total, and tested on `fixtures/errors.json`.
//!
//! Two forms: `{"error":{…}}` of the Graph API, and `{"error_type","code","error_message"}` of the log-in. The
//! numbers of publishing are in `table.rs`; what is common to Meta is Facebook's table.

use mooring_domain::{Failure, Time, failure::RateScope};
use serde::{Deserialize, Deserializer};

use super::{
    table::{Own, own},
    wire::DebugError,
};
use crate::{
    facebook::{Class, GraphError, class_of, reset},
    wire::{Op, Reply},
};

/// What an answer other than a success means to this call.
pub(crate) fn failure(op: Op, reply: &Reply, now: Time) -> Failure {
    match parse(reply) {
        Some(Body::Graph(error)) => graph(op, &error, reply, now),
        Some(Body::Login(message)) => login(&message, reply.status),
        None => match reply.status {
            429 => Failure::RateLimited {
                scope: RateScope::Account,
                until: reset(reply, now),
            },
            500.. => Failure::ProviderDown,
            status => Failure::Contract {
                detail: format!("status {status} without an error object"),
            },
        },
    }
}

/// Whether the body is an error, whatever the status says.
pub(crate) fn is_error(reply: &Reply) -> bool {
    !reply.is_success() || parse(reply).is_some()
}

/// Whether the answer says that the object is not there, or not to be seen with this token: the two look alike.
pub(crate) fn is_gone(reply: &Reply) -> bool {
    let Some(Body::Graph(error)) = parse(reply) else {
        return false;
    };
    matches!(
        (error.code, error.subcode),
        (33, _) | (100, Some(33)) | (24, Some(4_279_009 | 2_207_006 | 2_207_008))
    )
}

/// Why `debug_token` calls a token dead.
pub(crate) fn dead_token(error: Option<&DebugError>) -> Failure {
    let Some(error) = error else {
        return Failure::TokenRevoked;
    };
    let error = Error {
        code: error.code,
        subcode: error.subcode,
        message: error.message.clone(),
        is_transient: false,
    };
    match class_of(&error.common()) {
        Some(Class::Expired) => Failure::TokenExpired,
        Some(Class::Security) => Failure::SecurityEvent,
        Some(Class::Checkpoint) => Failure::Checkpoint,
        Some(Class::App) => Failure::AppAccess,
        Some(Class::Down) => Failure::ProviderDown,
        Some(Class::Revoked | Class::Scope) => Failure::TokenRevoked,
        _ => unknown(&error, 200),
    }
}

/// What the code in a failed container's status means. Media that the platform could not get or handle by its own
/// fault may go better in another container; media of a wrong kind never will.
pub(crate) fn of_container(code: &str) -> Failure {
    let number = code.parse().ok();
    let again = match number.and_then(|subcode| own(0, Some(subcode), "")) {
        Some(Own::Again | Own::Down) => true,
        Some(_) => false,
        None => matches!(code, "UNKNOWN" | "FAILED_DOWNLOADING_VIDEO"),
    };
    if again {
        return Failure::MediaProcessing;
    }
    Failure::ContentRejected {
        code: code.to_owned(),
    }
}

fn graph(op: Op, error: &Error, reply: &Reply, now: Time) -> Failure {
    if let Some(own) = own(error.code, error.subcode, &error.message) {
        return match own {
            Own::Again => Failure::MediaProcessing,
            Own::Down => Failure::ProviderDown,
            Own::Unavailable => Failure::AccountUnavailable,
            Own::Revoked => Failure::TokenRevoked,
            Own::Scope => Failure::ScopeMissing { scopes: Vec::new() },
            Own::Quota => rate(RateScope::Account, reply, now),
            Own::Content => content(op, error, reply.status),
        };
    }
    match class_of(&error.common()) {
        Some(class) => common(class, op, error, reply, now),
        None if error.is_transient || reply.status >= 500 => Failure::ProviderDown,
        None => unknown(error, reply.status),
    }
}

fn common(class: Class, op: Op, error: &Error, reply: &Reply, now: Time) -> Failure {
    match class {
        Class::Expired => Failure::TokenExpired,
        Class::Revoked => Failure::TokenRevoked,
        Class::Security => Failure::SecurityEvent,
        Class::Scope | Class::NamedScope => Failure::ScopeMissing { scopes: Vec::new() },
        Class::Unavailable => Failure::AccountUnavailable,
        Class::Checkpoint => Failure::Checkpoint,
        Class::App => Failure::AppAccess,
        Class::Content => content(op, error, reply.status),
        Class::Duplicate => Failure::DuplicateContent,
        Class::RateAccount => rate(RateScope::Account, reply, now),
        Class::RateApp => rate(RateScope::App, reply, now),
        Class::Down => Failure::ProviderDown,
        Class::OurCall => unknown(error, reply.status),
    }
}

/// The content, where one was sent; anywhere else our own call is wrong.
fn content(op: Op, error: &Error, status: u16) -> Failure {
    if matches!(op, Op::Prepare | Op::Publish) {
        return Failure::ContentRejected { code: error.name() };
    }
    unknown(error, status)
}

fn rate(scope: RateScope, reply: &Reply, now: Time) -> Failure {
    Failure::RateLimited {
        scope,
        until: reset(reply, now),
    }
}

/// The log-in tells its reasons in words alone.
fn login(message: &str, status: u16) -> Failure {
    let message = message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if says(&["client secret", "platform app", "client_id", "app id"]) {
        return Failure::AppAccess;
    }
    if says(&[
        "code was not found",
        "already used",
        "code has expired",
        "verification code",
    ]) {
        return Failure::TokenRevoked;
    }
    if status >= 500 {
        return Failure::ProviderDown;
    }
    Failure::Contract {
        detail: format!("status {status} of the log-in"),
    }
}

fn unknown(error: &Error, status: u16) -> Failure {
    Failure::Contract {
        detail: format!("status {status} code {}", error.name()),
    }
}

enum Body {
    Graph(Error),
    Login(String),
}

fn parse(reply: &Reply) -> Option<Body> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Graph {
            error: Error,
        },
        Login {
            error_type: String,
            error_message: String,
        },
    }
    match serde_json::from_slice(&reply.body).ok()? {
        Form::Graph { error } => Some(Body::Graph(error)),
        Form::Login {
            error_type,
            error_message,
        } => (!error_type.is_empty()).then_some(Body::Login(error_message)),
    }
}

/// An error. Codes are negative where Instagram fails by itself, and seldom words.
#[derive(Debug, Deserialize)]
struct Error {
    #[serde(deserialize_with = "code")]
    code: i64,
    #[serde(default, rename = "error_subcode")]
    subcode: Option<u32>,
    #[serde(default)]
    message: String,
    #[serde(default)]
    is_transient: bool,
}

impl Error {
    /// In Facebook's form.
    fn common(&self) -> GraphError {
        GraphError {
            code: u32::try_from(self.code).unwrap_or(u32::MAX),
            error_subcode: self.subcode,
            message: self.message.clone(),
            is_transient: self.is_transient,
        }
    }

    fn name(&self) -> String {
        let code = self.code.to_string();
        self.subcode
            .map_or(code, |sub| format!("{}/{sub}", self.code))
    }
}

/// A number, or a name (`THREADS_API__…`), which is what a wrong parameter is.
fn code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Number(i64),
        Name(String),
    }
    Ok(match Form::deserialize(deserializer)? {
        Form::Number(number) => number,
        Form::Name(name) if name.starts_with("THREADS_API__") => 100,
        Form::Name(_) => i64::from(u32::MAX),
    })
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
    fn a_container_that_failed_may_go_better_again_or_never() {
        assert_eq!(of_container("2207053"), Failure::MediaProcessing);
        assert_eq!(
            of_container("FAILED_DOWNLOADING_VIDEO"),
            Failure::MediaProcessing
        );
        let never = |code: &str| Failure::ContentRejected {
            code: code.to_owned(),
        };
        assert_eq!(of_container("2207026"), never("2207026"));
        assert_eq!(of_container("INVALID_DURATION"), never("INVALID_DURATION"));
    }

    #[test]
    fn an_error_under_a_200_is_no_success() {
        let reply = |body: &'static str| Reply {
            status: 200,
            headers: http::HeaderMap::new(),
            body: bytes::Bytes::from_static(body.as_bytes()),
        };
        assert!(is_error(&reply(r#"{"error":{"message":"x","code":-1}}"#)));
        assert!(!is_error(&reply(r#"{"id":"1"}"#)));
        // What debug_token says about another token is inside of `data`.
        assert!(!is_error(&reply(
            r#"{"data":{"is_valid":false,"error":{"code":190}}}"#
        )));
    }
}
