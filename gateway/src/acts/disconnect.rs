//! Letting connections go: first the books, in one act; then the platforms, with tokens that only this call holds.

use mooring_domain::{
    Event, Failure, Time, WorkspaceId, acts,
    connection::life::{self, Removal, Which},
};
use mooring_providers::Registry;
use mooring_runtime::Clock;
use mooring_store::{Actor, Credentials, Leaving, Refusal, Secrets, Store, StoreError, TakenGrant};

use super::{ActError, access::access};

/// How often a platform is asked to take a token back. Nothing waits in between: what cannot be done now is told.
const TRIES: usize = 2;

/// Posts that a preview shows.
const SHOWN: usize = 50;

/// What became of the credentials at their platforms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Revocations {
    /// Given back.
    pub revoked: usize,
    /// Could not be given back; the events say why.
    pub failed: usize,
}

/// What a disconnect did.
#[derive(Debug)]
pub struct Disconnected {
    /// What it was, as it was confirmed.
    pub was: Leaving,
    /// Credentials that are in no database any more. Hand them to [`revoke`].
    pub taken: Vec<TakenGrant>,
}

/// What a disconnect would do now, and what confirms it.
pub async fn preview_disconnect(
    store: &Store,
    workspace: WorkspaceId,
    which: Which,
) -> Result<Leaving, ActError> {
    Ok(store.leaving(workspace, which, SHOWN).await?)
}

/// Disconnects one connection, or all of a workspace, in one act: from its commit on nothing is published there any
/// more, and the tokens are in no database. Refused unless `confirmed` is what a preview of this very moment says.
pub async fn disconnect(
    store: &Store,
    actor: &Actor,
    workspace: WorkspaceId,
    which: Which,
    confirmed: Option<&str>,
    now: Time,
) -> Result<Disconnected, ActError> {
    let was = preview_disconnect(store, workspace, which).await?;
    let Some(confirmed) = confirmed else {
        return Err(Refusal::ConfirmationNeeded.into());
    };
    let decision = life::disconnect(Removal {
        which,
        confirmed: confirmed.to_owned(),
    });
    let taken = store
        .apply_act_taking(actor, workspace, &decision, &Secrets::default(), now)
        .await?;
    Ok(Disconnected { was, taken })
}

/// Gives credentials back at their platforms. Run it to its end: nobody else has these tokens. Each outcome is an
/// event; a token that could not be given back ends by itself, and is used by nobody.
pub async fn revoke(
    store: &Store,
    registry: &Registry,
    actor: &Actor,
    workspace: WorkspaceId,
    taken: Vec<TakenGrant>,
    clock: &dyn Clock,
) -> Revocations {
    let mut done = Revocations::default();
    for grant in taken {
        let event = match give_back(store, registry, &grant).await {
            Ok(()) => {
                done.revoked += 1;
                Event::GrantRevokedAtPlatform { grant: grant.grant }
            }
            Err(class) => {
                done.failed += 1;
                tracing::warn!(event.name = "grant.not_revoked", grant.id = %grant.grant, error.class = class, "the tokens of a grant without connections were deleted, and could not be given back at the platform");
                Event::RevocationFailed {
                    grant: grant.grant,
                    class: class.to_owned(),
                }
            }
        };
        let decision = acts::act().event(event);
        let told = store
            .apply_act(
                actor,
                workspace,
                &decision,
                &Secrets::default(),
                clock.now(),
            )
            .await;
        if let Err(error) = told {
            tracing::error!(event.name = "revocation.not_told", grant.id = %grant.grant, error = %error, "what became of a credential at its platform is in no book");
        }
    }
    done
}

async fn give_back(
    store: &Store,
    registry: &Registry,
    grant: &TakenGrant,
) -> Result<(), &'static str> {
    let Some(credentials) = &grant.credentials else {
        return Err("sealed");
    };
    match may_end(store, grant, credentials).await {
        Ok(true) => {}
        // It would end connections that nobody wants to let go.
        Ok(false) => return Err("held_elsewhere"),
        Err(_) => return Err("database_away"),
    }
    let access = access(credentials);
    let mut last = Failure::NotSent;
    for _ in 0..TRIES {
        match registry.of(grant.platform).revoke(&access).await {
            Ok(()) | Err(Failure::TokenRevoked) => return Ok(()),
            Err(failure) if failure.is_transient() => last = failure,
            Err(failure) => return Err(failure.class()),
        }
    }
    Err(last.class())
}

/// Whether giving a credential back ends nothing else.
async fn may_end(
    store: &Store,
    grant: &TakenGrant,
    credentials: &Credentials,
) -> Result<bool, StoreError> {
    let user_holds = store
        .is_held_elsewhere(grant.grant, &grant.remote_user_id)
        .await?;
    let token_held = user_holds
        && store
            .is_token_held_elsewhere(grant.grant, credentials)
            .await?;
    let reach = grant.platform.capabilities().revokes;
    Ok(life::may_give_back(reach, user_holds, token_held))
}
