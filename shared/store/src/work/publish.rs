//! What a publish needs, and its begin: the point from which a target cannot be edited or cancelled.

use chrono::TimeDelta;
use mooring_domain::{
    AttemptId, ConnectionId, Failure, GrantId, ProcessId, TargetId, Time, WorkspaceId,
    connection::{AccountState, Publishing, may},
    job::Fence,
    platform::{PublishKey, Right},
    post::{
        AttemptFacts, Content, Preparation, Progress, Settlement, Stage, Twin, publish::PublishWork,
    },
    time::from_ms,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, sea_query::Expr,
};
use uuid::Uuid;

use super::{Credentials, about, content_for, facts};
use crate::{
    Held, Store, StoreError,
    entity::{attempt, connection, post, target},
    jobs::platform_of,
    vaulted::Column,
};

/// The settlement of an attempt that nobody could tell about.
const UNSURE: &str = Settlement::Unsure.as_str();

/// A target to publish. It has no `Debug`: what was prepared may hold an upload's address.
pub struct PublishJob {
    /// The facts.
    pub work: PublishWork,
    /// What it says now. A send uses what its begin returned instead.
    pub content: Content,
    /// What the calls need; `None` when the grant holds no token.
    pub credentials: Option<Credentials>,
    /// Remote ids that belong to other attempts with the same text on this connection.
    pub owned: Vec<String>,
    /// Who sent the attempt that dangles, if one does.
    pub sender: Option<ProcessId>,
    /// What the steps before it had brought when the attempt that dangles was sent.
    pub sent_prepared: Option<serde_json::Value>,
}

/// How a publish wants to begin.
#[derive(Debug, Clone)]
pub struct BeginPublish {
    /// Our key at the platform, where it takes one; the same for every attempt of an edition.
    pub reference: Option<String>,
    /// Whether to begin a new attempt (else: to look for one that dangles).
    pub send: bool,
    /// Only while the content is still this revision: what was prepared belongs to it.
    pub revision: Option<i32>,
}

/// What a begin returned.
#[derive(Debug, Clone)]
pub enum BegunPublish {
    /// A new attempt exists; send this content.
    Attempt(Box<AttemptFacts>, Content),
    /// The claim is consumed; look for the attempt that dangles.
    Looking,
    /// The claim is not ours any more, or too little of the lease is left.
    Lost,
    /// The target has changed since it was loaded (cancelled, settled, another attempt); nothing was consumed.
    Changed,
}

impl Store {
    /// Loads a publish. `None`: the target is gone.
    pub async fn publish_job(
        &self,
        held: &Held,
        now: Time,
    ) -> Result<Option<PublishJob>, StoreError> {
        let (workspace, subject) = (held.workspace, held.fence.subject);
        self.publish_of(workspace, subject, held.attempt, now).await
    }

    /// Loads a look at a target that no job is at: somebody waits for its result. What has ended `unsure` counts as open.
    pub async fn live_publish(
        &self,
        workspace: WorkspaceId,
        target: TargetId,
        now: Time,
    ) -> Result<Option<PublishJob>, StoreError> {
        self.publish_of(workspace, target.uuid(), 0, now).await
    }

    async fn publish_of(
        &self,
        workspace: WorkspaceId,
        subject: Uuid,
        tries: u16,
        now: Time,
    ) -> Result<Option<PublishJob>, StoreError> {
        let workspace = workspace.uuid();
        let row = target::Entity::find_by_id(subject)
            .filter(target::Column::WorkspaceId.eq(workspace))
            .one(&self.db)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let Some(post) = post::Entity::find_by_id(row.post_id).one(&self.db).await? else {
            return Err(StoreError::corrupt("post_targets", row.id, "has no post"));
        };
        let found = self.connection_row(workspace, row.connection_id).await?;
        let Some((connection, grant)) = found else {
            return Err(StoreError::corrupt(
                "post_targets",
                row.id,
                "has no connection",
            ));
        };
        let content = content_for(&post, &row)?;
        let (facts, of_grant) = facts(&connection, &grant, &self.policy, now)?;
        let rows = attempt::Entity::find()
            .filter(attempt::Column::TargetId.eq(row.id))
            .filter(attempt::Column::Edition.eq(row.edition))
            .order_by_asc(attempt::Column::Number)
            .all(&self.db)
            .await?;
        let open = open_attempt(&rows);
        let sender = open.map(|row| ProcessId::from_uuid(row.holder));
        let sent_prepared = match open {
            Some(row) => {
                let sealed = row.prepared.as_deref();
                self.unseal_json(Column::AttemptPrepared, row.id, sealed)?
            }
            None => None,
        };
        let (owned, twins) = self.twins(&row, &content.digest()).await?;
        let stage = Stage::from_rank(row.stage)
            .ok_or_else(|| StoreError::corrupt("post_targets", row.id, "its stage is unknown"))?;
        Ok(Some(PublishJob {
            credentials: self.credentials(&grant, Some(&connection)).await?,
            owned,
            sender,
            sent_prepared,
            work: PublishWork {
                revision: post.revision,
                has_media: !content.media.is_empty(),
                preparation: self.preparation_of(&row, post.revision)?,
                target: TargetId::from_uuid(row.id),
                connection: ConnectionId::from_uuid(connection.id),
                removed: connection.removed_at.is_some(),
                platform: platform_of("post_targets", row.id, &row.platform)?,
                progress: Progress {
                    edition: row.edition,
                    stage,
                },
                due: from_ms(row.due_at),
                max_lateness: post.max_lateness_ms.map(TimeDelta::milliseconds),
                spacing: self.spacing(&row, &post, &connection, now).await?,
                grant_id: GrantId::from_uuid(grant.id),
                grant: of_grant,
                account: connection.account.as_deref().and_then(AccountState::parse),
                scopes_missing: !facts.scopes_missing.is_empty(),
                right_off: facts.publishing.and_then(Publishing::denied).is_some()
                    || (!content.media.is_empty() && !may(&facts.scopes_declined, Right::Media)),
                beyond: platform_of("post_targets", row.id, &row.platform)?
                    .check_account(&content, &about(&connection)?)
                    .err(),
                attempts: rows.iter().map(attempt_facts).collect::<Result<_, _>>()?,
                twins,
                attempt: tries,
            },
            content,
        }))
    }

    /// Other attempts with the same text on the same connection, earlier editions of this target among them: the posts they own, and those that dangle.
    async fn twins(
        &self,
        row: &target::Model,
        digest: &str,
    ) -> Result<(Vec<String>, Vec<Twin>), StoreError> {
        let rows = attempt::Entity::find()
            .filter(attempt::Column::ConnectionId.eq(row.connection_id))
            .filter(attempt::Column::Digest.eq(digest))
            .filter(
                attempt::Column::TargetId
                    .ne(row.id)
                    .or(attempt::Column::Edition.ne(row.edition)),
            )
            .filter(
                attempt::Column::RemoteId
                    .is_not_null()
                    .or(attempt::Column::Settlement.is_null()),
            )
            .all(&self.db)
            .await?;
        let platform = platform_of("post_targets", row.id, &row.platform)?;
        let keyed = platform.capabilities().publish_key == PublishKey::Ours;
        let dangling = rows.iter().filter(|row| row.settlement.is_none());
        let twins = dangling.map(|row| Twin {
            attempt: AttemptId::from_uuid(row.id),
            keyed: keyed && row.reference.is_some(),
            forgotten: row.forgotten,
            begun_at: from_ms(row.begun_at),
        });
        let twins = twins.collect();
        Ok((
            rows.into_iter().filter_map(|row| row.remote_id).collect(),
            twins,
        ))
    }

    /// Begins a publish. The claim, the target's lock, the content's revision and the attempt's row are one
    /// transaction, so that an edit or a cancel comes wholly before or is refused.
    pub async fn begin_publish(
        &self,
        held: &Held,
        order: &BeginPublish,
        me: ProcessId,
        now: Time,
    ) -> Result<BegunPublish, StoreError> {
        let tx = self.begin().await?;
        let begun = self.begin_job(&tx, &held.fence, me.uuid(), now).await?;
        let Some((lease_until, _)) = begun else {
            tx.rollback().await?;
            return Ok(BegunPublish::Lost);
        };
        let outcome = if order.send {
            self.begin_attempt(&tx, &held.fence, order, me, lease_until, now)
                .await?
        } else {
            self.begin_look(&tx, held.fence.subject).await?;
            BegunPublish::Looking
        };
        if matches!(outcome, BegunPublish::Changed) {
            tx.rollback().await?;
        } else {
            tx.commit().await?;
        }
        Ok(outcome)
    }

    /// Counts a look at what dangles, before anything is asked.
    async fn begin_look(&self, tx: &DatabaseTransaction, target: Uuid) -> Result<(), StoreError> {
        attempt::Entity::update_many()
            .col_expr(
                attempt::Column::Looks,
                Expr::col(attempt::Column::Looks).add(1),
            )
            .filter(attempt::Column::TargetId.eq(target))
            .filter(attempt::Column::Settlement.is_null())
            .exec(tx)
            .await?;
        Ok(())
    }

    async fn begin_attempt(
        &self,
        tx: &DatabaseTransaction,
        fence: &Fence,
        order: &BeginPublish,
        me: ProcessId,
        lease_until: Time,
        now: Time,
    ) -> Result<BegunPublish, StoreError> {
        let apart = self.take_turn(tx, fence.subject).await?;
        let Some(row) = self.lock_target(tx, fence.subject).await? else {
            return Ok(BegunPublish::Changed);
        };
        let mine = || {
            attempt::Entity::find()
                .filter(attempt::Column::TargetId.eq(row.id))
                .filter(attempt::Column::Edition.eq(row.edition))
        };
        let dangling = mine()
            .filter(attempt::Column::Settlement.is_null())
            .count(tx)
            .await?;
        if row.stage > Stage::Begun.rank() || dangling > 0 {
            return Ok(BegunPublish::Changed);
        }
        // A disconnect cancels what is pending under this lock; what was sent before and is not there must not be
        // sent again either.
        if self.is_removed(tx, row.connection_id).await?
            || !self.is_apart(tx, &row, apart, now).await?
        {
            return Ok(BegunPublish::Changed);
        }
        let Some(post) = post::Entity::find_by_id(row.post_id).one(tx).await? else {
            return Err(StoreError::corrupt("post_targets", row.id, "has no post"));
        };
        if order.revision.is_some_and(|loaded| loaded != post.revision) {
            return Ok(BegunPublish::Changed);
        }
        let content = content_for(&post, &row)?;
        let id = self.mint::<mooring_domain::id::kind::Attempt>(now).uuid();
        let preparation = self.preparation_of(&row, post.revision)?;
        let prepared =
            preparation.map(|one| self.seal_json(Column::AttemptPrepared, id, &one.state));
        let number = i32::try_from(mine().count(tx).await?).unwrap_or(i32::MAX) + 1;
        let model = attempt::Model {
            id,
            workspace_id: row.workspace_id,
            target_id: row.id,
            connection_id: row.connection_id,
            platform: row.platform.clone(),
            edition: row.edition,
            number,
            revision: post.revision,
            reference: order.reference.clone(),
            digest: content.digest(),
            holder: me.uuid(),
            begun_at: now.timestamp_millis(),
            send_by: lease_until.timestamp_millis(),
            call_ended_at: None,
            failure: None,
            settlement: None,
            looks: 0,
            remote_id: None,
            permalink: None,
            accepted_at: None,
            handle: None,
            prepared,
            forgotten: false,
        };
        let facts = attempt_facts(&model)?;
        attempt::Entity::insert(attempt::ActiveModel::from(model))
            .exec_without_returning(tx)
            .await?;
        target::Entity::update_many()
            .col_expr(target::Column::Stage, Stage::Begun.rank().into())
            .filter(target::Column::Id.eq(row.id))
            .exec(tx)
            .await?;
        Ok(BegunPublish::Attempt(Box::new(facts), content))
    }

    async fn is_removed(&self, tx: &DatabaseTransaction, id: Uuid) -> Result<bool, StoreError> {
        let gone = connection::Entity::find_by_id(id)
            .filter(connection::Column::RemovedAt.is_not_null())
            .count(tx)
            .await?;
        Ok(gone > 0)
    }

    /// How far the preparation of this revision has come.
    fn preparation_of(
        &self,
        row: &target::Model,
        revision: i32,
    ) -> Result<Option<Preparation>, StoreError> {
        let of_this = row.prepared_revision == Some(revision);
        let sealed = row.prepared.as_deref().filter(|_| of_this);
        self.unseal_json(Column::TargetPrepared, row.id, sealed)
    }

    /// Locks a target's row until the transaction ends. SQLite's writer has the whole database locked already.
    pub(crate) async fn lock_target(
        &self,
        tx: &impl ConnectionTrait,
        id: Uuid,
    ) -> Result<Option<target::Model>, StoreError> {
        let mut query = target::Entity::find_by_id(id);
        if self.is_postgres() {
            query = query.lock_exclusive();
        }
        Ok(query.one(tx).await?)
    }
}

/// The attempt that dangles; where none does, the last that nobody could tell about: a person may have it looked for once
/// more.
fn open_attempt(rows: &[attempt::Model]) -> Option<&attempt::Model> {
    let dangling = rows.iter().find(|row| row.settlement.is_none());
    let unsure = |row: &&attempt::Model| row.settlement.as_deref() == Some(UNSURE);
    dangling.or_else(|| rows.iter().rfind(unsure))
}

pub(crate) fn attempt_facts(row: &attempt::Model) -> Result<AttemptFacts, StoreError> {
    let failure: Option<Failure> = row
        .failure
        .clone()
        .map(serde_json::from_value)
        .transpose()
        .map_err(|error| {
            StoreError::corrupt("publish_attempts", row.id, format!("failure: {error}"))
        })?;
    let settlement = row
        .settlement
        .as_deref()
        .map(|text| {
            Settlement::parse(text).ok_or_else(|| {
                StoreError::corrupt("publish_attempts", row.id, "settlement unknown")
            })
        })
        .transpose()?;
    Ok(AttemptFacts {
        id: AttemptId::from_uuid(row.id),
        edition: row.edition,
        number: row.number,
        reference: row.reference.clone(),
        handle: row.handle.clone(),
        begun_at: from_ms(row.begun_at),
        send_by: from_ms(row.send_by),
        call_ended: row.call_ended_at.map(|at| (from_ms(at), failure)),
        settlement,
        looks: u16::try_from(row.looks).unwrap_or(u16::MAX),
        forgotten: row.forgotten,
    })
}
