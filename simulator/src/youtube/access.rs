//! Who calls the Data API, and what they may do.

use super::limits::{self, Cost};
use super::{AppState, ChannelState, errors};
use crate::call::{Answer, Call};
use crate::world::World;

/// Prefix of the scopes.
pub(crate) const PREFIX: &str = "https://www.googleapis.com/auth/";
/// One of these reads.
pub(crate) const READ: &[&str] = &[
    "youtube.readonly",
    "youtube",
    "youtube.force-ssl",
    "youtubepartner",
];
/// One of these uploads.
pub(crate) const UPLOAD: &[&str] = &[
    "youtube.upload",
    "youtube",
    "youtube.force-ssl",
    "youtubepartner",
];
/// One of these changes and deletes.
pub(crate) const MANAGE: &[&str] = &["youtube", "youtube.force-ssl", "youtubepartner"];

/// Whose call it is.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) app: String,
    pub(crate) user: String,
    pub(crate) channel: Option<String>,
}

/// A method of the API, as it admits callers.
pub(crate) struct Method {
    /// Its name inside Google, as errors give it.
    pub(crate) name: &'static str,
    pub(crate) scopes: &'static [&'static str],
    pub(crate) cost: Cost,
    /// Whether it is refused to an account without a channel.
    pub(crate) needs_channel: bool,
}

/// The token of a call, from its header or its query.
pub(crate) fn token_of(call: &Call) -> Option<&str> {
    call.header_token
        .as_deref()
        .or_else(|| call.param("access_token"))
}

/// Admits a call: token, project, scope, account, then the project's quota.
pub(crate) fn admit(world: &mut World, call: &Call, method: &Method) -> Result<Caller, Answer> {
    let text = token_of(call)
        .filter(|t| !t.is_empty())
        .ok_or_else(errors::no_token)?;
    let token = world.youtube.access.get(text);
    let token = token.filter(|t| !t.revoked && world.now < t.expires_at);
    let token = token.ok_or_else(errors::bad_token)?.clone();
    let app = world
        .youtube
        .apps
        .get(&token.app)
        .ok_or_else(errors::bad_token)?;
    if app.state == AppState::ApiDisabled {
        return Err(errors::api_disabled(&token.app));
    }
    let has = |scope: &&str| token.scopes.contains(&format!("{PREFIX}{scope}"));
    if !method.scopes.iter().any(has) {
        return Err(errors::scope_missing(method.name));
    }
    let caller = Caller {
        app: token.app,
        user: token.user,
        channel: token.channel,
    };
    account_is_open(world, &caller, method.needs_channel)?;
    limits::charge(world, &caller.app, method.cost)?;
    Ok(caller)
}

/// Refuses the calls of a suspended or closed account, and of one without a channel where the
/// call needs it.
pub(crate) fn account_is_open(
    world: &World,
    caller: &Caller,
    needs_channel: bool,
) -> Result<(), Answer> {
    let channel = caller
        .channel
        .as_ref()
        .and_then(|id| world.youtube.channels.get(id));
    match channel.map(|c| c.state) {
        Some(ChannelState::Suspended) => Err(errors::account_shut(false)),
        Some(ChannelState::Closed) => Err(errors::account_shut(true)),
        Some(ChannelState::Removed) | None if needs_channel => Err(errors::signup_required()),
        Some(ChannelState::Active | ChannelState::Removed) | None => Ok(()),
    }
}
