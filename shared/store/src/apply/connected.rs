//! A grant that has come: kept in the place of the old one, with what it reaches.

use mooring_domain::{
    ConnectionId, Event, GrantId, Plan, Platform, Time, WorkspaceId,
    connecting::{Arriving, ConnectOutcome, Connecting},
    plan::{PlanRefused, network_of},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait as _, DatabaseTransaction, EntityTrait, PaginatorTrait,
    QueryFilter, QuerySelect,
};

use super::{Actor, ApplyError, Refusal, Secrets, TakenGrant, keeper::Keeper, stream::Scribe};
use crate::{
    Store, StoreError,
    entity::{connect, connection, grant, reconnect_link, workspace},
    sql,
};

impl Store {
    /// Ends a run well: checks that nothing forbids it, keeps the grant, connects or heals what it reaches.
    pub(super) async fn keep_connected(
        &self,
        tx: &DatabaseTransaction,
        (actor, workspace): (&Actor, WorkspaceId),
        new: &Connecting,
        (secrets, taken): (&Secrets, &mut Vec<TakenGrant>),
        now: Time,
    ) -> Result<Vec<Event>, ApplyError> {
        let tenant = self.lock_workspace(tx, workspace).await?;
        let run = self.end_well(tx, workspace, new, now).await?;
        let rows = self.rows_of(tx, workspace, &new.reached).await?;
        refuse_other(new, &rows)?;
        let original = match run.copied_from {
            Some(id) => self.original(tx, id).await?,
            None => None,
        };
        refuse_other_copy(new, &run, original.as_ref())?;
        self.refuse_foreign(tx, workspace, new, &rows, original.as_ref())
            .await?;
        self.refuse_beyond_plan(tx, workspace, &tenant, new, &rows)
            .await?;
        let before = self.grant_before(tx, workspace, new).await?;
        let olds = self.grants_of(tx, workspace, &rows).await?;
        let grant = before
            .as_ref()
            .map_or(new.grant, |row| GrantId::from_uuid(row.id));
        let keeper = Keeper {
            store: self,
            tx,
            workspace,
            new,
            grant,
            olds,
            secrets,
            copied: original.is_some(),
            now,
        };
        match &before {
            Some(row) => keeper.replace_tokens(row).await?,
            None => keeper.insert_grant().await?,
        }
        let mut events = Vec::new();
        for arriving in &new.reached {
            let row = rows.iter().find(|row| is(row, arriving));
            events.extend(keeper.settle(arriving, row).await?);
        }
        keeper.take_olds(taken).await?;
        keeper.wake().await?;
        if let Some(original) = &original {
            self.tell_original(tx, actor, (workspace, original), &events, now)
                .await?;
        }
        Ok(events)
    }

    /// The stream of the workspace that was copied from tells of it, too.
    async fn tell_original(
        &self,
        tx: &DatabaseTransaction,
        actor: &Actor,
        (workspace, original): (WorkspaceId, &connection::Model),
        events: &[Event],
        now: Time,
    ) -> Result<(), StoreError> {
        let made = events.iter().find_map(|event| match event {
            Event::ConnectionConnected { connection, .. }
            | Event::ConnectionReconnected { connection, .. } => Some(*connection),
            _ => None,
        });
        let Some(copy) = made else { return Ok(()) };
        let told = Event::ConnectionCopied {
            connection: ConnectionId::from_uuid(original.id),
            copy,
            workspace,
        };
        let scribe = Scribe {
            workspace: WorkspaceId::from_uuid(original.workspace_id),
            actor: actor.text(),
            origin: actor.origin().map(str::to_owned),
            trace_id: None,
            now,
        };
        self.write_events(tx, &scribe, &[told]).await
    }

    /// The run ends by this, and whatever it had been given.
    async fn end_well(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        new: &Connecting,
        now: Time,
    ) -> Result<connect::Model, ApplyError> {
        let outcome = if new.reconnects.is_some() {
            ConnectOutcome::Reconnected
        } else {
            ConnectOutcome::Connected
        };
        let ended = self
            .end_connect(tx, workspace, new.connect, outcome, now)
            .await?;
        let Some(run) = ended.filter(|run| run.expires_at > now.timestamp_millis()) else {
            return Err(Refusal::Over.into());
        };
        if let Some(link) = run.link_id {
            let ms = now.timestamp_millis();
            reconnect_link::Entity::update_many()
                .col_expr(reconnect_link::Column::ExpiresAt, ms.into())
                .filter(reconnect_link::Column::Id.eq(link))
                .exec(tx)
                .await?;
        }
        self.refuse_until(tx, workspace, None).await?;
        Ok(run)
    }

    /// The workspace's rows of what is reached, also those that were disconnected.
    async fn rows_of(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        reached: &[Arriving],
    ) -> Result<Vec<connection::Model>, StoreError> {
        let ids = reached.iter().map(|one| one.remote_id.as_str());
        let mut query = connection::Entity::find()
            .filter(connection::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(connection::Column::RemoteId.is_in(ids));
        if self.is_postgres() {
            query = query.lock_exclusive();
        }
        let rows = query.all(tx).await?;
        let meant = |row: &connection::Model| reached.iter().any(|one| is(row, one));
        Ok(rows.into_iter().filter(meant).collect())
    }

    /// An account lives in one workspace, unless it is copied to another. What is connected here already is here by
    /// right, and may be reconnected wherever else it lives. On PostgreSQL a lock on the account makes two connects of it come one after
    /// the other; on SQLite every transaction does.
    async fn refuse_foreign(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        new: &Connecting,
        rows: &[connection::Model],
        original: Option<&connection::Model>,
    ) -> Result<(), ApplyError> {
        let lives_here = |one: &Arriving| {
            let mut living = rows.iter().filter(|row| row.removed_at.is_none());
            living.any(|row| is(row, one))
        };
        let copied =
            |one: &Arriving| original.is_some_and(|row| row.removed_at.is_none() && is(row, one));
        let comes = |one: &&Arriving| one.chosen && !lives_here(one) && !copied(one);
        let mut chosen: Vec<&Arriving> = new.reached.iter().filter(comes).collect();
        chosen.sort_by_key(|one| (one.platform, one.remote_id.clone()));
        for one in chosen {
            let platform = one.platform.as_str();
            if self.is_postgres() {
                let key = format!("account {platform} {}", one.remote_id);
                let lock = self.statement(sql::LOCK_NAME, [key.into()]);
                tx.execute_raw(lock).await?;
            }
            if self
                .lives_elsewhere(tx, workspace, platform, &one.remote_id)
                .await?
            {
                return Err(Refusal::ConnectedElsewhere {
                    platform: platform.to_owned(),
                    name: one.name.clone(),
                }
                .into());
            }
        }
        Ok(())
    }

    /// What is connected stays; what comes anew must fit into the plan.
    async fn refuse_beyond_plan(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        tenant: &workspace::Model,
        new: &Connecting,
        rows: &[connection::Model],
    ) -> Result<(), ApplyError> {
        let plan = plan_of(tenant)?;
        let mut taken = std::collections::BTreeMap::<&str, u64>::new();
        for one in new.reached.iter().filter(|one| one.chosen) {
            let row = rows.iter().find(|row| is(row, one));
            if row.is_some_and(|row| row.removed_at.is_none()) {
                continue;
            }
            let network = one.platform.capabilities().network;
            let here = match taken.get(network) {
                Some(count) => *count,
                None => self.connected_in(tx, workspace, one.platform).await?,
            };
            refuse_plan(&plan, one.platform, here)?;
            taken.insert(network, here + 1);
        }
        Ok(())
    }

    /// How many accounts of a platform's network the workspace has connected.
    pub(crate) async fn connected_in(
        &self,
        db: &impl sea_orm::ConnectionTrait,
        workspace: WorkspaceId,
        platform: Platform,
    ) -> Result<u64, StoreError> {
        let network = network_of(platform).into_iter().map(Platform::as_str);
        let count = connection::Entity::find()
            .filter(connection::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(connection::Column::Platform.is_in(network))
            .filter(connection::Column::RemovedAt.is_null())
            .count(db)
            .await?;
        Ok(count)
    }

    /// The grants that existing rows hang on until now.
    async fn grants_of(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        rows: &[connection::Model],
    ) -> Result<Vec<grant::Model>, StoreError> {
        let ids = rows.iter().map(|row| row.grant_id);
        Ok(grant::Entity::find()
            .filter(grant::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(grant::Column::Id.is_in(ids))
            .all(tx)
            .await?)
    }

    /// The grant that this one replaces, locked: of the same user, by the same way in.
    async fn grant_before(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        new: &Connecting,
    ) -> Result<Option<grant::Model>, StoreError> {
        let mut query = grant::Entity::find()
            .filter(grant::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(grant::Column::Platform.eq(new.platform.as_str()))
            .filter(grant::Column::RemoteUserId.eq(new.remote_user_id.as_str()));
        if self.is_postgres() {
            query = query.lock_exclusive();
        }
        Ok(query.one(tx).await?)
    }
}

/// A plan's refusal, in the store's words.
pub(crate) fn refuse_plan(plan: &Plan, platform: Platform, here: u64) -> Result<(), Refusal> {
    let name = platform.capabilities().network.to_owned();
    plan.admits(platform, here)
        .map_err(|refused| match refused {
            PlanRefused::Platform => Refusal::PlanPlatform { platform: name },
            PlanRefused::Limit(limit) => Refusal::PlanLimit {
                platform: name,
                limit,
            },
        })
}

/// A workspace's plan; without one everything is allowed.
pub(crate) fn plan_of(row: &workspace::Model) -> Result<Plan, StoreError> {
    let plan = row.plan.clone().map(serde_json::from_value).transpose();
    let plan =
        plan.map_err(|_| StoreError::corrupt("workspaces", row.id, "its plan is no plan"))?;
    Ok(plan.unwrap_or_default())
}

/// A reconnect is of one connection, and of no other.
fn refuse_other(new: &Connecting, rows: &[connection::Model]) -> Result<(), Refusal> {
    let Some(wanted) = new.reconnects else {
        return Ok(());
    };
    let chosen = new.reached.iter().filter(|one| one.chosen);
    let found = chosen.map(|one| rows.iter().find(|row| is(row, one)));
    let same = |row: Option<&connection::Model>| row.is_some_and(|row| row.id == wanted.uuid());
    if found.map(same).collect::<Vec<_>>() == [true] {
        return Ok(());
    }
    Err(Refusal::NotFound {
        what: wanted.to_string(),
    })
}

/// A copy is of one account, and of no other.
fn refuse_other_copy(
    new: &Connecting,
    run: &connect::Model,
    original: Option<&connection::Model>,
) -> Result<(), Refusal> {
    let Some(wanted) = run.copied_from else {
        return Ok(());
    };
    let mut chosen = new.reached.iter().filter(|one| one.chosen);
    let same = |one: &Arriving| original.is_some_and(|row| is(row, one));
    if chosen.next().is_some_and(same) && chosen.next().is_none() {
        return Ok(());
    }
    Err(Refusal::NotFound {
        what: ConnectionId::from_uuid(wanted).to_string(),
    })
}

pub(super) fn is(row: &connection::Model, arriving: &Arriving) -> bool {
    row.platform == arriving.platform.as_str() && row.remote_id == arriving.remote_id
}
