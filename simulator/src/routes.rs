//! The routing table: every endpoint, its operation and its handler. Fault
//! rules and counters use the names that stand here.

use axum::http::Method;

use crate::bluesky::{read, repo, session};
use crate::call::{Answer, Call};
use crate::calls::Operation;
use crate::facebook::{find, introspect, nodes, oauth, publish};
use crate::ledger::Platform;
use crate::world::World;

pub(crate) type Handler = fn(&mut World, &Call) -> Answer;

/// One endpoint.
pub(crate) struct Route {
    pub(crate) platform: Platform,
    method: Method,
    /// Segments; `*` stands for any one segment.
    pattern: &'static str,
    /// Tells endpoints of the same path apart.
    when: fn(&Call) -> bool,
    pub(crate) operation: Operation,
    pub(crate) name: &'static str,
    pub(crate) handler: Handler,
}

const fn facebook(
    method: Method,
    pattern: &'static str,
    when: fn(&Call) -> bool,
    operation: Operation,
    name: &'static str,
    handler: Handler,
) -> Route {
    Route {
        platform: Platform::Facebook,
        method,
        pattern,
        when,
        operation,
        name,
        handler,
    }
}

const fn bluesky(
    method: Method,
    pattern: &'static str,
    operation: Operation,
    name: &'static str,
    handler: Handler,
) -> Route {
    Route {
        platform: Platform::Bluesky,
        method,
        pattern,
        when: any,
        operation,
        name,
        handler,
    }
}

/// The first row that fits wins.
#[rustfmt::skip]
static ROUTES: &[Route] = {
    use Operation::{Check, Connect, Delete, Disconnect, Find, Publish, ReadBack, Refresh, Upload};
    const GET: Method = Method::GET;
    const POST: Method = Method::POST;
    const DELETE: Method = Method::DELETE;
    &[
        facebook(GET, "debug_token", any, Check, "debug_token", introspect::debug_token),
        facebook(GET, "oauth/access_token", is_exchange, Refresh, "fb_exchange_token", oauth::exchange_token),
        facebook(GET, "oauth/access_token", is_client_credentials, Connect, "client_credentials", oauth::client_credentials),
        facebook(GET, "oauth/access_token", any, Connect, "code_exchange", oauth::exchange_code),
        facebook(GET, "dialog/oauth", any, Connect, "dialog_oauth", oauth::dialog),
        facebook(GET, "me/accounts", any, Check, "me_accounts", nodes::accounts),
        facebook(GET, "me/permissions", any, Check, "me_permissions", introspect::permissions),
        facebook(GET, "*/accounts", any, Check, "me_accounts", nodes::accounts),
        facebook(GET, "*/permissions", any, Check, "me_permissions", introspect::permissions),
        facebook(DELETE, "*/permissions", any, Disconnect, "revoke_app", oauth::revoke),
        facebook(DELETE, "*/permissions/*", any, Disconnect, "revoke_permission", oauth::revoke),
        facebook(POST, "*/feed", any, Publish, "page_feed_post", publish::feed),
        facebook(POST, "*/photos", is_unpublished, Upload, "page_photo_upload", publish::photo),
        facebook(POST, "*/photos", any, Publish, "page_photo_post", publish::photo),
        facebook(GET, "*/published_posts", any, Find, "published_posts", find::posts),
        facebook(GET, "*/feed", any, Find, "page_feed", find::posts),
        facebook(GET, "me", any, Check, "me", nodes::node),
        facebook(GET, "*", is_post_id, ReadBack, "post", nodes::post),
        facebook(GET, "*", any, Check, "node", nodes::node),
        facebook(DELETE, "*", any, Delete, "delete_post", publish::delete),

        bluesky(POST, "xrpc/com.atproto.server.createSession", Connect, "createSession", session::create),
        bluesky(POST, "xrpc/com.atproto.server.refreshSession", Refresh, "refreshSession", session::refresh),
        bluesky(GET, "xrpc/com.atproto.server.getSession", Check, "getSession", session::get),
        bluesky(POST, "xrpc/com.atproto.server.deleteSession", Disconnect, "deleteSession", session::delete),
        bluesky(GET, "xrpc/com.atproto.identity.resolveHandle", Connect, "resolveHandle", read::resolve_handle),
        bluesky(GET, "xrpc/com.atproto.sync.getRepoStatus", Check, "getRepoStatus", read::repo_status),
        bluesky(POST, "xrpc/com.atproto.repo.putRecord", Publish, "putRecord", repo::put),
        bluesky(POST, "xrpc/com.atproto.repo.createRecord", Publish, "createRecord", repo::create),
        bluesky(POST, "xrpc/com.atproto.repo.deleteRecord", Delete, "deleteRecord", repo::delete),
        bluesky(POST, "xrpc/com.atproto.repo.uploadBlob", Upload, "uploadBlob", repo::upload_blob),
        bluesky(GET, "xrpc/com.atproto.repo.getRecord", ReadBack, "getRecord", read::record),
        bluesky(GET, "xrpc/com.atproto.repo.listRecords", Find, "listRecords", read::list),
    ]
};

/// The endpoint that a call means.
pub(crate) fn find_route(platform: Platform, call: &Call) -> Option<&'static Route> {
    ROUTES.iter().find(|r| {
        r.platform == platform
            && r.method == call.method
            && matches_pattern(r.pattern, &call.path)
            && (r.when)(call)
    })
}

/// Whether an operation or endpoint of that platform has this name.
pub(crate) fn is_name(platform: Platform, name: &str) -> bool {
    ROUTES
        .iter()
        .any(|r| r.platform == platform && (r.name == name || r.operation.as_str() == name))
}

fn matches_pattern(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut found) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return true,
            (Some("*"), Some(segment)) if !segment.is_empty() => {}
            (Some(w), Some(f)) if w == f => {}
            _ => return false,
        }
    }
}

fn any(_: &Call) -> bool {
    true
}

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
