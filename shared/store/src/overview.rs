//! Numbers and jobs over all workspaces, for the house itself: autoscaling, the demo, tests. Never a customer's row.

use mooring_domain::{JobKind, Lane, Time, time::from_ms};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    JobRow, Store, StoreError,
    entity::{attempt, job, job_run},
    status::{Group, job_row, labelled},
};

/// A lane's backlog, for autoscaling and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LaneBacklog {
    /// Due and not claimed; what the platform asked us to hold back does not count.
    pub due: u64,
    /// Claimed.
    pub leased: u64,
    /// When the oldest unclaimed one was due.
    pub oldest_due: Option<Time>,
}

impl Store {
    /// How many runs of a kind ended how, over all workspaces.
    pub async fn runs(&self, kind: JobKind) -> Result<Vec<(String, u64)>, StoreError> {
        let rows = job_run::Entity::find()
            .select_only()
            .column_as(job_run::Column::Outcome, "label")
            .column_as(job_run::Column::Generation.count(), "count")
            .filter(job_run::Column::Kind.eq(kind.as_str()))
            .group_by(job_run::Column::Outcome)
            .into_model::<Group>()
            .all(&self.db)
            .await?;
        Ok(labelled(rows))
    }

    /// A lane's backlog now.
    pub async fn backlog(&self, lane: Lane, now: Time) -> Result<LaneBacklog, StoreError> {
        let ms = now.timestamp_millis();
        let kinds = || job::Column::Kind.is_in(lane.kinds().map(JobKind::as_str));
        let due = || {
            job::Entity::find()
                .filter(kinds())
                .filter(job::Column::VisibleAt.lte(ms))
                .filter(job::Column::LeaseUntil.is_null())
        };
        let oldest: Option<i64> = due()
            .select_only()
            .column(job::Column::RunAt)
            .order_by_asc(job::Column::VisibleAt)
            .limit(1)
            .into_tuple()
            .one(&self.db)
            .await?;
        Ok(LaneBacklog {
            due: due().count(&self.db).await?,
            leased: job::Entity::find()
                .filter(kinds())
                .filter(job::Column::VisibleAt.lte(ms))
                .filter(job::Column::LeaseUntil.is_not_null())
                .count(&self.db)
                .await?,
            oldest_due: oldest.map(from_ms),
        })
    }

    /// Jobs of these lanes that are due by `now`, claimed or not: what is still undone.
    pub async fn undone(&self, lanes: &[Lane], now: Time) -> Result<Vec<JobRow>, StoreError> {
        let rows = job::Entity::find()
            .filter(job::Column::Kind.is_in(kinds_of(lanes)))
            .filter(job::Column::VisibleAt.lte(now.timestamp_millis()))
            .all(&self.db)
            .await?;
        Ok(rows.into_iter().map(job_row).collect())
    }

    /// The next time after `now` at which a job of these lanes becomes due.
    pub async fn next_due(&self, lanes: &[Lane], now: Time) -> Result<Option<Time>, StoreError> {
        let next: Option<i64> = job::Entity::find()
            .select_only()
            .column(job::Column::VisibleAt)
            .filter(job::Column::Kind.is_in(kinds_of(lanes)))
            .filter(job::Column::VisibleAt.gt(now.timestamp_millis()))
            .order_by_asc(job::Column::VisibleAt)
            .limit(1)
            .into_tuple()
            .one(&self.db)
            .await?;
        Ok(next.map(from_ms))
    }

    /// What our books call published: the platforms' ids of all accepted attempts, over all workspaces.
    pub async fn accepted_remote_ids(&self) -> Result<Vec<String>, StoreError> {
        Ok(attempt::Entity::find()
            .select_only()
            .column(attempt::Column::RemoteId)
            .filter(attempt::Column::AcceptedAt.is_not_null())
            .into_tuple()
            .all(&self.db)
            .await?)
    }
}

fn kinds_of(lanes: &[Lane]) -> impl Iterator<Item = &'static str> {
    lanes
        .iter()
        .flat_map(|lane| lane.kinds())
        .map(JobKind::as_str)
}
