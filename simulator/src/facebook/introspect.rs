//! `debug_token` and the list of permissions.

use serde_json::{Value, json};

use super::access::{self, Caller};
use super::tokens::Token;
use super::{User, errors, flat};
use crate::call::{Answer, Call};
use crate::world::World;

/// `GET /debug_token`: 200 also for a dead token; `is_valid` tells.
pub(crate) fn debug_token(world: &mut World, call: &Call) -> Answer {
    flat(inspect(world, call))
}

fn inspect(world: &World, call: &Call) -> Result<Answer, Answer> {
    let app = match access::caller(world, call)? {
        Caller::App(app) => app,
        Caller::Holder(token) => token.app,
    };
    let text = call.param("input_token").unwrap_or("");
    if let Some((app, secret)) = text.split_once('|') {
        let valid = access::check_secret(world, app, secret).is_ok();
        return Ok(data(
            &json!({ "app_id": app, "type": "APP", "is_valid": valid, "scopes": [] }),
        ));
    }
    let Some(token) = world.facebook.tokens.get(text) else {
        let error = json!({ "code": 190, "message": "The access token could not be decrypted" });
        return Ok(data(
            &json!({ "error": error, "is_valid": false, "scopes": [] }),
        ));
    };
    if token.app != app {
        return Err(errors::bad_parameter(
            "You must provide an app access token, or a user access token that is an owner or \
             developer of the app",
        ));
    }
    Ok(data(&describe(world, token)))
}

fn data(value: &Value) -> Answer {
    Answer::ok(&json!({ "data": value }))
}

fn describe(world: &World, token: &Token) -> Value {
    let state = &world.facebook;
    let problem = state.problem(token, world.now);
    let user = state.users.get(&token.user);
    let mut out = json!({
        "app_id": token.app,
        "type": if token.page.is_some() { "PAGE" } else { "USER" },
        "application": state.apps.get(&token.app).map(|a| a.name.as_str()),
        "data_access_expires_at": token.data_access_expires_at / 1000,
        "expires_at": token.expires_at.map_or(0, |ms| ms / 1000),
        "is_valid": problem.is_none(),
        "issued_at": token.issued_at / 1000,
        "scopes": user.map(granted).unwrap_or_default(),
        "user_id": token.user,
    });
    if let Some(page) = &token.page {
        out["profile_id"] = page.as_str().into();
    }
    if let Some(p) = problem {
        // The key is `subcode` here, not `error_subcode`.
        out["error"] = json!({ "code": 190, "message": p.message, "subcode": p.subcode });
    } else {
        let scopes = user.map(|u| granular(world, u));
        out["granular_scopes"] = scopes.unwrap_or_default().into();
    }
    out
}

fn granted(user: &User) -> Vec<&str> {
    user.scopes
        .iter()
        .filter(|(_, s)| s.granted)
        .map(|(name, _)| name.as_str())
        .collect()
}

/// Permissions that are given page by page name their pages; an entry without
/// `target_ids` means all.
fn granular(world: &World, user: &User) -> Vec<Value> {
    let given_singly = |name: &str| name.starts_with("pages_") || name.starts_with("instagram_");
    let scoped = user
        .scopes
        .iter()
        .filter(|(name, s)| s.granted && given_singly(name));
    scoped
        .map(|(name, scope)| {
            if scope.except.is_empty() {
                return json!({ "scope": name });
            }
            let targets = targets(world, user, name);
            let given = targets.into_iter().filter(|t| !scope.except.contains(*t));
            json!({ "scope": name, "target_ids": given.collect::<Vec<_>>() })
        })
        .collect()
}

/// What a permission is given for: pages, or the Instagram accounts that are linked to them.
fn targets<'w>(world: &'w World, user: &'w User, scope: &str) -> Vec<&'w String> {
    if scope.starts_with("pages_") {
        return user.pages.iter().collect();
    }
    let pages = user
        .pages
        .iter()
        .filter_map(|p| world.facebook.pages.get(p));
    pages.filter_map(|p| p.instagram.as_ref()).collect()
}

/// `GET /me/permissions`: granted and declined.
pub(crate) fn permissions(world: &mut World, call: &Call) -> Answer {
    flat(list_permissions(world, call))
}

fn list_permissions(world: &World, call: &Call) -> Result<Answer, Answer> {
    let token = access::holder(world, call)?;
    let user_id = access::node_id(&token, call.segment(0));
    let user = world
        .facebook
        .users
        .get(&user_id)
        .filter(|_| user_id == token.user);
    let user = user.ok_or_else(|| errors::no_such_object("get", &user_id))?;
    let row = |(name, scope): (&String, &super::Scope)| json!({ "permission": name, "status": if scope.granted { "granted" } else { "declined" } });
    Ok(data(&user.scopes.iter().map(row).collect()))
}
