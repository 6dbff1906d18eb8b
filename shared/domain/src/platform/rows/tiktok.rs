//! TikTok.

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

/// Access tokens live a day, refresh tokens a year (newer pages say 2 hours and 180 days; what an answer says counts),
/// and a refresh ends the refresh token that it spends. A video is uploaded, and its last chunk publishes it; photos are
/// fetched by TikTok. The publish id is what a post is looked for by. Nothing can be deleted.
pub(in crate::platform) static TIKTOK: Capabilities = Capabilities {
    name: "tiktok",
    display_name: "TikTok",
    network: "TikTok",
    access_lifetime: Some(hours(24)),
    refresh_lifetime: Some(days(365)),
    refresh_end_is_fixed: false,
    refresh: RefreshRule::SingleUse,
    refresh_by_token: true,
    has_endless_tokens: false,
    refresh_min_age: seconds(0),
    revokes: RevokeReach::Consent,
    client_document: false,
    introspects: false,
    lists_destinations: true,
    required_scopes: &["user.info.basic", "video.publish", "video.list"],
    optional_scopes: &[],
    former_scopes: &[],
    paid_probe_every: None,
    publish_key: PublishKey::Nothing,
    lookup: Lookup::Handle,
    prepares: Prepares::Always,
    steps: &[
        Step {
            name: "creator_info",
            repeatable: true,
        },
        Step {
            name: "video/init",
            repeatable: true,
        },
        Step {
            name: "chunks",
            repeatable: true,
        },
        Step {
            name: "last chunk, or content/init of photos",
            repeatable: false,
        },
    ],
    settle: seconds(10),
    publish_timeout: seconds(60),
    processing_max: hours(24),
    text_max: 2_200,
    text_unit: TextUnit::Utf16,
    text_max_bytes: None,
    caption_max: None,
    title_max: 90,
    takes_links: false,
    link_with_media: false,
    formats: &[FormatRow {
        format: Format::Feed,
        images: Span { min: 0, max: 35 },
        videos: Span { min: 0, max: 1 },
        media_max: 35,
        mixed: false,
        image: Some(ImageLimits {
            types: &["image/jpeg", "image/webp"],
            max_bytes: 20 * MB,
            width: ANY_WIDTH,
            ratio: ANY_RATIO,
        }),
        video: Some(VideoLimits {
            types: &["video/mp4", "video/quicktime", "video/webm"],
            max_bytes: 4_000 * MB,
            duration_ms: Span {
                min: 3_000,
                max: 600_000,
            },
            ratio: ANY_RATIO,
        }),
        text_only: false,
        lives: None,
    }],
    pulls_media: true,
    reads_back: true,
    deletes: false,
    rate_scopes: &[RateScope::Account, RateScope::App],
    webhooks: &[
        "authorization.removed",
        "post.publish.complete",
        "post.publish.failed",
        "post.publish.publicly_available",
        "post.publish.no_longer_publicaly_available",
    ],
};
