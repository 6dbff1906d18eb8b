//! Keys to the API.

use mooring_domain::{KeyId, Time, WorkspaceId, access::NewKey};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, sea_query::Expr,
};

use super::{ApplyError, Refusal};
use crate::{
    Store, StoreError,
    entity::{api_key, api_key_role},
};

impl Store {
    pub(super) async fn keep_key(
        &self,
        tx: &DatabaseTransaction,
        new: &NewKey,
        now: Time,
    ) -> Result<(), StoreError> {
        let row = api_key::ActiveModel {
            id: Set(new.key.uuid()),
            name: Set(new.name.clone()),
            digest: Set(new.digest.clone()),
            created_at: Set(now.timestamp_millis()),
            revoked_at: Set(None),
        };
        api_key::Entity::insert(row)
            .exec_without_returning(tx)
            .await?;
        let roles = new
            .roles
            .iter()
            .map(|(workspace, role)| api_key_role::ActiveModel {
                key_id: Set(new.key.uuid()),
                workspace_id: Set(workspace.uuid()),
                role: Set(role.as_str().to_owned()),
            });
        api_key_role::Entity::insert_many(roles)
            .exec_without_returning(tx)
            .await?;
        Ok(())
    }

    /// Takes a key back, in every workspace that it opens: a key that has leaked has leaked whole.
    pub(super) async fn revoke_key(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        key: KeyId,
        now: Time,
    ) -> Result<(), ApplyError> {
        let here = api_key_role::Entity::find_by_id((workspace.uuid(), key.uuid()))
            .one(tx)
            .await?;
        let mut revoked = 0;
        if here.is_some() {
            let update = api_key::Entity::update_many()
                .col_expr(
                    api_key::Column::RevokedAt,
                    Expr::value(now.timestamp_millis()),
                )
                .filter(api_key::Column::Id.eq(key.uuid()))
                .filter(api_key::Column::RevokedAt.is_null());
            revoked = update.exec(tx).await?.rows_affected;
        }
        if revoked == 0 {
            let what = key.to_string();
            return Err(Refusal::NotFound { what }.into());
        }
        Ok(())
    }
}
