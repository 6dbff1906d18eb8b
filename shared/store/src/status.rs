//! Read-only views for people: counts, connections, targets, jobs, events.

use std::collections::{HashMap, HashSet};

use mooring_domain::{
    AppId, BrandId, ConnectionId, GrantId, JobKind, Platform, PostId, TargetId, Time, WorkspaceId,
    connection::{AccountFacts, Health, assess},
    post::Stage,
    time::from_ms,
};
use sea_orm::{
    ColumnTrait, EntityTrait, FromQueryResult, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use crate::{
    Store, StoreError,
    entity::{app, attempt, brand, connection, grant, job, target},
    jobs::platform_of,
    work,
};

/// Numbers of a workspace, or of all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Connections by stored health.
    pub connections: Vec<(String, u64)>,
    /// Targets by stage.
    pub targets: Vec<(String, u64)>,
    /// Accepted targets by newest verdict; "none" = not looked at yet.
    pub verdicts: Vec<(String, u64)>,
    /// Attempts whose outcome is not settled.
    pub dangling: u64,
}

/// Where a post goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressee {
    /// Its platform.
    pub platform: Platform,
    /// The account's name.
    pub name: String,
    /// What is known about the account, and so what it takes.
    pub about: AccountFacts,
}

/// A connection, as lists show it: health is assessed now, not read.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectionRow {
    /// Its id.
    pub id: ConnectionId,
    /// Its platform.
    pub platform: String,
    /// The account's id at the platform.
    pub remote_id: String,
    /// Its name.
    pub name: String,
    /// Its health now.
    pub health: Health,
    /// Why.
    pub reasons: Vec<String>,
    /// The grant's state; `removed` where a person disconnected it.
    pub auth_state: String,
    /// The version of the grant's tokens.
    pub token_version: i64,
    /// When it was last checked.
    pub checked_at: Option<Time>,
    /// End of the access token.
    pub access_expires_at: Option<Time>,
    /// When a person disconnected it.
    pub removed_at: Option<Time>,
}

/// A target, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetRow {
    /// Its id.
    pub id: TargetId,
    /// Its post.
    pub post: PostId,
    /// Where it goes.
    pub connection: ConnectionId,
    /// How far it has come.
    pub stage: Stage,
    /// Why, where it ended badly.
    pub reason: Option<String>,
    /// The newest verdict.
    pub verdict: Option<String>,
    /// Where people see it.
    pub permalink: Option<String>,
    /// How many attempts it took.
    pub attempts: u64,
}

/// A job, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRow {
    /// Its kind.
    pub kind: String,
    /// Its subject.
    pub subject: Uuid,
    /// When it is due.
    pub run_at: Time,
    /// When it may be claimed.
    pub visible_at: Time,
    /// A wish that came while leased.
    pub wanted_at: Option<Time>,
    /// The fencing token.
    pub generation: i64,
    /// Until when it is claimed.
    pub lease_until: Option<Time>,
    /// When its holder began.
    pub begun_at: Option<Time>,
    /// Attempts counted.
    pub attempt: i32,
    /// Expired leases in a row.
    pub losses: i32,
    /// Why it does not run.
    pub parked: Option<String>,
}

#[derive(FromQueryResult)]
pub(crate) struct Group {
    label: Option<String>,
    count: i64,
}

#[derive(FromQueryResult)]
struct StageGroup {
    stage: i16,
    count: i64,
}

impl Store {
    /// Numbers of one workspace, or (`None`) of all.
    pub async fn counts(&self, of: Option<WorkspaceId>) -> Result<Counts, StoreError> {
        let mut connections = connection::Entity::find()
            .select_only()
            .column_as(connection::Column::Health, "label")
            .column_as(connection::Column::Id.count(), "count")
            .group_by(connection::Column::Health);
        let mut targets = target::Entity::find()
            .select_only()
            .column(target::Column::Stage)
            .column_as(target::Column::Id.count(), "count")
            .group_by(target::Column::Stage);
        let mut verdicts = target::Entity::find()
            .select_only()
            .column_as(target::Column::Verdict, "label")
            .column_as(target::Column::Id.count(), "count")
            .filter(target::Column::Stage.gte(Stage::Accepted.rank()))
            .group_by(target::Column::Verdict);
        let mut dangling = attempt::Entity::find().filter(attempt::Column::Settlement.is_null());
        if let Some(workspace) = of.map(mooring_domain::id::Id::uuid) {
            connections = connections.filter(connection::Column::WorkspaceId.eq(workspace));
            targets = targets.filter(target::Column::WorkspaceId.eq(workspace));
            verdicts = verdicts.filter(target::Column::WorkspaceId.eq(workspace));
            dangling = dangling.filter(attempt::Column::WorkspaceId.eq(workspace));
        }
        let stages = targets.into_model::<StageGroup>().all(&self.db).await?;
        Ok(Counts {
            connections: labelled(connections.into_model::<Group>().all(&self.db).await?),
            targets: stages
                .into_iter()
                .map(|row| {
                    let stage = Stage::from_rank(row.stage).map_or("unknown", Stage::as_str);
                    (stage.to_owned(), row.count.unsigned_abs())
                })
                .collect(),
            verdicts: labelled(verdicts.into_model::<Group>().all(&self.db).await?),
            dangling: dangling.count(&self.db).await?,
        })
    }

    /// A workspace's connections by name, judged now.
    pub async fn connections(
        &self,
        workspace: WorkspaceId,
        now: Time,
    ) -> Result<Vec<ConnectionRow>, StoreError> {
        let rows = connection::Entity::find()
            .filter(connection::Column::WorkspaceId.eq(workspace.uuid()))
            .order_by_asc(connection::Column::Name)
            .all(&self.db)
            .await?;
        let grants = grant::Entity::find()
            .filter(grant::Column::WorkspaceId.eq(workspace.uuid()))
            .all(&self.db)
            .await?;
        let grants: HashMap<_, _> = grants.into_iter().map(|grant| (grant.id, grant)).collect();
        rows.into_iter()
            .map(|row| {
                let grant = grants
                    .get(&row.grant_id)
                    .ok_or_else(|| StoreError::corrupt("connections", row.id, "has no grant"))?;
                let (facts, _) = work::facts(&row, grant, &self.policy, now)?;
                let assessment = assess(&facts, &self.policy, now);
                let removed_at = row.removed_at.map(from_ms);
                Ok(ConnectionRow {
                    id: ConnectionId::from_uuid(row.id),
                    platform: row.platform,
                    remote_id: row.remote_id,
                    name: row.name,
                    health: assessment.health,
                    reasons: assessment
                        .reasons
                        .iter()
                        .map(|r| r.code().to_owned())
                        .collect(),
                    auth_state: match removed_at {
                        Some(_) => "removed".to_owned(),
                        None => grant.state.clone(),
                    },
                    removed_at,
                    token_version: grant.token_version,
                    checked_at: row.checked_at.map(from_ms),
                    access_expires_at: grant.access_expires_at.map(from_ms),
                })
            })
            .collect()
    }

    /// Where these connections of a workspace lead, and what is known about the accounts; unknown ids are missing.
    pub async fn addressees(
        &self,
        workspace: WorkspaceId,
        connections: &[ConnectionId],
    ) -> Result<HashMap<ConnectionId, Addressee>, StoreError> {
        let ids = connections.iter().map(|id| id.uuid());
        let rows = connection::Entity::find()
            .filter(connection::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(connection::Column::Id.is_in(ids))
            .all(&self.db)
            .await?;
        rows.into_iter()
            .map(|row| {
                let addressee = Addressee {
                    platform: platform_of("connections", row.id, &row.platform)?,
                    about: work::about(&row)?,
                    name: row.name,
                };
                Ok((ConnectionId::from_uuid(row.id), addressee))
            })
            .collect()
    }

    /// Accounts that a workspace has connected now: (platform, remote id).
    pub async fn accounts(
        &self,
        workspace: WorkspaceId,
    ) -> Result<HashSet<(String, String)>, StoreError> {
        let rows: Vec<(String, String)> = connection::Entity::find()
            .select_only()
            .column(connection::Column::Platform)
            .column(connection::Column::RemoteId)
            .filter(connection::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(connection::Column::RemovedAt.is_null())
            .into_tuple()
            .all(&self.db)
            .await?;
        Ok(rows.into_iter().collect())
    }

    /// Connections that were disconnected: (platform, remote id) → the connection that the account is again when it
    /// is connected anew, with its history.
    pub async fn disconnected(
        &self,
        workspace: WorkspaceId,
    ) -> Result<HashMap<(String, String), ConnectionId>, StoreError> {
        let rows: Vec<(Uuid, String, String)> = connection::Entity::find()
            .select_only()
            .column(connection::Column::Id)
            .column(connection::Column::Platform)
            .column(connection::Column::RemoteId)
            .filter(connection::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(connection::Column::RemovedAt.is_not_null())
            .into_tuple()
            .all(&self.db)
            .await?;
        let rows = rows.into_iter();
        Ok(rows
            .map(|(id, platform, account)| ((platform, account), ConnectionId::from_uuid(id)))
            .collect())
    }

    /// Grants that a workspace has: (platform, provider user) → grant.
    pub async fn grants(
        &self,
        workspace: WorkspaceId,
    ) -> Result<HashMap<(String, String), GrantId>, StoreError> {
        let rows: Vec<(Uuid, String, String)> = grant::Entity::find()
            .select_only()
            .column(grant::Column::Id)
            .column(grant::Column::Platform)
            .column(grant::Column::RemoteUserId)
            .filter(grant::Column::WorkspaceId.eq(workspace.uuid()))
            .into_tuple()
            .all(&self.db)
            .await?;
        let rows = rows.into_iter();
        Ok(rows
            .map(|(id, platform, user)| ((platform, user), GrantId::from_uuid(id)))
            .collect())
    }

    /// Grants that went with their last connection: they hold no tokens, and come back with new ones.
    pub async fn ended_grants(
        &self,
        workspace: WorkspaceId,
    ) -> Result<HashSet<GrantId>, StoreError> {
        let rows: Vec<Uuid> = grant::Entity::find()
            .select_only()
            .column(grant::Column::Id)
            .filter(grant::Column::WorkspaceId.eq(workspace.uuid()))
            .filter(grant::Column::AccessToken.is_null())
            .into_tuple()
            .all(&self.db)
            .await?;
        Ok(rows.into_iter().map(GrantId::from_uuid).collect())
    }

    /// Brands that a workspace has, by name.
    pub async fn brands(
        &self,
        workspace: WorkspaceId,
    ) -> Result<HashMap<String, BrandId>, StoreError> {
        let rows = brand::Entity::find()
            .filter(brand::Column::WorkspaceId.eq(workspace.uuid()))
            .all(&self.db)
            .await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.name, BrandId::from_uuid(row.id)))
            .collect())
    }

    /// Our app at a platform: the workspace's own, else the one for everybody.
    pub async fn app(
        &self,
        workspace: WorkspaceId,
        platform: Platform,
    ) -> Result<Option<AppId>, StoreError> {
        let rows = app::Entity::find()
            .filter(app::Column::Platform.eq(platform.as_str()))
            .all(&self.db)
            .await?;
        let own = rows
            .iter()
            .find(|row| row.workspace_id == Some(workspace.uuid()));
        let found = own.or_else(|| rows.iter().find(|row| row.workspace_id.is_none()));
        Ok(found.map(|row| AppId::from_uuid(row.id)))
    }

    /// A workspace's targets, oldest first.
    pub async fn targets(&self, workspace: WorkspaceId) -> Result<Vec<TargetRow>, StoreError> {
        let rows = target::Entity::find()
            .filter(target::Column::WorkspaceId.eq(workspace.uuid()))
            .order_by_asc(target::Column::Id)
            .all(&self.db)
            .await?;
        let attempts: Vec<Uuid> = attempt::Entity::find()
            .select_only()
            .column(attempt::Column::TargetId)
            .filter(attempt::Column::WorkspaceId.eq(workspace.uuid()))
            .into_tuple()
            .all(&self.db)
            .await?;
        let mut per_target = HashMap::<Uuid, u64>::new();
        for target in attempts {
            *per_target.entry(target).or_default() += 1;
        }
        rows.into_iter()
            .map(|row| {
                Ok(TargetRow {
                    id: TargetId::from_uuid(row.id),
                    post: PostId::from_uuid(row.post_id),
                    connection: ConnectionId::from_uuid(row.connection_id),
                    stage: Stage::from_rank(row.stage).ok_or_else(|| {
                        StoreError::corrupt("post_targets", row.id, "its stage is unknown")
                    })?,
                    reason: row.reason,
                    verdict: row.verdict,
                    permalink: row.permalink,
                    attempts: per_target.get(&row.id).copied().unwrap_or(0),
                })
            })
            .collect()
    }

    /// One job's row, as it stands.
    pub async fn job(&self, kind: JobKind, subject: Uuid) -> Result<Option<JobRow>, StoreError> {
        let row = job::Entity::find_by_id((kind.as_str().to_owned(), subject))
            .one(&self.db)
            .await?;
        Ok(row.map(job_row))
    }
}

pub(crate) fn job_row(row: job::Model) -> JobRow {
    JobRow {
        kind: row.kind,
        subject: row.subject_id,
        run_at: from_ms(row.run_at),
        visible_at: from_ms(row.visible_at),
        wanted_at: row.wanted_at.map(from_ms),
        generation: row.generation,
        lease_until: row.lease_until.map(from_ms),
        begun_at: row.begun_at.map(from_ms),
        attempt: row.attempt,
        losses: row.losses,
        parked: row.parked,
    }
}

pub(crate) fn labelled(rows: Vec<Group>) -> Vec<(String, u64)> {
    rows.into_iter()
        .map(|row| {
            let label = row.label.unwrap_or_else(|| "none".to_owned());
            (label, row.count.unsigned_abs())
        })
        .collect()
}
