//! What people do, one file each. Routes and the command line call the same functions.

mod access;
mod activate_vault_key;
mod add_media;
mod begin_connect;
mod cancel_target;
mod choose_destinations;
mod connecting;
mod connections;
mod copy_connection;
mod create_workspace;
mod disconnect;
mod edit_post;
mod finish_consent;
mod import_connections;
mod keys;
mod mark_restored;
mod overrides;
mod posts;
mod publish_again;
mod receive_news;
mod reconnect;
mod reconnect_link;
mod record_native;
mod register_app;
mod say_removed;
mod schedule_post;
mod set_plan;
mod set_webhook_secret;
mod sync_post;
mod todo;
mod when;

use mooring_runtime::media::MediaError;
use mooring_store::{ApplyError, Refusal, StoreError};

pub use crate::api::{post_as_json, read_overrides};
pub use activate_vault_key::activate_vault_key;
pub use add_media::{MediaFrom, NewMedia, add_media};
pub use begin_connect::{BeginConnect, BegunConnect, PasswordLogin, begin_connect};
pub use cancel_target::{cancel_post, cancel_target};
pub use choose_destinations::choose_destinations;
pub(crate) use connecting::credentials_of;
pub use connecting::show as show_connect;
pub use connecting::{ConnectRefused, ConnectView, Desk, LiveCheck, OfferedView};
pub use connections::{
    ConnectionEdit, Refreshing, check_connection, check_connections, connection_view,
    edit_connection, set_main,
};
pub use copy_connection::{Copier, copy_connection};
pub use create_workspace::create_workspace;
pub use disconnect::{Disconnected, Revocations, disconnect, preview_disconnect, revoke};
pub use edit_post::{EditPost, edit_post};
pub use finish_consent::{CallBack, Landing, finish_consent};
pub use import_connections::{ImportRow, Imported, RowProblem, check_import, import_connections};
pub use keys::{CreatedKey, bootstrap, create_key, revoke_key};
pub use mark_restored::{Marked, mark_restored};
pub use overrides::{NewOverride, NewOverrides};
pub use posts::PostRefused;
pub use publish_again::{PublishAgainOrder, publish_again};
pub use receive_news::receive_news;
pub use reconnect::{Reconnect, Reconnecting, reconnect};
pub use reconnect_link::{LinkFace, MadeLink, go_by_link, look_at_link, make_reconnect_link};
pub use record_native::record_native;
pub use register_app::{NewApp, register_app};
pub use say_removed::say_removed;
pub use schedule_post::{SchedulePost, Scheduled, schedule_post};
pub use set_plan::set_plan;
pub use set_webhook_secret::set_webhook_secret;
pub use sync_post::{SyncOutcome, sync_post};
pub use todo::{AdviceView, AlertView, Concerned, Links, TaskView, alerts, open_tasks};
pub use when::When;

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
    /// Connecting does not go on.
    #[error(transparent)]
    Connect(ConnectRefused),
    /// A post's own state, or its platform, forbids it.
    #[error(transparent)]
    Post(#[from] PostRefused),
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
