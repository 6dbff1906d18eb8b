//! What things look like in answers.

use serde_json::{Value, json};

use super::{Account, MastodonAccountState, Media, Status, text};
use crate::clock::rfc3339;
use crate::world::World;

/// An account as others see it.
pub(super) fn account(world: &World, host: &str, id: &str, account: &Account) -> Value {
    let root = format!("https://{host}/mastodon");
    let picture = format!("{root}/avatars/original/missing.png");
    let own = world
        .mastodon
        .statuses
        .values()
        .filter(|s| s.account == id && !s.deleted);
    let mut out = json!({
        "id": id,
        "username": account.username,
        "acct": account.username,
        "display_name": account.username,
        "locked": false,
        "bot": false,
        "discoverable": true,
        "indexable": true,
        "group": false,
        "created_at": format!("{}T00:00:00.000Z", &rfc3339(account.created_at)[..10]),
        "note": "",
        "url": format!("{root}/@{}", account.username),
        "uri": format!("{root}/users/{}", account.username),
        "avatar": picture,
        "avatar_static": picture,
        "header": picture,
        "header_static": picture,
        "followers_count": 0,
        "following_count": 0,
        "statuses_count": own.count(),
        "last_status_at": null,
        "noindex": false,
        "emojis": [],
        "roles": [],
        "fields": [],
    });
    if let Some(acct) = &account.moved_to {
        let username = acct.split('@').next();
        out["moved"] = json!({ "id": "1", "username": username, "acct": acct });
    }
    match account.state {
        MastodonAccountState::Suspended => out["suspended"] = true.into(),
        MastodonAccountState::Limited => out["limited"] = true.into(),
        MastodonAccountState::Active
        | MastodonAccountState::Unconfirmed
        | MastodonAccountState::Pending
        | MastodonAccountState::Disabled
        | MastodonAccountState::Deleted => {}
    }
    out
}

/// A post.
pub(super) fn status(world: &World, host: &str, id: u64, status: &Status) -> Value {
    let root = format!("https://{host}/mastodon");
    let author = &world.mastodon.accounts[&status.account];
    let app = world.mastodon.apps.get(&status.app);
    let files = status.media.iter().filter_map(|m| {
        let file = world.mastodon.media.get(m)?;
        Some(media(world, host, m, file))
    });
    json!({
        "id": id.to_string(),
        "created_at": rfc3339(status.created_at),
        "in_reply_to_id": status.in_reply_to.map(|id| id.to_string()),
        "in_reply_to_account_id": null,
        "sensitive": status.sensitive,
        "spoiler_text": status.spoiler,
        "visibility": status.visibility,
        "language": status.language,
        "uri": format!("{root}/users/{}/statuses/{id}", author.username),
        "url": format!("{root}/@{}/{id}", author.username),
        "replies_count": 0,
        "reblogs_count": 0,
        "favourites_count": 0,
        "quotes_count": 0,
        "edited_at": status.edited_at.map(rfc3339),
        "favourited": false,
        "reblogged": false,
        "muted": false,
        "bookmarked": false,
        "pinned": false,
        "filtered": [],
        "content": text::html(&status.text),
        "reblog": null,
        "application": app.map(|a| json!({ "name": a.name, "website": a.website })),
        "account": account(world, host, &status.account, author),
        "media_attachments": files.collect::<Vec<_>>(),
        "mentions": [],
        "tags": [],
        "emojis": [],
        "card": null,
        "poll": null,
        "quote": null,
        "quote_approval": { "automatic": ["public"], "manual": [], "current_user": "automatic" },
    })
}

/// An uploaded file. Its `url` is null until it is processed.
pub(super) fn media(world: &World, host: &str, id: &str, media: &Media) -> Value {
    let ready = world.now >= media.ready_at && !media.failed;
    let url = format!("https://{host}/mastodon/system/media_attachments/files/{id}");
    json!({
        "id": id,
        "type": media.kind,
        "url": ready.then(|| format!("{url}/original")),
        "preview_url": ready.then(|| format!("{url}/small")),
        "remote_url": null,
        "preview_remote_url": null,
        "text_url": null,
        "meta": {},
        "description": media.description,
        "blurhash": null,
    })
}
