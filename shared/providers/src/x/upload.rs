//! Media, uploaded before the post: small images in one call, animations and videos in pieces, with processing
//! afterwards. Every step may be repeated: a piece replaces itself, and an upload that is begun again leaves one behind
//! that nobody sees.
//!
//! Facts: an image is at most 5 MB; pieces are numbered from 0; a media id lives 24 hours and may be used again;
//! alternative text is for images, at most 1,000 characters, and is billed.

use bytes::Bytes;
use chrono::TimeDelta;
use http::Method;
use mooring_domain::{
    Failure,
    post::{MediaKind, Prepared},
};
use mooring_runtime::Call;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    client::{X, broken, json as json_body},
    wire::{NewUpload, Processing, Uploaded},
};
use crate::{
    media::Attachment,
    provider::{Access, Draft},
    wire::Op,
};

/// Bytes of a piece; the platform takes up to 5 MB.
const PIECE: u64 = 4 * 1024 * 1024;
/// Pieces sent by one step.
const PIECES_PER_STEP: u64 = 3;
/// How often an upload whose id is refused is begun anew.
const MOST_RESTARTS: u8 = 2;
const LONGEST_ALT: usize = 1_000;

/// What is kept between the steps, and handed to the call that publishes.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Plan {
    files: Vec<File>,
    restarts: u8,
}

/// One file on its way.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct File {
    /// The platform's id for it.
    id: Option<String>,
    /// Its name inside of posts.
    key: Option<String>,
    phase: Phase,
    /// How many pieces have arrived.
    pieces: u64,
}

/// What is to be done next with a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    /// Begin.
    #[default]
    New,
    /// Send pieces.
    Sending,
    /// Say that all were sent.
    Sent,
    /// Ask how far the platform is.
    Processing,
    /// Tell the alternative text.
    Describe,
    /// Nothing.
    Ready,
}

impl X {
    /// The next step of the first file that is not ready.
    pub(super) async fn upload(
        &self,
        access: &Access,
        draft: &Draft,
        so_far: Option<&Value>,
    ) -> Result<Prepared, Failure> {
        let mut plan = plan_of(so_far)?;
        plan.files.resize(draft.media.len(), File::default());
        let open = plan
            .files
            .iter()
            .position(|file| file.phase != Phase::Ready);
        let mut again = TimeDelta::zero();
        if let Some(index) = open {
            let (file, attachment) = (plan.files[index].clone(), &draft.media[index]);
            let alone = draft.media.len() == 1;
            match self.step(access, attachment, alone, &file).await {
                Ok((next, wait)) => {
                    plan.files[index] = next;
                    again = wait;
                }
                // An id that is refused was the first step's, a day ago or at another turn: from the beginning.
                Err(failure)
                    if refuses_the_id(&failure, &file) && plan.restarts < MOST_RESTARTS =>
                {
                    plan.restarts += 1;
                    plan.files[index] = File::default();
                }
                Err(failure) => return Err(failure),
            }
        }
        let ready = plan.files.iter().all(|file| file.phase == Phase::Ready);
        let state = serde_json::to_value(plan).map_err(|_| broken("an upload's state"))?;
        Ok(if ready {
            Prepared::Ready(state)
        } else {
            Prepared::Pending { state, again }
        })
    }

    /// One step of one file: what it is then, and how long the platform wants to be left alone.
    async fn step(
        &self,
        access: &Access,
        attachment: &Attachment,
        alone: bool,
        file: &File,
    ) -> Result<(File, TimeDelta), Failure> {
        let category = category(attachment, alone);
        match file.phase {
            Phase::New if category == "tweet_image" => self.send_whole(access, attachment).await,
            Phase::New => self.begin(access, attachment, category).await,
            Phase::Sending => self.send_pieces(access, attachment, file).await,
            Phase::Sent => {
                let path = ["2", "media", "upload", id_of(file)?, "finalize"];
                let template = "/2/media/upload/{id}/finalize";
                let call = self.call(access, template, Method::POST, &path)?;
                let done: Uploaded = self
                    .answer(Op::Prepare, json_body(call, &json!({}))?, "upload")
                    .await?;
                processed(file, done, attachment)
            }
            Phase::Processing => {
                let path = ["2", "media", "upload"];
                let call = self.call(access, "/2/media/upload", Method::GET, &path)?;
                let call = call
                    .query("command", "STATUS")
                    .query("media_id", id_of(file)?);
                let status: Uploaded = self.answer(Op::Prepare, call, "upload").await?;
                processed(file, status, attachment)
            }
            Phase::Describe => self.describe(access, attachment, file).await,
            Phase::Ready => Ok((file.clone(), TimeDelta::zero())),
        }
    }

    /// A small image, in one call.
    async fn send_whole(
        &self,
        access: &Access,
        attachment: &Attachment,
    ) -> Result<(File, TimeDelta), Failure> {
        let bytes = attachment.bytes().await?;
        let call = self.call(
            access,
            "/2/media/upload",
            Method::POST,
            &["2", "media", "upload"],
        )?;
        let call = multipart(call, ("media_category", "tweet_image"), attachment, &bytes);
        let done: Uploaded = self.answer(Op::Prepare, call, "upload").await?;
        processed(&File::default(), done, attachment)
    }

    async fn begin(
        &self,
        access: &Access,
        attachment: &Attachment,
        category: &str,
    ) -> Result<(File, TimeDelta), Failure> {
        let body = NewUpload {
            media_type: &attachment.media.mime,
            media_category: category,
            total_bytes: attachment.media.bytes,
        };
        let path = ["2", "media", "upload", "initialize"];
        let call = self.call(access, "/2/media/upload/initialize", Method::POST, &path)?;
        let begun: Uploaded = self
            .answer(Op::Prepare, json_body(call, &body)?, "upload")
            .await?;
        let file = File {
            id: Some(begun.id),
            key: begun.media_key,
            phase: Phase::Sending,
            pieces: 0,
        };
        Ok((file, TimeDelta::zero()))
    }

    async fn send_pieces(
        &self,
        access: &Access,
        attachment: &Attachment,
        file: &File,
    ) -> Result<(File, TimeDelta), Failure> {
        let mut file = file.clone();
        let total = attachment.media.bytes.div_ceil(PIECE);
        for _ in 0..PIECES_PER_STEP {
            if file.pieces == total {
                break;
            }
            let from = file.pieces * PIECE;
            let bytes = attachment.piece(from, from + PIECE).await?;
            let path = ["2", "media", "upload", id_of(&file)?, "append"];
            let template = "/2/media/upload/{id}/append";
            let call = self.call(access, template, Method::POST, &path)?;
            let index = file.pieces.to_string();
            let call = multipart(call, ("segment_index", &index), attachment, &bytes);
            // Nothing of the answer is needed but that it is one.
            self.answer::<serde_json::Map<_, _>>(Op::Prepare, call, "piece")
                .await?;
            file.pieces += 1;
        }
        if file.pieces == total {
            file.phase = Phase::Sent;
        }
        Ok((file, TimeDelta::zero()))
    }

    async fn describe(
        &self,
        access: &Access,
        attachment: &Attachment,
        file: &File,
    ) -> Result<(File, TimeDelta), Failure> {
        let alt = attachment.media.alt.as_deref().unwrap_or_default();
        let alt: String = alt.chars().take(LONGEST_ALT).collect();
        let body = json!({ "id": id_of(file)?, "metadata": { "alt_text": { "text": alt } } });
        let path = ["2", "media", "metadata"];
        let call = self.call(access, "/2/media/metadata", Method::POST, &path)?;
        self.answer::<serde_json::Map<_, _>>(Op::Prepare, json_body(call, &body)?, "metadata")
            .await?;
        let file = File {
            phase: Phase::Ready,
            ..file.clone()
        };
        Ok((file, TimeDelta::zero()))
    }
}

/// The ids for the call that publishes. Media that were not prepared are our mistake: nothing is sent without them.
pub(super) fn media_ids(draft: &Draft) -> Result<Vec<String>, Failure> {
    let plan = plan_of(draft.prepared.as_ref())?;
    let ready = plan
        .files
        .into_iter()
        .filter(|file| file.phase == Phase::Ready);
    let ids: Vec<String> = ready.filter_map(|file| file.id).collect();
    if ids.len() == draft.media.len() {
        Ok(ids)
    } else {
        Err(broken(
            "media that were not uploaded: prepare the post first",
        ))
    }
}

/// The keys of what was uploaded; none when that is not known of every file.
pub(super) fn media_keys(prepared: Option<&Value>) -> Vec<String> {
    let plan = plan_of(prepared).unwrap_or_default();
    let count = plan.files.len();
    let keys: Vec<String> = plan.files.into_iter().filter_map(|file| file.key).collect();
    if keys.len() == count {
        keys
    } else {
        Vec::new()
    }
}

fn plan_of(state: Option<&Value>) -> Result<Plan, Failure> {
    let Some(state) = state else {
        return Ok(Plan::default());
    };
    Plan::deserialize(state).map_err(|_| broken("a preparation of another kind"))
}

fn id_of(file: &File) -> Result<&str, Failure> {
    let id = file.id.as_deref();
    id.ok_or_else(|| broken("an upload without an id"))
}

/// An animation is one only when it is alone; among others it stands still.
fn category(attachment: &Attachment, alone: bool) -> &'static str {
    match attachment.media.kind {
        MediaKind::Video => "tweet_video",
        MediaKind::Image if alone && attachment.media.mime == "image/gif" => "tweet_gif",
        MediaKind::Image => "tweet_image",
    }
}

/// What an upload is after the platform's word on it.
fn processed(
    file: &File,
    word: Uploaded,
    attachment: &Attachment,
) -> Result<(File, TimeDelta), Failure> {
    let (phase, wait) = match word.processing_info {
        None => (after_processing(attachment), TimeDelta::zero()),
        Some(info) => match info.state.as_str() {
            "succeeded" => (after_processing(attachment), TimeDelta::zero()),
            "pending" | "in_progress" => (
                Phase::Processing,
                TimeDelta::seconds(i64::from(info.check_after_secs.unwrap_or(5))),
            ),
            "failed" => return Err(failed(&info)),
            _ => return Err(broken("a state of processing that is not known")),
        },
    };
    let next = File {
        id: Some(word.id),
        key: word.media_key.or_else(|| file.key.clone()),
        phase,
        pieces: file.pieces,
    };
    Ok((next, wait))
}

fn after_processing(attachment: &Attachment) -> Phase {
    let media = &attachment.media;
    let has_alt = media
        .alt
        .as_deref()
        .is_some_and(|alt| !alt.trim().is_empty());
    if has_alt && media.kind == MediaKind::Image {
        Phase::Describe
    } else {
        Phase::Ready
    }
}

fn failed(info: &Processing) -> Failure {
    let name = info.error.as_ref().map_or("", |error| error.name.as_str());
    let plain =
        !name.is_empty() && name.len() <= 40 && name.bytes().all(|b| b.is_ascii_alphanumeric());
    let name = if plain { name } else { "failed" };
    Failure::ContentRejected {
        code: format!("media/{name}"),
    }
}

/// A refusal of a call that names an id of ours.
fn refuses_the_id(failure: &Failure, file: &File) -> bool {
    file.id.is_some()
        && matches!(failure, Failure::ContentRejected { code } if code.starts_with("invalid-request"))
}

/// A form with one field and the file. The boundary is made of what it bounds, so it cannot stand in it.
fn multipart(call: Call, field: (&str, &str), attachment: &Attachment, bytes: &Bytes) -> Call {
    let boundary = format!("mooring-{}", &hex::encode(Sha256::digest(bytes))[..32]);
    let (name, value) = field;
    let head = format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n\
         --{boundary}\r\ncontent-disposition: form-data; name=\"media\"; filename=\"media\"\r\n\
         content-type: {}\r\n\r\n",
        attachment.media.mime
    );
    let tail = format!("\r\n--{boundary}--\r\n");
    let body = [head.as_bytes(), bytes, tail.as_bytes()].concat();
    call.bytes(format!("multipart/form-data; boundary={boundary}"), body)
}
