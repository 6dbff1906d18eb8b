//! A post, before it is spread over connections.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "posts")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) workspace_id: Uuid,
    pub(crate) content: Json,
    pub(crate) revision: i32,
    pub(crate) due_at: i64,
    pub(crate) critical: bool,
    pub(crate) created_at: i64,
    pub(crate) zone: Option<String>,
    pub(crate) wall: Option<String>,
    pub(crate) overrides: Option<Json>,
    pub(crate) max_lateness_ms: Option<i64>,
    pub(crate) told_state: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
