//! Images and videos: what is known about them. Their bytes lie in the media store.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, big_integer_null, integer, pk_uuid, string, text_null, uuid},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(media()).await?;
        // Whether a file is still needed is asked by its content: one file may serve several rows.
        let by_content = Index::create()
            .name("media_content")
            .table("media")
            .col("workspace_id")
            .col("sha256")
            .to_owned();
        manager.create_index(by_content).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        super::drop_tables(manager, &["media"]).await
    }
}

fn media() -> TableCreateStatement {
    Table::create()
        .table("media")
        .col(pk_uuid("id"))
        .col(uuid("workspace_id"))
        .col(string("sha256"))
        .col(string("mime"))
        .col(big_integer("bytes"))
        .col(integer("width"))
        .col(integer("height"))
        .col(big_integer_null("duration_ms"))
        .col(text_null("alt"))
        .col(big_integer("created_at"))
        .to_owned()
}
