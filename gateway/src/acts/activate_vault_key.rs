//! Putting a key of the vault in force.

use mooring_domain::{Time, WorkspaceId, acts};
use mooring_store::{ActiveKey, Actor, Secrets, Store};

use super::ActError;

/// Puts the key of this id in force: it seals from now on, and what older keys have sealed is sealed anew in the
/// background. Refused while a running process does not know it. Repeating it changes nothing.
pub async fn activate_vault_key(
    store: &Store,
    actor: &Actor,
    key: &str,
    now: Time,
) -> Result<ActiveKey, ActError> {
    let decision = acts::activate_vault_key(key, now);
    let house = WorkspaceId::from_uuid(uuid::Uuid::nil());
    store
        .apply_act(actor, house, &decision, &Secrets::default(), now)
        .await?;
    let active = store.read_keys().await?;
    active.ok_or_else(|| ActError::invalid("key", "was not noted"))
}
