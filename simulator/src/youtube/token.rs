//! The token endpoint: codes and refresh tokens for access tokens, what a token is, and its end.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::access::Caller;
use super::consent::{CODE_LIFE_MS, scopes};
use super::tokens::{self, ACCESS_LIFE_S, TESTING_LIFE_S};
use super::{AppState, UserState, errors, flat};
use crate::call::{Answer, Call};
use crate::world::World;

/// `POST /token` with `grant_type=authorization_code`.
pub(crate) fn exchange(world: &mut World, call: &Call) -> Answer {
    flat(code_for_tokens(world, call))
}

fn code_for_tokens(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let app = client(world, call)?;
    let bad = |text: &str| errors::oauth(400, "invalid_grant", text);
    match need(call, "grant_type")? {
        "authorization_code" => {}
        other => {
            let text = format!("Invalid grant_type: {other}");
            return Err(errors::oauth(400, "unsupported_grant_type", &text));
        }
    }
    let (text, redirect) = (need(call, "code")?, need(call, "redirect_uri")?);
    let now = world.now;
    let code = world.youtube.codes.get_mut(text).filter(|c| c.app == app);
    let code = code.ok_or_else(|| bad("Malformed auth code."))?;
    if code.used || now - code.issued_at > CODE_LIFE_MS {
        return Err(bad("Bad Request"));
    }
    if redirect != code.redirect_uri {
        return Err(errors::oauth(400, "redirect_uri_mismatch", "Bad Request"));
    }
    if let Some((challenge, hashed)) = &code.challenge {
        let verifier = call.param("code_verifier").unwrap_or("");
        if verifier.is_empty() {
            return Err(bad("Missing code verifier."));
        }
        let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        let sent = if *hashed { hash.as_str() } else { verifier };
        if sent != challenge {
            return Err(bad("Invalid code verifier."));
        }
    }
    code.used = true;
    let caller = Caller {
        app: app.clone(),
        user: code.user.clone(),
        channel: code.channel.clone(),
    };
    let (granted, with_refresh, offline) = (code.scopes.clone(), code.refresh, code.offline);
    account_is_open(world, &caller)?;
    let access = tokens::issue_access(world, &caller, granted.clone(), ACCESS_LIFE_S, offline);
    let mut body = answer(&access, &granted);
    if with_refresh {
        body["refresh_token"] = tokens::issue_refresh(world, &caller, granted).into();
        if world.youtube.apps[&app].testing {
            body["refresh_token_expires_in"] = TESTING_LIFE_S.into();
        }
    }
    Ok(uncached(&body))
}

/// `POST /token` with `grant_type=refresh_token`. No new refresh token comes, and the old one
/// lives on, so that a repetition does no harm.
pub(crate) fn refresh(world: &mut World, call: &Call) -> Answer {
    flat(new_access(world, call))
}

fn new_access(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let app = client(world, call)?;
    let text = need(call, "refresh_token")?;
    let now = world.now;
    let Some(token) = world.youtube.refresh.get(text).cloned() else {
        return Err(errors::oauth(400, "invalid_grant", "Bad Request"));
    };
    if token.app != app {
        return Err(errors::oauth(401, "unauthorized_client", "Unauthorized"));
    }
    let caller = Caller {
        app,
        user: token.user.clone(),
        channel: token.channel.clone(),
    };
    account_is_open(world, &caller)?;
    if !token.lives(now) {
        let text = "Token has been expired or revoked.";
        return Err(errors::oauth(400, "invalid_grant", text));
    }
    let granted = match call.param("scope") {
        Some(wanted) => {
            let wanted = scopes(wanted);
            if !wanted.is_subset(&token.scopes) {
                let text = "Some requested scopes were invalid.";
                return Err(errors::oauth(400, "invalid_scope", text));
            }
            wanted
        }
        None => token.scopes.clone(),
    };
    if let Some(used) = world.youtube.refresh.get_mut(text) {
        used.used_at = now;
    }
    let access = tokens::issue_access(world, &caller, granted.clone(), ACCESS_LIFE_S, true);
    let mut body = answer(&access, &granted);
    if let Some(end) = token.expires_at {
        body["refresh_token_expires_in"] = ((end - now) / 1000).into();
    }
    Ok(uncached(&body))
}

/// `GET|POST /tokeninfo?access_token=`. Costs no quota.
pub(crate) fn info(world: &mut World, call: &Call) -> Answer {
    let text = call.param("access_token").unwrap_or("");
    let token = world.youtube.access.get(text);
    let Some(token) = token.filter(|t| !t.revoked && world.now < t.expires_at) else {
        return errors::oauth(400, "invalid_token", "Invalid Value");
    };
    Answer::ok(&json!({
        "azp": token.app,
        "aud": token.app,
        "scope": joined(&token.scopes),
        "exp": (token.expires_at / 1000).to_string(),
        "expires_in": ((token.expires_at - world.now) / 1000).to_string(),
        "access_type": if token.offline { "offline" } else { "online" },
    }))
}

/// `POST /revoke` with an access or a refresh token: the person's whole consent to the project
/// ends.
pub(crate) fn revoke(world: &mut World, call: &Call) -> Answer {
    let text = call.param("token").unwrap_or("");
    let state = &world.youtube;
    let access = state
        .access
        .get(text)
        .filter(|t| !t.revoked && world.now < t.expires_at);
    let refresh = state.refresh.get(text).filter(|t| t.lives(world.now));
    let owner = access.map(|t| (t.user.clone(), t.app.clone()));
    let owner = owner.or_else(|| refresh.map(|t| (t.user.clone(), t.app.clone())));
    let Some((user, app)) = owner else {
        return errors::oauth(400, "invalid_token", "Token expired or revoked");
    };
    tokens::revoke_all(world, &user, Some(&app));
    Answer::ok(&json!({}))
}

/// The client that calls, by form or `Authorization: Basic`, with its secret checked.
fn client(world: &World, call: &Call) -> Result<String, Answer> {
    let (id, secret) = match basic(call) {
        Some(pair) => pair,
        None => (
            need(call, "client_id")?.to_owned(),
            call.param("client_secret").unwrap_or("").to_owned(),
        ),
    };
    let refused = |error, text| errors::oauth(401, error, text);
    let app = world.youtube.apps.get(&id);
    let app = app.ok_or_else(|| refused("invalid_client", "The OAuth client was not found."))?;
    if app.state == AppState::Deleted {
        return Err(refused("deleted_client", "The OAuth client was deleted."));
    }
    if secret.is_empty() {
        return Err(errors::oauth(
            400,
            "invalid_request",
            "client_secret is missing.",
        ));
    }
    if app.secret != secret {
        return Err(refused("invalid_client", "Unauthorized"));
    }
    Ok(id)
}

fn basic(call: &Call) -> Option<(String, String)> {
    let encoded = call.header("authorization").strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

fn account_is_open(world: &World, caller: &Caller) -> Result<(), Answer> {
    match world.youtube.users.get(&caller.user).map(|u| u.state) {
        Some(UserState::Active) => Ok(()),
        Some(UserState::ReauthWanted) => Err(errors::reauth_wanted()),
        Some(UserState::BlockedByAdmin) => {
            let text = "Your administrator does not allow this app to access the account.";
            Err(errors::oauth(400, "admin_policy_enforced", text))
        }
        Some(UserState::Deleted) | None => Err(errors::oauth(
            400,
            "invalid_grant",
            "Account has been deleted",
        )),
    }
}

fn need<'c>(call: &'c Call, name: &str) -> Result<&'c str, Answer> {
    call.param(name).filter(|v| !v.is_empty()).ok_or_else(|| {
        let text = format!("Missing required parameter: {name}");
        errors::oauth(400, "invalid_request", &text)
    })
}

fn answer(access: &str, scopes: &BTreeSet<String>) -> Value {
    json!({
        "access_token": access,
        "expires_in": ACCESS_LIFE_S,
        "scope": joined(scopes),
        "token_type": "Bearer",
    })
}

fn joined(scopes: &BTreeSet<String>) -> String {
    scopes
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(" ")
}

fn uncached(body: &Value) -> Answer {
    Answer::ok(body).with(
        "cache-control",
        "no-cache, no-store, max-age=0, must-revalidate",
    )
}
