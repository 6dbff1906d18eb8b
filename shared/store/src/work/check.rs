//! What a check needs.

use mooring_domain::{
    ConnectionId, GrantId, Time, WorkspaceId,
    connection::{CheckWork, Health},
    post::Stage,
    time::from_ms,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{Credentials, about, facts, grant_past};
use crate::{Held, Store, StoreError, entity::target, jobs::platform_of};

/// A connection to check.
#[derive(Debug)]
pub struct CheckJob {
    /// The facts.
    pub work: CheckWork,
    /// What the call needs; `None` when the grant holds no token.
    pub credentials: Option<Credentials>,
    /// Whether this check should probe the grant's token, or a sibling has just done it.
    pub probe_token: bool,
}

impl Store {
    /// Loads a check. `None`: the connection is gone.
    pub async fn check_job(&self, held: &Held, now: Time) -> Result<Option<CheckJob>, StoreError> {
        self.check_of(held.workspace, held.fence.subject, held.attempt, now)
            .await
    }

    /// Loads a look at a connection that no job is at: somebody waits for its result.
    pub async fn live_check(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        now: Time,
    ) -> Result<Option<CheckJob>, StoreError> {
        let job = self.check_of(workspace, connection.uuid(), 0, now).await?;
        Ok(job.map(|job| CheckJob {
            probe_token: true,
            ..job
        }))
    }

    async fn check_of(
        &self,
        workspace: WorkspaceId,
        subject: uuid::Uuid,
        attempt: u16,
        now: Time,
    ) -> Result<Option<CheckJob>, StoreError> {
        let found = self.connection_row(workspace.uuid(), subject).await?;
        // Nobody looks at what a person has disconnected.
        let found = found.filter(|(row, _)| row.removed_at.is_none());
        let Some((row, grant)) = found else {
            return Ok(None);
        };
        let (facts, grant_facts) = facts(&row, &grant, &self.policy, now)?;
        let credentials = self.credentials(&grant, Some(&row)).await?;
        let probed_lately = grant_facts
            .probed_at
            .is_some_and(|at| at + self.policy().check_soon / 2 > now);
        Ok(Some(CheckJob {
            probe_token: !probed_lately,
            credentials,
            work: CheckWork {
                connection: ConnectionId::from_uuid(row.id),
                platform: platform_of("connections", row.id, &row.platform)?,
                grant_id: GrantId::from_uuid(grant.id),
                grant: grant_facts,
                past: grant_past(&grant),
                facts,
                health: Health::parse(&row.health),
                about: about(&row)?,
                failed_why: row.failed_why,
                name: row.name,
                next_post: self.next_post(row.id, now).await?,
                attempt,
            },
        }))
    }

    /// When the connection's next post is due.
    async fn next_post(
        &self,
        connection: uuid::Uuid,
        now: Time,
    ) -> Result<Option<Time>, StoreError> {
        let due: Option<i64> = target::Entity::find()
            .select_only()
            .column(target::Column::DueAt)
            .filter(target::Column::ConnectionId.eq(connection))
            .filter(target::Column::DueAt.gt(now.timestamp_millis()))
            .filter(target::Column::Stage.lte(Stage::Begun.rank()))
            .order_by_asc(target::Column::DueAt)
            .limit(1)
            .into_tuple()
            .one(&self.db)
            .await?;
        Ok(due.map(from_ms))
    }
}
