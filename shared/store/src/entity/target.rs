//! A post on one connection.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "post_targets")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) workspace_id: Uuid,
    pub(crate) post_id: Uuid,
    pub(crate) connection_id: Uuid,
    pub(crate) platform: String,
    pub(crate) edition: i32,
    pub(crate) stage: i16,
    pub(crate) reason: Option<String>,
    pub(crate) due_at: i64,
    pub(crate) verdict: Option<String>,
    pub(crate) verdict_at: Option<i64>,
    pub(crate) permalink: Option<String>,
    pub(crate) prepared: Option<Vec<u8>>,
    pub(crate) prepared_revision: Option<i32>,
    pub(crate) address: Option<String>,
    pub(crate) address_at: Option<i64>,
    pub(crate) fingerprint: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
