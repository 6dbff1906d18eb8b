//! Since when looks at a connection fail, and when the last of them was: what people are told to wait for, and when
//! waiting has lasted too long.

use sea_orm_migration::{prelude::*, schema::big_integer_null};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Null where looks do not fail, and in rows of the release before.
const COLUMNS: [&str; 2] = ["failed_since", "failed_at"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in COLUMNS {
            let add = Table::alter()
                .table("connections")
                .add_column(big_integer_null(name))
                .to_owned();
            manager.alter_table(add).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in COLUMNS.into_iter().rev() {
            let drop = Table::alter()
                .table("connections")
                .drop_column(name)
                .to_owned();
            manager.alter_table(drop).await?;
        }
        Ok(())
    }
}
