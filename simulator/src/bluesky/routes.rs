//! The XRPC methods. Fault rules and counters use the last parts of their names.

use axum::http::Method;

use super::{oauth, read, repo, session};
use crate::calls::Operation::{
    Check, Connect, Delete, Disconnect, Find, Publish, ReadBack, Refresh, Upload,
};
use crate::routes::{Route, any, route};

#[rustfmt::skip]
pub(super) static ROUTES: &[Route] = &[
    route(Method::POST, "xrpc/com.atproto.server.createSession", any, Connect, "createSession", session::create),
    route(Method::POST, "xrpc/com.atproto.server.refreshSession", any, Refresh, "refreshSession", session::refresh),
    route(Method::GET, "xrpc/com.atproto.server.getSession", any, Check, "getSession", session::get),
    route(Method::POST, "xrpc/com.atproto.server.deleteSession", any, Disconnect, "deleteSession", session::delete),
    route(Method::GET, "xrpc/com.atproto.identity.resolveHandle", any, Connect, "resolveHandle", read::resolve_handle),
    route(Method::GET, "xrpc/com.atproto.sync.getRepoStatus", any, Check, "getRepoStatus", read::repo_status),
    route(Method::POST, "xrpc/com.atproto.repo.putRecord", any, Publish, "putRecord", repo::put),
    route(Method::POST, "xrpc/com.atproto.repo.createRecord", any, Publish, "createRecord", repo::create),
    route(Method::POST, "xrpc/com.atproto.repo.deleteRecord", any, Delete, "deleteRecord", repo::delete),
    route(Method::POST, "xrpc/com.atproto.repo.uploadBlob", any, Upload, "uploadBlob", repo::upload_blob),
    route(Method::GET, "xrpc/com.atproto.repo.getRecord", any, ReadBack, "getRecord", read::record),
    route(Method::GET, "xrpc/com.atproto.repo.listRecords", any, Find, "listRecords", read::list),
    route(Method::GET, ".well-known/oauth-protected-resource", any, Connect, "protectedResource", oauth::protected_resource),
    route(Method::GET, ".well-known/oauth-authorization-server", any, Connect, "authorizationServer", oauth::authorization_server),
    route(Method::GET, "oauth/jwks", any, Connect, "jwks", oauth::jwks),
    route(Method::POST, "oauth/par", any, Connect, "par", oauth::push),
    route(Method::GET, "oauth/authorize", any, Connect, "authorize", oauth::authorize),
    route(Method::POST, "oauth/token", oauth::is_refresh, Refresh, "refreshToken", oauth::token),
    route(Method::POST, "oauth/token", any, Connect, "exchangeCode", oauth::token),
    route(Method::POST, "oauth/revoke", any, Disconnect, "revokeToken", oauth::revoke),
    route(Method::GET, "*", |call| call.path.starts_with("did:"), Connect, "didDocument", oauth::did_document),
];
