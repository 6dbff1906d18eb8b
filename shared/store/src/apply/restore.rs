//! The act that follows a restore from a backup: what may have gone out in the forgotten time dangles from now on.

use std::collections::{BTreeMap, HashMap};

use mooring_domain::{
    AttemptId, Event, JobKind, Poke, TargetId, Time, WorkspaceId,
    acts::publish_priority,
    grant::AuthState,
    id::kind,
    post::{Settlement, Stage},
    restore::Restored,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict, Query},
};
use uuid::Uuid;

use super::{Actor, ApplyError, Refusal, stream::Scribe};
use crate::{
    Store, StoreError,
    entity::{attempt, grant, job, post, restore, target},
    jobs::platform_of,
    work::content_for,
};

/// Targets per round trip.
const PORTION: u64 = 500;

/// Why an outcome is unknown.
const WHY: &str = "backup_restored";

impl Store {
    /// Marks a restore: all of it or nothing, and nothing where it is marked already.
    pub(super) async fn mark_restored(
        &self,
        tx: &DatabaseTransaction,
        actor: &Actor,
        restored: &Restored,
        now: Time,
    ) -> Result<Vec<Event>, ApplyError> {
        if !self.note_restore(tx, actor, restored, now).await? {
            return Ok(Vec::new());
        }
        let at_work = self.at_work(tx).await?;
        if !at_work.is_empty() {
            let workers = at_work.len();
            return Err(Refusal::StillAtWork { workers }.into());
        }
        self.end_all(tx, restored.forgotten, restored.taken_at, now)
            .await?;
        self.leap_generations(tx).await?;
        let (mut targets, mut last) = (0, Uuid::nil());
        loop {
            let portion = self.may_have_gone_out(tx, restored, last).await?;
            let Some(end) = portion.last().map(|row| row.id) else {
                break;
            };
            last = end;
            targets += self.let_dangle(tx, actor, restored, portion, now).await?;
        }
        let grants = self.doubt_tokens(tx, restored, now).await?;
        restore::Entity::update_many()
            .col_expr(restore::Column::Targets, count(targets).into())
            .col_expr(restore::Column::Grants, count(grants).into())
            .filter(restore::Column::Id.eq(restored.forgotten.uuid()))
            .exec(tx)
            .await?;
        Ok(vec![Event::BackupRestored {
            taken_at: restored.taken_at,
            targets,
            grants,
        }])
    }

    /// Writes the marker. `false`: it is there.
    async fn note_restore(
        &self,
        tx: &DatabaseTransaction,
        actor: &Actor,
        restored: &Restored,
        now: Time,
    ) -> Result<bool, StoreError> {
        let once = OnConflict::column(restore::Column::TakenAt)
            .do_nothing()
            .to_owned();
        let noted = restore::Entity::insert(restore::ActiveModel {
            id: Set(restored.forgotten.uuid()),
            taken_at: Set(restored.taken_at.timestamp_millis()),
            marked_at: Set(now.timestamp_millis()),
            actor: Set(actor.text()),
            targets: Set(0),
            grants: Set(0),
        })
        .on_conflict(once)
        .exec_without_returning(tx)
        .await?;
        Ok(noted > 0)
    }

    /// The next portion of unsettled targets that were due in the time in question, locked as a begin locks them.
    async fn may_have_gone_out(
        &self,
        tx: &DatabaseTransaction,
        restored: &Restored,
        after: Uuid,
    ) -> Result<Vec<target::Model>, StoreError> {
        let mut query = target::Entity::find()
            .filter(target::Column::Id.gt(after))
            .filter(target::Column::Stage.lte(Stage::Begun.rank()))
            .filter(target::Column::DueAt.gte(restored.due_from.timestamp_millis()))
            .filter(target::Column::DueAt.lte(restored.due_to.timestamp_millis()))
            .order_by_asc(target::Column::Id)
            .limit(PORTION);
        if self.is_postgres() {
            query = query.lock_exclusive();
        }
        Ok(query.all(tx).await?)
    }

    /// Gives each target an attempt that dangles and stands for the forgotten send, unless one dangles already.
    async fn let_dangle(
        &self,
        tx: &DatabaseTransaction,
        actor: &Actor,
        restored: &Restored,
        targets: Vec<target::Model>,
        now: Time,
    ) -> Result<u64, StoreError> {
        let numbers = self.next_numbers(tx, &targets).await?;
        let posts = self.posts_of(tx, &targets).await?;
        let (mut attempts, mut begun) = (Vec::new(), Vec::new());
        let mut told: BTreeMap<Uuid, (Vec<Event>, Vec<Poke>)> = BTreeMap::new();
        for row in &targets {
            let Some(number) = numbers.get(&row.id).map_or(Some(1), |number| *number) else {
                continue;
            };
            let id: AttemptId = self.mint::<kind::Attempt>(now);
            let post = posts.get(&row.post_id);
            let post =
                post.ok_or_else(|| StoreError::corrupt("post_targets", row.id, "has no post"))?;
            attempts.push(forgotten(restored, row, post, id, number)?);
            begun.push(row.id);
            let (events, pokes) = told.entry(row.workspace_id).or_default();
            events.push(Event::OutcomeUnknown {
                target: TargetId::from_uuid(row.id),
                attempt: id,
                class: WHY.to_owned(),
            });
            pokes.push(Poke::Job {
                kind: JobKind::Publish,
                subject: row.id,
                platform: platform_of("post_targets", row.id, &row.platform)?,
                at: now,
                priority: publish_priority(false),
            });
        }
        if attempts.is_empty() {
            return Ok(0);
        }
        // From here on it can be neither edited nor cancelled: it may be live.
        target::Entity::update_many()
            .col_expr(target::Column::Stage, Stage::Begun.rank().into())
            .filter(target::Column::Id.is_in(begun.iter().copied()))
            .exec(tx)
            .await?;
        attempt::Entity::insert_many(attempts)
            .exec_without_returning(tx)
            .await?;
        for (workspace, (events, pokes)) in told {
            let scribe = Scribe {
                workspace: WorkspaceId::from_uuid(workspace),
                actor: actor.text(),
                origin: actor.origin().map(str::to_owned),
                trace_id: None,
                now,
            };
            self.write_events(tx, &scribe, &events).await?;
            self.poke_all(tx, scribe.workspace, &pokes, None).await?;
        }
        Ok(begun.len() as u64)
    }

    /// The number of each target's next attempt; `None` where one dangles.
    async fn next_numbers(
        &self,
        tx: &DatabaseTransaction,
        targets: &[target::Model],
    ) -> Result<HashMap<Uuid, Option<i32>>, StoreError> {
        let editions: HashMap<Uuid, i32> =
            targets.iter().map(|row| (row.id, row.edition)).collect();
        let rows: Vec<(Uuid, i32, i32, Option<String>)> = attempt::Entity::find()
            .select_only()
            .column(attempt::Column::TargetId)
            .column(attempt::Column::Edition)
            .column(attempt::Column::Number)
            .column(attempt::Column::Settlement)
            .filter(attempt::Column::TargetId.is_in(editions.keys().copied()))
            .into_tuple()
            .all(tx)
            .await?;
        let mut next = HashMap::new();
        for (id, edition, number, settlement) in rows {
            let known = next.entry(id).or_insert(Some(1));
            let dangles = settlement.as_deref().and_then(Settlement::parse).is_none();
            *known = match *known {
                Some(_) if dangles => None,
                Some(highest) if editions.get(&id) == Some(&edition) => {
                    Some(Ord::max(highest, number + 1))
                }
                other => other,
            };
        }
        Ok(next)
    }

    async fn posts_of(
        &self,
        tx: &DatabaseTransaction,
        targets: &[target::Model],
    ) -> Result<HashMap<Uuid, post::Model>, StoreError> {
        let rows = post::Entity::find()
            .filter(post::Column::Id.is_in(targets.iter().map(|row| row.post_id)))
            .all(tx)
            .await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }

    /// Credentials whose refresh was due since: their refresh token may be spent. They count as being refreshed by
    /// somebody who has ended, so that the next refresh tells whether a rotation was lost.
    async fn doubt_tokens(
        &self,
        tx: &DatabaseTransaction,
        restored: &Restored,
        now: Time,
    ) -> Result<u64, StoreError> {
        let due = Query::select()
            .column(job::Column::SubjectId)
            .from(job::Entity)
            .and_where(Expr::col(job::Column::Kind).eq(JobKind::Refresh.as_str()))
            .and_where(Expr::col(job::Column::RunAt).lte(now.timestamp_millis()))
            .to_owned();
        let rotating = restored.rotating.iter().map(|platform| platform.as_str());
        let doubted = grant::Entity::update_many()
            .col_expr(grant::Column::RefreshBegunAt, now.timestamp_millis().into())
            .col_expr(
                grant::Column::RefreshHolder,
                restored.forgotten.uuid().into(),
            )
            .filter(grant::Column::Platform.is_in(rotating))
            .filter(grant::Column::State.eq(AuthState::Connected.as_str()))
            .filter(grant::Column::RefreshToken.is_not_null())
            .filter(grant::Column::RefreshBegunAt.is_null())
            .filter(grant::Column::Id.in_subquery(due))
            .exec(tx)
            .await?;
        Ok(doubted.rows_affected)
    }
}

/// The attempt that stands for a forgotten send: without a key, because nobody knows the one that was used, not
/// before its time, and by somebody who has ended.
fn forgotten(
    restored: &Restored,
    row: &target::Model,
    post: &post::Model,
    id: AttemptId,
    number: i32,
) -> Result<attempt::ActiveModel, StoreError> {
    Ok(attempt::ActiveModel::from(attempt::Model {
        id: id.uuid(),
        workspace_id: row.workspace_id,
        target_id: row.id,
        connection_id: row.connection_id,
        platform: row.platform.clone(),
        edition: row.edition,
        number,
        revision: post.revision,
        reference: None,
        digest: content_for(post, row)?.digest(),
        holder: restored.forgotten.uuid(),
        begun_at: row.due_at,
        send_by: restored.sent_by.timestamp_millis(),
        call_ended_at: None,
        failure: None,
        settlement: None,
        looks: 0,
        remote_id: None,
        permalink: None,
        accepted_at: None,
        handle: None,
        prepared: None,
        forgotten: true,
    }))
}

fn count(rows: u64) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
