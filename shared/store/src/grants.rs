//! Grants, as people see them: what each one feeds, and which posts hang on it.

use mooring_domain::{
    ConnectionId, GrantId, Time, WorkspaceId, grant::AuthState, post::Stage, time::from_ms,
};
use sea_orm::{
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};
use uuid::Uuid;

use crate::{
    Store, StoreError,
    entity::{connection, grant, target},
    work,
};

/// A grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantRow {
    /// Its id.
    pub id: GrantId,
    /// The way in.
    pub platform: String,
    /// What is known about the credential.
    pub state: AuthState,
    /// The failure class behind a state that is not connected.
    pub state_why: Option<String>,
    /// End of what ends it: the refresh token where there is one, else the access token.
    pub ends_at: Option<Time>,
    /// End of the access token.
    pub access_expires_at: Option<Time>,
    /// Granted permissions, where the platform tells them.
    pub scopes: Option<Vec<String>>,
    /// Where it publishes.
    pub destinations: Vec<GrantedRow>,
    /// Posts that wait on its connections.
    pub waiting: Due,
    /// Those of them that its end endangers: due after it, or all where it does not work any more.
    pub endangered: Due,
}

/// A connection of a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedRow {
    /// Its id.
    pub connection: ConnectionId,
    /// Its platform.
    pub platform: String,
    /// The account's id at the platform.
    pub remote_id: String,
    /// What people call it.
    pub name: String,
}

/// Posts that are due.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Due {
    /// How many targets.
    pub count: u64,
    /// When the first of them is due.
    pub next: Option<Time>,
}

impl Store {
    /// A page of a workspace's grants, by id: those that hold a credential.
    pub async fn grants_after(
        &self,
        workspace: WorkspaceId,
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<GrantRow>, StoreError> {
        let mut query = grant::Entity::find()
            .filter(grant::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(grant::Column::AccessToken.is_not_null())
            .order_by_asc(grant::Column::Id)
            .limit(limit);
        if let Some(after) = after {
            query = query.filter(grant::Column::Id.gt(after));
        }
        let mut rows = Vec::new();
        for row in query.all(&self.db).await? {
            rows.push(self.grant_view(row).await?);
        }
        Ok(rows)
    }

    /// One grant of a workspace, while it holds a credential.
    pub async fn grant(
        &self,
        workspace: WorkspaceId,
        id: GrantId,
    ) -> Result<Option<GrantRow>, StoreError> {
        let row = self.grant_row(workspace.uuid(), id.uuid()).await?;
        match row.filter(|row| row.access_token.is_some()) {
            Some(row) => self.grant_view(row).await.map(Some),
            None => Ok(None),
        }
    }

    async fn grant_view(&self, row: grant::Model) -> Result<GrantRow, StoreError> {
        let facts = work::grant_facts(&row)?;
        let connections = connection::Entity::find()
            .filter(connection::Column::WorkspaceId.eq(row.workspace_id))
            .filter(connection::Column::GrantId.eq(row.id))
            .filter(connection::Column::RemovedAt.is_null())
            .order_by_asc(connection::Column::Id)
            .all(&self.db)
            .await?;
        let ids: Vec<Uuid> = connections.iter().map(|one| one.id).collect();
        let ends_at = facts.ends_at();
        let from = (facts.state == AuthState::Connected).then_some(ends_at);
        let endangered = match from {
            // It works, and has no end that is known.
            Some(None) => Due::default(),
            Some(Some(end)) => self.due(&ids, Some(end)).await?,
            None => self.due(&ids, None).await?,
        };
        Ok(GrantRow {
            id: GrantId::from_uuid(row.id),
            state: facts.state,
            state_why: row.state_why,
            ends_at,
            access_expires_at: facts.access_expires_at,
            scopes: work::list("grants", row.id, row.scopes)?,
            waiting: self.due(&ids, None).await?,
            endangered,
            platform: row.platform,
            destinations: connections.into_iter().map(granted).collect(),
        })
    }

    /// Targets that have not begun on these connections, due at or after `from`.
    async fn due(&self, connections: &[Uuid], from: Option<Time>) -> Result<Due, StoreError> {
        if connections.is_empty() {
            return Ok(Due::default());
        }
        let query = || -> Select<target::Entity> {
            let waiting = target::Entity::find()
                .filter(target::Column::ConnectionId.is_in(connections.iter().copied()))
                .filter(target::Column::Stage.lt(Stage::Begun.rank()));
            match from {
                Some(from) => waiting.filter(target::Column::DueAt.gte(from.timestamp_millis())),
                None => waiting,
            }
        };
        let next: Option<i64> = query()
            .select_only()
            .column(target::Column::DueAt)
            .order_by_asc(target::Column::DueAt)
            .limit(1)
            .into_tuple()
            .one(&self.db)
            .await?;
        Ok(Due {
            count: query().count(&self.db).await?,
            next: next.map(from_ms),
        })
    }
}

fn granted(row: connection::Model) -> GrantedRow {
    GrantedRow {
        connection: ConnectionId::from_uuid(row.id),
        platform: row.platform,
        remote_id: row.remote_id,
        name: row.name,
    }
}
