//! One run of a job.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "job_runs")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) at: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) generation: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) kind: String,
    pub(crate) subject_id: Uuid,
    pub(crate) workspace_id: Uuid,
    pub(crate) attempt: i32,
    pub(crate) holder: Uuid,
    pub(crate) outcome: String,
    pub(crate) error_class: Option<String>,
    pub(crate) trace_id: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
