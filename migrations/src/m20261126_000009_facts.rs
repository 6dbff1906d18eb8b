//! What is known about grants and accounts beyond their state: when a grant was connected and how often it was taken
//! back soon after, which warning about its end was given, what an account is, and how its last looks went.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer_null, integer, integer_null, json_binary_null, string_null},
    sea_orm::{ConnectionTrait, DbBackend},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Columns in the order in which they come; they go in the opposite one.
const COLUMNS: [(&str, &str); 8] = [
    ("grants", "connected_at"),
    ("grants", "flaps"),
    ("grants", "warned_end"),
    ("grants", "warned_days"),
    ("grants", "refreshing_until"),
    ("connections", "about"),
    ("connections", "failed_looks"),
    ("connections", "failed_why"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, name) in COLUMNS {
            let add = Table::alter()
                .table(table)
                .add_column(column(name))
                .to_owned();
            manager.alter_table(add).await?;
        }
        keep_refresh_tokens(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let database = manager.get_connection();
        if manager.get_database_backend() == DbBackend::Postgres {
            database
                .execute_unprepared("DROP TRIGGER IF EXISTS grants_keep_refresh_token ON grants")
                .await?;
            database
                .execute_unprepared("DROP FUNCTION IF EXISTS grants_keep_refresh_token()")
                .await?;
        } else {
            database
                .execute_unprepared("DROP TRIGGER IF EXISTS grants_keep_refresh_token")
                .await?;
        }
        for (table, name) in COLUMNS.into_iter().rev() {
            let drop = Table::alter().table(table).drop_column(name).to_owned();
            manager.alter_table(drop).await?;
        }
        Ok(())
    }
}

fn column(name: &'static str) -> ColumnDef {
    match name {
        // Null in rows of the release before: then it was connected when it was created.
        "connected_at" | "warned_end" | "refreshing_until" => big_integer_null(name),
        "warned_days" => integer_null(name),
        "about" => json_binary_null(name),
        "failed_why" => string_null(name),
        _ => integer(name).default(0).to_owned(),
    }
}

/// A refresh token may be replaced, or go together with the access token when the grant is disconnected; an update that
/// keeps the grant and empties it would have people reconnect for ever.
async fn keep_refresh_tokens(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    const EMPTIED: &str = "OLD.refresh_token IS NOT NULL AND NEW.refresh_token IS NULL \
                           AND NEW.access_token IS NOT NULL";
    const WHY: &str = "a refresh token cannot be emptied while its grant is kept";
    let database = manager.get_connection();
    if manager.get_database_backend() != DbBackend::Postgres {
        let sql = format!(
            "CREATE TRIGGER grants_keep_refresh_token BEFORE UPDATE OF refresh_token ON grants \
             WHEN {EMPTIED} BEGIN SELECT RAISE(ABORT, '{WHY}'); END"
        );
        database.execute_unprepared(&sql).await?;
        return Ok(());
    }
    let function = format!(
        "CREATE FUNCTION grants_keep_refresh_token() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN RAISE EXCEPTION '{WHY}' USING ERRCODE = 'check_violation'; END $$"
    );
    database.execute_unprepared(&function).await?;
    let trigger = format!(
        "CREATE TRIGGER grants_keep_refresh_token BEFORE UPDATE OF refresh_token ON grants \
         FOR EACH ROW WHEN ({EMPTIED}) EXECUTE FUNCTION grants_keep_refresh_token()"
    );
    database.execute_unprepared(&trigger).await?;
    Ok(())
}
