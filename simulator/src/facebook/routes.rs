//! The Graph API's endpoints for pages. Fault rules and counters use the names that stand here.

use axum::http::Method;

use super::{find, introspect, nodes, oauth, publish};
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
    call.param("published") == Some("false")
}

/// Post ids have the form `{page}_{post}`.
fn is_post_id(call: &Call) -> bool {
    call.segment(0).contains('_')
}
