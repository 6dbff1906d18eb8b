//! Telegram.

use crate::{
    failure::RateScope,
    platform::{
        Capabilities, FormatRow, ImageLimits, Lookup, Prepares, PublishKey, RefreshRule,
        RevokeReach, Span, Step, TextUnit, VideoLimits, capabilities::ANY_RATIO,
    },
    post::Format,
    time::{hours, seconds},
};

const MB: u64 = 1_000_000;

/// A bot's token does not end by itself. Nothing of ours travels with a message, and no method reads one or lists
/// them: a lost answer ends unconfirmed, and the answer is the only proof.
pub(in crate::platform) static TELEGRAM: Capabilities = Capabilities {
    name: "telegram",
    display_name: "Telegram",
    network: "Telegram",
    access_lifetime: None,
    refresh_lifetime: None,
    refresh_end_is_fixed: false,
    refresh: RefreshRule::None,
    refresh_by_token: false,
    has_endless_tokens: false,
    refresh_min_age: seconds(0),
    // A bot's token is nobody's consent, and no method ends it.
    revokes: RevokeReach::Token,
    client_document: false,
    introspects: false,
    lists_destinations: false,
    // A bot's rights belong to the channel, not to the token: a check sees them as its role there.
    required_scopes: &[],
    optional_scopes: &[],
    former_scopes: &[],
    paid_probe_every: None,
    publish_key: PublishKey::Nothing,
    lookup: Lookup::Nothing,
    prepares: Prepares::Never,
    steps: &[Step {
        name: "sendMessage",
        repeatable: false,
    }],
    settle: seconds(5),
    // The files travel in the one call that publishes.
    publish_timeout: seconds(120),
    processing_max: hours(1),
    text_max: 4_096,
    text_unit: TextUnit::Utf16,
    text_max_bytes: None,
    caption_max: Some(1_024),
    title_max: 0,
    takes_links: false,
    link_with_media: false,
    formats: &[FormatRow {
        format: Format::Feed,
        images: Span { min: 0, max: 10 },
        videos: Span { min: 0, max: 10 },
        media_max: 10,
        mixed: true,
        image: Some(ImageLimits {
            types: &["image/jpeg", "image/png"],
            max_bytes: 10 * MB,
            // Width and height together are at most 10,000: what is over it and within this, Telegram refuses.
            width: Span { min: 1, max: 9_999 },
            ratio: Span {
                min: 50,
                max: 20_000,
            },
        }),
        video: Some(VideoLimits {
            types: &["video/mp4"],
            max_bytes: 50 * MB,
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
    reads_back: false,
    deletes: true,
    rate_scopes: &[RateScope::Account],
    webhooks: &["my_chat_member", "channel_post", "edited_channel_post"],
};
