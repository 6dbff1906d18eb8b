//! `POST /{page}/videos`: a video by address, as one file, by handle, or in chunks.

use serde_json::json;

use super::media::{self, File, Finish, Kind};
use super::{errors, flat, form, media_errors, publish};
use crate::call::{Answer, Call};
use crate::world::World;

const SESSION_NUMBERS: u64 = 122_500_000_000_000_000;

/// `POST /{page}/videos`. The answer names the video; its post comes to exist when the video is
/// processed.
pub(crate) fn video(world: &mut World, call: &Call) -> Answer {
    let phase = form::text(call, "upload_phase").map(str::to_ascii_lowercase);
    flat(match phase.as_deref() {
        None => whole(world, call),
        Some("start") => start(world, call),
        Some("transfer") => transfer(world, call),
        Some("finish") => finish(world, call),
        Some("cancel") => cancel(world, call),
        Some(other) => {
            let text = format!(
                "Param upload_phase must be one of {{start, transfer, finish, cancel}} - got \"{other}\""
            );
            Err(errors::bad_parameter(&text))
        }
    })
}

/// What the caller says about a video that is to be published.
pub(crate) fn wish(call: &Call, published: bool) -> Finish {
    let owned = |name| form::text(call, name).map(str::to_owned);
    Finish {
        title: owned("title"),
        description: owned("description"),
        published,
    }
}

fn is_published(call: &Call) -> bool {
    form::field(call, "published") != Some("false")
}

fn whole(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let (page, app) = publish::admit(world, call)?;
    publish::check_length(form::text(call, "description"))?;
    let file = file_of(world, call)?;
    let id = media::begin(world, page, app, Kind::Feed, file);
    world.facebook.media.uploaded(&id, world.now);
    media::finish(world, &id, wish(call, is_published(call)));
    Ok(Answer::ok(&json!({ "id": id })))
}

fn file_of(world: &mut World, call: &Call) -> Result<File, Answer> {
    if let Some(handle) = form::text(call, "fbuploader_video_file_chunk") {
        let file = world.facebook.media.handles.remove(handle);
        return file.ok_or_else(media_errors::upload_missing);
    }
    if let Some(bytes) = form::file(call, "source") {
        let is_there = !bytes.is_empty();
        return is_there
            .then(|| File::whole(bytes))
            .ok_or_else(media_errors::video_too_small);
    }
    let url = form::text(call, "file_url")
        .ok_or_else(|| errors::bad_parameter("One of source, file_url is required"))?;
    if publish::is_web_address(url) && world.facebook.media.reaches(url) {
        Ok(File::at(url))
    } else {
        Err(media_errors::cannot_fetch_video())
    }
}

fn start(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let (page, app) = publish::admit(world, call)?;
    let size = form::field(call, "file_size").and_then(|s| s.parse().ok());
    let size: u64 = size.ok_or_else(|| errors::bad_parameter("Param file_size is required"))?;
    if size == 0 {
        return Err(media_errors::video_too_small());
    }
    let id = media::begin(world, page, app, Kind::Feed, File::of_size(size));
    let session = world.facebook.number(SESSION_NUMBERS);
    world
        .facebook
        .media
        .sessions
        .insert(session.clone(), id.clone());
    let (start, end) = wanted(world, &id);
    Ok(Answer::ok(&json!({
        "video_id": id,
        "upload_session_id": session,
        "start_offset": start.to_string(),
        "end_offset": end.to_string(),
    })))
}

/// The bytes that are wanted next.
fn wanted(world: &World, video: &str) -> (u64, u64) {
    let library = &world.facebook.media;
    let file = library.videos.get(video).map(|v| &v.file);
    let (received, size) = file.map_or((0, 0), |f| (f.received, f.size.unwrap_or(0)));
    (received, size.min(received + library.rules.chunk_bytes))
}

/// The video of an upload session of this page.
fn session(world: &World, call: &Call, page: &str) -> Result<String, Answer> {
    let id = form::field(call, "upload_session_id").unwrap_or("");
    let library = &world.facebook.media;
    let video = library.sessions.get(id);
    let is_own = |id: &&String| library.videos.get(*id).is_some_and(|v| v.page == page);
    video
        .filter(is_own)
        .cloned()
        .ok_or_else(|| media_errors::wrong_chunk(0, 0))
}

fn transfer(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let (page, _) = publish::admit(world, call)?;
    let id = session(world, call, &page)?;
    let (start, end) = wanted(world, &id);
    let offset = form::field(call, "start_offset").and_then(|o| o.parse::<u64>().ok());
    let bytes = form::file(call, "video_file_chunk").unwrap_or_default();
    let fits = (1..=end - start).contains(&(bytes.len() as u64));
    if offset != Some(start) || !fits {
        return Err(media_errors::wrong_chunk(start, end));
    }
    if let Some(video) = world.facebook.media.videos.get_mut(&id) {
        video.file.append(bytes);
    }
    let (start, end) = wanted(world, &id);
    Ok(Answer::ok(&json!({
        "start_offset": start.to_string(),
        "end_offset": end.to_string(),
    })))
}

fn finish(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let (page, _) = publish::admit(world, call)?;
    let id = session(world, call, &page)?;
    publish::check_length(form::text(call, "description"))?;
    let (start, end) = wanted(world, &id);
    if start != end {
        return Err(media_errors::wrong_chunk(start, end));
    }
    let session = form::field(call, "upload_session_id").unwrap_or("");
    world.facebook.media.sessions.remove(session);
    world.facebook.media.uploaded(&id, world.now);
    media::finish(world, &id, wish(call, is_published(call)));
    Ok(Answer::ok(&json!({ "success": true })))
}

fn cancel(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let (page, _) = publish::admit(world, call)?;
    let id = session(world, call, &page)?;
    let session = form::field(call, "upload_session_id").unwrap_or("");
    world.facebook.media.sessions.remove(session);
    world.facebook.media.videos.remove(&id);
    Ok(Answer::ok(&json!({ "success": true })))
}
