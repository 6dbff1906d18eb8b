//! Lists: a page's posts, and paging.

use serde_json::{Value, json};
use url::form_urlencoded;

use super::{Post, access, flat, nodes};
use crate::call::{Answer, Call, cursor, parse_cursor};
use crate::clock::parse_caller_time;
use crate::world::World;

const DEFAULT_LIMIT: usize = 25;
const GREATEST_LIMIT: usize = 100;

/// `GET /{page}/published_posts` and `/{page}/feed`: newest first, with
/// `since`, `until` (unix seconds or a date), `limit` and `after`.
pub(crate) fn posts(world: &mut World, call: &Call) -> Answer {
    flat(list_posts(world, call))
}

fn list_posts(world: &World, call: &Call) -> Result<Answer, Answer> {
    let token = access::holder(world, call)?;
    let page_id = access::node_id(&token, call.segment(0));
    access::may_read(world, &token, &page_id)?;
    let page = access::page(world, "get", &page_id)?;
    let wanted = nodes::fields(call, &["created_time", "message", "id"]);
    let is_in_time = time_filter(call);
    // Reels have an edge of their own; that they are listed here, too, is not documented.
    let shown = |post: &Post| {
        !post.deleted && post.published && !post.is_reel && is_in_time(post.created_at)
    };
    // A cursor is a place in the page's whole list, so that it keeps its
    // meaning while new posts arrive.
    let before = call
        .param("after")
        .and_then(parse_cursor)
        .unwrap_or(page.posts.len());
    let limit = limit(call);
    let older = page.posts.iter().enumerate().take(before).rev();
    let mut found = older
        .filter_map(|(place, id)| world.facebook.posts.get(id).map(|post| (place, id, post)))
        .filter(|(_, _, post)| shown(post));
    let chosen: Vec<_> = found.by_ref().take(limit).collect();
    let more = found.next().is_some();
    let data: Result<Vec<Value>, Answer> = chosen
        .iter()
        .map(|(_, id, post)| nodes::post_object(world, id, post, &wanted))
        .collect();
    let mut out = json!({ "data": data? });
    if let (Some((newest, _, _)), Some((oldest, _, _))) = (chosen.first(), chosen.last()) {
        out["paging"] = paging(call, *newest, *oldest, more.then_some(*oldest));
    }
    Ok(Answer::ok(&out))
}

/// Whether something of that time lies between `since` and `until`.
pub(crate) fn time_filter(call: &Call) -> impl Fn(i64) -> bool {
    let since = call.param("since").and_then(parse_caller_time);
    let until = call.param("until").and_then(parse_caller_time);
    move |at| {
        let whole_second = at / 1000 * 1000;
        since.is_none_or(|t| whole_second >= t) && until.is_none_or(|t| whole_second <= t)
    }
}

/// The part of a list that is asked for.
pub(crate) fn page_of(call: &Call, rows: &[Value]) -> Answer {
    let (from, limit) = window(call);
    let chosen: Vec<&Value> = rows.iter().skip(from).take(limit).collect();
    let end = from + chosen.len();
    let mut out = json!({ "data": chosen });
    if !chosen.is_empty() {
        out["paging"] = paging(call, from, end, (end < rows.len()).then_some(end));
    }
    Answer::ok(&out)
}

fn limit(call: &Call) -> usize {
    let asked = call.param("limit").and_then(|l| l.parse().ok());
    asked.unwrap_or(DEFAULT_LIMIT).clamp(1, GREATEST_LIMIT)
}

/// Where a list starts, and how many items are wanted.
pub(crate) fn window(call: &Call) -> (usize, usize) {
    (
        call.param("after").and_then(parse_cursor).unwrap_or(0),
        limit(call),
    )
}

/// The `paging` object, with a whole URL to the next page when there is one.
pub(crate) fn paging(call: &Call, before: usize, after: usize, next: Option<usize>) -> Value {
    let mut out = json!({ "cursors": { "before": cursor(before), "after": cursor(after) } });
    if let Some(next) = next {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(call.params_except(&["after"]));
        query.append_pair("after", &cursor(next));
        let version = call
            .version
            .map_or(String::new(), |(a, b)| format!("v{a}.{b}/"));
        let (host, path) = (&call.host, &call.path);
        out["next"] = format!("http://{host}/facebook/{version}{path}?{}", query.finish()).into();
    }
    out
}
