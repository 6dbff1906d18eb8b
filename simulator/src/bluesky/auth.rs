//! Who calls, by the token in the `Authorization` header.

use super::jwt::{self, Claims, Kind};
use super::{AccountState, errors};
use crate::call::{Answer, Call};
use crate::world::World;

/// The claims of a live access token, whatever became of its account.
pub(crate) fn access(world: &World, call: &Call) -> Result<Claims, Answer> {
    let claims = verified(world, call, Kind::Access)?;
    let account = world.bluesky.accounts.get(&claims.sub);
    let outlived = account.is_some_and(|a| claims.generation < a.generation);
    if outlived || claims.exp * 1000 <= world.now {
        Err(errors::expired())
    } else {
        Ok(claims)
    }
}

/// The claims of a refresh token of ours, expired or not.
pub(crate) fn refresh(world: &World, call: &Call) -> Result<Claims, Answer> {
    verified(world, call, Kind::Refresh)
}

fn verified(world: &World, call: &Call, wanted: Kind) -> Result<Claims, Answer> {
    let token = call
        .header_token
        .as_deref()
        .ok_or_else(errors::auth_missing)?;
    match jwt::verify(&world.bluesky.jwt_key, token) {
        Some((kind, claims)) if kind == wanted => Ok(claims),
        _ => Err(errors::invalid_token("Token could not be verified")),
    }
}

/// The DID of a caller who may write in the repository `repo`.
pub(crate) fn writer(world: &World, call: &Call, repo: Option<&str>) -> Result<String, Answer> {
    let claims = access(world, call)?;
    let account = world.bluesky.accounts.get(&claims.sub);
    let account = account.filter(|a| a.state != AccountState::Deleted);
    let account = account.ok_or_else(no_account)?;
    if account.state.is_shut() {
        return Err(errors::taken_down());
    }
    if account.state == AccountState::Deactivated {
        return Err(errors::deactivated());
    }
    if !account.may_write {
        return Err(errors::invalid_token("Bad token scope"));
    }
    match repo {
        Some(repo) if world.bluesky.account(repo).is_none() => Err(no_account()),
        Some(repo) if world.bluesky.did(repo) != Some(claims.sub.as_str()) => Err(errors::error(
            401,
            "AuthenticationRequired",
            "Authentication Required",
        )),
        _ => Ok(claims.sub),
    }
}

fn no_account() -> Answer {
    errors::error(403, "AccountNotFound", "Account not found")
}
