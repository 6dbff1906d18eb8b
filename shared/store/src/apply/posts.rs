//! Posts, as people schedule, change and cancel them.

use mooring_domain::{
    Change, ConnectionId, Event, PostId, TargetId, Time, WorkspaceId,
    post::{
        Content, Stage, fingerprint,
        plan::{Due, NewPost, PostEdit},
    },
    zoned::wall_text,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

use super::{ApplyError, Refusal, twice::Wanted};
use crate::{
    Store, StoreError,
    entity::{post, target},
    jobs::platform_of,
    work::{content_of, overrides_of},
};

impl Store {
    /// What people do with posts beyond scheduling them; returns the events.
    pub(super) async fn act_on_post(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        change: &Change,
        now: Time,
    ) -> Result<Vec<Event>, ApplyError> {
        match change {
            Change::TargetCancelled { target } => {
                self.cancel(tx, workspace, *target).await?;
            }
            Change::PostCancelled { post } => return self.cancel_post(tx, workspace, *post).await,
            Change::PostEdited(edit) => self.edit(tx, workspace, edit, now).await?,
            Change::PublishedAgain(again) => {
                return self.publish_again(tx, workspace, again).await;
            }
            _ => {}
        }
        Ok(Vec::new())
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
        if !waits(&row) {
            return Err(begun(&row).into());
        }
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

    /// Cancels what of a post still waits. What has begun goes on; where nothing waits, nothing can be cancelled.
    async fn cancel_post(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        id: PostId,
    ) -> Result<Vec<Event>, ApplyError> {
        let rows = self.lock_targets_of(tx, workspace, id).await?;
        let open = rows.iter().filter(|row| waits(row));
        let open: Vec<TargetId> = open.map(|row| TargetId::from_uuid(row.id)).collect();
        if open.is_empty()
            && let Some(row) = rows.iter().find(|row| row.stage != Stage::Cancelled.rank())
        {
            return Err(begun(row).into());
        }
        for row in rows.iter().filter(|row| waits(row)) {
            let reason = Some("cancelled".to_owned());
            let target = TargetId::from_uuid(row.id);
            self.raise_target(tx, target, row.edition, Stage::Cancelled, reason)
                .await?;
        }
        let told = open.into_iter().map(|target| Event::TargetCancelled {
            target,
            reason: "cancelled".to_owned(),
        });
        Ok(told.collect())
    }

    /// Locks a post's targets, in the order of their ids. None of them can begin until the transaction ends.
    async fn lock_targets_of(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        id: PostId,
    ) -> Result<Vec<target::Model>, ApplyError> {
        let mut query = target::Entity::find()
            .filter(target::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(target::Column::PostId.eq(id.uuid()))
            .order_by_asc(target::Column::Id);
        if self.is_postgres() {
            query = query.lock_exclusive();
        }
        let rows = query.all(tx).await?;
        if rows.is_empty() {
            let what = id.to_string();
            return Err(Refusal::NotFound { what }.into());
        }
        Ok(rows)
    }

    /// Changes a post, all of it under its targets' locks. Refused once any of them has begun; what was cancelled stays
    /// cancelled.
    async fn edit(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        edit: &PostEdit,
        now: Time,
    ) -> Result<(), ApplyError> {
        let (ids, connections) = self.ids_of(tx, workspace, edit.post).await?;
        self.lock_contents(tx, connections).await?;
        self.lock_publishes(tx, &ids).await?;
        let rows = self.lock_targets_of(tx, workspace, edit.post).await?;
        let cancelled = |row: &&target::Model| row.stage == Stage::Cancelled.rank();
        if let Some(row) = rows.iter().find(|row| !waits(row) && !cancelled(row)) {
            return Err(begun(row).into());
        }
        let open: Vec<&target::Model> = rows.iter().filter(|row| waits(row)).collect();
        let (Some(_), Some(before)) = (
            open.first(),
            post::Entity::find_by_id(edit.post.uuid()).one(tx).await?,
        ) else {
            return Err(begun(&rows[0]).into());
        };
        if edit.revision.is_some_and(|read| read != before.revision) {
            let what = edit.post.to_string();
            return Err(Refusal::ChangedMeanwhile { what }.into());
        }
        let row = edited(&before, edit)?;
        post::Entity::update_many()
            .set(row)
            .filter(post::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(post::Column::Id.eq(edit.post.uuid()))
            .exec(tx)
            .await?;
        self.edit_targets(tx, &before, &open, edit, now).await
    }

    /// Its targets, and where they go. Neither ever changes.
    async fn ids_of(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        id: PostId,
    ) -> Result<(Vec<Uuid>, Vec<Uuid>), StoreError> {
        let rows: Vec<(Uuid, Uuid)> = target::Entity::find()
            .select_only()
            .column(target::Column::Id)
            .column(target::Column::ConnectionId)
            .filter(target::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(target::Column::PostId.eq(id.uuid()))
            .into_tuple()
            .all(tx)
            .await?;
        Ok(rows.into_iter().unzip())
    }

    /// The part of an edit that each target carries: its time, its fingerprint, the urgency of its job.
    async fn edit_targets(
        &self,
        tx: &DatabaseTransaction,
        before: &post::Model,
        open: &[&target::Model],
        edit: &PostEdit,
        now: Time,
    ) -> Result<(), ApplyError> {
        let content = match &edit.content {
            Some(content) => content.clone(),
            None => content_of(before)?,
        };
        let overrides = match &edit.overrides {
            Some(overrides) => overrides.clone(),
            None => overrides_of(before)?,
        };
        for row in open {
            let platform = platform_of("post_targets", row.id, &row.platform)?;
            let connection = ConnectionId::from_uuid(row.connection_id);
            let content = overrides.resolve(&content, platform, connection);
            let wanted = Wanted {
                target: TargetId::from_uuid(row.id),
                connection,
                fingerprint: fingerprint(&content),
                due: edit
                    .due
                    .map_or(mooring_domain::time::from_ms(row.due_at), |due| due.at),
            };
            if !edit.allow_duplicate && (edit.changes_content() || edit.due.is_some()) {
                self.refuse_alike(tx, &wanted).await?;
            }
            target::Entity::update_many()
                .col_expr(target::Column::DueAt, wanted.due.timestamp_millis().into())
                .col_expr(target::Column::Fingerprint, wanted.fingerprint.into())
                .filter(target::Column::Id.eq(row.id))
                .exec(tx)
                .await?;
            if edit.due.is_some() || edit.critical.is_some() {
                let critical = edit.critical.unwrap_or(before.critical);
                self.replan(tx, row.id, wanted.due.max(now), critical)
                    .await?;
            }
        }
        Ok(())
    }

    /// Writes a post with its targets. Under [`Store::lock_contents`] of their connections.
    pub(super) async fn schedule(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        new: &NewPost,
        now: Time,
    ) -> Result<(), ApplyError> {
        let wanted: Vec<Wanted> = new
            .targets
            .iter()
            .map(|one| Wanted::of(new, *one))
            .collect();
        self.lock_contents(tx, wanted.iter().map(|one| one.connection.uuid()))
            .await?;
        if !new.allow_duplicate {
            for one in &wanted {
                self.refuse_alike(tx, one).await?;
            }
        }
        let row = new_row(workspace, new, now)?;
        post::Entity::insert(row).exec_without_returning(tx).await?;
        let targets = new.targets.iter().zip(wanted);
        let targets = targets.map(|((id, connection, platform), wanted)| target::ActiveModel {
            id: Set(id.uuid()),
            workspace_id: Set(workspace.uuid()),
            post_id: Set(new.post.uuid()),
            connection_id: Set(connection.uuid()),
            platform: Set(platform.as_str().to_owned()),
            edition: Set(1),
            stage: Set(Stage::Scheduled.rank()),
            reason: Set(None),
            due_at: Set(new.due.at.timestamp_millis()),
            verdict: Set(None),
            verdict_at: Set(None),
            permalink: Set(None),
            prepared: Set(None),
            prepared_revision: Set(None),
            fingerprint: Set(Some(wanted.fingerprint)),
            address: Set(None),
            address_at: Set(None),
        });
        target::Entity::insert_many(targets)
            .exec_without_returning(tx)
            .await?;
        Ok(())
    }
}

fn new_row(
    workspace: WorkspaceId,
    new: &NewPost,
    now: Time,
) -> Result<post::ActiveModel, StoreError> {
    let overrides = (!new.overrides.is_empty()).then(|| json(new.post, &new.overrides));
    let mut row = post::ActiveModel {
        id: Set(new.post.uuid()),
        workspace_id: Set(workspace.uuid()),
        content: Set(json(new.post, &new.content)?),
        revision: Set(1),
        critical: Set(new.critical),
        created_at: Set(now.timestamp_millis()),
        overrides: Set(overrides.transpose()?),
        max_lateness_ms: Set(new.max_lateness.map(|span| span.num_milliseconds())),
        told_state: Set(None),
        ..Default::default()
    };
    set_due(&mut row, new.due);
    Ok(row)
}

fn edited(before: &post::Model, edit: &PostEdit) -> Result<post::ActiveModel, StoreError> {
    let mut row = <post::ActiveModel as Default>::default();
    if let Some(content) = &edit.content {
        row.content = Set(json::<Content>(edit.post, content)?);
    }
    if let Some(overrides) = &edit.overrides {
        let overrides = (!overrides.is_empty()).then(|| json(edit.post, overrides));
        row.overrides = Set(overrides.transpose()?);
    }
    // Every edit counts: an attempt names the revision that it sent.
    row.revision = Set(before.revision + 1);
    if let Some(critical) = edit.critical {
        row.critical = Set(critical);
    }
    if let Some(span) = edit.max_lateness {
        row.max_lateness_ms = Set(span.map(|span| span.num_milliseconds()));
    }
    if let Some(due) = edit.due {
        set_due(&mut row, due);
    }
    Ok(row)
}

fn set_due(row: &mut post::ActiveModel, due: Due) {
    row.due_at = Set(due.at.timestamp_millis());
    row.zone = Set(due.zoned.map(|zoned| zoned.zone.name().to_owned()));
    row.wall = Set(due.zoned.map(|zoned| wall_text(zoned.wall)));
}

fn json<T: serde::Serialize>(id: PostId, value: &T) -> Result<serde_json::Value, StoreError> {
    serde_json::to_value(value).map_err(|error| StoreError::corrupt("posts", id, error.to_string()))
}

fn waits(row: &target::Model) -> bool {
    row.stage == Stage::Scheduled.rank()
}

fn begun(row: &target::Model) -> Refusal {
    let stage = Stage::from_rank(row.stage).map_or("unknown", Stage::as_str);
    Refusal::AlreadyBegun {
        target: TargetId::from_uuid(row.id),
        stage: stage.to_owned(),
    }
}
