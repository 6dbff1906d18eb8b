//! Publishing again: the next edition of a target that has ended.

use mooring_domain::{
    ConnectionId, Event, PostId, TargetId, WorkspaceId,
    event::TargetPublishedAgain,
    post::{
        Stage, fingerprint,
        plan::{NotAgain, PublishAgain, may_publish_again},
    },
};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
    sea_query::Expr,
};

use super::{ApplyError, Refusal, twice::Wanted};
use crate::{
    Store, StoreError,
    entity::{attempt, connection, post, target},
    work::content_for,
};

impl Store {
    /// Begins a target's next edition. Its record is empty: what the edition before was, its attempts and proofs keep.
    pub(super) async fn publish_again(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        again: &PublishAgain,
    ) -> Result<Vec<Event>, ApplyError> {
        let id = again.target;
        let not_found = || Refusal::NotFound {
            what: id.to_string(),
        };
        // In the order of every other: the connection, its contents, the job, the target.
        let seen = target::Entity::find_by_id(id.uuid())
            .filter(target::Column::WorkspaceId.eq(workspace.uuid()))
            .one(tx)
            .await?
            .ok_or_else(not_found)?;
        self.refuse_gone_connection(tx, &seen).await?;
        self.lock_contents(tx, [seen.connection_id]).await?;
        self.lock_publishes(tx, &[seen.id]).await?;
        let row = self
            .lock_target(tx, id.uuid())
            .await?
            .ok_or_else(not_found)?;
        self.refuse_again(tx, &row, again).await?;
        let Some(post) = post::Entity::find_by_id(row.post_id).one(tx).await? else {
            return Err(StoreError::corrupt("post_targets", row.id, "has no post").into());
        };
        let wanted = Wanted {
            target: id,
            connection: ConnectionId::from_uuid(row.connection_id),
            fingerprint: fingerprint(&content_for(&post, &row)?),
            due: again.due,
        };
        if !again.allow_duplicate {
            self.refuse_alike(tx, &wanted).await?;
        }
        self.begin_edition(tx, &row, wanted).await?;
        Ok(vec![Event::TargetPublishedAgain(TargetPublishedAgain {
            target: id,
            edition: row.edition + 1,
            due: again.due,
        })])
    }

    async fn refuse_gone_connection(
        &self,
        tx: &DatabaseTransaction,
        row: &target::Model,
    ) -> Result<(), ApplyError> {
        let mut query = connection::Entity::find_by_id(row.connection_id);
        if self.is_postgres() {
            query = query.lock_shared();
        }
        let found = query.one(tx).await?;
        if found.is_some_and(|one| one.removed_at.is_none()) {
            return Ok(());
        }
        let connection = ConnectionId::from_uuid(row.connection_id);
        Err(Refusal::ConnectionRemoved { connection }.into())
    }

    async fn refuse_again(
        &self,
        tx: &DatabaseTransaction,
        row: &target::Model,
        again: &PublishAgain,
    ) -> Result<(), ApplyError> {
        let dangling = attempt::Entity::find()
            .filter(attempt::Column::TargetId.eq(row.id))
            .filter(attempt::Column::Settlement.is_null())
            .count(tx)
            .await?;
        let stage = Stage::from_rank(row.stage)
            .ok_or_else(|| StoreError::corrupt("post_targets", row.id, "its stage is unknown"))?;
        let target = TargetId::from_uuid(row.id);
        let refused = match may_publish_again(stage, dangling > 0, again.even_if_published) {
            Ok(()) => return Ok(()),
            Err(NotAgain::NotEnded) => Refusal::NotEnded { target },
            Err(NotAgain::Dangles) => Refusal::AttemptDangles { target },
            Err(NotAgain::Published) => Refusal::Published {
                target,
                permalink: row.permalink.clone(),
            },
            Err(NotAgain::Unconfirmed) => Refusal::Unconfirmed { target },
        };
        Err(refused.into())
    }

    async fn begin_edition(
        &self,
        tx: &DatabaseTransaction,
        row: &target::Model,
        wanted: Wanted,
    ) -> Result<(), StoreError> {
        let nothing = || Expr::value(Option::<String>::None);
        target::Entity::update_many()
            .col_expr(target::Column::Edition, (row.edition + 1).into())
            .col_expr(target::Column::Stage, Stage::Scheduled.rank().into())
            .col_expr(target::Column::Reason, nothing())
            .col_expr(target::Column::DueAt, wanted.due.timestamp_millis().into())
            .col_expr(target::Column::Verdict, nothing())
            .col_expr(target::Column::VerdictAt, Expr::value(Option::<i64>::None))
            .col_expr(target::Column::Permalink, nothing())
            .col_expr(target::Column::Address, nothing())
            .col_expr(target::Column::AddressAt, Expr::value(Option::<i64>::None))
            .col_expr(
                target::Column::Prepared,
                Expr::value(Option::<Vec<u8>>::None),
            )
            .col_expr(
                target::Column::PreparedRevision,
                Expr::value(Option::<i32>::None),
            )
            .col_expr(target::Column::Fingerprint, wanted.fingerprint.into())
            .filter(target::Column::Id.eq(row.id))
            .exec(tx)
            .await?;
        // However it ends this time, the stream is told, also where it ends as before.
        self.forget_told(tx, PostId::from_uuid(row.post_id)).await
    }
}
