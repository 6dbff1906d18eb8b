//! Posts with their targets and attempts, as people look at them.

use std::collections::{BTreeMap, HashMap};

use chrono::TimeDelta;
use mooring_domain::{
    AttemptId, BrandId, ConnectionId, Failure, Platform, PostId, TargetId, Time, WorkspaceId,
    post::{Content, Overrides, PostState, Settlement, Stage, roll_up, rollup},
    time::from_ms,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select};
use uuid::Uuid;

use crate::{
    Store, StoreError,
    entity::{attempt, connection, post, target},
    jobs::platform_of,
    work::{attempt_facts, content_of, overrides_of},
};

/// A post with its targets.
#[derive(Debug, Clone)]
pub struct PostView {
    /// Its id.
    pub id: PostId,
    /// What it says where nothing else is said.
    pub content: Content,
    /// What it says otherwise somewhere.
    pub overrides: Overrides,
    /// Rises with every edit.
    pub revision: i32,
    /// When it is due.
    pub due: Time,
    /// The zone and the wall time that a person said.
    pub said: Option<(String, String)>,
    /// How late it may begin; `None` = as the policy says.
    pub max_lateness: Option<TimeDelta>,
    /// Whether it goes before all others.
    pub critical: bool,
    /// When it was scheduled.
    pub created_at: Time,
    /// Where it goes, in the order in which it was said.
    pub targets: Vec<TargetView>,
}

impl PostView {
    /// The state of the whole.
    #[must_use]
    pub fn state(&self) -> PostState {
        roll_up(self.targets.iter().map(|target| target.stage))
    }

    /// The state of each platform's part.
    #[must_use]
    pub fn platforms(&self) -> BTreeMap<Platform, PostState> {
        rollup::by_platform(self.targets.iter().map(|one| (one.platform, one.stage)))
    }
}

/// A post on one connection.
#[derive(Debug, Clone)]
pub struct TargetView {
    /// Its id.
    pub id: TargetId,
    /// Its post.
    pub post: PostId,
    /// Where it goes.
    pub connection: ConnectionId,
    /// The platform.
    pub platform: Platform,
    /// 1 unless a person published again.
    pub edition: i32,
    /// How far this edition has come.
    pub stage: Stage,
    /// Why, where it ended badly.
    pub reason: Option<String>,
    /// When it is due.
    pub due: Time,
    /// The newest verdict on this edition, and when it was found.
    pub verdict: Option<(String, Time)>,
    /// Where people see it.
    pub permalink: Option<String>,
    /// Every try of every edition, oldest first; empty where they were not asked for.
    pub attempts: Vec<AttemptView>,
}

impl TargetView {
    /// When its platform took this edition.
    #[must_use]
    pub fn published_at(&self) -> Option<Time> {
        let of_edition = self
            .attempts
            .iter()
            .filter(|one| one.edition == self.edition);
        of_edition.filter_map(|one| one.accepted_at).max()
    }
}

/// One try of an edition of a target.
#[derive(Debug, Clone)]
pub struct AttemptView {
    /// Its id.
    pub id: AttemptId,
    /// The edition that it tried.
    pub edition: i32,
    /// 1 for the edition's first.
    pub number: i32,
    /// Which revision of the content it sent.
    pub revision: i32,
    /// When it began.
    pub begun_at: Time,
    /// When its call was known to be over.
    pub ended_at: Option<Time>,
    /// How it failed.
    pub failure: Option<Failure>,
    /// How it was settled; `None` = it dangles.
    pub settlement: Option<Settlement>,
    /// How often it was looked for.
    pub looks: u16,
    /// The post's id at the platform.
    pub remote_id: Option<String>,
    /// When the platform took it.
    pub accepted_at: Option<Time>,
}

/// Which posts to look at.
#[derive(Debug, Clone, Copy, Default)]
pub struct PostFilter {
    /// Only this one.
    pub id: Option<PostId>,
    /// Only posts that may be in this state: those with a target in a stage that shows it. The state itself is a fold,
    /// see [`PostView::state`].
    pub state: Option<PostState>,
    /// Only with a target on this connection.
    pub connection: Option<ConnectionId>,
    /// Only with a target on a connection with this client label.
    pub brand: Option<BrandId>,
    /// Only due from then on.
    pub due_from: Option<Time>,
    /// Only due before then.
    pub due_to: Option<Time>,
    /// Only those made before this one.
    pub before: Option<Uuid>,
    /// At most so many.
    pub limit: Option<u64>,
}

impl Store {
    /// Posts, the newest first.
    pub async fn post_views(
        &self,
        workspace: WorkspaceId,
        filter: &PostFilter,
    ) -> Result<Vec<PostView>, StoreError> {
        let rows = wanted(workspace, filter).all(&self.db).await?;
        let mut targets = self.target_views(rows.iter().map(|row| row.id)).await?;
        let of_post = rows.into_iter().map(|row| {
            let targets = targets.remove(&row.id).unwrap_or_default();
            Ok(PostView {
                id: PostId::from_uuid(row.id),
                content: content_of(&row)?,
                overrides: overrides_of(&row)?,
                revision: row.revision,
                due: from_ms(row.due_at),
                said: row.zone.zip(row.wall),
                max_lateness: row.max_lateness_ms.map(TimeDelta::milliseconds),
                critical: row.critical,
                created_at: from_ms(row.created_at),
                targets,
            })
        });
        of_post.collect()
    }

    /// One post, with every attempt.
    pub async fn post_view(
        &self,
        workspace: WorkspaceId,
        id: PostId,
    ) -> Result<Option<PostView>, StoreError> {
        let filter = PostFilter {
            id: Some(id),
            ..PostFilter::default()
        };
        let mut found = self.post_views(workspace, &filter).await?;
        let Some(mut view) = found.pop() else {
            return Ok(None);
        };
        let mut attempts = self.attempt_views(&view.targets).await?;
        for target in &mut view.targets {
            target.attempts = attempts.remove(&target.id.uuid()).unwrap_or_default();
        }
        Ok(Some(view))
    }

    /// The post that a target belongs to.
    pub async fn post_of(
        &self,
        workspace: WorkspaceId,
        target: TargetId,
    ) -> Result<Option<PostId>, StoreError> {
        let row = target::Entity::find_by_id(target.uuid())
            .filter(target::Column::WorkspaceId.eq(workspace.uuid()))
            .one(&self.db)
            .await?;
        Ok(row.map(|row| PostId::from_uuid(row.post_id)))
    }

    async fn target_views(
        &self,
        posts: impl Iterator<Item = Uuid>,
    ) -> Result<HashMap<Uuid, Vec<TargetView>>, StoreError> {
        let rows = target::Entity::find()
            .filter(target::Column::PostId.is_in(posts))
            .order_by_asc(target::Column::Id)
            .all(&self.db)
            .await?;
        let mut views = HashMap::<Uuid, Vec<TargetView>>::new();
        for row in rows {
            views
                .entry(row.post_id)
                .or_default()
                .push(target_view(row)?);
        }
        Ok(views)
    }

    async fn attempt_views(
        &self,
        targets: &[TargetView],
    ) -> Result<HashMap<Uuid, Vec<AttemptView>>, StoreError> {
        let rows = attempt::Entity::find()
            .filter(attempt::Column::TargetId.is_in(targets.iter().map(|one| one.id.uuid())))
            .order_by_asc(attempt::Column::Edition)
            .order_by_asc(attempt::Column::Number)
            .all(&self.db)
            .await?;
        let mut views = HashMap::<Uuid, Vec<AttemptView>>::new();
        for row in rows {
            let view = attempt_view(&row)?;
            views.entry(row.target_id).or_default().push(view);
        }
        Ok(views)
    }
}

fn wanted(workspace: WorkspaceId, filter: &PostFilter) -> Select<post::Entity> {
    use post::Column;
    let mut query = post::Entity::find()
        .filter(Column::WorkspaceId.eq(workspace.uuid()))
        .order_by_desc(Column::Id)
        .limit(filter.limit);
    if let Some(id) = filter.id {
        query = query.filter(Column::Id.eq(id.uuid()));
    }
    if let Some(before) = filter.before {
        query = query.filter(Column::Id.lt(before));
    }
    if let Some(from) = filter.due_from {
        query = query.filter(Column::DueAt.gte(from.timestamp_millis()));
    }
    if let Some(to) = filter.due_to {
        query = query.filter(Column::DueAt.lt(to.timestamp_millis()));
    }
    let with_target = |which: Select<target::Entity>| {
        let of_workspace = target::Column::WorkspaceId.eq(workspace.uuid());
        Column::Id.in_subquery(which.filter(of_workspace).into_query())
    };
    let targets = || {
        target::Entity::find()
            .select_only()
            .column(target::Column::PostId)
    };
    if let Some(state) = filter.state {
        let ranks = state.shown_by().iter().map(|stage| stage.rank());
        query = query.filter(with_target(
            targets().filter(target::Column::Stage.is_in(ranks)),
        ));
    }
    if let Some(id) = filter.connection {
        let on_it = target::Column::ConnectionId.eq(id.uuid());
        query = query.filter(with_target(targets().filter(on_it)));
    }
    if let Some(brand) = filter.brand {
        let labelled = connection::Entity::find()
            .select_only()
            .column(connection::Column::Id)
            .filter(connection::Column::BrandId.eq(brand.uuid()))
            .into_query();
        let on_one = target::Column::ConnectionId.in_subquery(labelled);
        query = query.filter(with_target(targets().filter(on_one)));
    }
    query
}

fn target_view(row: target::Model) -> Result<TargetView, StoreError> {
    let stage = Stage::from_rank(row.stage)
        .ok_or_else(|| StoreError::corrupt("post_targets", row.id, "its stage is unknown"))?;
    Ok(TargetView {
        id: TargetId::from_uuid(row.id),
        post: PostId::from_uuid(row.post_id),
        connection: ConnectionId::from_uuid(row.connection_id),
        platform: platform_of("post_targets", row.id, &row.platform)?,
        edition: row.edition,
        stage,
        reason: row.reason,
        due: from_ms(row.due_at),
        verdict: row.verdict.zip(row.verdict_at.map(from_ms)),
        permalink: row.permalink,
        attempts: Vec::new(),
    })
}

fn attempt_view(row: &attempt::Model) -> Result<AttemptView, StoreError> {
    let facts = attempt_facts(row)?;
    let (ended_at, failure) = facts.call_ended.unzip();
    Ok(AttemptView {
        id: facts.id,
        edition: facts.edition,
        number: facts.number,
        revision: row.revision,
        begun_at: facts.begun_at,
        ended_at,
        failure: failure.flatten(),
        settlement: facts.settlement,
        looks: facts.looks,
        remote_id: row.remote_id.clone(),
        accepted_at: row.accepted_at.map(from_ms),
    })
}
