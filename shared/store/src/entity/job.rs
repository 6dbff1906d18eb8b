//! A piece of work that is due. Only jobs.rs and apply/ write it.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "jobs")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) kind: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) subject_id: Uuid,
    pub(crate) workspace_id: Uuid,
    pub(crate) platform: String,
    pub(crate) priority: i16,
    pub(crate) run_at: i64,
    pub(crate) visible_at: i64,
    pub(crate) wanted_at: Option<i64>,
    pub(crate) generation: i64,
    pub(crate) lease_until: Option<i64>,
    pub(crate) begun_at: Option<i64>,
    pub(crate) holder: Option<Uuid>,
    pub(crate) claim_epoch: Option<String>,
    pub(crate) attempt: i32,
    pub(crate) losses: i32,
    pub(crate) parked: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
