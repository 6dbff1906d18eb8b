//! Creating a tenant.

use mooring_domain::{Time, WorkspaceId, acts};
use mooring_store::{Actor, Secrets, Store};

use super::ActError;

/// Creates a workspace and returns its id.
pub async fn create_workspace(
    store: &Store,
    actor: &Actor,
    name: &str,
    now: Time,
) -> Result<WorkspaceId, ActError> {
    let name = name.trim();
    if name.is_empty() {
        return Err(ActError::invalid(
            "name",
            "is empty; give the workspace a name",
        ));
    }
    if store.workspace_named(name).await?.is_some() {
        let problem = format!("\"{name}\" exists already; choose another name");
        return Err(ActError::invalid("name", problem));
    }
    let workspace = store.mint(now);
    let decision = acts::create_workspace(workspace, name);
    store
        .apply_act(actor, workspace, &decision, &Secrets::default(), now)
        .await?;
    Ok(workspace)
}
