//! Images, documents and videos: their life from `initializeUpload` to `AVAILABLE`.

use serde_json::{Value, json};

use super::access::{
    self, Author, READ_MEMBER, READ_ORGANIZATION, WRITE_MEMBER, WRITE_ORGANIZATION,
};
use super::{errors, flat, gateway};
use crate::call::{Answer, Call};
use crate::world::World;

/// What a URN of media stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Image,
    Document,
    Video,
}

impl Kind {
    /// The word in URNs and errors.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Document => "document",
            Self::Video => "video",
        }
    }

    /// The kind that a path like `rest/images/…` is about.
    pub(super) fn of_path(call: &Call) -> Self {
        match call.segment(1) {
            "videos" => Self::Video,
            "documents" => Self::Document,
            _ => Self::Image,
        }
    }
}

/// One image, document or video.
pub(super) struct Asset {
    pub(super) kind: Kind,
    /// URN of the person or organization; only it may post the asset.
    pub(super) owner: String,
    /// Last part of the addresses to upload to.
    pub(super) upload_id: String,
    pub(super) upload_ends_at: i64,
    /// Bytes that a video was announced with.
    pub(super) size: u64,
    /// Entity tags of the parts that have arrived, in order of the parts.
    pub(super) parts: Vec<Option<String>>,
    /// Whether the first bytes look like what they should be.
    pub(super) readable: bool,
    /// When everything had arrived (videos: when it was finalized).
    pub(super) complete_at: Option<i64>,
    /// When it is processed.
    pub(super) ready_at: i64,
    /// Processing ends badly.
    pub(super) fails: bool,
}

/// The platform's words for where an asset is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    WaitingUpload,
    Processing,
    Available,
    Failed,
}

impl Status {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::WaitingUpload => "WAITING_UPLOAD",
            Self::Processing => "PROCESSING",
            Self::Available => "AVAILABLE",
            Self::Failed => "PROCESSING_FAILED",
        }
    }
}

impl Asset {
    /// Where it is at this time.
    pub(super) fn status(&self, now: i64) -> Status {
        match self.complete_at {
            None => Status::WaitingUpload,
            Some(_) if now < self.ready_at => Status::Processing,
            Some(_) if self.fails => Status::Failed,
            Some(_) => Status::Available,
        }
    }
}

/// Notes that an asset has arrived whole, and how its processing will end.
pub(super) fn complete(world: &mut World, urn: &str) {
    let now = world.now;
    let state = &mut world.linkedin;
    let Some(asset) = state.assets.get_mut(urn) else {
        return;
    };
    let takes = match asset.kind {
        Kind::Image => state.settings.image_processing_ms,
        Kind::Document => state.settings.document_processing_ms,
        Kind::Video => state.settings.video_processing_ms,
    };
    let told_to_fail = state.settings.fail_processing > 0;
    if told_to_fail {
        state.settings.fail_processing -= 1;
    }
    asset.complete_at = Some(now);
    asset.ready_at = now + takes;
    asset.fails = told_to_fail || (state.settings.sniff_media && !asset.readable);
}

/// `GET /rest/{images|documents|videos}/{urn}`.
pub(super) fn read(world: &mut World, call: &Call) -> Answer {
    flat(show(world, call))
}

fn show(world: &World, call: &Call) -> Result<Answer, Answer> {
    let token = access::caller(world, call)?;
    let urn = gateway::path_key(call)?;
    let kind = Kind::of_path(call);
    let asset = world.linkedin.assets.get(urn);
    let asset = asset
        .filter(|asset| asset.kind == kind)
        .ok_or_else(errors::not_found)?;
    if !may_see(world, &token, asset) {
        return Err(errors::asset_forbidden(kind.as_str()));
    }
    Ok(Answer::ok(&object(urn, asset, world.now)))
}

/// A token that may only write for its member sees videos, but neither images nor documents.
fn may_see(world: &World, token: &super::Token, asset: &Asset) -> bool {
    match Author::parse(&asset.owner) {
        Some(Author::Member(member)) => {
            let scopes: &[&str] = match asset.kind {
                Kind::Video => &[READ_MEMBER, WRITE_MEMBER],
                Kind::Image | Kind::Document => &[READ_MEMBER],
            };
            member == token.member && access::has_one(world, token, scopes)
        }
        Some(Author::Organization(organization)) => {
            let scopes = [READ_ORGANIZATION, WRITE_ORGANIZATION];
            access::role(world, token, organization).is_some()
                && access::has_one(world, token, &scopes)
        }
        None => false,
    }
}

fn object(urn: &str, asset: &Asset, now: i64) -> Value {
    let status = asset.status(now);
    let mut object = json!({ "id": urn, "owner": asset.owner, "status": status.as_str() });
    if status == Status::Failed {
        object["processingFailureReason"] = "Unsupported file format or internal error".into();
    }
    if status == Status::Available {
        let name = asset.kind.as_str();
        let address = format!("https://media.licdn.com/dms/{name}/{}", asset.upload_id);
        object["downloadUrl"] = address.into();
        object["downloadUrlExpiresAt"] = (now + 30 * 24 * 3600 * 1000).into();
    }
    if asset.kind == Kind::Video && status == Status::Available {
        object["duration"] = 12_000.into();
        object["aspectRatioWidth"] = 1280.into();
        object["aspectRatioHeight"] = 720.into();
    }
    object
}
