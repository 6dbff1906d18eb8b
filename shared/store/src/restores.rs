//! Reading the markers of restores.

use mooring_domain::{Time, time::from_ms};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::{Store, StoreError, entity::restore};

/// A restore that was marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreRow {
    /// When the backup was taken.
    pub taken_at: Time,
    /// When the act ran.
    pub marked_at: Time,
    /// Who ran it.
    pub actor: String,
    /// How many targets are looked for at their platforms.
    pub targets: u64,
    /// How many credentials may have been renewed in the forgotten time.
    pub grants: u64,
}

impl Store {
    /// The marker of the restore of a backup that was taken at this time.
    pub async fn restore_of(&self, taken_at: Time) -> Result<Option<RestoreRow>, StoreError> {
        let row = restore::Entity::find()
            .filter(restore::Column::TakenAt.eq(taken_at.timestamp_millis()))
            .one(&self.db)
            .await?;
        Ok(row.map(|row| RestoreRow {
            taken_at: from_ms(row.taken_at),
            marked_at: from_ms(row.marked_at),
            actor: row.actor,
            targets: row.targets.unsigned_abs(),
            grants: row.grants.unsigned_abs(),
        }))
    }
}
