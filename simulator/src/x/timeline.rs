//! A user's posts, newest first.

use serde_json::{Value, json};

use super::{Post, XAccountState, access, billing, errors, flat, read, view};
use crate::call::{Answer, Call, cursor, parse_cursor};
use crate::clock::parse_caller_time;
use crate::world::World;

const OWN_PARAMETERS: [&str; 7] = [
    "max_results",
    "pagination_token",
    "start_time",
    "end_time",
    "since_id",
    "until_id",
    "exclude",
];

/// `GET /2/users/{id}/tweets` with `since_id`, `until_id`, `start_time`,
/// `end_time`, `exclude=replies`, `max_results` (5 to 100) and `pagination_token`.
pub(super) fn posts(world: &mut World, call: &Call) -> Answer {
    flat(list_posts(world, call))
}

fn list_posts(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let caller = access::reader(world, call)?;
    let wanted = view::wanted(world, call, &OWN_PARAMETERS)?;
    let range = Range::read(call)?;
    billing::admit_read(world, &caller.app)?;
    let user_id = call.segment(2);
    let Some(user) = world.x.users.get(user_id) else {
        return Ok(problem(&errors::user_not_found(user_id)));
    };
    if caller.user.as_deref() != Some(user_id) {
        if user.state == XAccountState::Suspended {
            return Ok(problem(&errors::user_suspended_resource(user_id)));
        }
        if user.protected {
            return Ok(problem(&errors::post_not_visible(user_id, "id")));
        }
    }
    let settled = world.now - world.x.settings.timeline_delay_ms;
    // A token is a place in the whole list, so that it keeps its meaning
    // while new posts arrive.
    let before = range.before.unwrap_or(user.posts.len());
    let mut found = user
        .posts
        .iter()
        .enumerate()
        .take(before)
        .rev()
        .filter_map(|(place, root)| {
            let newest = world.x.histories.get(root)?.last()?;
            let post = world.x.live_post(newest)?;
            (post.created_at <= settled && range.holds(newest, post))
                .then_some((place, newest, post))
        });
    let chosen: Vec<(usize, &String, &Post)> = found.by_ref().take(range.limit).collect();
    let more = found.next().is_some();
    let data: Vec<Value> = chosen
        .iter()
        .map(|(_, id, post)| view::post(world, id, post, &wanted))
        .collect();
    let ids: Vec<String> = chosen.iter().map(|(_, id, _)| (*id).clone()).collect();
    let mut body = json!({ "meta": { "result_count": data.len() } });
    if let (Some((_, newest, _)), Some((place, oldest, _))) = (chosen.first(), chosen.last()) {
        body["meta"]["newest_id"] = json!(newest);
        body["meta"]["oldest_id"] = json!(oldest);
        if more {
            body["meta"]["next_token"] = cursor(*place).into();
        }
        body["data"] = data.into();
    }
    let shown: Vec<&Post> = chosen.iter().map(|(_, _, post)| *post).collect();
    if let Some(includes) = view::includes(world, &shown, &wanted).filter(|_| !ids.is_empty()) {
        body["includes"] = includes;
    }
    let users = read::expanded_users(&body);
    billing::reads(world, &caller.app, &users, &ids);
    Ok(Answer::ok(&body))
}

fn problem(problem: &Value) -> Answer {
    Answer::ok(&json!({ "errors": [problem] }))
}

/// Which part of the list is wanted.
struct Range {
    limit: usize,
    before: Option<usize>,
    since_id: Option<u64>,
    until_id: Option<u64>,
    start: Option<i64>,
    end: Option<i64>,
    without_replies: bool,
}

impl Range {
    fn read(call: &Call) -> Result<Self, Answer> {
        Ok(Self {
            limit: checked(call, "max_results", |v| {
                v.parse().ok().filter(|n| (5..=100).contains(n))
            })?
            .unwrap_or(10),
            before: checked(call, "pagination_token", parse_cursor)?,
            since_id: checked(call, "since_id", |v| v.parse().ok())?,
            until_id: checked(call, "until_id", |v| v.parse().ok())?,
            start: checked(call, "start_time", time)?,
            end: checked(call, "end_time", time)?,
            without_replies: call
                .param("exclude")
                .is_some_and(|v| v.split(',').any(|e| e == "replies")),
        })
    }

    fn holds(&self, id: &str, post: &Post) -> bool {
        let number = id.parse::<u64>().unwrap_or(0);
        self.since_id.is_none_or(|s| number > s)
            && self.until_id.is_none_or(|u| number < u)
            && self.start.is_none_or(|s| post.created_at >= s)
            && self.end.is_none_or(|e| post.created_at < e)
            && !(self.without_replies && post.reply_to.is_some())
    }
}

/// RFC 3339 only: unix seconds are refused.
fn time(text: &str) -> Option<i64> {
    text.contains('T')
        .then(|| parse_caller_time(text))
        .flatten()
}

fn checked<T>(
    call: &Call,
    name: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Answer> {
    let Some(value) = call.param(name) else {
        return Ok(None);
    };
    let refused = || {
        let text = format!("The `{name}` query parameter value [{value}] is not valid");
        errors::invalid(name, value, &text)
    };
    parse(value).map(Some).ok_or_else(refused)
}
