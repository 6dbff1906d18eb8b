//! Login Kit: the authorize page (which consents by itself), the token endpoint, revocation.

use std::collections::BTreeSet;

use serde_json::json;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::{TikTokAccountState, access, errors};
use crate::call::{Answer, Call};
use crate::facebook::flat;
use crate::world::{ALPHANUMERIC, World};

/// An authorization code; good for one exchange.
pub(super) struct Code {
    app: String,
    pub(super) user: String,
    redirect_uri: String,
    challenge: Option<String>,
    issued_at: i64,
    used: bool,
}

/// How long a code is good. (The platform does not say; others saw about five minutes.)
const CODE_LIFE_MS: i64 = 5 * 60 * 1000;

/// `GET /v2/auth/authorize/`: consents at once in the name of the creator that `login_hint`
/// names. `deny=1` refuses; `decline=a,b` leaves scopes out.
pub(super) fn authorize(world: &mut World, call: &Call) -> Answer {
    flat(consent(world, call))
}

fn consent(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let page = |text: &str| Answer::text(400, "text/html", format!("<html>{text}</html>"));
    let key = call.param("client_key").unwrap_or("").to_owned();
    let app = world
        .tiktok
        .apps
        .get(&key)
        .ok_or_else(|| page("client_key"))?;
    let redirect = call.param("redirect_uri").unwrap_or("").to_owned();
    let mut target = Url::parse(&redirect).map_err(|_| page("redirect_uri"))?;
    if !app.redirect_uris.is_empty() && !app.redirect_uris.contains(&redirect) {
        return Err(page("redirect_uri"));
    }
    let state = call.param("state").unwrap_or("").to_owned();
    let refuse = |error: &str, text: &str| {
        let mut target = target.clone();
        target
            .query_pairs_mut()
            .append_pair("error", error)
            .append_pair("error_description", text)
            .append_pair("state", &state);
        redirect_to(&target)
    };
    if call.param("response_type") != Some("code") {
        return Ok(refuse(
            "unsupported_response_type",
            "response_type must be code",
        ));
    }
    if call.param("deny").is_some() {
        return Ok(refuse("access_denied", "The user denied the request"));
    }
    let declined: Vec<&str> = call.param("decline").unwrap_or("").split(',').collect();
    let asked = call.param("scope").unwrap_or("");
    let scopes = asked
        .split(',')
        .filter(|s| !s.is_empty() && !declined.contains(s));
    let scopes: BTreeSet<String> = scopes.map(str::to_owned).collect();
    if asked.is_empty() || asked.contains(' ') {
        return Ok(refuse(
            "invalid_scope",
            "scope must be a comma-separated list",
        ));
    }
    let id = call.param("login_hint").unwrap_or("").to_owned();
    let user = world
        .tiktok
        .users
        .get_mut(&id)
        .ok_or_else(|| page("login_hint"))?;
    if matches!(
        user.state,
        TikTokAccountState::Banned | TikTokAccountState::Deleted
    ) {
        return Err(page("this account cannot log in"));
    }
    let listed = scopes.iter().cloned().collect::<Vec<_>>().join(",");
    user.grants.insert(key.clone(), scopes);
    // The real ones hold characters that must be decoded before use.
    let code = format!("{}*1!4321.s1", world.word(ALPHANUMERIC, 48));
    let issued = Code {
        app: key,
        user: id,
        redirect_uri: redirect,
        challenge: call.param("code_challenge").map(str::to_owned),
        issued_at: world.now,
        used: false,
    };
    world.tiktok.codes.insert(code.clone(), issued);
    target
        .query_pairs_mut()
        .append_pair("code", &code)
        .append_pair("scopes", &listed)
        .append_pair("state", &state);
    Ok(redirect_to(&target))
}

fn redirect_to(target: &Url) -> Answer {
    Answer::text(302, "text/html", "").with("location", target.as_str())
}

/// `POST /v2/oauth/token/`.
pub(super) fn token(world: &mut World, call: &Call) -> Answer {
    flat(tokens(world, call))
}

fn tokens(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let app = client(world, call)?;
    match call.param("grant_type") {
        Some("authorization_code") => exchange(world, call, &app),
        Some("refresh_token") => refresh(world, call, &app),
        _ => Err(errors::oauth(
            world,
            "unsupported_grant_type",
            "Unsupported grant type.",
        )),
    }
}

/// The app that calls, with its secret checked. The body must be a form.
fn client(world: &World, call: &Call) -> Result<String, Answer> {
    if !call
        .content_type
        .starts_with("application/x-www-form-urlencoded")
    {
        let text = "Only `application/x-www-form-urlencoded` is accepted as Content-Type.";
        return Err(errors::oauth(world, "invalid_request", text));
    }
    let key = call.param("client_key").unwrap_or("");
    let secret = call.param("client_secret").unwrap_or("");
    let known = world.tiktok.apps.get(key).filter(|a| a.secret == secret);
    let refused = || {
        errors::oauth(
            world,
            "invalid_client",
            "Client key or secret is incorrect.",
        )
    };
    known.map(|_| key.to_owned()).ok_or_else(refused)
}

fn exchange(world: &mut World, call: &Call, app: &str) -> Result<Answer, Answer> {
    let now = world.now;
    let text = call.param("code").unwrap_or("");
    let code = world.tiktok.codes.get_mut(text).filter(|c| c.app == app);
    let fresh = code.filter(|c| !c.used && now - c.issued_at <= CODE_LIFE_MS);
    let Some(code) = fresh else {
        let text = "Authorization code is expired.";
        return Err(errors::oauth(world, "invalid_grant", text));
    };
    // A code is spent by the first try, whatever comes of it.
    code.used = true;
    let (user, challenge) = (code.user.clone(), code.challenge.clone());
    if call.param("redirect_uri") != Some(&code.redirect_uri) {
        let text = "Redirect_uri is not matched with the uri when requesting code.";
        return Err(errors::oauth(world, "invalid_request", text));
    }
    if let Some(challenge) = challenge {
        // Hexadecimal, unlike everybody else's base64url.
        let verifier = call.param("code_verifier").unwrap_or("");
        if hex::encode(Sha256::digest(verifier)) != challenge {
            let text = "Code verifier or code challenge is invalid.";
            return Err(errors::oauth(world, "invalid_request", text));
        }
    }
    let settings = world.tiktok.settings.clone();
    let pair = access::issue(
        world,
        app,
        &user,
        settings.access_life_s,
        settings.refresh_life_s,
    );
    Ok(answer(world, &pair, settings.refresh_life_s))
}

fn refresh(world: &mut World, call: &Call, app: &str) -> Result<Answer, Answer> {
    let sent = call.param("refresh_token").unwrap_or("");
    let known = world.tiktok.refresh_tokens.get(sent);
    let known = known
        .filter(|t| t.app == app && t.expires_at > world.now)
        .cloned();
    let Some(old) = known else {
        let text = "Refresh token is invalid or expired.";
        return Err(errors::oauth(world, "invalid_grant", text));
    };
    let settings = world.tiktok.settings.clone();
    let life_s = if settings.rotates {
        settings.refresh_life_s
    } else {
        (old.expires_at - world.now) / 1000
    };
    let mut pair = access::issue(world, app, &old.user, settings.access_life_s, life_s);
    let ended = if settings.rotates {
        sent.to_owned()
    } else {
        std::mem::replace(&mut pair.refresh, sent.to_owned())
    };
    world.tiktok.refresh_tokens.remove(&ended);
    Ok(answer(world, &pair, life_s))
}

fn answer(world: &World, pair: &access::Pair, refresh_life_s: i64) -> Answer {
    let token = &world.tiktok.access_tokens[&pair.access];
    let scopes = access::granted(world, token).into_iter().flatten();
    Answer::ok(&json!({
        "access_token": pair.access,
        "expires_in": (token.expires_at - world.now) / 1000,
        "open_id": token.user,
        "refresh_expires_in": refresh_life_s,
        "refresh_token": pair.refresh,
        "scope": scopes.cloned().collect::<Vec<_>>().join(","),
        "token_type": "Bearer",
    }))
}

/// `POST /v2/oauth/revoke/`: ends what the creator granted; empty body.
pub(super) fn revoke(world: &mut World, call: &Call) -> Answer {
    flat(client(world, call).and_then(|app| {
        let sent = call.param("token").unwrap_or("");
        let known = world.tiktok.access_tokens.get(sent);
        let Some(token) = known.filter(|t| t.app == app).cloned() else {
            let text = "The access token is invalid or expired.";
            return Err(errors::oauth(world, "invalid_grant", text));
        };
        access::end_grants(world, &token.user, Some(&app), 5);
        Ok(Answer::text(200, "application/json; charset=utf-8", ""))
    }))
}
