//! Instagram (Facebook Login).

use crate::{
    failure::RateScope,
    platform::{
        Capabilities, Lookup, Prepares, PublishKey, RefreshRule, RevokeReach, Right, Step, TextUnit,
    },
    time::{days, hours, seconds},
};

/// The same accounts by way of a Facebook Page: the tokens are Facebook's, and posts can be deleted (since December
/// 2025).
pub(in crate::platform) static INSTAGRAM_FACEBOOK: Capabilities = Capabilities {
    name: "instagram_facebook",
    display_name: "Instagram (Facebook Login)",
    network: "Instagram",
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
        "instagram_basic",
        "instagram_content_publish",
        "pages_show_list",
        "pages_read_engagement",
    ],
    optional_scopes: &[("instagram_manage_contents", Right::Delete)],
    former_scopes: &["manage_pages", "publish_pages"],
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
    formats: super::INSTAGRAM.formats,
    pulls_media: true,
    reads_back: true,
    deletes: true,
    rate_scopes: &[RateScope::Account, RateScope::App],
    webhooks: &["comments", "permissions", "deauthorize", "data_deletion"],
};
