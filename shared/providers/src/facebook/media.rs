//! Posts with images and videos: the steps before the one that publishes, and that one.
//!
//! Images go up unpublished and are attached to a post or become a story. A video's id is known before it is
//! published, so a lost answer is found out by asking for that very video. What nobody publishes is never seen, so
//! every step here may be repeated.

use http::Method;
use mooring_domain::{
    Failure, Platform,
    post::{Accepted, Format, MediaKind, Prepared, Sent},
    time::seconds,
};
use mooring_runtime::Call;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    client::{Facebook, proof},
    multipart,
    video::VideoState,
    wire::Post,
    wire_media::{Finished, Uploaded},
};
use crate::{
    media::Attachment,
    provider::{Access, Draft},
    wire::Op,
};

/// What the steps so far have brought. It is stored with the post; it holds no secret.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Parts {
    /// Photos that are uploaded and not part of anything yet, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) photos: Vec<String>,
    /// The video.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) video: Option<VideoState>,
}

impl Parts {
    pub(super) fn read(state: &Value) -> Result<Self, Failure> {
        serde_json::from_value(state.clone()).map_err(|_| Failure::Contract {
            detail: "what the steps before have brought cannot be read".to_owned(),
        })
    }

    fn write(&self) -> Result<Value, Failure> {
        serde_json::to_value(self).map_err(|_| Failure::Contract {
            detail: "what the step has brought cannot be written".to_owned(),
        })
    }

    pub(super) fn ready(&self) -> Result<Prepared, Failure> {
        Ok(Prepared::Ready(self.write()?))
    }

    /// There is more to do after so many seconds.
    pub(super) fn pending(&self, after: i64) -> Result<Prepared, Failure> {
        Ok(Prepared::Pending {
            state: self.write()?,
            again: seconds(after),
        })
    }
}

/// Photos that one step uploads; a step shall last some twenty seconds.
const PHOTOS_PER_STEP: usize = 3;

impl Facebook {
    /// The next step before the one that publishes.
    pub(super) async fn next_step(
        &self,
        access: &Access,
        draft: &Draft,
        so_far: Option<&Value>,
    ) -> Result<Prepared, Failure> {
        let parts = so_far.map(Parts::read).transpose()?.unwrap_or_default();
        if draft.content.link.is_some() {
            // A post shows its media or a link's preview, never both; nothing is left out silently.
            let code = "link_with_media".to_owned();
            return Err(Failure::ContentRejected { code });
        }
        let video = draft
            .media
            .iter()
            .find(|one| one.media.kind == MediaKind::Video);
        match video {
            Some(video) => {
                self.video_step(access, draft.content.format, video, parts)
                    .await
            }
            None => self.photo_step(access, &draft.media, parts).await,
        }
    }

    /// Uploads the next photos. What is uploaded is kept even when a later one fails.
    async fn photo_step(
        &self,
        access: &Access,
        media: &[Attachment],
        mut parts: Parts,
    ) -> Result<Prepared, Failure> {
        let missing = media.iter().skip(parts.photos.len()).take(PHOTOS_PER_STEP);
        for (done, one) in missing.enumerate() {
            match self.upload_photo(access, one).await {
                Ok(id) => parts.photos.push(id),
                Err(_) if done > 0 => return parts.pending(0),
                Err(failure) => return Err(failure),
            }
        }
        if parts.photos.len() < media.len() {
            parts.pending(0)
        } else {
            parts.ready()
        }
    }

    /// `POST /{page}/photos` with `published=false`.
    async fn upload_photo(&self, access: &Access, photo: &Attachment) -> Result<String, Failure> {
        let bytes = photo.bytes().await?;
        let path = [access.remote_id.as_str(), "photos"];
        let call = self.page_call(access, "/{page-id}/photos", Method::POST, &path)?;
        let mut fields = vec![("published", "false")];
        let alt = photo.media.alt.as_deref().filter(|alt| !alt.is_empty());
        fields.extend(alt.map(|alt| ("alt_text_custom", alt)));
        let file = ("source", photo.media.mime.as_str(), &bytes);
        let call = multipart::form(call, &photo.media.sha256, &fields, file);
        let uploaded: Uploaded = self.answer(Op::Prepare, call, "photo").await?;
        Ok(uploaded.id)
    }

    /// The one call after which the post exists, or inevitably will.
    pub(super) async fn send_post(&self, access: &Access, draft: &Draft) -> Result<Sent, Failure> {
        let parts = draft.prepared.as_ref().map(Parts::read).transpose()?;
        let parts = parts.unwrap_or_default();
        if let Some(video) = &parts.video {
            return self.finish_video(access, draft, video).await;
        }
        match draft.content.format {
            Format::Story => self.send_photo_story(access, draft, &parts).await,
            Format::Feed | Format::Reel | Format::Short => {
                self.send_feed_post(access, draft, &parts).await
            }
        }
    }

    /// Text, link, photos.
    async fn send_feed_post(
        &self,
        access: &Access,
        draft: &Draft,
        parts: &Parts,
    ) -> Result<Sent, Failure> {
        let mut form = vec![
            ("published", "true".to_owned()),
            ("fields", "id,permalink_url".to_owned()),
        ];
        if !draft.content.text.is_empty() {
            form.push(("message", draft.content.text.clone()));
        }
        if !parts.photos.is_empty() {
            let photos = parts.photos.iter();
            let list: Vec<Value> = photos
                .map(|id| serde_json::json!({ "media_fbid": id }))
                .collect();
            form.push(("attached_media", Value::from(list).to_string()));
        }
        form.extend(draft.content.link.clone().map(|link| ("link", link)));
        let call = self.publishing_call(access, draft, "/{page-id}/feed", "feed", form)?;
        let post: Post = self.answer(Op::Publish, call, "post").await?;
        if post.id.is_empty() {
            return Err(Failure::Contract {
                detail: "a post without an id".to_owned(),
            });
        }
        Ok(Sent::Accepted(Accepted {
            remote_id: post.id,
            permalink: post.permalink_url,
        }))
    }

    async fn send_photo_story(
        &self,
        access: &Access,
        draft: &Draft,
        parts: &Parts,
    ) -> Result<Sent, Failure> {
        let photo = parts.photos.first().ok_or_else(|| Failure::Contract {
            detail: "a story without its photo".to_owned(),
        })?;
        let form = vec![("photo_id", photo.clone())];
        let template = "/{page-id}/photo_stories";
        let call = self.publishing_call(access, draft, template, "photo_stories", form)?;
        let story: Finished = self.answer(Op::Publish, call, "story").await?;
        match story.post_id {
            Some(remote_id) if story.success => Ok(Sent::Accepted(Accepted {
                remote_id,
                permalink: None,
            })),
            _ => Err(Failure::Contract {
                detail: "a story without an id".to_owned(),
            }),
        }
    }

    /// A gated call with a form, to an edge of the page.
    pub(super) fn publishing_call(
        &self,
        access: &Access,
        draft: &Draft,
        template: &'static str,
        edge: &str,
        mut form: Vec<(&'static str, String)>,
    ) -> Result<Call, Failure> {
        let path = [access.remote_id.as_str(), edge];
        let call = self.call(access.host.as_ref(), template, Method::POST, &path)?;
        form.extend(proof(access.app.as_ref(), &access.token));
        let timeout = Platform::Facebook.capabilities().publish_timeout;
        Ok(call
            .bearer(access.token.expose())
            .form(form)
            .send_by(draft.send_by)
            .timeout(timeout.to_std().unwrap_or_default()))
    }
}
