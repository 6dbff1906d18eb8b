//! Keys to the API, as their workspaces see them.

use mooring_domain::{KeyId, Role, Time, WorkspaceId, time::from_ms};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::{
    Store, StoreError,
    entity::{api_key, api_key_role},
};

/// A key that opens something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenKey {
    /// Its id.
    pub id: KeyId,
    /// What people call it.
    pub name: String,
    /// What it may do where.
    pub roles: Vec<(WorkspaceId, Role)>,
}

/// A key, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// Its id.
    pub id: KeyId,
    /// What people call it.
    pub name: String,
    /// What it may do in this workspace.
    pub role: String,
    /// When it was made.
    pub created_at: Time,
    /// When it was taken back.
    pub revoked_at: Option<Time>,
}

impl Store {
    /// The keys that open a workspace, or did, oldest first.
    pub async fn keys(&self, workspace: WorkspaceId) -> Result<Vec<KeyRow>, StoreError> {
        let roles = api_key_role::Entity::find()
            .filter(api_key_role::Column::WorkspaceId.eq(workspace.uuid()))
            .all(&self.db)
            .await?;
        let rows = api_key::Entity::find()
            .filter(api_key::Column::Id.is_in(roles.iter().map(|role| role.key_id)))
            .order_by_asc(api_key::Column::Id)
            .all(&self.db)
            .await?;
        let role_of = |id| {
            let found = roles.iter().find(|role| role.key_id == id);
            found.map(|role| role.role.clone()).unwrap_or_default()
        };
        Ok(rows
            .into_iter()
            .map(|row| KeyRow {
                id: KeyId::from_uuid(row.id),
                role: role_of(row.id),
                name: row.name,
                created_at: from_ms(row.created_at),
                revoked_at: row.revoked_at.map(from_ms),
            })
            .collect())
    }
}
