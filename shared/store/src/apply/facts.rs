//! Facts about grants and accounts that checks and surveys leave, and the news that only the database can tell to be
//! new.

use mooring_domain::{
    Change, ConnectionId, Event, Failure, GrantId, Time, WorkspaceId,
    connection::{AccountState, Assessment},
    grant::{AuthState, Warned, flaps_if_revoked},
    survey::Fate,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait,
    PaginatorTrait, QueryFilter, QuerySelect,
};

use super::Secrets;
use crate::{
    Store, StoreError,
    entity::{connection, grant},
    vaulted::Column,
    work::grant_past,
};

impl Store {
    pub(super) async fn fact_change(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        change: &Change,
        secrets: &Secrets,
    ) -> Result<Vec<Event>, StoreError> {
        match change {
            Change::LookFailed {
                connection,
                looks,
                failing,
                why,
                health,
            } => {
                let row = connection::ActiveModel {
                    failed_looks: Set(i32::from(*looks)),
                    failed_why: Set(failing.map(|_| (*why).to_owned())),
                    failed_since: Set(failing.map(|one| one.since.timestamp_millis())),
                    failed_at: Set(failing.map(|one| one.last.timestamp_millis())),
                    ..judged(health)
                };
                self.note_connection(tx, workspace, *connection, row)
                    .await?;
                Ok(Vec::new())
            }
            Change::EndWarned {
                grant,
                token_version,
                before,
                warned,
            } => {
                self.warn(tx, workspace, (*grant, *token_version), *before, *warned)
                    .await
            }
            Change::Surveyed {
                connection,
                grant,
                token_version,
                fate,
                at,
            } => {
                let tokens = (*grant, *token_version);
                self.note_fate(tx, workspace, (*connection, tokens), fate, secrets, *at)
                    .await
            }
            _ => Ok(Vec::new()),
        }
    }

    /// What follows from a verdict on a credential that was new: who must be told, and of which connections.
    pub(super) async fn verdict_news(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        id: GrantId,
        state: AuthState,
        why: &str,
        now: Time,
    ) -> Result<Vec<Event>, StoreError> {
        let mut events = vec![Event::AuthStateChanged {
            grant: id,
            to: state,
            why: why.to_owned(),
        }];
        if why == Failure::SecurityEvent.class() {
            let connections = self.fed_by(tx, workspace, id).await?;
            let grant = id;
            events.push(Event::SecurityEvent { grant, connections });
        }
        if state != AuthState::Revoked {
            return Ok(events);
        }
        let Some(row) = grant::Entity::find_by_id(id.uuid()).one(tx).await? else {
            return Ok(events);
        };
        let flaps = flaps_if_revoked(&grant_past(&row), &self.policy, now);
        grant::Entity::update_many()
            .col_expr(grant::Column::Flaps, i32::from(flaps).into())
            .filter(grant::Column::Id.eq(row.id))
            .exec(tx)
            .await?;
        if flaps >= self.policy.flapping_after {
            let connections = self.fed_by(tx, workspace, id).await?;
            events.push(Event::GrantFlapping {
                grant: id,
                flaps,
                connections,
            });
        }
        Ok(events)
    }

    /// The connections of a grant.
    async fn fed_by(
        &self,
        tx: &impl ConnectionTrait,
        workspace: WorkspaceId,
        grant: GrantId,
    ) -> Result<Vec<ConnectionId>, StoreError> {
        let rows = self.destinations(tx, workspace, grant).await?;
        Ok(rows
            .into_iter()
            .map(|(id, _)| ConnectionId::from_uuid(id))
            .collect())
    }

    /// Notes a warning, unless another check of the grant has given one since.
    async fn warn(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        (grant, token_version): (GrantId, i64),
        before: Option<Warned>,
        warned: Warned,
    ) -> Result<Vec<Event>, StoreError> {
        let same = match before {
            Some(before) => Condition::all()
                .add(grant::Column::WarnedEnd.eq(before.end.timestamp_millis()))
                .add(grant::Column::WarnedDays.eq(before.days)),
            None => Condition::all().add(grant::Column::WarnedEnd.is_null()),
        };
        let noted = grant::Entity::update_many()
            .col_expr(
                grant::Column::WarnedEnd,
                warned.end.timestamp_millis().into(),
            )
            .col_expr(grant::Column::WarnedDays, warned.days.into())
            .filter(grant::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(grant::Column::Id.eq(grant.uuid()))
            .filter(grant::Column::TokenVersion.eq(token_version))
            .filter(same)
            .exec(tx)
            .await?;
        if noted.rows_affected == 0 {
            return Ok(Vec::new());
        }
        Ok(vec![Event::EndsIn {
            grant,
            days: warned.days,
            ends_at: warned.end,
            connections: self.fed_by(tx, workspace, grant).await?,
        }])
    }

    /// Writes what a list of destinations says about a connection, while the tokens that listed it are stored.
    async fn note_fate(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        (id, (grant, token_version)): (ConnectionId, (GrantId, i64)),
        fate: &Fate,
        secrets: &Secrets,
        at: Time,
    ) -> Result<Vec<Event>, StoreError> {
        let mut listing = grant::Entity::find_by_id(grant.uuid())
            .filter(grant::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(grant::Column::TokenVersion.eq(token_version));
        if self.is_postgres() {
            // A reconnect that comes meanwhile waits, and brings its own tokens afterwards.
            listing = listing.lock_shared();
        }
        if listing.one(tx).await?.is_none() {
            return Ok(Vec::new());
        }
        let mut row = self.own_token(id, secrets);
        match fate {
            Fate::Kept => {}
            Fate::Relinked { remote_id } => {
                return self.relink(tx, workspace, id, remote_id, row).await;
            }
            Fate::Gone { health } => {
                row = connection::ActiveModel {
                    account: Set(Some(AccountState::Gone.as_str().to_owned())),
                    checked_at: Set(Some(at.timestamp_millis())),
                    ..judged(health)
                };
            }
        }
        self.note_connection(tx, workspace, id, row).await?;
        Ok(Vec::new())
    }

    fn own_token(&self, id: ConnectionId, secrets: &Secrets) -> connection::ActiveModel {
        let mut row = <connection::ActiveModel as Default>::default();
        let own = secrets.connections.iter().find(|(one, _)| *one == id);
        if let Some((_, token)) = own {
            row.access_token = Set(Some(self.seal(Column::ConnectionAccess, id.uuid(), token)));
        }
        row
    }

    /// The same connection under another id; not if that is a connection of its own already.
    async fn relink(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        id: ConnectionId,
        remote_id: &str,
        mut row: connection::ActiveModel,
    ) -> Result<Vec<Event>, StoreError> {
        let before = connection::Entity::find_by_id(id.uuid())
            .filter(connection::Column::WorkspaceId.eq(workspace.uuid()))
            .one(tx)
            .await?;
        let Some(before) = before else {
            return Ok(Vec::new());
        };
        let taken = connection::Entity::find()
            .filter(connection::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(connection::Column::Platform.eq(before.platform.as_str()))
            .filter(connection::Column::RemoteId.eq(remote_id))
            .count(tx)
            .await?;
        if taken > 0 {
            return Ok(Vec::new());
        }
        row.remote_id = Set(remote_id.to_owned());
        self.note_connection(tx, workspace, id, row).await?;
        Ok(vec![Event::ConnectionRelinked {
            connection: id,
            from: before.remote_id,
            to: remote_id.to_owned(),
        }])
    }
}

fn judged(health: &Assessment) -> connection::ActiveModel {
    connection::ActiveModel {
        health: Set(health.health.as_str().to_owned()),
        reasons: Set(serde_json::json!(health.reasons)),
        ..Default::default()
    }
}
