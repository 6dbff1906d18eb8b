//! The same content twice on one connection within a day: told before it happens.

use chrono::TimeDelta;
use mooring_domain::{
    ConnectionId, Platform, PostId, TargetId, Time,
    post::{
        APART, Alike, Stage, fingerprint,
        plan::{LATENESS_MOST, NewPost},
    },
    time::from_ms,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait as _, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

use super::{ApplyError, Refusal};
use crate::{
    Store, StoreError,
    entity::{attempt, target},
    sql,
};

/// What a target is about to say, and when.
pub(super) struct Wanted {
    pub(super) target: TargetId,
    pub(super) connection: ConnectionId,
    pub(super) fingerprint: String,
    pub(super) due: Time,
}

impl Wanted {
    /// One target of a new post.
    pub(super) fn of(
        new: &NewPost,
        (target, connection, platform): (TargetId, ConnectionId, Platform),
    ) -> Self {
        let content = new.overrides.resolve(&new.content, platform, connection);
        Self {
            target,
            connection,
            fingerprint: fingerprint(&content),
            due: new.due.at,
        }
    }
}

impl Store {
    /// Whoever gives posts of a connection their content does it one after the other, so that of two with the same one
    /// the second sees the first. Comes before any lock on a target.
    pub(super) async fn lock_contents(
        &self,
        tx: &DatabaseTransaction,
        connections: impl IntoIterator<Item = Uuid>,
    ) -> Result<(), StoreError> {
        if !self.is_postgres() {
            return Ok(());
        }
        let mut connections: Vec<Uuid> = connections.into_iter().collect();
        connections.sort_unstable();
        connections.dedup();
        for id in connections {
            let name = format!("contents {id}");
            tx.execute_raw(self.statement(sql::LOCK_NAME, [name.into()]))
                .await?;
        }
        Ok(())
    }

    /// Refuses what another target says, or has said, on the same connection within a day.
    pub(super) async fn refuse_alike(
        &self,
        tx: &DatabaseTransaction,
        wanted: &Wanted,
    ) -> Result<(), ApplyError> {
        // What went out late counts from then: it was due a little earlier.
        let around = |span: TimeDelta| (wanted.due + span).timestamp_millis();
        let rows = target::Entity::find()
            .filter(target::Column::ConnectionId.eq(wanted.connection.uuid()))
            .filter(target::Column::Fingerprint.eq(wanted.fingerprint.as_str()))
            .filter(target::Column::Id.ne(wanted.target.uuid()))
            .filter(target::Column::DueAt.gt(around(-APART - LATENESS_MOST)))
            .filter(target::Column::DueAt.lt(around(APART)))
            .order_by_asc(target::Column::Id)
            .all(tx)
            .await?;
        for row in rows {
            let alike = self.alike(tx, &row).await?;
            if alike.is_doubled_at(wanted.due) {
                return Err(Refusal::Duplicate {
                    post: alike.post,
                    connection: wanted.connection,
                    at: alike.seen_at(),
                }
                .into());
            }
        }
        Ok(())
    }

    async fn alike(
        &self,
        tx: &DatabaseTransaction,
        row: &target::Model,
    ) -> Result<Alike, StoreError> {
        let accepted: Option<Option<i64>> = attempt::Entity::find()
            .select_only()
            .column(attempt::Column::AcceptedAt)
            .filter(attempt::Column::TargetId.eq(row.id))
            .filter(attempt::Column::Edition.eq(row.edition))
            .filter(attempt::Column::AcceptedAt.is_not_null())
            .order_by_desc(attempt::Column::AcceptedAt)
            .into_tuple()
            .one(tx)
            .await?;
        Ok(Alike {
            target: TargetId::from_uuid(row.id),
            post: PostId::from_uuid(row.post_id),
            due: from_ms(row.due_at),
            accepted_at: accepted.flatten().map(from_ms),
            stage: Stage::from_rank(row.stage).ok_or_else(|| {
                StoreError::corrupt("post_targets", row.id, "its stage is unknown")
            })?,
        })
    }
}
