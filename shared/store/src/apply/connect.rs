//! Runs of connecting, the links that begin some of them, and what a workspace may connect.

use mooring_domain::{
    Change, ConnectId, ConnectionId, Event, LinkId, Plan, Time, WorkspaceId,
    connecting::{ATTEMPTS_WINDOW, CONSENT_LIFE, ConnectOutcome, NewConnect, NewLink},
    time::from_ms,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, sea_query::Expr,
};

use super::{Actor, ApplyError, Refusal, Secrets, TakenGrant};
use crate::{
    Store, StoreError,
    entity::{connect, reconnect_link, workspace},
    vaulted::Column,
};

impl Store {
    /// What people do to connect, and what comes of it.
    pub(super) async fn connecting(
        &self,
        tx: &DatabaseTransaction,
        (actor, workspace): (&Actor, WorkspaceId),
        change: &Change,
        (secrets, taken): (&Secrets, &mut Vec<TakenGrant>),
        now: Time,
    ) -> Result<Vec<Event>, ApplyError> {
        match change {
            Change::ConnectBegun(new) => {
                self.begin_connect(tx, actor, workspace, new, secrets, now)
                    .await?;
            }
            Change::ConnectCalledBack { connect } => {
                self.call_back(tx, workspace, *connect, now).await?;
            }
            Change::ConnectOffered { connect, until } => {
                self.keep_offer(tx, workspace, *connect, *until, secrets)
                    .await?;
            }
            Change::ConnectFailed { connect, outcome } => {
                return self
                    .fail_connect(tx, workspace, (*connect, *outcome), secrets, now)
                    .await;
            }
            Change::ConnectLapsed { connect } => {
                self.lapse_connect(tx, workspace, *connect, now).await?;
            }
            Change::GrantConnected(new) => {
                return self
                    .keep_connected(tx, (actor, workspace), new, (secrets, taken), now)
                    .await;
            }
            Change::LinkMade(new) => self.keep_link(tx, actor, workspace, new, now).await?,
            Change::LinkUsed { link } => self.use_link(tx, workspace, *link, now).await?,
            Change::PlanSet { plan } => self.keep_plan(tx, workspace, plan).await?,
            _ => {}
        }
        Ok(Vec::new())
    }

    /// The workspace's row, locked: connects of one workspace come one after the other, so that limits hold.
    pub(super) async fn lock_workspace(
        &self,
        tx: &DatabaseTransaction,
        id: WorkspaceId,
    ) -> Result<workspace::Model, ApplyError> {
        let mut query = workspace::Entity::find_by_id(id.uuid());
        if self.is_postgres() {
            query = query.lock_exclusive();
        }
        let row = query.one(tx).await?;
        row.ok_or_else(|| {
            ApplyError::Refused(Refusal::NotFound {
                what: id.to_string(),
            })
        })
    }

    async fn begin_connect(
        &self,
        tx: &DatabaseTransaction,
        actor: &Actor,
        workspace: WorkspaceId,
        new: &NewConnect,
        secrets: &Secrets,
        now: Time,
    ) -> Result<(), ApplyError> {
        let row = self.lock_workspace(tx, workspace).await?;
        if let Some(until) = row.connect_refused_until.map(from_ms)
            && until > now
        {
            return Err(Refusal::TooManyAttempts { until }.into());
        }
        let id = new.connect.uuid();
        let kept = secrets.connects.iter().find(|(of, _)| *of == new.connect);
        let row = connect::ActiveModel {
            id: Set(id),
            workspace_id: Set(workspace.uuid()),
            platform: Set(new.platform.as_str().to_owned()),
            state_digest: Set(new.state_digest.clone()),
            actor: Set(actor.text()),
            connection_id: Set(new.connection.map(ConnectionId::uuid)),
            link_id: Set(new.link.map(LinkId::uuid)),
            app_id: Set(new.app.map(mooring_domain::id::Id::uuid)),
            redirect_uri: Set(new.redirect_uri.clone()),
            host: Set(new.host.clone()),
            return_url: Set(new.return_url.clone()),
            kept: Set(kept.map(|(_, secret)| self.seal(Column::ConnectKept, id, secret))),
            offered: Set(None),
            created_at: Set(now.timestamp_millis()),
            expires_at: Set((now + CONSENT_LIFE).timestamp_millis()),
            called_back_at: Set(None),
            ended_at: Set(None),
            outcome: Set(None),
            copied_from: Set(new.copied_from.map(ConnectionId::uuid)),
        };
        connect::Entity::insert(row)
            .exec_without_returning(tx)
            .await?;
        if self.fruitless(tx, workspace, now).await? >= u64::from(self.policy().connect_attempts) {
            let until = (now + ATTEMPTS_WINDOW).timestamp_millis();
            self.refuse_until(tx, workspace, Some(until)).await?;
        }
        Ok(())
    }

    /// What was sealed for a run that nobody came back to, or chose from, is not kept beyond its time.
    async fn lapse_connect(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        id: ConnectId,
        now: Time,
    ) -> Result<(), StoreError> {
        let nothing = || Expr::value(Option::<Vec<u8>>::None);
        connect::Entity::update_many()
            .col_expr(connect::Column::Kept, nothing())
            .col_expr(connect::Column::Offered, nothing())
            .filter(connect::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(connect::Column::Id.eq(id.uuid()))
            .filter(connect::Column::ExpiresAt.lte(now.timestamp_millis()))
            .exec(tx)
            .await?;
        Ok(())
    }

    /// Runs of the last hour that have come to nothing, since the last that ended well.
    async fn fruitless(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        now: Time,
    ) -> Result<u64, StoreError> {
        let good =
            [ConnectOutcome::Connected, ConnectOutcome::Reconnected].map(ConnectOutcome::as_str);
        let last: Option<Option<i64>> = connect::Entity::find()
            .select_only()
            .column(connect::Column::EndedAt)
            .filter(connect::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(connect::Column::Outcome.is_in(good))
            .order_by_desc(connect::Column::EndedAt)
            .limit(1)
            .into_tuple()
            .one(tx)
            .await?;
        let window = (now - ATTEMPTS_WINDOW).timestamp_millis();
        let since = last.flatten().unwrap_or(window).max(window);
        let count = connect::Entity::find()
            .filter(connect::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(connect::Column::CreatedAt.gt(since))
            .filter(
                Condition::any()
                    .add(connect::Column::Outcome.is_null())
                    .add(connect::Column::Outcome.is_not_in(good)),
            )
            .count(tx)
            .await?;
        Ok(count)
    }

    pub(super) async fn refuse_until(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        until: Option<i64>,
    ) -> Result<(), StoreError> {
        workspace::Entity::update_many()
            .col_expr(workspace::Column::ConnectRefusedUntil, Expr::value(until))
            .filter(workspace::Column::Id.eq(workspace.uuid()))
            .exec(tx)
            .await?;
        Ok(())
    }

    /// The state is spent by the first that comes with it, in time.
    async fn call_back(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        id: ConnectId,
        now: Time,
    ) -> Result<(), ApplyError> {
        let ms = now.timestamp_millis();
        let spent = connect::Entity::update_many()
            .col_expr(connect::Column::CalledBackAt, ms.into())
            .filter(connect::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(connect::Column::Id.eq(id.uuid()))
            .filter(connect::Column::CalledBackAt.is_null())
            .filter(connect::Column::EndedAt.is_null())
            .filter(connect::Column::ExpiresAt.gt(ms))
            .exec(tx)
            .await?;
        over_where(spent.rows_affected == 0)
    }

    async fn keep_offer(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        id: ConnectId,
        until: Time,
        secrets: &Secrets,
    ) -> Result<(), ApplyError> {
        let offer = secrets.offers.iter().find(|(of, _)| *of == id);
        let offer = offer.map(|(_, offer)| self.seal(Column::ConnectOffered, id.uuid(), offer));
        let kept = connect::Entity::update_many()
            .col_expr(connect::Column::Offered, Expr::value(offer))
            .col_expr(connect::Column::Kept, Expr::value(Option::<Vec<u8>>::None))
            .col_expr(connect::Column::ExpiresAt, until.timestamp_millis().into())
            .filter(connect::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(connect::Column::Id.eq(id.uuid()))
            .filter(connect::Column::EndedAt.is_null())
            .exec(tx)
            .await?;
        over_where(kept.rows_affected == 0)
    }

    /// Ends a run, and forgets what was sealed for it. `None`: it had ended before.
    pub(super) async fn end_connect(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        id: ConnectId,
        outcome: ConnectOutcome,
        now: Time,
    ) -> Result<Option<connect::Model>, StoreError> {
        let ended = connect::Entity::update_many()
            .col_expr(connect::Column::EndedAt, now.timestamp_millis().into())
            .col_expr(connect::Column::Outcome, outcome.as_str().into())
            .col_expr(connect::Column::Kept, Expr::value(Option::<Vec<u8>>::None))
            .col_expr(
                connect::Column::Offered,
                Expr::value(Option::<Vec<u8>>::None),
            )
            .filter(connect::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(connect::Column::Id.eq(id.uuid()))
            .filter(connect::Column::EndedAt.is_null())
            .exec(tx)
            .await?;
        if ended.rows_affected == 0 {
            return Ok(None);
        }
        Ok(connect::Entity::find_by_id(id.uuid()).one(tx).await?)
    }

    async fn fail_connect(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        (id, outcome): (ConnectId, ConnectOutcome),
        secrets: &Secrets,
        now: Time,
    ) -> Result<Vec<Event>, ApplyError> {
        let Some(row) = self.end_connect(tx, workspace, id, outcome, now).await? else {
            return Ok(Vec::new());
        };
        let brought = secrets.offers.iter().find(|(of, _)| *of == id);
        if let Some((_, brought)) = brought {
            // The run's time is over soon: then it lapses, and the credential is given back.
            let sealed = self.seal(Column::ConnectOffered, id.uuid(), brought);
            connect::Entity::update_many()
                .col_expr(connect::Column::Offered, Expr::value(Some(sealed)))
                .filter(connect::Column::WorkspaceId.eq(workspace.uuid()))
                .filter(connect::Column::Id.eq(id.uuid()))
                .exec(tx)
                .await?;
        }
        if let Some(link) = row.link_id {
            // What came to nothing may be tried again by the same link.
            reconnect_link::Entity::update_many()
                .col_expr(
                    reconnect_link::Column::UsedAt,
                    Expr::value(Option::<i64>::None),
                )
                .filter(reconnect_link::Column::Id.eq(link))
                .exec(tx)
                .await?;
        }
        Ok(vec![Event::ConnectFailed {
            connect: id,
            connection: row.connection_id.map(ConnectionId::from_uuid),
            code: outcome.as_str().to_owned(),
        }])
    }

    async fn keep_link(
        &self,
        tx: &DatabaseTransaction,
        actor: &Actor,
        workspace: WorkspaceId,
        new: &NewLink,
        now: Time,
    ) -> Result<(), ApplyError> {
        let row = reconnect_link::ActiveModel {
            id: Set(new.link.uuid()),
            workspace_id: Set(workspace.uuid()),
            connection_id: Set(new.connection.uuid()),
            token_digest: Set(new.digest.clone()),
            created_by: Set(actor.text()),
            created_at: Set(now.timestamp_millis()),
            expires_at: Set(new.expires_at.timestamp_millis()),
            used_at: Set(None),
        };
        reconnect_link::Entity::insert(row)
            .exec_without_returning(tx)
            .await?;
        Ok(())
    }

    /// A link is for one use. It may be gone by again where the run that it began never came back.
    async fn use_link(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        id: LinkId,
        now: Time,
    ) -> Result<(), ApplyError> {
        let ms = now.timestamp_millis();
        let free = Condition::any()
            .add(reconnect_link::Column::UsedAt.is_null())
            .add(reconnect_link::Column::UsedAt.lte((now - CONSENT_LIFE).timestamp_millis()));
        let used = reconnect_link::Entity::update_many()
            .col_expr(reconnect_link::Column::UsedAt, ms.into())
            .filter(reconnect_link::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(reconnect_link::Column::Id.eq(id.uuid()))
            .filter(reconnect_link::Column::ExpiresAt.gt(ms))
            .filter(free)
            .exec(tx)
            .await?;
        over_where(used.rows_affected == 0)
    }

    async fn keep_plan(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        plan: &Plan,
    ) -> Result<(), ApplyError> {
        self.lock_workspace(tx, workspace).await?;
        let plan = serde_json::to_value(plan)
            .map_err(|error| StoreError::corrupt("workspaces", workspace, error.to_string()))?;
        workspace::Entity::update_many()
            .col_expr(workspace::Column::Plan, plan.into())
            .filter(workspace::Column::Id.eq(workspace.uuid()))
            .exec(tx)
            .await?;
        Ok(())
    }
}

fn over_where(over: bool) -> Result<(), ApplyError> {
    if over {
        return Err(Refusal::Over.into());
    }
    Ok(())
}
