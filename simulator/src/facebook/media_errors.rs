//! Refusals of media, as the Graph API and the upload host word them.

use serde_json::{Value, json};

use super::errors::{OAUTH, body, with_user_text};
use crate::call::Answer;

/// 324: the photo could not be fetched, or is no photo.
pub(crate) fn bad_photo(subcode: Option<u32>) -> Answer {
    let message = "(#324) Missing or invalid image file";
    Answer::json(400, &body(OAUTH, 324, subcode, message))
}

/// 1/1366046: the photo is too large. The code says "unknown"; the subcode is what counts.
pub(crate) fn photo_too_large() -> Answer {
    let text = "Your photos couldn't be uploaded. Photos should be smaller than 4 MB and saved as \
                JPG, PNG, GIF or TIFF files.";
    let body = body(OAUTH, 1, Some(1_366_046), "An unknown error occurred");
    Answer::json(400, &with_user_text(body, "Can't Read Files", text))
}

/// 100/1366051: the photo is part of another post.
pub(crate) fn photo_used() -> Answer {
    let text = "These photos were already posted.";
    let body = body(OAUTH, 100, Some(1_366_051), "Invalid parameter");
    Answer::json(400, &with_user_text(body, "Photos Already Posted", text))
}

/// 389: the video could not be fetched.
pub(crate) fn cannot_fetch_video() -> Answer {
    let text = "The video file could not be fetched from its URL.";
    let message = "(#389) Unable to fetch video file from URL.";
    let body = body(OAUTH, 389, Some(1_363_057), message);
    Answer::json(
        400,
        &with_user_text(body, "Unable To Fetch Video File", text),
    )
}

/// 382: nothing, or hardly anything, was uploaded.
pub(crate) fn video_too_small() -> Answer {
    let message = "(#382) The video file you tried to upload is too small. Please try again with a \
                   larger file.";
    Answer::json(400, &body(OAUTH, 382, None, message))
}

/// 6001/1363037: a chunk that does not fit; says which one is wanted.
pub(crate) fn wrong_chunk(start: u64, end: u64) -> Answer {
    let message = "There was a problem uploading your video. Please try again.";
    let mut body = body(OAUTH, 6001, Some(1_363_037), message);
    body["error"]["is_transient"] = true.into();
    body["error"]["error_data"] =
        json!({ "start_offset": start.to_string(), "end_offset": end.to_string() });
    Answer::json(400, &body)
}

/// 6000/1363130: told to publish a video that was not uploaded.
pub(crate) fn upload_missing() -> Answer {
    let text = "Video Upload Is Missing";
    let message = "There was a problem uploading your video file. Please try again with another \
                   file.";
    let body = body(OAUTH, 6000, Some(1_363_130), message);
    Answer::json(400, &with_user_text(body, text, text))
}

/// 613: more reels than a page may publish in 24 hours. The documents give no number for this.
pub(crate) fn too_many_reels() -> Answer {
    let message = "(#613) Calls to this api have exceeded the rate limit.";
    Answer::json(400, &body(OAUTH, 613, None, message))
}

/// What the upload host answers instead of a Graph error.
pub(crate) fn upload_refused(status: u16, retriable: bool, kind: &str, message: &str) -> Answer {
    let info: Value = json!({ "retriable": retriable, "type": kind, "message": message });
    Answer::json(status, &json!({ "debug_info": info }))
}
