//! What a survey needs: a grant, its connections, and what asks for its list of destinations.

use mooring_domain::{
    ConnectionId, GrantId, Time,
    connection::Health,
    survey::{Known, SurveyWork},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::{Credentials, facts, grant_facts};
use crate::{Held, Store, StoreError, entity::connection, jobs::platform_of};

/// A grant to survey.
#[derive(Debug)]
pub struct SurveyJob {
    /// The facts.
    pub work: SurveyWork,
    /// What the call needs; `None` when the grant holds no token.
    pub credentials: Option<Credentials>,
}

impl Store {
    /// Loads a survey. `None`: the grant is gone.
    pub async fn survey_job(
        &self,
        held: &Held,
        now: Time,
    ) -> Result<Option<SurveyJob>, StoreError> {
        let workspace = held.workspace.uuid();
        let Some(grant) = self.grant_row(workspace, held.fence.subject).await? else {
            return Ok(None);
        };
        let rows = connection::Entity::find()
            .filter(connection::Column::WorkspaceId.eq(workspace))
            .filter(connection::Column::GrantId.eq(grant.id))
            .filter(connection::Column::RemovedAt.is_null())
            .order_by_asc(connection::Column::Id)
            .all(&self.db)
            .await?;
        let known = rows.into_iter().map(|row| {
            let (facts, _) = facts(&row, &grant, &self.policy, now)?;
            Ok(Known {
                connection: ConnectionId::from_uuid(row.id),
                platform: platform_of("connections", row.id, &row.platform)?,
                remote_id: row.remote_id,
                name: row.name,
                facts,
                health: Health::parse(&row.health),
            })
        });
        let known = known.collect::<Result<_, StoreError>>()?;
        Ok(Some(SurveyJob {
            credentials: self.credentials(&grant, None).await?,
            work: SurveyWork {
                grant: GrantId::from_uuid(grant.id),
                platform: platform_of("grants", grant.id, &grant.platform)?,
                facts: grant_facts(&grant)?,
                known,
                attempt: held.attempt,
            },
        }))
    }
}
