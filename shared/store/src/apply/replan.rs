//! The publish jobs of targets that people give another time.
//!
//! Whoever begins or ends a run has the job's lock and then wants the target's. So an act that touches both takes them in
//! this order, too.

use mooring_domain::{JobKind, Time, acts::publish_priority};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::Expr,
};
use uuid::Uuid;

use crate::{Store, StoreError, entity::job};

impl Store {
    /// Locks the publish jobs of targets, in the order of their ids.
    pub(super) async fn lock_publishes(
        &self,
        tx: &DatabaseTransaction,
        targets: &[Uuid],
    ) -> Result<(), StoreError> {
        if !self.is_postgres() {
            return Ok(());
        }
        let _locked: Vec<Uuid> = job::Entity::find()
            .select_only()
            .column(job::Column::SubjectId)
            .filter(job::Column::Kind.eq(JobKind::Publish.as_str()))
            .filter(job::Column::SubjectId.is_in(targets.iter().copied()))
            .order_by_asc(job::Column::SubjectId)
            .lock_exclusive()
            .into_tuple()
            .all(tx)
            .await?;
        Ok(())
    }

    /// Gives a waiting job its new time and urgency, also where that is later or less. A job that somebody holds decides
    /// anew by itself, and a poke leaves it the wish.
    pub(super) async fn replan(
        &self,
        tx: &DatabaseTransaction,
        target: Uuid,
        at: Time,
        critical: bool,
    ) -> Result<(), StoreError> {
        let at = at.timestamp_millis();
        let of_target = || {
            job::Entity::update_many()
                .filter(job::Column::Kind.eq(JobKind::Publish.as_str()))
                .filter(job::Column::SubjectId.eq(target))
                .filter(job::Column::LeaseUntil.is_null())
        };
        of_target()
            .col_expr(job::Column::Priority, publish_priority(critical).into())
            .col_expr(job::Column::RunAt, at.into())
            .exec(tx)
            .await?;
        // A pause has a reason of its own: at its end the run finds the new time.
        of_target()
            .col_expr(job::Column::VisibleAt, Expr::col(job::Column::RunAt))
            .filter(
                job::Column::Parked
                    .is_null()
                    .and(job::Column::VisibleAt.ne(at)),
            )
            .exec(tx)
            .await?;
        Ok(())
    }
}
