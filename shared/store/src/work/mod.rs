//! Loading: what each of the four jobs needs to know, from one workspace.

mod check;
mod content;
mod ledger;
mod news;
mod publish;
mod refresh;
mod reseal;
mod spacing;
mod survey;
mod verify;

use mooring_domain::{
    Policy, Time,
    connection::{
        AccountFacts, AccountState, Facts, Failing, Publishing, declined_scopes, is_of_old_method,
        missing_scopes,
    },
    grant::{AuthState, GrantFacts, GrantPast, Warned, final_end, is_flapping},
    platform::Platform,
    time::from_ms,
};
use mooring_vault::Secret;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

pub use check::CheckJob;
pub(crate) use content::{content_for, content_of, overrides_of};
pub(crate) use ledger::digest;
pub use news::{Deletion, NewsJob};
pub(crate) use publish::attempt_facts;
pub use publish::{BeginPublish, BegunPublish, PublishJob};
pub use refresh::RefreshJob;
pub use reseal::{ResealJob, Resealed, ResealedBatch};
pub use survey::SurveyJob;
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

pub(crate) fn grant_past(row: &grant::Model) -> GrantPast {
    GrantPast {
        connected_at: from_ms(row.connected_at.unwrap_or(row.created_at)),
        flaps: u16::try_from(row.flaps).unwrap_or(u16::MAX),
        warned: row.warned_end.zip(row.warned_days).map(|(end, days)| {
            let end = from_ms(end);
            Warned { end, days }
        }),
    }
}

/// What is known about an account beyond its state.
pub(crate) fn about(row: &connection::Model) -> Result<AccountFacts, StoreError> {
    let read = row.about.clone().map(serde_json::from_value).transpose();
    let read =
        read.map_err(|_| StoreError::corrupt("connections", row.id, "its facts are none"))?;
    Ok(read.unwrap_or_default())
}

/// The permissions that a grant holds, where they are known. They are every connection's, whichever of them the last
/// probe was made for.
pub(crate) fn granted(row: &grant::Model) -> Result<Option<Vec<String>>, StoreError> {
    list("grants", row.id, row.scopes.clone())
}

pub(crate) fn list(
    table: &'static str,
    id: Uuid,
    column: Option<serde_json::Value>,
) -> Result<Option<Vec<String>>, StoreError> {
    let read = column.map(serde_json::from_value).transpose();
    read.map_err(|_| StoreError::corrupt(table, id, "its permissions are no list"))
}

pub(crate) fn facts(
    row: &connection::Model,
    grant: &grant::Model,
    policy: &Policy,
    now: Time,
) -> Result<(Facts, GrantFacts), StoreError> {
    let of_grant = grant_facts(grant)?;
    let platform: Platform = platform_of("connections", row.id, &row.platform)?;
    let granted = granted(grant)?;
    let scopes_missing = match &granted {
        Some(granted) => missing_scopes(platform, granted),
        None => list("connections", row.id, Some(row.scopes_missing.clone()))?.unwrap_or_default(),
    };
    let granted = granted.as_deref();
    let of_old_method = granted.is_some_and(|granted| is_of_old_method(platform, granted));
    let account = row.account.as_deref().and_then(AccountState::parse);
    let facts = Facts {
        auth_state: auth_state(of_grant.state, account),
        ends_at: of_grant.ends_at(),
        renews_itself: final_end(&of_grant, platform, now).is_none(),
        scopes_missing,
        scopes_declined: granted.map_or_else(Vec::new, |all| declined_scopes(platform, all)),
        publishing: if of_old_method {
            Some(Publishing::OldMethod)
        } else {
            about(row)?.publishing
        },
        account,
        checked_at: row.checked_at.map(from_ms),
        used_at: row.used_at.map(from_ms),
        refresh_exhausted: of_grant.refresh_exhausted,
        refreshing_until: grant.refreshing_until.map(from_ms),
        failed_looks: u16::try_from(row.failed_looks).unwrap_or(u16::MAX),
        failing: failing(row),
        provider: None,
        flapping: is_flapping(&grant_past(grant), of_grant.state, policy, now),
        paid_probe_every: platform.capabilities().paid_probe_every,
    };
    Ok((facts, of_grant))
}

/// Since when looks fail. The release before notes the class of a failure and forgets it with it, and knows no instants.
fn failing(row: &connection::Model) -> Option<Failing> {
    row.failed_why.as_ref()?;
    let (since, last) = row.failed_since.zip(row.failed_at)?;
    Some(Failing {
        since: from_ms(since),
        last: from_ms(last),
    })
}

/// The worse of the grant's state and the connection's own: what is not on the grant's list is out of its reach.
fn auth_state(grant: AuthState, account: Option<AccountState>) -> AuthState {
    match (grant, account) {
        (AuthState::Connected, Some(AccountState::Gone)) => AuthState::Revoked,
        (state, _) => state,
    }
}
