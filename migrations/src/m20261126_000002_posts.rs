//! Posts, targets, attempts, proofs.

use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, big_integer_null, boolean, integer, json_binary, json_binary_null, pk_uuid,
        small_integer, string, string_null, uuid,
    },
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(posts()).await?;
        manager.create_table(post_targets()).await?;
        manager.create_table(publish_attempts()).await?;
        manager.create_table(proofs()).await?;
        index(
            manager,
            "post_targets_once",
            "post_targets",
            &["post_id", "connection_id"],
            true,
        )
        .await?;
        index(
            manager,
            "post_targets_due",
            "post_targets",
            &["connection_id", "due_at"],
            false,
        )
        .await?;
        // An attempt ledger: one row per try of an edition, and a remote id belongs to one attempt only,
        // so that a look-up cannot take a twin's post for its own.
        index(
            manager,
            "attempts_number",
            "publish_attempts",
            &["target_id", "edition", "number"],
            true,
        )
        .await?;
        index(
            manager,
            "attempts_remote",
            "publish_attempts",
            &["connection_id", "remote_id"],
            true,
        )
        .await?;
        index(
            manager,
            "attempts_text",
            "publish_attempts",
            &["connection_id", "digest"],
            false,
        )
        .await?;
        index(
            manager,
            "proofs_target",
            "proofs",
            &["target_id", "seen_at"],
            false,
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        super::drop_tables(
            manager,
            &["proofs", "publish_attempts", "post_targets", "posts"],
        )
        .await
    }
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

fn posts() -> TableCreateStatement {
    Table::create()
        .table("posts")
        .col(pk_uuid("id"))
        .col(uuid("workspace_id"))
        .col(json_binary("content"))
        // Rises with every edit; an attempt names the revision that it sent.
        .col(integer("revision"))
        .col(big_integer("due_at"))
        .col(boolean("critical"))
        .col(big_integer("created_at"))
        .to_owned()
}

fn post_targets() -> TableCreateStatement {
    Table::create()
        .table("post_targets")
        .col(pk_uuid("id"))
        .col(uuid("workspace_id"))
        .col(uuid("post_id"))
        .col(uuid("connection_id"))
        .col(string("platform"))
        .col(integer("edition"))
        .col(small_integer("stage"))
        .col(string_null("reason"))
        .col(big_integer("due_at"))
        .col(string_null("verdict"))
        .col(big_integer_null("verdict_at"))
        .col(string_null("permalink"))
        .to_owned()
}

fn publish_attempts() -> TableCreateStatement {
    Table::create()
        .table("publish_attempts")
        .col(pk_uuid("id"))
        .col(uuid("workspace_id"))
        .col(uuid("target_id"))
        .col(uuid("connection_id"))
        .col(string("platform"))
        .col(integer("edition"))
        .col(integer("number"))
        .col(integer("revision"))
        .col(string_null("reference"))
        .col(string("digest"))
        .col(uuid("holder"))
        .col(big_integer("begun_at"))
        .col(big_integer("send_by"))
        .col(big_integer_null("call_ended_at"))
        .col(json_binary_null("failure"))
        .col(string_null("settlement"))
        .col(integer("looks").default(0))
        .col(string_null("remote_id"))
        .col(string_null("permalink"))
        .col(big_integer_null("accepted_at"))
        // No acceptance without the platform's id for the post.
        .check(Expr::cust("accepted_at IS NULL OR remote_id IS NOT NULL"))
        .to_owned()
}

fn proofs() -> TableCreateStatement {
    Table::create()
        .table("proofs")
        .col(pk_uuid("id"))
        .col(uuid("workspace_id"))
        .col(uuid("target_id"))
        .col(uuid("attempt_id"))
        .col(string("verdict"))
        .col(string("remote_id"))
        .col(string_null("permalink"))
        .col(string_null("digest"))
        .col(big_integer("seen_at"))
        .to_owned()
}
