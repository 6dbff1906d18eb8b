//! Rate limits and their headers: windows that begin at round times. The headers tell of the one
//! that is closest to its end.

use axum::http::Method;
use chrono::{DateTime, SecondsFormat};

use super::errors;
use crate::call::{Answer, Call};
use crate::pipeline::Subject;
use crate::routes::Route;
use crate::world::World;

/// Calls that are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Family {
    Requests,
    Media,
    Deletes,
    Statuses,
}

struct Usage {
    limit: u64,
    used: u64,
    resets_at: i64,
}

/// Counts a call in every window that holds for it; the headers, or the refusal.
pub(super) fn count(
    world: &mut World,
    route: Option<&'static Route>,
    call: &Call,
    subject: &Subject,
) -> Result<Vec<(&'static str, String)>, Answer> {
    if subject.account.is_empty() || call.segment(0) != "api" {
        return Ok(Vec::new());
    }
    let settings = &world.mastodon.settings;
    let name = route.map_or("", |r| r.name);
    let own = match (&call.method, name) {
        (&Method::POST, "upload_media") => Some((Family::Media, 30 * 60, settings.media_per_30min)),
        (&Method::DELETE, "delete_status") => {
            Some((Family::Deletes, 30 * 60, settings.deletes_per_30min))
        }
        (&Method::POST, "create_status") => {
            Some((Family::Statuses, 3 * 3600, settings.statuses_per_3h))
        }
        _ => None,
    };
    let all = Some((Family::Requests, 5 * 60, settings.requests_per_5min));
    let mut closest: Option<Usage> = None;
    for (family, period_s, limit) in [all, own].into_iter().flatten() {
        let Some(limit) = limit else {
            continue;
        };
        let usage = use_one(world, &subject.account, family, period_s, limit);
        let left = |u: &Usage| u.limit.saturating_sub(u.used);
        if usage.used > usage.limit {
            return Err(refusal(&usage));
        }
        if closest.as_ref().is_none_or(|c| left(&usage) < left(c)) {
            closest = Some(usage);
        }
    }
    Ok(closest.as_ref().map(headers).unwrap_or_default())
}

fn use_one(world: &mut World, account: &str, family: Family, period_s: i64, limit: u64) -> Usage {
    let number = world.now / 1000 / period_s;
    let key = (account.to_owned(), family);
    let window = world.mastodon.windows.entry(key).or_default();
    if window.0 != number {
        *window = (number, 0);
    }
    window.1 += 1;
    Usage {
        limit,
        used: window.1,
        resets_at: (number + 1) * period_s * 1000,
    }
}

/// The answer of a throttled call, for a fault.
pub(super) fn throttled(now: i64, reset_s: u64) -> Answer {
    let left = i64::try_from(reset_s).unwrap_or(i64::MAX / 2000) * 1000;
    refusal(&Usage {
        limit: 300,
        used: 301,
        resets_at: now + left,
    })
}

/// 429. There is no `Retry-After`.
fn refusal(usage: &Usage) -> Answer {
    let mut answer = errors::usual_for_status(429);
    answer.headers = headers(usage);
    answer
}

fn headers(usage: &Usage) -> Vec<(&'static str, String)> {
    let resets_at = DateTime::from_timestamp_millis(usage.resets_at).unwrap_or_default();
    vec![
        ("x-ratelimit-limit", usage.limit.to_string()),
        (
            "x-ratelimit-remaining",
            usage.limit.saturating_sub(usage.used).to_string(),
        ),
        (
            "x-ratelimit-reset",
            resets_at.to_rfc3339_opts(SecondsFormat::Micros, true),
        ),
    ]
}
