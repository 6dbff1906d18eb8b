//! Images and videos: uploaded as blobs before the post, and named in it.
//!
//! The same bytes are the same blob, and blobs that no record names are removed by the server after a while: an upload
//! may be repeated. A video goes the same way; Bluesky's video service takes it up when the post appears, and shows it
//! some seconds later (<https://docs.bsky.app/docs/tutorials/video>, "Simple method").

use std::time::Duration;

use http::Method;
use mooring_domain::{
    Failure,
    post::{Content, Media, MediaKind, Prepared},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Bluesky, broken,
    wire::{AspectRatio, Blob, Embed, Picture},
};
use crate::{
    media::Attachment,
    provider::{Access, Draft},
    wire::Op,
};

/// Time for one upload: a video of the largest size over a slow line.
const UPLOAD: Duration = Duration::from_mins(1);

/// What the steps so far have brought: a blob for each file, in the post's order.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Uploaded {
    blobs: Vec<Blob>,
}

#[derive(Deserialize)]
struct Answer {
    blob: Blob,
}

impl Uploaded {
    pub(super) fn read(state: &Value) -> Result<Self, Failure> {
        Self::deserialize(state)
            .map_err(|_| broken("a preparation that cannot be read: prepare again"))
    }

    fn state(&self) -> Result<Value, Failure> {
        serde_json::to_value(self).map_err(|_| broken("a preparation that is no JSON"))
    }
}

impl Bluesky {
    /// Uploads the next file.
    pub(super) async fn upload_next(
        &self,
        access: &Access,
        draft: &Draft,
        so_far: Option<&Value>,
    ) -> Result<Prepared, Failure> {
        // A post has one embed: the files, or a card for the link.
        if draft.content.link.is_some() && !draft.media.is_empty() {
            return Err(Failure::ContentRejected {
                code: "link_beside_media".to_owned(),
            });
        }
        let mut uploaded = so_far.map(Uploaded::read).transpose()?.unwrap_or_default();
        if let Some(next) = draft.media.get(uploaded.blobs.len()) {
            uploaded.blobs.push(self.upload(access, next).await?);
        }
        let state = uploaded.state()?;
        Ok(if uploaded.blobs.len() < draft.media.len() {
            Prepared::Pending {
                state,
                again: chrono::TimeDelta::zero(),
            }
        } else {
            Prepared::Ready(state)
        })
    }

    async fn upload(&self, access: &Access, file: &Attachment) -> Result<Blob, Failure> {
        let bytes = file.bytes().await?;
        let sent = bytes.len() as u64;
        let call = self.call(access, Method::POST, "com.atproto.repo.uploadBlob")?;
        let call = call.bytes(file.media.mime.clone(), bytes).timeout(UPLOAD);
        let answer: Answer = self
            .answer_as(Op::Prepare, access, call, "uploaded blob")
            .await?;
        if answer.blob.size == sent {
            Ok(answer.blob)
        } else {
            Err(broken("an upload arrived with another length"))
        }
    }
}

/// The part of a post that shows its files; `None` when it has none.
pub(super) fn embed<'a>(
    content: &'a Content,
    prepared: Option<&Value>,
) -> Result<Option<Embed<'a>>, Failure> {
    if content.media.is_empty() {
        return Ok(None);
    }
    let missing = || broken("files that were not uploaded: prepare first");
    let blobs = Uploaded::read(prepared.ok_or_else(missing)?)?.blobs;
    if blobs.len() != content.media.len() {
        return Err(missing());
    }
    let mut shown = content.media.iter().zip(blobs);
    if content.media[0].kind == MediaKind::Video {
        return Ok(shown.next().map(|(media, video)| Embed::Video {
            video,
            alt: media.alt.as_deref(),
            aspect_ratio: ratio(media),
        }));
    }
    let images = shown.map(|(media, image)| Picture {
        alt: media.alt.as_deref().unwrap_or_default(),
        image,
        aspect_ratio: ratio(media),
    });
    Ok(Some(Embed::Images {
        images: images.collect(),
    }))
}

fn ratio(media: &Media) -> Option<AspectRatio> {
    (media.width > 0 && media.height > 0).then_some(AspectRatio {
        width: media.width,
        height: media.height,
    })
}
