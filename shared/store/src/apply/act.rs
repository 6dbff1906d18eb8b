//! Acts of people, and of the house on its own behalf.

use mooring_domain::{
    Change, Decision, Event, PostId, ProcessId, TargetId, Time, WorkspaceId,
    decision::{NewConnection, NewPost},
    grant::AuthState,
    post::{Content, Stage},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter,
    QueryOrder, QuerySelect, sea_query::Expr,
};

use super::{Secrets, stream::Scribe};
use crate::{
    Store, StoreError,
    entity::{app, brand, connection, grant, post, target, workspace},
    vaulted::Column,
};

/// How often an act is repeated when another transaction was in its way.
const CONTENTION_TRIES: usize = 3;

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Somebody at a command line of ours.
    Cli,
    /// One of our processes, on behalf of the house.
    Process(ProcessId),
}

impl Actor {
    pub(super) fn text(&self) -> String {
        match self {
            Self::Cli => "cli".to_owned(),
            Self::Process(process) => process.to_string(),
        }
    }
}

/// Why an act was refused; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The target is on its way or beyond.
    #[error(
        "{target} has begun to be published (stage {stage}): it can no longer be changed or cancelled"
    )]
    AlreadyBegun {
        /// Which.
        target: TargetId,
        /// How far it has come.
        stage: String,
    },
    /// There is no such thing in this workspace.
    #[error("{what} does not exist in this workspace")]
    NotFound {
        /// What was looked for.
        what: String,
    },
    /// The account is connected already.
    #[error(
        "{platform} account {remote_id} is connected in this workspace already: leave it out, or reconnect it"
    )]
    AlreadyConnected {
        /// The platform.
        platform: String,
        /// The account.
        remote_id: String,
    },
    /// Workers run on the database.
    #[error(
        "{workers} worker process(es) run on this database, and may have sent something by now: stop them, restore the backup again, and repeat this before anything else starts"
    )]
    StillAtWork {
        /// How many.
        workers: usize,
    },
}

/// Why an act did not happen; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// It may not.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It could not.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sea_orm::DbErr> for ApplyError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Store(error.into())
    }
}

impl Store {
    /// Applies an act in one transaction: all of it or nothing.
    pub async fn apply_act(
        &self,
        actor: &Actor,
        workspace: WorkspaceId,
        decision: &Decision,
        secrets: &Secrets,
        now: Time,
    ) -> Result<(), ApplyError> {
        self.apply_acts(actor, &[(workspace, decision.clone())], secrets, now)
            .await
    }

    /// Applies acts on several workspaces in one transaction.
    pub async fn apply_acts(
        &self,
        actor: &Actor,
        decisions: &[(WorkspaceId, Decision)],
        secrets: &Secrets,
        now: Time,
    ) -> Result<(), ApplyError> {
        for _ in 1..CONTENTION_TRIES {
            match self.try_acts(actor, decisions, secrets, now).await {
                Err(ApplyError::Store(StoreError::Contention(_))) => {}
                settled => return settled,
            }
        }
        self.try_acts(actor, decisions, secrets, now).await
    }

    async fn try_acts(
        &self,
        actor: &Actor,
        decisions: &[(WorkspaceId, Decision)],
        secrets: &Secrets,
        now: Time,
    ) -> Result<(), ApplyError> {
        let tx = self.begin().await?;
        for (workspace, decision) in decisions {
            if let Err(error) = self
                .act_in(&tx, actor, *workspace, decision, secrets, now)
                .await
            {
                tx.rollback().await?;
                return Err(error);
            }
        }
        Ok(tx.commit().await?)
    }

    async fn act_in(
        &self,
        tx: &DatabaseTransaction,
        actor: &Actor,
        workspace: WorkspaceId,
        decision: &Decision,
        secrets: &Secrets,
        now: Time,
    ) -> Result<(), ApplyError> {
        let mut events = decision.events.clone();
        for change in &decision.changes {
            match change {
                Change::TargetCancelled { target } => self.cancel(tx, workspace, *target).await?,
                Change::PostEdited { post, content } => {
                    self.edit(tx, workspace, *post, content).await?;
                }
                Change::ConnectionImported(new) => {
                    self.refuse_connected(tx, workspace, new).await?;
                    self.act_change(tx, workspace, change, secrets, now).await?;
                }
                Change::BackupRestored(restored) => {
                    events.extend(self.mark_restored(tx, actor, restored, now).await?);
                }
                other => events.extend(self.change(tx, workspace, other, secrets, now).await?),
            }
        }
        let scribe = Scribe {
            workspace,
            actor: actor.text(),
            trace_id: None,
            now,
        };
        self.write_events(tx, &scribe, &events).await?;
        self.poke_all(tx, workspace, &decision.pokes, None).await?;
        Ok(())
    }

    /// Changes that only acts make.
    pub(super) async fn act_change(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        change: &Change,
        secrets: &Secrets,
        now: Time,
    ) -> Result<(), StoreError> {
        match change {
            Change::WorkspaceCreated { workspace, name } => {
                let row = workspace::ActiveModel {
                    id: Set(workspace.uuid()),
                    name: Set(name.clone()),
                    created_at: Set(now.timestamp_millis()),
                };
                workspace::Entity::insert(row)
                    .exec_without_returning(tx)
                    .await?;
            }
            Change::BrandCreated { brand, name } => {
                let row = brand::ActiveModel {
                    id: Set(brand.uuid()),
                    workspace_id: Set(workspace.uuid()),
                    name: Set(name.clone()),
                };
                brand::Entity::insert(row)
                    .exec_without_returning(tx)
                    .await?;
            }
            Change::AppRegistered {
                app,
                platform,
                client_id,
                base_url,
            } => {
                let secret = secrets.apps.iter().find(|(id, _)| id == app);
                let row = app::ActiveModel {
                    id: Set(app.uuid()),
                    workspace_id: Set((!workspace.uuid().is_nil()).then(|| workspace.uuid())),
                    platform: Set(platform.as_str().to_owned()),
                    client_id: Set(client_id.clone()),
                    client_secret: Set(
                        secret.map(|(id, secret)| self.seal(Column::AppSecret, id.uuid(), secret))
                    ),
                    base_url: Set(base_url.clone()),
                    created_at: Set(now.timestamp_millis()),
                };
                app::Entity::insert(row).exec_without_returning(tx).await?;
            }
            Change::ConnectionImported(new) => {
                self.import(tx, workspace, new, secrets, now).await?;
            }
            Change::PostScheduled(new) => self.schedule(tx, workspace, new, now).await?,
            _ => {}
        }
        Ok(())
    }

    /// Cancel takes the lock that begin takes: whoever comes second sees what the first has done.
    async fn cancel(
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

    async fn edit(
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

    async fn refuse_connected(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        new: &NewConnection,
    ) -> Result<(), ApplyError> {
        let existing = connection::Entity::find()
            .filter(connection::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(connection::Column::Platform.eq(new.platform.as_str()))
            .filter(connection::Column::RemoteId.eq(new.remote_id.as_str()))
            .one(tx)
            .await?;
        match existing {
            None => Ok(()),
            Some(_) => Err(Refusal::AlreadyConnected {
                platform: new.platform.to_string(),
                remote_id: new.remote_id.clone(),
            }
            .into()),
        }
    }

    async fn import(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        new: &NewConnection,
        secrets: &Secrets,
        now: Time,
    ) -> Result<(), StoreError> {
        if new.grant_is_new {
            let row = self.grant_of(workspace, new, secrets, now)?;
            grant::Entity::insert(row)
                .exec_without_returning(tx)
                .await?;
        }
        let own = secrets
            .connections
            .iter()
            .find(|(id, _)| *id == new.connection);
        let own = own.map(|(id, token)| self.seal(Column::ConnectionAccess, id.uuid(), token));
        let row = connection::ActiveModel {
            id: Set(new.connection.uuid()),
            workspace_id: Set(workspace.uuid()),
            brand_id: Set(new.brand.map(mooring_domain::id::Id::uuid)),
            grant_id: Set(new.grant.uuid()),
            platform: Set(new.platform.as_str().to_owned()),
            remote_id: Set(new.remote_id.clone()),
            name: Set(new.name.clone()),
            access_token: Set(own),
            account: Set(None),
            scopes_missing: Set(serde_json::json!([])),
            checked_at: Set(None),
            used_at: Set(None),
            health: Set("unknown".to_owned()),
            reasons: Set(serde_json::json!([])),
            created_at: Set(now.timestamp_millis()),
        };
        connection::Entity::insert(row)
            .exec_without_returning(tx)
            .await?;
        Ok(())
    }

    fn grant_of(
        &self,
        workspace: WorkspaceId,
        new: &NewConnection,
        secrets: &Secrets,
        now: Time,
    ) -> Result<grant::ActiveModel, StoreError> {
        let id = new.grant.uuid();
        let found = secrets
            .grants
            .iter()
            .find(|(grant, ..)| *grant == new.grant);
        let (_, access, refresh) = found
            .ok_or_else(|| StoreError::corrupt("grants", new.grant, "comes without tokens"))?;
        let refresh = refresh
            .as_ref()
            .map(|token| self.seal(Column::GrantRefresh, id, token));
        let bound = secrets
            .bindings
            .iter()
            .find(|(grant, _)| *grant == new.grant);
        let binding = bound.map(|(_, key)| self.seal(Column::GrantBinding, id, key));
        Ok(grant::ActiveModel {
            id: Set(id),
            workspace_id: Set(workspace.uuid()),
            app_id: Set(new.app.map(mooring_domain::id::Id::uuid)),
            platform: Set(new.platform.as_str().to_owned()),
            remote_user_id: Set(new.remote_user_id.clone()),
            host: Set(new.host.clone()),
            state: Set(AuthState::Connected.as_str().to_owned()),
            state_why: Set(None),
            access_token: Set(Some(self.seal(Column::GrantAccess, id, access))),
            refresh_token: Set(refresh),
            binding: Set(binding),
            token_version: Set(1),
            issued_at: Set(new.issued_at.unwrap_or(now).timestamp_millis()),
            access_expires_at: Set(new.access_expires_at.map(|at| at.timestamp_millis())),
            refresh_expires_at: Set(new.refresh_expires_at.map(|at| at.timestamp_millis())),
            scopes: Set(new.scopes.as_ref().map(|scopes| serde_json::json!(scopes))),
            probed_at: Set(None),
            refresh_begun_at: Set(None),
            refresh_holder: Set(None),
            refresh_exhausted: Set(false),
            created_at: Set(now.timestamp_millis()),
        })
    }

    async fn schedule(
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
            });
        target::Entity::insert_many(targets)
            .exec_without_returning(tx)
            .await?;
        Ok(())
    }

    /// Writes an event of the house itself (a lost lane, a dropped envelope).
    pub async fn tell(&self, actor: &Actor, event: Event, now: Time) -> Result<(), ApplyError> {
        use mooring_domain::{Next, decision::Outcome};
        let decision = Decision::new(Next::Done, Outcome::Success).event(event);
        let house = WorkspaceId::from_uuid(uuid::Uuid::nil());
        self.apply_act(actor, house, &decision, &Secrets::default(), now)
            .await
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
