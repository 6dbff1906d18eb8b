//! The only look-ups across workspaces. Each answers with the workspace, and everything else starts there.

use std::collections::HashMap;

use mooring_domain::{GrantId, KeyId, Role, WorkspaceId, job::Fence, time::from_ms};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use crate::{
    ConnectRun, ConnectionBrief, Credentials, Held, LinkRow, OpenKey, Store, StoreError, connects,
    entity::{
        api_key, api_key_role, attempt, connect, connection, grant, job, reconnect_link, workspace,
    },
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

    /// The key to the API with this digest, unless it was taken back.
    pub async fn open_key(&self, digest: &str) -> Result<Option<OpenKey>, StoreError> {
        let row = api_key::Entity::find()
            .filter(api_key::Column::Digest.eq(digest))
            .filter(api_key::Column::RevokedAt.is_null())
            .one(&self.db)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let roles = api_key_role::Entity::find()
            .filter(api_key_role::Column::KeyId.eq(row.id))
            .all(&self.db)
            .await?;
        let roles = roles.into_iter().map(|role| {
            let right: Role = role.role.parse().map_err(|_| {
                StoreError::corrupt("api_key_roles", role.key_id, "its role is unknown")
            })?;
            Ok((WorkspaceId::from_uuid(role.workspace_id), right))
        });
        Ok(Some(OpenKey {
            id: KeyId::from_uuid(row.id),
            name: row.name,
            roles: roles.collect::<Result<_, StoreError>>()?,
        }))
    }

    /// Whether a provider user's consent serves another grant too, of any workspace, by any way in. On most platforms
    /// giving a token back takes the consent back, and with it every other token that our app has from this user.
    pub async fn is_held_elsewhere(
        &self,
        grant: GrantId,
        remote_user_id: &str,
    ) -> Result<bool, StoreError> {
        let held = grant::Entity::find()
            .filter(grant::Column::RemoteUserId.eq(remote_user_id))
            .filter(grant::Column::Id.ne(grant.uuid()))
            .filter(grant::Column::AccessToken.is_not_null())
            .count(&self.db)
            .await?;
        Ok(held > 0)
    }

    /// The connection that a run copies, with its workspace; it is in another one than the run.
    pub async fn copied(
        &self,
        run: &ConnectRun,
    ) -> Result<Option<(WorkspaceId, ConnectionBrief)>, StoreError> {
        let Some(connection) = run.copied_from else {
            return Ok(None);
        };
        let row = self.original(&self.db, connection.uuid()).await?;
        let Some(row) = row else { return Ok(None) };
        let workspace = WorkspaceId::from_uuid(row.workspace_id);
        let brief = self.connection_brief(workspace, connection).await?;
        Ok(brief.map(|brief| (workspace, brief)))
    }

    /// The row of a connection that is copied.
    pub(crate) async fn original(
        &self,
        db: &impl ConnectionTrait,
        id: Uuid,
    ) -> Result<Option<connection::Model>, StoreError> {
        Ok(connection::Entity::find_by_id(id).one(db).await?)
    }

    /// Whether another grant, of any workspace, holds one of these very tokens: the same credential was brought in
    /// twice.
    pub async fn is_token_held_elsewhere(
        &self,
        grant: GrantId,
        credentials: &Credentials,
    ) -> Result<bool, StoreError> {
        let others = grant::Entity::find()
            .filter(grant::Column::RemoteUserId.eq(credentials.remote_user_id.as_str()))
            .filter(grant::Column::Id.ne(grant.uuid()))
            .filter(grant::Column::AccessToken.is_not_null())
            .all(&self.db)
            .await?;
        for other in others {
            let Some(theirs) = self.credentials(&other, None).await? else {
                continue;
            };
            // Two sessions of one second may have one and the same access token (Bluesky's name nothing but user and
            // time), so a refresh token tells more.
            let same = match (&theirs.refresh_token, &credentials.refresh_token) {
                (Some(theirs), Some(this)) => theirs == this,
                _ => theirs.grant_token == credentials.grant_token,
            };
            if same {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether any key to the API is left that may make others.
    pub async fn has_admin_key(&self) -> Result<bool, StoreError> {
        let admins: Vec<Uuid> = api_key_role::Entity::find()
            .select_only()
            .column(api_key_role::Column::KeyId)
            .filter(api_key_role::Column::Role.eq(Role::Admin.as_str()))
            .into_tuple()
            .all(&self.db)
            .await?;
        let living = api_key::Entity::find()
            .filter(api_key::Column::Id.is_in(admins))
            .filter(api_key::Column::RevokedAt.is_null())
            .one(&self.db)
            .await?;
        Ok(living.is_some())
    }

    /// The run of connecting whose state has this digest.
    pub async fn connect_by_state(&self, digest: &str) -> Result<Option<ConnectRun>, StoreError> {
        let row = connect::Entity::find()
            .filter(connect::Column::StateDigest.eq(digest))
            .one(&self.db)
            .await?;
        row.map(connects::run).transpose()
    }

    /// The reconnect link with this digest, also when it is over.
    pub async fn link_by_digest(&self, digest: &str) -> Result<Option<LinkRow>, StoreError> {
        let row = reconnect_link::Entity::find()
            .filter(reconnect_link::Column::TokenDigest.eq(digest))
            .one(&self.db)
            .await?;
        Ok(row.as_ref().map(connects::link))
    }

    /// Whether an account is connected in a workspace other than this one.
    pub(crate) async fn lives_elsewhere(
        &self,
        db: &impl ConnectionTrait,
        workspace: WorkspaceId,
        platform: &str,
        remote_id: &str,
    ) -> Result<bool, StoreError> {
        let others = connection::Entity::find()
            .filter(connection::Column::Platform.eq(platform))
            .filter(connection::Column::RemoteId.eq(remote_id))
            .filter(connection::Column::RemovedAt.is_null())
            .filter(connection::Column::WorkspaceId.ne(workspace.uuid()))
            .count(db)
            .await?;
        Ok(others > 0)
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
