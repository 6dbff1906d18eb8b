//! LinkedIn's endpoints. Fault rules and counters use the names that stand here.

use axum::http::Method;

use super::{assets, introspect, members, oauth, posts, read, uploads, webhooks};
use crate::call::Call;
use crate::calls::Operation::{
    Check, Connect, Delete, Disconnect, Find, Publish, ReadBack, Refresh, Unknown, Upload,
};
use crate::routes::{Route, any, route};

/// The first row that fits wins.
#[rustfmt::skip]
pub(super) static ROUTES: &[Route] = &[
    route(Method::GET, "oauth/v2/authorization", any, Connect, "authorization", oauth::authorization),
    route(Method::POST, "oauth/v2/accessToken", is_refresh, Refresh, "refresh_token", oauth::refresh),
    route(Method::POST, "oauth/v2/accessToken", any, Connect, "code_exchange", oauth::exchange_code),
    route(Method::POST, "oauth/v2/introspectToken", any, Check, "introspect", introspect::introspect),
    route(Method::POST, "oauth/v2/revoke", any, Disconnect, "revoke", introspect::revoke),
    route(Method::GET, "v2/userinfo", any, Check, "userinfo", members::userinfo),
    route(Method::GET, "v2/me", any, Check, "me", members::me),
    route(Method::GET, "rest/organizationAcls", is_assignee_finder, Check, "organization_acls", members::roles),
    route(Method::GET, "rest/organizations", has_ids, Check, "organizations", members::organizations),
    route(Method::GET, "rest/organizations/*", any, Check, "organization", members::organization),
    route(Method::POST, "rest/posts", any, Publish, "create_post", posts::create),
    route(Method::POST, "rest/posts/*", is_partial_update, Unknown, "update_post", posts::update),
    route(Method::GET, "rest/posts", is_author_finder, Find, "find_posts", read::find),
    route(Method::GET, "rest/posts", has_ids, ReadBack, "batch_get_posts", read::several),
    route(Method::GET, "rest/posts/*", any, ReadBack, "get_post", read::one),
    route(Method::DELETE, "rest/posts/*", any, Delete, "delete_post", posts::delete),
    route(Method::POST, "rest/images", is_initialize, Upload, "initialize_image", uploads::initialize),
    route(Method::POST, "rest/documents", is_initialize, Upload, "initialize_document", uploads::initialize),
    route(Method::POST, "rest/videos", is_initialize, Upload, "initialize_video", uploads::initialize),
    route(Method::POST, "rest/videos", is_finalize, Upload, "finalize_video", uploads::finalize),
    route(Method::GET, "rest/images/*", any, Upload, "image_status", assets::read),
    route(Method::GET, "rest/documents/*", any, Upload, "document_status", assets::read),
    route(Method::GET, "rest/videos/*", any, Upload, "video_status", assets::read),
    route(Method::PUT, "dms-uploads/image/*/*", any, Upload, "upload_image", uploads::put_file),
    route(Method::PUT, "dms-uploads/document/*/*", any, Upload, "upload_document", uploads::put_file),
    route(Method::PUT, "dms-uploads/video/*/*", any, Upload, "upload_video_part", uploads::put_part),
    route(Method::PUT, "rest/eventSubscriptions/*", any, Connect, "subscribe", webhooks::subscribe),
    route(Method::GET, "rest/eventSubscriptions/*", any, Check, "subscription", webhooks::show),
    route(Method::DELETE, "rest/eventSubscriptions/*", any, Disconnect, "unsubscribe", webhooks::unsubscribe),
];

fn is_refresh(call: &Call) -> bool {
    call.param("grant_type") == Some("refresh_token")
}

fn is_assignee_finder(call: &Call) -> bool {
    call.param("q") == Some("roleAssignee")
}

fn is_author_finder(call: &Call) -> bool {
    call.param("q") == Some("author")
}

fn has_ids(call: &Call) -> bool {
    call.param("ids").is_some()
}

fn is_partial_update(call: &Call) -> bool {
    call.header("x-restli-method")
        .eq_ignore_ascii_case("PARTIAL_UPDATE")
}

fn is_initialize(call: &Call) -> bool {
    call.param("action") == Some("initializeUpload")
}

fn is_finalize(call: &Call) -> bool {
    call.param("action") == Some("finalizeUpload")
}
