//! What went out: through a connection, and from a workspace with who wanted it.

use std::collections::HashMap;

use mooring_domain::{ConnectionId, PostId, TargetId, Time, WorkspaceId, time::from_ms};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::{
    Store, StoreError,
    entity::{attempt, event, post, target},
    work::content_for,
};

/// A post that went out through a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The target.
    pub target: TargetId,
    /// Its post.
    pub post: PostId,
    /// Through which connection.
    pub connection: ConnectionId,
    /// Its platform.
    pub platform: String,
    /// How its text begins.
    pub text: String,
    /// When the platform took it.
    pub published_at: Time,
    /// Where people see it.
    pub permalink: Option<String>,
    /// The newest verdict.
    pub verdict: Option<String>,
}

/// A post that went out, and who wanted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecentPost {
    /// The post.
    pub published: Published,
    /// Who scheduled it, as the stream names them.
    pub scheduled_by: Option<String>,
    /// Where they came from, where that is known.
    pub origin: Option<String>,
    /// When they did.
    pub scheduled_at: Option<Time>,
}

/// Characters of a text that a list shows.
const TEXT_SHOWN: usize = 80;

impl Store {
    /// The newest posts that went out through a connection.
    pub async fn published_through(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        limit: u64,
    ) -> Result<Vec<Published>, StoreError> {
        let newest = attempt::Entity::find()
            .filter(attempt::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(attempt::Column::ConnectionId.eq(connection.uuid()))
            .filter(attempt::Column::AcceptedAt.is_not_null())
            .order_by_desc(attempt::Column::AcceptedAt)
            .limit(limit);
        let rows = newest.all(&self.db).await?;
        self.published(rows).await
    }

    /// What went out from a workspace since a time, newest first, and who wanted it.
    pub async fn published_since(
        &self,
        workspace: WorkspaceId,
        since: Time,
        limit: u64,
    ) -> Result<Vec<RecentPost>, StoreError> {
        let newest = attempt::Entity::find()
            .filter(attempt::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(attempt::Column::AcceptedAt.gte(since.timestamp_millis()))
            .order_by_desc(attempt::Column::AcceptedAt)
            .limit(limit);
        let published = self.published(newest.all(&self.db).await?).await?;
        let posts = published.iter().map(|one| one.post.uuid());
        let told = event::Entity::find()
            .filter(event::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(event::Column::SubjectId.is_in(posts))
            .filter(event::Column::Name.eq("post_scheduled"))
            .all(&self.db)
            .await?;
        let told: HashMap<Uuid, event::Model> =
            told.into_iter().map(|row| (row.subject_id, row)).collect();
        let recent = published.into_iter().map(|published| {
            let told = told.get(&published.post.uuid());
            RecentPost {
                scheduled_by: told.map(|row| row.actor.clone()),
                origin: told.and_then(|row| row.origin.clone()),
                scheduled_at: told.map(|row| from_ms(row.at)),
                published,
            }
        });
        Ok(recent.collect())
    }

    async fn published(&self, rows: Vec<attempt::Model>) -> Result<Vec<Published>, StoreError> {
        let ids = rows.iter().map(|row| row.target_id);
        let targets = target::Entity::find()
            .filter(target::Column::Id.is_in(ids))
            .all(&self.db)
            .await?;
        let posts = post::Entity::find()
            .filter(post::Column::Id.is_in(targets.iter().map(|row| row.post_id)))
            .all(&self.db)
            .await?;
        let targets: HashMap<_, _> = targets.into_iter().map(|row| (row.id, row)).collect();
        let posts: HashMap<_, _> = posts.into_iter().map(|row| (row.id, row)).collect();
        let mut published = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(target) = targets.get(&row.target_id) else {
                continue;
            };
            let post = posts.get(&target.post_id);
            let text = post.map(|post| content_for(post, target)).transpose()?;
            let text = text.map(|content| content.text).unwrap_or_default();
            published.push(Published {
                target: TargetId::from_uuid(target.id),
                post: PostId::from_uuid(target.post_id),
                connection: ConnectionId::from_uuid(row.connection_id),
                platform: row.platform,
                text: text.chars().take(TEXT_SHOWN).collect(),
                published_at: from_ms(row.accepted_at.unwrap_or(row.begun_at)),
                permalink: target.permalink.clone(),
                verdict: target.verdict.clone(),
            });
        }
        Ok(published)
    }
}
