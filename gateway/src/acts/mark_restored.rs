//! After a restore from a backup: marking what may have gone out since.

use mooring_domain::{Time, WorkspaceId, restore};
use mooring_store::{Actor, RestoreRow, Secrets, Store};

use super::ActError;

/// What the act found or did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// The marker.
    pub restore: RestoreRow,
    /// It had been set before; nothing was changed.
    pub repeated: bool,
}

/// Marks the restore of a backup that was taken at `taken_at`. Run it once after the restore, before workers start:
/// with it the caller says that nothing of the time before the restore works any more. Repeating it changes nothing.
pub async fn mark_restored(
    store: &Store,
    actor: &Actor,
    taken_at: Time,
    now: Time,
) -> Result<Marked, ActError> {
    let decision = restore::restored(store.mint(now), taken_at, store.policy(), now)
        .map_err(|problem| ActError::invalid("backup-taken-at", problem.to_string()))?;
    if let Some(restore) = store.restore_of(taken_at).await? {
        return Ok(Marked {
            restore,
            repeated: true,
        });
    }
    let house = WorkspaceId::from_uuid(uuid::Uuid::nil());
    store
        .apply_act(actor, house, &decision, &Secrets::default(), now)
        .await?;
    let restore = store.restore_of(taken_at).await?;
    let restore = restore.ok_or_else(|| ActError::invalid("backup-taken-at", "was not noted"))?;
    Ok(Marked {
        restore,
        repeated: false,
    })
}
