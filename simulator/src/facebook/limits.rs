//! Rate limits of the Graph API and the headers that speak of them.

use serde_json::json;

use super::{access, errors};
use crate::call::{Answer, Call};
use crate::limits::Usage;
use crate::pipeline::Subject;
use crate::world::World;

const HOUR_S: u64 = 3600;
const DAY_S: u64 = 24 * 3600;

type Headers = Vec<(&'static str, String)>;

/// Counts a call; the usage headers, or the refusal.
pub(crate) fn count(world: &mut World, call: &Call, subject: &Subject) -> Result<Headers, Answer> {
    let mut headers = Headers::new();
    if let Some(limit) = world.limits.facebook_app_calls_per_hour {
        let app_id = app_of(world, call);
        let app = app_id.and_then(|id| world.facebook.apps.get_mut(&id));
        let usage = app.map(|a| a.window.count(world.now, 1, limit, HOUR_S));
        if let Some(usage) = usage {
            headers.push(("x-app-usage", app_usage(usage.percent())));
            if usage.exceeded() {
                return Err(with_headers(errors::app_throttled(), headers));
            }
        }
    }
    if let Some(limit) = world.limits.facebook_page_calls_per_day {
        let page = world.facebook.pages.get_mut(&subject.account);
        let usage = page.map(|p| p.window.count(world.now, 1, limit, DAY_S));
        if let Some(usage) = usage {
            headers.push((
                "x-business-use-case-usage",
                page_usage(
                    &subject.account,
                    usage.percent(),
                    minutes_left(usage, world.now),
                ),
            ));
            if usage.exceeded() {
                return Err(with_headers(errors::page_throttled(), headers));
            }
        }
    }
    Ok(headers)
}

/// The answer of a throttled call, for a fault.
pub(crate) fn throttled(subject: &Subject, reset_s: u64) -> Answer {
    let minutes = reset_s.div_ceil(60).max(1);
    let is_page = !subject.account.is_empty() && subject.account != subject.owner;
    if is_page {
        let usage = page_usage(&subject.account, 100, minutes);
        errors::page_throttled().with("x-business-use-case-usage", usage)
    } else {
        errors::app_throttled().with("x-app-usage", app_usage(100))
    }
}

fn app_of(world: &World, call: &Call) -> Option<String> {
    let text = access::token_of(call);
    let from_token = text.and_then(|t| match t.split_once('|') {
        Some((app, _)) => Some(app.to_owned()),
        None => world.facebook.tokens.get(t).map(|t| t.app.clone()),
    });
    from_token.or_else(|| call.param("client_id").map(str::to_owned))
}

/// Percentages; throttled from 100 on.
fn app_usage(percent: u64) -> String {
    json!({ "call_count": percent, "total_time": percent / 2, "total_cputime": percent / 2 })
        .to_string()
}

/// `estimated_time_to_regain_access` is in minutes.
fn page_usage(page: &str, percent: u64, minutes: u64) -> String {
    let regain = if percent >= 100 { minutes } else { 0 };
    let usage = json!({
        "type": "pages",
        "call_count": percent,
        "total_cputime": percent / 2,
        "total_time": percent / 2,
        "estimated_time_to_regain_access": regain,
    });
    json!({ page: [usage] }).to_string()
}

fn minutes_left(usage: Usage, now: i64) -> u64 {
    usage.seconds_left(now).cast_unsigned().div_ceil(60)
}

fn with_headers(mut answer: Answer, headers: Headers) -> Answer {
    answer.headers.extend(headers);
    answer
}
