//! A key that was activated, and how far older values have been sealed anew under it. The newest one seals.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "vault_keys")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) number: i64,
    pub(crate) key: String,
    pub(crate) activated_at: i64,
    pub(crate) activated_by: String,
    pub(crate) proof: Vec<u8>,
    pub(crate) walk: String,
    pub(crate) place: Option<String>,
    pub(crate) after_row: Option<Uuid>,
    pub(crate) resealed: i64,
    pub(crate) unreadable: i64,
    pub(crate) done_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
