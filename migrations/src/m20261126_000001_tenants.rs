//! Workspaces, brands, apps, grants, connections.

use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, big_integer_null, binary_null, boolean, json_binary, json_binary_null,
        pk_uuid, string, string_null, string_uniq, uuid, uuid_null,
    },
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(workspaces()).await?;
        manager.create_table(brands()).await?;
        manager.create_table(apps()).await?;
        manager.create_table(grants()).await?;
        manager.create_table(connections()).await?;
        // One account once per workspace: two connections to it would post twice.
        let unique = Index::create()
            .name("connections_account")
            .table("connections")
            .col("workspace_id")
            .col("platform")
            .col("remote_id")
            .unique()
            .to_owned();
        manager.create_index(unique).await?;
        let by_grant = Index::create()
            .name("connections_grant")
            .table("connections")
            .col("grant_id")
            .to_owned();
        manager.create_index(by_grant).await?;
        let user = Index::create()
            .name("grants_user")
            .table("grants")
            .col("workspace_id")
            .col("platform")
            .col("remote_user_id")
            .unique()
            .to_owned();
        manager.create_index(user).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        super::drop_tables(
            manager,
            &["connections", "grants", "apps", "brands", "workspaces"],
        )
        .await
    }
}

fn workspaces() -> TableCreateStatement {
    Table::create()
        .table("workspaces")
        .col(pk_uuid("id"))
        // Unique: files and commands name workspaces, and must not reach another tenant's.
        .col(string_uniq("name"))
        .col(big_integer("created_at"))
        .to_owned()
}

fn brands() -> TableCreateStatement {
    Table::create()
        .table("brands")
        .col(pk_uuid("id"))
        .col(uuid("workspace_id"))
        .col(string("name"))
        .to_owned()
}

fn apps() -> TableCreateStatement {
    Table::create()
        .table("apps")
        .col(pk_uuid("id"))
        // Null: for every workspace.
        .col(uuid_null("workspace_id"))
        .col(string("platform"))
        .col(string("client_id"))
        .col(binary_null("client_secret"))
        .col(string_null("base_url"))
        .col(big_integer("created_at"))
        .to_owned()
}

fn grants() -> TableCreateStatement {
    Table::create()
        .table("grants")
        .col(pk_uuid("id"))
        .col(uuid("workspace_id"))
        .col(uuid_null("app_id"))
        .col(string("platform"))
        .col(string("remote_user_id"))
        .col(string_null("host"))
        .col(string("state"))
        .col(string_null("state_why"))
        .col(binary_null("access_token"))
        .col(binary_null("refresh_token"))
        .col(big_integer("token_version"))
        .col(big_integer("issued_at"))
        .col(big_integer_null("access_expires_at"))
        .col(big_integer_null("refresh_expires_at"))
        .col(json_binary_null("scopes"))
        .col(big_integer_null("probed_at"))
        // Set by begin and cleared by apply: a refresh that has begun and has no answer.
        .col(big_integer_null("refresh_begun_at"))
        .col(uuid_null("refresh_holder"))
        .col(boolean("refresh_exhausted").default(false))
        .col(big_integer("created_at"))
        .to_owned()
}

fn connections() -> TableCreateStatement {
    Table::create()
        .table("connections")
        .col(pk_uuid("id"))
        .col(uuid("workspace_id"))
        .col(uuid_null("brand_id"))
        .col(uuid("grant_id"))
        .col(string("platform"))
        .col(string("remote_id"))
        .col(string("name"))
        // A destination's own token, where the platform derives one (a page token).
        .col(binary_null("access_token"))
        .col(string_null("account"))
        .col(json_binary("scopes_missing"))
        .col(big_integer_null("checked_at"))
        .col(big_integer_null("used_at"))
        // An index for lists; the truth is assessed from the facts.
        .col(string("health"))
        .col(json_binary("reasons"))
        .col(big_integer("created_at"))
        .to_owned()
}
