//! Something that a platform told us on its own, for one workspace.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "inbox")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) workspace_id: Uuid,
    pub(crate) app_id: Uuid,
    pub(crate) platform: String,
    pub(crate) key: String,
    pub(crate) kind: String,
    pub(crate) data: Json,
    pub(crate) code: Option<String>,
    pub(crate) received_at: i64,
    pub(crate) merged_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
