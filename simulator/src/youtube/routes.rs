//! The endpoints of Google that matter for videos. Fault rules and counters use the names that
//! stand here.

use axum::http::Method;

use super::{channels, consent, insert, playlist, token, upload, videos, websub};
use crate::call::Call;
use crate::calls::Operation::{
    Check, Connect, Delete, Disconnect, Find, Publish, ReadBack, Refresh, Upload,
};
use crate::routes::{Route, any, route};

const UPLOADS: &str = "upload/youtube/v3/videos";
const RESUMABLE: &str = "resumable/upload/youtube/v3/videos";

/// The first row that fits wins.
#[rustfmt::skip]
pub(super) static ROUTES: &[Route] = &[
    route(Method::GET, "o/oauth2/v2/auth", any, Connect, "authorize", consent::authorize),
    route(Method::POST, "token", is_refresh, Refresh, "token_refresh", token::refresh),
    route(Method::POST, "token", any, Connect, "token_exchange", token::exchange),
    route(Method::POST, "revoke", any, Disconnect, "revoke", token::revoke),
    route(Method::GET, "tokeninfo", any, Check, "tokeninfo", token::info),
    route(Method::POST, "tokeninfo", any, Check, "tokeninfo", token::info),
    route(Method::GET, "youtube/v3/channels", any, Check, "channels_list", channels::list),
    route(Method::POST, UPLOADS, any, Upload, "upload_start", insert::start),
    route(Method::POST, RESUMABLE, any, Upload, "upload_start", insert::start),
    route(Method::PUT, UPLOADS, upload::is_probe, Find, "upload_probe", upload::put),
    route(Method::PUT, RESUMABLE, upload::is_probe, Find, "upload_probe", upload::put),
    route(Method::PUT, UPLOADS, upload::is_last, Publish, "upload_finish", upload::put),
    route(Method::PUT, RESUMABLE, upload::is_last, Publish, "upload_finish", upload::put),
    route(Method::PUT, UPLOADS, any, Upload, "upload_chunk", upload::put),
    route(Method::PUT, RESUMABLE, any, Upload, "upload_chunk", upload::put),
    route(Method::GET, "youtube/v3/videos", any, ReadBack, "videos_list", videos::list),
    route(Method::GET, "youtube/v3/playlistItems", any, Find, "playlist_items_list", playlist::list),
    route(Method::DELETE, "youtube/v3/videos", any, Delete, "videos_delete", videos::delete),
    route(Method::POST, "subscribe", any, Connect, "hub_subscribe", websub::subscribe),
];

fn is_refresh(call: &Call) -> bool {
    call.param("grant_type") == Some("refresh_token")
}
