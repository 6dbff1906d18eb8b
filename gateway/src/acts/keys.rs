//! Keys to the API.

use mooring_domain::{KeyId, Role, Time, WorkspaceId, access, access::NewKey, acts};
use mooring_store::{Actor, Secrets, Store};
use mooring_vault::Secret;

use super::ActError;
use crate::bearer;

/// The longest name of a key.
const NAME_MAX: usize = 100;

/// A key that was just made. The text is shown once and stored nowhere.
#[derive(Debug)]
pub struct CreatedKey {
    /// Its id.
    pub id: KeyId,
    /// The key itself.
    pub text: Secret,
}

/// Makes a key that has one role in one or several workspaces.
pub async fn create_key(
    store: &Store,
    actor: &Actor,
    name: &str,
    workspaces: &[WorkspaceId],
    role: Role,
    now: Time,
) -> Result<CreatedKey, ActError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME_MAX {
        let problem = format!("must have 1 to {NAME_MAX} characters; say who will use the key");
        return Err(ActError::invalid("name", problem));
    }
    let Some(first) = workspaces.first() else {
        return Err(ActError::invalid(
            "workspaces",
            "is empty; name the workspaces that the key opens",
        ));
    };
    let (new, created) = mint(store, name, workspaces, role, now);
    let mut decisions = vec![(*first, access::create_key(new, role))];
    // Each workspace's own stream tells of it; the row is written once.
    for other in &workspaces[1..] {
        let told = decisions[0].1.events.clone();
        let mut decision = acts::act();
        decision.events = told;
        decisions.push((*other, decision));
    }
    store
        .apply_acts(actor, &decisions, &Secrets::default(), now)
        .await?;
    Ok(created)
}

fn mint(
    store: &Store,
    name: &str,
    workspaces: &[WorkspaceId],
    role: Role,
    now: Time,
) -> (NewKey, CreatedKey) {
    let text = bearer::mint("mk_");
    let key = store.mint(now);
    let new = NewKey {
        key,
        name: name.to_owned(),
        digest: bearer::digest(text.expose()),
        roles: workspaces.iter().map(|id| (*id, role)).collect(),
    };
    (new, CreatedKey { id: key, text })
}

/// Takes a key back, in every workspace that it opens.
pub async fn revoke_key(
    store: &Store,
    actor: &Actor,
    workspace: WorkspaceId,
    key: KeyId,
    now: Time,
) -> Result<(), ActError> {
    let decision = access::revoke_key(key);
    store
        .apply_act(actor, workspace, &decision, &Secrets::default(), now)
        .await?;
    Ok(())
}

/// Makes the first key of an installation, for an admin of `workspace`, which is created where it does not exist.
///
/// Refused once an admin's key exists: from then on, keys are made with a key, or at the command line of the
/// installation by `mooring api-key add`.
pub async fn bootstrap(
    store: &Store,
    actor: &Actor,
    workspace: &str,
    now: Time,
) -> Result<CreatedKey, ActError> {
    if store.has_admin_key().await? {
        return Err(ActError::invalid(
            "bootstrap",
            "an admin's key exists already; make more with `mooring api-key add`",
        ));
    }
    let workspace = match store.workspace_named(workspace.trim()).await? {
        Some(known) => known,
        None => super::create_workspace(store, actor, workspace, now).await?,
    };
    create_key(store, actor, "first key", &[workspace], Role::Admin, now).await
}
