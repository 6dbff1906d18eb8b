//! What became of a video: by its id, by its upload session, or among the channel's uploads.

use chrono::TimeDelta;
use http::Method;
use mooring_domain::{
    Failure, Platform,
    post::{Accepted, Finding, Seen, text_digest},
};

use super::{
    client::Youtube,
    map,
    upload::{Reached, Upload},
    wire::{List, Upload as Listed, Video},
};
use crate::{
    provider::{Access, Lost},
    wire::Op,
};

/// Most parts of the list of uploads that are read, 50 each and one unit each.
const PARTS: usize = 4;
/// How far Google's clock may be behind ours.
const CLOCK_SLACK: TimeDelta = TimeDelta::seconds(60);

impl Youtube {
    /// The session knows best: it says whether it made a video, and which. Without it the channel's uploads are read.
    pub(super) async fn look(&self, access: &Access, lost: &Lost) -> Result<Finding, Failure> {
        let order = lost.handle.as_ref().filter(|id| !lost.owned.contains(id));
        if let Some(id) = order {
            return self.follow(access, id).await;
        }
        let Some(prepared) = &lost.prepared else {
            return self.search(access, lost).await;
        };
        let upload = Upload::read(prepared)?;
        match self.reached(Op::Read, access, &upload).await? {
            Reached::Video(video) if lost.owned.contains(&video.id) => Ok(Finding::Absent),
            Reached::Video(video) => self.follow(access, &video.id).await,
            Reached::Bytes(_) => Ok(Finding::Absent),
            Reached::Gone => Ok(match self.search(access, lost).await? {
                // No byte can reach it any more: another session is needed.
                Finding::Absent => Finding::Refused(Failure::ProviderDown),
                found => found,
            }),
        }
    }

    /// Where a video of ours stands.
    async fn follow(&self, access: &Access, id: &str) -> Result<Finding, Failure> {
        let Some(video) = self.video(access, id).await? else {
            // It was there: taken away in the meantime, or not shown yet. Sending it again would be wrong either way.
            return Ok(Finding::Unsure);
        };
        Ok(match stands(&video)? {
            Stands::Processing => Finding::Processing,
            Stands::Live => Finding::Found(accepted(video.id)),
            Stands::Ended(failure) => Finding::Refused(failure),
        })
    }

    pub(super) async fn look_back(&self, access: &Access, id: &str) -> Result<Seen, Failure> {
        let Some(video) = self.video(access, id).await? else {
            return Ok(Seen::Gone);
        };
        match stands(&video)? {
            Stands::Processing => Err(Failure::MediaProcessing),
            Stands::Ended(_) => Ok(Seen::Gone),
            // It exists, but nobody sees it: for a proof that is the same as gone.
            Stands::Live if video.status.privacy_status == "private" => Ok(Seen::Gone),
            Stands::Live => Ok(Seen::Live {
                permalink: accepted(video.id).permalink,
                digest: Some(text_digest(&video.snippet.description)),
            }),
        }
    }

    /// One video; `None` when it is gone, or not for us to see. One unit.
    pub(super) async fn video(&self, access: &Access, id: &str) -> Result<Option<Video>, Failure> {
        let call = self.api(access, "/youtube/v3/videos", Method::GET, "videos")?;
        let call = call.query("part", "id,snippet,status").query("id", id);
        let reply = self.transport.send(Op::Read, call).await?;
        if map::is_video_missing(&reply) {
            return Ok(None);
        }
        let list: List<Video> = self.read(Op::Read, &reply, "list of videos")?;
        list.expect_kind("youtube#videoListResponse")?;
        match list.items.into_iter().next() {
            Some(video) if video.id != id => Err(Failure::Contract {
                detail: "another video than the one asked for".to_owned(),
            }),
            video => Ok(video),
        }
    }

    /// Reads the channel's uploads since the send.
    async fn search(&self, access: &Access, lost: &Lost) -> Result<Finding, Failure> {
        let channel = self.own_channel(Op::Read, access).await?;
        let channel = channel.filter(|channel| channel.id == access.remote_id);
        let channel = channel.ok_or(Failure::AccountUnavailable)?;
        let Some(playlist) = channel.content_details.related_playlists.uploads else {
            return Ok(Finding::Unsure);
        };
        let since = lost.not_before - CLOCK_SLACK;
        let (mut uploads, mut page) = (Vec::new(), None::<String>);
        for _ in 0..PARTS {
            let call = self.api(
                access,
                "/youtube/v3/playlistItems",
                Method::GET,
                "playlistItems",
            )?;
            let call = call
                .query("part", "snippet")
                .query("playlistId", &playlist)
                .query("maxResults", "50");
            let call = match &page {
                Some(page) => call.query("pageToken", page),
                None => call,
            };
            let reply = self.transport.send(Op::Read, call).await?;
            if map::is_playlist_missing(&reply) {
                return Ok(Finding::Absent);
            }
            let part: List<Listed> = self.read(Op::Read, &reply, "list of uploads")?;
            part.expect_kind("youtube#playlistItemListResponse")?;
            let older = |one: &Listed| one.snippet.published_at.is_some_and(|at| at < since);
            let reached_the_send = part.items.last().is_some_and(older);
            uploads.extend(part.items);
            page = part.next_page_token;
            if page.is_none() || reached_the_send {
                return Ok(judge(uploads, lost, true));
            }
        }
        Ok(judge(uploads, lost, false))
    }
}

/// Which of the uploads is the lost one: same title, same description, not older than the send, nobody else's. Of
/// several the oldest is; the others were made by somebody who uploaded the same later.
fn judge(uploads: Vec<Listed>, lost: &Lost, complete: bool) -> Finding {
    let title = lost
        .content
        .title_or_first_line(Platform::YouTube.capabilities().title_max);
    let digest = lost.content.digest();
    let mut candidates: Vec<Listed> = uploads
        .into_iter()
        .filter(|one| one.snippet.title.trim() == title)
        .filter(|one| text_digest(&one.snippet.description) == digest)
        .filter(|one| !lost.owned.contains(&one.snippet.resource_id.video_id))
        .filter(|one| {
            let at = one.snippet.published_at;
            at.is_none_or(|at| at >= lost.not_before - CLOCK_SLACK)
        })
        .collect();
    candidates.sort_by_key(|one| one.snippet.published_at);
    // Google tells whole seconds, so the send's own second counts from its beginning.
    let from = lost.not_before - TimeDelta::seconds(1);
    let sure = |one: &Listed| one.snippet.published_at.is_some_and(|at| at > from);
    match candidates.iter().find(|one| sure(one)) {
        Some(one) => Finding::Found(accepted(one.snippet.resource_id.video_id.clone())),
        None if candidates.is_empty() && complete => Finding::Absent,
        None => Finding::Unsure,
    }
}

/// Where a video stands, by what its owner is told.
enum Stands {
    Processing,
    Live,
    Ended(Failure),
}

fn stands(video: &Video) -> Result<Stands, Failure> {
    let status = &video.status;
    let code = |reason: &Option<String>| {
        let plain = |text: &&String| text.bytes().all(|b| b.is_ascii_alphanumeric());
        reason.as_ref().filter(plain).cloned()
    };
    Ok(match status.upload_status.as_str() {
        "uploaded" => Stands::Processing,
        "processed" => Stands::Live,
        "failed" => Stands::Ended(Failure::ContentRejected {
            code: code(&status.failure_reason).unwrap_or_else(|| "failed".to_owned()),
        }),
        "rejected" => Stands::Ended(match status.rejection_reason.as_deref() {
            Some("duplicate") => Failure::DuplicateContent,
            Some("uploaderAccountSuspended" | "uploaderAccountClosed") => {
                Failure::AccountUnavailable
            }
            _ => Failure::ContentRejected {
                code: code(&status.rejection_reason).unwrap_or_else(|| "rejected".to_owned()),
            },
        }),
        "deleted" => Stands::Ended(Failure::ContentRejected {
            code: "deleted".to_owned(),
        }),
        _ => {
            return Err(Failure::Contract {
                detail: "a video in a state that is not documented".to_owned(),
            });
        }
    })
}

/// A Short has the same address: the site sends its readers on.
fn accepted(id: String) -> Accepted {
    Accepted {
        permalink: Some(format!("https://www.youtube.com/watch?v={id}")),
        remote_id: id,
    }
}

#[cfg(test)]
mod tests {
    use mooring_domain::{
        post::Content,
        time::{from_ms, seconds},
    };
    use serde_json::json;

    use super::*;

    const SENT_MS: i64 = 1_795_446_000_700;

    fn lost(owned: &[&str]) -> Lost {
        Lost {
            reference: None,
            handle: None,
            prepared: None,
            content: Content::text("Hello\nworld"),
            not_before: from_ms(SENT_MS),
            owned: owned.iter().map(|id| (*id).to_owned()).collect(),
        }
    }

    /// An upload so many seconds after the second in which the lost one was sent.
    fn upload(id: &str, text: &str, after: i64) -> Listed {
        let at = from_ms(SENT_MS - 700) + seconds(after);
        let title = text.lines().next();
        let value = json!({ "snippet": {
            "publishedAt": at.to_rfc3339(), "title": title, "description": text,
            "resourceId": { "kind": "youtube#video", "videoId": id },
        }});
        serde_json::from_value(value).expect("an upload")
    }

    fn found(uploads: Vec<Listed>, owned: &[&str], complete: bool) -> String {
        match judge(uploads, &lost(owned), complete) {
            Finding::Found(accepted) => accepted.remote_id,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn title_words_and_time_tell_a_lost_video() {
        let mine = || upload("mine", "Hello\nworld", 0);
        assert_eq!(
            found(vec![upload("x", "Hello\nyou", 1), mine()], &[], true),
            "mine"
        );
        let later = upload("later", "Hello\nworld", 30);
        assert_eq!(found(vec![later, mine()], &[], true), "mine");
        assert_eq!(found(vec![mine()], &["mine"], true), "Absent");
        assert_eq!(
            found(vec![upload("old", "Hello\nworld", -100)], &[], true),
            "Absent"
        );
        assert_eq!(
            found(vec![upload("near", "Hello\nworld", -5)], &[], true),
            "Unsure"
        );
        assert_eq!(found(Vec::new(), &[], false), "Unsure");
        assert_eq!(found(Vec::new(), &[], true), "Absent");
    }

    #[test]
    fn where_a_video_stands() {
        let at = |status: serde_json::Value| {
            let video = serde_json::from_value(json!({ "id": "v", "status": status }));
            match stands(&video.expect("a video")) {
                Ok(Stands::Processing) => "processing".to_owned(),
                Ok(Stands::Live) => "live".to_owned(),
                Ok(Stands::Ended(failure)) | Err(failure) => failure.to_string(),
            }
        };
        assert_eq!(at(json!({ "uploadStatus": "uploaded" })), "processing");
        assert_eq!(at(json!({ "uploadStatus": "processed" })), "live");
        let failed = json!({ "uploadStatus": "failed", "failureReason": "codec" });
        assert_eq!(at(failed), "content_rejected (codec)");
        assert_eq!(
            at(json!({ "uploadStatus": "failed" })),
            "content_rejected (failed)"
        );
        let rejected =
            |reason: &str| at(json!({ "uploadStatus": "rejected", "rejectionReason": reason }));
        assert_eq!(rejected("duplicate"), "duplicate_content");
        assert_eq!(rejected("uploaderAccountSuspended"), "account_unavailable");
        assert_eq!(rejected("copyright"), "content_rejected (copyright)");
        assert!(at(json!({ "uploadStatus": "new" })).starts_with("contract"));
    }
}
