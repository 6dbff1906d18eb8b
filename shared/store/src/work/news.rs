//! What the merging of news needs.

use mooring_domain::{
    AppId, AttemptId, ConnectionId, GrantId, NewsId, TargetId, Time, WorkspaceId,
    news::{DanglingAttempt, NamedAttempt, News, NewsWork, Told},
    time::from_ms,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::{
    Held, Store, StoreError,
    entity::{attempt, connection, grant, inbox},
    jobs::platform_of,
};

/// Attempts that dangle on one account and that one piece of news may be about.
const DANGLING_MAX: u64 = 50;

/// News to merge.
#[derive(Debug)]
pub struct NewsJob {
    /// The facts.
    pub work: NewsWork,
}

/// How far the deletion of a person's data is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deletion {
    /// When it was asked for.
    pub asked_at: Time,
    /// When it was done; `None` = not yet.
    pub done_at: Option<Time>,
}

impl Store {
    /// Loads news. `None`: its row is gone.
    pub async fn news_job(&self, held: &Held) -> Result<Option<NewsJob>, StoreError> {
        let row = inbox::Entity::find_by_id(held.fence.subject)
            .filter(inbox::Column::WorkspaceId.eq(held.workspace.uuid()))
            .one(&self.db)
            .await?;
        let Some(row) = row else { return Ok(None) };
        if row.merged_at.is_some() {
            // A person's request keeps nothing of theirs once it was merged.
            return Ok(None);
        }
        let news: News = serde_json::from_value(row.data)
            .map_err(|error| StoreError::corrupt("inbox", row.id, format!("data: {error}")))?;
        let app = AppId::from_uuid(row.app_id);
        let told = self.told(held.workspace, app, &news.account).await?;
        let connections: Vec<Uuid> = told.iter().map(|one| one.connection.uuid()).collect();
        let named = self.named(&news, &connections).await?;
        let dangling = if named.is_empty() && news.what.remote_id().is_some() {
            self.dangling_on(&connections).await?
        } else {
            Vec::new()
        };
        Ok(Some(NewsJob {
            work: NewsWork {
                id: NewsId::from_uuid(row.id),
                what: news.what,
                at: news.at,
                merged: row.merged_at.is_some(),
                told,
                named,
                dangling,
            },
        }))
    }

    /// The living connections of a workspace that an account's news is about: those of this id, and those behind this
    /// person.
    async fn told(
        &self,
        workspace: WorkspaceId,
        app: AppId,
        account: &str,
    ) -> Result<Vec<Told>, StoreError> {
        let grants = grant::Entity::find()
            .filter(grant::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(grant::Column::RemoteUserId.eq(account))
            .all(&self.db)
            .await?;
        let of_person: Vec<Uuid> = grants.iter().map(|row| row.id).collect();
        let rows = connection::Entity::find()
            .filter(connection::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(connection::Column::RemovedAt.is_null())
            .filter(
                Condition::any()
                    .add(connection::Column::RemoteId.eq(account))
                    .add(connection::Column::GrantId.is_in(of_person)),
            )
            .order_by_asc(connection::Column::Id)
            .all(&self.db)
            .await?;
        let behind = grant::Entity::find()
            .filter(grant::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(grant::Column::Id.is_in(rows.iter().map(|row| row.grant_id)))
            .all(&self.db)
            .await?;
        let mut told = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(grant) = behind.iter().find(|grant| grant.id == row.grant_id) else {
                continue;
            };
            // Another registration of ours hears of its own people.
            if grant.app_id.is_some_and(|of| of != app.uuid()) {
                continue;
            }
            told.push(Told {
                connection: ConnectionId::from_uuid(row.id),
                platform: platform_of("connections", row.id, &row.platform)?,
                grant: GrantId::from_uuid(grant.id),
                way: platform_of("grants", grant.id, &grant.platform)?,
                personal: grant.remote_user_id == account,
            });
        }
        Ok(told)
    }

    /// The attempts on these connections that news names, by their order or by their post.
    async fn named(
        &self,
        news: &News,
        connections: &[Uuid],
    ) -> Result<Vec<NamedAttempt>, StoreError> {
        let by = match (news.what.handle(), news.what.remote_id()) {
            (Some(handle), _) => attempt::Column::Handle.eq(handle),
            (None, Some(remote_id)) => attempt::Column::RemoteId.eq(remote_id),
            (None, None) => return Ok(Vec::new()),
        };
        let rows = attempt::Entity::find()
            .filter(attempt::Column::ConnectionId.is_in(connections.iter().copied()))
            .filter(by)
            .all(&self.db)
            .await?;
        let named = rows.into_iter().map(|row| {
            Ok(NamedAttempt {
                attempt: AttemptId::from_uuid(row.id),
                target: TargetId::from_uuid(row.target_id),
                platform: platform_of("publish_attempts", row.id, &row.platform)?,
                accepted: row.accepted_at.is_some(),
            })
        });
        named.collect()
    }

    async fn dangling_on(&self, connections: &[Uuid]) -> Result<Vec<DanglingAttempt>, StoreError> {
        let rows = attempt::Entity::find()
            .filter(attempt::Column::ConnectionId.is_in(connections.iter().copied()))
            .filter(attempt::Column::Settlement.is_null())
            .order_by_desc(attempt::Column::BegunAt)
            .limit(DANGLING_MAX)
            .all(&self.db)
            .await?;
        let dangling = rows.into_iter().map(|row| {
            Ok(DanglingAttempt {
                target: TargetId::from_uuid(row.target_id),
                platform: platform_of("publish_attempts", row.id, &row.platform)?,
                begun_at: from_ms(row.begun_at),
                looks: u16::try_from(row.looks).unwrap_or(u16::MAX),
            })
        });
        dangling.collect()
    }
}
