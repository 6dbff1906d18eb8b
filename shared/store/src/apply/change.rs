//! Changes of state, inside the fence.

use mooring_domain::{
    AttemptId, Change, ConnectionId, Event, GrantId, TargetId, Time, WorkspaceId,
    grant::AuthState,
    post::{Preparation, Settlement, Sight, TargetNews, Verdict},
};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait,
    ExprTrait, QueryFilter, sea_query::Expr,
};

use super::Secrets;
use crate::{
    Store, StoreError,
    entity::{attempt, connection, grant, proof, target},
    vaulted::Column,
};

impl Store {
    /// Writes one change. Returns the events of changes that only the database can tell to have happened.
    pub(super) async fn change(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        change: &Change,
        secrets: &Secrets,
        now: Time,
    ) -> Result<Vec<Event>, StoreError> {
        match change {
            Change::LookFailed { .. } | Change::EndWarned { .. } | Change::Surveyed { .. } => {
                self.fact_change(tx, workspace, change, secrets).await
            }
            Change::ConnectionSeen { .. }
            | Change::GrantState { .. }
            | Change::AccessEnded { .. }
            | Change::GrantProbed { .. }
            | Change::RefreshEnded { .. } => {
                self.credential_change(tx, workspace, change, now).await
            }
            Change::TargetMoved { .. }
            | Change::TargetPrepared { .. }
            | Change::AttemptSettled { .. }
            | Change::Verified { .. } => {
                self.post_change(tx, workspace, change).await?;
                Ok(Vec::new())
            }
            Change::NewsCame(_)
            | Change::NewsMerged { .. }
            | Change::ProbeWanted { .. }
            | Change::WebhookSecretSet { .. } => {
                self.news_change(tx, workspace, change, secrets).await?;
                Ok(Vec::new())
            }
            Change::Resealed {
                number,
                walk,
                unreadable,
            } => {
                let values = &secrets.resealed;
                self.keep_resealed(tx, *number, walk, *unreadable, values, now)
                    .await?;
                Ok(Vec::new())
            }
            Change::Ledger(step) => {
                self.keep_ledger(tx, step, now).await?;
                Ok(Vec::new())
            }
            Change::WorkspaceCreated { .. }
            | Change::BrandCreated { .. }
            | Change::AppRegistered { .. }
            | Change::KeyCreated(_)
            | Change::KeyRevoked { .. }
            | Change::ConnectBegun(_)
            | Change::ConnectCalledBack { .. }
            | Change::ConnectOffered { .. }
            | Change::ConnectFailed { .. }
            | Change::ConnectLapsed { .. }
            | Change::GrantConnected(_)
            | Change::LinkMade(_)
            | Change::LinkUsed { .. }
            | Change::PlanSet { .. }
            | Change::MediaAdded(_)
            | Change::ConnectionImported(_)
            | Change::ConnectionsRemoved(_)
            | Change::ConnectionEdited { .. }
            | Change::MainConnection { .. }
            | Change::PostScheduled(_)
            | Change::PostEdited(_)
            | Change::PostCancelled { .. }
            | Change::PublishedAgain(_)
            | Change::TargetCancelled { .. }
            | Change::TargetSaidRemoved { .. }
            | Change::NativePublished(_)
            | Change::VaultKeyActivated { .. }
            | Change::BackupRestored(_) => {
                self.act_change(tx, workspace, change, secrets, now).await?;
                Ok(Vec::new())
            }
        }
    }

    /// What checks and refreshes change.
    async fn credential_change(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        change: &Change,
        now: Time,
    ) -> Result<Vec<Event>, StoreError> {
        match change {
            Change::GrantState {
                grant,
                token_version,
                state,
                why,
            } => {
                let judged = self
                    .judge_grant(tx, workspace, *grant, *token_version, *state, why)
                    .await?;
                if !judged {
                    return Ok(Vec::new());
                }
                return self
                    .verdict_news(tx, workspace, *grant, *state, why, now)
                    .await;
            }
            Change::ConnectionSeen {
                connection,
                seen,
                health,
            } => {
                let row = seen_row(seen, health);
                self.note_connection(tx, workspace, *connection, row)
                    .await?;
            }
            Change::AccessEnded {
                grant,
                token_version,
                at,
            } => {
                self.end_access(tx, workspace, *grant, *token_version, *at)
                    .await?;
            }
            Change::GrantProbed {
                grant,
                token_version,
                access_expires_at,
                scopes,
                at,
            } => {
                let row = probed_row(*access_expires_at, scopes.as_deref(), *at);
                self.note_grant(tx, workspace, *grant, Some(*token_version), row)
                    .await?;
            }
            Change::RefreshEnded {
                grant,
                exhausted,
                still_begun,
            } => {
                let row = ended_row(*exhausted, *still_begun);
                self.end_refresh(tx, workspace, *grant, *exhausted || *still_begun, row)
                    .await?;
            }
            _ => {}
        }
        Ok(Vec::new())
    }

    /// What publishes and read-backs change.
    async fn post_change(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        change: &Change,
    ) -> Result<(), StoreError> {
        match change {
            Change::TargetMoved {
                target,
                edition,
                stage,
                reason,
            } => {
                self.raise_target(tx, *target, *edition, *stage, reason.clone())
                    .await?;
                Ok(())
            }
            Change::TargetPrepared {
                target,
                revision,
                preparation,
            } => {
                self.keep_preparation(tx, workspace, *target, *revision, preparation.as_ref())
                    .await
            }
            Change::AttemptSettled {
                attempt,
                settlement,
            } => self.settle(tx, workspace, *attempt, *settlement).await,
            Change::Verified {
                attempt,
                target,
                verdict,
                at,
            } => {
                self.prove(
                    tx,
                    workspace,
                    (*attempt).uuid(),
                    (*target).uuid(),
                    verdict,
                    *at,
                )
                .await
            }
            _ => Ok(()),
        }
    }

    pub(super) async fn note_connection(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        id: ConnectionId,
        row: connection::ActiveModel,
    ) -> Result<(), StoreError> {
        connection::Entity::update_many()
            .set(row)
            .filter(connection::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(connection::Column::Id.eq(id.uuid()))
            // What was seen of one that is gone is no news.
            .filter(connection::Column::RemovedAt.is_null())
            .exec(tx)
            .await?;
        Ok(())
    }

    /// Writes columns of a grant; with a version, only while these very tokens are stored.
    async fn note_grant(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        id: GrantId,
        token_version: Option<i64>,
        row: grant::ActiveModel,
    ) -> Result<(), StoreError> {
        if !row.is_changed() {
            return Ok(());
        }
        let mut update = grant::Entity::update_many()
            .set(row)
            .filter(grant::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(grant::Column::Id.eq(id.uuid()));
        if let Some(version) = token_version {
            update = update.filter(grant::Column::TokenVersion.eq(version));
        }
        update.exec(tx).await?;
        Ok(())
    }

    /// The end of a refresh. What it says of the tokens holds only while it counts as begun: tokens that a reconnect
    /// has brought meanwhile are others, and nothing is known against them.
    async fn end_refresh(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        id: GrantId,
        of_these_tokens: bool,
        row: grant::ActiveModel,
    ) -> Result<(), StoreError> {
        if !row.is_changed() {
            return Ok(());
        }
        let mut update = grant::Entity::update_many()
            .set(row)
            .filter(grant::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(grant::Column::Id.eq(id.uuid()));
        if of_these_tokens {
            update = update.filter(grant::Column::RefreshBegunAt.is_not_null());
        }
        update.exec(tx).await?;
        Ok(())
    }

    async fn end_access(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        id: GrantId,
        token_version: i64,
        at: Time,
    ) -> Result<(), StoreError> {
        let ms = at.timestamp_millis();
        grant::Entity::update_many()
            .col_expr(grant::Column::AccessExpiresAt, ms.into())
            .filter(grant::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(grant::Column::Id.eq(id.uuid()))
            .filter(grant::Column::TokenVersion.eq(token_version))
            .filter(
                // A token that does not end as far as anybody knew has ended, too.
                grant::Column::AccessExpiresAt
                    .gt(ms)
                    .or(grant::Column::AccessExpiresAt.is_null()),
            )
            .exec(tx)
            .await?;
        Ok(())
    }

    async fn keep_preparation(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        id: TargetId,
        revision: i32,
        preparation: Option<&Preparation>,
    ) -> Result<(), StoreError> {
        let seal = |one| self.seal_json(Column::TargetPrepared, id.uuid(), one);
        let prepared: Option<Vec<u8>> = preparation.map(seal);
        target::Entity::update_many()
            .col_expr(target::Column::Prepared, Expr::value(prepared))
            .col_expr(target::Column::PreparedRevision, revision.into())
            .filter(target::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(target::Column::Id.eq(id.uuid()))
            .exec(tx)
            .await?;
        Ok(())
    }

    async fn settle(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        id: AttemptId,
        settlement: Settlement,
    ) -> Result<(), StoreError> {
        attempt::Entity::update_many()
            .col_expr(attempt::Column::Settlement, settlement.as_str().into())
            .filter(attempt::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(attempt::Column::Id.eq(id.uuid()))
            .filter(attempt::Column::Settlement.is_null())
            .exec(tx)
            .await?;
        Ok(())
    }

    /// A verdict on a credential holds only for the tokens that it is about, and never while a refresh that
    /// has begun may be replacing them.
    async fn judge_grant(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        id: GrantId,
        token_version: i64,
        state: AuthState,
        why: &str,
    ) -> Result<bool, StoreError> {
        let changed = grant::Entity::update_many()
            .col_expr(grant::Column::State, state.as_str().into())
            .col_expr(grant::Column::StateWhy, why.into())
            .filter(grant::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(grant::Column::Id.eq(id.uuid()))
            .filter(grant::Column::TokenVersion.eq(token_version))
            .filter(grant::Column::RefreshBegunAt.is_null())
            .filter(grant::Column::State.ne(state.as_str()))
            .exec(tx)
            .await?;
        Ok(changed.rows_affected > 0)
    }

    /// A proof row, and the target's newest verdict: the newest observation wins, whatever it says.
    pub(super) async fn prove(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        attempt_id: uuid::Uuid,
        target_id: uuid::Uuid,
        verdict: &Verdict,
        at: Time,
    ) -> Result<(), StoreError> {
        let Some(attempt) = attempt::Entity::find_by_id(attempt_id)
            .filter(attempt::Column::WorkspaceId.eq(workspace.uuid()))
            .one(tx)
            .await?
        else {
            return Err(StoreError::corrupt(
                "publish_attempts",
                attempt_id,
                "is gone",
            ));
        };
        let (permalink, digest) = match verdict {
            Verdict::Live { permalink, digest } => (permalink.clone(), digest.clone()),
            Verdict::Altered { permalink, digest } => (permalink.clone(), Some(digest.clone())),
            Verdict::Removed | Verdict::Unverifiable => (None, None),
        };
        let row = proof::ActiveModel {
            id: Set(self.mint::<mooring_domain::id::kind::Proof>(at).uuid()),
            workspace_id: Set(workspace.uuid()),
            target_id: Set(target_id),
            attempt_id: Set(attempt_id),
            verdict: Set(verdict.as_str().to_owned()),
            remote_id: Set(attempt.remote_id.unwrap_or_default()),
            permalink: Set(permalink.clone()),
            digest: Set(digest),
            seen_at: Set(at.timestamp_millis()),
        };
        proof::Entity::insert(row)
            .exec_without_returning(tx)
            .await?;
        let seen = TargetNews::Seen {
            edition: attempt.edition,
            at,
            what: Sight::from(verdict),
            address: permalink,
        };
        let target = TargetId::from_uuid(target_id);
        self.merge_target(tx, target, seen).await?;
        Ok(())
    }
}

fn seen_row(
    seen: &mooring_domain::connection::ConnectionSeen,
    health: &mooring_domain::connection::Assessment,
) -> connection::ActiveModel {
    let mut row = connection::ActiveModel {
        scopes_missing: Set(serde_json::json!(seen.scopes_missing)),
        checked_at: Set(Some(seen.checked_at.timestamp_millis())),
        health: Set(health.health.as_str().to_owned()),
        reasons: Set(serde_json::json!(health.reasons)),
        failed_looks: Set(0),
        failed_why: Set(None),
        failed_since: Set(None),
        failed_at: Set(None),
        ..Default::default()
    };
    if let Some(about) = &seen.about {
        row.about = Set(Some(serde_json::json!(about)));
    }
    if let Some(account) = seen.account {
        row.account = Set(Some(account.as_str().to_owned()));
    }
    if let Some(name) = &seen.name {
        row.name = Set(name.clone());
    }
    if seen.used {
        row.used_at = Set(Some(seen.checked_at.timestamp_millis()));
    }
    row
}

fn probed_row(
    access_expires_at: Option<Time>,
    scopes: Option<&[String]>,
    at: Time,
) -> grant::ActiveModel {
    let mut row = grant::ActiveModel {
        probed_at: Set(Some(at.timestamp_millis())),
        ..Default::default()
    };
    if let Some(end) = access_expires_at {
        row.access_expires_at = Set(Some(end.timestamp_millis()));
    }
    if let Some(scopes) = scopes {
        row.scopes = Set(Some(serde_json::json!(scopes)));
    }
    row
}

fn ended_row(exhausted: bool, still_begun: bool) -> grant::ActiveModel {
    let mut row = grant::ActiveModel {
        // Whoever tells this knows that the call is over, so nobody need wait for that process to end.
        refresh_holder: Set(None),
        ..Default::default()
    };
    if !still_begun {
        row.refresh_begun_at = Set(None);
    }
    // Whatever came of it, it does not run any more.
    row.refreshing_until = Set(None);
    if exhausted {
        row.refresh_exhausted = Set(true);
    }
    row
}
