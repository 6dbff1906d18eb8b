//! Mastodon.

use crate::{
    failure::RateScope,
    platform::{
        Capabilities, FormatRow, ImageLimits, Lookup, Prepares, PublishKey, RefreshRule,
        RevokeReach, Right, Span, Step, TextUnit, VideoLimits,
        capabilities::{ANY_RATIO, ANY_WIDTH},
    },
    post::Format,
    time::{hours, seconds},
};

const MB: u64 = 1_000_000;

/// Tokens do not end. A post takes an idempotency key that the server keeps for an hour; it does not show it.
pub(in crate::platform) static MASTODON: Capabilities = Capabilities {
    name: "mastodon",
    display_name: "Mastodon",
    network: "Mastodon",
    access_lifetime: None,
    refresh_lifetime: None,
    refresh_end_is_fixed: false,
    refresh: RefreshRule::None,
    refresh_by_token: false,
    has_endless_tokens: false,
    refresh_min_age: seconds(0),
    // Its server revokes the one token that it is given (RFC 7009).
    revokes: RevokeReach::Token,
    client_document: false,
    introspects: false,
    lists_destinations: true,
    required_scopes: &["read:accounts", "read:statuses", "write:statuses"],
    optional_scopes: &[("write:media", Right::Media)],
    former_scopes: &[],
    paid_probe_every: None,
    publish_key: PublishKey::Idempotent(hours(1)),
    lookup: Lookup::Recent,
    prepares: Prepares::Media,
    steps: &[
        Step {
            name: "media",
            repeatable: true,
        },
        Step {
            name: "statuses",
            repeatable: true,
        },
    ],
    settle: seconds(5),
    publish_timeout: seconds(30),
    processing_max: hours(1),
    text_max: 500,
    text_unit: TextUnit::GraphemesWithUrls(23),
    text_max_bytes: None,
    caption_max: None,
    title_max: 0,
    takes_links: false,
    link_with_media: false,
    formats: &[FormatRow {
        format: Format::Feed,
        images: Span { min: 0, max: 4 },
        videos: Span { min: 0, max: 1 },
        media_max: 4,
        mixed: false,
        image: Some(ImageLimits {
            types: &["image/jpeg", "image/png", "image/gif", "image/webp"],
            max_bytes: 16 * MB,
            width: ANY_WIDTH,
            ratio: ANY_RATIO,
        }),
        video: Some(VideoLimits {
            types: &["video/mp4", "video/quicktime"],
            max_bytes: 99 * MB,
            duration_ms: Span {
                min: 1,
                max: 86_400_000,
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
