//! Letting connections go: nothing is published any more, tokens are gone, history stays.
//!
//! One transaction takes its locks in one order: connections, grants, targets. A begin takes the target's lock too, so
//! each target is either on its way before this, or never sent. Jobs come last, and those that somebody holds at this
//! moment are left: whoever holds one decides anew and ends it, and nobody waits in a circle.

use std::collections::{HashMap, HashSet};

use mooring_domain::{
    AttemptId, ConnectionId, Event, GrantId, JobKind, Platform, TargetId, Time, WorkspaceId,
    connection::life::{CONNECTION_REMOVED, Removal, Which},
    event::{ConnectionRemoved, WorkspaceDisconnected},
    grant::AuthState,
    post::{Stage, Verdict},
};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, sea_query::Expr,
};
use uuid::Uuid;

use super::{ApplyError, Refusal};
use crate::{
    Store, StoreError,
    entity::{attempt, connection, grant, job, target},
    jobs::platform_of,
    leaving::{Open, impact},
    work::Credentials,
};

/// Ids in one statement: both databases have a limit on parameters.
const BATCH: usize = 5_000;

/// A grant that has lost its last connection. Its tokens are in no database any more.
#[derive(Debug)]
pub struct TakenGrant {
    /// The grant.
    pub grant: GrantId,
    /// Its platform.
    pub platform: Platform,
    /// The provider user behind it.
    pub remote_user_id: String,
    /// What is needed to give the tokens back at the platform; `None` where they could not be opened.
    pub credentials: Option<Credentials>,
}

impl Store {
    /// Lets connections go; returns the events. Tokens that nobody else has go to `taken`.
    pub(super) async fn remove_connections(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        removal: &Removal,
        taken: &mut Vec<TakenGrant>,
        now: Time,
    ) -> Result<Vec<Event>, ApplyError> {
        let which = removal.which;
        let rows = self.living(tx, workspace, which, true).await?;
        if let (Which::One(connection), []) = (which, &rows[..]) {
            return Err(self.refuse_gone(tx, workspace, connection).await?.into());
        }
        let grants = self.ending_grants(tx, workspace, &rows).await?;
        let open = self.open_targets(tx, workspace, which, true).await?;
        if impact(&rows, &open).confirmation(which) != removal.confirmed {
            return Err(Refusal::ConfirmationNeeded.into());
        }
        for grant in &grants {
            taken.push(self.taken(tx, grant).await?);
        }
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        self.strip_connections(tx, &ids, which, now).await?;
        self.strip_grants(tx, &grants).await?;
        let pending = open.iter().filter(|one| !one.in_flight);
        let pending: Vec<Uuid> = pending.map(|one| one.id.uuid()).collect();
        self.cancel_pending(tx, &pending).await?;
        let mut events = told(workspace, &rows, &open, which);
        events.extend(self.give_up_proofs(tx, &ids, now).await?);
        self.drop_jobs(tx, JobKind::Check, &ids).await?;
        self.drop_jobs(tx, JobKind::Publish, &pending).await?;
        let ended: Vec<Uuid> = grants.iter().map(|row| row.id).collect();
        self.drop_jobs(tx, JobKind::Refresh, &ended).await?;
        Ok(events)
    }

    /// Locked grants that hold tokens and serve none but these connections.
    async fn ending_grants(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        rows: &[connection::Model],
    ) -> Result<Vec<grant::Model>, StoreError> {
        let mut query = grant::Entity::find()
            .filter(grant::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(grant::Column::AccessToken.is_not_null())
            .order_by_asc(grant::Column::Id);
        let mut living = connection::Entity::find()
            .select_only()
            .columns([connection::Column::Id, connection::Column::GrantId])
            .filter(connection::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(connection::Column::RemovedAt.is_null());
        if let [row] = rows {
            query = query.filter(grant::Column::Id.eq(row.grant_id));
            living = living.filter(connection::Column::GrantId.eq(row.grant_id));
        }
        if self.is_postgres() {
            query = query.lock_exclusive();
        }
        let mut ending = query.all(tx).await?;
        // After the locks: of two siblings that go at once, the second sees that it is the last.
        let living: Vec<(Uuid, Uuid)> = living.into_tuple().all(tx).await?;
        let going: HashSet<Uuid> = rows.iter().map(|row| row.id).collect();
        let others = living.into_iter().filter(|(id, _)| !going.contains(id));
        let kept: HashSet<Uuid> = others.map(|(_, grant)| grant).collect();
        ending.retain(|row| !kept.contains(&row.id));
        Ok(ending)
    }

    /// Takes a grant's tokens out. That they cannot be opened must not keep anybody from disconnecting.
    pub(super) async fn taken(
        &self,
        tx: &DatabaseTransaction,
        row: &grant::Model,
    ) -> Result<TakenGrant, StoreError> {
        let credentials = match self.credentials_in(tx, row, None).await {
            Err(error @ StoreError::Sealed { .. }) => {
                tracing::warn!(event.name = "tokens.not_opened", grant.id = %row.id, error = %error, "the tokens of a disconnected grant cannot be given back at the platform");
                None
            }
            opened => opened?,
        };
        Ok(TakenGrant {
            grant: GrantId::from_uuid(row.id),
            platform: platform_of("grants", row.id, &row.platform)?,
            remote_user_id: row.remote_user_id.clone(),
            credentials,
        })
    }

    async fn strip_connections(
        &self,
        tx: &DatabaseTransaction,
        ids: &[Uuid],
        which: Which,
        now: Time,
    ) -> Result<(), StoreError> {
        use connection::Column;
        let no_token = || Expr::value(Option::<Vec<u8>>::None);
        for batch in ids.chunks(BATCH) {
            connection::Entity::update_many()
                .col_expr(Column::RemovedAt, now.timestamp_millis().into())
                .col_expr(Column::RemovedWhy, which.why().into())
                .col_expr(Column::AccessToken, no_token())
                .col_expr(Column::Main, false.into())
                .col_expr(Column::Health, "removed".into())
                .col_expr(Column::Reasons, serde_json::json!([]).into())
                .filter(Column::Id.is_in(batch.iter().copied()))
                .exec(tx)
                .await?;
        }
        Ok(())
    }

    pub(super) async fn strip_grants(
        &self,
        tx: &DatabaseTransaction,
        grants: &[grant::Model],
    ) -> Result<(), StoreError> {
        use grant::Column;
        let no_token = || Expr::value(Option::<Vec<u8>>::None);
        for batch in grants.chunks(BATCH) {
            grant::Entity::update_many()
                .col_expr(Column::AccessToken, no_token())
                .col_expr(Column::RefreshToken, no_token())
                .col_expr(Column::Binding, no_token())
                .col_expr(Column::State, AuthState::Revoked.as_str().into())
                .col_expr(Column::StateWhy, "disconnected".into())
                .col_expr(Column::RefreshBegunAt, Expr::value(Option::<i64>::None))
                .col_expr(Column::RefreshHolder, Expr::value(Option::<Uuid>::None))
                .col_expr(Column::RefreshExhausted, false.into())
                .filter(Column::Id.is_in(batch.iter().map(|row| row.id)))
                .exec(tx)
                .await?;
        }
        Ok(())
    }

    async fn cancel_pending(
        &self,
        tx: &DatabaseTransaction,
        targets: &[Uuid],
    ) -> Result<(), StoreError> {
        for batch in targets.chunks(BATCH) {
            target::Entity::update_many()
                .col_expr(target::Column::Stage, Stage::Cancelled.rank().into())
                .col_expr(target::Column::Reason, CONNECTION_REMOVED.into())
                .filter(target::Column::Id.is_in(batch.iter().copied()))
                .exec(tx)
                .await?;
        }
        Ok(())
    }

    /// Nobody can look at these posts any more. A verdict that was found stands; what has none is said to be
    /// unverifiable.
    async fn give_up_proofs(
        &self,
        tx: &DatabaseTransaction,
        connections: &[Uuid],
        now: Time,
    ) -> Result<Vec<Event>, StoreError> {
        let mut events = Vec::new();
        for batch in connections.chunks(BATCH) {
            let jobs = job::Entity::find()
                .select_only()
                .column(job::Column::SubjectId)
                .filter(job::Column::Kind.eq(JobKind::Verify.as_str()));
            let looked_at: Vec<attempt::Model> = attempt::Entity::find()
                .filter(attempt::Column::ConnectionId.is_in(batch.iter().copied()))
                .filter(attempt::Column::AcceptedAt.is_not_null())
                .filter(attempt::Column::Id.in_subquery(jobs.into_query()))
                .all(tx)
                .await?;
            let unseen = self.without_verdict(tx, &looked_at).await?;
            for row in looked_at
                .iter()
                .filter(|row| unseen.contains(&row.target_id))
            {
                let workspace = WorkspaceId::from_uuid(row.workspace_id);
                let verdict = Verdict::Unverifiable;
                self.prove(tx, workspace, row.id, row.target_id, &verdict, now)
                    .await?;
                events.push(Event::TargetVerified {
                    target: TargetId::from_uuid(row.target_id),
                    attempt: AttemptId::from_uuid(row.id),
                    verdict: verdict.as_str().to_owned(),
                });
            }
            let ids: Vec<Uuid> = looked_at.iter().map(|row| row.id).collect();
            self.drop_jobs(tx, JobKind::Verify, &ids).await?;
        }
        Ok(events)
    }

    async fn without_verdict(
        &self,
        tx: &DatabaseTransaction,
        attempts: &[attempt::Model],
    ) -> Result<HashSet<Uuid>, StoreError> {
        let mut unseen = HashSet::new();
        for batch in attempts.chunks(BATCH) {
            let ids: Vec<Uuid> = target::Entity::find()
                .select_only()
                .column(target::Column::Id)
                .filter(target::Column::Id.is_in(batch.iter().map(|row| row.target_id)))
                .filter(target::Column::Verdict.is_null())
                .into_tuple()
                .all(tx)
                .await?;
            unseen.extend(ids);
        }
        Ok(unseen)
    }
}

/// One event per connection with its numbers, one for the whole where all went, and one per cancelled target.
fn told(
    workspace: WorkspaceId,
    rows: &[connection::Model],
    open: &[Open],
    which: Which,
) -> Vec<Event> {
    let mut counts = HashMap::<(Uuid, bool), u64>::new();
    for one in open {
        *counts
            .entry((one.connection.uuid(), one.in_flight))
            .or_default() += 1;
    }
    let count = |row: &connection::Model, in_flight: bool| {
        counts.get(&(row.id, in_flight)).copied().unwrap_or(0)
    };
    let mut events: Vec<Event> = rows
        .iter()
        .map(|row| {
            Event::ConnectionRemoved(ConnectionRemoved {
                connection: ConnectionId::from_uuid(row.id),
                grant: GrantId::from_uuid(row.grant_id),
                why: which.why().to_owned(),
                cancelled: count(row, false),
                in_flight: count(row, true),
            })
        })
        .collect();
    let pending = || open.iter().filter(|one| !one.in_flight);
    if which == Which::All {
        events.push(Event::WorkspaceDisconnected(WorkspaceDisconnected {
            workspace,
            connections: rows.len() as u64,
            cancelled: pending().count() as u64,
        }));
    }
    events.extend(pending().map(|one| Event::TargetCancelled {
        target: one.id,
        reason: CONNECTION_REMOVED.to_owned(),
    }));
    events
}
