//! Bluesky (OAuth).

use crate::{
    failure::RateScope,
    platform::{Capabilities, Lookup, Prepares, PublishKey, RefreshRule, Step, TextUnit},
    time::{days, hours, seconds},
};

/// The same repositories with OAuth: tokens are bound to a key of ours, and a refresh token works once. The lifetimes are
/// those of a client with a key of its own; without one a session ends after two weeks.
pub(in crate::platform) static BLUESKY_OAUTH: Capabilities = Capabilities {
    name: "bluesky_oauth",
    display_name: "Bluesky (OAuth)",
    network: "Bluesky",
    access_lifetime: Some(hours(1)),
    refresh_lifetime: Some(days(90)),
    refresh_end_is_fixed: false,
    refresh: RefreshRule::SingleUse,
    refresh_min_age: seconds(0),
    introspects: false,
    required_scopes: &["atproto", "transition:generic"],
    optional_scopes: &[],
    paid_probe_every: None,
    publish_key: PublishKey::Ours,
    lookup: Lookup::Key,
    prepares: Prepares::Media,
    steps: &[
        Step {
            name: "uploadBlob",
            repeatable: true,
        },
        Step {
            name: "putRecord",
            repeatable: true,
        },
    ],
    settle: seconds(2),
    publish_timeout: seconds(30),
    processing_max: hours(1),
    text_max: 300,
    text_unit: TextUnit::Graphemes,
    text_max_bytes: Some(3_000),
    title_max: 0,
    takes_links: true,
    formats: super::BLUESKY.formats,
    pulls_media: false,
    reads_back: true,
    deletes: true,
    rate_scopes: &[RateScope::Account, RateScope::Provider],
    webhooks: &[],
};
