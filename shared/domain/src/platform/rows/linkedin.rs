//! LinkedIn.

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

/// Access tokens live 60 days; refresh tokens 365 days from the consent, whatever is refreshed meanwhile. A member's
/// post cannot be read back: the 201 with its id is the proof.
pub(in crate::platform) static LINKEDIN: Capabilities = Capabilities {
    name: "linkedin",
    display_name: "LinkedIn",
    network: "LinkedIn",
    access_lifetime: Some(days(60)),
    refresh_lifetime: Some(days(365)),
    refresh_end_is_fixed: true,
    refresh: RefreshRule::Repeatable,
    refresh_by_token: true,
    has_endless_tokens: false,
    refresh_min_age: seconds(0),
    revokes: RevokeReach::Consent,
    client_document: false,
    introspects: true,
    lists_destinations: true,
    required_scopes: &["openid", "profile", "w_member_social"],
    optional_scopes: &[],
    former_scopes: &["r_basicprofile", "r_liteprofile", "w_share"],
    paid_probe_every: None,
    publish_key: PublishKey::Nothing,
    lookup: Lookup::Nothing,
    prepares: Prepares::Media,
    steps: &[
        Step {
            name: "initializeUpload",
            repeatable: true,
        },
        Step {
            name: "upload",
            repeatable: true,
        },
        Step {
            name: "finalizeUpload",
            repeatable: true,
        },
        Step {
            name: "posts",
            repeatable: false,
        },
    ],
    settle: seconds(10),
    publish_timeout: seconds(30),
    processing_max: hours(2),
    text_max: 3_000,
    text_unit: TextUnit::Utf16,
    text_max_bytes: None,
    caption_max: None,
    title_max: 0,
    takes_links: true,
    link_with_media: false,
    formats: &[FormatRow {
        format: Format::Feed,
        images: Span { min: 0, max: 20 },
        videos: Span { min: 0, max: 1 },
        media_max: 20,
        mixed: false,
        image: Some(ImageLimits {
            types: &["image/jpeg", "image/png", "image/gif"],
            max_bytes: 36 * MB,
            width: ANY_WIDTH,
            ratio: ANY_RATIO,
        }),
        video: Some(VideoLimits {
            types: &["video/mp4"],
            max_bytes: 500 * MB,
            duration_ms: Span {
                min: 3_000,
                max: 1_800_000,
            },
            ratio: ANY_RATIO,
        }),
        text_only: true,
        lives: None,
    }],
    pulls_media: false,
    reads_back: false,
    deletes: true,
    rate_scopes: &[RateScope::Account, RateScope::App],
    webhooks: &[],
};
