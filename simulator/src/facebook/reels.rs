//! Reels and video stories: begin, upload to the host for uploads, finish.

use serde_json::json;

use super::access;
use super::media::{self, File, Kind, Stage, Video};
use super::media_errors::{self, upload_refused};
use super::{errors, flat, form, publish, stories, videos};
use crate::call::{Answer, Call};
use crate::world::World;

const DAY_MS: i64 = 24 * 3600 * 1000;

/// `POST /{page}/video_reels` with `upload_phase` `start` or `finish`.
pub(crate) fn reel(world: &mut World, call: &Call) -> Answer {
    flat(by_phase(world, call, Kind::Reel))
}

/// `POST /{page}/video_stories`, the same for a story.
pub(crate) fn video_story(world: &mut World, call: &Call) -> Answer {
    flat(by_phase(world, call, Kind::Story))
}

fn by_phase(world: &mut World, call: &Call, kind: Kind) -> Result<Answer, Answer> {
    let phase = form::field(call, "upload_phase").unwrap_or("");
    match phase.to_ascii_lowercase().as_str() {
        "start" => start(world, call, kind),
        "finish" => finish(world, call, kind),
        _ => Err(errors::bad_parameter(
            "Param upload_phase must be one of {start, finish}",
        )),
    }
}

fn start(world: &mut World, call: &Call, kind: Kind) -> Result<Answer, Answer> {
    let (page, app) = publish::admit(world, call)?;
    let id = media::begin(world, page, app, kind, File::default());
    let (major, minor) = call.version.unwrap_or((26, 0));
    // The real host is rupload.facebook.com.
    let host = &call.host;
    let url = format!("http://{host}/facebook/video-upload/v{major}.{minor}/{id}");
    Ok(Answer::ok(&json!({ "video_id": id, "upload_url": url })))
}

/// `POST {upload_url}`: bytes from `offset` on of a file of `file_size` bytes, or `file_url`, all
/// of them headers.
pub(crate) fn upload(world: &mut World, call: &Call) -> Answer {
    flat(receive(world, call))
}

fn receive(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let token = access::bearer(world, call).ok_or_else(|| {
        // What this host says to a dead token is not documented; this is its form for errors.
        upload_refused(401, false, "NotAuthorizedError", "Authentication failed")
    })?;
    let id = call.path.rsplit('/').next().unwrap_or("").to_owned();
    let now = world.now;
    let library = &mut world.facebook.media;
    let is_reachable = library.reaches(call.header("file_url"));
    let own = |v: &&mut Video| token.page.as_ref() == Some(&v.page) && !v.deleted;
    let Some(video) = library.videos.get_mut(&id).filter(own) else {
        let text = "The video does not exist or belongs to another page";
        return Err(upload_refused(400, false, "NotAuthorizedError", text));
    };
    if video.stage(now) != Stage::Uploading {
        let text = "Request processing failed";
        return Err(upload_refused(400, false, "ProcessingFailedError", text));
    }
    let url = call.header("file_url");
    if url.is_empty() {
        take_bytes(video, call)?;
    } else if is_reachable && publish::is_web_address(url) {
        video.file = File::at(url);
    } else {
        let text = "Unable to fetch media from URL, got status code: 403 Restricted by robots.txt";
        return Err(upload_refused(422, false, "FileUrlProcessingError", text));
    }
    library.uploaded(&id, now);
    Ok(Answer::ok(&json!({ "success": true })))
}

/// Takes what was sent, also when it is less than was promised.
fn take_bytes(video: &mut Video, call: &Call) -> Result<(), Answer> {
    let number = |name| call.header(name).parse::<u64>().ok();
    let (offset, size) = (number("offset"), number("file_size").filter(|s| *s > 0));
    // From the beginning is always possible: it begins anew.
    if offset == Some(0) {
        video.file = File::default();
    }
    if offset != Some(video.file.received) {
        let text = "Request starting offset is invalid";
        return Err(upload_refused(412, true, "OffsetInvalidError", text));
    }
    let sent = call.body.len() as u64;
    if size.is_none_or(|size| video.file.received + sent > size) {
        let text = "Partial request (did not match length of file)";
        return Err(upload_refused(400, false, "PartialRequestError", text));
    }
    video.file.size = size;
    video.file.append(&call.body);
    if size == Some(video.file.received) {
        Ok(())
    } else {
        let text = "Partial request (did not match length of file)";
        Err(upload_refused(400, true, "PartialRequestError", text))
    }
}

fn finish(world: &mut World, call: &Call, kind: Kind) -> Result<Answer, Answer> {
    let (page, _) = publish::admit(world, call)?;
    let id = form::field(call, "video_id").unwrap_or("").to_owned();
    publish::check_length(form::text(call, "description"))?;
    let state = form::text(call, "video_state").map(str::to_ascii_uppercase);
    let is_published = match (kind, state.as_deref()) {
        (Kind::Story, _) | (_, Some("PUBLISHED")) => true,
        (_, Some("DRAFT")) => false,
        _ => {
            return Err(errors::bad_parameter(
                "Param video_state must be one of {DRAFT, PUBLISHED}; SCHEDULED is not simulated",
            ));
        }
    };
    let own = |v: &&Video| v.page == page && v.kind == kind && !v.deleted;
    let video = world.facebook.media.videos.get(&id).filter(own);
    let video = video.ok_or_else(|| errors::no_such_object("post", &id))?;
    match video.stage(world.now) {
        Stage::Uploading | Stage::Expired => return Err(media_errors::upload_missing()),
        Stage::Processing | Stage::Failed | Stage::Ready => {}
    }
    // What the platform says to a second "finish" is not documented. It is one video, so there is
    // never a second post of it.
    if video.finished_at.is_some() && video.wanted {
        return Err(errors::bad_parameter("The video was already published"));
    }
    if kind == Kind::Reel
        && is_published
        && reels_today(world, &page) >= world.facebook.media.rules.reels_per_day
    {
        return Err(media_errors::too_many_reels());
    }
    let mut answer = json!({ "success": true });
    if kind == Kind::Story {
        let post = stories::reserve(world);
        answer["post_id"] = post.as_str().into();
        world.facebook.media.promise(&id, post);
    }
    media::finish(world, &id, videos::wish(call, is_published));
    Ok(Answer::ok(&answer))
}

/// Reels of the page that were told to be published within the last 24 hours.
fn reels_today(world: &World, page: &str) -> usize {
    let is_one = |v: &&Video| {
        let at = v.finished_at.filter(|at| world.now - at < DAY_MS);
        v.kind == Kind::Reel && v.wanted && v.page == page && at.is_some()
    };
    world.facebook.media.videos.values().filter(is_one).count()
}
