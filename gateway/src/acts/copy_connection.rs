//! Copying a connection to another workspace: who may, and what the run of connecting that makes the copy is bound to.

use mooring_domain::{ConnectionId, Platform, Role, Time, WorkspaceId, connection::life::may_copy};
use mooring_store::{Refusal, Store};

use super::{ActError, connection_view};

/// A copy to make: a run of connecting in the other workspace, bound to this account, with a consent of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyOrder {
    /// The connection that is copied. The run notes it (`connects.copied_from`): its account may then be connected in
    /// both workspaces.
    pub copied_from: ConnectionId,
    /// The workspace that the copy is made in.
    pub workspace: WorkspaceId,
    /// The platform to ask.
    pub platform: Platform,
    /// The account that the consent must reach; any other is refused.
    pub remote_id: String,
    /// Its name, for people.
    pub name: String,
}

/// Decides whether a connection may be copied, and what to. The key must be allowed to connect in both workspaces.
///
/// The tokens themselves are never copied: where a refresh token works once, its second holder would end the session
/// of both. So the copy is a consent of its own.
pub async fn copy_connection(
    store: &Store,
    roles: &[(WorkspaceId, Role)],
    from: WorkspaceId,
    connection: ConnectionId,
    to: WorkspaceId,
    now: Time,
) -> Result<CopyOrder, ActError> {
    may_copy(roles, from, to)
        .map_err(|refused| ActError::invalid("workspace", refused.to_string()))?;
    let view = connection_view(store, from, connection, now).await?;
    if view.removed.is_some() {
        return Err(Refusal::ConnectionRemoved { connection }.into());
    }
    let account = (view.platform.as_str().to_owned(), view.remote_id.clone());
    if store.accounts(to).await?.contains(&account) {
        return Err(Refusal::AlreadyConnected {
            platform: view.platform.to_string(),
            remote_id: view.remote_id,
        }
        .into());
    }
    Ok(CopyOrder {
        copied_from: connection,
        workspace: to,
        platform: view.platform,
        remote_id: view.remote_id,
        name: view.name,
    })
}
