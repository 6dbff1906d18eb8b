//! Posts: written, changed, taken back.

use super::{Status, access, entities, errors, params, text};
use crate::call::{Answer, Call};
use crate::facebook::flat;
use crate::ledger::{NewPost, Platform};
use crate::world::World;

/// How long an `Idempotency-Key` counts.
const KEY_LIFE_MS: i64 = 3600 * 1000;
const VISIBILITIES: [&str; 4] = ["public", "unlisted", "private", "direct"];

/// `POST /api/v1/statuses`. The same `Idempotency-Key` within an hour returns the same post,
/// whatever else the request says.
pub(super) fn create(world: &mut World, call: &Call) -> Answer {
    flat(publish(world, call))
}

fn publish(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let (app, account) = access::person(world, call, &["write:statuses"])?;
    let key = call.header("idempotency-key").to_owned();
    if let Some(id) = earlier(world, &account, &key)? {
        return Ok(show(world, call, id));
    }
    let draft = Status {
        text: call.param("status").unwrap_or("").to_owned(),
        spoiler: params::text(call, "spoiler_text").unwrap_or("").to_owned(),
        visibility: params::text(call, "visibility")
            .unwrap_or("public")
            .to_owned(),
        language: params::text(call, "language").map(str::to_owned),
        sensitive: params::flag(call, "sensitive"),
        in_reply_to: reply_to(world, call)?,
        media: params::list(call, "media_ids"),
        created_at: world.now,
        edited_at: None,
        deleted: false,
        account,
        app,
    };
    if params::text(call, "scheduled_at").is_some() {
        return Err(errors::error(422, "scheduled_at is not simulated"));
    }
    check(world, &draft)?;
    let id = store(world, draft, &key);
    Ok(show(world, call, id))
}

/// The post that this key made, if it still counts. A deleted one is not found.
fn earlier(world: &World, account: &str, key: &str) -> Result<Option<u64>, Answer> {
    if key.is_empty() || !world.mastodon.settings.idempotency {
        return Ok(None);
    }
    let known = world.mastodon.accounts[account].keys.get(key);
    let Some((id, _)) = known.filter(|(_, until)| *until > world.now) else {
        return Ok(None);
    };
    let live = world.mastodon.statuses.get(id).is_some_and(|s| !s.deleted);
    if live {
        Ok(Some(*id))
    } else {
        Err(errors::not_found())
    }
}

fn reply_to(world: &World, call: &Call) -> Result<Option<u64>, Answer> {
    let Some(id) = params::text(call, "in_reply_to_id") else {
        return Ok(None);
    };
    let id = id.parse().ok();
    let there = id.filter(|id| world.mastodon.statuses.get(id).is_some_and(|s| !s.deleted));
    let gone = "The post you are trying to reply to does not appear to exist.";
    there.map(Some).ok_or_else(|| errors::error(404, gone))
}

fn check(world: &World, draft: &Status) -> Result<(), Answer> {
    let settings = &world.mastodon.settings;
    check_media(world, draft)?;
    if draft.text.trim().is_empty() && draft.media.is_empty() {
        return Err(errors::invalid("Text can't be blank"));
    }
    if !VISIBILITIES.contains(&&*draft.visibility) {
        return Err(errors::invalid("Visibility is not included in the list"));
    }
    let length = text::length(&draft.text, settings.characters_reserved_per_url)
        + text::length(&draft.spoiler, settings.characters_reserved_per_url);
    if length > settings.max_characters {
        let most = settings.max_characters;
        return Err(errors::invalid(&format!(
            "Text character limit of {most} exceeded"
        )));
    }
    Ok(())
}

fn check_media(world: &World, draft: &Status) -> Result<(), Answer> {
    let most = world.mastodon.settings.max_media_attachments;
    if draft.media.len() > most {
        return Err(errors::error(
            422,
            &format!("Cannot attach more than {most} files"),
        ));
    }
    for id in &draft.media {
        let media = world.mastodon.media.get(id);
        let free = media.filter(|m| m.account == draft.account && m.status.is_none());
        let Some(media) = free else {
            let text = format!("Media {id} not found or already attached to another post");
            return Err(errors::error(422, &text));
        };
        if world.now < media.ready_at || media.failed {
            let text = "Cannot attach files that have not finished processing. Try again in a \
                        moment!";
            return Err(errors::error(422, text));
        }
        if matches!(media.kind, "video" | "audio") && draft.media.len() > 1 {
            let text = "Cannot attach a video to a post that already contains images";
            return Err(errors::error(422, text));
        }
    }
    Ok(())
}

fn store(world: &mut World, draft: Status, key: &str) -> u64 {
    let (now, id) = (world.now, world.mastodon.id(world.now));
    let remote_id = id.to_string();
    let post = NewPost {
        platform: Platform::Mastodon,
        account: &draft.account,
        remote_id: &remote_id,
        text: &draft.text,
        client_reference: Some(key).filter(|k| !k.is_empty()),
    };
    world.ledger.created(&post, now);
    let state = &mut world.mastodon;
    for media in &draft.media {
        if let Some(media) = state.media.get_mut(media) {
            media.status = Some(id);
        }
    }
    if let Some(account) = state
        .accounts
        .get_mut(&draft.account)
        .filter(|_| !key.is_empty())
    {
        account.keys.insert(key.to_owned(), (id, now + KEY_LIFE_MS));
    }
    state.statuses.insert(id, draft);
    id
}

fn show(world: &World, call: &Call, id: u64) -> Answer {
    let status = &world.mastodon.statuses[&id];
    Answer::ok(&entities::status(world, &call.host, id, status))
}

/// `PUT /api/v1/statuses/:id`.
pub(super) fn edit(world: &mut World, call: &Call) -> Answer {
    flat(own(world, call).and_then(|id| {
        let text = call.param("status").unwrap_or("").to_owned();
        let old = &world.mastodon.statuses[&id];
        if text.trim().is_empty() && old.media.is_empty() {
            return Err(errors::invalid("Text can't be blank"));
        }
        edit_by_hand(world, &id.to_string(), &text);
        Ok(show(world, call, id))
    }))
}

/// `DELETE /api/v1/statuses/:id` answers the post with its source; the second time it is not
/// found.
pub(super) fn delete(world: &mut World, call: &Call) -> Answer {
    flat(own(world, call).map(|id| {
        let status = &world.mastodon.statuses[&id];
        let mut out = entities::status(world, &call.host, id, status);
        out["text"] = status.text.as_str().into();
        remove(world, &id.to_string());
        Answer::ok(&out)
    }))
}

/// The caller's own post that is there.
fn own(world: &World, call: &Call) -> Result<u64, Answer> {
    let (_, account) = access::person(world, call, &["write:statuses"])?;
    let id = call
        .segment(3)
        .parse::<u64>()
        .map_err(|_| errors::not_found())?;
    let status = world.mastodon.statuses.get(&id);
    let own = status.filter(|s| s.account == account && !s.deleted);
    own.map(|_| id).ok_or_else(errors::not_found)
}

/// Deletes a post. Says whether there was one.
pub(super) fn remove(world: &mut World, id: &str) -> bool {
    let status = id
        .parse()
        .ok()
        .and_then(|n: u64| world.mastodon.statuses.get_mut(&n));
    let Some(status) = status.filter(|s| !s.deleted) else {
        return false;
    };
    status.deleted = true;
    world.ledger.deleted(id, world.now);
    true
}

/// Changes a post's text. Says whether there was one.
pub(super) fn edit_by_hand(world: &mut World, id: &str, text: &str) -> bool {
    let now = world.now;
    let status = id
        .parse()
        .ok()
        .and_then(|n: u64| world.mastodon.statuses.get_mut(&n));
    let Some(status) = status.filter(|s| !s.deleted) else {
        return false;
    };
    text.clone_into(&mut status.text);
    status.edited_at = Some(now);
    world.ledger.edited(id, text);
    true
}
