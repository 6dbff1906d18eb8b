//! Videos on their way up and to their end: in chunks as posts, through the host for uploads as reels and stories.

use std::time::Duration;

use chrono::TimeDelta;
use http::{HeaderName, HeaderValue, Method};
use mooring_domain::{
    Failure,
    post::{Finding, Format, Prepared, Sent},
};
use mooring_runtime::Call;
use serde::{Deserialize, Serialize};

use super::{
    client::Facebook,
    map,
    media::Parts,
    multipart,
    video_status::judge,
    wire::Success,
    wire_media::{ChunkRefused, Finished, Started, Status, Video, Wanted},
};
use crate::{
    media::Attachment,
    provider::{Access, Draft},
    wire::{Op, Reply},
};

/// A video on its way up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct VideoState {
    /// Its id: known before it is published, and what a lost answer is found out by.
    pub(super) id: String,
    /// What becomes of it.
    pub(super) format: Format,
    /// Of a chunked upload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    /// The bytes that are wanted next: from, to.
    #[serde(default)]
    next: (u64, u64),
    /// Whether the platform shall fetch the file.
    #[serde(default)]
    fetched: bool,
    /// Whether everything was sent, so that only the platform has something to do.
    #[serde(default)]
    sent: bool,
    /// How often the whole upload was begun anew.
    #[serde(default)]
    again: u8,
}

/// Largest piece that is held in memory and sent at once.
const PIECE: u64 = 32 * 1024 * 1024;
/// Pieces that one step sends at most, and how long it goes on.
const PIECES_PER_STEP: usize = 16;
const STEP: TimeDelta = TimeDelta::seconds(12);
/// How long the upload of one piece may take.
const PIECE_TIMEOUT: Duration = Duration::from_mins(1);
/// How often an upload that the platform could not use is begun anew.
const RESTARTS: u8 = 2;
/// How long the platform is left alone between two looks, in seconds.
const PAUSE: i64 = 5;

const OFFSET: HeaderName = HeaderName::from_static("offset");
const FILE_SIZE: HeaderName = HeaderName::from_static("file_size");
const FILE_URL: HeaderName = HeaderName::from_static("file_url");

/// The edge of a page that takes videos of this kind, and its template.
const fn edge(format: Format) -> (&'static str, &'static str) {
    match format {
        Format::Feed | Format::Short => ("videos", "/{page-id}/videos"),
        Format::Reel => ("video_reels", "/{page-id}/video_reels"),
        Format::Story => ("video_stories", "/{page-id}/video_stories"),
    }
}

impl Facebook {
    /// The next step of a video: begin, send, wait until the platform has it.
    pub(super) async fn video_step(
        &self,
        access: &Access,
        format: Format,
        file: &Attachment,
        parts: Parts,
    ) -> Result<Prepared, Failure> {
        match parts.video {
            None => self.begin_video(access, format, file, 0).await,
            Some(video) if video.sent && video.session.is_none() => {
                self.await_upload(access, file, video).await
            }
            Some(video) if video.sent => ready(video),
            Some(video) if video.session.is_some() => self.send_chunks(access, file, video).await,
            Some(video) => self.send_to_host(access, file, video).await,
        }
    }

    /// `upload_phase=start`. A video whose beginning is lost is never seen.
    async fn begin_video(
        &self,
        access: &Access,
        format: Format,
        file: &Attachment,
        again: u8,
    ) -> Result<Prepared, Failure> {
        let (edge, template) = edge(format);
        let path = [access.remote_id.as_str(), edge];
        let call = self.page_call(access, template, Method::POST, &path)?;
        let mut form = vec![("upload_phase", "start".to_owned())];
        if edge == "videos" {
            form.push(("file_size", file.media.bytes.to_string()));
        }
        let started: Started = self.answer(Op::Prepare, call.form(form), "upload").await?;
        let next = match (started.start_offset, started.end_offset) {
            (Some(from), Some(to)) if started.upload_session_id.is_some() => (from, to),
            _ if edge == "videos" => {
                return Err(Failure::Contract {
                    detail: "an upload without its session".to_owned(),
                });
            }
            _ => (0, file.media.bytes),
        };
        let video = VideoState {
            id: started.video_id,
            format,
            session: started.upload_session_id.filter(|_| edge == "videos"),
            next,
            fetched: edge != "videos" && file.url.is_some() && again == 0,
            sent: false,
            again,
        };
        pending(video, 0)
    }

    /// `upload_phase=transfer`, piece after piece. A piece that comes twice is refused with what is wanted instead.
    async fn send_chunks(
        &self,
        access: &Access,
        file: &Attachment,
        mut video: VideoState,
    ) -> Result<Prepared, Failure> {
        let begun = self.transport.now();
        for done in 0..PIECES_PER_STEP {
            let (from, to) = video.next;
            if from >= to {
                video.sent = true;
                return ready(video);
            }
            if self.transport.now() - begun > STEP {
                break;
            }
            match self.send_chunk(access, file, &video).await {
                // Nothing of the file is wanted, as if the session were none.
                Ok(wanted) if wanted.end_offset == 0 => {
                    return self.begin_anew(access, file, video).await;
                }
                Ok(wanted) => video.next = (wanted.start_offset, wanted.end_offset),
                Err(_) if done > 0 => break,
                Err(failure) => return Err(failure),
            }
        }
        pending(video, 0)
    }

    async fn send_chunk(
        &self,
        access: &Access,
        file: &Attachment,
        video: &VideoState,
    ) -> Result<Wanted, Failure> {
        let (from, to) = video.next;
        let bytes = file.piece(from, to.min(from + PIECE)).await?;
        let path = [access.remote_id.as_str(), "videos"];
        let call = self.page_call(access, "/{page-id}/videos", Method::POST, &path)?;
        let from = from.to_string();
        let fields = [
            ("upload_phase", "transfer"),
            ("upload_session_id", video.session.as_deref().unwrap_or("")),
            ("start_offset", from.as_str()),
        ];
        let piece = ("video_file_chunk", "application/octet-stream", &bytes);
        let call = multipart::form(call, &file.media.sha256, &fields, piece);
        let reply = self.reply(Op::Prepare, call.timeout(PIECE_TIMEOUT)).await?;
        match wanted_instead(&reply) {
            Some(wanted) => Ok(wanted),
            None => self.read(Op::Prepare, &reply, "upload's next bytes"),
        }
    }

    /// To the host for uploads: an address to fetch from, or bytes.
    async fn send_to_host(
        &self,
        access: &Access,
        file: &Attachment,
        mut video: VideoState,
    ) -> Result<Prepared, Failure> {
        let size = file.media.bytes;
        let (from, _) = video.next;
        let to = size.min(from + PIECE);
        let call = self.host_call(access, &video.id)?;
        let call = if video.fetched {
            with_address(call, file)?
        } else {
            let bytes = file.piece(from, to).await?;
            call.header(OFFSET, &from.to_string())
                .header(FILE_SIZE, &size.to_string())
                .bytes("application/octet-stream", bytes)
        };
        let reply = self.reply(Op::Prepare, call.timeout(PIECE_TIMEOUT)).await?;
        if !map::is_error(&reply) && map::upload_refused(&reply).is_none() {
            let done: Success = reply.read("upload")?;
            if !done.success {
                return Err(Failure::Contract {
                    detail: "an upload that says it is none".to_owned(),
                });
            }
            video.sent = true;
            return pending(video, 0);
        }
        self.upload_went_wrong(access, file, video, &reply).await
    }

    async fn upload_went_wrong(
        &self,
        access: &Access,
        file: &Attachment,
        mut video: VideoState,
        reply: &Reply,
    ) -> Result<Prepared, Failure> {
        let refused = map::upload_refused(reply);
        match refused.as_ref().map(|info| info.kind.as_str()) {
            // The piece was not the whole file, or did not fit: the platform knows how much it has.
            Some("PartialRequestError" | "OffsetInvalidError") => {
                let status = self.status(access, &video.id).await?;
                let has = status.uploading_phase.bytes_transfered.unwrap_or(0);
                let stands_still = has <= video.next.0 && video.next.0 > 0;
                if stands_still || has > file.media.bytes {
                    return self.begin_anew(access, file, video).await;
                }
                video.next = (has, file.media.bytes);
                pending(video, 0)
            }
            // It cannot fetch from us: send the bytes.
            Some("FileUrlProcessingError") if video.fetched => {
                video.fetched = false;
                pending(video, 0)
            }
            Some("ProcessingFailedError") => self.begin_anew(access, file, video).await,
            _ => Err(map::failure(Op::Prepare, reply, self.transport.now())),
        }
    }

    /// The documents' advice when an upload cannot be used: a new one. Not for ever.
    async fn begin_anew(
        &self,
        access: &Access,
        file: &Attachment,
        video: VideoState,
    ) -> Result<Prepared, Failure> {
        if video.again >= RESTARTS {
            return Err(Failure::ContentRejected {
                code: "ProcessingFailedError".to_owned(),
            });
        }
        self.begin_video(access, video.format, file, video.again + 1)
            .await
    }

    /// Waits until the platform has the whole file.
    async fn await_upload(
        &self,
        access: &Access,
        file: &Attachment,
        video: VideoState,
    ) -> Result<Prepared, Failure> {
        let status = self.status(access, &video.id).await?;
        match status.summary.as_deref() {
            Some("expired" | "upload_failed") => self.begin_anew(access, file, video).await,
            _ if status.is_refused() => Err(status.refusal()),
            _ if status.is_uploaded() => ready(video),
            _ => pending(video, PAUSE),
        }
    }

    /// `upload_phase=finish`: the one call that publishes. What becomes of the video is told by asking for it.
    pub(super) async fn finish_video(
        &self,
        access: &Access,
        draft: &Draft,
        video: &VideoState,
    ) -> Result<Sent, Failure> {
        let (edge, template) = edge(video.format);
        let mut form = vec![("upload_phase", "finish".to_owned())];
        match &video.session {
            Some(session) => {
                form.push(("upload_session_id", session.clone()));
                form.push(("published", "true".to_owned()));
            }
            None => form.push(("video_id", video.id.clone())),
        }
        if video.format == Format::Reel {
            form.push(("video_state", "PUBLISHED".to_owned()));
        }
        if video.format != Format::Story && !draft.content.text.is_empty() {
            form.push(("description", draft.content.text.clone()));
        }
        let call = self.publishing_call(access, draft, template, edge, form)?;
        let finished: Finished = self.answer(Op::Publish, call, "end of an upload").await?;
        if !finished.success {
            return Err(Failure::Contract {
                detail: "a success that says it is none".to_owned(),
            });
        }
        let handle = video.id.clone();
        Ok(Sent::Processing { handle })
    }

    /// What became of a video that was told to be published, or may not have been.
    pub(super) async fn look_for_video(
        &self,
        access: &Access,
        id: &str,
        format: Option<Format>,
    ) -> Result<Finding, Failure> {
        // "Not there" is also what the platform says when we may not see it, so it proves nothing.
        let Some(video) = self.video(access, id).await? else {
            return Ok(Finding::Unsure);
        };
        let finding = judge(&video, format, &access.remote_id);
        match finding {
            // A story's video names no post; the list of stories does.
            Finding::Found(_) if format == Some(Format::Story) => {
                let story = self.story_of(access, id).await?;
                Ok(story.map_or(Finding::Processing, Finding::Found))
            }
            other => Ok(other),
        }
    }

    /// The video; `None` when it is not there.
    pub(super) async fn video(&self, access: &Access, id: &str) -> Result<Option<Video>, Failure> {
        let call = self.page_call(access, "/{video-id}", Method::GET, &[id])?;
        let fields = "id,status,post_id,published,description,permalink_url";
        let reply = self.reply(Op::Read, call.query("fields", fields)).await?;
        if map::is_gone(&reply) {
            return Ok(None);
        }
        let video: Video = self.read(Op::Read, &reply, "video")?;
        if video.id == id {
            return Ok(Some(video));
        }
        Err(Failure::Contract {
            detail: "another video than the one asked for".to_owned(),
        })
    }

    async fn status(&self, access: &Access, id: &str) -> Result<Status, Failure> {
        let call = self.page_call(access, "/{video-id}", Method::GET, &[id])?;
        let reply = self
            .reply(Op::Prepare, call.query("fields", "status"))
            .await?;
        // A video that was begun a moment ago may not be seen yet; that says nothing about the account.
        if map::is_gone(&reply) {
            return Ok(Status::default());
        }
        let video: Video = self.read(Op::Prepare, &reply, "video")?;
        Ok(video.status.unwrap_or_default())
    }

    /// A call to the host for uploads. It takes the token as `OAuth`, and no parameters.
    fn host_call(&self, access: &Access, video: &str) -> Result<Call, Failure> {
        let path = ["video-upload", self.version.as_str(), video];
        let template = "/video-upload/{version}/{video-id}";
        let call = self
            .transport
            .call(template, Method::POST, &self.upload, &path)?;
        Ok(call.authorization("OAuth", access.token.expose()))
    }
}

/// The address from which the platform may fetch the file: as good as a password for a while, so it is marked.
fn with_address(mut call: Call, file: &Attachment) -> Result<Call, Failure> {
    let value = HeaderValue::from_str(file.public_url()?.as_str());
    let mut value = value.map_err(|_| Failure::Contract {
        detail: "the address of a file cannot stand in a header".to_owned(),
    })?;
    value.set_sensitive(true);
    call.headers.insert(FILE_URL, value);
    Ok(call)
}

fn ready(video: VideoState) -> Result<Prepared, Failure> {
    parts(video).ready()
}

fn pending(video: VideoState, after: i64) -> Result<Prepared, Failure> {
    parts(video).pending(after)
}

fn parts(video: VideoState) -> Parts {
    Parts {
        video: Some(video),
        ..Parts::default()
    }
}

/// Which bytes the platform wants instead of a chunk that it refused.
fn wanted_instead(reply: &Reply) -> Option<Wanted> {
    let refused: ChunkRefused = serde_json::from_slice(&reply.body).ok()?;
    let fits_not = refused.error.error_subcode == Some(1_363_037);
    fits_not.then_some(refused.error.error_data)
}
