//! How media come in: `initializeUpload`, `PUT` of the bytes (videos: part by part, each answered by
//! an entity tag), and `finalizeUpload` of videos.

use serde_json::{Value, json};

use super::access;
use super::assets::{self, Asset, Kind};
use super::{errors, flat};
use crate::call::{Answer, Call};
use crate::world::{ALPHANUMERIC, World};

/// Bytes of one part of a video, except for the last.
const PART: u64 = 4_194_304;
/// The largest video.
const GREATEST_VIDEO: u64 = 500 * 1024 * 1024;
const DAY_MS: i64 = 24 * 3600 * 1000;

/// `POST /rest/{images|documents|videos}?action=initializeUpload`.
pub(super) fn initialize(world: &mut World, call: &Call) -> Answer {
    flat(begin(world, call))
}

fn begin(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let token = access::caller(world, call)?;
    let kind = Kind::of_path(call);
    let body = call
        .json
        .as_ref()
        .ok_or_else(errors::unsupported_media_type)?;
    let request = &body["initializeUploadRequest"];
    let owner = request["owner"].as_str().ok_or_else(|| missing("owner"))?;
    let resource = match kind {
        Kind::Image => "images.ACTION-initializeUpload",
        Kind::Document => "documents.ACTION-initializeUpload",
        Kind::Video => "videos.ACTION-initializeUpload",
    };
    access::may_write(world, call, &token, owner, ("owner", resource))?;
    let size = if kind == Kind::Video {
        video_size(request)?
    } else {
        0
    };
    let (urn, asset) = new_asset(world, kind, owner, size);
    let answer = instructions(call, &urn, &asset);
    world
        .linkedin
        .uploads
        .insert(asset.upload_id.clone(), urn.clone());
    world.linkedin.assets.insert(urn, asset);
    Ok(Answer::ok(&json!({ "value": answer })))
}

fn missing(field: &str) -> Answer {
    let text = format!("{field} is required but missing");
    errors::field("MISSING_FIELD", field, &text)
}

fn video_size(request: &Value) -> Result<u64, Answer> {
    let size = &request["fileSizeBytes"];
    if size.is_null() {
        return Err(missing("fileSizeBytes"));
    }
    let fits = size
        .as_u64()
        .filter(|size| (1..=GREATEST_VIDEO).contains(size));
    fits.ok_or_else(|| {
        let text = format!("fileSizeBytes can't be set to {size}");
        errors::field("INVALID_VALUE_FOR_FIELD", "fileSizeBytes", &text)
    })
}

fn new_asset(world: &mut World, kind: Kind, owner: &str, size: u64) -> (String, Asset) {
    let prefix = match kind {
        Kind::Image => "D4E10AQ",
        Kind::Document => "D4D1FAQ",
        Kind::Video => "D4E05AQ",
    };
    let id = format!("{prefix}{}", world.word(ALPHANUMERIC, 15));
    let parts = usize::try_from(size.div_ceil(PART)).unwrap_or(1).max(1);
    let days = if kind == Kind::Video { 30 } else { 1 };
    let asset = Asset {
        kind,
        owner: owner.to_owned(),
        upload_id: id.clone(),
        upload_ends_at: world.now + days * DAY_MS,
        size,
        parts: vec![None; parts],
        readable: true,
        complete_at: None,
        ready_at: 0,
        fails: false,
    };
    (format!("urn:li:{}:{id}", kind.as_str()), asset)
}

/// The address of a part, on the host that was asked.
fn address(call: &Call, asset: &Asset, part: usize) -> String {
    let (host, kind, id) = (&call.host, asset.kind.as_str(), &asset.upload_id);
    format!("http://{host}/linkedin/dms-uploads/{kind}/{id}/{part}?ca=vector_feedshare&cn=uploads")
}

fn instructions(call: &Call, urn: &str, asset: &Asset) -> Value {
    if asset.kind != Kind::Video {
        return json!({
            "uploadUrlExpiresAt": asset.upload_ends_at,
            "uploadUrl": address(call, asset, 0),
            asset.kind.as_str(): urn,
        });
    }
    let mut first = 0;
    let parts: Vec<Value> = (0..asset.parts.len())
        .map(|part| {
            let last = (first + PART).min(asset.size) - 1;
            let instruction = json!({
                "uploadUrl": address(call, asset, part),
                "firstByte": first,
                "lastByte": last,
            });
            first = last + 1;
            instruction
        })
        .collect();
    json!({
        "uploadUrlsExpireAt": asset.upload_ends_at,
        "video": urn,
        "uploadInstructions": parts,
        "uploadToken": "",
    })
}

/// `PUT /dms-uploads/{image|document}/{id}/0`: wants the token; 201.
pub(super) fn put_file(world: &mut World, call: &Call) -> Answer {
    flat(take_file(world, call))
}

fn take_file(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    access::caller(world, call)?;
    let (urn, _) = asset_of(world, call)?;
    if let Some(asset) = world.linkedin.assets.get_mut(&urn) {
        asset.readable = is_readable(asset.kind, &call.body);
    }
    assets::complete(world, &urn);
    Ok(Answer::text(201, "application/json", ""))
}

/// `PUT /dms-uploads/video/{id}/{part}`: wants no token; 200 with an entity tag. A part may be sent again.
pub(super) fn put_part(world: &mut World, call: &Call) -> Answer {
    flat(take_part(world, call))
}

fn take_part(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let (urn, part) = asset_of(world, call)?;
    let etag = format!("/ambry-video/signedId/{}", world.word(ALPHANUMERIC, 40));
    let wrong = |text: &str| errors::bad_request("INVALID_REQUEST", text);
    let asset = world
        .linkedin
        .assets
        .get_mut(&urn)
        .ok_or_else(errors::not_found)?;
    let first = PART * u64::try_from(part).unwrap_or(u64::MAX / PART);
    let length = PART.min(asset.size.saturating_sub(first));
    if u64::try_from(call.body.len()).ok() != Some(length) {
        return Err(wrong("The part does not have the announced length"));
    }
    let slot = asset.parts.get_mut(part).ok_or_else(errors::not_found)?;
    *slot = Some(etag.clone());
    if part == 0 {
        asset.readable = is_readable(Kind::Video, &call.body);
    }
    Ok(Answer::text(200, "application/json", "").with("etag", etag))
}

/// The asset and the part that an upload address means, while it is good.
fn asset_of(world: &World, call: &Call) -> Result<(String, usize), Answer> {
    let urn = world.linkedin.uploads.get(call.segment(2));
    let urn = urn.ok_or_else(errors::not_found)?;
    let asset = world
        .linkedin
        .assets
        .get(urn)
        .ok_or_else(errors::not_found)?;
    if world.now >= asset.upload_ends_at {
        let text = "The Video upload URL is expired";
        return Err(errors::bad_request("EXPIRED_UPLOAD_URL", text));
    }
    if call.body.is_empty() {
        let text = "The upload is empty";
        return Err(errors::bad_request("INVALID_REQUEST", text));
    }
    Ok((urn.clone(), call.segment(3).parse().unwrap_or(0)))
}

/// Whether the bytes begin as a file of that kind does.
fn is_readable(kind: Kind, bytes: &[u8]) -> bool {
    match kind {
        Kind::Image => {
            let heads: [&[u8]; 4] = [b"\xFF\xD8\xFF", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a"];
            heads.iter().any(|head| bytes.starts_with(head))
        }
        Kind::Document => {
            let heads: [&[u8]; 3] = [b"%PDF-", b"PK\x03\x04", b"\xD0\xCF\x11\xE0"];
            heads.iter().any(|head| bytes.starts_with(head))
        }
        Kind::Video => bytes.get(4..8) == Some(b"ftyp"),
    }
}

/// `POST /rest/videos?action=finalizeUpload`: the entity tags of all parts, in order.
pub(super) fn finalize(world: &mut World, call: &Call) -> Answer {
    flat(end(world, call))
}

fn end(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let token = access::caller(world, call)?;
    let body = call
        .json
        .as_ref()
        .ok_or_else(errors::unsupported_media_type)?;
    let request = &body["finalizeUploadRequest"];
    let urn = request["video"].as_str().ok_or_else(|| missing("video"))?;
    let invalid = || errors::field("INVALID_VIDEO_ID", "video", "This Video ID is invalid");
    let asset = world.linkedin.assets.get(urn).ok_or_else(invalid)?;
    let resource = "videos.ACTION-finalizeUpload";
    access::may_write(world, call, &token, &asset.owner, ("owner", resource))?;
    if request["uploadToken"].as_str().is_none() {
        return Err(missing("uploadToken"));
    }
    let Some(arrived) = asset.parts.iter().cloned().collect::<Option<Vec<String>>>() else {
        let text = "Media asset is waiting upload";
        return Err(errors::bad_request("MEDIA_ASSET_WAITING_UPLOAD", text));
    };
    let given = request["uploadedPartIds"]
        .as_array()
        .ok_or_else(|| missing("uploadedPartIds"))?;
    let given: Vec<&str> = given.iter().filter_map(Value::as_str).collect();
    if given != arrived {
        let text = "uploadedPartIds can't be set to other ids than those of the uploaded parts";
        return Err(errors::field(
            "INVALID_VALUE_FOR_FIELD",
            "uploadedPartIds",
            text,
        ));
    }
    // A repetition of what is done changes nothing.
    if asset.complete_at.is_none() {
        assets::complete(world, urn);
    }
    Ok(Answer::text(200, "application/json", ""))
}
