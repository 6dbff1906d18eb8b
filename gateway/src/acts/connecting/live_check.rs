//! A look at a connection while somebody waits for its result: the check's own call and decision, without its job.

use mooring_domain::{
    ConnectionId, Next, WorkspaceId,
    connection::{Health, Reason, after_check, assess, check_poke},
    retry::Jitter,
};
use mooring_store::{Actor, Secrets};

use super::{
    super::{ActError, access::access},
    Desk,
};

/// What a live look has shown.
#[derive(Debug, Clone)]
pub struct LiveCheck {
    /// The connection.
    pub connection: ConnectionId,
    /// Its name.
    pub name: String,
    /// Its platform.
    pub platform: &'static str,
    /// Whether it had never been connected before.
    pub is_new: bool,
    /// Its health now.
    pub health: Health,
    /// Why it is not healthy, strongest first.
    pub reasons: Vec<Reason>,
    /// The failure class, where the platform could not be asked: then the health is not news, and a check follows.
    pub failure: Option<&'static str>,
}

/// Looks at a connection, and writes what was seen as a check would.
pub(super) async fn live_check(
    desk: &Desk<'_>,
    actor: &Actor,
    workspace: WorkspaceId,
    connection: ConnectionId,
) -> Result<LiveCheck, ActError> {
    let gone = || mooring_store::Refusal::NotFound {
        what: connection.to_string(),
    };
    let load = || desk.store.live_check(workspace, connection, desk.now());
    let job = load().await?.ok_or_else(gone)?;
    let work = job.work;
    let seen = match &job.credentials {
        Some(credentials) => {
            let access = access(credentials);
            desk.provider(work.platform).check(&access, true).await
        }
        None => Err(mooring_domain::Failure::TokenRevoked),
    };
    let failure = seen.as_ref().err().map(mooring_domain::Failure::class);
    let now = desk.now();
    let jitter = Jitter::of(now.timestamp_millis().unsigned_abs());
    let mut decision = after_check(&work, seen, desk.store.policy(), now, jitter);
    let again = match decision.next {
        Next::At(at) | Next::Retry(at) => Some(at),
        Next::Park(until, _) => until,
        Next::Done => None,
    };
    let poke = again.map(|at| check_poke(connection, work.platform, at));
    decision.pokes.extend(poke);
    desk.store
        .apply_act(actor, workspace, &decision, &Secrets::default(), now)
        .await?;
    let after = load().await?.ok_or_else(gone)?;
    let health = assess(&after.work.facts, desk.store.policy(), desk.now());
    Ok(LiveCheck {
        connection,
        name: after.work.name,
        platform: work.platform.as_str(),
        is_new: false,
        health: health.health,
        reasons: health.reasons,
        failure,
    })
}
