//! The end of a run that comes to nothing.

use mooring_domain::{
    ConnectId, WorkspaceId,
    connecting::{self, ConnectOutcome},
};
use mooring_store::{Actor, Refusal, Secrets};

use super::{super::ActError, Desk, Offer};

/// Ends a run without anything connected. A credential that it has brought stays sealed until the house gives it back
/// at its platform, as it does with what nobody chose: nobody else knows of it.
pub(in crate::acts) async fn fail(
    desk: &Desk<'_>,
    actor: &Actor,
    (workspace, id): (WorkspaceId, ConnectId),
    outcome: ConnectOutcome,
    brought: Option<&Offer>,
) -> Result<(), ActError> {
    let sealed = brought.map(Offer::seal).transpose()?;
    let secrets = Secrets {
        offers: sealed.into_iter().map(|text| (id, text)).collect(),
        ..Secrets::default()
    };
    let decision = connecting::fail(id, outcome);
    desk.store
        .apply_act(actor, workspace, &decision, &secrets, desk.now())
        .await?;
    Ok(())
}

/// How a run ends whose account was the right one and was refused all the same; `None`: an error that is no refusal.
pub(in crate::acts) const fn refused(error: &ActError) -> Option<ConnectOutcome> {
    match error {
        // It lives elsewhere in the meantime, or is one too many.
        ActError::Refused(Refusal::ConnectedElsewhere { .. }) => {
            Some(ConnectOutcome::ConnectedElsewhere)
        }
        ActError::Refused(Refusal::PlanPlatform { .. } | Refusal::PlanLimit { .. }) => {
            Some(ConnectOutcome::PlanRefused)
        }
        ActError::Refused(Refusal::Over) => Some(ConnectOutcome::StateUsed),
        _ => None,
    }
}
