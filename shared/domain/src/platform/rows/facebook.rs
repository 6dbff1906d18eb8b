//! Facebook Pages.

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
/// Documented for photos of posts and of stories alike.
const IMAGES: &[&str] = &[
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/bmp",
    "image/tiff",
];
const VIDEOS: &[&str] = &["video/mp4", "video/quicktime"];

/// Page tokens do not end; the user token behind them lives 60 days and can be re-exchanged while it lives. A post
/// carries nothing of ours: `published_posts` shows it within seconds. A video's id is known before it is published,
/// and asking for that video tells what became of it.
///
/// Photos up to 10 MB are what the documents say since 2025; before, and in the platform's own refusal (1366046), it
/// was 4 MB.
pub(in crate::platform) static FACEBOOK: Capabilities = Capabilities {
    name: "facebook",
    display_name: "Facebook Pages",
    network: "Facebook",
    access_lifetime: Some(days(60)),
    refresh_lifetime: None,
    refresh_end_is_fixed: false,
    refresh: RefreshRule::Repeatable,
    refresh_by_token: false,
    has_endless_tokens: true,
    refresh_min_age: seconds(0),
    revokes: RevokeReach::Consent,
    client_document: false,
    introspects: true,
    lists_destinations: true,
    required_scopes: &[
        "pages_show_list",
        "pages_manage_posts",
        "pages_read_engagement",
    ],
    optional_scopes: &[],
    former_scopes: &["manage_pages", "publish_pages"],
    paid_probe_every: None,
    publish_key: PublishKey::Nothing,
    lookup: Lookup::Recent,
    prepares: Prepares::Media,
    steps: &[
        Step {
            name: "photos",
            repeatable: true,
        },
        Step {
            name: "videos (start, transfer)",
            repeatable: true,
        },
        Step {
            name: "video_reels, video_stories (start)",
            repeatable: true,
        },
        Step {
            name: "video-upload",
            repeatable: true,
        },
        Step {
            name: "feed, photo_stories, or finish",
            repeatable: false,
        },
    ],
    settle: seconds(10),
    publish_timeout: seconds(30),
    processing_max: hours(2),
    text_max: 63_206,
    text_unit: TextUnit::Characters,
    text_max_bytes: None,
    caption_max: None,
    title_max: 0,
    takes_links: true,
    link_with_media: false,
    formats: &[
        FormatRow {
            format: Format::Feed,
            images: Span { min: 0, max: 10 },
            videos: Span { min: 0, max: 1 },
            media_max: 10,
            mixed: false,
            image: Some(ImageLimits {
                types: IMAGES,
                max_bytes: 10 * MB,
                width: ANY_WIDTH,
                ratio: ANY_RATIO,
            }),
            video: Some(VideoLimits {
                types: VIDEOS,
                max_bytes: 10_000 * MB,
                duration_ms: Span {
                    min: 1_000,
                    max: 14_400_000,
                },
                ratio: ANY_RATIO,
            }),
            text_only: true,
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
                types: VIDEOS,
                max_bytes: 1_000 * MB,
                duration_ms: Span {
                    min: 3_000,
                    max: 90_000,
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
                types: IMAGES,
                max_bytes: 10 * MB,
                width: ANY_WIDTH,
                ratio: ANY_RATIO,
            }),
            video: Some(VideoLimits {
                types: VIDEOS,
                max_bytes: 1_000 * MB,
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
    pulls_media: false,
    reads_back: true,
    deletes: true,
    rate_scopes: &[RateScope::Account, RateScope::App],
    webhooks: &["feed", "permissions", "deauthorize", "data_deletion"],
};
