//! Media that an act added.

use mooring_domain::{Time, WorkspaceId, post::Media};
use sea_orm::{ActiveValue::Set, DatabaseTransaction, EntityTrait};

use crate::{Store, StoreError, entity::media};

impl Store {
    pub(super) async fn keep_media(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        media: &Media,
        now: Time,
    ) -> Result<(), StoreError> {
        let too_large = || StoreError::corrupt("media", media.id, "a number is too large");
        let pixels = |length: u32| i32::try_from(length).map_err(|_| too_large());
        let number = |value: u64| i64::try_from(value).map_err(|_| too_large());
        let row = media::ActiveModel {
            id: Set(media.id.uuid()),
            workspace_id: Set(workspace.uuid()),
            sha256: Set(media.sha256.clone()),
            mime: Set(media.mime.clone()),
            bytes: Set(number(media.bytes)?),
            width: Set(pixels(media.width)?),
            height: Set(pixels(media.height)?),
            duration_ms: Set(media.duration_ms.map(number).transpose()?),
            alt: Set(media.alt.clone()),
            created_at: Set(now.timestamp_millis()),
        };
        media::Entity::insert(row)
            .exec_without_returning(tx)
            .await?;
        Ok(())
    }
}
