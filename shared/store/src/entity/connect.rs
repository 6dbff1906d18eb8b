//! A run of connecting. What is sealed has its place in vaulted.rs.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "connects")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) workspace_id: Uuid,
    pub(crate) platform: String,
    pub(crate) state_digest: String,
    pub(crate) actor: String,
    pub(crate) connection_id: Option<Uuid>,
    pub(crate) link_id: Option<Uuid>,
    pub(crate) app_id: Option<Uuid>,
    pub(crate) redirect_uri: String,
    pub(crate) host: Option<String>,
    pub(crate) return_url: Option<String>,
    pub(crate) kept: Option<Vec<u8>>,
    pub(crate) offered: Option<Vec<u8>>,
    pub(crate) created_at: i64,
    pub(crate) expires_at: i64,
    pub(crate) called_back_at: Option<i64>,
    pub(crate) ended_at: Option<i64>,
    pub(crate) outcome: Option<String>,
    pub(crate) copied_from: Option<Uuid>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
