//! A browser has come back from the platform.

use mooring_domain::{
    ConnectId, Event,
    connecting::{ConnectOutcome, call_back},
};
use mooring_providers::Credentials;
use mooring_store::{Actor, ConnectRun, ConnectionBrief, Refusal, Secrets};
use mooring_vault::Secret;

use super::{
    ActError,
    begin_connect::keep_offer,
    connecting::{
        self, Desk, Kept, LiveCheck, Offer, actor_of, credentials_of, exchange, outcome_of,
        reconnect_with, refused,
    },
    copy_connection::{destination, make_copy},
    reconnect::brief,
};
use crate::bearer;

/// What came back with the browser.
#[derive(Debug)]
pub struct CallBack {
    /// The state, as it was sent.
    pub state: Secret,
    /// The code.
    pub code: Option<Secret>,
    /// Which server issued it, where it says so (RFC 9207).
    pub issuer: Option<String>,
    /// The platform's error, where there is no code.
    pub error: Option<String>,
    /// The cookie of the browser, where it has ours.
    pub browser: Option<String>,
    /// The address that it came from.
    pub from: String,
}

/// How a consent ended, for the browser. Nothing in it is a secret.
#[derive(Debug)]
pub struct Landing {
    /// The run; `None` where the state is unknown.
    pub run: Option<ConnectId>,
    /// How it ended, or stands.
    pub outcome: ConnectOutcome,
    /// Where the browser is sent on to.
    pub return_url: Option<String>,
    /// The account that was to be reconnected, or copied.
    pub wanted: Option<String>,
    /// What the log-in reaches, where that is another account.
    pub got: Option<String>,
    /// How the connection is after a reconnect, or the copy.
    pub look: Option<LiveCheck>,
}

impl Landing {
    fn unknown() -> Self {
        Self {
            run: None,
            outcome: ConnectOutcome::StateUnknown,
            return_url: None,
            wanted: None,
            got: None,
            look: None,
        }
    }

    fn of(run: &ConnectRun, outcome: ConnectOutcome) -> Self {
        Self {
            run: Some(run.id),
            outcome,
            return_url: run.return_url.clone(),
            wanted: None,
            got: None,
            look: None,
        }
    }
}

/// Takes what came back. Whatever goes wrong changes nothing but the run, and a new one can be begun.
pub async fn finish_consent(desk: &Desk<'_>, back: CallBack) -> Result<Landing, ActError> {
    let digest = bearer::digest(back.state.expose());
    let Some(run) = desk.store.connect_by_state(&digest).await? else {
        tracing::warn!(
            event.name = "connect.refused",
            from = back.from,
            "a callback came with a state that is none of ours"
        );
        return Ok(Landing::unknown());
    };
    let actor = actor_of(&run, &back.from);
    let kept = kept(desk, &run)?;
    if let Err(outcome) = admit(desk, &actor, &run, &kept, &back).await? {
        tracing::warn!(event.name = "connect.refused", connect.id = %run.id, from = back.from, code = outcome.as_str(), "a callback was refused");
        return Ok(Landing::of(&run, outcome));
    }
    let Some(code) = back.code.filter(|_| back.error.is_none()) else {
        let outcome = refusal(back.error.as_deref());
        return fail(desk, &actor, &run, outcome, None).await;
    };
    let app = desk.store.app_of_run(&run).await?;
    let credentials = Credentials::Code {
        app: app.as_ref().map(credentials_of),
        code,
        redirect_uri: run
            .redirect_uri
            .parse()
            .map_err(|_| ActError::invalid("redirect_uri", "is no address any more"))?,
        kept: kept.consent.as_deref().map(Secret::from),
        issuer: back.issuer,
    };
    match exchange(desk, run.platform, credentials).await {
        Ok(connected) => settle(desk, &actor, &run, connected.into()).await,
        Err(failure) => {
            tracing::warn!(event.name = "connect.failed", connect.id = %run.id, platform = run.platform.as_str(), error.class = failure.class(), "a code could not be exchanged");
            fail(desk, &actor, &run, outcome_of(&failure), None).await
        }
    }
}

fn kept(desk: &Desk<'_>, run: &ConnectRun) -> Result<Kept, ActError> {
    let sealed = desk.store.kept_of(run)?;
    let read = sealed.and_then(|text| serde_json::from_str(text.expose()).ok());
    Ok(read.unwrap_or(Kept {
        browser: None,
        consent: None,
    }))
}

/// Whether the state may be used: in time, by the browser that it is bound to, and by the first that comes with it.
async fn admit(
    desk: &Desk<'_>,
    actor: &Actor,
    run: &ConnectRun,
    kept: &Kept,
    back: &CallBack,
) -> Result<Result<(), ConnectOutcome>, ActError> {
    if run.called_back_at.is_some() || run.outcome.is_some() {
        return Ok(Err(ConnectOutcome::StateUsed));
    }
    if run.expires_at <= desk.now() {
        fail(desk, actor, run, ConnectOutcome::Expired, None).await?;
        return Ok(Err(ConnectOutcome::Expired));
    }
    let shown = back.browser.as_deref().map(bearer::digest);
    if kept.browser.is_some() && kept.browser != shown {
        // The right browser may still come.
        return Ok(Err(ConnectOutcome::WrongBrowser));
    }
    let decision = call_back(run.id);
    let spent = desk
        .store
        .apply_act(
            actor,
            run.workspace,
            &decision,
            &Secrets::default(),
            desk.now(),
        )
        .await;
    match spent.map_err(ActError::from) {
        Ok(()) => Ok(Ok(())),
        Err(ActError::Refused(Refusal::Over)) => Ok(Err(ConnectOutcome::StateUsed)),
        Err(error) => Err(error),
    }
}

/// What an error of the platform's page means: the person said no, or something is wrong.
fn refusal(error: Option<&str>) -> ConnectOutcome {
    match error {
        Some(
            "access_denied" | "user_denied" | "user_cancelled_login" | "user_cancelled_authorize",
        ) => ConnectOutcome::Denied,
        Some("unauthorized_client" | "invalid_client" | "invalid_scope") => {
            ConnectOutcome::AppRefused
        }
        _ => ConnectOutcome::ProviderError,
    }
}

async fn settle(
    desk: &Desk<'_>,
    actor: &Actor,
    run: &ConnectRun,
    offer: Offer,
) -> Result<Landing, ActError> {
    match run.connection {
        Some(connection) => {
            let wanted = brief(desk, run.workspace, connection).await?;
            settle_reconnect(desk, actor, run, &wanted, offer).await
        }
        None if run.copied_from.is_some() => settle_copy(desk, actor, run, &offer).await,
        None if offer.destinations.is_empty() => {
            fail(
                desk,
                actor,
                run,
                ConnectOutcome::NoDestination,
                Some(&offer),
            )
            .await
        }
        None => {
            keep_offer(desk, actor, run.workspace, run.id, &offer, None).await?;
            Ok(Landing::of(run, ConnectOutcome::Offered))
        }
    }
}

async fn settle_reconnect(
    desk: &Desk<'_>,
    actor: &Actor,
    run: &ConnectRun,
    wanted: &ConnectionBrief,
    offer: Offer,
) -> Result<Landing, ActError> {
    let mut landing = match offer.identify(wanted) {
        Ok(()) => healed(desk, actor, run, wanted, &offer).await?,
        // Somebody with a key may still connect the other account as a new one; by a link nobody may.
        Err(outcome) if run.link.is_none() && !offer.destinations.is_empty() => {
            let news = Event::ConnectFailed {
                connect: run.id,
                connection: run.connection,
                code: outcome.as_str().to_owned(),
            };
            keep_offer(desk, actor, run.workspace, run.id, &offer, Some(news)).await?;
            Landing::of(run, outcome)
        }
        Err(outcome) => fail(desk, actor, run, outcome, Some(&offer)).await?,
    };
    landing.wanted = Some(wanted.name.clone());
    if landing.outcome != ConnectOutcome::Reconnected {
        landing.got = Some(offer.names());
    }
    Ok(landing)
}

/// A copy is of one account: there is nothing to choose.
async fn settle_copy(
    desk: &Desk<'_>,
    actor: &Actor,
    run: &ConnectRun,
    offer: &Offer,
) -> Result<Landing, ActError> {
    let original = desk.store.copied(run).await?;
    let (_, wanted) = original.ok_or_else(|| Refusal::NotFound {
        what: run.id.to_string(),
    })?;
    let mut landing = match (offer.identify(&wanted), destination(offer, &wanted)) {
        (Err(outcome), _) => fail(desk, actor, run, outcome, Some(offer)).await?,
        // The role there does not allow publishing, or the permission was declined.
        (Ok(()), None) => {
            fail(desk, actor, run, ConnectOutcome::NoDestination, Some(offer)).await?
        }
        (Ok(()), Some(one)) => {
            let made = make_copy(desk, actor, run, offer, one).await;
            ended(desk, actor, run, offer, (made, ConnectOutcome::Connected)).await?
        }
    };
    landing.wanted = Some(wanted.name.clone());
    if landing.outcome != ConnectOutcome::Connected {
        landing.got = Some(offer.names());
    }
    Ok(landing)
}

async fn healed(
    desk: &Desk<'_>,
    actor: &Actor,
    run: &ConnectRun,
    wanted: &ConnectionBrief,
    offer: &Offer,
) -> Result<Landing, ActError> {
    let made = reconnect_with(desk, actor, run, offer, wanted).await;
    ended(desk, actor, run, offer, (made, ConnectOutcome::Reconnected)).await
}

/// How a run ends that has come this far.
async fn ended(
    desk: &Desk<'_>,
    actor: &Actor,
    run: &ConnectRun,
    offer: &Offer,
    (made, well): (Result<LiveCheck, ActError>, ConnectOutcome),
) -> Result<Landing, ActError> {
    match made {
        Ok(look) => {
            let mut landing = Landing::of(run, well);
            landing.look = Some(look);
            Ok(landing)
        }
        Err(error) => match refused(&error) {
            Some(outcome) => fail(desk, actor, run, outcome, Some(offer)).await,
            None => Err(error),
        },
    }
}

async fn fail(
    desk: &Desk<'_>,
    actor: &Actor,
    run: &ConnectRun,
    outcome: ConnectOutcome,
    brought: Option<&Offer>,
) -> Result<Landing, ActError> {
    connecting::fail(desk, actor, (run.workspace, run.id), outcome, brought).await?;
    Ok(Landing::of(run, outcome))
}
