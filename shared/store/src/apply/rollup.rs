//! Telling the stream of a post as a whole, in the transaction in which its last target ends.

use std::collections::{BTreeMap, BTreeSet};

use mooring_domain::{
    AttemptId, Decision, Event, Evidence, Platform, PostId, TargetId, Time, WorkspaceId,
    event::SettledTarget,
    post::{PostState, Stage, roll_up, rollup},
};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::Expr,
};
use uuid::Uuid;

use super::stream::Scribe;
use crate::{
    Store, StoreError,
    entity::{attempt, post, target},
    jobs::platform_of,
};

/// Ids in one statement: both databases have a limit on parameters.
const BATCH: usize = 5_000;

/// Whose state may have changed in a transaction.
#[derive(Debug, Default)]
pub(super) struct Touched {
    targets: BTreeSet<Uuid>,
    attempts: BTreeSet<Uuid>,
}

impl Touched {
    /// What an act or a decision has told.
    pub(super) fn events(&mut self, events: &[Event]) {
        let ended = events.iter().filter_map(Event::ended_target);
        self.targets.extend(ended.map(TargetId::uuid));
    }

    /// What was learnt, fenced or not.
    pub(super) fn evidence(&mut self, decision: &Decision) {
        for evidence in &decision.evidence {
            if let Evidence::Accepted { attempt, .. } = evidence {
                self.attempts.insert(AttemptId::uuid(*attempt));
            }
        }
    }
}

impl Store {
    /// Tells of posts all of whose targets have ended, each state once. It comes last in a transaction and takes the
    /// posts in the order of their ids: of two targets that end at once, the second sees that it is the last, and
    /// nobody waits in a circle.
    pub(super) async fn settle_posts(
        &self,
        tx: &DatabaseTransaction,
        touched: &Touched,
        (actor, origin): (&str, Option<&str>),
        now: Time,
    ) -> Result<(), StoreError> {
        for batch in self.posts_touched(tx, touched).await?.chunks(BATCH) {
            let mut query = post::Entity::find()
                .filter(post::Column::Id.is_in(batch.iter().copied()))
                .order_by_asc(post::Column::Id);
            if self.is_postgres() {
                query = query.lock_exclusive();
            }
            let posts = query.all(tx).await?;
            let mut targets = self.targets_of(tx, batch).await?;
            for row in posts {
                let targets = targets.remove(&row.id).unwrap_or_default();
                let Some(event) = settled(&row, &targets)? else {
                    continue;
                };
                let scribe = Scribe {
                    workspace: WorkspaceId::from_uuid(row.workspace_id),
                    actor: actor.to_owned(),
                    origin: origin.map(str::to_owned),
                    trace_id: None,
                    now,
                };
                self.write_told(tx, &row, &event).await?;
                self.write_events(tx, &scribe, &[event]).await?;
            }
        }
        Ok(())
    }

    async fn posts_touched(
        &self,
        tx: &DatabaseTransaction,
        touched: &Touched,
    ) -> Result<Vec<Uuid>, StoreError> {
        let mut targets = touched.targets.clone();
        let attempts: Vec<Uuid> = touched.attempts.iter().copied().collect();
        for batch in attempts.chunks(BATCH) {
            let found: Vec<Uuid> = attempt::Entity::find()
                .select_only()
                .column(attempt::Column::TargetId)
                .filter(attempt::Column::Id.is_in(batch.iter().copied()))
                .into_tuple()
                .all(tx)
                .await?;
            targets.extend(found);
        }
        let targets: Vec<Uuid> = targets.into_iter().collect();
        let mut posts = BTreeSet::new();
        for batch in targets.chunks(BATCH) {
            let found: Vec<Uuid> = target::Entity::find()
                .select_only()
                .column(target::Column::PostId)
                .filter(target::Column::Id.is_in(batch.iter().copied()))
                .into_tuple()
                .all(tx)
                .await?;
            posts.extend(found);
        }
        Ok(posts.into_iter().collect())
    }

    async fn targets_of(
        &self,
        tx: &DatabaseTransaction,
        posts: &[Uuid],
    ) -> Result<BTreeMap<Uuid, Vec<target::Model>>, StoreError> {
        let rows = target::Entity::find()
            .filter(target::Column::PostId.is_in(posts.iter().copied()))
            .order_by_asc(target::Column::Id)
            .all(tx)
            .await?;
        let mut targets = BTreeMap::<Uuid, Vec<_>>::new();
        for row in rows {
            targets.entry(row.post_id).or_default().push(row);
        }
        Ok(targets)
    }

    async fn write_told(
        &self,
        tx: &DatabaseTransaction,
        row: &post::Model,
        event: &Event,
    ) -> Result<(), StoreError> {
        let Event::PostSettled { state, .. } = event else {
            return Ok(());
        };
        post::Entity::update_many()
            .col_expr(post::Column::ToldState, state.as_str().into())
            .filter(post::Column::Id.eq(row.id))
            .exec(tx)
            .await?;
        Ok(())
    }

    /// The post's next end is told whatever it is.
    pub(super) async fn forget_told(
        &self,
        tx: &DatabaseTransaction,
        id: PostId,
    ) -> Result<(), StoreError> {
        post::Entity::update_many()
            .col_expr(post::Column::ToldState, Expr::value(Option::<String>::None))
            .filter(post::Column::Id.eq(id.uuid()))
            .exec(tx)
            .await?;
        Ok(())
    }
}

/// What to tell of a post; `None` while a target is under way, and where it was told.
fn settled(row: &post::Model, targets: &[target::Model]) -> Result<Option<Event>, StoreError> {
    let stages = targets
        .iter()
        .map(stage_of)
        .collect::<Result<Vec<_>, _>>()?;
    let state = roll_up(stages.iter().copied());
    let told = row.told_state.as_deref().and_then(PostState::parse);
    if !rollup::is_settled(stages.iter().copied()) || told == Some(state) {
        return Ok(None);
    }
    let targets = targets.iter().zip(stages).map(|(target, stage)| {
        let platform: Platform = platform_of("post_targets", target.id, &target.platform)?;
        Ok(SettledTarget {
            target: TargetId::from_uuid(target.id),
            platform,
            state: PostState::of(stage),
            permalink: target.permalink.clone(),
        })
    });
    Ok(Some(Event::PostSettled {
        post: PostId::from_uuid(row.id),
        state,
        targets: targets.collect::<Result<_, StoreError>>()?,
    }))
}

fn stage_of(row: &target::Model) -> Result<Stage, StoreError> {
    Stage::from_rank(row.stage)
        .ok_or_else(|| StoreError::corrupt("post_targets", row.id, "its stage is unknown"))
}
