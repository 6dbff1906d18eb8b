//! Errors of an authorization server as [`Failure`]s: pure, total, tested on `fixtures/oauth_errors.json`.
//!
//! Names as in RFC 6749 and RFC 9449; descriptions as the reference server has them
//! (`bluesky-social/atproto`, packages/oauth/oauth-provider).

use mooring_domain::{Failure, Time};

use super::{super::map, wire::ErrorBody};
use crate::wire::{Op, Reply};

/// What an answer other than a success means to this call.
pub(super) fn failure(op: Op, reply: &Reply, now: Time) -> Failure {
    let body: ErrorBody = serde_json::from_slice(&reply.body).unwrap_or_default();
    if reply.status == 429 {
        return map::rate_limited(op, reply, now);
    }
    match body.error.as_str() {
        // The session or the refresh token came to its natural end. "Refresh token replayed" and "Invalid refresh
        // token" are the end of a session that somebody ended.
        "invalid_grant" if op == Op::Refresh && is_over(&body.error_description) => {
            Failure::TokenExpired
        }
        "invalid_grant" => Failure::TokenRevoked,
        "invalid_client"
        | "invalid_client_metadata"
        | "invalid_client_id"
        | "unauthorized_client"
        | "invalid_redirect_uri" => Failure::AppAccess,
        "invalid_scope" => Failure::ScopeMissing { scopes: Vec::new() },
        "temporarily_unavailable" | "server_error" => Failure::ProviderDown,
        _ if reply.status >= 500 && reply.status != 501 => Failure::ProviderDown,
        name => map::unknown(reply, name),
    }
}

fn is_over(description: &str) -> bool {
    description.to_ascii_lowercase().contains("expired")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::fixtures;

    #[test]
    fn recorded_answers_mean_what_the_table_says() {
        let cases = include_str!("../fixtures/oauth_errors.json");
        let count = fixtures::check(cases, failure);
        assert!(count >= 12, "only {count} cases");
    }

    #[test]
    fn the_map_is_total_and_what_it_does_not_know_ends_nothing() {
        fixtures::check_total(failure);
    }
}
