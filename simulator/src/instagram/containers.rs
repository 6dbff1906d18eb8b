//! Containers: what will be an image, a reel, a story or a carousel.

use serde_json::{Value, json};
use url::Url;

use super::door::{Door, Right};
use super::realm::publish::{self, Status};
use super::realm::{Draft, Quota, graph};
use super::{FLAVOR, errors};
use crate::call::{Answer, Call};
use crate::facebook::{self, flat};
use crate::world::World;

/// Characters of a caption.
const CAPTION_LIMIT: usize = 2200;
const HASHTAG_LIMIT: usize = 30;
const MENTION_LIMIT: usize = 20;
const CAROUSEL: std::ops::RangeInclusive<usize> = 2..=10;

/// `POST /{account}/media`.
pub(super) fn create(door: Door, world: &mut World, call: &Call) -> Answer {
    flat(contain(door, world, call))
}

fn contain(door: Door, world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let actor = door.actor(world, call, call.segment(0), Right::Publish)?;
    let account = &world.instagram.accounts[&actor.account];
    if let Some(refusal) = errors::of_state(account.state) {
        return Err(refusal);
    }
    let limit = world.instagram.settings.containers_per_day;
    if account.used(Quota::Containers, world.now) >= limit {
        return Err(errors::quota());
    }
    let draft = draft(call)?;
    check_text(&draft.text)?;
    check_children(world, &actor.account, &draft)?;
    let resumable = call.param("upload_type") == Some("resumable");
    if resumable && (door == Door::InstagramLogin || !draft.is_video) {
        return Err(facebook::errors::bad_parameter(
            "Param upload_type is not valid here",
        ));
    }
    if !resumable && draft.children.is_empty() {
        let url = draft.url.as_deref().unwrap_or("");
        check_url(url, draft.is_video)?;
        let refused = publish::refused_at_once(&mut world.instagram, &actor.account);
        if let Some(failure) = refused {
            return Err(errors::of_fetch(failure, url));
        }
    }
    let awaits = resumable.then_some(u64::MAX);
    let id = publish::contain(&FLAVOR, world, actor, draft, awaits);
    let mut body = json!({ "id": id });
    if resumable {
        let version = call.version.map_or(26, |(major, _)| major);
        let host = &call.host;
        body["uri"] =
            format!("http://{host}/facebook/rupload/ig-api-upload/v{version}.0/{id}").into();
    }
    Ok(Answer::ok(&body))
}

/// What the parameters describe.
fn draft(call: &Call) -> Result<Draft, Answer> {
    let (image, video) = (call.param("image_url"), call.param("video_url"));
    let is_child = call.param("is_carousel_item") == Some("true");
    let kind = call.param("media_type").unwrap_or("IMAGE");
    let is_upload = call.param("upload_type") == Some("resumable");
    let is_video = match kind {
        "IMAGE" | "CAROUSEL" => false,
        "REELS" => true,
        "VIDEO" if is_child => true,
        "VIDEO" => return Err(errors::video_is_reels()),
        "STORIES" => video.is_some() || (image.is_none() && is_upload),
        other => return Err(errors::media_type(other)),
    };
    let url = if is_video { video } else { image };
    let children = call.param("children").map(list).unwrap_or_default();
    if kind == "CAROUSEL" && !CAROUSEL.contains(&children.len()) {
        return Err(errors::children_count());
    }
    let missing = url.is_none() && kind != "CAROUSEL" && !is_upload;
    if missing {
        let name = if is_video { "video_url" } else { "image_url" };
        let text = format!("The parameter {name} is required");
        return Err(facebook::errors::bad_parameter(&text));
    }
    Ok(Draft {
        kind: kind.to_owned(),
        // Stories and parts of carousels have no caption.
        text: match kind {
            "STORIES" => String::new(),
            _ if is_child => String::new(),
            _ => call.param("caption").unwrap_or("").to_owned(),
        },
        url: url.map(str::to_owned),
        is_video,
        link: None,
        alt_text: call.param("alt_text").map(str::to_owned),
        children: if kind == "CAROUSEL" {
            children
        } else {
            Vec::new()
        },
        is_child,
        reply_to: None,
    })
}

/// `1,2`, `["1","2"]` or `[1,2]`.
fn list(text: &str) -> Vec<String> {
    let parts = text.trim_matches(['[', ']']).split(',');
    let parts = parts.map(|p| p.trim().trim_matches('"').to_owned());
    parts.filter(|p| !p.is_empty()).collect()
}

fn check_text(caption: &str) -> Result<(), Answer> {
    let length = caption.chars().count();
    let words = |mark: char| caption.matches(mark).count();
    if length > CAPTION_LIMIT {
        let text = format!("The caption has {length} characters; {CAPTION_LIMIT} are allowed.");
        return Err(errors::caption(&text));
    }
    if words('#') > HASHTAG_LIMIT || words('@') > MENTION_LIMIT {
        let text = "A caption has at most 30 hashtags and 20 @ tags.";
        return Err(errors::caption(text));
    }
    Ok(())
}

fn check_children(world: &World, account: &str, draft: &Draft) -> Result<(), Answer> {
    for id in &draft.children {
        let part = world.instagram.containers.get(id);
        let part = part.filter(|c| c.account == account && c.draft.is_child);
        match part.map(|c| c.status(world.now)) {
            Some(Status::Finished) => {}
            Some(Status::InProgress) => return Err(errors::not_ready()),
            Some(Status::Expired) => return Err(errors::container_expired()),
            Some(Status::Error(_) | Status::Published) | None => {
                return Err(errors::media_not_found());
            }
        }
    }
    Ok(())
}

/// The address is remembered, not fetched; its ending tells the format.
fn check_url(text: &str, is_video: bool) -> Result<(), Answer> {
    let url = Url::parse(text).ok();
    let url = url.filter(|u| matches!(u.scheme(), "http" | "https") && u.host().is_some());
    let url = url.ok_or_else(|| errors::cannot_fetch(text))?;
    let path = url.path().to_ascii_lowercase();
    let wrong = ["png", "gif", "webp", "bmp", "tiff", "heic"];
    let is_wrong = |e: &&str| path.ends_with(&format!(".{e}"));
    if !is_video && wrong.iter().any(is_wrong) {
        return Err(errors::image_format(text));
    }
    Ok(())
}

/// `GET /{container}`.
pub(super) fn status(door: Door, world: &mut World, call: &Call) -> Answer {
    flat(read_status(door, world, call))
}

fn read_status(door: Door, world: &World, call: &Call) -> Result<Answer, Answer> {
    let id = call.segment(0);
    door.owner(world, call, id, Right::Read)?;
    let container = &world.instagram.containers[id];
    let status = container.status(world.now);
    let object = graph::object(&graph::fields(call, &["id"]), "IGMediaContainer", |field| {
        Some(match field {
            "id" => json!(id),
            "status_code" => json!(status.as_str()),
            "status" => json!(sentence(status)),
            "copyright_check_status" => json!({ "status": "completed", "matches_found": false }),
            "video_status" => upload_status(container.upload),
            _ => return None,
        })
    })?;
    Ok(Answer::ok(&object))
}

fn sentence(status: Status) -> String {
    match status {
        Status::InProgress => "In Progress: Media is still being processed.".to_owned(),
        Status::Finished => {
            "Finished: Media has been uploaded and it is ready to be published.".to_owned()
        }
        Status::Error(failure) => {
            let subcode = errors::status_subcode(failure);
            format!("Error: Media upload has failed with error code {subcode}")
        }
        Status::Expired => "Expired: Media has not been published within 24 hours.".to_owned(),
        Status::Published => "Published: Media has been successfully published.".to_owned(),
    }
}

fn upload_status(upload: Option<(u64, u64)>) -> Value {
    let Some((length, received)) = upload else {
        return Value::Null;
    };
    let status = if received >= length {
        "complete"
    } else {
        "in_progress"
    };
    json!({ "uploading_phase": { "status": status, "bytes_transferred": received } })
}

/// `POST rupload.facebook.com/ig-api-upload/{version}/{container}`: bytes of a video, or its address in a header.
pub(super) fn upload(world: &mut World, call: &Call) -> Answer {
    flat(receive(world, call))
}

fn receive(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let id = call.segment(3);
    Door::FacebookLogin.owner(world, call, id, Right::Publish)?;
    let container = world.instagram.containers.get(id);
    let awaited = container.and_then(|c| c.upload);
    let (_, received) = awaited.ok_or_else(|| rupload_error("ProcessingFailedError", false))?;
    let now = world.now;
    let address = call.header("file_url");
    if !address.is_empty() {
        check_url(address, true)?;
        publish::receive(&mut world.instagram, id, u64::MAX, now);
        return Ok(received_all());
    }
    let number = |name| call.header(name).parse::<u64>().ok();
    let (Some(offset), Some(size)) = (number("offset"), number("file_size")) else {
        return Err(rupload_error("PartialRequestError", true));
    };
    let sent = call.body.len() as u64;
    if offset != received || offset + sent > size {
        return Err(rupload_error("OffsetInvalidError", true));
    }
    if let Some(container) = world.instagram.containers.get_mut(id) {
        container.upload = Some((size, received));
    }
    publish::receive(&mut world.instagram, id, offset + sent, now);
    if offset + sent < size {
        return Err(rupload_error("PartialRequestError", true));
    }
    Ok(received_all())
}

fn received_all() -> Answer {
    Answer::ok(&json!({ "success": true, "message": "Upload successful." }))
}

fn rupload_error(kind: &str, retriable: bool) -> Answer {
    let message = match kind {
        "OffsetInvalidError" => "Request starting offset is invalid",
        "PartialRequestError" => "Partial request (did not match length of file)",
        _ => "Request processing failed",
    };
    Answer::json(
        400,
        &json!({ "debug_info": { "retriable": retriable, "type": kind, "message": message } }),
    )
}
