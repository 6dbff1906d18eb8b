//! `videos.insert`, second half: the bytes. The last of them makes the video, and whoever asks
//! the session again gets the same video.

use sha2::{Digest as _, Sha256};

use super::access::{self, Caller};
use super::insert::Draft;
use super::{Privacy, Video, errors, flat, processing, videos};
use crate::call::{Answer, Call};
use crate::world::World;

/// Every chunk but the last is a multiple of this.
const GRAIN: u64 = 256 * 1024;
/// Life of a session: a week.
const SESSION_LIFE_MS: i64 = 7 * 24 * 3_600_000;
const VIDEO_ID: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// An upload that began.
pub(crate) struct Session {
    pub(crate) caller: Caller,
    draft: Draft,
    parts: Vec<String>,
    /// Bytes of the whole file, once they are known.
    total: Option<u64>,
    received: u64,
    hash: Sha256,
    began_at: i64,
    /// The answer of the last chunk.
    done: Option<Answer>,
}

impl Session {
    pub(super) fn new(
        caller: Caller,
        draft: Draft,
        parts: Vec<String>,
        total: Option<u64>,
        now: i64,
    ) -> Self {
        Self {
            caller,
            draft,
            parts,
            total,
            received: 0,
            hash: Sha256::new(),
            began_at: now,
            done: None,
        }
    }

    /// Ends the session, as Google does after a week.
    pub(super) fn expire(&mut self) {
        self.began_at = i64::MIN / 2;
    }

    /// 308: not finished; `Range` says what is there, and is absent when nothing is.
    fn unfinished(&self) -> Answer {
        let answer = Answer::text(308, "text/plain; charset=utf-8", "");
        match self.received.checked_sub(1) {
            Some(last) => answer.with("range", format!("bytes=0-{last}")),
            None => answer,
        }
    }
}

/// What a `PUT` on a session is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sent {
    /// `bytes */N` or `bytes */*`: how far is it?
    Probe(Option<u64>),
    /// Bytes from here on, of so many in all.
    Bytes { from: u64, total: Option<u64> },
}

/// `PUT` on the address of a session.
pub(crate) fn put(world: &mut World, call: &Call) -> Answer {
    flat(receive(world, call))
}

/// Whether a `PUT` asks how far the upload is.
pub(super) fn is_probe(call: &Call) -> bool {
    matches!(sent(call), Some(Sent::Probe(_)))
}

/// Whether a `PUT` carries the last byte, so that the video exists afterwards.
pub(super) fn is_last(call: &Call) -> bool {
    let length = call.body.len() as u64;
    matches!(sent(call), Some(Sent::Bytes { from, total: Some(total) }) if from + length == total)
}

fn receive(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let now = world.now;
    let id = call.param("upload_id").unwrap_or("").to_owned();
    let session = world.youtube.sessions.get_mut(&id);
    let session = session.filter(|s| now - s.began_at < SESSION_LIFE_MS);
    let session = session.ok_or_else(errors::no_session)?;
    if let Some(answer) = &session.done {
        return Ok(again(answer));
    }
    let sent =
        sent(call).ok_or_else(|| errors::bad_upload("Failed to parse Content-Range header."))?;
    let (from, total) = match sent {
        Sent::Probe(_) => return Ok(session.unfinished()),
        Sent::Bytes { from, total } => (from, total),
    };
    take(session, call, from, total)?;
    if session.total != Some(session.received) {
        return Ok(session.unfinished());
    }
    let caller = session.caller.clone();
    access::account_is_open(world, &caller, true)?;
    if !world
        .youtube
        .grants
        .contains_key(&(caller.user.clone(), caller.app.clone()))
    {
        return Err(errors::bad_token());
    }
    Ok(finish(world, &id))
}

/// Puts new bytes to those that are there. Bytes that are there already are passed over, a gap is
/// answered with what is there.
fn take(session: &mut Session, call: &Call, from: u64, total: Option<u64>) -> Result<(), Answer> {
    let length = call.body.len() as u64;
    if let (Some(known), Some(said)) = (session.total, total)
        && known != said
    {
        return Err(errors::bad_upload(
            "The total size differs from the size of the session.",
        ));
    }
    let end = from + length;
    let total = total.or(session.total);
    if total.is_some_and(|total| end > total) {
        return Err(errors::bad_upload(
            "More bytes were sent than the upload has.",
        ));
    }
    if total == Some(0) {
        let text = "The request does not include the video content.";
        return Err(errors::bad_metadata("mediaBodyRequired", "body", text));
    }
    if total != Some(end) && !length.is_multiple_of(GRAIN) {
        return Err(errors::bad_upload(&format!(
            "Invalid request.  The number of bytes uploaded is required to be equal or greater \
             than {GRAIN}, except for the final request (it's recommended to be the exact multiple \
             of {GRAIN}).  The received request contained {length} bytes, which does not meet \
             this requirement."
        )));
    }
    session.total = total;
    if from > session.received {
        return Err(session.unfinished());
    }
    let known = usize::try_from(session.received - from).unwrap_or(usize::MAX);
    if let Some(fresh) = call.body.get(known..) {
        session.hash.update(fresh);
        session.received += fresh.len() as u64;
    }
    Ok(())
}

/// The last byte is there: the video exists.
fn finish(world: &mut World, upload: &str) -> Answer {
    let Some(session) = world.youtube.sessions.get(upload) else {
        return errors::no_session();
    };
    let (caller, draft) = (session.caller.clone(), session.draft.clone());
    let (parts, hash) = (session.parts.clone(), session.hash.clone());
    let locked = world
        .youtube
        .apps
        .get(&caller.app)
        .is_some_and(|a| a.locks_uploads);
    let privacy = if locked {
        Privacy::Private
    } else {
        draft.privacy
    };
    let draft = Draft {
        // A locked video is never scheduled.
        publish_at: draft.publish_at.filter(|_| !locked),
        ..draft
    };
    let channel = caller.channel.unwrap_or_default();
    let digest = hex::encode(hash.finalize());
    let id = put_up(world, &channel, draft, privacy, digest);
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let resource = videos::resource(world, &id, &parts);
    let answer = Answer::json(201, &resource);
    if let Some(session) = world.youtube.sessions.get_mut(upload) {
        session.done = Some(again(&answer));
    }
    answer
}

/// A new video, whoever uploaded it.
fn put_up(
    world: &mut World,
    channel: &str,
    draft: Draft,
    privacy: Privacy,
    digest: String,
) -> String {
    let id = world.word(VIDEO_ID, 11);
    let stage = processing::begin(world, channel, &digest);
    let video = Video {
        channel: channel.to_owned(),
        privacy,
        draft,
        uploaded_at: world.now,
        published_at: world.now,
        digest,
        stage,
        deleted: false,
        was_seen: false,
    };
    world.youtube.videos.insert(id.clone(), video);
    if let Some(channel) = world.youtube.channels.get_mut(channel) {
        channel.videos.push(id.clone());
    }
    processing::wait(world, &id);
    // Where processing takes no time.
    processing::tick(world);
    id
}

/// A public video that its owner uploaded without us, processed at once.
pub(super) fn by_hand(world: &mut World, channel: &str, title: &str, description: &str) -> String {
    let usual = std::mem::replace(&mut world.youtube.processing_ms, 0);
    let digest = hex::encode(Sha256::digest(title));
    let draft = Draft::plain(title, description);
    let id = put_up(world, channel, draft, Privacy::Public, digest);
    world.youtube.processing_ms = usual;
    id
}

/// The same answer once more.
fn again(answer: &Answer) -> Answer {
    Answer {
        status: answer.status,
        headers: answer.headers.clone(),
        content_type: answer.content_type,
        body: answer.body.clone(),
    }
}

/// Reads `Content-Range`; without one, the body is the whole file.
fn sent(call: &Call) -> Option<Sent> {
    let length = call.body.len() as u64;
    let header = call.header("content-range");
    if header.is_empty() {
        return Some(Sent::Bytes {
            from: 0,
            total: Some(length),
        });
    }
    let (range, total) = header.strip_prefix("bytes")?.trim_start().split_once('/')?;
    let total = match total {
        "*" => None,
        number => Some(number.parse().ok()?),
    };
    if range == "*" {
        return (length == 0).then_some(Sent::Probe(total));
    }
    let (from, last) = range.split_once('-')?;
    let (from, last): (u64, u64) = (from.parse().ok()?, last.parse().ok()?);
    let fits = last.checked_add(1)?.checked_sub(from) == Some(length);
    fits.then_some(Sent::Bytes { from, total })
}
