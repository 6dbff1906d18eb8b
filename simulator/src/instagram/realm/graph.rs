//! The form of the Graph API that both platforms keep: errors, chosen fields, lists with cursors.

use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::Flavor;
use crate::call::{Answer, Call, cursor, parse_cursor};
use crate::clock::parse_caller_time;
use crate::facebook::{errors, nodes};
use crate::limits::Usage;
use crate::pipeline::Subject;
use crate::world::World;

const DEFAULT_LIMIT: usize = 25;
const GREATEST_LIMIT: usize = 100;
const HOUR_S: u64 = 3600;
const DAY_S: u64 = 24 * 3600;

/// An error with status 400.
pub(crate) fn error(kind: &str, code: i64, subcode: Option<u32>, message: &str) -> Answer {
    let mut body = json!({
        "message": message,
        "type": kind,
        "code": code,
        "fbtrace_id": errors::trace_id(),
    });
    if let Some(subcode) = subcode {
        body["error_subcode"] = subcode.into();
    }
    Answer::json(400, &json!({ "error": body }))
}

/// An error with texts for people, as the publishing endpoints have them.
pub(crate) fn refusal(code: i64, subcode: u32, message: &str, title: &str, text: &str) -> Answer {
    Answer::json(
        400,
        &json!({ "error": {
            "message": message,
            "type": "OAuthException",
            "code": code,
            "error_subcode": subcode,
            "is_transient": code == -1 || code == -2,
            "error_user_title": title,
            "error_user_msg": text,
            "fbtrace_id": errors::trace_id(),
        } }),
    )
}

/// 10: a permission is missing.
pub(crate) fn permission_missing() -> Answer {
    let message = "(#10) Application does not have permission for this action";
    error("OAuthException", 10, None, message)
}

/// The wanted fields of an object; those without a value are left out, and the id is always there.
pub(crate) fn object(
    wanted: &[String],
    kind: &str,
    value: impl Fn(&str) -> Option<Value>,
) -> Result<Value, Answer> {
    let mut out = Map::new();
    for field in wanted.iter().map(String::as_str).chain(["id"]) {
        let name = field.split('.').next().unwrap_or(field);
        let found = value(name).ok_or_else(|| {
            let text = format!("Tried accessing nonexisting field ({name}) on node type ({kind})");
            errors::bad_parameter(&text)
        })?;
        if !found.is_null() {
            out.insert(name.to_owned(), found);
        }
    }
    Ok(Value::Object(out))
}

/// The names in `fields=`, or the defaults.
pub(crate) fn fields(call: &Call, defaults: &[&str]) -> Vec<String> {
    nodes::fields(call, defaults)
}

/// A part of a list, newest first.
pub(crate) struct Part<'a> {
    /// Places in the whole list, and ids.
    pub(crate) items: Vec<(usize, &'a String)>,
    more: bool,
}

/// The part of a list of ids in order of creation that the call wants.
pub(crate) fn part<'a>(call: &Call, ids: &'a [String], shown: impl Fn(&str) -> bool) -> Part<'a> {
    // A cursor is a place in the whole list, so that it keeps its meaning while new posts arrive.
    let before = call.param("after").and_then(parse_cursor);
    let asked = call.param("limit").and_then(|l| l.parse().ok());
    let limit = asked.unwrap_or(DEFAULT_LIMIT).clamp(1, GREATEST_LIMIT);
    let older = ids.iter().enumerate().take(before.unwrap_or(ids.len()));
    let mut found = older.rev().filter(|(_, id)| shown(id));
    let items = found.by_ref().take(limit).collect();
    let more = found.next().is_some();
    Part { items, more }
}

/// Whether a time lies between `since` and `until`.
pub(crate) fn in_window(call: &Call, created_at: i64) -> bool {
    let bound = |name| call.param(name).and_then(parse_caller_time);
    let whole_second = created_at / 1000 * 1000;
    bound("since").is_none_or(|t| whole_second >= t)
        && bound("until").is_none_or(|t| whole_second <= t)
}

/// `{"data":[…],"paging":{…}}`.
pub(crate) fn list(site: &str, call: &Call, part: &Part<'_>, data: &[Value]) -> Answer {
    let mut out = json!({ "data": data });
    let (Some((newest, _)), Some((oldest, _))) = (part.items.first(), part.items.last()) else {
        return Answer::ok(&out);
    };
    let after = cursor(*oldest);
    out["paging"] = json!({ "cursors": { "before": cursor(*newest), "after": after } });
    if part.more {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(call.params_except(&["after"]));
        query.append_pair("after", &after);
        let version = call.version.map(|(a, b)| format!("v{a}.{b}/"));
        let (host, path, version) = (&call.host, &call.path, version.unwrap_or_default());
        let next = format!("http://{host}/{site}/{version}{path}?{}", query.finish());
        out["paging"]["next"] = next.into();
    }
    Answer::ok(&out)
}

/// Usage headers.
pub(crate) type Headers = Vec<(&'static str, String)>;

/// Counts a call against the limits that are set; the usage headers, or the refusal.
pub(crate) fn count(
    flavor: &Flavor,
    world: &mut World,
    call: &Call,
    account: &str,
) -> Result<Headers, Answer> {
    let now = world.now;
    let mut headers = Headers::new();
    let text = crate::facebook::access::token_of(call);
    let realm = (flavor.realm_mut)(world);
    let app = text.and_then(|t| realm.tokens.get(t)).map(|t| &t.app);
    let app = app.and_then(|id| realm.apps.get_mut(id));
    if let (Some(limit), Some(app)) = (realm.settings.app_calls_per_hour, app) {
        let usage = app.window.count(now, 1, limit, HOUR_S);
        headers.push(("x-app-usage", app_usage(usage.percent())));
        if usage.exceeded() {
            return Err(with_headers(errors::app_throttled(), headers));
        }
    }
    let known = realm.accounts.get_mut(account);
    if let (Some(limit), Some(known)) = (realm.settings.account_calls_per_day, known) {
        let usage = known.window.count(now, 1, limit, DAY_S);
        let minutes = minutes_left(usage, now);
        let header = account_usage(account, usage.percent(), minutes);
        headers.push(("x-business-use-case-usage", header));
        if usage.exceeded() {
            return Err(with_headers(account_throttled(), headers));
        }
    }
    Ok(headers)
}

/// One call too many, for a fault: the account's limit when the call was about one, else the app's.
pub(crate) fn throttled(subject: &Subject, reset_s: u64) -> Answer {
    if subject.account.is_empty() {
        return errors::app_throttled().with("x-app-usage", app_usage(100));
    }
    let minutes = reset_s.div_ceil(60).max(1);
    let header = account_usage(&subject.account, 100, minutes);
    account_throttled().with("x-business-use-case-usage", header)
}

fn account_throttled() -> Answer {
    let message = "(#80002) There have been too many calls to this Instagram account. Wait a bit and try again. \
        For more info, please refer to https://developers.facebook.com/docs/graph-api/overview/rate-limiting.";
    error("OAuthException", 80_002, None, message)
}

/// Percentages; throttled from 100 on.
fn app_usage(percent: u64) -> String {
    json!({ "call_count": percent, "total_time": percent / 2, "total_cputime": percent / 2 })
        .to_string()
}

/// `estimated_time_to_regain_access` is in minutes.
fn account_usage(account: &str, percent: u64, minutes: u64) -> String {
    let regain = if percent >= 100 { minutes } else { 0 };
    let usage = json!({
        "type": "instagram",
        "call_count": percent,
        "total_cputime": percent / 2,
        "total_time": percent / 2,
        "estimated_time_to_regain_access": regain,
    });
    json!({ account: [usage] }).to_string()
}

fn minutes_left(usage: Usage, now: i64) -> u64 {
    usage.seconds_left(now).cast_unsigned().div_ceil(60)
}

fn with_headers(mut answer: Answer, headers: Headers) -> Answer {
    answer.headers.extend(headers);
    answer
}
