//! What a database that was restored from a backup needs to know, and since when a lane's books disagree.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, big_integer_null, big_integer_uniq, boolean, pk_uuid, string},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(restores()).await?;
        let forgotten = Table::alter()
            .table("publish_attempts")
            // Stands for a send in a time that the database has forgotten.
            .add_column(boolean("forgotten").default(false))
            .to_owned();
        manager.alter_table(forgotten).await?;
        let unaccounted = Table::alter()
            .table("lanes")
            // Since when there are more leases than waiting envelopes and slots.
            .add_column(big_integer_null("unaccounted_since"))
            .to_owned();
        manager.alter_table(unaccounted).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in [
            ("lanes", "unaccounted_since"),
            ("publish_attempts", "forgotten"),
        ] {
            let drop = Table::alter().table(table).drop_column(column).to_owned();
            manager.alter_table(drop).await?;
        }
        super::drop_tables(manager, &["restores"]).await
    }
}

fn restores() -> TableCreateStatement {
    Table::create()
        .table("restores")
        // The process that stands for whoever worked in the forgotten time.
        .col(pk_uuid("id"))
        // Unique: the same restore is marked once.
        .col(big_integer_uniq("taken_at"))
        .col(big_integer("marked_at"))
        .col(string("actor"))
        .col(big_integer("targets"))
        .col(big_integer("grants"))
        .to_owned()
}
