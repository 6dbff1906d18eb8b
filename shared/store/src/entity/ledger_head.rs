//! The end of a workspace's proof ledger.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_heads")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) workspace_id: Uuid,
    pub(crate) number: i64,
    pub(crate) hash: String,
    pub(crate) chained_at: i64,
    pub(crate) sealed: i64,
    pub(crate) root_day: Option<String>,
    pub(crate) root_hash: Option<String>,
    pub(crate) open_since: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
