//! The endpoints of Threads. Fault rules and counters use the names that stand here.

use axum::http::Method;

use super::{FLAVOR, posts, read};
use crate::call::Call;
use crate::calls::Operation::{Check, Connect, Delete, Find, Publish, ReadBack, Refresh, Upload};
use crate::instagram::realm::oauth;
use crate::routes::{Route, any, route};

/// `graph.threads.net` and `threads.net`. The first row that fits wins.
#[rustfmt::skip]
pub(super) static ROUTES: &[Route] = &[
    route(Method::GET, "oauth/authorize", any, Connect, "authorize", |w, c| oauth::authorize(&FLAVOR, w, c)),
    route(Method::POST, "oauth/access_token", any, Connect, "code_exchange", |w, c| oauth::exchange_code(&FLAVOR, w, c)),
    route(Method::GET, "access_token", any, Connect, "th_exchange_token", |w, c| oauth::exchange_token(&FLAVOR, w, c)),
    route(Method::GET, "refresh_access_token", any, Refresh, "th_refresh_token", |w, c| oauth::refresh(&FLAVOR, w, c)),
    route(Method::GET, "debug_token", any, Check, "debug_token", read::debug_token),
    route(Method::GET, "*/threads_publishing_limit", any, Check, "threads_publishing_limit", posts::limit),
    route(Method::POST, "*/threads", publishes_at_once, Publish, "auto_publish_text", posts::create),
    route(Method::POST, "*/threads", any, Upload, "create_container", posts::create),
    route(Method::POST, "*/threads_publish", any, Publish, "threads_publish", posts::publish),
    route(Method::GET, "*/threads", any, Find, "threads_list", read::list),
    route(Method::GET, "me", any, Check, "me", read::profile),
    route(Method::GET, "*", is_profile, Check, "profile", read::profile),
    route(Method::GET, "*", is_container, Upload, "container_status", posts::status),
    route(Method::GET, "*", any, ReadBack, "media", read::post),
    route(Method::DELETE, "*", any, Delete, "delete_media", posts::delete),
];

/// A text that becomes a post without a second call.
pub(super) fn publishes_at_once(call: &Call) -> bool {
    let is_text = call.param("media_type") == Some("TEXT");
    is_text && call.param("auto_publish_text") == Some("true")
}

fn is_profile(call: &Call) -> bool {
    call.segment(0).starts_with("2405")
}

fn is_container(call: &Call) -> bool {
    call.segment(0).starts_with("1790")
}
