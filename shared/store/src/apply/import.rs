//! Connections that are brought in.

use mooring_domain::{Event, Time, WorkspaceId, decision::NewConnection, grant::AuthState};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter,
};

use super::{ApplyError, Refusal, Secrets};
use crate::{
    Store, StoreError,
    entity::{connection, grant},
    vaulted::Column,
};

impl Store {
    pub(super) async fn refuse_connected(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        new: &NewConnection,
    ) -> Result<(), ApplyError> {
        let existing = connection::Entity::find()
            .filter(connection::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(connection::Column::Platform.eq(new.platform.as_str()))
            .filter(connection::Column::RemoteId.eq(new.remote_id.as_str()))
            .one(tx)
            .await?;
        match existing {
            None => Ok(()),
            // It comes back as what it was.
            Some(row) if row.removed_at.is_some() && row.id == new.connection.uuid() => Ok(()),
            Some(_) => Err(Refusal::AlreadyConnected {
                platform: new.platform.to_string(),
                remote_id: new.remote_id.clone(),
            }
            .into()),
        }
    }

    pub(super) async fn import(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        new: &NewConnection,
        secrets: &Secrets,
        now: Time,
    ) -> Result<Vec<Event>, StoreError> {
        if new.grant_is_new {
            self.keep_grant(tx, workspace, new, secrets, now).await?;
        }
        let own = secrets
            .connections
            .iter()
            .find(|(id, _)| *id == new.connection);
        let own = own.map(|(id, token)| self.seal(Column::ConnectionAccess, id.uuid(), token));
        if self.revive(tx, workspace, new, own.clone(), now).await? {
            return Ok(vec![Event::ConnectionRevived {
                connection: new.connection,
                grant: new.grant,
            }]);
        }
        let row = connection::ActiveModel {
            id: Set(new.connection.uuid()),
            workspace_id: Set(workspace.uuid()),
            brand_id: Set(new.brand.map(mooring_domain::id::Id::uuid)),
            grant_id: Set(new.grant.uuid()),
            platform: Set(new.platform.as_str().to_owned()),
            remote_id: Set(new.remote_id.clone()),
            name: Set(new.name.clone()),
            access_token: Set(own),
            account: Set(None),
            scopes_missing: Set(serde_json::json!([])),
            checked_at: Set(None),
            used_at: Set(None),
            health: Set("unknown".to_owned()),
            reasons: Set(serde_json::json!([])),
            created_at: Set(now.timestamp_millis()),
            main: Set(false),
            owner: Set(None),
            admin_note: Set(None),
            escalation: Set(None),
            service_account: Set(false),
            labels: Set(None),
            removed_at: Set(None),
            removed_why: Set(None),
            connected_at: Set(Some(now.timestamp_millis())),
            reconnect_why: Set(None),
            ..Default::default()
        };
        connection::Entity::insert(row)
            .exec_without_returning(tx)
            .await?;
        Ok(Vec::new())
    }

    /// A disconnected account that is connected again is the same connection: what went out through it, and what
    /// people said about it, stays with it. What was cancelled stays cancelled.
    async fn revive(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        new: &NewConnection,
        token: Option<Vec<u8>>,
        now: Time,
    ) -> Result<bool, StoreError> {
        let mut row = connection::ActiveModel {
            grant_id: Set(new.grant.uuid()),
            name: Set(new.name.clone()),
            access_token: Set(token),
            account: Set(None),
            scopes_missing: Set(serde_json::json!([])),
            checked_at: Set(None),
            used_at: Set(None),
            health: Set("unknown".to_owned()),
            reasons: Set(serde_json::json!([])),
            removed_at: Set(None),
            removed_why: Set(None),
            connected_at: Set(Some(now.timestamp_millis())),
            reconnect_why: Set(Some("disconnected".to_owned())),
            ..Default::default()
        };
        if let Some(brand) = new.brand {
            row.brand_id = Set(Some(brand.uuid()));
        }
        let revived = connection::Entity::update_many()
            .set(row)
            .filter(connection::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(connection::Column::Id.eq(new.connection.uuid()))
            .filter(connection::Column::RemovedAt.is_not_null())
            .exec(tx)
            .await?;
        Ok(revived.rows_affected > 0)
    }

    /// A new grant, or new tokens for one that went with its last connection. The version rises: nothing that was
    /// asked with the old tokens is about these.
    async fn keep_grant(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        new: &NewConnection,
        secrets: &Secrets,
        now: Time,
    ) -> Result<(), StoreError> {
        let mut row = self.grant_of(workspace, new, secrets, now)?;
        let dead = grant::Entity::find_by_id(new.grant.uuid())
            .filter(grant::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(grant::Column::AccessToken.is_null())
            .one(tx)
            .await?;
        let Some(dead) = dead else {
            grant::Entity::insert(row)
                .exec_without_returning(tx)
                .await?;
            return Ok(());
        };
        row.token_version = Set(dead.token_version + 1);
        row.id = NotSet;
        row.created_at = NotSet;
        grant::Entity::update_many()
            .set(row)
            .filter(grant::Column::Id.eq(dead.id))
            .filter(grant::Column::AccessToken.is_null())
            .exec(tx)
            .await?;
        Ok(())
    }

    fn grant_of(
        &self,
        workspace: WorkspaceId,
        new: &NewConnection,
        secrets: &Secrets,
        now: Time,
    ) -> Result<grant::ActiveModel, StoreError> {
        let id = new.grant.uuid();
        let found = secrets
            .grants
            .iter()
            .find(|(grant, ..)| *grant == new.grant);
        let (_, access, refresh) = found
            .ok_or_else(|| StoreError::corrupt("grants", new.grant, "comes without tokens"))?;
        let refresh = refresh
            .as_ref()
            .map(|token| self.seal(Column::GrantRefresh, id, token));
        let bound = secrets
            .bindings
            .iter()
            .find(|(grant, _)| *grant == new.grant);
        let binding = bound.map(|(_, key)| self.seal(Column::GrantBinding, id, key));
        Ok(grant::ActiveModel {
            id: Set(id),
            workspace_id: Set(workspace.uuid()),
            app_id: Set(new.app.map(mooring_domain::id::Id::uuid)),
            platform: Set(new.platform.as_str().to_owned()),
            remote_user_id: Set(new.remote_user_id.clone()),
            host: Set(new.host.clone()),
            state: Set(AuthState::Connected.as_str().to_owned()),
            state_why: Set(None),
            access_token: Set(Some(self.seal(Column::GrantAccess, id, access))),
            refresh_token: Set(refresh),
            binding: Set(binding),
            token_version: Set(1),
            issued_at: Set(new.issued_at.unwrap_or(now).timestamp_millis()),
            access_expires_at: Set(new.access_expires_at.map(|at| at.timestamp_millis())),
            refresh_expires_at: Set(new.refresh_expires_at.map(|at| at.timestamp_millis())),
            scopes: Set(new.scopes.as_ref().map(|scopes| serde_json::json!(scopes))),
            probed_at: Set(None),
            refresh_begun_at: Set(None),
            refresh_holder: Set(None),
            refresh_exhausted: Set(false),
            connected_at: Set(Some(now.timestamp_millis())),
            created_at: Set(now.timestamp_millis()),
            ..Default::default()
        })
    }
}
