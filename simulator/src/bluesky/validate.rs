//! What a record must be: the limits of the `app.bsky.feed.post` lexicon.

use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation as _;

use super::{Account, POSTS, errors, tid};
use crate::call::Answer;
use crate::clock::parse_caller_time;

const GRAPHEMES: usize = 300;
const BYTES: usize = 3000;
const IMAGES: usize = 4;
const IMAGE_BYTES: usize = 2_000_000;
const VIDEO_BYTES: usize = 300_000_000;

/// Checks the key of a record.
pub(crate) fn key(collection: &str, rkey: &str) -> Result<(), Answer> {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"_~.:-".contains(&b);
    let known = !rkey.is_empty() && rkey.len() <= 512 && rkey != "." && rkey != "..";
    if !known || !rkey.bytes().all(legal) {
        let text = format!("Invalid record key (got \"{rkey}\") at $.rkey");
        return Err(errors::invalid_request(&text));
    }
    if collection == POSTS && !tid::is_valid(rkey) {
        let text = format!(
            "Invalid record key for {collection}: Invalid TID string (got \"{rkey}\") at $"
        );
        return Err(errors::invalid_request(&text));
    }
    Ok(())
}

/// Checks a record; says whether its collection is one that we know.
pub(crate) fn record(
    account: &Account,
    collection: &str,
    value: &Value,
) -> Result<&'static str, Answer> {
    let kind = value["$type"].as_str().unwrap_or(collection);
    if kind != collection {
        let text = format!("Invalid $type: expected {collection}, got {kind}");
        return Err(errors::invalid_request(&text));
    }
    blobs_exist(account, value)?;
    if collection != POSTS {
        return Ok("unknown");
    }
    match post_fault(value) {
        Some(fault) => Err(errors::invalid_request(&format!(
            "Invalid {POSTS} record: {fault}"
        ))),
        None => Ok("valid"),
    }
}

fn post_fault(post: &Value) -> Option<String> {
    let Some(text) = post["text"].as_str() else {
        return Some("Missing required key \"text\" at $.record".into());
    };
    if text.len() > BYTES {
        return Some(format!(
            "string too big (maximum {BYTES}, got {}) at $.record.text",
            text.len()
        ));
    }
    let graphemes = text.graphemes(true).count();
    if graphemes > GRAPHEMES {
        return Some(format!(
            "grapheme too big (maximum {GRAPHEMES}, got {graphemes}) at $.record.text"
        ));
    }
    let Some(created) = post["createdAt"].as_str() else {
        return Some("Missing required key \"createdAt\" at $.record".into());
    };
    if !created.contains('T') || parse_caller_time(created).is_none() {
        return Some(format!(
            "Invalid datetime (got \"{created}\") at $.record.createdAt"
        ));
    }
    let too_long = |name: &str, most: usize| {
        let count = post[name].as_array().map_or(0, Vec::len);
        (count > most)
            .then(|| format!("array too big (maximum {most}, got {count}) at $.record.{name}"))
    };
    too_long("langs", 3)
        .or_else(|| too_long("tags", 8))
        .or_else(|| embed_fault(&post["embed"]))
}

/// What is wrong with what a post shows: images, or one video.
fn embed_fault(embed: &Value) -> Option<String> {
    match embed["$type"].as_str()? {
        "app.bsky.embed.images" => images_fault(embed),
        "app.bsky.embed.video" => {
            let place = "$.record.embed";
            blob_fault(
                &embed["video"],
                "video/mp4",
                VIDEO_BYTES,
                &format!("{place}.video"),
            )
            .or_else(|| ratio_fault(embed, place))
        }
        _ => None,
    }
}

fn images_fault(embed: &Value) -> Option<String> {
    let Some(images) = embed["images"].as_array() else {
        return Some("Missing required key \"images\" at $.record.embed".into());
    };
    if images.len() > IMAGES {
        let got = images.len();
        return Some(format!(
            "array too big (maximum {IMAGES}, got {got}) at $.record.embed.images"
        ));
    }
    images.iter().enumerate().find_map(|(n, image)| {
        let place = format!("$.record.embed.images[{n}]");
        if !image["alt"].is_string() {
            return Some(format!("Missing required key \"alt\" at {place}"));
        }
        blob_fault(
            &image["image"],
            "image/",
            IMAGE_BYTES,
            &format!("{place}.image"),
        )
        .or_else(|| ratio_fault(image, &place))
    })
}

fn blob_fault(blob: &Value, mime: &str, most: usize, place: &str) -> Option<String> {
    if blob["$type"] != "blob" {
        return Some(format!("Expected blob value type at {place}"));
    }
    let given = blob["mimeType"].as_str().unwrap_or("");
    if !given.starts_with(mime) {
        return Some(format!("mime type not accepted (got {given}) at {place}"));
    }
    let got = blob["size"].as_u64().unwrap_or(0);
    (got > most as u64).then(|| format!("blob too big (maximum {most}, got {got}) at {place}"))
}

fn ratio_fault(of: &Value, place: &str) -> Option<String> {
    let ratio = of.get("aspectRatio")?;
    let whole = |side: &str| ratio[side].as_u64().is_some_and(|n| n > 0);
    (!whole("width") || !whole("height"))
        .then(|| format!("integer too small (minimum 1) at {place}.aspectRatio"))
}

/// Every blob that a record names must have been uploaded before, as what it says it is.
fn blobs_exist(account: &Account, value: &Value) -> Result<(), Answer> {
    match value {
        Value::Object(map) if map.get("$type").and_then(Value::as_str) == Some("blob") => {
            let cid = value["ref"]["$link"].as_str().unwrap_or("");
            let missing = || {
                let text = format!("Could not find blob: {cid}");
                errors::error(400, "BlobNotFound", &text)
            };
            let blob = account.blobs.get(cid).ok_or_else(missing)?;
            let (mime, size) = (&value["mimeType"], &value["size"]);
            if *mime != blob.mime.as_str() {
                let text = format!(
                    "Referenced Mimetype does not match stored blob. Expected: {}, Got: {mime}",
                    blob.mime
                );
                return Err(errors::error(400, "InvalidMimeType", &text));
            }
            if size.as_u64() != Some(blob.size as u64) {
                let text = format!(
                    "Referenced Size does not match stored blob. Expected: {}, Got: {size}",
                    blob.size
                );
                return Err(errors::error(400, "InvalidSize", &text));
            }
            Ok(())
        }
        Value::Object(map) => map.values().try_for_each(|v| blobs_exist(account, v)),
        Value::Array(items) => items.iter().try_for_each(|v| blobs_exist(account, v)),
        _ => Ok(()),
    }
}
