//! Loading: what each of the four jobs needs to know, from one workspace.

mod check;
mod publish;
mod refresh;
mod reseal;
mod verify;

use mooring_domain::{
    Time,
    connection::{AccountState, Facts, missing_scopes},
    grant::{AuthState, GrantFacts, can_refresh},
    platform::Platform,
    time::{from_ms, seconds},
};
use mooring_vault::Secret;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

pub use check::CheckJob;
pub(crate) use publish::content_of;
pub use publish::{BeginPublish, BegunPublish, PublishJob};
pub use refresh::RefreshJob;
pub use reseal::{ResealJob, Resealed, ResealedBatch};
pub use verify::VerifyJob;

use crate::{
    Store, StoreError,
    entity::{app, connection, grant},
    jobs::platform_of,
    vaulted::Column,
};

/// What a call to a platform needs, in clear; it lives as long as the job's call.
#[derive(Debug)]
pub struct Credentials {
    /// Our app's id and secret at the platform, where it has one.
    pub app: Option<(String, Secret)>,
    /// The platform's address, where the app or the account has one of its own.
    pub host: Option<String>,
    /// The account.
    pub remote_id: String,
    /// The provider user behind the grant.
    pub remote_user_id: String,
    /// What acts on the destination.
    pub token: Secret,
    /// The grant's own token; the same where there is no difference.
    pub grant_token: Secret,
    /// What renews it, where there is such.
    pub refresh_token: Option<Secret>,
    /// The key that the tokens are bound to, where they are.
    pub binding: Option<Secret>,
}

impl Store {
    pub(crate) async fn connection_row(
        &self,
        workspace: Uuid,
        id: Uuid,
    ) -> Result<Option<(connection::Model, grant::Model)>, StoreError> {
        let row = connection::Entity::find_by_id(id)
            .filter(connection::Column::WorkspaceId.eq(workspace))
            .one(&self.db)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let grant = self.grant_row(workspace, row.grant_id).await?;
        let grant = grant.ok_or_else(|| StoreError::corrupt("connections", id, "has no grant"))?;
        Ok(Some((row, grant)))
    }

    pub(crate) async fn grant_row(
        &self,
        workspace: Uuid,
        id: Uuid,
    ) -> Result<Option<grant::Model>, StoreError> {
        Ok(grant::Entity::find_by_id(id)
            .filter(grant::Column::WorkspaceId.eq(workspace))
            .one(&self.db)
            .await?)
    }

    /// Opens what is sealed. `None`: the grant holds no token (it was disconnected).
    pub(crate) async fn credentials(
        &self,
        grant: &grant::Model,
        connection: Option<&connection::Model>,
    ) -> Result<Option<Credentials>, StoreError> {
        self.credentials_in(&self.db, grant, connection).await
    }

    /// The same within a transaction.
    pub(crate) async fn credentials_in(
        &self,
        db: &impl ConnectionTrait,
        grant: &grant::Model,
        connection: Option<&connection::Model>,
    ) -> Result<Option<Credentials>, StoreError> {
        if connection.is_some_and(|row| row.removed_at.is_some()) {
            // Its grant may serve others; it does not serve this one any more.
            return Ok(None);
        }
        let access = self.unseal(Column::GrantAccess, grant.id, grant.access_token.as_deref())?;
        let Some(grant_token) = access else {
            return Ok(None);
        };
        let refresh_token = self.unseal(
            Column::GrantRefresh,
            grant.id,
            grant.refresh_token.as_deref(),
        )?;
        let own = match connection {
            Some(row) => self.unseal(
                Column::ConnectionAccess,
                row.id,
                row.access_token.as_deref(),
            )?,
            None => None,
        };
        let (app, base_url) = self.app_of(db, grant).await?;
        Ok(Some(Credentials {
            app,
            host: grant.host.clone().or(base_url),
            remote_id: connection
                .map_or_else(|| grant.remote_user_id.clone(), |row| row.remote_id.clone()),
            remote_user_id: grant.remote_user_id.clone(),
            token: own.unwrap_or_else(|| grant_token.clone()),
            grant_token,
            refresh_token,
            binding: self.unseal(Column::GrantBinding, grant.id, grant.binding.as_deref())?,
        }))
    }

    async fn app_of(
        &self,
        db: &impl ConnectionTrait,
        grant: &grant::Model,
    ) -> Result<(Option<(String, Secret)>, Option<String>), StoreError> {
        let Some(id) = grant.app_id else {
            return Ok((None, None));
        };
        let Some(row) = app::Entity::find_by_id(id).one(db).await? else {
            return Err(StoreError::corrupt(
                "grants",
                grant.id,
                "names an app that does not exist",
            ));
        };
        let secret = self.unseal(Column::AppSecret, row.id, row.client_secret.as_deref())?;
        Ok((secret.map(|secret| (row.client_id, secret)), row.base_url))
    }
}

pub(crate) fn grant_facts(row: &grant::Model) -> Result<GrantFacts, StoreError> {
    let state = AuthState::parse(&row.state)
        .ok_or_else(|| StoreError::corrupt("grants", row.id, "its state is unknown"))?;
    Ok(GrantFacts {
        state,
        token_version: row.token_version,
        issued_at: from_ms(row.issued_at),
        access_expires_at: row.access_expires_at.map(from_ms),
        has_refresh_token: row.refresh_token.is_some(),
        refresh_expires_at: row.refresh_expires_at.map(from_ms),
        refresh_begun: row.refresh_begun_at.is_some(),
        refresh_exhausted: row.refresh_exhausted,
        probed_at: row.probed_at.map(from_ms),
    })
}

pub(crate) fn list(
    table: &'static str,
    id: Uuid,
    column: Option<serde_json::Value>,
) -> Result<Option<Vec<String>>, StoreError> {
    let read = column.map(serde_json::from_value).transpose();
    read.map_err(|_| StoreError::corrupt(table, id, "its permissions are no list"))
}

/// How long a refresh that has begun is shown as running: its lane's hard cap.
const REFRESHING: i64 = 60;

pub(crate) fn facts(
    row: &connection::Model,
    grant: &grant::Model,
    now: Time,
) -> Result<(Facts, GrantFacts), StoreError> {
    let of_grant = grant_facts(grant)?;
    let platform: Platform = platform_of("connections", row.id, &row.platform)?;
    // The grant's permissions are every connection's, whichever of them the last probe was made for.
    let granted: Option<Vec<String>> = list("grants", grant.id, grant.scopes.clone())?;
    let scopes_missing = match granted {
        Some(granted) => missing_scopes(platform, &granted),
        None => list("connections", row.id, Some(row.scopes_missing.clone()))?.unwrap_or_default(),
    };
    let facts = Facts {
        auth_state: of_grant.state,
        ends_at: of_grant.ends_at(),
        renews_itself: can_refresh(&of_grant, platform, now),
        scopes_missing,
        account: row.account.as_deref().and_then(AccountState::parse),
        checked_at: row.checked_at.map(from_ms),
        used_at: row.used_at.map(from_ms),
        refresh_exhausted: of_grant.refresh_exhausted,
        refreshing_until: grant
            .refresh_begun_at
            .map(|at| from_ms(at) + seconds(REFRESHING)),
        paid_probe_every: platform.capabilities().paid_probe_every,
    };
    Ok((facts, of_grant))
}
