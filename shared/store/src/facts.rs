//! Everything that is known about one connection, and what a grant endangers: for people, judged now.

use mooring_domain::{
    ConnectionId, GrantId, Platform, Time, WorkspaceId,
    connection::{
        AccountFacts, AccountState, Assessment, Declined, ProviderVerdict, RightOff, assess,
        rights_off,
    },
    grant::{AuthState, final_end, refresh_due},
    post::Stage,
    time::from_ms,
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;

use crate::{
    Store, StoreError,
    entity::{connection, grant, target},
    jobs::platform_of,
    work,
};

/// A connection's facts, by what they are about. Secrets are not among them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConnectionFacts {
    /// Its id.
    pub id: ConnectionId,
    /// Its grant.
    pub grant: GrantId,
    /// Its platform.
    pub platform: Platform,
    /// The account's id at the platform.
    pub remote_id: String,
    /// Its name.
    pub name: String,
    /// Its health now, with the reasons.
    pub health: Assessment,
    /// The credential.
    pub token: TokenFacts,
    /// Its permissions.
    pub scopes: ScopeFacts,
    /// What it cannot do now, and why.
    pub rights_off: Vec<RightOff>,
    /// Where the account stands; `None` before the first check.
    pub account: Option<AccountState>,
    /// What the platform told about the account.
    pub about: AccountFacts,
    /// Last successful use of the token.
    pub used_at: Option<Time>,
    /// Whether the platform itself is well; `None` = nobody has judged it.
    pub provider: Option<ProviderVerdict>,
    /// Last check that could tell.
    pub checked_at: Option<Time>,
    /// Looks in a row, since then, that told nothing.
    pub failed_looks: u16,
    /// The failure class of the last of them.
    pub failed_why: Option<String>,
}

/// What is known about a credential.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TokenFacts {
    /// The worse of the grant's state and the connection's own.
    pub auth_state: AuthState,
    /// The failure class behind the grant's state: why a reconnect is needed.
    pub why: Option<String>,
    /// Bumped by new tokens and by nothing else.
    pub version: i64,
    /// When a person last connected it.
    pub connected_at: Time,
    /// When the stored tokens were issued: the last refresh, where there was one.
    pub issued_at: Time,
    /// End of the access token; `None` = it does not end by itself.
    pub access_expires_at: Option<Time>,
    /// Whether there is a refresh token.
    pub has_refresh_token: bool,
    /// End of the refresh token, where it is known.
    pub refresh_expires_at: Option<Time>,
    /// The end that nothing but a person's consent moves, where there is one.
    pub ends_at: Option<Time>,
    /// When the next refresh is due.
    pub refresh_due: Option<Time>,
    /// Until when a refresh that runs may run.
    pub refreshing_until: Option<Time>,
    /// Whether a whole series of refreshes failed.
    pub refresh_exhausted: bool,
    /// When a probe last showed whether it works.
    pub probed_at: Option<Time>,
    /// The last warning about its end: the end, and how many days before it.
    pub warned: Option<(Time, i32)>,
    /// How often in a row it was taken back soon after it was connected.
    pub flaps: u16,
}

/// What is known about permissions, in the platform's own names.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScopeFacts {
    /// Granted ones, where the platform tells.
    pub granted: Option<Vec<String>>,
    /// Those without which the connection is no use.
    pub required: Vec<String>,
    /// Required ones that are not granted.
    pub missing: Vec<String>,
    /// Optional ones that are not granted, and what is off without them.
    pub declined: Vec<Declined>,
}

/// What hangs on one grant: everything that a dead credential endangers, and a reconnect heals.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Endangered {
    /// The grant.
    pub grant: GrantId,
    /// Its state.
    pub auth_state: AuthState,
    /// Its connections, with their names, by name.
    pub connections: Vec<(ConnectionId, String)>,
    /// Posts that have not gone out yet.
    pub posts: u64,
    /// When the first of them is due.
    pub next_due: Option<Time>,
}

impl Store {
    /// Everything that is known about a connection; `None`: there is none in this workspace.
    pub async fn connection_facts(
        &self,
        workspace: WorkspaceId,
        id: ConnectionId,
        now: Time,
    ) -> Result<Option<ConnectionFacts>, StoreError> {
        let found = self.connection_row(workspace.uuid(), id.uuid()).await?;
        let Some((row, grant)) = found else {
            return Ok(None);
        };
        let platform = platform_of("connections", row.id, &row.platform)?;
        let (facts, _) = work::facts(&row, &grant, &self.policy, now)?;
        let required = platform.capabilities().required_scopes.iter();
        Ok(Some(ConnectionFacts {
            id,
            grant: GrantId::from_uuid(grant.id),
            platform,
            health: assess(&facts, &self.policy, now),
            token: self.token_facts(&grant, facts.auth_state, platform, now)?,
            rights_off: rights_off(platform, &facts),
            scopes: ScopeFacts {
                granted: work::granted(&grant)?,
                required: required.map(|scope| (*scope).to_owned()).collect(),
                missing: facts.scopes_missing,
                declined: facts.scopes_declined,
            },
            account: facts.account,
            about: work::about(&row)?,
            used_at: facts.used_at,
            provider: facts.provider,
            checked_at: facts.checked_at,
            failed_looks: facts.failed_looks,
            remote_id: row.remote_id,
            name: row.name,
            failed_why: row.failed_why,
        }))
    }

    fn token_facts(
        &self,
        row: &grant::Model,
        auth_state: AuthState,
        platform: Platform,
        now: Time,
    ) -> Result<TokenFacts, StoreError> {
        let (facts, past) = (work::grant_facts(row)?, work::grant_past(row));
        let until = row.refreshing_until.map(from_ms);
        Ok(TokenFacts {
            auth_state,
            why: row.state_why.clone(),
            version: facts.token_version,
            connected_at: past.connected_at,
            issued_at: facts.issued_at,
            access_expires_at: facts.access_expires_at,
            has_refresh_token: facts.has_refresh_token,
            refresh_expires_at: facts.refresh_expires_at,
            ends_at: final_end(&facts, platform, now),
            refresh_due: refresh_due(&facts, platform, &self.policy),
            refreshing_until: until.filter(|until| *until > now),
            refresh_exhausted: facts.refresh_exhausted,
            probed_at: facts.probed_at,
            warned: past.warned.map(|warned| (warned.end, warned.days)),
            flaps: past.flaps,
        })
    }

    /// What hangs on a grant; `None`: there is none in this workspace.
    pub async fn endangered(
        &self,
        workspace: WorkspaceId,
        id: GrantId,
    ) -> Result<Option<Endangered>, StoreError> {
        let Some(grant) = self.grant_row(workspace.uuid(), id.uuid()).await? else {
            return Ok(None);
        };
        let rows = connection::Entity::find()
            .filter(connection::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(connection::Column::GrantId.eq(id.uuid()))
            .filter(connection::Column::RemovedAt.is_null())
            .order_by_asc(connection::Column::Name)
            .all(&self.db)
            .await?;
        let pending = || {
            target::Entity::find()
                .filter(target::Column::WorkspaceId.eq(workspace.uuid()))
                .filter(target::Column::ConnectionId.is_in(rows.iter().map(|row| row.id)))
                .filter(target::Column::Stage.lte(Stage::Begun.rank()))
        };
        let next: Option<i64> = pending()
            .select_only()
            .column(target::Column::DueAt)
            .order_by_asc(target::Column::DueAt)
            .limit(1)
            .into_tuple()
            .one(&self.db)
            .await?;
        Ok(Some(Endangered {
            grant: id,
            auth_state: work::grant_facts(&grant)?.state,
            posts: pending().count(&self.db).await?,
            next_due: next.map(from_ms),
            connections: rows
                .into_iter()
                .map(|row| (ConnectionId::from_uuid(row.id), row.name))
                .collect(),
        }))
    }
}
