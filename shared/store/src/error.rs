//! What can go wrong with the database.

use mooring_domain::reseal::Unopened;
use mooring_vault::VaultError;
use sea_orm::{DbErr, RuntimeErr, SqlErr};

/// A failure of the store itself; nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, or dropped us; the same call may succeed later.
    #[error("the database does not answer: check that it runs and that database.url is right")]
    Unavailable(#[source] DbErr),
    /// Two transactions were in each other's way; the same call will succeed.
    #[error("the database rolled back because of a concurrent change: repeat the call")]
    Contention(#[source] DbErr),
    /// A unique value exists already.
    #[error("a row with the same unique value exists already")]
    Conflict(#[source] DbErr),
    /// The statement failed for a reason of its own.
    #[error("the database refused a statement")]
    Database(#[source] DbErr),
    /// A sealed value does not open.
    #[error("{place} of {row} cannot be opened: check vault.keys")]
    Sealed {
        /// Where it stands, `table.column`.
        place: String,
        /// Which row.
        row: uuid::Uuid,
        /// Why.
        #[source]
        source: VaultError,
    },
    /// This process has another key of the active key's name.
    #[error(
        "vault.keys: its key {key:?} is not the one that seals this database: what it sealed, nobody else could open; give this process the right ring"
    )]
    WrongKey {
        /// The id.
        key: String,
    },
    /// A row does not make sense to this version.
    #[error("{table} {id}: {what}")]
    Corrupt {
        /// Which table.
        table: &'static str,
        /// Which row.
        id: String,
        /// What is wrong with it.
        what: String,
    },
}

impl StoreError {
    /// Whether the same call may succeed later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Contention(_))
    }

    /// Where a secret stands that does not open, and why.
    #[must_use]
    pub fn unopened(&self) -> Option<(&str, uuid::Uuid, Unopened)> {
        let Self::Sealed { place, row, source } = self else {
            return None;
        };
        let why = match source {
            VaultError::UnknownKey(_) => Unopened::KeyUnknown,
            VaultError::Tampered | VaultError::Malformed => Unopened::Damaged,
        };
        Some((place, *row, why))
    }

    pub(crate) fn corrupt(
        table: &'static str,
        id: impl std::fmt::Display,
        what: impl Into<String>,
    ) -> Self {
        Self::Corrupt {
            table,
            id: format!("{id}"),
            what: what.into(),
        }
    }
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        if let Some(SqlErr::UniqueConstraintViolation(_)) = error.sql_err() {
            return Self::Conflict(error);
        }
        match &error {
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => Self::Unavailable(error),
            DbErr::Exec(RuntimeErr::SqlxError(sqlx))
            | DbErr::Query(RuntimeErr::SqlxError(sqlx)) => {
                match sqlx
                    .as_database_error()
                    .and_then(|db| db.code().map(|code| code.to_string()))
                {
                    // PostgreSQL: serialization failure, deadlock. SQLite: busy.
                    Some(code) if ["40001", "40P01", "5", "517"].contains(&code.as_str()) => {
                        Self::Contention(error)
                    }
                    // PostgreSQL: shutting down, starting up, connection exceptions.
                    Some(code) if code.starts_with("57P") || code.starts_with("08") => {
                        Self::Unavailable(error)
                    }
                    Some(_) => Self::Database(error),
                    None => Self::Unavailable(error),
                }
            }
            _ => Self::Database(error),
        }
    }
}
