//! Requests that come with a key of the caller's: each is carried out once, and answered the same again.
//!
//! No business state: only what was answered. The row is written before the work begins, so that of two equal
//! requests one works; it is completed with the answer when the work has ended.

use mooring_domain::{
    Time, WorkspaceId,
    time::{days, from_ms},
};
use mooring_vault::Secret;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter,
    sea_query::{Expr, OnConflict},
};

use crate::{Store, StoreError, entity::idempotency_key, vaulted::Column};

/// How long an answer is remembered.
const REMEMBERED_DAYS: i64 = 1;

/// What an earlier request with the same key has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Earlier {
    /// There was none: this one works, and says how it ended with [`Store::request_answered`].
    None,
    /// It was another request.
    Other,
    /// It is at work, or its process has died at it.
    Unanswered {
        /// When it began.
        since: Time,
    },
    /// It was answered.
    Answered {
        /// Status.
        status: u16,
        /// Body: it may hold what is shown once only.
        body: Secret,
    },
}

impl Store {
    /// Notes a request before its work begins; says what an earlier one with this key has come to.
    pub async fn request_begins(
        &self,
        workspace: WorkspaceId,
        key: &str,
        digest: &str,
        now: Time,
    ) -> Result<Earlier, StoreError> {
        let id = self.mint::<()>(now).uuid();
        let sealed = self.seal(Column::RequestDigest, id, &Secret::from(digest));
        let row = idempotency_key::ActiveModel {
            workspace_id: Set(workspace.uuid()),
            key: Set(key.to_owned()),
            id: Set(id),
            digest: Set(Some(sealed)),
            status: Set(None),
            body: Set(None),
            created_at: Set(now.timestamp_millis()),
        };
        self.forget_request(workspace, key, now).await?;
        let once = OnConflict::columns([
            idempotency_key::Column::WorkspaceId,
            idempotency_key::Column::Key,
        ])
        .do_nothing()
        .to_owned();
        let inserted = idempotency_key::Entity::insert(row)
            .on_conflict(once)
            .exec_without_returning(&self.db)
            .await?;
        if inserted == 1 {
            return Ok(Earlier::None);
        }
        let key = (workspace.uuid(), key.to_owned());
        let row = idempotency_key::Entity::find_by_id(key)
            .one(&self.db)
            .await?;
        // It was refused and forgotten this very moment; without a note of its own this one must not work.
        row.map_or(Ok(Earlier::Unanswered { since: now }), |row| {
            self.earlier(&row, digest)
        })
    }

    /// Forgets a request whose answer need not be remembered any more.
    async fn forget_request(
        &self,
        workspace: WorkspaceId,
        key: &str,
        now: Time,
    ) -> Result<(), StoreError> {
        let old = (now - days(REMEMBERED_DAYS)).timestamp_millis();
        idempotency_key::Entity::delete_many()
            .filter(idempotency_key::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(idempotency_key::Column::Key.eq(key))
            .filter(idempotency_key::Column::CreatedAt.lt(old))
            .exec(&self.db)
            .await?;
        Ok(())
    }

    /// Keeps the answer of a request, sealed, for whoever asks again.
    pub async fn request_answered(
        &self,
        workspace: WorkspaceId,
        key: &str,
        status: u16,
        body: &Secret,
    ) -> Result<(), StoreError> {
        let row = idempotency_key::Entity::find_by_id((workspace.uuid(), key.to_owned()))
            .one(&self.db)
            .await?;
        let Some(row) = row else { return Ok(()) };
        let status = i16::try_from(status).unwrap_or(i16::MAX);
        let sealed = self.seal(Column::AnswerBody, row.id, body);
        idempotency_key::Entity::update_many()
            .col_expr(idempotency_key::Column::Status, Expr::value(status))
            .col_expr(idempotency_key::Column::Body, Expr::value(sealed))
            .filter(idempotency_key::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(idempotency_key::Column::Key.eq(key))
            .exec(&self.db)
            .await?;
        Ok(())
    }

    /// Forgets a request that changed nothing, so that it may be sent again.
    pub async fn request_refused(
        &self,
        workspace: WorkspaceId,
        key: &str,
    ) -> Result<(), StoreError> {
        idempotency_key::Entity::delete_by_id((workspace.uuid(), key.to_owned()))
            .exec(&self.db)
            .await?;
        Ok(())
    }

    fn earlier(&self, row: &idempotency_key::Model, digest: &str) -> Result<Earlier, StoreError> {
        let noted = self.unseal(Column::RequestDigest, row.id, row.digest.as_deref())?;
        if noted.is_none_or(|noted| noted != Secret::from(digest)) {
            return Ok(Earlier::Other);
        }
        let Some(status) = row.status else {
            return Ok(Earlier::Unanswered {
                since: from_ms(row.created_at),
            });
        };
        let body = self.unseal(Column::AnswerBody, row.id, row.body.as_deref())?;
        Ok(Earlier::Answered {
            status: u16::try_from(status).unwrap_or(500),
            body: body.unwrap_or_else(|| Secret::from("")),
        })
    }
}
