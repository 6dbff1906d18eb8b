//! The database's shape, for PostgreSQL and SQLite.
//!
//! Rules: a migration first expands, a later release contracts, so that binaries of the release before run
//! on the schema of this one. Instants are epoch milliseconds in `bigint` columns and ids are `uuid` on both
//! databases (docs/adr/0002). Use [`up`], not the migrator itself: it takes a lock.

mod m20261126_000001_tenants;
mod m20261126_000002_posts;
mod m20261126_000003_jobs;
mod m20261126_000004_streams;
mod m20261126_000005_platforms;
mod m20261126_000006_restores;
mod m20261126_000007_media;
mod m20261126_000008_people;
mod m20261126_000009_facts;
mod m20261126_000010_life;
mod m20261126_000012_vault_keys;
mod m20261126_000013_lapsed;
mod m20261126_000014_stuck;
mod m20261126_000015_plans;
mod m20261126_000016_ledger;
mod m20261126_000017_inbox;

use sea_orm_migration::{
    prelude::*,
    sea_orm::{
        ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, TransactionTrait,
    },
};

/// All migrations, in order.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261126_000001_tenants::Migration),
            Box::new(m20261126_000002_posts::Migration),
            Box::new(m20261126_000003_jobs::Migration),
            Box::new(m20261126_000004_streams::Migration),
            Box::new(m20261126_000005_platforms::Migration),
            Box::new(m20261126_000006_restores::Migration),
            Box::new(m20261126_000007_media::Migration),
            Box::new(m20261126_000008_people::Migration),
            Box::new(m20261126_000009_facts::Migration),
            Box::new(m20261126_000010_life::Migration),
            Box::new(m20261126_000012_vault_keys::Migration),
            Box::new(m20261126_000013_lapsed::Migration),
            Box::new(m20261126_000014_stuck::Migration),
            Box::new(m20261126_000015_plans::Migration),
            Box::new(m20261126_000016_ledger::Migration),
            Box::new(m20261126_000017_inbox::Migration),
        ]
    }
}

/// Any constant will do, as long as every release uses the same.
const ADVISORY_LOCK: i64 = 0x6d6f_6f72_696e_6701;

/// Applies what is missing. Any number of processes may call this at once: one works, the others wait.
pub async fn up(db: &DatabaseConnection) -> Result<(), DbErr> {
    let lock = lock(db).await?;
    Migrator::up(db, None).await?;
    unlock(lock).await
}

/// Takes everything down again, data included.
pub async fn down(db: &DatabaseConnection) -> Result<(), DbErr> {
    let lock = lock(db).await?;
    Migrator::down(db, None).await?;
    unlock(lock).await
}

/// The names of migrations that this binary knows and the database has not applied.
pub async fn pending(db: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    // Asking makes the table of migrations where it is missing, so it takes the lock too.
    let lock = lock(db).await?;
    let pending = Migrator::get_pending_migrations(db).await?;
    unlock(lock).await?;
    Ok(pending
        .iter()
        .map(|migration| migration.name().to_owned())
        .collect())
}

/// On PostgreSQL, a transaction that holds the lock. SQLite needs none: the embedded mode's file lock lets one
/// process in only.
async fn lock(db: &DatabaseConnection) -> Result<Option<DatabaseTransaction>, DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(None);
    }
    let tx = db.begin().await?;
    tx.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))
        .await?;
    Ok(Some(tx))
}

async fn unlock(lock: Option<DatabaseTransaction>) -> Result<(), DbErr> {
    match lock {
        Some(tx) => tx.commit().await,
        None => Ok(()),
    }
}

/// Runs a statement on PostgreSQL only.
async fn on_postgres(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() == DbBackend::Postgres {
        manager.get_connection().execute_unprepared(sql).await?;
    }
    Ok(())
}

/// Drops tables in the given order.
async fn drop_tables(manager: &SchemaManager<'_>, names: &[&'static str]) -> Result<(), DbErr> {
    for name in names {
        manager
            .drop_table(Table::drop().table(*name).if_exists().to_owned())
            .await?;
    }
    Ok(())
}
