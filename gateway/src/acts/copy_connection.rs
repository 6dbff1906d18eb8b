//! Copying a connection to another workspace: a run of connecting there, bound to the same account.
//!
//! The tokens themselves are never copied: where a refresh token works once, its second holder would end the session
//! of both. So the copy is a consent of its own, and a credential of its own.

use mooring_domain::{
    ConnectId, ConnectionId, Role, WorkspaceId,
    connecting::ConnectOutcome,
    connection::life::{self, CopyRefused, may_copy},
};
use mooring_store::{Actor, ConnectRun, ConnectionBrief, Refusal, Secrets};

use super::{
    ActError, BegunConnect, Reconnect, Reconnecting,
    connecting::{
        ConnectRefused, Desk, LiveCheck, Offer, Offered, Start, by_password, complete, fail, start,
    },
    reconnect::{brief, or_fail, refuse_other_account},
};

/// Who copies: one key that opens both workspaces, or a key of each.
#[derive(Debug, Clone)]
pub struct Copier {
    /// What they may do in which workspace.
    pub roles: Vec<(WorkspaceId, Role)>,
    /// Who asks for it, in the workspace that is copied from.
    pub here: Actor,
    /// Who connects, in the other.
    pub there: Actor,
}

/// Begins to copy a connection to another workspace; where the platform takes a password, ends it, too. Whatever comes
/// of it, the connection itself stays as it is.
pub async fn copy_connection(
    desk: &Desk<'_>,
    by: &Copier,
    (from, connection): (WorkspaceId, ConnectionId),
    to: WorkspaceId,
    how: Reconnect,
) -> Result<Reconnecting, ActError> {
    may_copy(&by.roles, from, to).map_err(|refused| match refused {
        CopyRefused::SameWorkspace => ActError::invalid("workspace", refused.to_string()),
        CopyRefused::NoRight => ConnectRefused::NoRightThere(refused).into(),
    })?;
    let wanted = brief(desk, from, connection).await?;
    admit(desk, &wanted, to).await?;
    let order = Start {
        platform: wanted.way,
        connection: None,
        copied_from: Some(connection),
        link: None,
        host: wanted.host.clone(),
        login_hint: how.login_hint.as_deref(),
        return_url: how.return_url,
        browser: None,
    };
    let Some(login) = how.password else {
        let (id, url, expires_at) = start(desk, &by.there, to, order).await?;
        tell(desk, by, (from, connection), (id, to)).await?;
        return Ok(Reconnecting::Consent(BegunConnect::Consent {
            id,
            url,
            expires_at,
        }));
    };
    let (id, connected) = by_password(desk, &by.there, to, &order, login).await?;
    tell(desk, by, (from, connection), (id, to)).await?;
    let offer = Offer::from(connected);
    refuse_other_account(desk, &by.there, (to, id), &wanted, &offer).await?;
    let run = desk.store.connect_run(to, id).await?.ok_or(Refusal::Over)?;
    let Some(one) = destination(&offer, &wanted) else {
        let outcome = ConnectOutcome::NoDestination;
        fail(desk, &by.there, (to, id), outcome, Some(&offer)).await?;
        return Err(ConnectRefused::no_right_at_platform(&wanted.remote_id).into());
    };
    let made = make_copy(desk, &by.there, &run, &offer, one).await;
    let look = or_fail(desk, &by.there, (to, id), &offer, made).await?;
    Ok(Reconnecting::Done(id, look))
}

/// What can be known before anybody is asked.
async fn admit(desk: &Desk<'_>, wanted: &ConnectionBrief, to: WorkspaceId) -> Result<(), ActError> {
    if wanted.removed {
        return Err(Refusal::ConnectionRemoved {
            connection: wanted.id,
        }
        .into());
    }
    let account = (
        wanted.platform.as_str().to_owned(),
        wanted.remote_id.clone(),
    );
    if desk.store.accounts(to).await?.contains(&account) {
        return Err(Refusal::AlreadyConnected {
            platform: wanted.platform.to_string(),
            remote_id: wanted.remote_id.clone(),
        }
        .into());
    }
    match desk.store.beyond_plan(to, wanted.platform).await? {
        Some(refusal) => Err(refusal.into()),
        None => Ok(()),
    }
}

async fn tell(
    desk: &Desk<'_>,
    by: &Copier,
    (from, connection): (WorkspaceId, ConnectionId),
    (id, to): (ConnectId, WorkspaceId),
) -> Result<(), ActError> {
    let decision = life::copy_begun(connection, id, to);
    let (secrets, now) = (Secrets::default(), desk.now());
    desk.store
        .apply_act(&by.here, from, &decision, &secrets, now)
        .await?;
    Ok(())
}

/// The account that is copied, where the log-in may publish there.
pub(super) fn destination<'a>(offer: &'a Offer, wanted: &ConnectionBrief) -> Option<&'a Offered> {
    let same =
        |one: &&Offered| one.platform == wanted.platform && one.remote_id == wanted.remote_id;
    let found = offer.destinations.iter().find(same);
    found.filter(|one| offer.barred(one).is_none())
}

/// Ends a run with its copy, and looks at it. The account must have been identified.
pub(super) async fn make_copy(
    desk: &Desk<'_>,
    actor: &Actor,
    run: &ConnectRun,
    offer: &Offer,
    one: &Offered,
) -> Result<LiveCheck, ActError> {
    let looks = complete(desk, actor, run, offer, &[one]).await?;
    let look = looks.into_iter().next();
    Ok(look.ok_or_else(|| Refusal::NotFound {
        what: one.remote_id.clone(),
    })?)
}
