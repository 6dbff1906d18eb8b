//! Reconnecting: new tokens for a connection that stays what it is.

use mooring_domain::{ConnectId, ConnectionId, WorkspaceId, connecting};
use mooring_providers::Connected;
use mooring_store::{Actor, ConnectionBrief, Refusal};

use super::{
    ActError, BegunConnect, PasswordLogin,
    connecting::{
        ConnectRefused, Desk, LiveCheck, Offer, Start, by_password, fail, reconnect_with, refused,
        start,
    },
};

/// How a reconnect, or a copy, is to be made.
#[derive(Debug, Default)]
pub struct Reconnect {
    /// Whom the platform should suggest, where it takes suggestions.
    pub login_hint: Option<String>,
    /// Where the browser is sent on to in the end.
    pub return_url: Option<String>,
    /// Name and password, where the platform connects without a browser.
    pub password: Option<PasswordLogin>,
}

/// What a reconnect, or a copy, has come to.
#[derive(Debug)]
pub enum Reconnecting {
    /// A person must consent in a browser.
    Consent(BegunConnect),
    /// It is done, and this is how the connection is now.
    Done(ConnectId, LiveCheck),
}

/// Begins to reconnect a connection; where the platform takes a password, ends it, too.
pub async fn reconnect(
    desk: &Desk<'_>,
    actor: &Actor,
    workspace: WorkspaceId,
    connection: ConnectionId,
    how: Reconnect,
) -> Result<Reconnecting, ActError> {
    let wanted = brief(desk, workspace, connection).await?;
    let order = Start {
        platform: wanted.way,
        connection: Some(connection),
        copied_from: None,
        link: None,
        host: wanted.host.clone(),
        login_hint: how.login_hint.as_deref(),
        return_url: how.return_url,
        browser: None,
    };
    let Some(login) = how.password else {
        let (id, url, expires_at) = start(desk, actor, workspace, order).await?;
        return Ok(Reconnecting::Consent(BegunConnect::Consent {
            id,
            url,
            expires_at,
        }));
    };
    let (id, connected) = by_password(desk, actor, workspace, &order, login).await?;
    let look = by_login(desk, actor, workspace, &wanted, id, connected).await?;
    Ok(Reconnecting::Done(id, look))
}

pub(super) async fn brief(
    desk: &Desk<'_>,
    workspace: WorkspaceId,
    connection: ConnectionId,
) -> Result<ConnectionBrief, ActError> {
    let found = desk.store.connection_brief(workspace, connection).await?;
    Ok(found.ok_or_else(|| Refusal::NotFound {
        what: connection.to_string(),
    })?)
}

async fn by_login(
    desk: &Desk<'_>,
    actor: &Actor,
    workspace: WorkspaceId,
    wanted: &ConnectionBrief,
    id: ConnectId,
    connected: Connected,
) -> Result<LiveCheck, ActError> {
    let offer = Offer::from(connected);
    refuse_other_account(desk, actor, (workspace, id), wanted, &offer).await?;
    let run = desk.store.connect_run(workspace, id).await?;
    let run = run.ok_or(Refusal::Over)?;
    let made = reconnect_with(desk, actor, &run, &offer, wanted).await;
    or_fail(desk, actor, (workspace, id), &offer, made).await
}

/// Ends a run of a password whose account was refused at the last.
pub(super) async fn or_fail<T>(
    desk: &Desk<'_>,
    actor: &Actor,
    run: (WorkspaceId, ConnectId),
    offer: &Offer,
    made: Result<T, ActError>,
) -> Result<T, ActError> {
    if let Some(outcome) = made.as_ref().err().and_then(refused) {
        fail(desk, actor, run, outcome, Some(offer)).await?;
    }
    made
}

/// Ends a run whose log-in reaches another account than the one that was meant.
pub(super) async fn refuse_other_account(
    desk: &Desk<'_>,
    actor: &Actor,
    (workspace, id): (WorkspaceId, ConnectId),
    wanted: &ConnectionBrief,
    offer: &Offer,
) -> Result<(), ActError> {
    let Err(outcome) = offer.identify(wanted) else {
        return Ok(());
    };
    fail(desk, actor, (workspace, id), outcome, Some(offer)).await?;
    Err(match outcome {
        connecting::ConnectOutcome::AccountGone => ConnectRefused::AccountGone(wanted.name.clone()),
        _ => ConnectRefused::AccountMismatch {
            wanted: wanted.name.clone(),
            got: offer.names(),
        },
    }
    .into())
}
