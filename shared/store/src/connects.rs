//! Runs of connecting and reconnect links, as whoever goes on with them needs them.

use std::collections::HashMap;

use mooring_domain::{
    AppId, ConnectId, ConnectionId, GrantId, LinkId, Plan, Platform, Time, WorkspaceId,
    connecting::ConnectOutcome, connection::AccountState, time::from_ms,
};
use mooring_vault::Secret;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::{
    Refusal, Store, StoreError,
    apply::{plan_of, refuse_plan},
    entity::{app, connect, connection, reconnect_link, workspace},
    jobs::platform_of,
    vaulted::Column,
};

/// A run of connecting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectRun {
    /// Its id.
    pub id: ConnectId,
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// By which way in.
    pub platform: Platform,
    /// Who began it, as the stream names them.
    pub actor: String,
    /// What it reconnects, where it does.
    pub connection: Option<ConnectionId>,
    /// What it copies, where it does: a connection of another workspace.
    pub copied_from: Option<ConnectionId>,
    /// The link that it came by.
    pub link: Option<LinkId>,
    /// Our app at the platform.
    pub app: Option<AppId>,
    /// Where the platform sends the browser back to.
    pub redirect_uri: String,
    /// The account's own server, where one was named.
    pub host: Option<String>,
    /// Where we send the browser on to.
    pub return_url: Option<String>,
    /// When the consent, or the offer, ends.
    pub expires_at: Time,
    /// When a browser came back.
    pub called_back_at: Option<Time>,
    /// Whether there is an offer.
    pub offered: bool,
    /// How it ended.
    pub outcome: Option<ConnectOutcome>,
    kept: Option<Vec<u8>>,
    offer: Option<Vec<u8>>,
}

/// A reconnect link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRow {
    /// Its id.
    pub id: LinkId,
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// What it reconnects.
    pub connection: ConnectionId,
    /// When it ends.
    pub expires_at: Time,
    /// When somebody went by it.
    pub used_at: Option<Time>,
}

/// Our app, as connecting needs it.
#[derive(Debug, Clone)]
pub struct ConnectApp {
    /// Its id.
    pub id: AppId,
    /// The platform's id for it.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
    /// The server that it is registered at, where that is a special one.
    pub base_url: Option<String>,
}

/// A connection, as a reconnect needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionBrief {
    /// Its id.
    pub id: ConnectionId,
    /// Its platform.
    pub platform: Platform,
    /// The way in by which its grant came.
    pub way: Platform,
    /// Its grant.
    pub grant: GrantId,
    /// The account's id at the platform.
    pub remote_id: String,
    /// The provider user behind the grant.
    pub remote_user_id: String,
    /// What people call it.
    pub name: String,
    /// Base URL of the account's own server.
    pub host: Option<String>,
    /// Where the account stood when it was last seen.
    pub account: Option<AccountState>,
    /// Whether it was disconnected.
    pub removed: bool,
}

/// An account that the workspace knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountHere {
    /// Its connection.
    pub connection: ConnectionId,
    /// Whether it was disconnected.
    pub removed: bool,
    /// Whether it was connected for the first time when it was last connected.
    pub is_new: bool,
}

impl Store {
    /// A run of a workspace.
    pub async fn connect_run(
        &self,
        workspace: WorkspaceId,
        id: ConnectId,
    ) -> Result<Option<ConnectRun>, StoreError> {
        let row = connect::Entity::find_by_id(id.uuid())
            .filter(connect::Column::WorkspaceId.eq(workspace.uuid()))
            .one(&self.db)
            .await?;
        row.map(run).transpose()
    }

    /// What a run has kept for its adapter.
    pub fn kept_of(&self, run: &ConnectRun) -> Result<Option<Secret>, StoreError> {
        self.unseal(Column::ConnectKept, run.id.uuid(), run.kept.as_deref())
    }

    /// What a run offers.
    pub fn offer_of(&self, run: &ConnectRun) -> Result<Option<Secret>, StoreError> {
        self.unseal(Column::ConnectOffered, run.id.uuid(), run.offer.as_deref())
    }

    /// Our app for connecting by a platform: the workspace's own before the one for everybody, and one that is
    /// registered at this very server before one that is registered nowhere in particular. An app of another server
    /// is none; where no server is named, one that names its own will do.
    pub async fn connect_app(
        &self,
        workspace: WorkspaceId,
        platform: Platform,
        host: Option<&str>,
    ) -> Result<Option<ConnectApp>, StoreError> {
        let rows = app::Entity::find()
            .filter(app::Column::Platform.eq(platform.as_str()))
            .all(&self.db)
            .await?;
        let rank = |row: &app::Model| {
            let own = match row.workspace_id {
                Some(of) if of == workspace.uuid() => 0,
                Some(_) => return None,
                None => 1,
            };
            let place = match (row.base_url.as_deref(), host) {
                (Some(base), Some(host)) if same_server(base, host) => 0,
                (Some(_), Some(_)) => return None,
                (None, _) => 1,
                (Some(_), None) => 2,
            };
            Some((place, own))
        };
        let found = rows
            .into_iter()
            .filter_map(|row| Some((rank(&row)?, row)))
            .min_by_key(|(rank, row)| (*rank, row.id));
        found.map(|(_, row)| self.opened(row)).transpose()
    }

    /// An app by its id, as a run has noted it.
    pub async fn app_of_run(&self, run: &ConnectRun) -> Result<Option<ConnectApp>, StoreError> {
        let Some(id) = run.app else { return Ok(None) };
        let row = app::Entity::find_by_id(id.uuid()).one(&self.db).await?;
        row.map(|row| self.opened(row)).transpose()
    }

    fn opened(&self, row: app::Model) -> Result<ConnectApp, StoreError> {
        let secret = self.unseal(Column::AppSecret, row.id, row.client_secret.as_deref())?;
        Ok(ConnectApp {
            id: AppId::from_uuid(row.id),
            client_id: row.client_id,
            client_secret: secret.unwrap_or_else(|| Secret::from("")),
            base_url: row.base_url,
        })
    }

    /// A connection of a workspace, also one that was disconnected.
    pub async fn connection_brief(
        &self,
        workspace: WorkspaceId,
        id: ConnectionId,
    ) -> Result<Option<ConnectionBrief>, StoreError> {
        let found = self.connection_row(workspace.uuid(), id.uuid()).await?;
        let Some((row, grant)) = found else {
            return Ok(None);
        };
        Ok(Some(ConnectionBrief {
            id,
            platform: platform_of("connections", row.id, &row.platform)?,
            way: platform_of("grants", grant.id, &grant.platform)?,
            grant: GrantId::from_uuid(grant.id),
            remote_id: row.remote_id,
            remote_user_id: grant.remote_user_id,
            name: row.name,
            host: grant.host,
            account: row.account.as_deref().and_then(AccountState::parse),
            removed: row.removed_at.is_some(),
        }))
    }

    /// Which of these accounts the workspace knows, by platform and remote id.
    pub async fn accounts_here(
        &self,
        workspace: WorkspaceId,
        remote_ids: &[String],
    ) -> Result<HashMap<(String, String), AccountHere>, StoreError> {
        let rows = connection::Entity::find()
            .filter(connection::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(connection::Column::RemoteId.is_in(remote_ids.iter().map(String::as_str)))
            .all(&self.db)
            .await?;
        let here = rows.into_iter().map(|row| {
            let known = AccountHere {
                connection: ConnectionId::from_uuid(row.id),
                removed: row.removed_at.is_some(),
                is_new: row.connected_at == Some(row.created_at) && row.reconnect_why.is_none(),
            };
            ((row.platform, row.remote_id), known)
        });
        Ok(here.collect())
    }

    /// Whether an account is connected in some other workspace; never which.
    pub async fn is_elsewhere(
        &self,
        workspace: WorkspaceId,
        platform: Platform,
        remote_id: &str,
    ) -> Result<bool, StoreError> {
        self.lives_elsewhere(&self.db, workspace, platform.as_str(), remote_id)
            .await
    }

    /// What a workspace may connect.
    pub async fn plan(&self, workspace: WorkspaceId) -> Result<Plan, StoreError> {
        let row = workspace::Entity::find_by_id(workspace.uuid())
            .one(&self.db)
            .await?;
        row.as_ref().map_or_else(|| Ok(Plan::default()), plan_of)
    }

    /// Why one more account of a platform does not fit into a workspace's plan, where it does not.
    pub async fn beyond_plan(
        &self,
        workspace: WorkspaceId,
        platform: Platform,
    ) -> Result<Option<Refusal>, StoreError> {
        let here = self.connected_in(&self.db, workspace, platform).await?;
        Ok(refuse_plan(&self.plan(workspace).await?, platform, here).err())
    }
}

/// Whether two addresses name the same server.
fn same_server(one: &str, other: &str) -> bool {
    one.trim_end_matches('/') == other.trim_end_matches('/')
}

pub(crate) fn run(row: connect::Model) -> Result<ConnectRun, StoreError> {
    Ok(ConnectRun {
        id: ConnectId::from_uuid(row.id),
        workspace: WorkspaceId::from_uuid(row.workspace_id),
        platform: platform_of("connects", row.id, &row.platform)?,
        actor: row.actor,
        connection: row.connection_id.map(ConnectionId::from_uuid),
        copied_from: row.copied_from.map(ConnectionId::from_uuid),
        link: row.link_id.map(LinkId::from_uuid),
        app: row.app_id.map(AppId::from_uuid),
        redirect_uri: row.redirect_uri,
        host: row.host,
        return_url: row.return_url,
        expires_at: from_ms(row.expires_at),
        called_back_at: row.called_back_at.map(from_ms),
        offered: row.offered.is_some(),
        outcome: row.outcome.as_deref().and_then(ConnectOutcome::parse),
        kept: row.kept,
        offer: row.offered,
    })
}

pub(crate) fn link(row: &reconnect_link::Model) -> LinkRow {
    LinkRow {
        id: LinkId::from_uuid(row.id),
        workspace: WorkspaceId::from_uuid(row.workspace_id),
        connection: ConnectionId::from_uuid(row.connection_id),
        expires_at: from_ms(row.expires_at),
        used_at: row.used_at.map(from_ms),
    }
}
