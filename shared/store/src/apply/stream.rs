//! The event stream and the runs of jobs.

use std::sync::Mutex;

use mooring_domain::{Event, EventId, Time, WorkspaceId, id::Id};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};
use uuid::{ContextV7, Timestamp, Uuid};

use super::JobResult;
use crate::{
    Store, StoreError,
    entity::{event, job_run},
};

/// Events in one statement.
const ROWS_MAX: usize = 1_000;

/// Who writes into the stream, for whom, and under which trace.
#[derive(Debug, Clone)]
pub(crate) struct Scribe {
    pub(crate) workspace: WorkspaceId,
    pub(crate) actor: String,
    pub(crate) origin: Option<String>,
    pub(crate) trace_id: Option<String>,
    pub(crate) now: Time,
}

impl Scribe {
    /// The same for another workspace.
    pub(crate) fn of(&self, workspace: WorkspaceId) -> Self {
        Self {
            workspace,
            ..self.clone()
        }
    }
}

/// What this process tells at one moment keeps its order: people read an act's events in the order in which they happened.
static ORDER: Mutex<ContextV7> = Mutex::new(ContextV7::new());

/// An event's id: of this moment, and after every other that this process has made.
fn id_in_order(now: Time) -> EventId {
    let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
    let moment = Timestamp::from_unix(&ORDER, seconds, now.timestamp_subsec_nanos());
    Id::from_uuid(Uuid::new_v7(moment))
}

impl Store {
    /// A fresh id of this moment.
    #[must_use]
    pub fn mint<K>(&self, now: Time) -> Id<K> {
        Id::mint(now, rand::random())
    }

    pub(crate) async fn write_events(
        &self,
        tx: &impl ConnectionTrait,
        scribe: &Scribe,
        events: &[Event],
    ) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        let rows = events.iter().map(|news| {
            let id = id_in_order(scribe.now);
            let data = serde_json::to_value(news)
                .map_err(|error| StoreError::corrupt("events", news.name(), error.to_string()))?;
            Ok(event::ActiveModel {
                at: Set(scribe.now.timestamp_millis()),
                id: Set(id.uuid()),
                workspace_id: Set(scribe.workspace.uuid()),
                name: Set(news.name().to_owned()),
                severity: Set(format!("{:?}", news.severity()).to_lowercase()),
                subject_id: Set(news.subject()),
                actor: Set(scribe.actor.clone()),
                origin: Set(scribe.origin.clone()),
                data: Set(data),
                trace_id: Set(scribe.trace_id.clone()),
            })
        });
        let rows = rows.collect::<Result<Vec<_>, StoreError>>()?;
        // A database takes so many values in one statement and no more.
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let batch: Vec<_> = rows.by_ref().take(ROWS_MAX).collect();
            event::Entity::insert_many(batch)
                .exec_without_returning(tx)
                .await?;
        }
        Ok(())
    }

    pub(super) async fn write_run(
        &self,
        tx: &impl ConnectionTrait,
        scribe: &Scribe,
        result: &JobResult,
        attempt: i32,
    ) -> Result<(), StoreError> {
        job_run::Entity::insert(job_run::ActiveModel {
            at: Set(scribe.now.timestamp_millis()),
            generation: Set(result.fence.generation),
            kind: Set(result.fence.kind.as_str().to_owned()),
            subject_id: Set(result.fence.subject),
            workspace_id: Set(scribe.workspace.uuid()),
            attempt: Set(attempt),
            holder: Set(result.process.uuid()),
            outcome: Set(result.decision.outcome.as_str().to_owned()),
            error_class: Set(result.decision.outcome.error_class().map(str::to_owned)),
            trace_id: Set(scribe.trace_id.clone()),
        })
        .exec_without_returning(tx)
        .await?;
        Ok(())
    }
}
