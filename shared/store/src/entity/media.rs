//! An image or a video whose bytes lie in the media store.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "media")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) workspace_id: Uuid,
    pub(crate) sha256: String,
    pub(crate) mime: String,
    pub(crate) bytes: i64,
    pub(crate) width: i32,
    pub(crate) height: i32,
    pub(crate) duration_ms: Option<i64>,
    pub(crate) alt: Option<String>,
    pub(crate) created_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
