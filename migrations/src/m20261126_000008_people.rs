//! What people need: keys to the API, runs of connecting, links to reconnect by, and what they say about connections.

use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, big_integer_null, binary_null, boolean, json_binary_null, pk_uuid,
        small_integer_null, string, string_null, string_uniq, text_null, uuid, uuid_null,
    },
    sea_orm::DbBackend,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Columns that join existing tables.
fn columns() -> Vec<(&'static str, &'static str, ColumnDef)> {
    let flag = |name: &'static str| boolean(name).default(false).take();
    vec![
        // What a workspace may connect; null = everything.
        ("workspaces", "plan", json_binary_null("plan").take()),
        // Too many runs of connecting: none begins before this.
        (
            "workspaces",
            "connect_refused_until",
            big_integer_null("connect_refused_until").take(),
        ),
        // At most one per platform and workspace: the index below.
        ("connections", "main", flag("main")),
        ("connections", "owner", string_null("owner").take()),
        ("connections", "admin_note", text_null("admin_note").take()),
        ("connections", "escalation", text_null("escalation").take()),
        ("connections", "service_account", flag("service_account")),
        ("connections", "labels", json_binary_null("labels").take()),
        // Disconnected by a person; the row stays, for its history and for a later reconnect.
        (
            "connections",
            "removed_at",
            big_integer_null("removed_at").take(),
        ),
        (
            "connections",
            "removed_why",
            string_null("removed_why").take(),
        ),
        // When a person last connected it, and what had made that necessary.
        (
            "connections",
            "connected_at",
            big_integer_null("connected_at").take(),
        ),
        (
            "connections",
            "reconnect_why",
            string_null("reconnect_why").take(),
        ),
        // Where an act came from: an address, a terminal.
        ("events", "origin", string_null("origin").take()),
    ]
}

/// The stream is append-only. Partitions are dropped whole, which no trigger hinders.
const SEAL_POSTGRES: [&str; 2] = [
    "CREATE FUNCTION events_are_final() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN RAISE EXCEPTION 'events are append-only'; END $$",
    "CREATE TRIGGER events_final BEFORE UPDATE OR DELETE ON events
     FOR EACH ROW EXECUTE FUNCTION events_are_final()",
];
const SEAL_SQLITE: [&str; 2] = [
    "CREATE TRIGGER events_final_update BEFORE UPDATE ON events
     BEGIN SELECT RAISE(ABORT, 'events are append-only'); END",
    "CREATE TRIGGER events_final_delete BEFORE DELETE ON events
     BEGIN SELECT RAISE(ABORT, 'events are append-only'); END",
];
const UNSEAL_POSTGRES: [&str; 2] = [
    "DROP TRIGGER IF EXISTS events_final ON events",
    "DROP FUNCTION IF EXISTS events_are_final",
];
const UNSEAL_SQLITE: [&str; 2] = [
    "DROP TRIGGER IF EXISTS events_final_update",
    "DROP TRIGGER IF EXISTS events_final_delete",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // One statement per column: SQLite adds one at a time.
        for (table, _, mut column) in columns() {
            let alter = Table::alter().table(table).add_column(&mut column).take();
            manager.alter_table(alter).await?;
        }
        let db = manager.get_connection();
        db.execute_unprepared(
            "CREATE UNIQUE INDEX connections_main ON connections (workspace_id, platform) WHERE main",
        )
        .await?;
        // Whether an account lives in another workspace is asked at every connect.
        let everywhere = Index::create()
            .name("connections_everywhere")
            .table("connections")
            .col("platform")
            .col("remote_id")
            .take();
        manager.create_index(everywhere).await?;
        // The audit is read by workspace, newest first.
        let stream = Index::create()
            .name("events_workspace")
            .table("events")
            .col("workspace_id")
            .col("at")
            .take();
        manager.create_index(stream).await?;
        for table in [api_keys(), api_key_roles(), connects(), links(), requests()] {
            manager.create_table(table).await?;
        }
        let of_workspace = Index::create()
            .name("connects_of_workspace")
            .table("connects")
            .col("workspace_id")
            .col("created_at")
            .take();
        manager.create_index(of_workspace).await?;
        all(manager, &SEAL_POSTGRES, &SEAL_SQLITE).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        all(manager, &UNSEAL_POSTGRES, &UNSEAL_SQLITE).await?;
        let tables = [
            "idempotency_keys",
            "reconnect_links",
            "connects",
            "api_key_roles",
            "api_keys",
        ];
        super::drop_tables(manager, &tables).await?;
        let db = manager.get_connection();
        for index in [
            "events_workspace",
            "connections_everywhere",
            "connections_main",
        ] {
            db.execute_unprepared(&format!("DROP INDEX {index}"))
                .await?;
        }
        for (table, name, _) in columns().into_iter().rev() {
            let alter = Table::alter().table(table).drop_column(name).take();
            manager.alter_table(alter).await?;
        }
        Ok(())
    }
}

async fn all(manager: &SchemaManager<'_>, postgres: &[&str], sqlite: &[&str]) -> Result<(), DbErr> {
    let statements = match manager.get_database_backend() {
        DbBackend::Postgres => postgres,
        _ => sqlite,
    };
    for statement in statements {
        manager
            .get_connection()
            .execute_unprepared(statement)
            .await?;
    }
    Ok(())
}

fn api_keys() -> TableCreateStatement {
    Table::create()
        .table("api_keys")
        .col(pk_uuid("id"))
        .col(string("name"))
        // SHA-256 of the key. The key itself has 256 random bits, so no slower hash would add anything.
        .col(string_uniq("digest"))
        .col(big_integer("created_at"))
        .col(big_integer_null("revoked_at"))
        .take()
}

/// A key's right in each workspace.
fn api_key_roles() -> TableCreateStatement {
    Table::create()
        .table("api_key_roles")
        .col(uuid("key_id"))
        .col(uuid("workspace_id"))
        .col(string("role"))
        .primary_key(Index::create().col("workspace_id").col("key_id"))
        .take()
}

/// Runs of connecting: from the consent's address to the chosen destinations.
fn connects() -> TableCreateStatement {
    Table::create()
        .table("connects")
        .col(pk_uuid("id"))
        .col(uuid("workspace_id"))
        .col(string("platform"))
        // SHA-256 of the state that travels through the browser.
        .col(string_uniq("state_digest"))
        // Who began it: only they may choose.
        .col(string("actor"))
        // What is to be reconnected, where this is no new connection.
        .col(uuid_null("connection_id"))
        .col(uuid_null("link_id"))
        .col(uuid_null("app_id"))
        .col(string("redirect_uri"))
        .col(string_null("host"))
        .col(text_null("return_url"))
        // Sealed: verifier, bound key, and once the code has come, the new grant with its destinations.
        .col(binary_null("kept"))
        .col(binary_null("offered"))
        .col(big_integer("created_at"))
        .col(big_integer("expires_at"))
        // The state works once.
        .col(big_integer_null("called_back_at"))
        .col(big_integer_null("ended_at"))
        .col(string_null("outcome"))
        .take()
}

/// Links for people without a log-in: one connection, one use, an end.
fn links() -> TableCreateStatement {
    Table::create()
        .table("reconnect_links")
        .col(pk_uuid("id"))
        .col(uuid("workspace_id"))
        .col(uuid("connection_id"))
        .col(string_uniq("token_digest"))
        .col(string("created_by"))
        .col(big_integer("created_at"))
        .col(big_integer("expires_at"))
        .col(big_integer_null("used_at"))
        .take()
}

/// Requests that came with a key of the caller's, and what they were answered.
fn requests() -> TableCreateStatement {
    Table::create()
        .table("idempotency_keys")
        .col(uuid("workspace_id"))
        .col(string("key"))
        // Names the row to the vault: a request may hold a password, and an answer what is shown once only.
        .col(uuid("id"))
        // Sealed: the digest of caller, method, address and body. One key is for one request.
        .col(binary_null("digest"))
        .col(small_integer_null("status"))
        .col(binary_null("body"))
        .col(big_integer("created_at"))
        .primary_key(Index::create().col("workspace_id").col("key"))
        .take()
}
