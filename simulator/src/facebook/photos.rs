//! Photos: where they come from, and what they may be used for.

use super::{Photo, form, media_errors, publish};
use crate::call::{Answer, Call};
use crate::world::World;

/// What the first bytes of a picture file are: JPEG, PNG, GIF, BMP, TIFF, WebP.
const SIGNATURES: [&[u8]; 7] = [
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"GIF8",
    b"BM",
    b"II*\0",
    b"MM\0*",
    b"RIFF",
];

/// The photo of a call: a file in the field `source`, or an address in `url`.
pub(crate) fn received(world: &World, call: &Call, page: &str) -> Result<Photo, Answer> {
    let url = match form::file(call, "source") {
        Some(bytes) => check_file(world, bytes)?,
        None => check_address(world, form::field(call, "url").unwrap_or(""))?,
    };
    let page = page.to_owned();
    let used = false;
    Ok(Photo { page, url, used })
}

fn check_file(world: &World, bytes: &[u8]) -> Result<String, Answer> {
    if !SIGNATURES.iter().any(|s| bytes.starts_with(s)) {
        return Err(media_errors::bad_photo(Some(2_069_019)));
    }
    if bytes.len() > world.facebook.media.rules.photo_max_bytes {
        return Err(media_errors::photo_too_large());
    }
    Ok(super::media::File::whole(bytes).origin())
}

fn check_address(world: &World, url: &str) -> Result<String, Answer> {
    if !publish::is_web_address(url) {
        return Err(super::errors::content_refused(
            "Missing or invalid image file",
            "The photo could not be fetched from its URL.",
        ));
    }
    if !world.facebook.media.reaches(url) {
        return Err(media_errors::bad_photo(None));
    }
    Ok(url.to_owned())
}

/// Checks that photos are the page's own and not part of a post.
pub(crate) fn check_unused(world: &World, page: &str, photos: &[String]) -> Result<(), Answer> {
    for id in photos {
        let photo = world.facebook.photos.get(id).filter(|p| p.page == page);
        let photo = photo.ok_or_else(|| super::errors::no_such_object("post", id))?;
        if photo.used {
            return Err(media_errors::photo_used());
        }
    }
    Ok(())
}

/// From now on these photos belong to a post.
pub(crate) fn mark_used(world: &mut World, photos: &[String]) {
    for id in photos {
        if let Some(photo) = world.facebook.photos.get_mut(id) {
            photo.used = true;
        }
    }
}
