//! Connections, as people look at them one by one.

use std::collections::HashMap;

use chrono::TimeDelta;
use mooring_domain::{
    BrandId, ConnectionId, GrantId, Platform, Policy, Time, WorkspaceId,
    connection::{
        AccountFacts, Assessment, Facts,
        advice::{Advice, advice},
        assess,
        projection::Standing,
    },
    time::from_ms,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::{
    Store, StoreError,
    entity::{brand, connection, grant},
    jobs::platform_of,
    work,
};

/// A connection with everything that is known about it, judged now. Never a token.
#[derive(Debug, Clone)]
pub struct ConnectionView {
    /// Its id.
    pub id: ConnectionId,
    /// Its platform.
    pub platform: Platform,
    /// The account's id at the platform.
    pub remote_id: String,
    /// Its name.
    pub name: String,
    /// The client label.
    pub brand: Option<(BrandId, String)>,
    /// Its grant.
    pub grant: GrantId,
    /// What health is judged by.
    pub facts: Facts,
    /// What the platform told about the account.
    pub about: AccountFacts,
    /// Health with its reasons.
    pub assessment: Assessment,
    /// When and why it was disconnected.
    pub removed: Option<(Time, String)>,
    /// When a person last connected it.
    pub connected_at: Time,
    /// When its tokens were last renewed, or issued.
    pub refreshed_at: Time,
    /// When a person last gave the consent that its tokens come from: for it or for another connection of its grant.
    pub consented_at: Time,
    /// Whether it is the main one of its platform.
    pub main: bool,
    /// Who answers for it.
    pub owner: Option<String>,
    /// For admins only.
    pub admin_note: Option<String>,
    /// What to do when it fails.
    pub escalation: Option<String>,
    /// Whether the user behind it is no person.
    pub service_account: bool,
    /// Words to find it by.
    pub labels: Vec<String>,
    /// The least time between two sends, where the connection says one; else the policy does.
    pub spacing: Option<TimeDelta>,
    /// Granted permissions, where known. For admins only.
    pub granted: Option<Vec<String>>,
}

impl ConnectionView {
    /// What every projection reads.
    #[must_use]
    pub const fn standing(&self) -> Standing<'_> {
        Standing {
            removed: self.removed.is_some(),
            auth: self.facts.auth_state,
            assessment: &self.assessment,
        }
    }

    /// What to do about it now; `None` where nothing wants doing.
    #[must_use]
    pub fn advice(&self, policy: &Policy, now: Time) -> Option<Advice> {
        let ends_at = self.facts.ends_at.filter(|_| !self.facts.renews_itself);
        advice(&self.standing(), self.facts.failing, ends_at, policy, now)
    }
}

/// Which connections to look at.
#[derive(Debug, Clone, Copy, Default)]
pub struct ConnectionFilter {
    /// Only this one.
    pub id: Option<ConnectionId>,
    /// Only of this platform.
    pub platform: Option<Platform>,
    /// Only with this client label.
    pub brand: Option<BrandId>,
    /// Only main ones, or only others.
    pub main: Option<bool>,
    /// Those that were disconnected, instead of those that were not; `None` = both.
    pub removed: Option<bool>,
    /// Only those after this one, in the order of ids.
    pub after: Option<Uuid>,
    /// At most so many.
    pub limit: Option<u64>,
}

impl Store {
    /// Connections in the order of their ids, judged now.
    pub async fn connection_views(
        &self,
        workspace: WorkspaceId,
        filter: &ConnectionFilter,
        now: Time,
    ) -> Result<Vec<ConnectionView>, StoreError> {
        use connection::Column;
        let mut query = connection::Entity::find()
            .filter(Column::WorkspaceId.eq(workspace.uuid()))
            .order_by_asc(Column::Id)
            .limit(filter.limit);
        if let Some(id) = filter.id {
            query = query.filter(Column::Id.eq(id.uuid()));
        }
        if let Some(platform) = filter.platform {
            query = query.filter(Column::Platform.eq(platform.as_str()));
        }
        if let Some(brand) = filter.brand {
            query = query.filter(Column::BrandId.eq(brand.uuid()));
        }
        if let Some(main) = filter.main {
            query = query.filter(Column::Main.eq(main));
        }
        query = match filter.removed {
            Some(true) => query.filter(Column::RemovedAt.is_not_null()),
            Some(false) => query.filter(Column::RemovedAt.is_null()),
            None => query,
        };
        if let Some(after) = filter.after {
            query = query.filter(Column::Id.gt(after));
        }
        let rows = query.all(&self.db).await?;
        self.views(workspace, rows, now).await
    }

    /// Those of these connections, and of these grants', that are not disconnected, in the order of their ids, judged now.
    pub async fn living_views(
        &self,
        workspace: WorkspaceId,
        connections: &[ConnectionId],
        grants: &[GrantId],
        now: Time,
    ) -> Result<Vec<ConnectionView>, StoreError> {
        use connection::Column;
        let ids = connections.iter().map(|id| id.uuid());
        let of_grants = grants.iter().map(|id| id.uuid());
        let rows = connection::Entity::find()
            .filter(Column::WorkspaceId.eq(workspace.uuid()))
            .filter(Column::RemovedAt.is_null())
            .filter(
                Condition::any()
                    .add(Column::Id.is_in(ids))
                    .add(Column::GrantId.is_in(of_grants)),
            )
            .order_by_asc(Column::Id)
            .all(&self.db)
            .await?;
        self.views(workspace, rows, now).await
    }

    async fn views(
        &self,
        workspace: WorkspaceId,
        rows: Vec<connection::Model>,
        now: Time,
    ) -> Result<Vec<ConnectionView>, StoreError> {
        let (grants, brands) = self.around(workspace, &rows).await?;
        rows.into_iter()
            .map(|row| {
                let grant = grants
                    .get(&row.grant_id)
                    .ok_or_else(|| StoreError::corrupt("connections", row.id, "has no grant"))?;
                let brand = row
                    .brand_id
                    .and_then(|id| Some((id, brands.get(&id)?.clone())));
                self.view(row, grant, brand, now)
            })
            .collect()
    }

    /// The grants and brands of connections.
    async fn around(
        &self,
        workspace: WorkspaceId,
        rows: &[connection::Model],
    ) -> Result<(HashMap<Uuid, grant::Model>, HashMap<Uuid, String>), StoreError> {
        let mut of_workspace =
            grant::Entity::find().filter(grant::Column::WorkspaceId.eq(workspace.uuid()));
        if rows.len() <= 1_000 {
            let ids = rows.iter().map(|row| row.grant_id);
            of_workspace = of_workspace.filter(grant::Column::Id.is_in(ids));
        }
        let grants = of_workspace.all(&self.db).await?;
        let brands = brand::Entity::find()
            .filter(brand::Column::WorkspaceId.eq(workspace.uuid()))
            .all(&self.db)
            .await?;
        Ok((
            grants.into_iter().map(|grant| (grant.id, grant)).collect(),
            brands
                .into_iter()
                .map(|brand| (brand.id, brand.name))
                .collect(),
        ))
    }

    fn view(
        &self,
        row: connection::Model,
        grant: &grant::Model,
        brand: Option<(Uuid, String)>,
        now: Time,
    ) -> Result<ConnectionView, StoreError> {
        let (facts, of_grant) = work::facts(&row, grant, &self.policy, now)?;
        let assessment = assess(&facts, &self.policy, now);
        let about = work::about(&row)?;
        let connected_at = from_ms(row.connected_at.unwrap_or(row.created_at));
        let removed = row.removed_at.map(|at| {
            let why = row.removed_why.clone().unwrap_or_default();
            (from_ms(at), why)
        });
        Ok(ConnectionView {
            id: ConnectionId::from_uuid(row.id),
            platform: platform_of("connections", row.id, &row.platform)?,
            remote_id: row.remote_id,
            name: row.name,
            brand: brand.map(|(id, name)| (BrandId::from_uuid(id), name)),
            grant: GrantId::from_uuid(grant.id),
            facts,
            about,
            assessment,
            removed,
            connected_at,
            consented_at: connected_at.max(work::grant_past(grant).connected_at),
            refreshed_at: of_grant.issued_at,
            main: row.main,
            owner: row.owner,
            admin_note: row.admin_note,
            escalation: row.escalation,
            service_account: row.service_account,
            labels: work::list("connections", row.id, row.labels)?.unwrap_or_default(),
            spacing: row.spacing_ms.map(TimeDelta::milliseconds),
            granted: work::list("grants", grant.id, grant.scopes.clone())?,
        })
    }
}
