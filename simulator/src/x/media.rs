//! Media: uploaded in one call or in chunks, processed by the clock, good for a day.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::access::{self, Holder};
use super::{billing, errors, flat, multipart};
use crate::call::{Answer, Call};
use crate::world::World;

const LIFE_MS: i64 = 24 * 3600 * 1000;
const LARGEST_CHUNK: usize = 5 * 1024 * 1024;
const LARGEST_UPLOAD: u64 = 17_179_869_184;
const LAST_SEGMENT: u32 = 999;
const MEGABYTE: u64 = 1024 * 1024;

const CATEGORIES: [&str; 8] = [
    "amplify_video",
    "tweet_gif",
    "tweet_image",
    "tweet_video",
    "dm_gif",
    "dm_image",
    "dm_video",
    "subtitles",
];
const TYPES: [&str; 15] = [
    "video/mp4",
    "video/webm",
    "video/mp2t",
    "video/quicktime",
    "text/srt",
    "text/vtt",
    "image/jpeg",
    "image/gif",
    "image/bmp",
    "image/png",
    "image/webp",
    "image/pjpeg",
    "image/tiff",
    "model/gltf-binary",
    "model/vnd.usdz+zip",
];

/// One upload. Only its size is kept.
pub(crate) struct Media {
    pub(super) owner: String,
    pub(super) key: String,
    category: String,
    total: u64,
    segments: BTreeMap<u32, u64>,
    /// When the last chunk was confirmed, and how long processing takes from then on.
    finalized_at: Option<i64>,
    processing_ms: i64,
    fails: bool,
    pub(super) expires_at: i64,
    pub(super) alt_text: Option<String>,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Chunks are still to come.
    Open,
    /// Waits for its turn.
    Pending,
    /// Percent that are done.
    InProgress(i64),
    /// May be posted.
    Ready,
    /// Never will.
    Failed,
}

impl Media {
    /// The word for it in answers about posts.
    pub(super) fn kind(&self) -> &'static str {
        match self.category.as_str() {
            "tweet_video" | "amplify_video" | "dm_video" => "video",
            "tweet_gif" | "dm_gif" => "animated_gif",
            _ => "photo",
        }
    }

    pub(super) fn phase(&self, now: i64) -> Phase {
        let Some(finalized) = self.finalized_at else {
            return Phase::Open;
        };
        let passed = now - finalized;
        if self.processing_ms == 0 || passed >= self.processing_ms {
            return if self.fails {
                Phase::Failed
            } else {
                Phase::Ready
            };
        }
        // The first tenth of the time it stands in line.
        if passed * 10 < self.processing_ms {
            return Phase::Pending;
        }
        Phase::InProgress(passed * 100 / self.processing_ms)
    }

    fn largest(&self) -> u64 {
        match self.kind() {
            "video" => 512 * MEGABYTE,
            "animated_gif" => 15 * MEGABYTE,
            _ => 5 * MEGABYTE,
        }
    }

    /// Images that need no processing say nothing about it.
    fn processing_info(&self, now: i64) -> Option<Value> {
        if self.processing_ms == 0 && !self.fails {
            return None;
        }
        let left_s = self
            .finalized_at
            .map_or(1, |f| (f + self.processing_ms - now + 999) / 1000);
        let wait = left_s.clamp(1, 60);
        Some(match self.phase(now) {
            Phase::Open => return None,
            Phase::Pending => json!({ "state": "pending", "check_after_secs": wait }),
            Phase::InProgress(percent) => {
                json!({ "state": "in_progress", "check_after_secs": wait, "progress_percent": percent })
            }
            Phase::Ready => json!({ "state": "succeeded", "progress_percent": 100 }),
            Phase::Failed => json!({
                "state": "failed",
                "progress_percent": 100,
                "error": { "code": 1, "name": "InvalidMedia", "message": "Unsupported video format" },
            }),
        })
    }

    fn answer(&self, id: &str, now: i64) -> Answer {
        let mut data = json!({
            "id": id,
            "media_key": self.key,
            "size": self.segments.values().sum::<u64>(),
            "expires_after_secs": (self.expires_at - now) / 1000,
        });
        if let Some(info) = self.processing_info(now) {
            data["processing_info"] = info;
        }
        Answer::ok(&json!({ "data": data }))
    }
}

/// `POST /2/media/upload/initialize`.
pub(super) fn initialize(world: &mut World, call: &Call) -> Answer {
    flat(begin(world, call))
}

fn begin(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let holder = access::uploader(world, call)?;
    let body = call.json.clone().unwrap_or(Value::Null);
    let category = body["media_category"].as_str().unwrap_or("tweet_image");
    let media_type = body["media_type"].as_str().unwrap_or("");
    if !CATEGORIES.contains(&category) {
        return Err(errors::invalid(
            "media_category",
            category,
            "$.media_category: does not have a value in the enumeration",
        ));
    }
    if !TYPES.contains(&media_type) {
        return Err(errors::invalid(
            "media_type",
            media_type,
            "$.media_type: does not have a value in the enumeration",
        ));
    }
    let total = body["total_bytes"]
        .as_u64()
        .filter(|t| (1..=LARGEST_UPLOAD).contains(t));
    let wrong_size = || {
        errors::invalid(
            "total_bytes",
            "",
            "$.total_bytes: must have a maximum value of 17179869184",
        )
    };
    let total = total.ok_or_else(wrong_size)?;
    let (id, media) = new_media(world, &holder, category, total);
    if total > media.largest() {
        return Err(errors::invalid(
            "total_bytes",
            &total.to_string(),
            "File size exceeds the limit.",
        ));
    }
    let answer = json!({ "data": {
        "id": id,
        "media_key": media.key,
        "expires_after_secs": LIFE_MS / 1000,
    } });
    world.x.media.insert(id, media);
    Ok(Answer::ok(&answer))
}

fn new_media(world: &mut World, holder: &Holder, category: &str, total: u64) -> (String, Media) {
    let id = world.x.id(world.now);
    let prefix = match category {
        "tweet_video" | "dm_video" => 7,
        "amplify_video" => 13,
        "tweet_gif" | "dm_gif" => 16,
        _ => 3,
    };
    let media = Media {
        owner: holder.user.clone(),
        key: format!("{prefix}_{id}"),
        category: category.to_owned(),
        total,
        segments: BTreeMap::new(),
        finalized_at: None,
        processing_ms: 0,
        fails: false,
        expires_at: world.now + LIFE_MS,
        alt_text: None,
    };
    (id, media)
}

/// `POST /2/media/upload/{id}/append`: the same segment again replaces the first.
pub(super) fn append(world: &mut World, call: &Call) -> Answer {
    flat(add_chunk(world, call))
}

fn add_chunk(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let holder = access::uploader(world, call)?;
    let id = call.segment(3);
    let (index, size) = chunk(call)?;
    let now = world.now;
    let media = own_media(world, &holder, id)?;
    if media.phase(now) != Phase::Open {
        return Err(errors::invalid("id", id, "Media was finalized already."));
    }
    media.segments.insert(index, size);
    let expires_at = media.expires_at / 1000;
    Ok(Answer::ok(&json!({ "data": { "expires_at": expires_at } })))
}

/// Number and size of the chunk in a body, multipart or JSON (base 64).
fn chunk(call: &Call) -> Result<(u32, u64), Answer> {
    let missing = |name: &str| {
        errors::invalid(
            name,
            "",
            &format!("$.{name}: is missing but it is required"),
        )
    };
    let (index, size) = if let Some(parts) = multipart::parts(&call.content_type, &call.body) {
        let text = |name: &str| parts.iter().find(|p| p.name == name).map(|p| p.content);
        let index = text("segment_index").and_then(|t| std::str::from_utf8(t).ok()?.parse().ok());
        (index, text("media").map(<[u8]>::len))
    } else {
        let media = call.param("media").and_then(|m| STANDARD.decode(m).ok());
        let index = call.param("segment_index").and_then(|i| i.parse().ok());
        (index, media.map(|m| m.len()))
    };
    let index: u32 = index
        .filter(|i| *i <= LAST_SEGMENT)
        .ok_or_else(|| missing("segment_index"))?;
    let size = size.ok_or_else(|| missing("media"))?;
    if size > LARGEST_CHUNK {
        return Err(errors::chunk_too_big());
    }
    Ok((index, size as u64))
}

/// `POST /2/media/upload/{id}/finalize`.
pub(super) fn finalize(world: &mut World, call: &Call) -> Answer {
    flat(end(world, call))
}

fn end(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let holder = access::uploader(world, call)?;
    let id = call.segment(3);
    let now = world.now;
    let processing_ms = world.x.settings.processing_ms;
    let fails = world.x.settings.failing_media > 0;
    let media = own_media(world, &holder, id)?;
    if media.finalized_at.is_none() {
        let contiguous = media
            .segments
            .keys()
            .copied()
            .eq(0..u32::try_from(media.segments.len()).unwrap_or(0));
        if !contiguous || media.segments.values().sum::<u64>() != media.total {
            let text = "Segments do not add up to provided total file size.";
            return Err(errors::invalid("id", id, text));
        }
        let slow = media.kind() != "photo";
        media.finalized_at = Some(now);
        media.processing_ms = if slow { processing_ms } else { 0 };
        media.fails = slow && fails;
        if slow && fails {
            world.x.settings.failing_media -= 1;
        }
    }
    Ok(world.x.media[id].answer(id, now))
}

/// `GET /2/media/upload?command=STATUS&media_id=`.
pub(super) fn status(world: &mut World, call: &Call) -> Answer {
    flat(look(world, call))
}

fn look(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let holder = access::uploader(world, call)?;
    let id = call.param("media_id").unwrap_or("").to_owned();
    let now = world.now;
    let media = own_media(world, &holder, &id)?;
    Ok(media.answer(&id, now))
}

/// `POST /2/media/upload`: a small file in one call, multipart or JSON (base 64).
pub(super) fn upload(world: &mut World, call: &Call) -> Answer {
    flat(upload_whole(world, call))
}

fn upload_whole(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let holder = access::uploader(world, call)?;
    let (category, size) = if let Some(parts) = multipart::parts(&call.content_type, &call.body) {
        let find = |name: &str| parts.iter().find(|p| p.name == name).map(|p| p.content);
        let category = find("media_category").map(|c| String::from_utf8_lossy(c).into_owned());
        (category, find("media").map(<[u8]>::len))
    } else {
        let media = call.param("media").and_then(|m| STANDARD.decode(m).ok());
        (
            call.param("media_category").map(str::to_owned),
            media.map(|m| m.len()),
        )
    };
    let category = category.unwrap_or_default();
    if !["tweet_image", "dm_image", "subtitles"].contains(&category.as_str()) {
        return Err(errors::invalid(
            "media_category",
            &category,
            "$.media_category: does not have a value in the enumeration",
        ));
    }
    let missing = || errors::invalid("media", "", "$.media: is missing but it is required");
    let size = size.filter(|s| *s > 0).ok_or_else(missing)? as u64;
    let now = world.now;
    let (id, mut media) = new_media(world, &holder, &category, size);
    if size > media.largest() {
        return Err(errors::invalid("media", "", "File size exceeds the limit."));
    }
    if world.x.settings.failing_media > 0 {
        world.x.settings.failing_media -= 1;
        return Err(errors::invalid("media", "", "media type unrecognized."));
    }
    media.segments.insert(0, size);
    media.finalized_at = Some(now);
    let answer = media.answer(&id, now);
    world.x.media.insert(id, media);
    Ok(answer)
}

/// `POST /2/media/metadata`: the alternative text.
pub(super) fn metadata(world: &mut World, call: &Call) -> Answer {
    flat(describe(world, call))
}

fn describe(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let holder = access::uploader(world, call)?;
    let body = call.json.clone().unwrap_or(Value::Null);
    let id = body["id"].as_str().unwrap_or("").to_owned();
    let alt = body["metadata"]["alt_text"]["text"]
        .as_str()
        .unwrap_or("")
        .to_owned();
    if alt.chars().count() > 1000 {
        return Err(errors::invalid(
            "metadata.alt_text.text",
            "",
            "must be at most 1000 characters long",
        ));
    }
    let media = own_media(world, &holder, &id)?;
    media.alt_text = Some(alt.clone());
    billing::act(world, &holder.app, |usage| usage.metadata += 1);
    let data = json!({ "id": id, "associated_metadata": { "alt_text": { "text": alt } } });
    Ok(Answer::ok(&json!({ "data": data })))
}

/// The caller's upload, unless its day is over.
fn own_media<'w>(world: &'w mut World, holder: &Holder, id: &str) -> Result<&'w mut Media, Answer> {
    let now = world.now;
    let media = world.x.media.get_mut(id);
    media
        .filter(|m| m.owner == holder.user && m.expires_at > now)
        .ok_or_else(|| errors::invalid("id", id, "Your media IDs are invalid."))
}
