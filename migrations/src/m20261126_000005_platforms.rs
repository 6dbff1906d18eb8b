//! What more platforms need: preparations, orders, and tokens that are bound to a key.

use sea_orm_migration::{
    prelude::*,
    schema::{binary_null, integer_null, string_null},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        add(manager, "grants", binary_null("binding")).await?;
        // What the steps before publishing have brought, sealed, and for which revision of the content.
        add(manager, "post_targets", binary_null("prepared")).await?;
        add(manager, "post_targets", integer_null("prepared_revision")).await?;
        // The platform's id for an order that it works on, and the preparation that was sent.
        add(manager, "publish_attempts", string_null("handle")).await?;
        add(manager, "publish_attempts", binary_null("prepared")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in [
            ("publish_attempts", "prepared"),
            ("publish_attempts", "handle"),
            ("post_targets", "prepared_revision"),
            ("post_targets", "prepared"),
            ("grants", "binding"),
        ] {
            let alter = Table::alter().table(table).drop_column(column).to_owned();
            manager.alter_table(alter).await?;
        }
        Ok(())
    }
}

/// One statement per column: SQLite adds one at a time.
async fn add(
    manager: &SchemaManager<'_>,
    table: &'static str,
    column: ColumnDef,
) -> Result<(), DbErr> {
    let alter = Table::alter().table(table).add_column(column).to_owned();
    manager.alter_table(alter).await
}
