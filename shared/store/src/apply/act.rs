//! Acts of people, and of the house on its own behalf.

use mooring_domain::{Change, Decision, Event, KeyId, LinkId, ProcessId, Time, WorkspaceId};
use sea_orm::{ActiveValue::Set, DatabaseTransaction, EntityTrait};

use super::{ApplyError, Secrets, TakenGrant, rollup::Touched, stream::Scribe};
use crate::{
    Store, StoreError,
    entity::{app, brand, workspace},
    vaulted::Column,
};

/// How often an act is repeated when another transaction was in its way.
const CONTENTION_TRIES: usize = 3;

/// Who acts, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Somebody at a command line of ours.
    Cli,
    /// Somebody who holds a key to the API.
    Key {
        /// The key.
        key: KeyId,
        /// The address that they came from.
        from: String,
    },
    /// Somebody who was given a reconnect link.
    Link {
        /// The link.
        link: LinkId,
        /// The address that they came from.
        from: String,
    },
    /// One of our processes, on behalf of the house.
    Process(ProcessId),
}

impl Actor {
    /// The actor's name in the stream: `cli`, or an id with its prefix.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Cli => "cli".to_owned(),
            Self::Key { key, .. } => key.to_string(),
            Self::Link { link, .. } => link.to_string(),
            Self::Process(process) => process.to_string(),
        }
    }

    /// Where the actor came from, where that is known.
    #[must_use]
    pub fn origin(&self) -> Option<&str> {
        match self {
            Self::Key { from, .. } | Self::Link { from, .. } => Some(from),
            Self::Cli | Self::Process(_) => None,
        }
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
        self.apply_acts_taking(actor, decisions, secrets, now)
            .await
            .map(|_| ())
    }

    /// The same for acts that take credentials out of the database: what they took, for nobody else has it now.
    pub async fn apply_act_taking(
        &self,
        actor: &Actor,
        workspace: WorkspaceId,
        decision: &Decision,
        secrets: &Secrets,
        now: Time,
    ) -> Result<Vec<TakenGrant>, ApplyError> {
        let decisions = [(workspace, decision.clone())];
        self.apply_acts_taking(actor, &decisions, secrets, now)
            .await
    }

    async fn apply_acts_taking(
        &self,
        actor: &Actor,
        decisions: &[(WorkspaceId, Decision)],
        secrets: &Secrets,
        now: Time,
    ) -> Result<Vec<TakenGrant>, ApplyError> {
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
    ) -> Result<Vec<TakenGrant>, ApplyError> {
        let tx = self.begin().await?;
        let mut taken = Vec::new();
        for (workspace, decision) in decisions {
            if let Err(error) = self
                .act_in(
                    &tx,
                    (actor, *workspace),
                    decision,
                    (secrets, &mut taken),
                    now,
                )
                .await
            {
                tx.rollback().await?;
                return Err(error);
            }
        }
        tx.commit().await?;
        Ok(taken)
    }

    async fn act_in(
        &self,
        tx: &DatabaseTransaction,
        (actor, workspace): (&Actor, WorkspaceId),
        decision: &Decision,
        (secrets, taken): (&Secrets, &mut Vec<TakenGrant>),
        now: Time,
    ) -> Result<(), ApplyError> {
        let scribe = Scribe {
            workspace,
            actor: actor.text(),
            origin: actor.origin().map(str::to_owned),
            trace_id: None,
            now,
        };
        self.keep_evidence(tx, (decision, secrets), &scribe).await?;
        let mut events = decision.events.clone();
        for change in &decision.changes {
            match change {
                Change::TargetCancelled { .. }
                | Change::PostCancelled { .. }
                | Change::PostEdited(_)
                | Change::PublishedAgain(_) => {
                    events.extend(self.act_on_post(tx, workspace, change, now).await?);
                }
                Change::ConnectionImported(new) => {
                    self.refuse_connected(tx, workspace, new).await?;
                    events.extend(self.import(tx, workspace, new, secrets, now).await?);
                }
                Change::PostScheduled(new) => {
                    self.refuse_removed(tx, workspace, new).await?;
                    self.schedule(tx, workspace, new, now).await?;
                    events.extend(self.unusual(tx, workspace, new, now).await?);
                }
                Change::ConnectionsRemoved(removal) => {
                    let told = self.remove_connections(tx, workspace, removal, taken, now);
                    events.extend(told.await?);
                }
                Change::ConnectionEdited { connection, edit } => {
                    self.edit_connection(tx, workspace, *connection, edit)
                        .await?;
                }
                Change::MainConnection { connection } => {
                    events.extend(self.make_main(tx, workspace, *connection).await?);
                }
                Change::ConnectBegun(_)
                | Change::ConnectCalledBack { .. }
                | Change::ConnectOffered { .. }
                | Change::ConnectFailed { .. }
                | Change::ConnectLapsed { .. }
                | Change::GrantConnected(_)
                | Change::LinkMade(_)
                | Change::LinkUsed { .. }
                | Change::PlanSet { .. } => events.extend(
                    self.connecting(tx, (actor, workspace), change, (secrets, taken), now)
                        .await?,
                ),
                Change::TargetSaidRemoved { .. } | Change::NativePublished(_) => {
                    events.extend(self.by_hand(tx, workspace, change).await?);
                }
                Change::KeyRevoked { key } => self.revoke_key(tx, workspace, *key, now).await?,
                Change::VaultKeyActivated { key } => {
                    events.extend(self.activate_vault_key(tx, actor, key, now).await?);
                }
                Change::BackupRestored(restored) => {
                    events.extend(self.mark_restored(tx, actor, restored, now).await?);
                }
                other => events.extend(self.change(tx, workspace, other, secrets, now).await?),
            }
        }
        self.write_events(tx, &scribe, &events).await?;
        self.poke_all(tx, workspace, &decision.pokes, None).await?;
        let mut touched = Touched::default();
        touched.evidence(decision);
        touched.events(&events);
        let by = (scribe.actor.as_str(), scribe.origin.as_deref());
        Ok(self.settle_posts(tx, &touched, by, now).await?)
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
                    plan: Set(None),
                    connect_refused_until: Set(None),
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
                    webhook_secret: Set(None),
                };
                app::Entity::insert(row).exec_without_returning(tx).await?;
            }
            Change::KeyCreated(new) => self.keep_key(tx, new, now).await?,
            Change::MediaAdded(media) => self.keep_media(tx, workspace, media, now).await?,
            _ => {}
        }
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
