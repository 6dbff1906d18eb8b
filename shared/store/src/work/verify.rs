//! What a read-back needs.

use mooring_domain::{
    AttemptId, ConnectionId, GrantId, TargetId, Time, WorkspaceId,
    connection::{AccountState, may},
    platform::Right,
    post::verify::VerifyWork,
    time::from_ms,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::{Credentials, content_for, facts};
use crate::{
    Held, Store, StoreError,
    entity::{attempt, post, target},
    jobs::platform_of,
};

/// An accepted attempt to look at.
#[derive(Debug)]
pub struct VerifyJob {
    /// The facts.
    pub work: VerifyWork,
    /// The post's id at the platform.
    pub remote_id: String,
    /// What the call needs; `None` when the grant holds no token.
    pub credentials: Option<Credentials>,
}

impl Store {
    /// Loads a read-back. `None`: the attempt is gone or was never accepted.
    pub async fn verify_job(
        &self,
        held: &Held,
        now: Time,
    ) -> Result<Option<VerifyJob>, StoreError> {
        let (workspace, subject) = (held.workspace, held.fence.subject);
        self.verify_of(workspace, subject, held.attempt, now).await
    }

    /// Loads a look at an accepted attempt that no job is at: somebody waits for its result.
    pub async fn live_verify(
        &self,
        workspace: WorkspaceId,
        attempt: AttemptId,
        now: Time,
    ) -> Result<Option<VerifyJob>, StoreError> {
        self.verify_of(workspace, attempt.uuid(), 0, now).await
    }

    async fn verify_of(
        &self,
        workspace: WorkspaceId,
        subject: Uuid,
        tries: u16,
        now: Time,
    ) -> Result<Option<VerifyJob>, StoreError> {
        let workspace = workspace.uuid();
        let row = attempt::Entity::find_by_id(subject)
            .filter(attempt::Column::WorkspaceId.eq(workspace))
            .one(&self.db)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let (Some(remote_id), Some(accepted_at)) = (row.remote_id, row.accepted_at) else {
            return Ok(None);
        };
        let found = self.connection_row(workspace, row.connection_id).await?;
        let Some((connection, grant)) = found else {
            return Ok(None);
        };
        let Some(target) = target::Entity::find_by_id(row.target_id)
            .one(&self.db)
            .await?
        else {
            return Ok(None);
        };
        let Some(post) = post::Entity::find_by_id(target.post_id)
            .one(&self.db)
            .await?
        else {
            return Err(StoreError::corrupt(
                "post_targets",
                target.id,
                "has no post",
            ));
        };
        let (facts, of_grant) = facts(&connection, &grant, &self.policy, now)?;
        Ok(Some(VerifyJob {
            credentials: self.credentials(&grant, Some(&connection)).await?,
            remote_id,
            work: VerifyWork {
                attempt_id: AttemptId::from_uuid(row.id),
                target: TargetId::from_uuid(row.target_id),
                edition: row.edition,
                connection: ConnectionId::from_uuid(connection.id),
                removed: connection.removed_at.is_some(),
                platform: platform_of("publish_attempts", row.id, &row.platform)?,
                grant_id: GrantId::from_uuid(grant.id),
                grant: of_grant,
                account: connection.account.as_deref().and_then(AccountState::parse),
                scopes_missing: !facts.scopes_missing.is_empty(),
                reading_declined: !may(&facts.scopes_declined, Right::Verify),
                checked_at: connection.checked_at.map(from_ms),
                format: content_for(&post, &target)?.format,
                begun_at: from_ms(row.begun_at),
                accepted_at: from_ms(accepted_at),
                sent_digest: row.digest,
                // Another edition's verdict says nothing about this one.
                verdict: target.verdict.filter(|_| target.edition == row.edition),
                attempt: tries,
            },
        }))
    }
}
