//! Bytes of a video: chunks, one after the other, to the URL that init gave.

use super::publish::{self, Source, Stage};
use crate::call::{Answer, Call};
use crate::facebook::flat;
use crate::world::World;

/// Whether a chunk is the last one: after it the post comes by itself.
pub(super) fn is_last(call: &Call) -> bool {
    range(call).is_some_and(|r| r.last + 1 == r.total)
}

struct Range {
    first: u64,
    last: u64,
    total: u64,
}

/// `Content-Range: bytes 0-9/100`.
fn range(call: &Call) -> Option<Range> {
    let text = call.header("content-range").strip_prefix("bytes ")?;
    let (span, total) = text.split_once('/')?;
    let (first, last) = span.split_once('-')?;
    Some(Range {
        first: first.parse().ok()?,
        last: last.parse().ok()?,
        total: total.parse().ok()?,
    })
}

/// `PUT` of one chunk: 206 for more, 201 for all.
pub(super) fn chunk(world: &mut World, call: &Call) -> Answer {
    flat(receive(world, call))
}

fn receive(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let now = world.now;
    let id = call
        .param("upload_token")
        .and_then(|t| world.tiktok.uploads.get(t));
    let id = id.cloned().ok_or_else(|| refusal(404))?;
    let publish = world
        .tiktok
        .publishes
        .get_mut(&id)
        .ok_or_else(|| refusal(404))?;
    let (
        Source::File {
            size,
            chunk,
            count,
            url_until,
            ..
        },
        Stage::Upload { received },
    ) = (&publish.source, &mut publish.stage)
    else {
        // All bytes are there already.
        return Err(refusal(416));
    };
    if now > *url_until {
        return Err(refusal(403));
    }
    let range = range(call).ok_or_else(|| refusal(400))?;
    let known_type = ["video/mp4", "video/quicktime", "video/webm"].contains(&&*call.content_type);
    let length = u64::try_from(call.body.len()).unwrap_or(u64::MAX);
    if !known_type || range.total != *size || range.first + length != range.last + 1 {
        return Err(refusal(400));
    }
    let is_final = *received / *chunk + 1 == *count;
    let wanted = if is_final { *size - *received } else { *chunk };
    if range.first != *received || length != wanted {
        return Err(refusal(416).with("content-range", so_far(*received, *size)));
    }
    *received += length;
    let (received, size) = (*received, *size);
    if received < size {
        return Ok(refusal(206).with("content-range", so_far(received, size)));
    }
    publish::process(world, &id);
    Ok(refusal(201).with("content-range", so_far(size, size)))
}

fn so_far(received: u64, size: u64) -> String {
    format!("bytes 0-{}/{size}", received.saturating_sub(1))
}

/// The upload host answers with a status and no body.
fn refusal(status: u16) -> Answer {
    Answer::text(status, "text/plain", "")
}
