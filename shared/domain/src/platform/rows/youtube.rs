//! YouTube.

use crate::{
    failure::RateScope,
    platform::{
        Capabilities, FormatRow, Lookup, Prepares, PublishKey, RefreshRule, RevokeReach, Right,
        Span, Step, TextUnit, VideoLimits, capabilities::ANY_RATIO,
    },
    post::Format,
    time::{hours, seconds},
};

const MB: u64 = 1_000_000;

/// Access tokens live an hour; refresh tokens are not replaced and die unused after six months. A video comes to exist
/// with the last piece of its upload, and the upload session tells whether it did.
pub(in crate::platform) static YOUTUBE: Capabilities = Capabilities {
    name: "youtube",
    display_name: "YouTube",
    network: "YouTube",
    access_lifetime: Some(hours(1)),
    refresh_lifetime: None,
    refresh_end_is_fixed: false,
    refresh: RefreshRule::Repeatable,
    refresh_by_token: true,
    has_endless_tokens: false,
    refresh_min_age: seconds(0),
    revokes: RevokeReach::Consent,
    client_document: false,
    introspects: true,
    lists_destinations: true,
    required_scopes: &[
        "https://www.googleapis.com/auth/youtube.upload",
        "https://www.googleapis.com/auth/youtube.readonly",
    ],
    optional_scopes: &[(
        "https://www.googleapis.com/auth/youtube.force-ssl",
        Right::Delete,
    )],
    former_scopes: &[],
    // A project has 10,000 units a day: hourly looks at the channel (one unit each) would be spent on 416 channels.
    // The hourly refresh proves the credential in between, free of units.
    paid_probe_every: Some(hours(24)),
    publish_key: PublishKey::Nothing,
    lookup: Lookup::Handle,
    prepares: Prepares::Always,
    steps: &[
        Step {
            name: "videos.insert (session)",
            repeatable: true,
        },
        Step {
            name: "videos.insert (last piece)",
            repeatable: true,
        },
    ],
    settle: seconds(10),
    publish_timeout: seconds(120),
    processing_max: hours(24),
    text_max: 5_000,
    text_unit: TextUnit::Bytes,
    text_max_bytes: None,
    caption_max: None,
    title_max: 100,
    takes_links: false,
    link_with_media: false,
    formats: &[
        FormatRow {
            format: Format::Feed,
            images: Span { min: 0, max: 0 },
            videos: Span { min: 1, max: 1 },
            media_max: 1,
            mixed: false,
            image: None,
            video: Some(VideoLimits {
                types: &["video/mp4", "video/quicktime"],
                max_bytes: 256_000 * MB,
                duration_ms: Span {
                    min: 1_000,
                    max: 43_200_000,
                },
                ratio: ANY_RATIO,
            }),
            text_only: false,
            lives: None,
        },
        FormatRow {
            format: Format::Short,
            images: Span { min: 0, max: 0 },
            videos: Span { min: 1, max: 1 },
            media_max: 1,
            mixed: false,
            image: None,
            video: Some(VideoLimits {
                types: &["video/mp4", "video/quicktime"],
                max_bytes: 256_000 * MB,
                duration_ms: Span {
                    min: 1_000,
                    max: 180_000,
                },
                ratio: ANY_RATIO,
            }),
            text_only: false,
            lives: None,
        },
    ],
    pulls_media: false,
    reads_back: true,
    deletes: true,
    rate_scopes: &[RateScope::App, RateScope::Account],
    webhooks: &["websub"],
};
