//! Instagram.

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

/// Tokens live 60 days and are refreshed, once they are a day old, while they live. Every post is a container that
/// is published by a call of its own.
pub(in crate::platform) static INSTAGRAM: Capabilities = Capabilities {
    name: "instagram",
    display_name: "Instagram",
    network: "Instagram",
    access_lifetime: Some(days(60)),
    refresh_lifetime: None,
    refresh_end_is_fixed: false,
    refresh: RefreshRule::Repeatable,
    refresh_by_token: false,
    has_endless_tokens: false,
    refresh_min_age: hours(24),
    revokes: RevokeReach::Consent,
    client_document: false,
    introspects: false,
    lists_destinations: true,
    required_scopes: &[
        "instagram_business_basic",
        "instagram_business_content_publish",
    ],
    optional_scopes: &[],
    former_scopes: &[
        // The names of Instagram Login until January 2025, and those of Basic Display, which ended in December 2024.
        "business_basic",
        "business_content_publish",
        "user_profile",
        "user_media",
    ],
    paid_probe_every: None,
    publish_key: PublishKey::Nothing,
    lookup: Lookup::Handle,
    prepares: Prepares::Always,
    steps: &[
        Step {
            name: "media",
            repeatable: true,
        },
        Step {
            name: "media_publish",
            repeatable: false,
        },
    ],
    settle: seconds(10),
    publish_timeout: seconds(60),
    processing_max: hours(24),
    text_max: 2_200,
    text_unit: TextUnit::Characters,
    text_max_bytes: None,
    caption_max: None,
    title_max: 0,
    takes_links: false,
    link_with_media: false,
    formats: &[
        FormatRow {
            format: Format::Feed,
            images: Span { min: 0, max: 10 },
            videos: Span { min: 0, max: 10 },
            media_max: 10,
            mixed: true,
            image: Some(ImageLimits {
                types: &["image/jpeg"],
                max_bytes: 8 * MB,
                width: ANY_WIDTH,
                ratio: Span {
                    min: 800,
                    max: 1_910,
                },
            }),
            video: Some(VideoLimits {
                types: &["video/mp4", "video/quicktime"],
                max_bytes: 300 * MB,
                duration_ms: Span {
                    min: 3_000,
                    max: 900_000,
                },
                ratio: ANY_RATIO,
            }),
            text_only: false,
            lives: None,
        },
        FormatRow {
            format: Format::Reel,
            images: Span { min: 0, max: 0 },
            videos: Span { min: 1, max: 1 },
            media_max: 1,
            mixed: false,
            image: None,
            video: Some(VideoLimits {
                types: &["video/mp4", "video/quicktime"],
                max_bytes: 300 * MB,
                duration_ms: Span {
                    min: 3_000,
                    max: 900_000,
                },
                ratio: ANY_RATIO,
            }),
            text_only: false,
            lives: None,
        },
        FormatRow {
            format: Format::Story,
            images: Span { min: 0, max: 1 },
            videos: Span { min: 0, max: 1 },
            media_max: 1,
            mixed: false,
            image: Some(ImageLimits {
                types: &["image/jpeg"],
                max_bytes: 8 * MB,
                width: ANY_WIDTH,
                ratio: ANY_RATIO,
            }),
            video: Some(VideoLimits {
                types: &["video/mp4", "video/quicktime"],
                max_bytes: 100 * MB,
                duration_ms: Span {
                    min: 3_000,
                    max: 60_000,
                },
                ratio: ANY_RATIO,
            }),
            text_only: false,
            lives: Some(hours(24)),
        },
    ],
    pulls_media: true,
    reads_back: true,
    deletes: false,
    rate_scopes: &[RateScope::Account, RateScope::App],
    webhooks: &["comments", "deauthorize", "data_deletion"],
};
