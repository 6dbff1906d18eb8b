//! Who calls, and what they may do.

use super::tokens::Kind;
use super::{XAccountState, XAppStanding, errors};
use crate::call::{Answer, Call};
use crate::world::World;

/// Who calls.
pub(super) struct Caller {
    pub(super) app: String,
    /// `None`: the app itself.
    pub(super) user: Option<String>,
}

/// A user, through an app.
pub(super) struct Holder {
    pub(super) app: String,
    pub(super) user: String,
}

const READ: [&str; 2] = ["tweet.read", "users.read"];
const WRITE: [&str; 3] = ["tweet.read", "users.read", "tweet.write"];
const MEDIA: [&str; 1] = ["media.write"];

/// The user or app that reads.
pub(super) fn reader(world: &World, call: &Call) -> Result<Caller, Answer> {
    caller(world, call, &READ)
}

/// The user that reads about itself.
pub(super) fn user(world: &World, call: &Call) -> Result<Holder, Answer> {
    holder(caller(world, call, &READ)?)
}

/// The user that writes.
pub(super) fn writer(world: &World, call: &Call) -> Result<Holder, Answer> {
    let holder = holder(caller(world, call, &WRITE)?)?;
    may_write(world, &holder)?;
    Ok(holder)
}

/// The user that uploads.
pub(super) fn uploader(world: &World, call: &Call) -> Result<Holder, Answer> {
    let holder = holder(caller(world, call, &MEDIA)?)?;
    may_write(world, &holder)?;
    Ok(holder)
}

/// The app with its own token.
pub(super) fn app(world: &World, call: &Call) -> Result<String, Answer> {
    let caller = caller(world, call, &[])?;
    match caller.user {
        None => Ok(caller.app),
        Some(_) => Err(errors::user_context()),
    }
}

fn holder(caller: Caller) -> Result<Holder, Answer> {
    let user = caller.user.ok_or_else(errors::app_only)?;
    Ok(Holder {
        app: caller.app,
        user,
    })
}

fn may_write(world: &World, holder: &Holder) -> Result<(), Answer> {
    match world.x.users.get(&holder.user).map(|u| u.state) {
        Some(XAccountState::Locked) => Err(errors::locked()),
        Some(XAccountState::Automated) => Err(errors::automated()),
        _ => Ok(()),
    }
}

fn caller(world: &World, call: &Call, scopes: &[&str]) -> Result<Caller, Answer> {
    let text = call.header_token.as_deref().unwrap_or("");
    if let Some((id, app)) = world.x.apps.iter().find(|(_, a)| a.bearer == text) {
        in_order(app.standing)?;
        return Ok(Caller {
            app: id.clone(),
            user: None,
        });
    }
    let live = world.x.live_token(text, Kind::Access, world.now);
    let (_, family) = live.ok_or_else(errors::unauthorized)?;
    let app = world
        .x
        .apps
        .get(&family.app)
        .ok_or_else(errors::unauthorized)?;
    in_order(app.standing)?;
    match world.x.users.get(&family.user).map(|u| u.state) {
        None | Some(XAccountState::Deactivated) => return Err(errors::unauthorized()),
        Some(XAccountState::Suspended) => return Err(errors::user_suspended()),
        Some(XAccountState::Active | XAccountState::Locked | XAccountState::Automated) => {}
    }
    if scopes.iter().any(|s| !family.scopes.iter().any(|f| f == s)) {
        return Err(errors::forbidden());
    }
    Ok(Caller {
        app: family.app.clone(),
        user: Some(family.user.clone()),
    })
}

fn in_order(standing: XAppStanding) -> Result<(), Answer> {
    match standing {
        XAppStanding::Active => Ok(()),
        XAppStanding::NotEnrolled => Err(errors::not_enrolled()),
        XAppStanding::Suspended => Err(errors::app_suspended()),
        XAppStanding::CreditsDepleted => Err(errors::credits_depleted()),
    }
}
