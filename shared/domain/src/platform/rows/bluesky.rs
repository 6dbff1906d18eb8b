//! Bluesky.

use crate::{
    failure::RateScope,
    platform::{
        Capabilities, FormatRow, ImageLimits, Lookup, Prepares, PublishKey, RefreshRule,
        RevokeReach, Span, Step, TextUnit, VideoLimits,
        capabilities::{ANY_RATIO, ANY_WIDTH},
    },
    post::Format,
    time::{days, hours, seconds},
};

const MB: u64 = 1_000_000;

/// App-password sessions: access 2 hours, refresh 90 days, and a spent refresh token answers with the same successor
/// for 2 hours. Record keys are ours.
pub(in crate::platform) static BLUESKY: Capabilities = Capabilities {
    name: "bluesky",
    display_name: "Bluesky",
    network: "Bluesky",
    access_lifetime: Some(hours(2)),
    refresh_lifetime: Some(days(90)),
    refresh_end_is_fixed: false,
    refresh: RefreshRule::Grace(hours(2)),
    refresh_by_token: true,
    has_endless_tokens: false,
    refresh_min_age: seconds(0),
    // `deleteSession` ends the session that it is called with.
    revokes: RevokeReach::Token,
    client_document: false,
    introspects: false,
    lists_destinations: true,
    required_scopes: &[],
    optional_scopes: &[],
    former_scopes: &[],
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
    caption_max: None,
    title_max: 0,
    takes_links: true,
    link_with_media: false,
    formats: &[FormatRow {
        format: Format::Feed,
        images: Span { min: 0, max: 4 },
        videos: Span { min: 0, max: 1 },
        media_max: 4,
        mixed: false,
        image: Some(ImageLimits {
            types: &["image/jpeg", "image/png", "image/gif", "image/webp"],
            max_bytes: 2 * MB,
            width: ANY_WIDTH,
            ratio: ANY_RATIO,
        }),
        video: Some(VideoLimits {
            types: &["video/mp4"],
            // What a server takes as one blob (52,428,800 bytes where nobody set it otherwise).
            max_bytes: 50 * MB,
            duration_ms: Span {
                min: 1,
                max: 180_000,
            },
            ratio: ANY_RATIO,
        }),
        text_only: true,
        lives: None,
    }],
    pulls_media: false,
    reads_back: true,
    deletes: true,
    rate_scopes: &[RateScope::Account, RateScope::Provider],
    webhooks: &[],
};
