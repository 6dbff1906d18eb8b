//! The Resumable Upload API: a file is uploaded to the app first, and used by its handle.

use serde_json::json;

use super::access;
use super::media::File;
use super::{errors, flat, media_errors};
use crate::call::{Answer, Call};
use crate::world::{ALPHANUMERIC, World};

/// `POST /{app}/uploads` with `file_length`: a session.
pub(crate) fn start(world: &mut World, call: &Call) -> Answer {
    flat(start_session(world, call))
}

fn start_session(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    access::caller(world, call)?;
    let app = call.segment(0);
    if !world.facebook.apps.contains_key(app) {
        return Err(errors::no_such_object("post", app));
    }
    let length = call.param("file_length").and_then(|l| l.parse().ok());
    let length: u64 = length
        .filter(|l| *l > 0)
        .ok_or_else(|| errors::bad_parameter("Param file_length must be greater than 0"))?;
    let session = format!("upload:MTph{}", world.word(ALPHANUMERIC, 40));
    let uploads = &mut world.facebook.media.uploads;
    uploads.insert(session.clone(), File::of_size(length));
    Ok(Answer::ok(&json!({ "id": session })))
}

/// `POST /upload:{session}` with the header `file_offset` and bytes: a handle, once all are there.
pub(crate) fn transfer(world: &mut World, call: &Call) -> Answer {
    flat(take(world, call))
}

fn take(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    access::caller(world, call)?;
    let session = call.segment(0);
    let file = world.facebook.media.uploads.get_mut(session);
    let file = file.ok_or_else(|| errors::no_such_object("post", session))?;
    let offset = call.header("file_offset").parse::<u64>().ok();
    let size = file.size.unwrap_or(0);
    if offset != Some(file.received) || file.received + call.body.len() as u64 > size {
        return Err(media_errors::wrong_chunk(file.received, size));
    }
    file.append(&call.body);
    if file.received < size {
        return Err(media_errors::wrong_chunk(file.received, size));
    }
    let handle = format!("4::{}", world.word(ALPHANUMERIC, 40));
    let library = &mut world.facebook.media;
    if let Some(file) = library.uploads.remove(session) {
        library.handles.insert(handle.clone(), file);
    }
    Ok(Answer::ok(&json!({ "h": handle })))
}

/// `GET /upload:{session}`: where to go on.
pub(crate) fn offset(world: &mut World, call: &Call) -> Answer {
    flat(tell_offset(world, call))
}

fn tell_offset(world: &World, call: &Call) -> Result<Answer, Answer> {
    access::caller(world, call)?;
    let session = call.segment(0);
    let file = world.facebook.media.uploads.get(session);
    let file = file.ok_or_else(|| errors::no_such_object("get", session))?;
    Ok(Answer::ok(
        &json!({ "id": session, "file_offset": file.received }),
    ))
}
