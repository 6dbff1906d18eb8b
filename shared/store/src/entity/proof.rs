//! Evidence of what a read-back saw.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "proofs")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) workspace_id: Uuid,
    pub(crate) target_id: Uuid,
    pub(crate) attempt_id: Uuid,
    pub(crate) verdict: String,
    pub(crate) remote_id: String,
    pub(crate) permalink: Option<String>,
    pub(crate) digest: Option<String>,
    pub(crate) seen_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
