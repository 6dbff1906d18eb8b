//! Facebook Login: the dialog (which consents by itself), codes and tokens.

use serde_json::json;
use url::Url;

use super::tokens::{LONG_LIFE_S, RevokeReason, SHORT_LIFE_S, TokenScope};
use super::{Scope, access, errors, flat, news};
use crate::call::{Answer, Call};
use crate::world::{ALPHANUMERIC, World};

/// An authorization code; good for one exchange within ten minutes.
pub(crate) struct Code {
    app: String,
    pub(super) user: String,
    redirect_uri: String,
    issued_at: i64,
    used: bool,
}

const CODE_LIFE_MS: i64 = 10 * 60 * 1000;

/// `GET /dialog/oauth`: consents at once in the name of the user that the test
/// parameter `login_hint` names. `deny=1` refuses instead; `decline=a,b` leaves
/// permissions unticked.
pub(crate) fn dialog(world: &mut World, call: &Call) -> Answer {
    flat(consent(world, call))
}

fn consent(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let missing = |name: &str| errors::bad_parameter(&format!("The parameter {name} is required"));
    let need = |name: &str| call.param(name).ok_or_else(|| missing(name));
    let (app, redirect) = (need("client_id")?, need("redirect_uri")?);
    if !world.facebook.apps.contains_key(app) {
        return Err(errors::no_such_app());
    }
    let mut target = Url::parse(redirect)
        .map_err(|_| errors::bad_parameter("The redirect_uri URL must be absolute"))?;
    let state = call.param("state").unwrap_or("");
    if call.param("deny").is_some() {
        target
            .query_pairs_mut()
            .append_pair("error_reason", "user_denied")
            .append_pair("error", "access_denied")
            .append_pair("error_description", "Permissions error")
            .append_pair("state", state);
        return Ok(redirect_to(&target));
    }
    let user_id = need("login_hint")?.to_owned();
    let scopes = call.param("scope").unwrap_or("public_profile").to_owned();
    let declined: Vec<&str> = call.param("decline").unwrap_or("").split(',').collect();
    let user = world.facebook.users.get_mut(&user_id);
    let user = user.ok_or_else(|| errors::bad_parameter("login_hint names no simulated user"))?;
    for scope in scopes.split([',', ' ']).filter(|s| !s.is_empty()) {
        let granted = !declined.contains(&scope);
        user.scopes.insert(
            scope.to_owned(),
            Scope {
                granted,
                ..Scope::default()
            },
        );
    }
    let code = format!("AQ{}", world.word(ALPHANUMERIC, 40));
    let issued = Code {
        app: app.to_owned(),
        user: user_id,
        redirect_uri: redirect.to_owned(),
        issued_at: world.now,
        used: false,
    };
    world.facebook.codes.insert(code.clone(), issued);
    target
        .query_pairs_mut()
        .append_pair("code", &code)
        .append_pair("state", state);
    Ok(redirect_to(&target))
}

fn redirect_to(target: &Url) -> Answer {
    Answer::text(302, "text/html", "").with("location", target.as_str())
}

/// `GET /oauth/access_token` with a code: a short-lived user token.
pub(crate) fn exchange_code(world: &mut World, call: &Call) -> Answer {
    flat(code_for_token(world, call))
}

fn code_for_token(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let app = client(world, call)?;
    let now = world.now;
    let refused = |subcode, text: &str| Err(errors::bad_code(subcode, text));
    let text = call.param("code").unwrap_or("");
    let Some(code) = world.facebook.codes.get_mut(text).filter(|c| c.app == app) else {
        return refused(36_009, "Invalid verification code format.");
    };
    if code.used {
        return refused(36_009, "This authorization code has been used.");
    }
    if now - code.issued_at > CODE_LIFE_MS {
        return refused(36_007, "This authorization code has expired.");
    }
    if call.param("redirect_uri") != Some(&code.redirect_uri) {
        let text = "Error validating verification code. Please make sure your redirect_uri is \
                    identical to the one you used in the OAuth dialog request";
        return refused(36_008, text);
    }
    code.used = true;
    let user = code.user.clone();
    let token = world.issue_user_token(&app, &user, SHORT_LIFE_S, false);
    Ok(token_answer(&token, SHORT_LIFE_S))
}

/// `GET /oauth/access_token?grant_type=fb_exchange_token`: a long-lived token
/// for one that still lives. The old one keeps its own end.
pub(crate) fn exchange_token(world: &mut World, call: &Call) -> Answer {
    flat(long_for_short(world, call))
}

fn long_for_short(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let app = client(world, call)?;
    let text = call.param("fb_exchange_token").unwrap_or("");
    let garbage = || {
        errors::token(
            None,
            "Invalid OAuth access token - Cannot parse access token",
        )
    };
    let old = world
        .facebook
        .tokens
        .get(text)
        .filter(|t| t.app == app)
        .ok_or_else(garbage)?;
    if let Some(problem) = world.facebook.problem(old, world.now) {
        return Err(errors::token(Some(problem.subcode), &problem.message));
    }
    if old.page.is_some() {
        return Err(errors::bad_parameter(
            "fb_exchange_token must be a user access token",
        ));
    }
    let user = old.user.clone();
    let token = world.issue_user_token(&app, &user, LONG_LIFE_S, true);
    Ok(token_answer(&token, LONG_LIFE_S))
}

/// `GET /oauth/access_token?grant_type=client_credentials`: the app's token.
pub(crate) fn client_credentials(world: &mut World, call: &Call) -> Answer {
    let secret = call.param("client_secret").unwrap_or("");
    flat(client(world, call).map(|app| {
        Answer::ok(&json!({ "access_token": format!("{app}|{secret}"), "token_type": "bearer" }))
    }))
}

/// The app that calls, with its secret checked.
fn client(world: &World, call: &Call) -> Result<String, Answer> {
    let app = call.param("client_id").unwrap_or("");
    access::check_secret(world, app, call.param("client_secret").unwrap_or(""))?;
    Ok(app.to_owned())
}

fn token_answer(token: &str, life_s: i64) -> Answer {
    Answer::ok(&json!({ "access_token": token, "token_type": "bearer", "expires_in": life_s }))
}

/// `DELETE /{user}/permissions[/{permission}]`: the whole app, or one
/// permission, with a user token.
pub(crate) fn revoke(world: &mut World, call: &Call) -> Answer {
    flat(give_back(world, call))
}

fn give_back(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let token = access::holder(world, call)?;
    let user_id = access::node_id(&token, call.segment(0));
    if user_id != token.user {
        return Err(errors::no_such_object("delete", &user_id));
    }
    let permission = call.segment(2);
    if permission.is_empty() {
        let reason = RevokeReason::AppRemoved;
        world
            .facebook
            .kill_tokens(&user_id, Some(&token.app), TokenScope::All, reason);
        news::app_removed(world, &user_id, &token.app);
    } else if let Some(user) = world.facebook.users.get_mut(&user_id) {
        let pages = user.pages.clone();
        if user.scopes.remove(permission).is_some() {
            news::permission_changed(world, &user_id, permission, false, &pages);
        }
    }
    Ok(Answer::ok(&json!({ "success": true })))
}
