//! The endpoints. Fault rules and counters use the names that stand here. An init that lets the
//! platform pull, and the last chunk of an upload, are what a post inevitably follows: they are
//! the publishing steps.

use axum::http::Method;

use super::{init, oauth, people, publish, upload, videos};
use crate::call::Call;
use crate::calls::Operation::{
    Check, Connect, Delete, Disconnect, Find, Publish, ReadBack, Refresh, Upload,
};
use crate::routes::{Route, any, route};

#[rustfmt::skip]
pub(super) static ROUTES: &[Route] = &[
    route(Method::GET, "v2/auth/authorize", any, Connect, "authorize", oauth::authorize),
    route(Method::POST, "v2/oauth/token", is_refresh, Refresh, "refresh_token", oauth::token),
    route(Method::POST, "v2/oauth/token", any, Connect, "code_exchange", oauth::token),
    route(Method::POST, "v2/oauth/revoke", any, Disconnect, "revoke", oauth::revoke),
    route(Method::GET, "v2/user/info", any, Check, "user_info", people::user_info),
    route(Method::POST, "v2/post/publish/creator_info/query", any, Check, "creator_info", people::creator_info),
    route(Method::POST, "v2/post/publish/video/init", is_pull, Publish, "video_init_pull", init::video),
    route(Method::POST, "v2/post/publish/video/init", any, Upload, "video_init_upload", init::video),
    route(Method::POST, "v2/post/publish/content/init", is_draft, Upload, "photo_draft_init", init::photos),
    route(Method::POST, "v2/post/publish/content/init", any, Publish, "photo_init", init::photos),
    route(Method::POST, "v2/post/publish/inbox/video/init", any, Upload, "inbox_init", init::draft),
    route(Method::PUT, "video", upload::is_last, Publish, "upload_last_chunk", upload::chunk),
    route(Method::PUT, "video", any, Upload, "upload_chunk", upload::chunk),
    route(Method::POST, "v2/post/publish/status/fetch", any, ReadBack, "status_fetch", publish::status),
    route(Method::POST, "v2/post/publish/cancel", any, Delete, "publish_cancel", publish::cancel),
    route(Method::POST, "v2/video/query", any, ReadBack, "video_query", videos::query),
    route(Method::POST, "v2/video/list", any, Find, "video_list", videos::list),
];

fn is_refresh(call: &Call) -> bool {
    call.param("grant_type") == Some("refresh_token")
}

fn is_pull(call: &Call) -> bool {
    let source = |json: &serde_json::Value| json["source_info"]["source"] == "PULL_FROM_URL";
    call.json.as_ref().is_some_and(source)
}

fn is_draft(call: &Call) -> bool {
    call.param("post_mode") == Some("MEDIA_UPLOAD")
}
