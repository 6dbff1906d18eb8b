//! X's endpoints. Fault rules and counters use the names that stand here.

use axum::http::Method;

use super::{billing, media, oauth, publish, read, timeline, webhooks};
use crate::call::Call;
use crate::calls::Operation::{
    Check, Connect, Delete, Disconnect, Find, Publish, ReadBack, Refresh, Upload,
};
use crate::routes::{Route, any, route};

/// The first row that fits wins.
#[rustfmt::skip]
pub(super) static ROUTES: &[Route] = &[
    route(Method::GET, "i/oauth2/authorize", any, Connect, "authorize", oauth::authorize),
    route(Method::GET, "2/oauth2/authorize", any, Connect, "authorize", oauth::authorize),
    route(Method::POST, "2/oauth2/token", is_refresh, Refresh, "refresh_token", oauth::refresh),
    route(Method::POST, "2/oauth2/token", any, Connect, "code_exchange", oauth::exchange),
    route(Method::POST, "oauth2/token", any, Connect, "app_token", oauth::app_token),
    route(Method::POST, "2/oauth2/revoke", any, Disconnect, "revoke", oauth::revoke),
    route(Method::GET, "2/users/me", any, Check, "users_me", read::me),
    route(Method::GET, "2/users/*/tweets", any, Find, "user_posts", timeline::posts),
    route(Method::GET, "2/tweets", any, ReadBack, "posts", read::posts),
    route(Method::GET, "2/tweets/*", any, ReadBack, "post", read::post),
    route(Method::POST, "2/tweets", any, Publish, "create_post", publish::create),
    route(Method::DELETE, "2/tweets/*", any, Delete, "delete_post", publish::delete),
    route(Method::POST, "2/media/upload/initialize", any, Upload, "media_initialize", media::initialize),
    route(Method::POST, "2/media/upload/*/append", any, Upload, "media_append", media::append),
    route(Method::POST, "2/media/upload/*/finalize", any, Upload, "media_finalize", media::finalize),
    route(Method::GET, "2/media/upload", any, Upload, "media_status", media::status),
    route(Method::POST, "2/media/upload", any, Upload, "media_upload", media::upload),
    route(Method::POST, "2/media/metadata", any, Upload, "media_metadata", media::metadata),
    route(Method::GET, "2/usage/tweets", any, Check, "usage", billing::report),
    route(Method::POST, "2/webhooks", any, Connect, "webhook_create", webhooks::create),
    route(Method::GET, "2/webhooks", any, Connect, "webhook_list", webhooks::list),
    route(Method::PUT, "2/webhooks/*", any, Connect, "webhook_validate", webhooks::validate),
    route(Method::DELETE, "2/webhooks/*", any, Connect, "webhook_delete", webhooks::delete),
    route(Method::POST, "2/activity/subscriptions", any, Connect, "subscription_create", webhooks::subscribe),
];

fn is_refresh(call: &Call) -> bool {
    call.param("grant_type") == Some("refresh_token")
}
