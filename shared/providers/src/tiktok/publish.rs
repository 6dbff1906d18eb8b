//! From the first question to the last byte.

use chrono::TimeDelta;
use http::{Method, header::CONTENT_RANGE};
use mooring_domain::{
    Failure, Platform,
    post::{MediaKind, Prepared, Sent},
};
use mooring_runtime::Call;
use serde_json::{Value, json};
use url::Url;

use super::{
    TikTok, broken,
    check::EVERYBODY,
    find, map,
    wire::{Begun, CreatorInfo, Prepared as State, Progress, Upload},
};
use crate::{
    media::Attachment,
    provider::{Access, Draft},
    wire::{Op, Reply},
};

/// Chunks are 5 to 64 MB, the last one up to twice as long: small enough for one step each.
const CHUNK: u64 = 10_000_000;
/// An upload's address ends after an hour; ours a little earlier.
const ADDRESS_LIFE: TimeDelta = TimeDelta::minutes(58);
/// The audiences, the widest first.
const AUDIENCES: [&str; 4] = [
    EVERYBODY,
    "FOLLOWER_OF_CREATOR",
    "MUTUAL_FOLLOW_FRIENDS",
    "SELF_ONLY",
];

/// What the steps before have brought; `None` = nothing yet, or an upload that has to begin anew.
pub(super) fn read_state(state: Option<&Value>) -> Option<State> {
    serde_json::from_value(state?.clone()).ok()
}

impl TikTok {
    /// The first step: whose token, what may be posted, and for a video the upload's address. An upload that is
    /// begun twice leaves one that never gets a byte, and nothing comes of that.
    pub(super) async fn begin(&self, access: &Access, draft: &Draft) -> Result<Prepared, Failure> {
        // A post goes to the token's account, whatever we believe: so it is asked.
        let user = self.user(Op::Prepare, &access.token).await?;
        if user.open_id != access.remote_id {
            return Err(broken("the token belongs to another account"));
        }
        let creator = self.creator(Op::Prepare, &access.token).await?;
        let offered = |audience: &&&str| {
            creator
                .privacy_level_options
                .iter()
                .any(|o| o == **audience)
        };
        let audience = AUDIENCES.iter().find(offered).copied();
        let mut state = State {
            privacy: audience
                .ok_or_else(|| broken("no audience that we know"))?
                .to_owned(),
            username: creator.creator_username.clone(),
            comment_disabled: creator.comment_disabled,
            upload: None,
        };
        let video = draft
            .media
            .iter()
            .find(|one| one.media.kind == MediaKind::Video);
        let Some(video) = video else {
            return write_state(&state).map(Prepared::Ready);
        };
        check_length(&creator, video)?;
        state.upload = Some(
            self.begin_upload(access, draft, video, &creator, &state)
                .await?,
        );
        advanced(&state)
    }

    async fn begin_upload(
        &self,
        access: &Access,
        draft: &Draft,
        video: &Attachment,
        creator: &CreatorInfo,
        state: &State,
    ) -> Result<Upload, Failure> {
        let size = video.media.bytes;
        let chunk = if size < 2 * CHUNK { size } else { CHUNK };
        let body = json!({
            "post_info": {
                "title": draft.content.text,
                "privacy_level": state.privacy,
                "disable_comment": creator.comment_disabled,
                "disable_duet": creator.duet_disabled,
                "disable_stitch": creator.stitch_disabled,
            },
            "source_info": {
                "source": "FILE_UPLOAD",
                "video_size": size,
                "chunk_size": chunk,
                "total_chunk_count": size / chunk.max(1),
            },
        });
        let call = self.call("/v2/post/publish/video/init/", Method::POST, &access.token)?;
        let begun: Begun = self
            .data(Op::Prepare, super::json(call, &body)?, "upload")
            .await?;
        let url = begun
            .upload_url
            .ok_or_else(|| broken("an upload without an address"))?;
        Ok(Upload {
            publish_id: begun.publish_id,
            url,
            until_ms: (self.transport.now() + ADDRESS_LIFE).timestamp_millis(),
            size,
            chunk,
            sent: 0,
        })
    }

    /// One more chunk, unless only the last one is missing.
    pub(super) async fn go_on(
        &self,
        access: &Access,
        draft: &Draft,
        mut state: State,
    ) -> Result<Prepared, Failure> {
        let Some(upload) = &mut state.upload else {
            return write_state(&state).map(Prepared::Ready);
        };
        if self.transport.now().timestamp_millis() >= upload.until_ms {
            return Ok(anew());
        }
        if upload.sent < upload.last_chunk() {
            let end = upload.sent + upload.chunk;
            let call = self.chunk(draft, upload, upload.sent, end).await?;
            let reply = self.transport.send(Op::Prepare, call).await?;
            match reply.status {
                206 => upload.sent = end,
                // The chunk was sent before and its answer lost: the platform knows how far it is.
                416 => upload.sent = self.uploaded(access, &upload.publish_id).await?,
                403 | 404 => return Ok(anew()),
                _ => return Err(self.refused_chunk(Op::Prepare, &reply)),
            }
        }
        advanced(&state)
    }

    async fn uploaded(&self, access: &Access, publish_id: &str) -> Result<u64, Failure> {
        let status: Progress = self.status(Op::Prepare, access, publish_id).await?;
        let bytes = status.uploaded_bytes;
        bytes.ok_or_else(|| broken("an upload that does not say how far it is"))
    }

    /// The last chunk: from here on the post comes by itself.
    pub(super) async fn send_last_chunk(
        &self,
        draft: &Draft,
        upload: &Upload,
    ) -> Result<Sent, Failure> {
        let call = self
            .chunk(draft, upload, upload.last_chunk(), upload.size)
            .await?;
        let reply = self
            .transport
            .send(Op::Publish, publishing(call, draft))
            .await?;
        match reply.status {
            201 => Ok(Sent::Processing {
                handle: upload.publish_id.clone(),
            }),
            // All bytes are there already, or not all that we believe: a look tells.
            416 => Err(Failure::Indeterminate),
            // The address has ended; a look finds that out, and what was prepared is given up.
            403 | 404 if map::code(&reply).is_none() => Err(Failure::MediaProcessing),
            _ => Err(self.refused_chunk(Op::Publish, &reply)),
        }
    }

    /// Photos can only be fetched by TikTok, and the begin publishes.
    pub(super) async fn send_photos(
        &self,
        access: &Access,
        draft: &Draft,
        state: &State,
    ) -> Result<Sent, Failure> {
        let urls = draft
            .media
            .iter()
            .map(|one| one.public_url().map(Url::as_str));
        let urls = urls.collect::<Result<Vec<_>, _>>()?;
        let title = draft.content.title.as_deref().unwrap_or_default();
        let body = json!({
            "post_mode": "DIRECT_POST",
            "media_type": "PHOTO",
            "post_info": {
                "title": title,
                "description": draft.content.text,
                "privacy_level": state.privacy,
                "disable_comment": state.comment_disabled,
                "auto_add_music": true,
            },
            "source_info": {
                "source": "PULL_FROM_URL",
                "photo_cover_index": 0,
                "photo_images": urls,
            },
        });
        let call = self.call(
            "/v2/post/publish/content/init/",
            Method::POST,
            &access.token,
        )?;
        let call = publishing(super::json(call, &body)?, draft);
        let begun: Begun = self.data(Op::Publish, call, "publish id").await?;
        Ok(Sent::Processing {
            handle: begun.publish_id,
        })
    }

    /// One piece of the video to the upload's own address, which needs no token.
    async fn chunk(
        &self,
        draft: &Draft,
        upload: &Upload,
        from: u64,
        to: u64,
    ) -> Result<Call, Failure> {
        let video = draft
            .media
            .iter()
            .find(|one| one.media.kind == MediaKind::Video);
        let video = video.ok_or_else(|| broken("an upload without its video"))?;
        let url =
            Url::parse(&upload.url).map_err(|_| broken("an upload's address that is none"))?;
        let bytes = video.piece(from, to).await?;
        let range = format!("bytes {from}-{}/{}", to.saturating_sub(1), upload.size);
        let call = self.transport.call_at("upload_url", Method::PUT, url);
        Ok(call
            .header(CONTENT_RANGE, &range)
            .bytes(video.media.mime.clone(), bytes))
    }

    /// The upload's host mostly answers a status without a body.
    fn refused_chunk(&self, op: Op, reply: &Reply) -> Failure {
        if reply.is_success() {
            let status = reply.status;
            return broken(&format!("status {status} to a chunk"));
        }
        map::failure(op, reply, self.transport.now())
    }
}

/// With the moment after which nothing may leave.
fn publishing(call: Call, draft: &Draft) -> Call {
    let timeout = Platform::TikTok.capabilities().publish_timeout;
    call.send_by(draft.send_by)
        .timeout(timeout.to_std().unwrap_or_default())
}

/// Ready when the last chunk is all that is missing.
fn advanced(state: &State) -> Result<Prepared, Failure> {
    let ready = state
        .upload
        .as_ref()
        .is_none_or(|upload| upload.sent >= upload.last_chunk());
    let state = write_state(state)?;
    Ok(if ready {
        Prepared::Ready(state)
    } else {
        Prepared::Pending {
            state,
            again: TimeDelta::zero(),
        }
    })
}

/// The upload is over: begin another one.
fn anew() -> Prepared {
    Prepared::Pending {
        state: Value::Null,
        again: TimeDelta::zero(),
    }
}

fn write_state(state: &State) -> Result<Value, Failure> {
    serde_json::to_value(state).map_err(|_| broken("a state that cannot be written as JSON"))
}

/// How long a video may be differs between creators.
fn check_length(creator: &CreatorInfo, video: &Attachment) -> Result<(), Failure> {
    let (Some(most), Some(ms)) = (creator.max_video_post_duration_sec, video.media.duration_ms)
    else {
        return Ok(());
    };
    if most > 0 && ms > most * 1_000 {
        let code = "longer_than_the_creator_may".to_owned();
        return Err(Failure::ContentRejected { code });
    }
    Ok(())
}

/// Whether an upload lacks bytes, so that nothing can come of it as it is.
pub(super) fn lacks_bytes(upload: &Upload, status: &Progress) -> bool {
    status.status == find::UPLOADING && status.uploaded_bytes.is_some_and(|n| n < upload.size)
}
