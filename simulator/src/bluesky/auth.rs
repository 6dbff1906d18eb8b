//! Who calls, by the token in the `Authorization` header.

use super::jwt::{self, Claims, Kind};
use super::oauth::{self, Caller, GENERIC};
use super::{AccountState, errors};
use crate::call::{Answer, Call};
use crate::world::World;

/// The caller behind a live access token, whatever became of the account.
pub(crate) fn access(world: &mut World, call: &Call) -> Result<Caller, Answer> {
    if oauth::is_proven(call) {
        return oauth::caller(world, call);
    }
    let claims = verified(world, call, Kind::Access)?;
    if claims.cnf.is_some() {
        return Err(errors::invalid_token("Token could not be verified"));
    }
    let account = world.bluesky.accounts.get(&claims.sub);
    let outlived = account.is_some_and(|a| claims.generation < a.generation);
    if outlived || claims.exp * 1000 <= world.now {
        return Err(errors::expired());
    }
    Ok(Caller {
        did: claims.sub,
        scope: None,
    })
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

/// The DID of a caller who may write in the repository `repo`. `needs` is the permission that a session of OAuth
/// must have where it has not got the general one.
pub(crate) fn writer(
    world: &mut World,
    call: &Call,
    repo: Option<&str>,
    needs: &str,
) -> Result<String, Answer> {
    let caller = access(world, call)?;
    let account = world.bluesky.accounts.get(&caller.did);
    let account = account.filter(|a| a.state != AccountState::Deleted);
    let account = account.ok_or_else(no_account)?;
    if account.state.is_shut() {
        return Err(errors::taken_down());
    }
    if account.state == AccountState::Deactivated {
        return Err(errors::deactivated());
    }
    check_permission(&caller, account.may_write, needs)?;
    match repo {
        Some(repo) if world.bluesky.account(repo).is_none() => Err(no_account()),
        Some(repo) if world.bluesky.did(repo) != Some(caller.did.as_str()) => Err(errors::error(
            401,
            "AuthenticationRequired",
            "Authentication Required",
        )),
        _ => Ok(caller.did),
    }
}

fn check_permission(caller: &Caller, may_write: bool, needs: &str) -> Result<(), Answer> {
    let Some(scope) = &caller.scope else {
        let refused = || errors::invalid_token("Bad token scope");
        return may_write.then_some(()).ok_or_else(refused);
    };
    let granted = scope.split(' ').any(|one| one == GENERIC || one == needs);
    let refused = || {
        let text = format!("Missing required scope \"{needs}\"");
        errors::error(403, "ScopeMissingError", &text)
    };
    (granted && may_write).then_some(()).ok_or_else(refused)
}

fn no_account() -> Answer {
    errors::error(403, "AccountNotFound", "Account not found")
}
