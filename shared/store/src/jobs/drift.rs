//! Leases against what is really there: what the house looks at, and how it ends a lease early.

use mooring_domain::{Lane, ProcessId, Time, drift::LeaseSeen, job::Fence, time::from_ms};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::kind_of;
use crate::{Store, StoreError, entity::job, sql};

impl Store {
    /// Every lease that holds. There are at most a few for each slot of all workers.
    pub async fn leases(&self, now: Time) -> Result<Vec<LeaseSeen>, StoreError> {
        let ms = now.timestamp_millis();
        let rows = job::Entity::find()
            // What is claimed was due, so the index finds it.
            .filter(job::Column::VisibleAt.lte(ms))
            .filter(job::Column::LeaseUntil.gt(ms))
            .all(&self.db)
            .await?;
        let seen = rows.into_iter().filter_map(|row| {
            let until = from_ms(row.lease_until?);
            Some(kind_of(&row.kind).map(|kind| LeaseSeen {
                fence: Fence {
                    kind,
                    subject: row.subject_id,
                    generation: row.generation,
                },
                until,
                holder: row.holder.map(ProcessId::from_uuid),
                begun: row.begun_at.is_some(),
            }))
        });
        seen.collect()
    }

    /// Makes a lease end earlier than it would; whoever claims the job then counts the loss, as after every lease
    /// that ran out. `false`: it has ended meanwhile, or was extended by a holder that is not the one that was seen.
    pub async fn shorten(&self, lease: &LeaseSeen, until: Time) -> Result<bool, StoreError> {
        let fence = &lease.fence;
        let holder = lease.holder.map(ProcessId::uuid);
        let values = [
            fence.kind.as_str().into(),
            fence.subject.into(),
            fence.generation.into(),
            until.timestamp_millis().into(),
            holder.into(),
        ];
        let done = self
            .db
            .execute_raw(self.statement(sql::SHORTEN, values))
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Notes whether a lane's leases are accounted for, and answers since when they are not.
    pub async fn note_unaccounted(
        &self,
        lane: Lane,
        unaccounted: bool,
        now: Time,
    ) -> Result<Option<Time>, StoreError> {
        let values = [
            lane.as_str().into(),
            unaccounted.into(),
            now.timestamp_millis().into(),
        ];
        let row = self
            .db
            .query_one_raw(self.statement(sql::NOTE_UNACCOUNTED, values))
            .await?;
        let since = row.map(|row| row.try_get::<Option<i64>>("", "unaccounted_since"));
        Ok(since.transpose()?.flatten().map(from_ms))
    }
}
