//! The two doors: what a job has decided, and what a person has.
//!
//! One decision is one transaction: facts, changes, events, other jobs, and the job's own next time. The fence
//! guards decisions and schedule, never facts: what a platform has accepted or issued is written even when
//! somebody newer holds the job by now.

mod act;
mod again;
mod change;
mod connect;
mod connected;
mod evidence;
mod facts;
mod group;
mod import;
mod inbox;
mod keeper;
mod keys;
mod ledger;
mod media;
mod merge;
mod native;
mod people;
mod posts;
mod refusal;
mod removal;
mod replan;
mod restore;
mod rollup;
mod stream;
mod twice;
mod vault_keys;

use mooring_domain::{
    AppId, ConnectId, ConnectionId, Decision, GrantId, JobKind, Next, Poke, ProcessId, Time,
    WorkspaceId, job::Fence, time::days,
};
use mooring_vault::Secret;
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, Value};
use uuid::Uuid;

pub use act::Actor;
pub(crate) use connected::{plan_of, refuse_plan};
pub use group::Applier;
pub use refusal::{ApplyError, Refusal};
pub use removal::TakenGrant;
use rollup::Touched;

use crate::{Store, StoreError, entity::connection, jobs, sql};

/// What became of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// Whether the fence held. `false`: somebody newer acts, the decision was discarded and left no event;
    /// its evidence was kept.
    pub fenced: bool,
    /// What became of new tokens, where the decision brought some.
    pub tokens: Option<TokensStored>,
}

/// What became of new tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokensStored {
    /// They are the grant's tokens now.
    Stored,
    /// Other tokens have come meanwhile (a reconnect); these are superfluous.
    Superseded,
    /// The grant is gone: revoke them at the platform, nobody else knows them.
    GrantGone,
}

/// Secrets that travel beside a decision. They are sealed before they are written.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    /// Access and refresh token of a grant.
    pub grants: Vec<(GrantId, Secret, Option<Secret>)>,
    /// The key that a grant's tokens are bound to.
    pub bindings: Vec<(GrantId, Secret)>,
    /// A destination's own token.
    pub connections: Vec<(ConnectionId, Secret)>,
    /// An app's secret.
    pub apps: Vec<(AppId, Secret)>,
    /// An app's word for webhooks.
    pub webhooks: Vec<(AppId, Secret)>,
    /// Values that were sealed anew, and stay sealed.
    pub resealed: Vec<crate::Resealed>,
    /// What a run of connecting keeps until the code comes back.
    pub connects: Vec<(ConnectId, Secret)>,
    /// What a run of connecting offers until somebody chooses, or has brought to no end, until it is given back.
    pub offers: Vec<(ConnectId, Secret)>,
}

/// A decision on its way to the database.
#[derive(Debug, Clone)]
pub struct JobResult {
    /// Whose run it was.
    pub fence: Fence,
    /// What it decided.
    pub decision: Decision,
    /// The secrets that go with it.
    pub secrets: Secrets,
    /// When it was decided.
    pub now: Time,
    /// The trace that tells the run's story.
    pub trace_id: Option<String>,
    /// Who ran it.
    pub process: ProcessId,
}

impl Store {
    /// Applies one job's decision in a transaction of its own. Use [`Applier`] for everything but a refresh.
    pub async fn apply_job(&self, result: &JobResult) -> Result<Applied, StoreError> {
        let tx = self.begin().await?;
        let mut touched = Touched::default();
        let applied = match self.apply_in(&tx, result, &mut touched).await {
            Ok(applied) => self
                .settled_by(&tx, result, &touched)
                .await
                .map(|()| applied),
            Err(error) => Err(error),
        };
        match applied {
            Ok(applied) => {
                tx.commit().await?;
                Ok(applied)
            }
            Err(error) => {
                tx.rollback().await?;
                Err(error)
            }
        }
    }

    async fn apply_in(
        &self,
        tx: &DatabaseTransaction,
        result: &JobResult,
        touched: &mut Touched,
    ) -> Result<Applied, StoreError> {
        touched.evidence(&result.decision);
        let finished = self.finish(tx, &result.fence, result.decision.next).await?;
        let teller = stream::Scribe {
            workspace: WorkspaceId::from_uuid(Uuid::nil()),
            actor: result.process.to_string(),
            origin: None,
            trace_id: result.trace_id.clone(),
            now: result.now,
        };
        let evidence = (&result.decision, &result.secrets);
        let tokens = self.keep_evidence(tx, evidence, &teller).await?;
        let Some((workspace, attempt)) = finished else {
            return Ok(Applied {
                fenced: false,
                tokens,
            });
        };
        let scribe = stream::Scribe {
            workspace,
            ..teller
        };
        let mut events = result.decision.events.clone();
        for change in &result.decision.changes {
            events.extend(
                self.change(tx, workspace, change, &result.secrets, result.now)
                    .await?,
            );
        }
        self.write_events(tx, &scribe, &events).await?;
        touched.events(&events);
        let by = Some(result.fence.subject);
        self.poke_all(tx, workspace, &result.decision.pokes, by)
            .await?;
        let routine = matches!(result.fence.kind, JobKind::Check | JobKind::Survey);
        let remarkable =
            !routine || !events.is_empty() || result.decision.outcome.error_class().is_some();
        if remarkable {
            self.write_run(tx, &scribe, result, attempt).await?;
        }
        Ok(Applied {
            fenced: true,
            tokens,
        })
    }

    /// Tells of the posts that have ended by what jobs have decided.
    async fn settled_by(
        &self,
        tx: &DatabaseTransaction,
        last: &JobResult,
        touched: &Touched,
    ) -> Result<(), StoreError> {
        let actor = last.process.to_string();
        self.settle_posts(tx, touched, (&actor, None), last.now)
            .await
    }

    /// Consumes the fence and writes the job's next time. `None`: the fence does not hold.
    async fn finish(
        &self,
        tx: &DatabaseTransaction,
        fence: &Fence,
        next: Next,
    ) -> Result<Option<(WorkspaceId, i32)>, StoreError> {
        let mut values = jobs::key(fence).to_vec();
        let row = match finish_values(next) {
            None => {
                let done = self.statement(sql::FINISH_DONE, values.clone());
                match tx.query_one_raw(done).await? {
                    Some(row) => Some(row),
                    None => {
                        tx.query_one_raw(self.statement(sql::FINISH_WANTED, values))
                            .await?
                    }
                }
            }
            Some(rest) => {
                values.extend(rest);
                tx.query_one_raw(self.statement(sql::FINISH, values))
                    .await?
            }
        };
        let Some(row) = row else { return Ok(None) };
        let workspace = WorkspaceId::from_uuid(row.try_get("", "workspace_id")?);
        Ok(Some((workspace, row.try_get("", "attempt")?)))
    }

    /// Creates or wakes other jobs, single ones in key order: two decisions that poke the same jobs must not wait
    /// for each other.
    pub(crate) async fn poke_all(
        &self,
        tx: &impl ConnectionTrait,
        workspace: WorkspaceId,
        pokes: &[Poke],
        by: Option<Uuid>,
    ) -> Result<(), StoreError> {
        let mut ordered: Vec<&Poke> = pokes.iter().collect();
        ordered.sort_by_key(|poke| match poke {
            Poke::Job { kind, subject, .. } => (0, kind.as_str(), *subject),
            _ => (1, "", Uuid::nil()),
        });
        for poke in ordered {
            self.poke(tx, workspace, poke, by).await?;
        }
        Ok(())
    }

    /// Creates or wakes other jobs. `by`: whom the poking job is about.
    pub(crate) async fn poke(
        &self,
        tx: &impl ConnectionTrait,
        workspace: WorkspaceId,
        poke: &Poke,
        by: Option<Uuid>,
    ) -> Result<(), StoreError> {
        match poke {
            Poke::Job {
                kind,
                subject,
                platform,
                at,
                priority,
            } => {
                let values: [Value; 6] = [
                    kind.as_str().into(),
                    (*subject).into(),
                    workspace.uuid().into(),
                    platform.as_str().into(),
                    (*priority).into(),
                    at.timestamp_millis().into(),
                ];
                tx.execute_raw(self.statement(sql::POKE, values)).await?;
            }
            Poke::House { kind, at } => {
                let values: [Value; 6] = [
                    kind.as_str().into(),
                    Uuid::nil().into(),
                    Uuid::nil().into(),
                    "house".into(),
                    500_i16.into(),
                    at.timestamp_millis().into(),
                ];
                tx.execute_raw(self.statement(sql::POKE, values)).await?;
            }
            Poke::WaitersOf(grant, at) => {
                let wake = |oldest: Time| -> [Value; 3] {
                    [
                        grant.uuid().into(),
                        at.timestamp_millis().into(),
                        oldest.timestamp_millis().into(),
                    ]
                };
                let publishes = wake(*at - days(2));
                tx.execute_raw(self.statement(sql::WAKE_PUBLISHES, publishes))
                    .await?;
                let verifies = wake(*at - days(8));
                tx.execute_raw(self.statement(sql::WAKE_VERIFIES, verifies))
                    .await?;
            }
            Poke::PublishesOf(connection, at) => {
                let values: [Value; 2] = [connection.uuid().into(), at.timestamp_millis().into()];
                tx.execute_raw(self.statement(sql::WAKE_FOR_CONNECTION, values))
                    .await?;
            }
            Poke::ChecksOf(grant, at) => {
                let others = self.destinations(tx, workspace, *grant).await?.into_iter();
                for (connection, platform) in others.filter(|(id, _)| Some(*id) != by) {
                    let check = mooring_domain::connection::check_poke(
                        ConnectionId::from_uuid(connection),
                        platform,
                        *at,
                    );
                    Box::pin(self.poke(tx, workspace, &check, by)).await?;
                }
            }
            Poke::EveryCheck(at) => {
                let values: [Value; 2] = [workspace.uuid().into(), at.timestamp_millis().into()];
                tx.execute_raw(self.statement(&sql::poke_checks(), values))
                    .await?;
            }
        }
        Ok(())
    }

    pub(crate) async fn destinations(
        &self,
        tx: &impl ConnectionTrait,
        workspace: WorkspaceId,
        grant: GrantId,
    ) -> Result<Vec<(Uuid, mooring_domain::Platform)>, StoreError> {
        let rows = connection::Entity::find()
            .filter(connection::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(connection::Column::GrantId.eq(grant.uuid()))
            .filter(connection::Column::RemovedAt.is_null())
            .all(tx)
            .await?;
        rows.into_iter()
            .map(|row| {
                Ok((
                    row.id,
                    jobs::platform_of("connections", row.id, &row.platform)?,
                ))
            })
            .collect()
    }
}

/// Never, as far as a claim is concerned.
const FAR: i64 = 253_402_300_799_000;

/// `$4…$7` of [`sql::FINISH`]; `None` = the job is done.
fn finish_values(next: Next) -> Option<[Value; 4]> {
    let none = Value::String(None);
    match next {
        Next::Done => None,
        Next::At(at) => Some([at.timestamp_millis().into(), true.into(), none, 0.into()]),
        Next::Retry(at) => Some([at.timestamp_millis().into(), true.into(), none, 1.into()]),
        Next::Park(until, why) => {
            let until = until.map_or(FAR, |until| until.timestamp_millis());
            let kept: i32 = 2;
            Some([
                until.into(),
                why.ends_by_a_wish().into(),
                why.as_str().into(),
                kept.into(),
            ])
        }
    }
}
