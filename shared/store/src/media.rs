//! What is known about images and videos. Their bytes lie elsewhere.

use std::collections::HashMap;

use mooring_domain::{
    MediaId, WorkspaceId,
    post::{Media, MediaKind},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::{Store, StoreError, entity::media};

impl Store {
    /// Those of these media that the workspace has, by their ids.
    pub async fn media(
        &self,
        workspace: WorkspaceId,
        ids: &[MediaId],
    ) -> Result<HashMap<MediaId, Media>, StoreError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = media::Entity::find()
            .filter(media::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(media::Column::Id.is_in(ids.iter().map(|id| id.uuid())))
            .all(&self.db)
            .await?;
        rows.into_iter()
            .map(|row| media_of(row).map(|media| (media.id, media)))
            .collect()
    }
}

fn media_of(row: media::Model) -> Result<Media, StoreError> {
    let id = row.id;
    let wrong = |what: &str| StoreError::corrupt("media", id, what);
    let kind = match row.mime.split_once('/') {
        Some(("image", _)) => MediaKind::Image,
        Some(("video", _)) => MediaKind::Video,
        _ => return Err(wrong("its type is unknown")),
    };
    let pixels = |length: i32| u32::try_from(length).map_err(|_| wrong("a length is negative"));
    let number = |value: i64| u64::try_from(value).map_err(|_| wrong("a number is negative"));
    Ok(Media {
        id: MediaId::from_uuid(id),
        kind,
        mime: row.mime,
        bytes: number(row.bytes)?,
        sha256: row.sha256,
        width: pixels(row.width)?,
        height: pixels(row.height)?,
        duration_ms: row.duration_ms.map(number).transpose()?,
        alt: row.alt,
    })
}
