//! X.

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

/// Access tokens live two hours; each refresh token works once, and its second use ends the whole family. Reads are
/// billed, so a probe runs daily and before a post.
pub(in crate::platform) static X: Capabilities = Capabilities {
    name: "x",
    display_name: "X",
    network: "X",
    access_lifetime: Some(hours(2)),
    refresh_lifetime: Some(days(180)),
    refresh_end_is_fixed: false,
    refresh: RefreshRule::SingleUse,
    refresh_by_token: true,
    has_endless_tokens: false,
    refresh_min_age: seconds(0),
    revokes: RevokeReach::Consent,
    client_document: false,
    introspects: false,
    lists_destinations: true,
    required_scopes: &["tweet.read", "tweet.write", "users.read", "offline.access"],
    optional_scopes: &[("media.write", Right::Media)],
    former_scopes: &[],
    paid_probe_every: Some(hours(24)),
    publish_key: PublishKey::Nothing,
    lookup: Lookup::Recent,
    prepares: Prepares::Media,
    steps: &[
        Step {
            name: "media/upload",
            repeatable: true,
        },
        Step {
            name: "tweets",
            repeatable: false,
        },
    ],
    settle: seconds(60),
    publish_timeout: seconds(30),
    processing_max: hours(1),
    text_max: 280,
    text_unit: TextUnit::Weighted,
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
            max_bytes: 5 * MB,
            width: ANY_WIDTH,
            ratio: ANY_RATIO,
        }),
        video: Some(VideoLimits {
            types: &["video/mp4"],
            max_bytes: 512 * MB,
            duration_ms: Span {
                min: 500,
                max: 140_000,
            },
            ratio: ANY_RATIO,
        }),
        text_only: true,
        lives: None,
    }],
    pulls_media: false,
    reads_back: true,
    deletes: true,
    rate_scopes: &[RateScope::Account, RateScope::App],
    webhooks: &["oauth.revoke", "post.create", "post.delete"],
};
