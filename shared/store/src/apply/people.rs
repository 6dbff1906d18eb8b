//! What people say about connections, and whether what they do is unusual.

use mooring_domain::{
    ConnectionId, Event, TargetId, Time, WorkspaceId,
    connection::life::{Edit, is_unusual},
    decision::NewPost,
    time::hours,
};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::{ApplyError, Refusal};
use crate::{
    Store,
    entity::{connection, event, target},
};

impl Store {
    /// Writes what a person says about a connection.
    pub(super) async fn edit_connection(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        id: ConnectionId,
        edit: &Edit,
    ) -> Result<(), ApplyError> {
        let mut row = <connection::ActiveModel as Default>::default();
        if let Some(owner) = &edit.owner {
            row.owner = Set(owner.clone());
        }
        if let Some(note) = &edit.admin_note {
            row.admin_note = Set(note.clone());
        }
        if let Some(escalation) = &edit.escalation {
            row.escalation = Set(escalation.clone());
        }
        if let Some(flag) = edit.service_account {
            row.service_account = Set(flag);
        }
        if let Some(labels) = &edit.labels {
            row.labels = Set(Some(serde_json::json!(labels)));
        }
        if let Some(spacing) = edit.spacing {
            row.spacing_ms = Set(spacing.map(|span| span.num_milliseconds()));
        }
        if let Some(brand) = edit.brand {
            row.brand_id = Set(brand.map(mooring_domain::id::Id::uuid));
        }
        if !row.is_changed() {
            return Ok(());
        }
        let written = connection::Entity::update_many()
            .set(row)
            .filter(connection::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(connection::Column::Id.eq(id.uuid()))
            .exec(tx)
            .await?;
        if written.rows_affected == 0 {
            return Err(Refusal::NotFound {
                what: id.to_string(),
            }
            .into());
        }
        Ok(())
    }

    /// Makes a connection the main one of its platform; the one before steps back in the same transaction.
    pub(super) async fn make_main(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        id: ConnectionId,
    ) -> Result<Vec<Event>, ApplyError> {
        // Two people who set the main connection at once come one after the other.
        self.lock_workspace(tx, workspace).await?;
        let row = connection::Entity::find_by_id(id.uuid())
            .filter(connection::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(connection::Column::RemovedAt.is_null())
            .one(tx)
            .await?;
        let Some(row) = row else {
            return Err(self.refuse_gone(tx, workspace, id).await?.into());
        };
        if row.main {
            return Ok(Vec::new());
        }
        let of_platform = || {
            connection::Entity::find()
                .filter(connection::Column::WorkspaceId.eq(workspace.uuid()))
                .filter(connection::Column::Platform.eq(row.platform.as_str()))
                .filter(connection::Column::Main.eq(true))
        };
        let before = of_platform().one(tx).await?;
        // The old one first: the index allows one at a time.
        let old = before.iter().map(|row| (row.id, false));
        for (id, main) in old.chain([(row.id, true)]) {
            connection::Entity::update_many()
                .col_expr(connection::Column::Main, main.into())
                .filter(connection::Column::Id.eq(id))
                .filter(connection::Column::RemovedAt.is_null())
                .exec(tx)
                .await?;
        }
        Ok(vec![Event::MainConnectionSet {
            connection: id,
            before: before.map(|row| ConnectionId::from_uuid(row.id)),
        }])
    }

    /// Nothing is scheduled on a connection that is gone. The lock is shared: a disconnect comes wholly before, or
    /// cancels what this schedules.
    pub(super) async fn refuse_removed(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        new: &NewPost,
    ) -> Result<(), ApplyError> {
        let ids = new
            .targets
            .iter()
            .map(|(_, connection, _)| connection.uuid());
        let mut query = connection::Entity::find()
            .filter(connection::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(connection::Column::Id.is_in(ids))
            .order_by_asc(connection::Column::Id);
        if self.is_postgres() {
            query = query.lock_shared();
        }
        let rows = query.all(tx).await?;
        match rows.iter().find(|row| row.removed_at.is_some()) {
            None => Ok(()),
            Some(row) => Err(Refusal::ConnectionRemoved {
                connection: ConnectionId::from_uuid(row.id),
            }
            .into()),
        }
    }

    /// Tells of connections on which more was scheduled within the hour than anybody does by hand; once an hour each.
    pub(super) async fn unusual(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        new: &NewPost,
        now: Time,
    ) -> Result<Vec<Event>, ApplyError> {
        let hour_ago = now - hours(1);
        // An id begins with the time of its making.
        let oldest = TargetId::mint(hour_ago, [0; 10]);
        let mut events = Vec::new();
        for (_, connection, _) in &new.targets {
            let scheduled = target::Entity::find()
                .filter(target::Column::ConnectionId.eq(connection.uuid()))
                .filter(target::Column::Id.gte(oldest.uuid()))
                .count(tx)
                .await?;
            if !is_unusual(scheduled, false, self.policy.unusual_per_hour) {
                continue;
            }
            let told = event::Entity::find()
                .filter(event::Column::WorkspaceId.eq(workspace.uuid()))
                .filter(event::Column::SubjectId.eq(connection.uuid()))
                .filter(event::Column::Name.eq("unusual_activity"))
                .filter(event::Column::At.gt(hour_ago.timestamp_millis()))
                .count(tx)
                .await?;
            if is_unusual(scheduled, told > 0, self.policy.unusual_per_hour) {
                events.push(Event::UnusualActivity {
                    connection: *connection,
                    what: "scheduling".to_owned(),
                    count: scheduled,
                });
            }
        }
        Ok(events)
    }
}
