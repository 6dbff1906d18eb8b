//! Limits per minute: a sliding window per token and endpoint. The platform tells nothing of them
//! in headers.

use super::errors;
use crate::call::{Answer, Call};
use crate::world::World;

const MINUTE_MS: i64 = 60_000;

/// Counts the call, or refuses it. Refused calls do not count.
pub(super) fn admit(world: &mut World, call: &Call, endpoint: &str) -> Result<(), Answer> {
    let (now, state) = (world.now, &mut world.tiktok);
    let token = call.header_token.as_deref().unwrap_or("");
    let Some((group, limit)) = per_minute(endpoint) else {
        return Ok(());
    };
    if !state.settings.minute_limits || !state.access_tokens.contains_key(token) {
        return Ok(());
    }
    let window = state.windows.entry((token.to_owned(), group)).or_default();
    while window.front().is_some_and(|at| *at <= now - MINUTE_MS) {
        window.pop_front();
    }
    if window.len() >= limit {
        return Err(errors::rate_limited());
    }
    window.push_back(now);
    Ok(())
}

/// Calls of one token per minute, and the name under which they are counted.
fn per_minute(endpoint: &str) -> Option<(&'static str, usize)> {
    Some(match endpoint {
        "creator_info" => ("creator_info", 20),
        "video_init_upload" | "video_init_pull" => ("video_init", 6),
        "photo_init" => ("photo_init", 6),
        "inbox_init" => ("inbox_init", 6),
        "status_fetch" => ("status_fetch", 30),
        "user_info" => ("user_info", 600),
        "video_query" => ("video_query", 600),
        "video_list" => ("video_list", 600),
        _ => return None,
    })
}
