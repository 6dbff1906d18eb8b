//! What keeps posts on one connection apart: what went out last, and who goes first.

use chrono::TimeDelta;
use mooring_domain::{JobKind, Time, post::Spacing, time::from_ms};
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::{
    Store, StoreError,
    entity::{connection, post, target},
    sql,
};

/// The newest send of others on a connection that may have put something out, and whether one is on its way now.
///
/// A send is taken to have happened as late as it can have: when its call was over, or, where that is not known, at its
/// last moment. `$1` connection, `$2` and `$3` target and edition that ask, `$4` the oldest begin that matters, `$5` now.
/// `{least}` is the database's word for the least of several.
const LAST_SEND: &str = r"
SELECT max(CASE
        WHEN call_ended_at IS NOT NULL OR accepted_at IS NOT NULL
            THEN {least}(coalesce(accepted_at, send_by), coalesce(call_ended_at, send_by), send_by)
        WHEN send_by <= $5 THEN send_by
        ELSE begun_at END) AS last,
    max(CASE WHEN call_ended_at IS NULL AND accepted_at IS NULL AND send_by > $5 THEN 1 ELSE 0 END) AS flying
FROM publish_attempts
WHERE connection_id = $1 AND NOT (target_id = $2 AND edition = $3) AND begun_at > $4
  AND NOT forgotten AND (settlement IS NULL OR settlement <> 'absent')";

/// How many due targets go before one, and how many of them could go now. `$1` connection, `$2` the target, `$3` its due
/// time, `$4` now, `$5` whether it is critical: those go before all others.
const AHEAD: &str = r"
SELECT count(*) AS ahead,
    count(CASE WHEN j.visible_at <= $4 THEN 1 END) AS ready
FROM post_targets t
JOIN posts p ON p.id = t.post_id
LEFT JOIN jobs j ON j.kind = 'publish' AND j.subject_id = t.id
WHERE t.connection_id = $1 AND t.id <> $2 AND t.stage = 0 AND t.due_at <= $4
  AND ((p.critical AND NOT $5)
    OR (p.critical = $5 AND (t.due_at < $3 OR (t.due_at = $3 AND t.id < $2))))";

impl Store {
    /// The least time between two sends on a connection.
    pub(super) fn spacing_of(&self, own_ms: Option<i64>) -> TimeDelta {
        own_ms.map_or(self.policy.spacing, TimeDelta::milliseconds)
    }

    /// What a target must know of the others on its connection.
    pub(super) async fn spacing(
        &self,
        row: &target::Model,
        post: &post::Model,
        connection: &connection::Model,
        now: Time,
    ) -> Result<Spacing, StoreError> {
        let every = self.spacing_of(connection.spacing_ms);
        if every <= TimeDelta::zero() {
            return Ok(Spacing::default());
        }
        let (last, flying) = self.last_send(&self.db, row, every, now).await?;
        let values = [
            row.connection_id.into(),
            row.id.into(),
            row.due_at.into(),
            now.timestamp_millis().into(),
            post.critical.into(),
        ];
        let found = self.db.query_one_raw(self.statement(AHEAD, values)).await?;
        let (ahead, ready): (i64, i64) = match found {
            Some(found) => (found.try_get("", "ahead")?, found.try_get("", "ready")?),
            None => (0, 0),
        };
        Ok(Spacing {
            every,
            last,
            ahead: u32::try_from(ahead).unwrap_or(u32::MAX),
            ahead_ready: ready > 0 || flying,
        })
    }

    async fn last_send(
        &self,
        db: &impl ConnectionTrait,
        row: &target::Model,
        every: TimeDelta,
        now: Time,
    ) -> Result<(Option<Time>, bool), StoreError> {
        let lease = self.policy.lease(JobKind::Publish.lane()).lease;
        let oldest = now - every - lease;
        let smaller = if self.is_postgres() { "least" } else { "min" };
        let text = LAST_SEND.replace("{least}", smaller);
        let values = [
            row.connection_id.into(),
            row.id.into(),
            row.edition.into(),
            oldest.timestamp_millis().into(),
            now.timestamp_millis().into(),
        ];
        let Some(found) = db.query_one_raw(self.statement(&text, values)).await? else {
            return Ok((None, false));
        };
        let last: Option<i64> = found.try_get("", "last")?;
        let flying: Option<i32> = found.try_get("", "flying")?;
        Ok((last.map(from_ms), flying == Some(1)))
    }

    /// Takes the connection's turn until the transaction ends, where its posts keep apart; comes before the target's
    /// lock. Two workers that begin two posts of one connection at once do it one after the other, so the second sees the
    /// first one's attempt.
    pub(super) async fn take_turn(
        &self,
        tx: &DatabaseTransaction,
        id: Uuid,
    ) -> Result<TimeDelta, StoreError> {
        let Some(row) = target::Entity::find_by_id(id).one(tx).await? else {
            return Ok(TimeDelta::zero());
        };
        let found = connection::Entity::find_by_id(row.connection_id)
            .filter(connection::Column::WorkspaceId.eq(row.workspace_id))
            .one(tx)
            .await?;
        let every = self.spacing_of(found.and_then(|one| one.spacing_ms));
        if every > TimeDelta::zero() && self.is_postgres() {
            let name = format!("turn {}", row.connection_id);
            tx.execute_raw(self.statement(sql::LOCK_NAME, [name.into()]))
                .await?;
        }
        Ok(every)
    }

    /// Whether a send now keeps the gap to the one before. Under [`Store::take_turn`].
    pub(super) async fn is_apart(
        &self,
        tx: &DatabaseTransaction,
        row: &target::Model,
        every: TimeDelta,
        now: Time,
    ) -> Result<bool, StoreError> {
        if every <= TimeDelta::zero() {
            return Ok(true);
        }
        let (last, flying) = self.last_send(tx, row, every, now).await?;
        Ok(!flying && last.is_none_or(|last| last + every <= now))
    }
}
