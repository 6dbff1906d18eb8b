//! What a refresh needs, and its begin.

use mooring_domain::{GrantId, ProcessId, Time, grant::RefreshWork};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{Credentials, grant_facts};
use crate::{Held, Store, StoreError, entity::grant, jobs::platform_of};

/// A grant to renew.
#[derive(Debug)]
pub struct RefreshJob {
    /// The facts.
    pub work: RefreshWork,
    /// What the call needs; `None` when the grant holds no token.
    pub credentials: Option<Credentials>,
    /// Who began the refresh that dangles, if one does.
    pub sender: Option<ProcessId>,
}

impl Store {
    /// Loads a refresh. `None`: the grant is gone.
    pub async fn refresh_job(&self, held: &Held) -> Result<Option<RefreshJob>, StoreError> {
        let row = self
            .grant_row(held.workspace.uuid(), held.fence.subject)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let credentials = self.credentials(&row, None).await?;
        let platform = platform_of("grants", row.id, &row.platform)?;
        Ok(Some(RefreshJob {
            credentials,
            sender: row.refresh_holder.map(ProcessId::from_uuid),
            work: RefreshWork {
                grant: GrantId::from_uuid(row.id),
                platform,
                rule: platform.capabilities().refresh,
                facts: grant_facts(&row)?,
                attempt: held.attempt,
                dangling: row.refresh_begun_at.is_some(),
                // No holder: it told that its call is over. Whether another one lives is asked where a rule needs it.
                sender_ended: row.refresh_begun_at.is_some() && row.refresh_holder.is_none(),
                // What is stored by now is asked after an answer that refuses.
                superseded: false,
            },
        }))
    }

    /// The version of the tokens that a grant holds now; `None`: the grant is gone.
    pub async fn token_version(&self, held: &Held) -> Result<Option<i64>, StoreError> {
        let row = self
            .grant_row(held.workspace.uuid(), held.fence.subject)
            .await?;
        Ok(row.map(|row| row.token_version))
    }

    /// Begins a refresh: consumes the claim and notes on the grant that these tokens are being spent, in one
    /// transaction. `false`: the claim is not ours any more, or too little of the lease is left.
    pub async fn begin_refresh(
        &self,
        held: &Held,
        me: ProcessId,
        now: Time,
    ) -> Result<bool, StoreError> {
        let tx = self.begin().await?;
        let begun = self.begin_job(&tx, &held.fence, me.uuid(), now).await?;
        let Some((lease_until, _)) = begun else {
            tx.rollback().await?;
            return Ok(false);
        };
        let begun = grant::Entity::update_many()
            .col_expr(grant::Column::RefreshBegunAt, now.timestamp_millis().into())
            .col_expr(grant::Column::RefreshHolder, me.uuid().into())
            .col_expr(
                grant::Column::RefreshingUntil,
                lease_until.timestamp_millis().into(),
            )
            .filter(grant::Column::WorkspaceId.eq(held.workspace.uuid()))
            .filter(grant::Column::Id.eq(held.fence.subject))
            .filter(grant::Column::AccessToken.is_not_null())
            .exec(&tx)
            .await?;
        if begun.rows_affected == 0 {
            // Disconnected a moment ago: these tokens are not ours to spend any more.
            tx.rollback().await?;
            return Ok(false);
        }
        tx.commit().await?;
        Ok(true)
    }
}
