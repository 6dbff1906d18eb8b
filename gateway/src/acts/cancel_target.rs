//! Cancelling a target before it begins.

use mooring_domain::{TargetId, Time, WorkspaceId, acts};
use mooring_store::{Actor, Secrets, Store};

use super::ActError;

/// Cancels a target; refused once it has begun.
pub async fn cancel_target(
    store: &Store,
    actor: &Actor,
    workspace: WorkspaceId,
    target: TargetId,
    now: Time,
) -> Result<(), ActError> {
    let decision = acts::cancel_target(target);
    Ok(store
        .apply_act(actor, workspace, &decision, &Secrets::default(), now)
        .await?)
}
