//! One destination.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "connections")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) workspace_id: Uuid,
    pub(crate) brand_id: Option<Uuid>,
    pub(crate) grant_id: Uuid,
    pub(crate) platform: String,
    pub(crate) remote_id: String,
    pub(crate) name: String,
    pub(crate) access_token: Option<Vec<u8>>,
    pub(crate) account: Option<String>,
    pub(crate) scopes_missing: Json,
    pub(crate) checked_at: Option<i64>,
    pub(crate) used_at: Option<i64>,
    pub(crate) health: String,
    pub(crate) reasons: Json,
    pub(crate) about: Option<Json>,
    pub(crate) failed_looks: i32,
    pub(crate) failed_why: Option<String>,
    pub(crate) failed_since: Option<i64>,
    pub(crate) failed_at: Option<i64>,
    pub(crate) created_at: i64,
    pub(crate) main: bool,
    pub(crate) owner: Option<String>,
    pub(crate) admin_note: Option<String>,
    pub(crate) escalation: Option<String>,
    pub(crate) service_account: bool,
    pub(crate) labels: Option<Json>,
    pub(crate) removed_at: Option<i64>,
    pub(crate) removed_why: Option<String>,
    pub(crate) connected_at: Option<i64>,
    pub(crate) reconnect_why: Option<String>,
    pub(crate) spacing_ms: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
