//! Threads.

use crate::{
    failure::RateScope,
    platform::{
        Capabilities, FormatRow, ImageLimits, Lookup, Prepares, PublishKey, RefreshRule,
        RevokeReach, Right, Span, Step, TextUnit, VideoLimits,
        capabilities::{ANY_RATIO, ANY_WIDTH},
    },
    post::Format,
    time::{days, hours, seconds},
};

const MB: u64 = 1_000_000;

/// Tokens live 60 days and are refreshed, once they are a day old, while they live. Every post is a container that
/// is published by a call of its own.
pub(in crate::platform) static THREADS: Capabilities = Capabilities {
    name: "threads",
    display_name: "Threads",
    network: "Threads",
    access_lifetime: Some(days(60)),
    refresh_lifetime: None,
    refresh_end_is_fixed: false,
    refresh: RefreshRule::Repeatable,
    refresh_by_token: false,
    has_endless_tokens: false,
    refresh_min_age: hours(24),
    revokes: RevokeReach::Consent,
    client_document: false,
    introspects: true,
    lists_destinations: true,
    required_scopes: &["threads_basic", "threads_content_publish"],
    optional_scopes: &[("threads_delete", Right::Delete)],
    former_scopes: &[],
    paid_probe_every: None,
    publish_key: PublishKey::Nothing,
    lookup: Lookup::Handle,
    prepares: Prepares::Always,
    steps: &[
        Step {
            name: "threads",
            repeatable: true,
        },
        Step {
            name: "threads_publish",
            repeatable: false,
        },
    ],
    settle: seconds(10),
    publish_timeout: seconds(60),
    processing_max: hours(24),
    text_max: 500,
    text_unit: TextUnit::Bytes,
    text_max_bytes: None,
    caption_max: None,
    title_max: 0,
    takes_links: true,
    link_with_media: false,
    formats: &[FormatRow {
        format: Format::Feed,
        images: Span { min: 0, max: 20 },
        videos: Span { min: 0, max: 20 },
        media_max: 20,
        mixed: true,
        image: Some(ImageLimits {
            types: &["image/jpeg", "image/png"],
            max_bytes: 8 * MB,
            width: ANY_WIDTH,
            ratio: Span {
                min: 100,
                max: 10_000,
            },
        }),
        video: Some(VideoLimits {
            types: &["video/mp4", "video/quicktime"],
            max_bytes: 1_000 * MB,
            duration_ms: Span {
                min: 1,
                max: 300_000,
            },
            ratio: ANY_RATIO,
        }),
        text_only: true,
        lives: None,
    }],
    pulls_media: true,
    reads_back: true,
    deletes: true,
    rate_scopes: &[RateScope::Account, RateScope::App],
    webhooks: &["publish", "delete", "deauthorize", "data_deletion"],
};
