//! What people did at a platform themselves: took a post down, or published one by hand.

use chrono::TimeDelta;
use mooring_domain::{
    AttemptId, Change, Event, TargetId, Time, WorkspaceId,
    decision::NativePost,
    event::NativePublished,
    news::verify_poke,
    post::{Settlement, Sight, Stage, TargetNews},
    time::minutes,
};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter};

use super::{ApplyError, Refusal};
use crate::{
    Store, StoreError,
    entity::{attempt, post, target},
    jobs::platform_of,
    work::content_of,
};

/// Why a copy counts as taken down where a person said so.
const REMOVED_BY_HAND: &str = "removed_by_hand";
/// How long after a person's word the platform is asked.
const LOOK_AFTER: TimeDelta = minutes(1);

impl Store {
    /// What a person did with a target themselves.
    pub(super) async fn by_hand(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        change: &Change,
    ) -> Result<Vec<Event>, ApplyError> {
        match change {
            Change::TargetSaidRemoved { target, at } => {
                self.said_removed(tx, workspace, *target, *at).await
            }
            Change::NativePublished(post) => self.native(tx, workspace, post).await,
            _ => Ok(Vec::new()),
        }
    }

    /// A person's word that they took a copy down: it counts as seen gone at that moment. Whoever says it twice says nothing
    /// new.
    async fn said_removed(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        id: TargetId,
        at: Time,
    ) -> Result<Vec<Event>, ApplyError> {
        let row = self.own_target(tx, workspace, id).await?;
        if row.stage < Stage::Accepted.rank() {
            let stage = Stage::from_rank(row.stage).map_or("unknown", Stage::as_str);
            let stage = stage.to_owned();
            return Err(Refusal::NotPublished { target: id, stage }.into());
        }
        let gone = row.verdict.as_deref() == Some(Sight::Removed.as_str());
        if gone && row.stage == Stage::Removed.rank() {
            return Ok(Vec::new());
        }
        let edition = row.edition;
        let said = TargetNews::Seen {
            edition,
            at,
            what: Sight::Removed,
            address: None,
        };
        self.merge_target(tx, id, said).await?;
        let why = Some(REMOVED_BY_HAND.to_owned());
        self.raise_target(tx, id, edition, Stage::Removed, why)
            .await?;
        // The platform is asked all the same, where it can be, and a little later: what is gone is not gone everywhere at once.
        let look_at = at + LOOK_AFTER;
        let taken = attempt::Entity::find()
            .filter(attempt::Column::TargetId.eq(row.id))
            .filter(attempt::Column::Edition.eq(edition))
            .filter(attempt::Column::AcceptedAt.is_not_null())
            .all(tx)
            .await?;
        for one in taken {
            let platform = platform_of("publish_attempts", one.id, &one.platform)?;
            let look = verify_poke(AttemptId::from_uuid(one.id), platform, look_at);
            self.poke(tx, workspace, &look, None).await?;
        }
        Ok(vec![Event::TargetSaidRemoved { target: id }])
    }

    /// A post that was published by hand becomes an attempt that the platform took. Told twice it is one.
    async fn native(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        native: &NativePost,
    ) -> Result<Vec<Event>, ApplyError> {
        let id = native.target;
        let row = self.own_target(tx, workspace, id).await?;
        let owner = attempt::Entity::find()
            .filter(attempt::Column::ConnectionId.eq(row.connection_id))
            .filter(attempt::Column::RemoteId.eq(native.remote_id.as_str()))
            .one(tx)
            .await?;
        if let Some(owner) = owner {
            if owner.target_id == row.id && owner.edition == row.edition {
                return Ok(Vec::new());
            }
            let owner = TargetId::from_uuid(owner.target_id);
            return Err(Refusal::PostOwned { owner }.into());
        }
        if row.stage >= Stage::Accepted.rank() {
            return Err(Refusal::AlreadyPublished { target: id }.into());
        }
        let mine = || {
            attempt::Entity::find()
                .filter(attempt::Column::TargetId.eq(row.id))
                .filter(attempt::Column::Edition.eq(row.edition))
        };
        let open = mine().filter(attempt::Column::Settlement.is_null());
        if open.count(tx).await? > 0 {
            return Err(Refusal::AttemptDangles { target: id }.into());
        }
        let number = i32::try_from(mine().count(tx).await?).unwrap_or(i32::MAX) + 1;
        self.insert_native(tx, &row, native, number).await?;
        let accepted = TargetNews::Accepted {
            edition: row.edition,
            at: native.at,
            address: Some(native.url.clone()),
        };
        self.merge_target(tx, id, accepted).await?;
        let platform = platform_of("post_targets", row.id, &row.platform)?;
        let look = verify_poke(native.attempt, platform, native.at);
        self.poke(tx, workspace, &look, None).await?;
        Ok(vec![
            Event::NativePublished(NativePublished {
                target: id,
                attempt: native.attempt,
                url: native.url.clone(),
            }),
            Event::TargetAccepted {
                target: id,
                attempt: native.attempt,
                remote_id: native.remote_id.clone(),
            },
        ])
    }

    async fn insert_native(
        &self,
        tx: &DatabaseTransaction,
        row: &target::Model,
        native: &NativePost,
        number: i32,
    ) -> Result<(), StoreError> {
        let Some(post) = post::Entity::find_by_id(row.post_id).one(tx).await? else {
            return Err(StoreError::corrupt("post_targets", row.id, "has no post"));
        };
        let at = native.at.timestamp_millis();
        let model = attempt::Model {
            id: native.attempt.uuid(),
            workspace_id: row.workspace_id,
            target_id: row.id,
            connection_id: row.connection_id,
            platform: row.platform.clone(),
            edition: row.edition,
            number,
            revision: post.revision,
            reference: None,
            digest: content_of(&post)?.digest(),
            // No process of ours has sent it.
            holder: uuid::Uuid::nil(),
            begun_at: at,
            send_by: at,
            call_ended_at: Some(at),
            failure: None,
            settlement: Some(Settlement::Found.as_str().to_owned()),
            looks: 0,
            remote_id: Some(native.remote_id.clone()),
            permalink: Some(native.url.clone()),
            accepted_at: Some(at),
            handle: None,
            prepared: None,
            forgotten: false,
        };
        attempt::Entity::insert(attempt::ActiveModel::from(model))
            .exec_without_returning(tx)
            .await?;
        Ok(())
    }

    async fn own_target(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        id: TargetId,
    ) -> Result<target::Model, ApplyError> {
        let row = self.lock_target(tx, id.uuid()).await?;
        let row = row.filter(|row| row.workspace_id == workspace.uuid());
        let what = id.to_string();
        Ok(row.ok_or(Refusal::NotFound { what })?)
    }
}
