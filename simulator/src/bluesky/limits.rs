//! Rate limits of the PDS and their headers.

use super::errors;
use crate::call::Answer;
use crate::limits::Usage;
use crate::pipeline::Subject;
use crate::world::World;

const FIVE_MINUTES_S: u64 = 300;
const HOUR_S: u64 = 3600;

/// Counts a call in every window that holds for it; the headers of the
/// narrowest, or the refusal.
pub(crate) fn count(
    world: &mut World,
    endpoint: &str,
    subject: &Subject,
) -> Result<Vec<(&'static str, String)>, Answer> {
    let (now, limits) = (world.now, &world.limits);
    let mut usages = Vec::new();
    if let Some(limit) = limits.bluesky_requests_per_5min {
        usages.push(world.bluesky.window.count(now, 1, limit, FIVE_MINUTES_S));
    }
    if let Some(account) = world.bluesky.accounts.get_mut(&subject.account) {
        if let (Some(limit), true) = (
            limits.bluesky_sessions_per_5min,
            endpoint == "createSession",
        ) {
            usages.push(account.login_window.count(now, 1, limit, FIVE_MINUTES_S));
        }
        if let (Some(limit), Some(points)) =
            (limits.bluesky_write_points_per_hour, points(endpoint))
        {
            usages.push(account.write_window.count(now, points, limit, HOUR_S));
        }
    }
    match usages
        .into_iter()
        .min_by_key(|u| (!u.exceeded(), u.remaining()))
    {
        None => Ok(Vec::new()),
        Some(usage) if usage.exceeded() => Err(refusal(usage, now)),
        Some(usage) => Ok(headers(usage)),
    }
}

/// What a write costs.
fn points(endpoint: &str) -> Option<u64> {
    match endpoint {
        "createRecord" => Some(3),
        "putRecord" => Some(2),
        "deleteRecord" => Some(1),
        _ => None,
    }
}

/// The answer of a throttled call, for a fault.
pub(crate) fn throttled(now: i64, reset_s: u64) -> Answer {
    let left = i64::try_from(reset_s).unwrap_or(i64::MAX / 2000) * 1000;
    let usage = Usage {
        limit: 3000,
        used: 3001,
        window_s: FIVE_MINUTES_S,
        resets_at_ms: now + left,
    };
    refusal(usage, now)
}

fn refusal(usage: Usage, now: i64) -> Answer {
    let mut answer = errors::usual_for_status(429);
    answer.headers = headers(usage);
    answer.with("retry-after", usage.seconds_left(now).to_string())
}

fn headers(usage: Usage) -> Vec<(&'static str, String)> {
    vec![
        ("ratelimit-limit", usage.limit.to_string()),
        ("ratelimit-remaining", usage.remaining().to_string()),
        ("ratelimit-reset", (usage.resets_at_ms / 1000).to_string()),
        (
            "ratelimit-policy",
            format!("{};w={}", usage.limit, usage.window_s),
        ),
    ]
}
