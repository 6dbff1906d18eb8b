//! Facts, written by their own id and never by the fence.

use mooring_domain::{
    AttemptId, Event, Evidence, GrantId, JobKind, Poke, TargetId, Time, WorkspaceId,
    grant::{AuthState, Renewed},
    post::{Accepted, Settlement, Stage},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, ExprTrait,
    PaginatorTrait, QueryFilter, sea_query::Expr,
};

use super::{JobResult, Secrets, TokensStored, stream::Scribe};
use crate::{
    Store, StoreError,
    entity::{attempt, grant, target},
    jobs::platform_of,
    vaulted::Column,
};

impl Store {
    /// Writes a decision's facts, and what follows from a fact that is new: its event, its target's progress,
    /// its read-back.
    pub(super) async fn keep_evidence(
        &self,
        tx: &DatabaseTransaction,
        result: &JobResult,
    ) -> Result<Option<TokensStored>, StoreError> {
        let mut tokens = None;
        for evidence in &result.decision.evidence {
            match evidence {
                Evidence::Accepted {
                    attempt,
                    accepted,
                    at,
                } => {
                    self.keep_acceptance(tx, result, *attempt, accepted, *at)
                        .await?;
                }
                Evidence::CallEnded {
                    attempt,
                    failure,
                    at,
                } => {
                    let failure = serde_json::to_value(failure).map_err(|error| {
                        StoreError::corrupt("publish_attempts", attempt, error.to_string())
                    })?;
                    attempt::Entity::update_many()
                        .col_expr(attempt::Column::CallEndedAt, at.timestamp_millis().into())
                        .col_expr(attempt::Column::Failure, failure.into())
                        .filter(attempt::Column::Id.eq(attempt.uuid()))
                        .filter(attempt::Column::CallEndedAt.is_null())
                        .exec(tx)
                        .await?;
                }
                Evidence::Processing {
                    attempt,
                    handle,
                    at,
                } => self.keep_order(tx, *attempt, handle, *at).await?,
                Evidence::Renewed {
                    grant,
                    spent_version,
                    renewed,
                    at,
                } => {
                    let stored = self
                        .keep_tokens(tx, *grant, *spent_version, renewed, &result.secrets, *at)
                        .await?;
                    if stored == TokensStored::Stored {
                        self.tell_renewal(tx, result, *grant, renewed).await?;
                    }
                    tokens = Some(stored);
                }
            }
        }
        Ok(tokens)
    }

    /// The platform works on the attempt's order: its call is over, and this is what to ask for.
    async fn keep_order(
        &self,
        tx: &DatabaseTransaction,
        id: AttemptId,
        handle: &str,
        at: Time,
    ) -> Result<(), StoreError> {
        attempt::Entity::update_many()
            .col_expr(attempt::Column::Handle, handle.into())
            .col_expr(attempt::Column::CallEndedAt, at.timestamp_millis().into())
            .filter(attempt::Column::Id.eq(id.uuid()))
            .filter(attempt::Column::Handle.is_null())
            .exec(tx)
            .await?;
        Ok(())
    }

    async fn keep_acceptance(
        &self,
        tx: &DatabaseTransaction,
        result: &JobResult,
        id: AttemptId,
        accepted: &Accepted,
        at: Time,
    ) -> Result<(), StoreError> {
        let Some(row) = attempt::Entity::find_by_id(id.uuid()).one(tx).await? else {
            return Err(StoreError::corrupt("publish_attempts", id, "is gone"));
        };
        let owner = attempt::Entity::find()
            .filter(attempt::Column::ConnectionId.eq(row.connection_id))
            .filter(attempt::Column::RemoteId.eq(accepted.remote_id.as_str()))
            .filter(attempt::Column::Id.ne(row.id))
            .one(tx)
            .await?;
        if let Some(owner) = owner {
            return self.keep_shared(tx, &row, &owner).await;
        }
        let told = attempt::Entity::update_many()
            .set(attempt::ActiveModel {
                accepted_at: Set(Some(at.timestamp_millis())),
                remote_id: Set(Some(accepted.remote_id.clone())),
                permalink: Set(accepted.permalink.clone()),
                settlement: Set(Some(Settlement::Found.as_str().to_owned())),
                ..Default::default()
            })
            .filter(attempt::Column::Id.eq(row.id))
            .filter(attempt::Column::AcceptedAt.is_null())
            .exec(tx)
            .await?;
        if told.rows_affected == 0 {
            // The same news came before: its event, its progress and its read-back are there.
            return Ok(());
        }
        let target = TargetId::from_uuid(row.target_id);
        self.raise_target(tx, target, row.edition, Stage::Accepted, None)
            .await?;
        if let Some(permalink) = &accepted.permalink {
            target::Entity::update_many()
                .col_expr(target::Column::Permalink, permalink.clone().into())
                .filter(target::Column::Id.eq(row.target_id))
                .filter(target::Column::Edition.eq(row.edition))
                .exec(tx)
                .await?;
        }
        let workspace = WorkspaceId::from_uuid(row.workspace_id);
        let event = Event::TargetAccepted {
            target,
            attempt: id,
            remote_id: accepted.remote_id.clone(),
        };
        self.write_events(tx, &scribe(result, workspace), &[event])
            .await?;
        let verify = Poke::Job {
            kind: JobKind::Verify,
            subject: row.id,
            platform: platform_of("publish_attempts", row.id, &row.platform)?,
            at,
            priority: 200,
        };
        self.poke(tx, workspace, &verify, None).await
    }

    /// The post belongs to another attempt already. Of the same target: this attempt's call had no effect of
    /// its own, and is settled. Of another target: it is the twin's post, this attempt dangles on and is looked
    /// for without it.
    async fn keep_shared(
        &self,
        tx: &DatabaseTransaction,
        row: &attempt::Model,
        owner: &attempt::Model,
    ) -> Result<(), StoreError> {
        if owner.target_id != row.target_id {
            tracing::warn!(event.name = "acceptance.of_a_twin", attempt.id = %row.id, owner.id = %owner.id, "the platform named a post that belongs to another attempt");
            return Ok(());
        }
        attempt::Entity::update_many()
            .col_expr(
                attempt::Column::Settlement,
                Settlement::Found.as_str().into(),
            )
            .filter(attempt::Column::Id.eq(row.id))
            .exec(tx)
            .await?;
        Ok(())
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
        let lower = Condition::any()
            .add(target::Column::Edition.lt(edition))
            .add(
                target::Column::Edition
                    .eq(edition)
                    .and(target::Column::Stage.lt(stage.rank())),
            );
        let raised = target::Entity::update_many()
            .col_expr(target::Column::Edition, edition.into())
            .col_expr(target::Column::Stage, stage.rank().into())
            .col_expr(target::Column::Reason, Expr::value(reason))
            .filter(target::Column::Id.eq(id.uuid()))
            .filter(lower)
            .exec(tx)
            .await?;
        Ok(raised.rows_affected > 0)
    }

    /// Stores new tokens if the stored ones are those that were spent.
    async fn keep_tokens(
        &self,
        tx: &DatabaseTransaction,
        id: GrantId,
        spent_version: i64,
        renewed: &Renewed,
        secrets: &Secrets,
        at: Time,
    ) -> Result<TokensStored, StoreError> {
        let found = secrets.grants.iter().find(|(grant, ..)| *grant == id);
        let (_, access, refresh) =
            found.ok_or_else(|| StoreError::corrupt("grants", id, "was renewed without tokens"))?;
        let row = id.uuid();
        let mut changed = grant::ActiveModel {
            access_token: Set(Some(self.seal(Column::GrantAccess, row, access))),
            token_version: Set(spent_version + 1),
            issued_at: Set(at.timestamp_millis()),
            access_expires_at: Set(renewed.access_expires_at.map(|at| at.timestamp_millis())),
            state: Set(AuthState::Connected.as_str().to_owned()),
            state_why: Set(None),
            refresh_begun_at: Set(None),
            refresh_holder: Set(None),
            refreshing_until: Set(None),
            refresh_exhausted: Set(false),
            ..Default::default()
        };
        // An answer without a refresh token means: keep the old one. It can never be emptied.
        if let Some(refresh) = refresh {
            changed.refresh_token = Set(Some(self.seal(Column::GrantRefresh, row, refresh)));
        }
        if let Some(end) = renewed.refresh_expires_at {
            changed.refresh_expires_at = Set(Some(end.timestamp_millis()));
        }
        if let Some(scopes) = &renewed.scopes {
            changed.scopes = Set(Some(serde_json::json!(scopes)));
        }
        let stored = grant::Entity::update_many()
            .set(changed)
            .filter(grant::Column::Id.eq(row))
            .filter(grant::Column::TokenVersion.eq(spent_version))
            .filter(grant::Column::AccessToken.is_not_null())
            .exec(tx)
            .await?;
        if stored.rows_affected > 0 {
            return Ok(TokensStored::Stored);
        }
        let kept = grant::Entity::find_by_id(row)
            .filter(grant::Column::AccessToken.is_not_null())
            .count(tx)
            .await?;
        Ok(if kept > 0 {
            TokensStored::Superseded
        } else {
            TokensStored::GrantGone
        })
    }

    async fn tell_renewal(
        &self,
        tx: &DatabaseTransaction,
        result: &JobResult,
        id: GrantId,
        renewed: &Renewed,
    ) -> Result<(), StoreError> {
        let Some(row) = grant::Entity::find_by_id(id.uuid()).one(tx).await? else {
            return Ok(());
        };
        let event = Event::TokenRefreshed {
            grant: id,
            access_expires_at: renewed.access_expires_at,
        };
        let workspace = WorkspaceId::from_uuid(row.workspace_id);
        self.write_events(tx, &scribe(result, workspace), &[event])
            .await
    }
}

fn scribe(result: &JobResult, workspace: WorkspaceId) -> Scribe {
    Scribe {
        workspace,
        actor: result.process.to_string(),
        origin: None,
        trace_id: result.trace_id.clone(),
        now: result.now,
    }
}
