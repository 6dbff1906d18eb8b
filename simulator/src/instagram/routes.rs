//! Instagram's endpoints: with Instagram Login on its own host, with Facebook Login on Facebook's. Fault rules and
//! counters use the names that stand here.

use axum::http::Method;

use super::door::Door::{FacebookLogin as Fb, InstagramLogin as Ig};
use super::realm::oauth;
use super::{FLAVOR, containers, media, posts};
use crate::call::Call;
use crate::calls::Operation::{Check, Connect, Delete, Find, Publish, ReadBack, Refresh, Upload};
use crate::routes::{Route, any, route};

/// `graph.instagram.com`, `api.instagram.com` and `www.instagram.com`. The first row that fits wins.
#[rustfmt::skip]
pub(super) static ROUTES: &[Route] = &[
    route(Method::GET, "oauth/authorize", any, Connect, "authorize", |w, c| oauth::authorize(&FLAVOR, w, c)),
    route(Method::POST, "oauth/access_token", any, Connect, "code_exchange", |w, c| oauth::exchange_code(&FLAVOR, w, c)),
    route(Method::GET, "access_token", any, Connect, "ig_exchange_token", |w, c| oauth::exchange_token(&FLAVOR, w, c)),
    route(Method::GET, "refresh_access_token", any, Refresh, "ig_refresh_token", |w, c| oauth::refresh(&FLAVOR, w, c)),
    route(Method::POST, "*/subscribed_apps", any, Connect, "subscribe", media::subscribe),
    route(Method::GET, "*/subscribed_apps", any, Check, "subscriptions", media::subscriptions),
    route(Method::GET, "*/content_publishing_limit", any, Check, "content_publishing_limit", |w, c| posts::limit(Ig, w, c)),
    route(Method::POST, "*/media", any, Upload, "create_container", |w, c| containers::create(Ig, w, c)),
    route(Method::POST, "*/media_publish", any, Publish, "media_publish", |w, c| posts::publish(Ig, w, c)),
    route(Method::GET, "*/media", any, Find, "media_list", |w, c| media::list(Ig, false, w, c)),
    route(Method::GET, "*/stories", any, Find, "stories_list", |w, c| media::list(Ig, true, w, c)),
    route(Method::GET, "me", any, Check, "me", |w, c| media::account(Ig, w, c)),
    route(Method::GET, "*", is_account, Check, "account", |w, c| media::account(Ig, w, c)),
    route(Method::GET, "*", is_container, Upload, "container_status", |w, c| containers::status(Ig, w, c)),
    route(Method::GET, "*", any, ReadBack, "media", |w, c| media::read(Ig, w, c)),
    route(Method::DELETE, "*", any, Delete, "delete_media", |w, c| media::delete(Ig, w, c)),
];

/// The same on `graph.facebook.com` and `rupload.facebook.com`; these rows stand before Facebook's own.
#[rustfmt::skip]
pub(crate) static GRAPH_ROUTES: &[Route] = &[
    route(Method::POST, "rupload/ig-api-upload/*/*", any, Upload, "ig_upload", containers::upload),
    route(Method::GET, "*/content_publishing_limit", is_account, Check, "ig_content_publishing_limit", |w, c| posts::limit(Fb, w, c)),
    route(Method::POST, "*/media", is_account, Upload, "ig_create_container", |w, c| containers::create(Fb, w, c)),
    route(Method::POST, "*/media_publish", is_account, Publish, "ig_media_publish", |w, c| posts::publish(Fb, w, c)),
    route(Method::GET, "*/media", is_account, Find, "ig_media_list", |w, c| media::list(Fb, false, w, c)),
    route(Method::GET, "*/stories", is_account, Find, "ig_stories_list", |w, c| media::list(Fb, true, w, c)),
    route(Method::GET, "*", is_account, Check, "ig_account", |w, c| media::account(Fb, w, c)),
    route(Method::GET, "*", is_container, Upload, "ig_container_status", |w, c| containers::status(Fb, w, c)),
    route(Method::GET, "*", is_media, ReadBack, "ig_media", |w, c| media::read(Fb, w, c)),
    route(Method::DELETE, "*", is_media, Delete, "ig_delete_media", |w, c| media::delete(Fb, w, c)),
];

fn is_account(call: &Call) -> bool {
    is_number(call, "1784")
}

fn is_container(call: &Call) -> bool {
    is_number(call, "1790")
}

fn is_media(call: &Call) -> bool {
    is_number(call, "1800")
}

/// Instagram's numbers have 17 digits, and their beginning tells what they name.
fn is_number(call: &Call, prefix: &str) -> bool {
    let id = call.segment(0);
    id.len() == 17 && id.starts_with(prefix) && id.bytes().all(|b| b.is_ascii_digit())
}
