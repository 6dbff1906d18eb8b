//! The server about itself: its limits, its version, whether it is up.

use serde_json::{Value, json};

use super::media;
use crate::call::{Answer, Call};
use crate::world::World;

const VERSION: &str = "4.5.2";

/// `GET /api/v2/instance`.
pub(super) fn v2(world: &mut World, call: &Call) -> Answer {
    let root = format!("http://{}/mastodon", call.host);
    let picture = format!("{root}/packs/preview.png");
    Answer::ok(&json!({
        "domain": call.host,
        "title": "Mastodon",
        "version": VERSION,
        "source_url": "https://github.com/mastodon/mastodon",
        "description": "A simulated server",
        "usage": { "users": { "active_month": world.mastodon.accounts.len() } },
        "thumbnail": { "url": picture, "blurhash": null, "versions": {}, "description": "" },
        "icon": [{ "src": picture, "size": "36x36" }],
        "languages": ["en"],
        "configuration": configuration(world, &root),
        "registrations": {
            "enabled": false, "approval_required": false, "reason_required": false,
            "message": null, "min_age": null, "url": null,
        },
        "api_versions": { "mastodon": 7 },
        "contact": { "email": "admin@example.social", "account": null },
        "rules": [],
    }))
}

fn configuration(world: &World, root: &str) -> Value {
    let settings = &world.mastodon.settings;
    json!({
        "urls": {
            "streaming": root.replacen("http", "ws", 1),
            "status": null,
            "about": format!("{root}/about"),
            "privacy_policy": null,
            "terms_of_service": null,
        },
        "vapid": { "public_key": "BCk-QqERU0q-CfYZjcuB6lnyyOYfJ2AifKqfeGIm7Z-HiTU5T9eTG5GxVA0_OH5mMlI4UkkDTpaZwozy0TzdZ2M=" },
        "accounts": { "max_featured_tags": 10, "max_pinned_statuses": 5 },
        "statuses": {
            "max_characters": settings.max_characters,
            "max_media_attachments": settings.max_media_attachments,
            "characters_reserved_per_url": settings.characters_reserved_per_url,
        },
        "media_attachments": {
            "description_limit": 1500,
            "supported_mime_types": media::TYPES.map(|(mime, _)| mime),
            "image_size_limit": settings.image_size_limit,
            "image_matrix_limit": 33_177_600,
            "video_size_limit": settings.video_size_limit,
            "video_frame_rate_limit": 120,
            "video_matrix_limit": 8_294_400,
        },
        "polls": {
            "max_options": 4,
            "max_characters_per_option": 50,
            "min_expiration": 300,
            "max_expiration": 2_629_746,
        },
        "translation": { "enabled": false },
        "limited_federation": false,
    })
}

/// `GET /api/v1/instance`, which clients still ask for the version.
pub(super) fn v1(world: &mut World, call: &Call) -> Answer {
    let root = format!("http://{}/mastodon", call.host);
    let mut configuration = configuration(world, &root);
    if let Some(fields) = configuration.as_object_mut() {
        fields.retain(|name, _| {
            matches!(
                &**name,
                "accounts" | "statuses" | "media_attachments" | "polls"
            )
        });
    }
    Answer::ok(&json!({
        "uri": call.host,
        "title": "Mastodon",
        "short_description": "A simulated server",
        "description": "A simulated server",
        "email": "admin@example.social",
        "version": VERSION,
        "urls": { "streaming_api": root.replacen("http", "ws", 1) },
        "stats": {
            "user_count": world.mastodon.accounts.len(),
            "status_count": world.mastodon.statuses.len(),
            "domain_count": 1,
        },
        "thumbnail": format!("{root}/packs/preview.png"),
        "languages": ["en"],
        "registrations": false,
        "approval_required": false,
        "invites_enabled": false,
        "configuration": configuration,
        "contact_account": null,
        "rules": [],
    }))
}

/// `GET /health`.
pub(super) fn health(_: &mut World, _: &Call) -> Answer {
    Answer::ok(&json!({ "status": "UP" }))
}
