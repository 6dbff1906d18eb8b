//! Offers that nobody chose from: what is sealed for them is forgotten, and the credential, which nobody else knows of,
//! is given back at its platform.

use mooring_domain::{
    Failure, GrantId, Time,
    connecting::{LAPSE_AFTER, Unchosen, UserNow, lapse, unchosen},
};
use mooring_providers::{Access, AppCredentials, KeptOffer};
use mooring_store::{Actor, ConnectRun, Credentials, Secrets};

use crate::{ctx::Ctx, error::JobError};

/// Runs that one job clears; the rest is cleared by the next, a few minutes later.
const RUNS_MAX: u64 = 100;

/// Why a credential is left alone by which somebody lives.
const HELD: &str = "held_elsewhere";

/// Clears runs whose time is over.
pub(super) async fn clear(ctx: &Ctx, now: Time) -> Result<(), JobError> {
    let actor = Actor::Process(ctx.process());
    for run in ctx.store.lapsed_runs(now - LAPSE_AFTER, RUNS_MAX).await? {
        let offered = match ctx.store.offer_of(&run) {
            Ok(None) => None,
            Ok(Some(text)) => match KeptOffer::read(&text) {
                Some(offer) => match give_back(ctx, &run, &offer, now).await? {
                    Some(given_back) => Some(given_back),
                    None => continue,
                },
                None => Some(Err("contract")),
            },
            // It is forgotten like any other; the key that opens it may never come back.
            Err(_) => Some(Err("sealed")),
        };
        let decision = lapse(run.id, offered);
        let secrets = Secrets::default();
        let forgotten = ctx
            .store
            .apply_act(&actor, run.workspace, &decision, &secrets, now)
            .await;
        if let Err(error) = forgotten {
            tracing::error!(event.name = "offer.not_forgotten", connect.id = %run.id, error = %error, "what is sealed for a run that is over could not be forgotten; the next look tries again");
        }
    }
    Ok(())
}

/// Gives a credential back, or says why not; `None`: not now.
async fn give_back(
    ctx: &Ctx,
    run: &ConnectRun,
    offer: &KeptOffer,
    now: Time,
) -> Result<Option<Result<(), &'static str>>, JobError> {
    let app = ctx.store.app_of_run(run).await?;
    let access = offer.access(app.map(|app| AppCredentials {
        client_id: app.client_id,
        client_secret: app.client_secret,
    }));
    let user = user_now(ctx, run, offer, &access, now).await?;
    let reach = run.platform.capabilities().revokes;
    Ok(match unchosen(reach, user, run.expires_at, now) {
        Unchosen::Later => None,
        Unchosen::Leave => Some(Err(HELD)),
        Unchosen::GiveBack => Some(match ctx.provider(run.platform).revoke(&access).await {
            Ok(()) | Err(Failure::TokenRevoked) => Ok(()),
            Err(failure) => {
                tracing::warn!(event.name = "offer.not_given_back", connect.id = %run.id, error.class = failure.class(), "a credential that nobody chose was forgotten, and could not be given back at the platform");
                Err(failure.class())
            }
        }),
    })
}

async fn user_now(
    ctx: &Ctx,
    run: &ConnectRun,
    offer: &KeptOffer,
    access: &Access,
    now: Time,
) -> Result<UserNow, JobError> {
    // No grant is this one: it was never kept.
    let none = GrantId::from_uuid(uuid::Uuid::nil());
    let held = Credentials {
        app: None,
        host: None,
        remote_id: access.remote_id.clone(),
        remote_user_id: access.remote_user_id.clone(),
        token: access.token.clone(),
        grant_token: access.grant_token.clone(),
        refresh_token: access.refresh_token.clone(),
        binding: None,
    };
    let mut connects = false;
    for open in ctx.store.open_runs(run.platform, now).await? {
        let theirs = ctx.store.offer_of(&open).ok().flatten();
        let theirs = theirs.as_ref().and_then(KeptOffer::read);
        // Whose code is being exchanged at this moment, nobody knows yet.
        connects |= theirs.is_none_or(|theirs| theirs.remote_user_id == offer.remote_user_id);
    }
    Ok(UserNow {
        holds: ctx
            .store
            .is_held_elsewhere(none, &offer.remote_user_id)
            .await?,
        token_held: ctx.store.is_token_held_elsewhere(none, &held).await?,
        connects,
    })
}
