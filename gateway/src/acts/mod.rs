//! What people do, one file each. Routes and the command line call the same functions.

mod activate_vault_key;
mod add_media;
mod cancel_target;
mod connections;
mod copy_connection;
mod create_workspace;
mod disconnect;
mod edit_post;
mod import_connections;
mod keys;
mod mark_restored;
mod register_app;
mod schedule_post;

use mooring_runtime::media::MediaError;
use mooring_store::{ApplyError, Refusal, StoreError};

pub use activate_vault_key::activate_vault_key;
pub use add_media::{MediaFrom, NewMedia, add_media};
pub use cancel_target::cancel_target;
pub use connections::{
    ConnectionEdit, Refreshing, check_connection, check_connections, connection_view,
    edit_connection, set_main,
};
pub use copy_connection::{CopyOrder, copy_connection};
pub use create_workspace::create_workspace;
pub use disconnect::{Disconnected, Revocations, disconnect, preview_disconnect, revoke};
pub use edit_post::edit_post;
pub use import_connections::{ImportRow, Imported, RowProblem, check_import, import_connections};
pub use keys::{CreatedKey, bootstrap, create_key, revoke_key};
pub use mark_restored::{Marked, mark_restored};
pub use register_app::{NewApp, register_app};
pub use schedule_post::{SchedulePost, Scheduled, schedule_post};

/// Why an act did not happen; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// A field is wrong; the message names it and the fix.
    #[error("{field}: {problem}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// The state of things forbids it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database could not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The media store could not do it.
    #[error(transparent)]
    Media(MediaError),
}

impl ActError {
    pub(crate) fn invalid(field: &'static str, problem: impl Into<String>) -> Self {
        Self::Invalid {
            field,
            problem: problem.into(),
        }
    }
}

impl From<ApplyError> for ActError {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Refused(refusal) => Self::Refused(refusal),
            ApplyError::Store(error) => Self::Store(error),
        }
    }
}
