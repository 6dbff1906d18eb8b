//! Files: uploaded, then processed. Pictures are ready at once; videos, sounds and animations
//! answer 202, and 206 until they are.

use super::{Media, access, entities, errors, multipart};
use crate::call::{Answer, Call};
use crate::facebook::flat;
use crate::world::World;

/// Kinds that are taken, by MIME type.
pub(super) const TYPES: [(&str, &str); 11] = [
    ("image/jpeg", "image"),
    ("image/png", "image"),
    ("image/gif", "gifv"),
    ("image/webp", "image"),
    ("image/heic", "image"),
    ("image/avif", "image"),
    ("video/mp4", "video"),
    ("video/webm", "video"),
    ("video/quicktime", "video"),
    ("audio/mpeg", "audio"),
    ("audio/ogg", "audio"),
];

/// `POST /api/v2/media` (and the older `/api/v1/media`).
pub(super) fn upload(world: &mut World, call: &Call) -> Answer {
    flat(receive(world, call))
}

fn receive(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let (_, account) = access::person(world, call, &["write:media"])?;
    let parts = multipart::parts(call);
    let blank = || errors::invalid("File can't be blank");
    let file = parts.iter().find(|p| p.name == "file").ok_or_else(blank)?;
    if file.body.is_empty() {
        return Err(blank());
    }
    let kind = TYPES
        .iter()
        .find(|(mime, _)| *mime == file.content_type)
        .map(|(_, kind)| *kind);
    let bad = || errors::invalid("File content type is invalid, File is invalid");
    let kind = kind.ok_or_else(bad)?;
    let settings = &world.mastodon.settings;
    let (most, name) = if kind == "image" {
        (settings.image_size_limit, "16 MB")
    } else {
        (settings.video_size_limit, "99 MB")
    };
    if file.body.len() > most {
        return Err(errors::invalid(&format!(
            "File file size must be less than {name}"
        )));
    }
    let slow = kind != "image" || settings.slow_images;
    let ready_at = world.now + if slow { settings.processing_ms } else { 0 };
    let description = parts.iter().find(|p| p.name == "description");
    let description = description.map(|p| String::from_utf8_lossy(p.body).into_owned());
    let owner = world.mastodon.accounts.get_mut(&account);
    let failed = owner.is_some_and(|a| std::mem::take(&mut a.fail_next_media));
    let id = world.mastodon.id(world.now).to_string();
    let media = Media {
        account,
        kind,
        description,
        ready_at,
        failed,
        status: None,
    };
    if failed && !slow {
        return Err(errors::error(
            500,
            "Error processing thumbnail for uploaded media",
        ));
    }
    let status = if slow { 202 } else { 200 };
    let out = entities::media(world, &call.host, &id, &media);
    world.mastodon.media.insert(id, media);
    Ok(Answer::json(status, &out))
}

/// `GET /api/v1/media/:id`: 206 while it is processed, 422 when that failed, 404 once it hangs
/// on a post.
pub(super) fn show(world: &mut World, call: &Call) -> Answer {
    flat(own(world, call).map(|id| {
        let media = &world.mastodon.media[&id];
        let status = if world.now < media.ready_at { 206 } else { 200 };
        if status == 200 && media.failed {
            return errors::error(422, "Error processing thumbnail for uploaded media");
        }
        Answer::json(status, &entities::media(world, &call.host, &id, media))
    }))
}

/// `PUT /api/v1/media/:id`: another description.
pub(super) fn describe(world: &mut World, call: &Call) -> Answer {
    flat(own(world, call).map(|id| {
        let parts = multipart::parts(call);
        let part = parts.iter().find(|p| p.name == "description");
        let sent = part.map(|p| String::from_utf8_lossy(p.body).into_owned());
        let sent = sent.or_else(|| call.param("description").map(str::to_owned));
        if let Some(media) = world.mastodon.media.get_mut(&id) {
            media.description = sent.or(media.description.take());
        }
        let media = &world.mastodon.media[&id];
        Answer::ok(&entities::media(world, &call.host, &id, media))
    }))
}

/// The caller's file that hangs on no post yet.
fn own(world: &World, call: &Call) -> Result<String, Answer> {
    let (_, account) = access::person(world, call, &["write:media"])?;
    let id = call.segment(3);
    let media = world.mastodon.media.get(id);
    let free = media.filter(|m| m.account == account && m.status.is_none());
    free.map(|_| id.to_owned()).ok_or_else(errors::not_found)
}
