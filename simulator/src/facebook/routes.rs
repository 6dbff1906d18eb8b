//! The Graph API's endpoints for pages. Fault rules and counters use the names that stand here.

use axum::http::Method;

use super::{
    find, form, hooks, introspect, media, nodes, oauth, publish, reels, stories, uploads,
    video_nodes, videos,
};
use crate::call::Call;
use crate::calls::Operation::{
    Check, Connect, Delete, Disconnect, Find, Publish, ReadBack, Refresh, Upload,
};
use crate::routes::{Route, any, route};

/// The first row that fits wins.
#[rustfmt::skip]
pub(super) static ROUTES: &[Route] = &[
    route(Method::GET, "debug_token", any, Check, "debug_token", introspect::debug_token),
    route(Method::GET, "oauth/access_token", is_exchange, Refresh, "fb_exchange_token", oauth::exchange_token),
    route(Method::GET, "oauth/access_token", is_client_credentials, Connect, "client_credentials", oauth::client_credentials),
    route(Method::GET, "oauth/access_token", any, Connect, "code_exchange", oauth::exchange_code),
    route(Method::GET, "dialog/oauth", any, Connect, "dialog_oauth", oauth::dialog),
    route(Method::GET, "me/accounts", any, Check, "me_accounts", nodes::accounts),
    route(Method::GET, "me/permissions", any, Check, "me_permissions", introspect::permissions),
    route(Method::GET, "*/accounts", any, Check, "me_accounts", nodes::accounts),
    route(Method::GET, "*/permissions", any, Check, "me_permissions", introspect::permissions),
    route(Method::DELETE, "*/permissions", any, Disconnect, "revoke_app", oauth::revoke),
    route(Method::DELETE, "*/permissions/*", any, Disconnect, "revoke_permission", oauth::revoke),
    route(Method::POST, "*/feed", any, Publish, "page_feed_post", publish::feed),
    route(Method::POST, "*/photos", is_unpublished, Upload, "page_photo_upload", publish::photo),
    route(Method::POST, "*/photos", any, Publish, "page_photo_post", publish::photo),
    route(Method::POST, "*/videos", is_video_step, Upload, "page_video_upload", videos::video),
    route(Method::POST, "*/videos", any, Publish, "page_video_post", videos::video),
    route(Method::POST, "*/video_reels", is_start, Upload, "reel_start", reels::reel),
    route(Method::POST, "*/video_reels", any, Publish, "reel_finish", reels::reel),
    route(Method::POST, "*/video_stories", is_start, Upload, "video_story_start", reels::video_story),
    route(Method::POST, "*/video_stories", any, Publish, "video_story_finish", reels::video_story),
    route(Method::POST, "*/photo_stories", any, Publish, "photo_story_post", stories::photo),
    route(Method::POST, "video-upload/*", any, Upload, "rupload", reels::upload),
    route(Method::POST, "video-upload/*/*", any, Upload, "rupload", reels::upload),
    route(Method::POST, "*/uploads", any, Upload, "upload_session", uploads::start),
    route(Method::POST, "*", is_upload_id, Upload, "upload_bytes", uploads::transfer),
    route(Method::GET, "*", is_upload_id, Upload, "upload_offset", uploads::offset),
    route(Method::GET, "*/video_reels", any, Find, "page_reels", video_nodes::reels),
    route(Method::GET, "*/videos", any, Find, "page_videos", video_nodes::videos),
    route(Method::GET, "*/stories", any, Find, "page_stories", stories::list),
    route(Method::GET, "*", is_status_poll, Upload, "video_status", video_nodes::read),
    route(Method::GET, "*", is_video_id, ReadBack, "video", video_nodes::read),
    route(Method::DELETE, "*", is_video_id, Delete, "delete_video", video_nodes::delete),
    route(Method::GET, "*/subscriptions", any, Check, "app_subscriptions", hooks::subscriptions),
    route(Method::POST, "*/subscriptions", any, Connect, "subscribe_app", hooks::subscribe),
    route(Method::DELETE, "*/subscriptions", any, Disconnect, "unsubscribe_app", hooks::unsubscribe),
    route(Method::GET, "*/subscribed_apps", any, Check, "subscribed_apps", hooks::installed),
    route(Method::POST, "*/subscribed_apps", any, Connect, "install_on_page", hooks::install),
    route(Method::DELETE, "*/subscribed_apps", any, Disconnect, "uninstall_from_page", hooks::uninstall),
    route(Method::GET, "*/published_posts", any, Find, "published_posts", find::posts),
    route(Method::GET, "*/feed", any, Find, "page_feed", find::posts),
    route(Method::GET, "me", any, Check, "me", nodes::node),
    route(Method::GET, "*", is_post_id, ReadBack, "post", nodes::post),
    route(Method::GET, "*", any, Check, "node", nodes::node),
    route(Method::DELETE, "*", any, Delete, "delete_post", publish::delete),
];

fn is_exchange(call: &Call) -> bool {
    call.param("grant_type") == Some("fb_exchange_token")
}

fn is_client_credentials(call: &Call) -> bool {
    call.param("grant_type") == Some("client_credentials")
}

fn is_unpublished(call: &Call) -> bool {
    form::field(call, "published") == Some("false")
}

fn phase(call: &Call) -> &str {
    form::field(call, "upload_phase").unwrap_or("")
}

fn is_start(call: &Call) -> bool {
    phase(call).eq_ignore_ascii_case("start")
}

/// Parts of a chunked upload, except its end, and videos that stay unpublished.
fn is_video_step(call: &Call) -> bool {
    let steps = ["start", "transfer", "cancel"];
    is_unpublished(call) || steps.iter().any(|s| phase(call).eq_ignore_ascii_case(s))
}

fn is_upload_id(call: &Call) -> bool {
    call.segment(0).starts_with("upload:")
}

fn is_video_id(call: &Call) -> bool {
    media::is_video_id(call.segment(0))
}

/// A look at how far a video is, and at nothing else.
fn is_status_poll(call: &Call) -> bool {
    is_video_id(call) && call.param("fields") == Some("status")
}

/// Post ids have the form `{page}_{post}`.
fn is_post_id(call: &Call) -> bool {
    call.segment(0).contains('_')
}
