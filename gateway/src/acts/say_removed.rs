//! "I deleted this on the platform myself."

use mooring_domain::{Change, TargetId, Time, WorkspaceId, acts};
use mooring_store::{Actor, Refusal, Secrets, Store, SyncTarget};

use super::ActError;

/// Believes a person that they took a copy down: it counts as removed at once, its link is cleared, and the platform is
/// asked all the same. Said twice it is said once. Refused where nothing was published.
pub async fn say_removed(
    store: &Store,
    actor: &Actor,
    workspace: WorkspaceId,
    target: TargetId,
    now: Time,
) -> Result<SyncTarget, ActError> {
    let decision = acts::act().change(Change::TargetSaidRemoved { target, at: now });
    store
        .apply_act(actor, workspace, &decision, &Secrets::default(), now)
        .await?;
    let after = store.sync_target(workspace, target).await?;
    let what = target.to_string();
    Ok(after.ok_or(Refusal::NotFound { what })?)
}
