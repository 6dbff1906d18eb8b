//! What platforms tell us on their own; the word that signs it; and when a published post's address was learnt.

use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, big_integer_null, binary_null, json_binary, pk_uuid, string, string_null,
        text_null, uuid,
    },
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(inbox()).await?;
        // Told twice it has one effect; several workspaces may hear the same.
        index(
            manager,
            "inbox_once",
            "inbox",
            &["app_id", "key", "workspace_id"],
            true,
        )
        .await?;
        index(manager, "inbox_code", "inbox", &["code"], false).await?;
        index(manager, "inbox_received", "inbox", &["received_at"], false).await?;
        // Whom news is about, across workspaces.
        index(
            manager,
            "connections_remote",
            "connections",
            &["remote_id"],
            false,
        )
        .await?;
        index(
            manager,
            "attempts_handle",
            "publish_attempts",
            &["handle"],
            false,
        )
        .await?;
        for (table, column) in added() {
            let mut alter = Table::alter();
            manager
                .alter_table(alter.table(table).add_column(column).to_owned())
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        super::drop_tables(manager, &["inbox"]).await?;
        for (name, table) in [
            ("connections_remote", "connections"),
            ("attempts_handle", "publish_attempts"),
        ] {
            let mut drop = Index::drop();
            manager
                .drop_index(drop.name(name).table(table).to_owned())
                .await?;
        }
        for (table, column) in [
            ("post_targets", "address"),
            ("post_targets", "address_at"),
            ("apps", "webhook_secret"),
        ] {
            let mut alter = Table::alter();
            manager
                .alter_table(alter.table(table).drop_column(column).to_owned())
                .await?;
        }
        Ok(())
    }
}

fn added() -> Vec<(&'static str, ColumnDef)> {
    vec![
        // The newest address of the present edition, kept when the post is gone; `permalink` is what people may follow.
        ("post_targets", text_null("address")),
        ("post_targets", big_integer_null("address_at")),
        ("apps", binary_null("webhook_secret")),
    ]
}

fn inbox() -> TableCreateStatement {
    Table::create()
        .table("inbox")
        .col(pk_uuid("id"))
        // Nil where nobody here is meant.
        .col(uuid("workspace_id"))
        .col(uuid("app_id"))
        .col(string("platform"))
        .col(string("key"))
        .col(string("kind"))
        // The account and what was told, as the adapter read it; never a secret.
        .col(json_binary("data"))
        // By which a person follows the deletion of their data.
        .col(string_null("code"))
        .col(big_integer("received_at"))
        .col(big_integer_null("merged_at"))
        .to_owned()
}

async fn index(
    manager: &SchemaManager<'_>,
    name: &'static str,
    table: &'static str,
    columns: &[&'static str],
    unique: bool,
) -> Result<(), DbErr> {
    let mut index = Index::create();
    index.name(name).table(table);
    for column in columns {
        index.col(*column);
    }
    if unique {
        index.unique();
    }
    manager.create_index(index).await
}
