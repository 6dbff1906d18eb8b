//! The XRPC methods. Fault rules and counters use the last parts of their names.

use axum::http::Method;

use super::{read, repo, session};
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
];
