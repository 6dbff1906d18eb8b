//! Writing what is known about a target: how far it has come, its verdict and its address.
//!
//! Beside this, a begin and a disconnect move targets that they have locked and found waiting. Whatever is learnt (a publish's result, a read-back, a webhook, a person's word) comes through here, under the target's
//! lock, and is merged by the domain's rule: order and repetition change nothing.

use mooring_domain::{
    TargetId, Time,
    post::{Known, Observed, Progress, Sight, Stage, TargetNews},
    time::from_ms,
};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, sea_query::Expr};

use crate::{
    Store, StoreError,
    entity::target::{self, Column},
};

impl Store {
    /// Merges news into a target. Says whether anything changed.
    pub(super) async fn merge_target(
        &self,
        tx: &DatabaseTransaction,
        id: TargetId,
        news: TargetNews,
    ) -> Result<bool, StoreError> {
        let Some(row) = self.lock_target(tx, id.uuid()).await? else {
            return Err(StoreError::corrupt("post_targets", id, "is gone"));
        };
        let before = known(&row)?;
        let after = before.clone().merge(news);
        if after == before && after.link() == row.permalink.as_deref() {
            return Ok(false);
        }
        let (verdict, verdict_at) = match after.observed {
            Some(seen) => (Some(seen.as_what.as_str()), Some(ms(seen.at))),
            None => (None, None),
        };
        let (address_at, address) = after.address.clone().unzip();
        target::Entity::update_many()
            .col_expr(Column::Edition, after.progress.edition.into())
            .col_expr(Column::Stage, after.progress.stage.rank().into())
            .col_expr(Column::Reason, Expr::value(after.reason.clone()))
            .col_expr(Column::Verdict, Expr::value(verdict))
            .col_expr(Column::VerdictAt, Expr::value(verdict_at))
            .col_expr(Column::Address, Expr::value(address))
            .col_expr(Column::AddressAt, Expr::value(address_at.map(ms)))
            // A dead link helps nobody.
            .col_expr(Column::Permalink, Expr::value(after.link()))
            .filter(Column::Id.eq(id.uuid()))
            .exec(tx)
            .await?;
        Ok(true)
    }

    /// Lifts a target's progress; never lowers it.
    pub(super) async fn raise_target(
        &self,
        tx: &DatabaseTransaction,
        id: TargetId,
        edition: i32,
        stage: Stage,
        reason: Option<String>,
    ) -> Result<bool, StoreError> {
        let to = Progress { edition, stage };
        self.merge_target(tx, id, TargetNews::Moved { to, reason })
            .await
    }
}

const fn ms(at: Time) -> i64 {
    at.timestamp_millis()
}

fn known(row: &target::Model) -> Result<Known, StoreError> {
    let corrupt = |what| StoreError::corrupt("post_targets", row.id, what);
    let stage = Stage::from_rank(row.stage).ok_or_else(|| corrupt("its stage is unknown"))?;
    let observed = match (&row.verdict, row.verdict_at) {
        (Some(verdict), Some(at)) => Some(Observed {
            at: from_ms(at),
            as_what: Sight::parse(verdict).ok_or_else(|| corrupt("its verdict is unknown"))?,
        }),
        _ => None,
    };
    // A row of the release before has a link and no address beside it.
    let address = row.address.clone().or_else(|| row.permalink.clone());
    Ok(Known {
        progress: Progress {
            edition: row.edition,
            stage,
        },
        reason: row.reason.clone(),
        observed,
        address: address.map(|address| (from_ms(row.address_at.unwrap_or(0)), address)),
    })
}
