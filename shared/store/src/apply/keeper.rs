//! Writing a grant that has come, and what it reaches: the part of `connected.rs` that changes rows.

use mooring_domain::{
    ConnectionId, Event, GrantId, JobKind, Poke, Time, WorkspaceId,
    connecting::{Arriving, Connecting, refresh_of, why_reconnected},
    connection::{check_poke, missing_scopes},
    decision::NewConnection,
    grant::AuthState,
    survey::{survey_poke, surveyed_daily},
    time::{from_ms, minutes},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait as _, DatabaseTransaction, EntityTrait,
    PaginatorTrait, QueryFilter, QuerySelect,
};

use super::{Secrets, TakenGrant};
use crate::{
    Store, StoreError,
    entity::{connection, grant},
    sql,
    vaulted::Column,
};

/// Access token, refresh token and bound key, sealed for the grant's row.
type SealedTokens = (Vec<u8>, Option<Vec<u8>>, Option<Vec<u8>>);

/// One grant on its way in.
pub(super) struct Keeper<'a> {
    pub(super) store: &'a Store,
    pub(super) tx: &'a DatabaseTransaction,
    pub(super) workspace: WorkspaceId,
    pub(super) new: &'a Connecting,
    pub(super) grant: GrantId,
    /// The grants that its destinations hung on before, as they were.
    pub(super) olds: Vec<grant::Model>,
    pub(super) secrets: &'a Secrets,
    /// Whether a connection of another workspace is copied.
    pub(super) copied: bool,
    pub(super) now: Time,
}

impl Keeper<'_> {
    fn tokens(&self) -> Result<SealedTokens, StoreError> {
        let id = self.grant.uuid();
        let found = self
            .secrets
            .grants
            .iter()
            .find(|(of, ..)| *of == self.new.grant);
        let (_, access, refresh) =
            found.ok_or_else(|| StoreError::corrupt("grants", id, "comes without tokens"))?;
        let bound = self
            .secrets
            .bindings
            .iter()
            .find(|(of, _)| *of == self.new.grant);
        Ok((
            self.store.seal(Column::GrantAccess, id, access),
            refresh
                .as_ref()
                .map(|token| self.store.seal(Column::GrantRefresh, id, token)),
            bound.map(|(_, key)| self.store.seal(Column::GrantBinding, id, key)),
        ))
    }

    pub(super) async fn insert_grant(&self) -> Result<(), StoreError> {
        let (access, refresh, binding) = self.tokens()?;
        let mut row = self.fresh(access, binding, 1);
        row.id = Set(self.grant.uuid());
        row.workspace_id = Set(self.workspace.uuid());
        row.platform = Set(self.new.platform.as_str().to_owned());
        row.remote_user_id = Set(self.new.remote_user_id.clone());
        row.created_at = Set(self.now.timestamp_millis());
        row.refresh_token = Set(refresh);
        row.refresh_expires_at = Set(self.new.refresh_expires_at.map(|at| at.timestamp_millis()));
        grant::Entity::insert(row)
            .exec_without_returning(self.tx)
            .await?;
        Ok(())
    }

    /// New tokens in the place of the old. A refresh of the old ones that is on its way finds another version and is
    /// superfluous; so is its verdict.
    pub(super) async fn replace_tokens(&self, before: &grant::Model) -> Result<(), StoreError> {
        let (access, refresh, binding) = self.tokens()?;
        let mut row = self.fresh(access, binding, before.token_version + 1);
        // A consent that brings no refresh token leaves the one that is there: it can never be emptied.
        if refresh.is_some() {
            row.refresh_token = Set(refresh);
            row.refresh_expires_at =
                Set(self.new.refresh_expires_at.map(|at| at.timestamp_millis()));
        }
        let replaced = grant::Entity::update_many()
            .set(row)
            .filter(grant::Column::WorkspaceId.eq(self.workspace.uuid()))
            .filter(grant::Column::Id.eq(before.id))
            .filter(grant::Column::TokenVersion.eq(before.token_version))
            .exec(self.tx)
            .await?;
        if replaced.rows_affected == 0 {
            return Err(StoreError::corrupt(
                "grants",
                before.id,
                "changed under its lock",
            ));
        }
        Ok(())
    }

    fn fresh(&self, access: Vec<u8>, binding: Option<Vec<u8>>, version: i64) -> grant::ActiveModel {
        let new = self.new;
        grant::ActiveModel {
            app_id: Set(new.app.map(mooring_domain::id::Id::uuid)),
            host: Set(new.host.clone()),
            state: Set(AuthState::Connected.as_str().to_owned()),
            state_why: Set(None),
            access_token: Set(Some(access)),
            binding: Set(binding),
            token_version: Set(version),
            issued_at: Set(self.now.timestamp_millis()),
            access_expires_at: Set(new.access_expires_at.map(|at| at.timestamp_millis())),
            scopes: Set(new.scopes.as_ref().map(|scopes| serde_json::json!(scopes))),
            probed_at: Set(None),
            refresh_begun_at: Set(None),
            refresh_holder: Set(None),
            refresh_exhausted: Set(false),
            refreshing_until: Set(None),
            // What is taken back soon after this is counted as flapping.
            connected_at: Set(Some(self.now.timestamp_millis())),
            ..Default::default()
        }
    }

    /// One destination: connected anew, back again, healed, or none of our business.
    pub(super) async fn settle(
        &self,
        arriving: &Arriving,
        row: Option<&connection::Model>,
    ) -> Result<Option<Event>, StoreError> {
        match (arriving.chosen, row) {
            (true, None) => self.connect_new(arriving).await.map(Some),
            (true, Some(row)) => self.connect_again(arriving, row).await.map(Some),
            // A sibling of the same grant is healed with it; its own token is a new one, too.
            (false, Some(row)) if row.grant_id == self.grant.uuid() && row.removed_at.is_none() => {
                let nothing_else = <connection::ActiveModel as Default>::default();
                self.note(row, arriving, nothing_else).await?;
                Ok(None)
            }
            (false, _) => Ok(None),
        }
    }

    async fn connect_new(&self, arriving: &Arriving) -> Result<Event, StoreError> {
        let new = NewConnection {
            connection: arriving.connection,
            grant: self.grant,
            grant_is_new: false,
            brand: None,
            app: self.new.app,
            platform: arriving.platform,
            remote_id: arriving.remote_id.clone(),
            remote_user_id: self.new.remote_user_id.clone(),
            name: arriving.name.clone(),
            host: None,
            issued_at: None,
            access_expires_at: None,
            has_refresh_token: false,
            refresh_expires_at: None,
            scopes: None,
        };
        self.store
            .import(self.tx, self.workspace, &new, self.secrets, self.now)
            .await?;
        Ok(Event::ConnectionConnected {
            connection: arriving.connection,
            grant: self.grant,
            returned: false,
            copied: self.copied,
        })
    }

    async fn connect_again(
        &self,
        arriving: &Arriving,
        row: &connection::Model,
    ) -> Result<Event, StoreError> {
        let connection = ConnectionId::from_uuid(row.id);
        let why = self.why(row);
        let changed = connection::ActiveModel {
            removed_at: Set(None),
            removed_why: Set(None),
            connected_at: Set(Some(self.now.timestamp_millis())),
            reconnect_why: Set(Some(why.to_owned())),
            ..Default::default()
        };
        self.note(row, arriving, changed).await?;
        let granted = self.new.scopes.as_deref();
        let declined = granted.map(|granted| missing_scopes(arriving.platform, granted));
        if row.removed_at.is_some() {
            return Ok(Event::ConnectionConnected {
                connection,
                grant: self.grant,
                returned: true,
                copied: self.copied,
            });
        }
        Ok(Event::ConnectionReconnected {
            connection,
            grant: self.grant,
            why: why.to_owned(),
            declined: declined.unwrap_or_default(),
        })
    }

    /// What was wrong, by the grant that the connection hung on until now.
    fn why(&self, row: &connection::Model) -> &'static str {
        let old = self.olds.iter().find(|old| old.id == row.grant_id);
        let state = old.and_then(|old| AuthState::parse(&old.state));
        let ended = old.and_then(|old| match old.refresh_token {
            Some(_) => old.refresh_expires_at,
            None => old.access_expires_at,
        });
        let reasons: Vec<String> =
            serde_json::from_value::<Vec<serde_json::Value>>(row.reasons.clone())
                .unwrap_or_default()
                .iter()
                .filter_map(|reason| Some(reason.get("reason")?.as_str()?.to_owned()))
                .collect();
        why_reconnected(
            row.removed_at.is_some(),
            state.unwrap_or(AuthState::Connected),
            old.and_then(|old| old.state_why.as_deref()),
            &reasons,
            ended.is_some_and(|end| from_ms(end) <= self.now),
        )
    }

    /// Writes a row that is there: its grant, its own token, its name.
    async fn note(
        &self,
        row: &connection::Model,
        arriving: &Arriving,
        mut changed: connection::ActiveModel,
    ) -> Result<(), StoreError> {
        let own = self
            .secrets
            .connections
            .iter()
            .find(|(id, _)| *id == arriving.connection);
        changed.grant_id = Set(self.grant.uuid());
        changed.name = Set(arriving.name.clone());
        changed.access_token =
            Set(own.map(|(_, token)| self.store.seal(Column::ConnectionAccess, row.id, token)));
        connection::Entity::update_many()
            .set(changed)
            .filter(connection::Column::WorkspaceId.eq(self.workspace.uuid()))
            .filter(connection::Column::Id.eq(row.id))
            .exec(self.tx)
            .await?;
        Ok(())
    }

    /// Takes the grants that their last connection has left: nobody would renew them, and nobody look after them.
    pub(super) async fn take_olds(&self, taken: &mut Vec<TakenGrant>) -> Result<(), StoreError> {
        let left = self.olds.iter().filter(|old| old.id != self.grant.uuid());
        for old in left {
            let users = connection::Entity::find()
                .filter(connection::Column::WorkspaceId.eq(self.workspace.uuid()))
                .filter(connection::Column::GrantId.eq(old.id))
                .filter(connection::Column::RemovedAt.is_null())
                .count(self.tx)
                .await?;
            if users > 0 {
                continue;
            }
            let mut query = grant::Entity::find_by_id(old.id)
                .filter(grant::Column::WorkspaceId.eq(self.workspace.uuid()))
                .filter(grant::Column::AccessToken.is_not_null());
            if self.store.is_postgres() {
                query = query.lock_exclusive();
            }
            // A refresh may have renewed it meanwhile: what is taken is what is there now.
            let Some(row) = query.one(self.tx).await? else {
                continue;
            };
            taken.push(self.store.taken(self.tx, &row).await?);
            let id = row.id;
            self.store.strip_grants(self.tx, &[row]).await?;
            self.store
                .drop_jobs(self.tx, JobKind::Refresh, &[id])
                .await?;
        }
        Ok(())
    }

    /// Whatever waited for this grant goes on: its refreshes anew, its checks, its posts.
    pub(super) async fn wake(&self) -> Result<(), StoreError> {
        let id = self.grant.uuid();
        self.tx
            .execute_raw(self.store.statement(sql::UNPARK_REFRESH, [id.into()]))
            .await?;
        let mut pokes = vec![Poke::WaitersOf(self.grant, self.now)];
        let all = self.store.destinations(self.tx, self.workspace, self.grant);
        for (connection, platform) in all.await? {
            let connection = ConnectionId::from_uuid(connection);
            // What was chosen is looked at by whoever chose it; this look is for when that comes to nothing.
            pokes.push(check_poke(connection, platform, self.now + minutes(1)));
        }
        if surveyed_daily(self.new.platform) {
            // Whatever was renamed, moved or lost meanwhile is seen at once, and not tomorrow.
            pokes.push(survey_poke(self.grant, self.new.platform, self.now));
        }
        pokes.extend(refresh_of(
            self.new,
            self.grant,
            self.store.policy(),
            self.now,
        ));
        self.store
            .poke_all(self.tx, self.workspace, &pokes, None)
            .await
    }
}
