//! Which key seals, how far older values have been sealed anew, and which processes know which keys.

use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, big_integer_null, binary, json_binary, pk_uuid, string, string_null, uuid_null,
    },
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(vault_keys()).await?;
        manager.create_table(vault_holders()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        super::drop_tables(manager, &["vault_holders", "vault_keys"]).await
    }
}

fn vault_keys() -> TableCreateStatement {
    Table::create()
        .table("vault_keys")
        // Activations are counted; the newest one is in force. Two at once: one wins.
        .col(big_integer("number").primary_key())
        .col(string("key"))
        .col(big_integer("activated_at"))
        .col(string("activated_by"))
        // Something sealed with this very key: whoever cannot open it has another key of the same name.
        .col(binary("proof"))
        .col(string("walk"))
        .col(string_null("place"))
        .col(uuid_null("after_row"))
        .col(big_integer("resealed"))
        .col(big_integer("unreadable"))
        .col(big_integer_null("done_at"))
        .to_owned()
}

fn vault_holders() -> TableCreateStatement {
    Table::create()
        .table("vault_holders")
        .col(pk_uuid("process_id"))
        .col(string("role"))
        .col(string("host"))
        .col(json_binary("keys"))
        .col(big_integer("seen_at"))
        .to_owned()
}
