//! The endpoints. Fault rules and counters use the names that stand here.

use axum::http::Method;

use super::{accounts, apps, instance, media, oauth, statuses, timeline};
use crate::call::Call;
use crate::calls::Operation::{
    Check, Connect, Delete, Disconnect, Find, Publish, ReadBack, Upload,
};
use crate::routes::{Route, any, route};

#[rustfmt::skip]
pub(super) static ROUTES: &[Route] = &[
    route(Method::POST, "api/v1/apps", any, Connect, "register_app", apps::register),
    route(Method::GET, "api/v1/apps/verify_credentials", any, Check, "verify_app", apps::verify),
    route(Method::GET, ".well-known/oauth-authorization-server", any, Connect, "discovery", oauth::discovery),
    route(Method::GET, "oauth/authorize", any, Connect, "authorize", oauth::authorize),
    route(Method::POST, "oauth/token", any, Connect, "token", oauth::token),
    route(Method::POST, "oauth/revoke", any, Disconnect, "revoke", oauth::revoke),
    route(Method::GET, "api/v1/accounts/verify_credentials", any, Check, "verify_credentials", accounts::verify),
    route(Method::GET, "api/v1/accounts/*", any, Check, "account", accounts::show),
    route(Method::GET, "api/v1/accounts/*/statuses", any, Find, "account_statuses", timeline::of_account),
    route(Method::GET, "api/v2/instance", any, Check, "instance", instance::v2),
    route(Method::GET, "api/v1/instance", any, Check, "instance_v1", instance::v1),
    route(Method::GET, "health", any, Check, "health", instance::health),
    route(Method::POST, "api/v2/media", any, Upload, "upload_media", media::upload),
    route(Method::POST, "api/v1/media", any, Upload, "upload_media", media::upload),
    route(Method::GET, "api/v1/media/*", any, Upload, "media", media::show),
    route(Method::PUT, "api/v1/media/*", any, Upload, "describe_media", media::describe),
    route(Method::POST, "api/v1/statuses", any, Publish, "create_status", statuses::create),
    route(Method::GET, "api/v1/statuses", any, ReadBack, "statuses", timeline::several),
    route(Method::GET, "api/v1/statuses/*", any, ReadBack, "status", timeline::show),
    route(Method::GET, "api/v1/statuses/*/source", any, ReadBack, "status_source", timeline::source),
    route(Method::PUT, "api/v1/statuses/*", any, Publish, "edit_status", statuses::edit),
    route(Method::DELETE, "api/v1/statuses/*", any, Delete, "delete_status", statuses::delete),
    route(Method::GET, "*/*", is_profile, ReadBack, "permalink", timeline::permalink),
];

/// `/@name/id`, the address that everybody sees.
fn is_profile(call: &Call) -> bool {
    call.segment(0).starts_with('@')
}
