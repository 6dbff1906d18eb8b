//! What people want of a post beyond its words: zone and wall time, overrides, lateness, spacing, and a fingerprint by
//! which doubles are told.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer_null, json_binary_null, string_null},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Columns that join existing tables. All of them may be empty: the release before writes none.
fn columns() -> Vec<(&'static str, &'static str, ColumnDef)> {
    vec![
        // The IANA zone and the wall time that a person said; `due_at` is the instant.
        ("posts", "zone", string_null("zone").take()),
        ("posts", "wall", string_null("wall").take()),
        // What it says otherwise on a platform or a connection.
        ("posts", "overrides", json_binary_null("overrides").take()),
        // How late it may begin; null = as the policy says.
        (
            "posts",
            "max_lateness_ms",
            big_integer_null("max_lateness_ms").take(),
        ),
        // The last state of the whole that the stream was told, so that each is told once.
        ("posts", "told_state", string_null("told_state").take()),
        // What people see, as a digest; null on rows of the release before.
        (
            "post_targets",
            "fingerprint",
            string_null("fingerprint").take(),
        ),
        // The least time between two sends; null = as the policy says.
        (
            "connections",
            "spacing_ms",
            big_integer_null("spacing_ms").take(),
        ),
    ]
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // One statement per column: SQLite adds one at a time.
        for (table, _, mut column) in columns() {
            let alter = Table::alter().table(table).add_column(&mut column).take();
            manager.alter_table(alter).await?;
        }
        for (name, table, second) in INDEXES {
            let index = Index::create()
                .name(name)
                .table(table)
                .col("connection_id")
                .col(second)
                .take();
            manager.create_index(index).await?;
        }
        let of_workspace = Index::create()
            .name("posts_workspace")
            .table("posts")
            .col("workspace_id")
            .col("id")
            .take();
        manager.create_index(of_workspace).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared("DROP INDEX posts_workspace").await?;
        for (name, ..) in INDEXES {
            db.execute_unprepared(&format!("DROP INDEX {name}")).await?;
        }
        for (table, name, _) in columns().into_iter().rev() {
            let alter = Table::alter().table(table).drop_column(name).take();
            manager.alter_table(alter).await?;
        }
        Ok(())
    }
}

/// Doubles are looked for by connection and fingerprint, the last send by connection and begin.
const INDEXES: [(&str, &str, &str); 2] = [
    ("targets_fingerprint", "post_targets", "fingerprint"),
    ("attempts_begun", "publish_attempts", "begun_at"),
];
