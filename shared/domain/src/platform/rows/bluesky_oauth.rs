//! Bluesky (OAuth).

use crate::{
    platform::{Capabilities, RefreshRule},
    time::hours,
};

/// The same repositories with OAuth: tokens are bound to a key of ours, and a refresh token works once. The lifetimes are
/// those of a client with a key of its own; without one a session ends after two weeks.
pub(in crate::platform) static BLUESKY_OAUTH: Capabilities = Capabilities {
    name: "bluesky_oauth",
    display_name: "Bluesky (OAuth)",
    access_lifetime: Some(hours(1)),
    refresh: RefreshRule::SingleUse,
    client_document: true,
    required_scopes: &["atproto", "transition:generic"],
    ..super::BLUESKY
};
