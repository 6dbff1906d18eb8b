//! One try of an edition of a target.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "publish_attempts")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) workspace_id: Uuid,
    pub(crate) target_id: Uuid,
    pub(crate) connection_id: Uuid,
    pub(crate) platform: String,
    pub(crate) edition: i32,
    pub(crate) number: i32,
    pub(crate) revision: i32,
    pub(crate) reference: Option<String>,
    pub(crate) digest: String,
    pub(crate) holder: Uuid,
    pub(crate) begun_at: i64,
    pub(crate) send_by: i64,
    pub(crate) call_ended_at: Option<i64>,
    pub(crate) failure: Option<Json>,
    pub(crate) settlement: Option<String>,
    pub(crate) looks: i32,
    pub(crate) remote_id: Option<String>,
    pub(crate) permalink: Option<String>,
    pub(crate) accepted_at: Option<i64>,
    pub(crate) handle: Option<String>,
    pub(crate) prepared: Option<Vec<u8>>,
    pub(crate) forgotten: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
