//! Our registration at a platform.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "apps")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) workspace_id: Option<Uuid>,
    pub(crate) platform: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<Vec<u8>>,
    pub(crate) base_url: Option<String>,
    pub(crate) created_at: i64,
    pub(crate) webhook_secret: Option<Vec<u8>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
