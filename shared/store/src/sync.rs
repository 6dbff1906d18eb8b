//! A post and its targets, as a person compares them with the platforms.

use mooring_domain::{
    ConnectionId, Platform, PostId, TargetId, Time, WorkspaceId,
    post::{AttemptFacts, Progress, Stage},
    time::from_ms,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use crate::{
    Store, StoreError,
    entity::{attempt, connection, post, target},
    jobs::platform_of,
    work::attempt_facts,
};

/// A post to compare.
#[derive(Debug, Clone)]
pub struct SyncPost {
    /// The post.
    pub post: PostId,
    /// Its targets, in the order of their ids.
    pub targets: Vec<SyncTarget>,
}

/// One of its targets.
#[derive(Debug, Clone)]
pub struct SyncTarget {
    /// The target.
    pub target: TargetId,
    /// Its post.
    pub post: PostId,
    /// Where it goes.
    pub connection: ConnectionId,
    /// What people call that.
    pub name: String,
    /// The platform.
    pub platform: Platform,
    /// How far it has come.
    pub progress: Progress,
    /// Why, where it ended badly.
    pub reason: Option<String>,
    /// The newest verdict.
    pub verdict: Option<String>,
    /// Where people see it.
    pub permalink: Option<String>,
    /// When the platform took the present edition. It stays when the post is gone.
    pub published_at: Option<Time>,
    /// Attempts of the present edition, oldest first, and whether the platform took each.
    pub attempts: Vec<(AttemptFacts, bool)>,
}

impl Store {
    /// A post with its targets. `None`: there is none in this workspace.
    pub async fn sync_post(
        &self,
        workspace: WorkspaceId,
        id: PostId,
    ) -> Result<Option<SyncPost>, StoreError> {
        let row = post::Entity::find_by_id(id.uuid())
            .filter(post::Column::WorkspaceId.eq(workspace.uuid()))
            .one(&self.db)
            .await?;
        if row.is_none() {
            return Ok(None);
        }
        let rows = target::Entity::find()
            .filter(target::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(target::Column::PostId.eq(id.uuid()))
            .order_by_asc(target::Column::Id)
            .all(&self.db)
            .await?;
        let targets = self.sync_targets(rows).await?;
        Ok(Some(SyncPost { post: id, targets }))
    }

    /// One target, as a sync sees it.
    pub async fn sync_target(
        &self,
        workspace: WorkspaceId,
        id: TargetId,
    ) -> Result<Option<SyncTarget>, StoreError> {
        let rows = target::Entity::find_by_id(id.uuid())
            .filter(target::Column::WorkspaceId.eq(workspace.uuid()))
            .all(&self.db)
            .await?;
        Ok(self.sync_targets(rows).await?.pop())
    }

    async fn sync_targets(&self, rows: Vec<target::Model>) -> Result<Vec<SyncTarget>, StoreError> {
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let attempts = attempt::Entity::find()
            .filter(attempt::Column::TargetId.is_in(ids))
            .order_by_asc(attempt::Column::Number)
            .all(&self.db)
            .await?;
        let places = connection::Entity::find()
            .filter(connection::Column::Id.is_in(rows.iter().map(|row| row.connection_id)))
            .all(&self.db)
            .await?;
        let mut targets = Vec::with_capacity(rows.len());
        for row in rows {
            let stage = Stage::from_rank(row.stage).ok_or_else(|| {
                StoreError::corrupt("post_targets", row.id, "its stage is unknown")
            })?;
            let mine = attempts
                .iter()
                .filter(|one| one.target_id == row.id && one.edition == row.edition);
            let known = mine
                .clone()
                .map(|one| Ok((attempt_facts(one)?, one.accepted_at.is_some())));
            let known: Vec<_> = known.collect::<Result<_, StoreError>>()?;
            let place = places.iter().find(|one| one.id == row.connection_id);
            targets.push(SyncTarget {
                target: TargetId::from_uuid(row.id),
                post: PostId::from_uuid(row.post_id),
                connection: ConnectionId::from_uuid(row.connection_id),
                name: place.map(|one| one.name.clone()).unwrap_or_default(),
                platform: platform_of("post_targets", row.id, &row.platform)?,
                progress: Progress {
                    edition: row.edition,
                    stage,
                },
                reason: row.reason,
                verdict: row.verdict,
                permalink: row.permalink,
                published_at: mine.filter_map(|one| one.accepted_at).min().map(from_ms),
                attempts: known,
            });
        }
        Ok(targets)
    }
}
