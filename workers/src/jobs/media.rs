//! A post's images and videos, as adapters get them.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use mooring_domain::{Failure, Lane, Platform, Time, WorkspaceId, post::Media};
use mooring_providers::{Attachment, MediaSource};
use mooring_runtime::{
    MediaStore,
    lifecycle::chain,
    media::{FileType, MediaError},
};

use crate::ctx::Ctx;

/// The attachments of a post, with addresses for platforms that fetch. An address holds for as long as this run may
/// take and the platform may work on what it took.
pub(super) fn attachments(
    ctx: &Ctx,
    workspace: WorkspaceId,
    platform: Platform,
    media: &[Media],
) -> Vec<Attachment> {
    let longest = ctx.policy().lease(Lane::Publish).hard_cap;
    let until = ctx.now() + longest + platform.capabilities().processing_max;
    of(&ctx.media, workspace, until, media)
}

fn of(store: &MediaStore, workspace: WorkspaceId, until: Time, media: &[Media]) -> Vec<Attachment> {
    let source: Arc<dyn MediaSource> = Arc::new(Files {
        store: store.clone(),
        workspace,
    });
    let attachment = |one: &Media| {
        let url = FileType::from_mime(&one.mime)
            .and_then(|file_type| store.link(workspace.uuid(), &one.sha256, file_type, until));
        Attachment::new(one.clone(), url, Arc::clone(&source))
    };
    media.iter().map(attachment).collect()
}

/// One workspace's files in the media store.
struct Files {
    store: MediaStore,
    workspace: WorkspaceId,
}

#[async_trait]
impl MediaSource for Files {
    async fn read(&self, media: &Media, from: u64, to: u64) -> Result<Bytes, Failure> {
        let read = self
            .store
            .read(self.workspace.uuid(), &media.sha256, from..to);
        let failure = match read.await {
            Ok(bytes) if bytes.len() as u64 == to.saturating_sub(from) => return Ok(bytes),
            // A part of the file is worse than none.
            Ok(_) => failure(&MediaError::Missing),
            Err(error) => failure(&error),
        };
        tracing::error!(
            event.name = "media.unreadable",
            media.id = %media.id,
            class = failure.class(),
            "the bytes of a post's media cannot be read: check that every process uses the same media store"
        );
        Err(failure)
    }
}

/// A file that is gone does not come back by waiting; a store that is away does. Nothing has left us either way.
fn failure(error: &MediaError) -> Failure {
    match error {
        MediaError::Missing => Failure::ContentRejected {
            code: "media_missing".to_owned(),
        },
        other => {
            tracing::debug!(event.name = "media.error", error = chain(other), "why");
            Failure::NotSent
        }
    }
}

#[cfg(test)]
mod tests {
    use mooring_domain::{MediaId, post::MediaKind, time::from_ms};
    use mooring_runtime::media::{LinkKeys, stream_of};
    use uuid::Uuid;

    use super::*;

    const GIF: &[u8] = b"GIF89a\x05\x00\x04\x00\x00\x00\x00;";

    fn media(sha256: String, bytes: u64) -> Media {
        Media {
            id: MediaId::from_uuid(Uuid::nil()),
            kind: MediaKind::Image,
            mime: "image/gif".to_owned(),
            bytes,
            sha256,
            width: 5,
            height: 4,
            duration_ms: None,
            alt: None,
        }
    }

    #[test]
    fn attachments_keep_their_order_and_have_addresses_where_we_are_public() {
        let files = [media("a".repeat(64), 1), media("b".repeat(64), 2)];
        let (store, until) = (MediaStore::in_memory(1), from_ms(1_800_000_000_000));
        let nowhere = of(&store, WorkspaceId::from_uuid(Uuid::nil()), until, &files);
        assert!(nowhere.iter().all(|one| one.url.is_none()));
        let keys = LinkKeys::parse("a key of this test and of nobody else").unwrap();
        let public = Some("https://mooring.example".parse().unwrap());
        let store = store.with_links(public, keys);
        let public = of(&store, WorkspaceId::from_uuid(Uuid::nil()), until, &files);
        for (one, file) in public.iter().zip(&files) {
            let url = one.public_url().unwrap().as_str();
            assert_eq!(&one.media, file);
            assert!(
                url.contains(&format!("/{}.gif?e=1800000000&s=", file.sha256)),
                "{url}"
            );
        }
    }

    #[tokio::test]
    async fn bytes_come_from_the_store_and_missing_ones_end_the_post() {
        let store = MediaStore::in_memory(1 << 20);
        let workspace = WorkspaceId::from_uuid(Uuid::from_u128(1));
        let content = stream_of(Bytes::from_static(GIF));
        let stored = store.put(workspace.uuid(), content).await.unwrap();
        let media = media(stored.sha256, stored.bytes);
        let files = |workspace| -> Arc<dyn MediaSource> {
            let store = store.clone();
            Arc::new(Files { store, workspace })
        };
        let ours = Attachment::new(media.clone(), None, files(workspace));
        assert_eq!(ours.bytes().await.unwrap(), GIF);
        assert_eq!(ours.piece(6, 900).await.unwrap(), GIF[6..]);
        let missing = Failure::ContentRejected {
            code: "media_missing".to_owned(),
        };
        let other = files(WorkspaceId::from_uuid(Uuid::from_u128(2)));
        let theirs = Attachment::new(media.clone(), None, other);
        assert_eq!(theirs.bytes().await, Err(missing.clone()));
        let longer = Media {
            bytes: media.bytes + 1,
            ..media
        };
        let cut = Attachment::new(longer, None, files(workspace));
        assert_eq!(cut.bytes().await, Err(missing));
    }
}
