//! The two tables that only grow: events and job runs. On PostgreSQL they are cut into daily partitions,
//! which are dropped whole; rows are never deleted one by one.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, integer, json_binary, string, string_null, uuid},
    sea_orm::DbBackend,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for mut table in [events(), job_runs()] {
            if manager.get_database_backend() == DbBackend::Postgres {
                let sql = table.build(PostgresQueryBuilder) + " PARTITION BY RANGE (at)";
                manager.get_connection().execute_unprepared(&sql).await?;
            } else {
                manager.create_table(table.take()).await?;
            }
        }
        // Whatever falls outside the daily partitions, so that a late house keeper loses nothing.
        super::on_postgres(
            manager,
            "CREATE TABLE events_rest PARTITION OF events DEFAULT",
        )
        .await?;
        super::on_postgres(
            manager,
            "CREATE TABLE job_runs_rest PARTITION OF job_runs DEFAULT",
        )
        .await?;
        let by_subject = Index::create()
            .name("events_subject")
            .table("events")
            .col("subject_id")
            .col("at")
            .to_owned();
        manager.create_index(by_subject).await?;
        let runs = Index::create()
            .name("job_runs_subject")
            .table("job_runs")
            .col("subject_id")
            .col("at")
            .to_owned();
        manager.create_index(runs).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        super::drop_tables(manager, &["job_runs", "events"]).await
    }
}

fn events() -> TableCreateStatement {
    Table::create()
        .table("events")
        .col(big_integer("at"))
        .col(uuid("id"))
        .col(uuid("workspace_id"))
        .col(string("name"))
        .col(string("severity"))
        .col(uuid("subject_id"))
        .col(string("actor"))
        .col(json_binary("data"))
        .col(string_null("trace_id"))
        .primary_key(Index::create().col("at").col("id"))
        .to_owned()
}

fn job_runs() -> TableCreateStatement {
    Table::create()
        .table("job_runs")
        .col(big_integer("at"))
        .col(big_integer("generation"))
        .col(string("kind"))
        .col(uuid("subject_id"))
        .col(uuid("workspace_id"))
        .col(integer("attempt"))
        .col(uuid("holder"))
        .col(string("outcome"))
        .col(string_null("error_class"))
        .col(string_null("trace_id"))
        .primary_key(Index::create().col("at").col("kind").col("generation"))
        .to_owned()
}
