//! Why an act does not happen.

use mooring_domain::{ConnectionId, TargetId};

use crate::StoreError;

/// Why an act was refused; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The target is on its way or beyond.
    #[error(
        "{target} has begun to be published (stage {stage}): it can no longer be changed or cancelled"
    )]
    AlreadyBegun {
        /// Which.
        target: TargetId,
        /// How far it has come.
        stage: String,
    },
    /// There is no such thing in this workspace.
    #[error("{what} does not exist in this workspace")]
    NotFound {
        /// What was looked for.
        what: String,
    },
    /// The account is connected already.
    #[error(
        "{platform} account {remote_id} is connected in this workspace already: leave it out, or reconnect it"
    )]
    AlreadyConnected {
        /// The platform.
        platform: String,
        /// The account.
        remote_id: String,
    },
    /// A running process does not know the vault's key yet.
    #[error(
        "{without} of {processes} running process(es) do not know key {key} yet: add it to vault.keys everywhere, and repeat this"
    )]
    VaultKeyNotEverywhere {
        /// The key's id.
        key: String,
        /// How many do not know it.
        without: usize,
        /// How many run.
        processes: usize,
    },
    /// The connection was disconnected.
    #[error("{connection} was disconnected: connect the account again first")]
    ConnectionRemoved {
        /// Which.
        connection: ConnectionId,
    },
    /// Nobody confirmed what this would do, or it would do something else by now.
    #[error("this was not confirmed: look at what it does, and repeat it with that confirmation")]
    ConfirmationNeeded,
    /// Workers run on the database.
    #[error(
        "{workers} worker process(es) run on this database, and may have sent something by now: stop them, restore the backup again, and repeat this before anything else starts"
    )]
    StillAtWork {
        /// How many.
        workers: usize,
    },
}

/// Why an act did not happen; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// It may not.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It could not.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sea_orm::DbErr> for ApplyError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Store(error.into())
    }
}
