//! Jobs, and what the jobs protocol needs beside them.

use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, big_integer_null, integer, pk_uuid, small_integer, string, string_null, uuid,
        uuid_null,
    },
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(jobs()).await?;
        // The only index beside the key. Claim, begin and extend touch none of its columns, so that
        // PostgreSQL updates such rows in place (HOT).
        let due = Index::create()
            .name("jobs_due")
            .table("jobs")
            .col("kind")
            .col("visible_at")
            .to_owned();
        manager.create_index(due).await?;
        super::on_postgres(
            manager,
            "ALTER TABLE jobs SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, \
             autovacuum_vacuum_cost_delay = 0)",
        )
        .await?;
        // Fencing tokens. On PostgreSQL a sequence; on SQLite, which has none, the counter's row.
        super::on_postgres(manager, "CREATE SEQUENCE job_generation CACHE 64").await?;
        manager.create_table(counters()).await?;
        manager.create_table(lanes()).await?;
        manager.create_table(processes()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        super::drop_tables(manager, &["processes", "lanes", "counters", "jobs"]).await?;
        super::on_postgres(manager, "DROP SEQUENCE IF EXISTS job_generation").await
    }
}

fn jobs() -> TableCreateStatement {
    Table::create()
        .table("jobs")
        .col(string("kind"))
        .col(uuid("subject_id"))
        .col(uuid("workspace_id"))
        .col(string("platform"))
        .col(small_integer("priority"))
        .col(big_integer("run_at"))
        .col(big_integer("visible_at"))
        .col(big_integer_null("wanted_at"))
        .col(big_integer("generation").default(0))
        .col(big_integer_null("lease_until"))
        .col(big_integer_null("begun_at"))
        .col(uuid_null("holder"))
        .col(string_null("claim_epoch"))
        .col(integer("attempt").default(0))
        .col(integer("losses").default(0))
        .col(string_null("parked"))
        .primary_key(Index::create().col("kind").col("subject_id"))
        .to_owned()
}

fn counters() -> TableCreateStatement {
    Table::create()
        .table("counters")
        .col(string("name").primary_key())
        .col(big_integer("value"))
        .to_owned()
}

fn lanes() -> TableCreateStatement {
    Table::create()
        .table("lanes")
        .col(string("lane").primary_key())
        .col(string("epoch"))
        .col(big_integer("changed_at"))
        .to_owned()
}

fn processes() -> TableCreateStatement {
    Table::create()
        .table("processes")
        .col(pk_uuid("id"))
        .col(string("role"))
        .col(string("host"))
        .col(big_integer("started_at"))
        .col(big_integer_null("ended_at"))
        .to_owned()
}
