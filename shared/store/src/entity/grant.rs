//! One credential of one provider user. Tokens are sealed; see vaulted.rs for their places.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "grants")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) workspace_id: Uuid,
    pub(crate) app_id: Option<Uuid>,
    pub(crate) platform: String,
    pub(crate) remote_user_id: String,
    pub(crate) host: Option<String>,
    pub(crate) state: String,
    pub(crate) state_why: Option<String>,
    pub(crate) access_token: Option<Vec<u8>>,
    pub(crate) refresh_token: Option<Vec<u8>>,
    pub(crate) binding: Option<Vec<u8>>,
    pub(crate) token_version: i64,
    pub(crate) issued_at: i64,
    pub(crate) access_expires_at: Option<i64>,
    pub(crate) refresh_expires_at: Option<i64>,
    pub(crate) scopes: Option<Json>,
    pub(crate) probed_at: Option<i64>,
    pub(crate) refresh_begun_at: Option<i64>,
    pub(crate) refresh_holder: Option<Uuid>,
    pub(crate) refresh_exhausted: bool,
    pub(crate) refreshing_until: Option<i64>,
    pub(crate) connected_at: Option<i64>,
    pub(crate) flaps: i32,
    pub(crate) warned_end: Option<i64>,
    pub(crate) warned_days: Option<i32>,
    pub(crate) created_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
