//! Saying what a workspace may connect.

use mooring_domain::{Plan, Time, WorkspaceId, plan};
use mooring_store::{Actor, Secrets, Store};

use super::ActError;

/// Gives a workspace its plan. What is connected stays, also where it goes beyond.
pub async fn set_plan(
    store: &Store,
    actor: &Actor,
    workspace: WorkspaceId,
    plan: Plan,
    now: Time,
) -> Result<(), ActError> {
    let decision = plan::set_plan(workspace, plan);
    store
        .apply_act(actor, workspace, &decision, &Secrets::default(), now)
        .await?;
    Ok(())
}
