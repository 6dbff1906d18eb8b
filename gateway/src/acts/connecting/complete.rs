//! The end of a run: the grant is kept, destinations are connected or healed, and each is looked at once, live.

use mooring_domain::{
    AppId, Change, ConnectionId, Platform,
    connecting::{self, Arriving, Connecting},
};
use mooring_store::{Actor, ConnectRun, ConnectionBrief, Secrets};
use mooring_vault::Secret;

use super::{
    super::{ActError, disconnect::revoke},
    Desk, LiveCheck, Offer, Offered,
    live_check::live_check,
};

/// Connects what was chosen, and looks at each.
pub(in crate::acts) async fn complete(
    desk: &Desk<'_>,
    actor: &Actor,
    run: &ConnectRun,
    offer: &Offer,
    chosen: &[&Offered],
) -> Result<Vec<LiveCheck>, ActError> {
    apply(desk, actor, run, offer, chosen, None).await?;
    let ids: Vec<String> = chosen.iter().map(|one| one.remote_id.clone()).collect();
    let here = desk.store.accounts_here(run.workspace, &ids).await?;
    let mut seen = Vec::new();
    for one in chosen {
        let key = (one.platform.as_str().to_owned(), one.remote_id.clone());
        if let Some(known) = here.get(&key) {
            let mut look = live_check(desk, actor, run.workspace, known.connection).await?;
            look.is_new = known.is_new;
            seen.push(look);
        }
    }
    Ok(seen)
}

/// Gives a connection its new tokens, heals its siblings, and looks at it. The account must have been identified.
pub(in crate::acts) async fn reconnect_with(
    desk: &Desk<'_>,
    actor: &Actor,
    run: &ConnectRun,
    offer: &Offer,
    wanted: &ConnectionBrief,
) -> Result<LiveCheck, ActError> {
    let same = |one: &&Offered| {
        (one.platform, one.remote_id.as_str()) == (wanted.platform, wanted.remote_id.as_str())
    };
    let chosen: Vec<&Offered> = offer.destinations.iter().filter(same).collect();
    apply(desk, actor, run, offer, &chosen, Some(wanted.id)).await?;
    live_check(desk, actor, run.workspace, wanted.id).await
}

async fn apply(
    desk: &Desk<'_>,
    actor: &Actor,
    run: &ConnectRun,
    offer: &Offer,
    chosen: &[&Offered],
    reconnects: Option<ConnectionId>,
) -> Result<(), ActError> {
    let now = desk.now();
    let mut secrets = Secrets::default();
    let (app, registered) = app(desk, run, offer, &mut secrets).await?;
    let picked = |one: &Offered| chosen.iter().any(|chosen| std::ptr::eq(*chosen, one));
    let grant = desk.store.mint(now);
    let mut reached = Vec::new();
    for one in &offer.destinations {
        let connection: ConnectionId = desk.store.mint(now);
        if let Some(token) = &one.token {
            secrets
                .connections
                .push((connection, Secret::from(token.as_str())));
        }
        reached.push(Arriving {
            connection,
            platform: one.platform,
            remote_id: one.remote_id.clone(),
            name: one.name.clone(),
            chosen: picked(one),
        });
    }
    let refresh = offer.refresh_token.as_deref().map(Secret::from);
    secrets
        .grants
        .push((grant, Secret::from(offer.grant_token.as_str()), refresh));
    let binding = offer.binding.as_deref().map(Secret::from);
    secrets.bindings.extend(binding.map(|key| (grant, key)));
    let new = Connecting {
        connect: run.id,
        reconnects,
        grant,
        platform: run.platform,
        app,
        remote_user_id: offer.remote_user_id.clone(),
        host: offer.host.clone(),
        access_expires_at: offer.access_expires_at,
        has_refresh_token: offer.refresh_token.is_some(),
        refresh_expires_at: offer.refresh_expires_at,
        scopes: offer.scopes.clone(),
        reached,
    };
    let mut decision = connecting::complete(new, now);
    decision.changes.splice(0..0, registered);
    let workspace = run.workspace;
    let left = desk
        .store
        .apply_act_taking(actor, workspace, &decision, &secrets, now)
        .await?;
    // Credentials whose last connection has gone over to the new one: nobody else has them now.
    revoke(
        desk.store,
        desk.registry,
        actor,
        workspace,
        left,
        desk.clock,
    )
    .await;
    Ok(())
}

/// The app that the grant belongs to: the run's, or one that was registered on the way, which is kept for the next.
async fn app(
    desk: &Desk<'_>,
    run: &ConnectRun,
    offer: &Offer,
    secrets: &mut Secrets,
) -> Result<(Option<AppId>, Option<Change>), ActError> {
    let Some((client_id, client_secret)) = &offer.app else {
        return Ok((run.app, None));
    };
    let platform: Platform = run.platform;
    let host = offer.host.as_deref();
    let known = desk
        .store
        .connect_app(run.workspace, platform, host)
        .await?;
    if let Some(known) = known.filter(|known| known.client_id == *client_id) {
        return Ok((Some(known.id), None));
    }
    let app: AppId = desk.store.mint(desk.now());
    secrets
        .apps
        .push((app, Secret::from(client_secret.as_str())));
    let registered = Change::AppRegistered {
        app,
        platform,
        client_id: client_id.clone(),
        base_url: offer.host.clone(),
    };
    Ok((Some(app), Some(registered)))
}
