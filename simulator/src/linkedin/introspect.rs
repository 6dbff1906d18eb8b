//! Introspection, and giving a token back.

use serde_json::json;

use super::tokens::{self, Kind, LinkedInRevokeReason, LinkedInTokenScope, Status};
use super::{errors, flat, oauth};
use crate::call::{Answer, Call};
use crate::world::World;

/// `POST /oauth/v2/introspectToken`: 200 for a dead token, too, and for one of another app.
pub(super) fn introspect(world: &mut World, call: &Call) -> Answer {
    flat(tell(world, call))
}

fn tell(world: &World, call: &Call) -> Result<Answer, Answer> {
    let invalid = |what: &str| errors::oauth(400, "invalid_request", &format!("Invalid {what}"));
    let id = oauth::required(call, "client_id")?;
    if !world.linkedin.apps.contains_key(id) {
        return Err(invalid("client_id"));
    }
    let app = oauth::client(world, call)?;
    let text = oauth::required(call, "token")?;
    let token = world.linkedin.tokens.get(text);
    let token = token.ok_or_else(|| invalid("token"))?;
    if token.app != app {
        return Ok(Answer::ok(&json!({ "active": false })));
    }
    let status = tokens::status(world, token);
    Ok(Answer::ok(&json!({
        "active": status == Status::Active,
        "client_id": token.app,
        "authorized_at": token.authorized_at / 1000,
        "created_at": token.issued_at / 1000,
        "status": status.as_str(),
        "expires_at": token.expires_at / 1000,
        "scope": token.scopes.join(","),
        "auth_type": "3L",
    })))
}

/// `POST /oauth/v2/revoke`: ends a token; a refresh token takes the access tokens of its app with it.
pub(super) fn revoke(world: &mut World, call: &Call) -> Answer {
    flat(give_back(world, call))
}

fn give_back(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let app = oauth::client(world, call)?;
    let text = oauth::required(call, "token")?;
    let reason = LinkedInRevokeReason::Removed;
    let token = world.linkedin.tokens.get_mut(text);
    // What is not (or no longer) a token of this app is revoked as well as can be (RFC 7009).
    if let Some(token) = token.filter(|token| token.app == app) {
        token.dead.get_or_insert(reason);
        if token.kind == Kind::Refresh {
            let member = token.member.clone();
            let all = LinkedInTokenScope::All;
            tokens::kill(world, &member, Some(&app), all, reason);
        }
    }
    Ok(Answer::text(200, "application/json", ""))
}
