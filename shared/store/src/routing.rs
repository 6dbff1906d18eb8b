//! The only look-ups across workspaces. Each answers with the workspace, and everything else starts there.

use std::collections::HashMap;

use mooring_domain::{WorkspaceId, job::Fence, time::from_ms};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::{
    Held, Store, StoreError,
    entity::{attempt, job, workspace},
};

/// A tenant, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceRow {
    /// Its id.
    pub id: WorkspaceId,
    /// Its name.
    pub name: String,
}

impl Store {
    /// The claim that a fence names, while it holds.
    pub async fn held(&self, fence: &Fence) -> Result<Option<Held>, StoreError> {
        let row = job::Entity::find_by_id((fence.kind.as_str().to_owned(), fence.subject))
            .filter(job::Column::Generation.eq(fence.generation))
            .one(&self.db)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let Some(lease_until) = row.lease_until else {
            return Ok(None);
        };
        Ok(Some(Held {
            fence: *fence,
            workspace: WorkspaceId::from_uuid(row.workspace_id),
            platform: row.platform.parse().ok(),
            lease_until: from_ms(lease_until),
            due: from_ms(row.run_at),
            attempt: u16::try_from(row.attempt).unwrap_or(u16::MAX),
        }))
    }

    /// The targets of attempts: what their stories are told under. Unknown attempts are left out.
    pub async fn stories(&self, attempts: &[Uuid]) -> Result<HashMap<Uuid, Uuid>, StoreError> {
        if attempts.is_empty() {
            return Ok(HashMap::new());
        }
        let rows: Vec<(Uuid, Uuid)> = attempt::Entity::find()
            .select_only()
            .column(attempt::Column::Id)
            .column(attempt::Column::TargetId)
            .filter(attempt::Column::Id.is_in(attempts.iter().copied()))
            .into_tuple()
            .all(&self.db)
            .await?;
        Ok(rows.into_iter().collect())
    }

    /// Every workspace, by name.
    pub async fn workspaces(&self) -> Result<Vec<WorkspaceRow>, StoreError> {
        let rows = workspace::Entity::find()
            .order_by_asc(workspace::Column::Name)
            .all(&self.db)
            .await?;
        Ok(rows
            .into_iter()
            .map(|row| WorkspaceRow {
                id: WorkspaceId::from_uuid(row.id),
                name: row.name,
            })
            .collect())
    }

    /// A workspace by its name.
    pub async fn workspace_named(&self, name: &str) -> Result<Option<WorkspaceId>, StoreError> {
        let row = workspace::Entity::find()
            .filter(workspace::Column::Name.eq(name))
            .order_by_asc(workspace::Column::Id)
            .one(&self.db)
            .await?;
        Ok(row.map(|row| WorkspaceId::from_uuid(row.id)))
    }
}
