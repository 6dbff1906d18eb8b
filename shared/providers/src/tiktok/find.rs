//! What became of an order, and whether a post is there.

use chrono::TimeDelta;
use http::Method;
use mooring_domain::{
    Failure,
    post::{Accepted, Finding, Seen, text_digest},
    time::from_ms,
};
use serde_json::json;
use url::Url;

use super::{
    TikTok, broken,
    check::EVERYBODY,
    json as with_json, map, publish,
    wire::{Listed, Page, Prepared as State, Progress},
};
use crate::{
    provider::{Access, Lost},
    wire::{Op, unix},
};

/// The status of an upload, also while its bytes are processed.
pub(super) const UPLOADING: &str = "PROCESSING_UPLOAD";
/// How long a public post may be moderated before its publish id has to do as its name.
const MODERATION: TimeDelta = TimeDelta::hours(1);
/// Texts are cut to so many characters when they are read.
const SHOWN_TEXT: usize = 150;
/// Pages of 20 that are looked through.
const PAGES: usize = 5;
const FIELDS: &str = "id,title,video_description,create_time,share_url";

impl TikTok {
    /// By the publish id where there is one, else among the creator's public posts.
    pub(super) async fn look_for(&self, access: &Access, lost: &Lost) -> Result<Finding, Failure> {
        let state = publish::read_state(lost.prepared.as_ref());
        let upload = state.as_ref().and_then(|state| state.upload.as_ref());
        let begun = upload.map(|upload| upload.publish_id.as_str());
        let Some(id) = lost.handle.as_deref().or(begun) else {
            return self.among_recent(access, lost).await;
        };
        let status = self.status(Op::Read, access, id).await?;
        let finding = self.judge(id, &status, state.as_ref(), lost);
        match &finding {
            // The order of another attempt.
            Ok(Finding::Found(accepted)) if lost.owned.contains(&accepted.remote_id) => {
                match upload {
                    Some(own) if own.publish_id != id => self.unsent(access, &own.publish_id).await,
                    Some(_) => Ok(Finding::Absent),
                    None => self.among_recent(access, lost).await,
                }
            }
            _ => finding,
        }
    }

    /// Whether an upload of ours still waits for bytes.
    async fn unsent(&self, access: &Access, publish_id: &str) -> Result<Finding, Failure> {
        let status = self.status(Op::Read, access, publish_id).await?;
        let waits = status.status == UPLOADING;
        Ok(if waits {
            Finding::Absent
        } else {
            Finding::Unsure
        })
    }

    fn judge(
        &self,
        id: &str,
        status: &Progress,
        state: Option<&State>,
        lost: &Lost,
    ) -> Result<Finding, Failure> {
        let upload = state.and_then(|state| state.upload.as_ref());
        Ok(match status.status.as_str() {
            UPLOADING => match upload.filter(|upload| publish::lacks_bytes(upload, status)) {
                // Its address is over: begin anew.
                Some(upload) if self.transport.now() >= from_ms(upload.until_ms) => {
                    Finding::Refused(Failure::MediaProcessing)
                }
                Some(_) => Finding::Absent,
                None => Finding::Processing,
            },
            "PROCESSING_DOWNLOAD" => Finding::Processing,
            "PUBLISH_COMPLETE" => self.complete(id, status, state, lost),
            "FAILED" => {
                let reason = status.fail_reason.as_deref().unwrap_or_default();
                Finding::Refused(map::failed(reason))
            }
            // A draft in somebody's inbox is none of ours.
            "SEND_TO_USER_INBOX" => Finding::Unsure,
            _ => return Err(broken("a status that we do not know")),
        })
    }

    /// It is published. Its id comes with moderation, and only if everybody may see it; where none is to come, the
    /// publish id is its name.
    fn complete(&self, id: &str, status: &Progress, state: Option<&State>, lost: &Lost) -> Finding {
        if let Some(remote_id) = status.post_id() {
            let kind = if lost.content.media.iter().any(is_video) {
                "video"
            } else {
                "photo"
            };
            let permalink = state.map(|state| {
                format!(
                    "https://www.tiktok.com/@{}/{kind}/{remote_id}",
                    state.username
                )
            });
            return Finding::Found(Accepted {
                remote_id,
                permalink,
            });
        }
        let is_public = state.is_none_or(|state| state.privacy == EVERYBODY);
        if is_public && self.transport.now() - lost.not_before < MODERATION {
            return Finding::Processing;
        }
        Finding::Found(Accepted {
            remote_id: id.to_owned(),
            permalink: None,
        })
    }

    pub(super) async fn status(
        &self,
        op: Op,
        access: &Access,
        publish_id: &str,
    ) -> Result<Progress, Failure> {
        let template = "/v2/post/publish/status/fetch/";
        let call = self.call(template, Method::POST, &access.token)?;
        let call = with_json(call, &json!({ "publish_id": publish_id }))?;
        self.data(op, call, "status").await
    }

    /// Photos whose answer was lost. They are listed only after moderation, so that one is not there proves nothing.
    async fn among_recent(&self, access: &Access, lost: &Lost) -> Result<Finding, Failure> {
        let mut cursor = None;
        let since = lost.not_before.timestamp();
        let mut found: Option<Listed> = None;
        let mut complete = false;
        for _ in 0..PAGES {
            let page = self.recent(access, cursor).await?;
            let older = page.videos.iter().any(|one| one.create_time < since);
            // The last that fits is the oldest of them: ours came first.
            let ours = page
                .videos
                .into_iter()
                .filter(|one| one.create_time >= since);
            let mut ours = ours.filter(|one| !lost.owned.contains(&one.id));
            found = ours.rfind(|one| says(one, &lost.content.text)).or(found);
            complete = older || !page.has_more;
            if complete {
                break;
            }
            cursor = Some(page.cursor);
        }
        let said = !lost.content.text.trim().is_empty();
        Ok(match found.filter(|_| said) {
            Some(video) => Finding::Found(Accepted {
                permalink: permalink(&video),
                remote_id: video.id,
            }),
            None if complete && said => Finding::Unlisted,
            None => Finding::Unsure,
        })
    }

    async fn recent(&self, access: &Access, cursor: Option<i64>) -> Result<Page, Failure> {
        let call = self.call("/v2/video/list/", Method::POST, &access.token)?;
        let mut body = json!({ "max_count": 20 });
        if let Some(cursor) = cursor {
            body["cursor"] = cursor.into();
        }
        let call = with_json(call.query("fields", FIELDS), &body)?;
        self.data(Op::Read, call, "list of posts").await
    }

    /// Reads a post back. Under a publish id there is nothing to read until the post has an id.
    pub(super) async fn look_at(&self, access: &Access, remote_id: &str) -> Result<Seen, Failure> {
        if !remote_id.contains('~') {
            return self.video(access, remote_id).await;
        }
        let status = self.status(Op::Read, access, remote_id).await?;
        match (status.status.as_str(), status.post_id()) {
            (_, Some(id)) => self.video(access, &id).await,
            ("FAILED", None) => Ok(Seen::Gone),
            _ => Ok(Seen::Unverifiable),
        }
    }

    async fn video(&self, access: &Access, id: &str) -> Result<Seen, Failure> {
        let call = self.call("/v2/video/query/", Method::POST, &access.token)?;
        let body = json!({ "filters": { "video_ids": [id] } });
        let call = with_json(call.query("fields", FIELDS), &body)?;
        let answer: Page = self.data(Op::Read, call, "list of posts").await?;
        let Some(video) = answer.videos.into_iter().find(|one| one.id == id) else {
            return Ok(Seen::Gone);
        };
        let text = shown_text(&video);
        // A text that was cut cannot be compared.
        let whole = text.chars().count() < SHOWN_TEXT;
        Ok(Seen::Live {
            permalink: permalink(&video),
            digest: whole.then(|| text_digest(text)),
        })
    }
}

fn is_video(media: &mooring_domain::post::Media) -> bool {
    media.kind == mooring_domain::post::MediaKind::Video
}

fn shown_text(video: &Listed) -> &str {
    if video.video_description.is_empty() {
        &video.title
    } else {
        &video.video_description
    }
}

/// Whether a post says this, as far as its text is shown.
fn says(video: &Listed, text: &str) -> bool {
    let cut = |text: &str| text_digest(&text.chars().take(SHOWN_TEXT - 10).collect::<String>());
    cut(shown_text(video)) == cut(text) && unix(video.create_time).is_some()
}

/// The address without what it counts clicks by.
fn permalink(video: &Listed) -> Option<String> {
    let mut url = Url::parse(video.share_url.as_deref()?).ok()?;
    url.set_query(None);
    Some(url.into())
}
