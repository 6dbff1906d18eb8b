//! Posts, as people schedule, change and cancel them.

use mooring_domain::{
    PostId, TargetId, Time, WorkspaceId,
    decision::NewPost,
    post::{Content, Stage},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter,
    QueryOrder, QuerySelect, sea_query::Expr,
};

use super::{ApplyError, Refusal};
use crate::{
    Store, StoreError,
    entity::{post, target},
};

impl Store {
    /// Cancel takes the lock that begin takes: whoever comes second sees what the first has done.
    pub(super) async fn cancel(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        id: TargetId,
    ) -> Result<(), ApplyError> {
        let row = self.lock_target(tx, id.uuid()).await?;
        let row = row.filter(|row| row.workspace_id == workspace.uuid());
        let row = row.ok_or_else(|| Refusal::NotFound {
            what: id.to_string(),
        })?;
        refuse_begun(&row)?;
        self.raise_target(
            tx,
            id,
            row.edition,
            Stage::Cancelled,
            Some("cancelled".to_owned()),
        )
        .await?;
        Ok(())
    }

    pub(super) async fn edit(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        id: PostId,
        content: &Content,
    ) -> Result<(), ApplyError> {
        let mut query = target::Entity::find()
            .filter(target::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(target::Column::PostId.eq(id.uuid()))
            .order_by_asc(target::Column::Id);
        if self.is_postgres() {
            query = query.lock_exclusive();
        }
        let rows = query.all(tx).await?;
        if rows.is_empty() {
            return Err(Refusal::NotFound {
                what: id.to_string(),
            }
            .into());
        }
        rows.iter().try_for_each(refuse_begun)?;
        let content = serde_json::to_value(content)
            .map_err(|error| StoreError::corrupt("posts", id, error.to_string()))?;
        post::Entity::update_many()
            .col_expr(post::Column::Content, content.into())
            .col_expr(
                post::Column::Revision,
                Expr::col(post::Column::Revision).add(1),
            )
            .filter(post::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(post::Column::Id.eq(id.uuid()))
            .exec(tx)
            .await?;
        Ok(())
    }

    pub(super) async fn schedule(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        new: &NewPost,
        now: Time,
    ) -> Result<(), StoreError> {
        let content = serde_json::to_value(&new.content)
            .map_err(|error| StoreError::corrupt("posts", new.post, error.to_string()))?;
        let row = post::ActiveModel {
            id: Set(new.post.uuid()),
            workspace_id: Set(workspace.uuid()),
            content: Set(content),
            revision: Set(1),
            due_at: Set(new.due.timestamp_millis()),
            critical: Set(new.critical),
            created_at: Set(now.timestamp_millis()),
        };
        post::Entity::insert(row).exec_without_returning(tx).await?;
        let targets = new
            .targets
            .iter()
            .map(|(id, connection, platform)| target::ActiveModel {
                id: Set(id.uuid()),
                workspace_id: Set(workspace.uuid()),
                post_id: Set(new.post.uuid()),
                connection_id: Set(connection.uuid()),
                platform: Set(platform.as_str().to_owned()),
                edition: Set(1),
                stage: Set(Stage::Scheduled.rank()),
                reason: Set(None),
                due_at: Set(new.due.timestamp_millis()),
                verdict: Set(None),
                verdict_at: Set(None),
                permalink: Set(None),
                prepared: Set(None),
                prepared_revision: Set(None),
                address: Set(None),
                address_at: Set(None),
            });
        target::Entity::insert_many(targets)
            .exec_without_returning(tx)
            .await?;
        Ok(())
    }
}

fn refuse_begun(row: &target::Model) -> Result<(), Refusal> {
    if row.stage == Stage::Scheduled.rank() {
        return Ok(());
    }
    let stage = Stage::from_rank(row.stage).map_or("unknown", Stage::as_str);
    Err(Refusal::AlreadyBegun {
        target: TargetId::from_uuid(row.id),
        stage: stage.to_owned(),
    })
}
