//! X's errors as [`Failure`]s: pure, total, and tested on `fixtures/errors.json`.
//!
//! The *name* of a problem decides (the last segment of its type: the host before it is the old or the new one), or
//! the number of the older shape. A problem without a name (`about:blank`) is told by its status and, where one
//! status has many meanings, by its words. Sources: docs.x.com, "Response codes and errors"; X's OpenAPI document
//! 2.167; the numbers as they were documented for version 1.1; answers that other publishers recorded.

use chrono::{Datelike as _, TimeDelta, TimeZone as _, Utc};
use mooring_domain::{Failure, Time, failure::RateScope};

use super::problem::{BLANK, ErrorBody};
use crate::wire::{Op, Reply, unix};

/// What a name, a number or a word means.
#[derive(Clone, Copy)]
enum Class {
    /// The access token is over; a refresh may heal it.
    Expired,
    Scope,
    Unavailable,
    Checkpoint,
    App,
    /// The post or its media are refused.
    Content,
    Duplicate,
    /// Our parameter is wrong: of a post, that is its content; of a read, our mistake.
    Request,
    RateLimited,
    /// The day's or month's allowance of the app.
    Capped,
    Down,
}

#[rustfmt::skip]
const NAMES: &[(&str, Class)] = &[
    ("user-suspended", Class::Unavailable),
    ("not-authorized-for-resource", Class::Unavailable),
    ("resource-unavailable", Class::Unavailable),
    ("app-suspended", Class::App),
    ("client-forbidden", Class::App),
    ("oauth1-permissions", Class::App),
    ("credits", Class::App),
    ("credits-depleted", Class::App),
    // Also the answer to a user's token that is dead.
    ("unsupported-authentication", Class::Expired),
    ("invalid-request", Class::Request),
    ("rate-limit-exceeded", Class::RateLimited),
    ("usage-capped", Class::Capped),
    ("internal-error", Class::Down),
];

#[rustfmt::skip]
const CODES: &[(i64, Class)] = &[
    (32, Class::Expired),
    (89, Class::Expired),
    (50, Class::Unavailable),
    (63, Class::Unavailable),
    (64, Class::Unavailable),
    (226, Class::Checkpoint),
    (326, Class::Checkpoint),
    (220, Class::Scope),
    (99, Class::App),
    (261, Class::App),
    (416, Class::App),
    (453, Class::App),
    (186, Class::Content),
    (323, Class::Content),
    (324, Class::Content),
    (325, Class::Content),
    (385, Class::Content),
    (187, Class::Duplicate),
    (88, Class::RateLimited),
    (185, Class::RateLimited),
    (130, Class::Down),
    (131, Class::Down),
];

/// Words of a 400 or 403 that has no name, what they mean, and the code that we report for them.
#[rustfmt::skip]
const WORDS: &[(&str, Class, &str)] = &[
    ("duplicate content", Class::Duplicate, ""),
    ("temporarily locked", Class::Checkpoint, ""),
    ("might be automated", Class::Checkpoint, ""),
    ("authentication is suspended", Class::Unavailable, ""),
    ("not permitted to perform this action", Class::Content, "not-permitted"),
    ("not permitted to access this feature", Class::Content, "feature-not-permitted"),
    ("deleted or not visible to you", Class::Content, "reply-not-visible"),
    ("video longer than", Class::Content, "video-too-long"),
    ("maximum of one cashtag", Class::Content, "cashtags"),
    ("contains an invalid url", Class::Content, "invalid-url"),
];

/// What an answer other than a success means to this call.
pub(super) fn failure(op: Op, reply: &Reply, now: Time) -> Failure {
    let body = ErrorBody::read(&reply.body);
    if !body.error.is_empty() {
        return token_endpoint(op, reply, &body, now);
    }
    if let Some(code) = body.code() {
        let class = CODES.iter().find(|(known, _)| *known == code);
        if let Some((_, class)) = class {
            return classify(*class, op, reply, &body, &code.to_string(), now);
        }
        return by_status(op, reply, &code.to_string(), now);
    }
    match body.name() {
        Some(BLANK) => unnamed(op, reply, &body, now),
        Some(name) => match NAMES.iter().find(|(known, _)| *known == name) {
            Some((_, class)) => classify(*class, op, reply, &body, name, now),
            None => by_status(op, reply, name, now),
        },
        None => by_status(op, reply, "", now),
    }
}

/// What problems inside of a success mean, when there is nothing but them: something that may not be seen.
pub(super) fn inside_success(body: &ErrorBody) -> Failure {
    let named = body
        .errors
        .iter()
        .find_map(|entry| Some((entry, entry.name()?)));
    match named {
        Some((_, "not-authorized-for-resource" | "resource-unavailable")) => {
            Failure::AccountUnavailable
        }
        Some((entry, "resource-not-found")) if entry.resource_type == "user" => {
            Failure::AccountUnavailable
        }
        Some((_, name)) => contract(200, name),
        None => contract(200, ""),
    }
}

/// Whether the answer says that this post is not there: 200 with nothing but `errors`, or 404. X's pages say both.
pub(super) fn is_post_missing(reply: &Reply, id: &str) -> bool {
    let body = ErrorBody::read(&reply.body);
    let named = |name: Option<&str>| name == Some("resource-not-found");
    if reply.status == 404 {
        return named(body.name()) || body.code() == Some(144) || body.code() == Some(34);
    }
    let about_it = |entry: &super::problem::Entry| {
        named(entry.name()) && entry.resource_type != "user" && entry.resource_id == id
    };
    reply.is_success() && body.errors.iter().any(about_it)
}

/// Whether a read was refused because of the name of one of our parameters.
pub(super) fn is_unknown_parameter(reply: &Reply, name: &str) -> bool {
    let body = ErrorBody::read(&reply.body);
    reply.status == 400 && body.name() == Some("invalid-request") && body.parameter() == Some(name)
}

/// The token endpoint speaks OAuth. "The token was invalid" is the end of a refresh token: spent or taken back.
fn token_endpoint(op: Op, reply: &Reply, body: &ErrorBody, now: Time) -> Failure {
    let about_what_was_sent = [
        "token was invalid",
        "code was invalid",
        "code verifier did not match",
    ];
    let refused = about_what_was_sent
        .iter()
        .any(|words| body.error_description.contains(words));
    match body.error.as_str() {
        "invalid_grant" => Failure::TokenRevoked,
        "invalid_request" if refused => Failure::TokenRevoked,
        "unauthorized_client" | "invalid_client" => Failure::AppAccess,
        // Only what looks like a name of the standard is repeated.
        name if name.len() <= 40 && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') => {
            by_status(op, reply, name, now)
        }
        _ => by_status(op, reply, "", now),
    }
}

/// A problem without a name.
fn unnamed(op: Op, reply: &Reply, body: &ErrorBody, now: Time) -> Failure {
    match reply.status {
        401 => return Failure::TokenExpired,
        400 | 403 => {}
        _ => return by_status(op, reply, BLANK, now),
    }
    let said = |words: &str| {
        body.words()
            .any(|text| text.to_ascii_lowercase().contains(words))
    };
    if let Some((_, class, code)) = WORDS.iter().find(|(words, ..)| said(words)) {
        return match class {
            Class::Content if !is_post(op) => contract(reply.status, BLANK),
            class => classify(*class, op, reply, body, code, now),
        };
    }
    // A bare "Forbidden" is the answer to a token without the scope.
    if reply.status == 403 && body.detail == "Forbidden" {
        return Failure::ScopeMissing { scopes: Vec::new() };
    }
    contract(reply.status, BLANK)
}

fn classify(
    class: Class,
    op: Op,
    reply: &Reply,
    body: &ErrorBody,
    code: &str,
    now: Time,
) -> Failure {
    match class {
        Class::Expired => Failure::TokenExpired,
        Class::Scope => Failure::ScopeMissing { scopes: Vec::new() },
        Class::Unavailable => Failure::AccountUnavailable,
        Class::Checkpoint => Failure::Checkpoint,
        Class::App => Failure::AppAccess,
        Class::Duplicate => Failure::DuplicateContent,
        Class::Content if is_post(op) => rejected(code),
        Class::Request => {
            let code = body
                .parameter()
                .map_or_else(|| code.to_owned(), |name| format!("{code}/{name}"));
            if is_post(op) {
                rejected(&code)
            } else {
                contract(reply.status, &code)
            }
        }
        Class::Content => contract(reply.status, code),
        Class::RateLimited => rate_limited(reply, now),
        Class::Capped => Failure::RateLimited {
            scope: RateScope::App,
            until: end_of_period(&body.period, now),
        },
        Class::Down => Failure::ProviderDown,
    }
}

/// What is left to go by when nothing in the body is known.
fn by_status(op: Op, reply: &Reply, name: &str, now: Time) -> Failure {
    match reply.status {
        402 => Failure::AppAccess,
        413 if is_post(op) => rejected("413"),
        429 => rate_limited(reply, now),
        500.. => Failure::ProviderDown,
        status => contract(status, name),
    }
}

/// Whether the call carries content of a post.
fn is_post(op: Op) -> bool {
    matches!(op, Op::Prepare | Op::Publish)
}

/// The windows that are used up say whose they are; the latest of their ends counts.
fn rate_limited(reply: &Reply, now: Time) -> Failure {
    let number = |name: &str| {
        reply
            .header(name)
            .and_then(|text| text.trim().parse::<i64>().ok())
    };
    let end_of = |family: &str| {
        let used_up = number(&format!("{family}-remaining")) == Some(0);
        let end = number(&format!("{family}-reset")).and_then(unix);
        end.filter(|_| used_up)
    };
    let of_app = end_of("x-app-limit-24hour");
    let of_user = end_of("x-rate-limit").max(end_of("x-user-limit-24hour"));
    Failure::RateLimited {
        scope: if of_app.is_some() {
            RateScope::App
        } else {
            RateScope::Account
        },
        until: of_app.max(of_user).or_else(|| reply.retry_after(now)),
    }
}

/// Caps begin anew with the day or the month, in UTC.
fn end_of_period(period: &str, now: Time) -> Option<Time> {
    let tomorrow = now.date_naive().succ_opt()?;
    let day = match period {
        "Daily" => tomorrow,
        "Monthly" => {
            let in_next_month = now.date_naive().with_day(1)? + TimeDelta::days(31);
            in_next_month.with_day(1)?
        }
        _ => return None,
    };
    Utc.from_utc_datetime(&day.and_hms_opt(0, 0, 0)?).into()
}

fn rejected(code: &str) -> Failure {
    Failure::ContentRejected {
        code: code.to_owned(),
    }
}

fn contract(status: u16, name: &str) -> Failure {
    let detail = if name.is_empty() {
        format!("status {status} without a problem")
    } else {
        format!("status {status} {name}")
    };
    Failure::Contract { detail }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::fixtures;

    #[test]
    fn recorded_answers_mean_what_the_table_says() {
        let count = fixtures::check(include_str!("fixtures/errors.json"), failure);
        assert!(count >= 75, "only {count} cases");
    }

    #[test]
    fn the_map_is_total_and_what_it_does_not_know_ends_nothing() {
        fixtures::check_total(|op, reply, now| match failure(op, reply, now) {
            // 402 and 413 mean money and size, whoever answers them.
            Failure::AppAccess if reply.status == 402 => Failure::ProviderDown,
            Failure::ContentRejected { .. } if reply.status == 413 => Failure::ProviderDown,
            other => other,
        });
    }
}
