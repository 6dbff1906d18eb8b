//! Rate limits of the API and the headers that speak of them.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::errors;
use super::tokens::Kind;
use crate::call::{Answer, Call};
use crate::limits::{Usage, Window};
use crate::pipeline::Subject;
use crate::world::World;

const QUARTER_S: u64 = 15 * 60;
const DAY_S: u64 = 24 * 3600;

/// Calls that the platform allows. `None` means: not enforced. Those of an
/// app, which a whole fleet shares, are off until they are asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct XLimits {
    /// Posts of one user per 15 minutes.
    pub creates_per_user_15min: Option<u64>,
    /// Posts of one user per 24 hours (headers `x-user-limit-24hour-*`).
    pub creates_per_user_24h: Option<u64>,
    /// Posts of one app per 24 hours (headers `x-app-limit-24hour-*`; the platform: 10,000).
    pub creates_per_app_24h: Option<u64>,
    /// Deletions of one user per 15 minutes.
    pub deletes_per_user_15min: Option<u64>,
    /// Single posts, and pages of a list of posts, read per user and 15 minutes.
    pub reads_per_user_15min: Option<u64>,
    /// `users/me` per user and 15 minutes.
    pub me_per_user_15min: Option<u64>,
    /// Steps of chunked uploads (each kind by itself) per user and 15 minutes.
    pub upload_steps_per_user_15min: Option<u64>,
}

impl Default for XLimits {
    fn default() -> Self {
        Self {
            creates_per_user_15min: Some(100),
            creates_per_user_24h: None,
            creates_per_app_24h: None,
            deletes_per_user_15min: Some(50),
            reads_per_user_15min: Some(900),
            me_per_user_15min: Some(75),
            upload_steps_per_user_15min: Some(1875),
        }
    }
}

/// What everybody has used up, by whom, what, and the length of the window.
pub(crate) type Windows = HashMap<(String, &'static str, u64), Window>;

type Headers = Vec<(&'static str, String)>;

/// The three families of headers.
const WINDOW: [&str; 3] = [
    "x-rate-limit-limit",
    "x-rate-limit-remaining",
    "x-rate-limit-reset",
];
const USER_DAY: [&str; 3] = [
    "x-user-limit-24hour-limit",
    "x-user-limit-24hour-remaining",
    "x-user-limit-24hour-reset",
];
const APP_DAY: [&str; 3] = [
    "x-app-limit-24hour-limit",
    "x-app-limit-24hour-remaining",
    "x-app-limit-24hour-reset",
];

/// Counts a call in every window that holds for it; the headers, or the refusal.
pub(super) fn count(
    world: &mut World,
    endpoint: &'static str,
    call: &Call,
    subject: &Subject,
) -> Result<Headers, Answer> {
    let limits = world.x.settings.limits.clone();
    let user = Some(subject.account.clone()).filter(|u| !u.is_empty());
    let app = app_of(world, call);
    let mut rules = vec![(
        user.clone(),
        per_quarter(&limits, endpoint),
        QUARTER_S,
        WINDOW,
    )];
    if endpoint == "create_post" {
        rules.push((user, limits.creates_per_user_24h, DAY_S, USER_DAY));
        rules.push((app, limits.creates_per_app_24h, DAY_S, APP_DAY));
    }
    let mut headers = Headers::new();
    let mut over = false;
    for (who, limit, window_s, names) in rules {
        let (Some(who), Some(limit)) = (who, limit) else {
            continue;
        };
        let window = world
            .x
            .windows
            .entry((who, endpoint, window_s))
            .or_default();
        let usage = window.count(world.now, 1, limit, window_s);
        over |= usage.exceeded();
        headers.extend(speak(names, usage));
    }
    if over {
        let mut answer = errors::too_many_requests();
        answer.headers = headers;
        return Err(answer);
    }
    Ok(headers)
}

fn per_quarter(limits: &XLimits, endpoint: &str) -> Option<u64> {
    match endpoint {
        "create_post" => limits.creates_per_user_15min,
        "delete_post" => limits.deletes_per_user_15min,
        "post" | "posts" | "user_posts" => limits.reads_per_user_15min,
        "users_me" => limits.me_per_user_15min,
        "media_initialize" | "media_append" | "media_finalize" | "media_status"
        | "media_upload" | "media_metadata" => limits.upload_steps_per_user_15min,
        _ => None,
    }
}

fn app_of(world: &World, call: &Call) -> Option<String> {
    let text = call.header_token.as_deref()?;
    let live = world.x.live_token(text, Kind::Access, world.now);
    live.map(|(_, family)| family.app.clone())
}

fn speak(names: [&'static str; 3], usage: Usage) -> Headers {
    let [limit, remaining, reset] = names;
    vec![
        (limit, usage.limit.to_string()),
        (remaining, usage.remaining().to_string()),
        (reset, (usage.resets_at_ms / 1000).to_string()),
    ]
}

/// The answer of a throttled call, for a fault.
pub(super) fn throttled(now: i64, reset_s: u64) -> Answer {
    let left = i64::try_from(reset_s).unwrap_or(i64::MAX / 2000) * 1000;
    let usage = Usage {
        limit: 100,
        used: 101,
        window_s: QUARTER_S,
        resets_at_ms: now + left,
    };
    let mut answer = errors::too_many_requests();
    answer.headers = speak(WINDOW, usage);
    answer
}
