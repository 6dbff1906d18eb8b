//! Cancelling what waits: one target, or all of a post.

use mooring_domain::{PostId, TargetId, Time, WorkspaceId, acts};
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

/// Cancels every target of a post that waits; refused where none does. Once all are cancelled, it changes nothing.
pub async fn cancel_post(
    store: &Store,
    actor: &Actor,
    workspace: WorkspaceId,
    post: PostId,
    now: Time,
) -> Result<(), ActError> {
    let decision = acts::cancel_post(post);
    Ok(store
        .apply_act(actor, workspace, &decision, &Secrets::default(), now)
        .await?)
}
