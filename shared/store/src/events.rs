//! The stream of events, as people read it.

use std::collections::HashMap;

use mooring_domain::{Time, WorkspaceId, time::from_ms};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::{Store, StoreError, entity::event};

/// An event, as lists show it.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRow {
    /// When.
    pub at: Time,
    /// Its name.
    pub name: String,
    /// What it is about.
    pub subject: Uuid,
    /// The whole event.
    pub data: serde_json::Value,
    /// Who brought it about: `cli`, a key, a link or a process.
    pub actor: String,
    /// Where they came from, where that is known.
    pub origin: Option<String>,
    /// The trace that it belongs to.
    pub trace_id: Option<String>,
    /// Where it stands in the stream.
    pub place: StreamPlace,
}

/// A place in the stream of events: after everything older, before everything newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamPlace {
    /// Epoch milliseconds.
    pub at: i64,
    /// The event's id.
    pub id: Uuid,
}

impl Store {
    /// The newest events of a workspace (nil for the house's own), newest first.
    pub async fn events(
        &self,
        workspace: WorkspaceId,
        limit: u64,
    ) -> Result<Vec<EventRow>, StoreError> {
        self.events_before(workspace, None, None, None, limit).await
    }

    /// A workspace's events before a place in its stream, newest first; with `names`, only those; with `subject`, only
    /// about it.
    pub async fn events_before(
        &self,
        workspace: WorkspaceId,
        names: Option<&[&str]>,
        subject: Option<Uuid>,
        before: Option<StreamPlace>,
        limit: u64,
    ) -> Result<Vec<EventRow>, StoreError> {
        let mut query =
            event::Entity::find().filter(event::Column::WorkspaceId.eq(workspace.uuid()));
        if let Some(names) = names {
            query = query.filter(event::Column::Name.is_in(names.iter().copied()));
        }
        if let Some(subject) = subject {
            query = query.filter(event::Column::SubjectId.eq(subject));
        }
        if let Some(place) = before {
            let older = event::Column::At.lt(place.at);
            let same = event::Column::At.eq(place.at);
            query = query.filter(older.or(same.and(event::Column::Id.lt(place.id))));
        }
        let rows = query
            .order_by_desc(event::Column::At)
            .order_by_desc(event::Column::Id)
            .limit(limit)
            .all(&self.db)
            .await?;
        Ok(rows.into_iter().map(event_row).collect())
    }
}

impl Store {
    /// When each of these subjects was last told about by one of these names; what was never told about is left out.
    pub async fn last_told(
        &self,
        workspace: WorkspaceId,
        names: &[&str],
        subjects: &[Uuid],
    ) -> Result<HashMap<Uuid, Time>, StoreError> {
        let mut last = HashMap::new();
        // A statement takes so many values and no more.
        for some in subjects.chunks(500) {
            let rows: Vec<(Uuid, i64)> = event::Entity::find()
                .select_only()
                .column(event::Column::SubjectId)
                .column_as(event::Column::At.max(), "last")
                .filter(event::Column::WorkspaceId.eq(workspace.uuid()))
                .filter(event::Column::SubjectId.is_in(some.iter().copied()))
                .filter(event::Column::Name.is_in(names.iter().copied()))
                .group_by(event::Column::SubjectId)
                .into_tuple()
                .all(&self.db)
                .await?;
            last.extend(rows.into_iter().map(|(id, at)| (id, from_ms(at))));
        }
        Ok(last)
    }
}

fn event_row(row: event::Model) -> EventRow {
    EventRow {
        at: from_ms(row.at),
        name: row.name,
        subject: row.subject_id,
        data: row.data,
        actor: row.actor,
        origin: row.origin,
        trace_id: row.trace_id,
        place: StreamPlace {
            at: row.at,
            id: row.id,
        },
    }
}
