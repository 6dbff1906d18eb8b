//! The database: where sea-orm lives and ends.
//!
//! Two doors write business state and events, and nothing else does: [`Store::apply_job`] for what a job
//! has decided and [`Store::apply_act`] for what a person has. `jobs.rs` alone moves leases; `routing.rs`
//! alone looks up across workspaces. Every other finder starts from a workspace.
//!
//! PostgreSQL and SQLite run through the same code; where their SQL differs, `sql.rs` has both texts.
//! Every function that needs the time is told it.

mod apply;
mod connections;
mod connects;
mod entity;
mod error;
mod events;
mod facts;
mod grants;
mod idempotency;
pub mod jobs;
mod keys;
mod leaving;
mod ledger;
mod media;
mod overview;
mod posts;
mod presence;
mod published;
mod rates;
mod restores;
mod routing;
mod sql;
mod status;
mod sync;
mod upkeep;
mod vault_keys;
mod vaulted;
mod work;

use std::{sync::Arc, time::Duration};

use mooring_domain::Policy;
use mooring_vault::{SigningKeys, Vault};
use sea_orm::{
    AccessMode, ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction,
    DbBackend, IsolationLevel, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};

pub use apply::{
    Actor, Applied, Applier, ApplyError, JobResult, Refusal, Secrets, TakenGrant, TokensStored,
};
pub use connections::{ConnectionFilter, ConnectionView};
pub use connects::{AccountHere, ConnectApp, ConnectRun, ConnectionBrief, LinkRow};
pub use error::StoreError;
pub use events::{EventRow, StreamPlace};
pub use facts::{ConnectionFacts, Endangered, ScopeFacts, TokenFacts};
pub use grants::{Due, GrantRow, GrantedRow};
pub use idempotency::Earlier;
pub use jobs::{Claimed, Held, LaneView, Lease};
pub use keys::{KeyRow, OpenKey};
pub use leaving::{Leaving, LeavingPost};
pub use ledger::LedgerKey;
pub use overview::LaneBacklog;
pub use posts::{AttemptView, PostFilter, PostView, TargetView};
pub use presence::Presence;
pub use published::{Published, RecentPost};
pub use rates::{RateBy, RateLine};
pub use restores::RestoreRow;
pub use routing::{HookApp, WorkspaceRow};
pub use status::{Addressee, ConnectionRow, Counts, JobRow, TargetRow};
pub use sync::{SyncPost, SyncTarget};
pub use upkeep::Orphan;
pub use vault_keys::{ActiveKey, KeyHolder, SealedCounts};
pub use work::{
    BeginPublish, BegunPublish, CheckJob, Credentials, Deletion, NewsJob, PublishJob, RefreshJob,
    ResealJob, Resealed, ResealedBatch, SurveyJob, VerifyJob,
};

/// The database, with the keys to the sealed columns.
#[derive(Clone)]
pub struct Store {
    db: DatabaseConnection,
    vault: Arc<Vault>,
    policy: Arc<Policy>,
    url: Arc<str>,
    /// Signs the days of the proof ledger, where this process is to.
    signing: Option<SigningKeys>,
}

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// `postgres://…` or `sqlite://…`.
    pub url: String,
    /// Connections in the pool; ignored on SQLite, which has one writer.
    pub max_connections: u32,
}

impl Store {
    /// Opens the database. It must have been migrated (`mooring migrate up`).
    pub async fn open(
        options: Options,
        vault: impl Into<Vault>,
        policy: Policy,
    ) -> Result<Self, StoreError> {
        let db = Database::connect(connect_options(&options)).await?;
        let store = Self {
            db,
            vault: Arc::new(vault.into()),
            policy: Arc::new(policy),
            url: options.url.into(),
            signing: None,
        };
        if !store.is_postgres() {
            // Write-ahead log: readers do not wait for the writer. NORMAL loses nothing on a process crash.
            store
                .db
                .execute_unprepared("PRAGMA journal_mode=WAL")
                .await?;
            store
                .db
                .execute_unprepared("PRAGMA synchronous=NORMAL")
                .await?;
        }
        Ok(store)
    }

    /// The bare connection, for migrations and tests.
    #[must_use]
    pub fn connection(&self) -> &DatabaseConnection {
        &self.db
    }

    /// The numbers that decisions go by.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Whether this is PostgreSQL (else SQLite).
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        self.backend() == DbBackend::Postgres
    }

    pub(crate) fn backend(&self) -> DbBackend {
        self.db.get_database_backend()
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        Ok(self.db.ping().await?)
    }

    /// The database's own clock, in epoch milliseconds; `None` where it is the machine's clock anyway.
    pub async fn database_ms(&self) -> Result<Option<i64>, StoreError> {
        if !self.is_postgres() {
            return Ok(None);
        }
        let row = self
            .db
            .query_one_raw(self.statement(sql::DATABASE_MS, []))
            .await?;
        Ok(row.map(|row| row.try_get_by_index::<i64>(0)).transpose()?)
    }

    /// A transaction that may write: on SQLite it takes the write lock at once, so that it cannot fail half
    /// way for having read first.
    pub(crate) async fn begin(&self) -> Result<DatabaseTransaction, StoreError> {
        let options = TransactionOptions {
            isolation_level: self.is_postgres().then_some(IsolationLevel::ReadCommitted),
            access_mode: self.is_postgres().then_some(AccessMode::ReadWrite),
            sqlite_transaction_mode: (!self.is_postgres())
                .then_some(SqliteTransactionMode::Immediate),
        };
        Ok(self.db.begin_with_options(options).await?)
    }
}

fn connect_options(options: &Options) -> ConnectOptions {
    let postgres = options.url.starts_with("postgres");
    let mut connect = ConnectOptions::new(options.url.clone());
    connect
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .connect_timeout(Duration::from_secs(5))
        .acquire_timeout(Duration::from_secs(10))
        .max_connections(if postgres { options.max_connections } else { 4 });
    if postgres {
        connect.set_application_name("mooring");
        // Old snapshots are the real enemy of a busy jobs table.
        connect.map_sqlx_postgres_opts(|pg| {
            pg.options([
                ("statement_timeout", "30s"),
                ("idle_in_transaction_session_timeout", "15s"),
            ])
        });
    } else {
        connect.map_sqlx_sqlite_opts(|sqlite| {
            sqlite
                .create_if_missing(true)
                .busy_timeout(Duration::from_secs(20))
        });
    }
    connect
}
