//! Uploads: a session, the file in pieces, and the last piece, after which the video exists.
//!
//! A session takes bytes for a week and shows nothing to anybody until it has all of them. Asked how far it is, it
//! answers 308 and what it has, or, finished, the video: the same whenever it is asked. That is what makes a lost
//! answer harmless here.

use std::time::Duration;

use http::{
    Method,
    header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderName},
};
use mooring_domain::{
    Failure, Platform,
    post::{Prepared, Sent},
    time::seconds,
};
use mooring_runtime::Call;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use super::{client::Youtube, map, wire::Video};
use crate::{
    media::Attachment,
    provider::{Access, Draft},
    wire::{Op, Reply, join},
};

/// Bytes of one piece: a multiple of 256 KiB, as the protocol demands of all but the last.
const PIECE: u64 = 4 * 1024 * 1024;
/// Most pieces of one step, and most time: then the next step goes on, with what has come so far kept.
const PIECES: usize = 8;
const STEP: chrono::TimeDelta = seconds(12);
/// How long one piece may take.
const PIECE_TIMEOUT: Duration = Duration::from_secs(20);
/// "People & Blogs": what the site itself takes when nobody chooses.
const CATEGORY: &str = "22";

/// How far an upload is, as it is kept between steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Upload {
    /// The session: below our base URL, or whole where Google gave another of its hosts.
    session: String,
    /// Bytes that Google has.
    sent: u64,
    /// Bytes of the file.
    total: u64,
}

/// How far Google says that a session is.
pub(super) enum Reached {
    /// So many bytes are there, and more are wanted.
    Bytes(u64),
    /// The video exists.
    Video(Video),
    /// The session is not there (any more).
    Gone,
}

impl Youtube {
    /// Begins a session, or brings pieces to the one that was begun, all but the last.
    pub(super) async fn upload(
        &self,
        access: &Access,
        draft: &Draft,
        so_far: Option<&Value>,
    ) -> Result<Prepared, Failure> {
        let file = video_of(draft)?;
        let Some(mut upload) = so_far.map(Upload::read).transpose()? else {
            return self.begin(access, draft, file).await;
        };
        match self.reached(Op::Prepare, access, &upload).await? {
            Reached::Bytes(bytes) => upload.sent = bytes,
            // Sent by an attempt that nobody remembers: the one that publishes is answered with the same video.
            Reached::Video(_) => return Ok(upload.ready()),
            Reached::Gone => return self.begin(access, draft, file).await,
        }
        let begun = self.transport.now();
        for _ in 0..PIECES {
            if upload.total - upload.sent.min(upload.total) <= PIECE {
                return Ok(upload.ready());
            }
            let piece = file.piece(upload.sent, upload.sent + PIECE).await?;
            let call = self.piece(access, &upload, piece)?.timeout(PIECE_TIMEOUT);
            let reply = self.transport.send(Op::Prepare, call).await?;
            match self.understand(Op::Prepare, &reply)? {
                // A session that loses bytes would be fed for ever.
                Reached::Bytes(bytes) if bytes > upload.sent => upload.sent = bytes,
                Reached::Bytes(_) => return Err(Failure::ProviderDown),
                Reached::Video(_) => return Ok(upload.ready()),
                Reached::Gone => return self.begin(access, draft, file).await,
            }
            if self.transport.now() - begun > STEP {
                break;
            }
        }
        Ok(upload.pending())
    }

    /// Sends the last piece. Afterwards the video exists and is being processed.
    pub(super) async fn finish(&self, access: &Access, draft: &Draft) -> Result<Sent, Failure> {
        let file = video_of(draft)?;
        let prepared = draft.prepared.as_ref().ok_or_else(|| Failure::Contract {
            detail: "a video whose upload was not begun".to_owned(),
        })?;
        let upload = Upload::read(prepared)?;
        let piece = file.piece(upload.sent, upload.total).await?;
        let timeout = Platform::YouTube.capabilities().publish_timeout;
        let call = self
            .piece(access, &upload, piece)?
            .send_by(draft.send_by)
            .timeout(timeout.to_std().unwrap_or(PIECE_TIMEOUT));
        let reply = self.transport.send(Op::Publish, call).await?;
        match self.understand(Op::Publish, &reply)? {
            Reached::Video(video) => Ok(Sent::Processing { handle: video.id }),
            // Not all of the piece has come, or the session has ended: a look tells, and the rest is sent again.
            Reached::Bytes(_) | Reached::Gone => Err(Failure::ProviderDown),
        }
    }

    /// Asks a session how far it is. Costs no quota.
    pub(super) async fn reached(
        &self,
        op: Op,
        access: &Access,
        upload: &Upload,
    ) -> Result<Reached, Failure> {
        let call = self
            .session_call(access, upload)?
            .header(CONTENT_LENGTH, "0")
            .header(CONTENT_RANGE, &format!("bytes */{}", upload.total));
        let reply = self.transport.send(op, call).await?;
        self.understand(op, &reply)
    }

    /// `videos.insert`: the words, and the promise of a file. A lost answer leaves a session that nobody feeds.
    async fn begin(
        &self,
        access: &Access,
        draft: &Draft,
        file: &Attachment,
    ) -> Result<Prepared, Failure> {
        self.is_for(access).await?;
        let path = ["resumable", "upload", "youtube", "v3", "videos"];
        let template = "/resumable/upload/youtube/v3/videos";
        let call = self
            .transport
            .call(template, Method::POST, &self.base, &path)?;
        let total = file.media.bytes;
        let call = call
            .bearer(access.token.expose())
            .query("uploadType", "resumable")
            .query("part", "snippet,status")
            .header(
                HeaderName::from_static("x-upload-content-length"),
                &total.to_string(),
            )
            .header(
                HeaderName::from_static("x-upload-content-type"),
                &file.media.mime,
            );
        let call = call.json(&words(draft)).map_err(|_| Failure::Contract {
            detail: "words that are no JSON".to_owned(),
        })?;
        let reply = self.transport.send(Op::Prepare, call).await?;
        if !reply.is_success() {
            return Err(self.failure(Op::Prepare, &reply));
        }
        let session = reply.header("location").and_then(|at| self.session(at));
        let session = session.ok_or_else(|| Failure::Contract {
            detail: "an upload without an address of Google's".to_owned(),
        })?;
        let upload = Upload {
            session,
            sent: 0,
            total,
        };
        Ok(upload.pending())
    }

    /// Refuses to upload to another channel than the post's: an upload names none, it goes where the grant goes, and
    /// a person may have chosen another at a later consent. One unit for each post, of which there are few a day.
    async fn is_for(&self, access: &Access) -> Result<(), Failure> {
        match self.own_channel(Op::Prepare, access).await {
            Ok(Some(channel)) if channel.id == access.remote_id => Ok(()),
            Ok(_) => Err(Failure::AccountUnavailable),
            // Uploads have a bucket of their own: a day whose units are spent does not end them.
            Err(Failure::RateLimited { .. }) => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    fn piece(
        &self,
        access: &Access,
        upload: &Upload,
        piece: bytes::Bytes,
    ) -> Result<Call, Failure> {
        let (from, length) = (upload.sent, piece.len() as u64);
        let Some(last) = (from + length).checked_sub(1).filter(|_| length > 0) else {
            return Err(Failure::Contract {
                detail: "a file that is shorter than it said".to_owned(),
            });
        };
        let range = format!("bytes {from}-{last}/{}", upload.total);
        let call = self.session_call(access, upload)?;
        Ok(call
            .header(CONTENT_RANGE, &range)
            .bytes("application/octet-stream", piece))
    }

    fn session_call(&self, access: &Access, upload: &Upload) -> Result<Call, Failure> {
        let url = self
            .session_url(&upload.session)
            .ok_or_else(|| Failure::Contract {
                detail: "an upload session that is none".to_owned(),
            })?;
        let mut call = self.transport.call(
            "/resumable/upload/youtube/v3/videos",
            Method::PUT,
            &self.base,
            &[],
        )?;
        call.url = url;
        Ok(call.bearer(access.token.expose()))
    }

    /// What is kept of a session's address. Its query is the key to the session, so it may lead nowhere but to our
    /// base URL or to Google.
    fn session(&self, location: &str) -> Option<String> {
        let url = Url::parse(location).ok()?;
        let base = join(&self.base, &[""]).ok()?;
        if let Some(below) = url.as_str().strip_prefix(base.as_str()) {
            return Some(below.to_owned());
        }
        is_googles(&url).then(|| url.into())
    }

    fn session_url(&self, session: &str) -> Option<Url> {
        if session.starts_with("https://") {
            return Url::parse(session).ok().filter(is_googles);
        }
        let base = join(&self.base, &[""]).ok()?;
        let url = Url::parse(&format!("{base}{session}")).ok()?;
        (url.origin() == base.origin()).then_some(url)
    }

    fn understand(&self, op: Op, reply: &Reply) -> Result<Reached, Failure> {
        if reply.status == 308 {
            return Ok(Reached::Bytes(bytes_in(reply)?));
        }
        if map::is_session_gone(reply) {
            return Ok(Reached::Gone);
        }
        let video: Video = self.read(op, reply, "video")?;
        if video.id.is_empty() {
            return Err(Failure::Contract {
                detail: "a video without an id".to_owned(),
            });
        }
        Ok(Reached::Video(video))
    }
}

impl Upload {
    pub(super) fn read(state: &Value) -> Result<Self, Failure> {
        Self::deserialize(state).map_err(|_| Failure::Contract {
            detail: "a kept upload that cannot be read".to_owned(),
        })
    }

    fn write(&self) -> Value {
        json!({ "session": self.session, "sent": self.sent, "total": self.total })
    }

    fn ready(&self) -> Prepared {
        Prepared::Ready(self.write())
    }

    fn pending(&self) -> Prepared {
        Prepared::Pending {
            state: self.write(),
            again: seconds(0),
        }
    }
}

/// The post's video. The row of capabilities lets no other post through.
fn video_of(draft: &Draft) -> Result<&Attachment, Failure> {
    draft.media.first().ok_or_else(|| Failure::ContentRejected {
        code: "no_video".to_owned(),
    })
}

/// The video resource. Whether it is made for kids stays as the channel has it: that is its owner's declaration.
fn words(draft: &Draft) -> Value {
    let longest = Platform::YouTube.capabilities().title_max;
    json!({
        "snippet": {
            "title": draft.content.title_or_first_line(longest),
            "description": draft.content.text,
            "categoryId": CATEGORY,
        },
        "status": { "privacyStatus": "public" },
    })
}

/// `Range: bytes=0-524287` → 524288; without the header nothing has come.
fn bytes_in(reply: &Reply) -> Result<u64, Failure> {
    let Some(range) = reply.header("range") else {
        return Ok(0);
    };
    let last = range
        .trim()
        .strip_prefix("bytes=0-")
        .and_then(|last| last.parse::<u64>().ok());
    last.and_then(|last| last.checked_add(1))
        .ok_or_else(|| Failure::Contract {
            detail: "a range that cannot be read".to_owned(),
        })
}

fn is_googles(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    url.scheme() == "https" && (host == "googleapis.com" || host.ends_with(".googleapis.com"))
}
