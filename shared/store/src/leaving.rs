//! What letting connections go would do, for a preview and for the act itself.

use std::collections::{HashMap, HashSet};

use mooring_domain::{
    ConnectionId, PostId, TargetId, Time, WorkspaceId,
    connection::life::{Impact, Which},
    post::Stage,
    time::from_ms,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use crate::{
    Refusal, Store, StoreError,
    apply::ApplyError,
    entity::{attempt, connection, post, target},
    work::content_of,
};

/// A target that has not ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Open {
    pub(crate) id: TargetId,
    pub(crate) post: PostId,
    pub(crate) connection: ConnectionId,
    pub(crate) due: Time,
    /// An attempt of it is on its way, or may be.
    pub(crate) in_flight: bool,
}

/// What a person is shown before they confirm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaving {
    /// How many connections go.
    pub connections: usize,
    /// How many pending targets are cancelled.
    pub pending: usize,
    /// How many are on their way and cannot be called back.
    pub in_flight: usize,
    /// The first of the pending ones, by the time that they are due.
    pub first: Vec<LeavingPost>,
    /// What confirms this, and nothing else.
    pub confirmation: String,
}

/// A post that would not go out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeavingPost {
    /// The target.
    pub target: TargetId,
    /// Its post.
    pub post: PostId,
    /// Where it would have gone.
    pub connection: ConnectionId,
    /// When it is due.
    pub due: Time,
    /// How its text begins.
    pub text: String,
}

/// Characters of a text that a preview shows.
const TEXT_SHOWN: usize = 80;

impl Store {
    /// What letting go would do now: numbers, the first `limit` posts, and what confirms it.
    pub async fn leaving(
        &self,
        workspace: WorkspaceId,
        which: Which,
        limit: usize,
    ) -> Result<Leaving, ApplyError> {
        let rows = self.living(&self.db, workspace, which, false).await?;
        if let (Which::One(connection), []) = (which, &rows[..]) {
            let refused = self.refuse_gone(&self.db, workspace, connection).await?;
            return Err(refused.into());
        }
        let open = self.open_targets(&self.db, workspace, which, false).await?;
        let impact = impact(&rows, &open);
        let mut pending: Vec<&Open> = open.iter().filter(|one| !one.in_flight).collect();
        pending.sort_by_key(|one| (one.due, one.id.uuid()));
        pending.truncate(limit);
        let texts = self.first_words(&pending).await?;
        let first = pending.into_iter().map(|one| LeavingPost {
            target: one.id,
            post: one.post,
            connection: one.connection,
            due: one.due,
            text: texts.get(&one.post.uuid()).cloned().unwrap_or_default(),
        });
        Ok(Leaving {
            connections: rows.len(),
            pending: impact.pending.len(),
            in_flight: impact.in_flight.len(),
            first: first.collect(),
            confirmation: impact.confirmation(which),
        })
    }

    async fn first_words(&self, open: &[&Open]) -> Result<HashMap<Uuid, String>, StoreError> {
        let posts = post::Entity::find()
            .filter(post::Column::Id.is_in(open.iter().map(|one| one.post.uuid())))
            .all(&self.db)
            .await?;
        let words = posts.iter().map(|row| {
            let text = content_of(row)?.text;
            Ok((row.id, text.chars().take(TEXT_SHOWN).collect()))
        });
        words.collect()
    }

    /// Connections that are not removed, in the order of their ids.
    pub(crate) async fn living(
        &self,
        db: &impl ConnectionTrait,
        workspace: WorkspaceId,
        which: Which,
        lock: bool,
    ) -> Result<Vec<connection::Model>, StoreError> {
        let mut query = connection::Entity::find()
            .filter(connection::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(connection::Column::RemovedAt.is_null())
            .order_by_asc(connection::Column::Id);
        if let Which::One(connection) = which {
            query = query.filter(connection::Column::Id.eq(connection.uuid()));
        }
        if lock && self.is_postgres() {
            query = query.lock_exclusive();
        }
        Ok(query.all(db).await?)
    }

    /// Why there is nothing to do: it is gone already, or it never was.
    pub(crate) async fn refuse_gone(
        &self,
        db: &impl ConnectionTrait,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Result<Refusal, StoreError> {
        let known = connection::Entity::find_by_id(connection.uuid())
            .filter(connection::Column::WorkspaceId.eq(workspace.uuid()))
            .count(db)
            .await?;
        Ok(if known > 0 {
            Refusal::ConnectionRemoved { connection }
        } else {
            Refusal::NotFound {
                what: connection.to_string(),
            }
        })
    }

    /// Targets that have not ended, in the order of their ids. With `lock`, none of them can begin until the
    /// transaction ends.
    pub(crate) async fn open_targets(
        &self,
        db: &impl ConnectionTrait,
        workspace: WorkspaceId,
        which: Which,
        lock: bool,
    ) -> Result<Vec<Open>, StoreError> {
        use target::Column;
        let mut query = target::Entity::find()
            .select_only()
            .columns([
                Column::Id,
                Column::PostId,
                Column::ConnectionId,
                Column::DueAt,
            ])
            .filter(Column::WorkspaceId.eq(workspace.uuid()))
            .filter(Column::Stage.lte(Stage::Begun.rank()))
            .order_by_asc(Column::Id);
        let mut dangling = attempt::Entity::find()
            .select_only()
            .column(attempt::Column::TargetId)
            .filter(attempt::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(attempt::Column::Settlement.is_null());
        if let Which::One(connection) = which {
            query = query.filter(Column::ConnectionId.eq(connection.uuid()));
            dangling = dangling.filter(attempt::Column::ConnectionId.eq(connection.uuid()));
        }
        if lock && self.is_postgres() {
            query = query.lock_exclusive();
        }
        let rows: Vec<(Uuid, Uuid, Uuid, i64)> = query.into_tuple().all(db).await?;
        // After the locks: whoever begins a target must take one first.
        let dangling: Vec<Uuid> = dangling.into_tuple().all(db).await?;
        let dangling: HashSet<Uuid> = dangling.into_iter().collect();
        let open = rows.into_iter().map(|(id, post, connection, due)| Open {
            id: TargetId::from_uuid(id),
            post: PostId::from_uuid(post),
            connection: ConnectionId::from_uuid(connection),
            due: from_ms(due),
            in_flight: dangling.contains(&id),
        });
        Ok(open.collect())
    }
}

/// The same in the domain's words.
pub(crate) fn impact(rows: &[connection::Model], open: &[Open]) -> Impact {
    let connections = rows.iter().map(|row| ConnectionId::from_uuid(row.id));
    let pending = open.iter().filter(|one| !one.in_flight);
    let in_flight = open.iter().filter(|one| one.in_flight);
    Impact {
        connections: connections.collect(),
        pending: pending.map(|one| (one.id, one.due)).collect(),
        in_flight: in_flight.map(|one| one.id).collect(),
    }
}
