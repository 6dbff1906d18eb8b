//! The log-in: a page that consents by itself, codes, short-lived tokens, and long-lived ones that are renewed.

use serde_json::{Value, json};
use url::Url;

use super::access::{LONG_LIFE_S, SHORT_LIFE_S, issue};
use super::{Flavor, Token, access, graph};
use crate::call::{Answer, Call};
use crate::facebook::access::token_of;
use crate::facebook::{errors, flat};
use crate::world::{ALPHANUMERIC, World};

/// An authorization code; good for one exchange within an hour.
pub(crate) struct Code {
    app: String,
    pub(super) account: String,
    redirect_uri: String,
    issued_at: i64,
    used: bool,
}

const CODE_LIFE_MS: i64 = 3600 * 1000;
/// A long-lived token is renewed only from this age on.
const LEAST_AGE_MS: i64 = 24 * 3600 * 1000;

/// `GET /oauth/authorize`: consents at once in the name of the account that the test parameter `login_hint`
/// names. `deny=1` refuses instead; `decline=a,b` leaves permissions unticked.
pub(crate) fn authorize(flavor: &Flavor, world: &mut World, call: &Call) -> Answer {
    flat(consent(flavor, world, call))
}

fn consent(flavor: &Flavor, world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let need = |name: &str| {
        let missing = format!("Invalid Request: Missing parameter {name}");
        call.param(name).ok_or_else(|| rejected(&missing))
    };
    let (app, redirect) = (need("client_id")?, need("redirect_uri")?);
    if !(flavor.realm)(world).apps.contains_key(app) {
        return Err(rejected("Invalid platform app"));
    }
    if need("response_type")? != "code" {
        return Err(rejected("Invalid response_type"));
    }
    let mut target = Url::parse(redirect).map_err(|_| rejected("Invalid redirect_uri"))?;
    let state = call.param("state").unwrap_or("");
    if call.param("deny").is_some() {
        target
            .query_pairs_mut()
            .append_pair("error", "access_denied")
            .append_pair("error_reason", "user_denied")
            .append_pair("error_description", "The user denied your request")
            .append_pair("state", state);
        return Ok(redirect_to(&target));
    }
    let account = need("login_hint")?.to_owned();
    let scopes: Vec<&str> = need("scope")?.split([',', ' ']).collect();
    if !scopes.contains(&flavor.basic) {
        return Err(rejected(&format!(
            "Invalid scope: {} is missing",
            flavor.basic
        )));
    }
    let declined: Vec<&str> = call.param("decline").unwrap_or("").split(',').collect();
    let known = (flavor.realm_mut)(world).accounts.get_mut(&account);
    let known = known.ok_or_else(|| rejected("login_hint names no simulated account"))?;
    known.scopes.clear();
    for scope in scopes.into_iter().filter(|s| !s.is_empty()) {
        let granted = !declined.contains(&scope);
        known.scopes.insert(scope.to_owned(), granted);
    }
    let code = format!("AQ{}", world.word(ALPHANUMERIC, 100));
    let issued = Code {
        app: app.to_owned(),
        account,
        redirect_uri: redirect.to_owned(),
        issued_at: world.now,
        used: false,
    };
    (flavor.realm_mut)(world).codes.insert(code.clone(), issued);
    target
        .query_pairs_mut()
        .append_pair("code", &code)
        .append_pair("state", state);
    // The real page ends its address so; it is not part of the code.
    target.set_fragment(Some("_"));
    Ok(redirect_to(&target))
}

fn redirect_to(target: &Url) -> Answer {
    Answer::text(302, "text/html", "").with("location", target.as_str())
}

/// The form of refusals of the log-in alone: no `error` object.
fn rejected(message: &str) -> Answer {
    Answer::json(
        400,
        &json!({ "error_type": "OAuthException", "code": 400, "error_message": message }),
    )
}

/// `POST /oauth/access_token` with a code: a short-lived token.
pub(crate) fn exchange_code(flavor: &Flavor, world: &mut World, call: &Call) -> Answer {
    flat(code_for_token(flavor, world, call))
}

fn code_for_token(flavor: &Flavor, world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let now = world.now;
    let realm = (flavor.realm_mut)(world);
    let app_id = call.param("client_id").unwrap_or("").to_owned();
    let app = realm.apps.get(&app_id);
    let app = app.ok_or_else(|| rejected("Invalid platform app"))?;
    if call.param("client_secret") != Some(&app.secret) {
        return Err(rejected("Error validating client secret."));
    }
    if call.param("grant_type") != Some("authorization_code") {
        return Err(rejected("Invalid grant_type"));
    }
    let unknown = || rejected("Matching code was not found or was already used");
    let code = realm.codes.get_mut(call.param("code").unwrap_or(""));
    let code = code.filter(|c| c.app == app_id && !c.used);
    let code = code.ok_or_else(unknown)?;
    if now - code.issued_at > CODE_LIFE_MS {
        return Err(rejected("This authorization code has expired."));
    }
    if call.param("redirect_uri") != Some(&code.redirect_uri) {
        let text = "Error validating verification code. Please make sure your redirect_uri is identical to the one \
            you used in the OAuth dialog request";
        return Err(rejected(text));
    }
    code.used = true;
    let account = code.account.clone();
    let wrapped = realm.settings.wrapped_token_answer;
    let token = Token {
        app: app_id,
        account,
        issued_at: now,
        expires_at: now + SHORT_LIFE_S * 1000,
        dead: None,
        long_lived: false,
    };
    let (user_id, permissions) = identity(flavor, world, &token);
    let text = issue(flavor, world, token);
    let mut body = json!({ "access_token": text, "user_id": user_id });
    if flavor.tells_permissions {
        body["permissions"] = if wrapped {
            permissions.join(",").into()
        } else {
            permissions.into()
        };
    }
    if wrapped {
        body = json!({ "data": [body] });
    }
    Ok(Answer::ok(&body))
}

/// The id of the account as the app knows it (a number beyond 2^53), and what is granted.
fn identity(flavor: &Flavor, world: &World, token: &Token) -> (Value, Vec<String>) {
    let account = (flavor.realm)(world).accounts.get(&token.account);
    let id = account.map_or("", |a| a.app_scoped_id.as_str());
    let number = id.parse::<u64>().map_or_else(|_| id.into(), Value::from);
    let granted = account.into_iter().flat_map(|a| &a.scopes);
    let granted = granted.filter(|(_, on)| **on).map(|(name, _)| name.clone());
    (number, granted.collect())
}

/// `GET /access_token`: a long-lived token for a short-lived one.
pub(crate) fn exchange_token(flavor: &Flavor, world: &mut World, call: &Call) -> Answer {
    flat(long_for_short(flavor, world, call))
}

fn long_for_short(flavor: &Flavor, world: &mut World, call: &Call) -> Result<Answer, Answer> {
    want_grant(call, flavor.exchange_grant)?;
    let old = access::holder(flavor, world, call)?;
    let app = (flavor.realm)(world).apps.get(&old.app);
    if app.is_none_or(|a| call.param("client_secret") != Some(&a.secret)) {
        return Err(errors::wrong_secret());
    }
    if old.long_lived {
        let text = "Session key invalid. This could be because the session key has an incorrect format, or because \
            the user has revoked this session";
        return Err(graph::error("OAuthException", 452, None, text));
    }
    Ok(long_lived(flavor, world, old))
}

/// `GET /refresh_access_token`: a new long-lived token. The old one keeps its own end.
pub(crate) fn refresh(flavor: &Flavor, world: &mut World, call: &Call) -> Answer {
    flat(renew(flavor, world, call))
}

fn renew(flavor: &Flavor, world: &mut World, call: &Call) -> Result<Answer, Answer> {
    want_grant(call, flavor.refresh_grant)?;
    let old = access::holder(flavor, world, call)?;
    let account = (flavor.realm)(world).account(call, &old.account)?;
    if !account.has(flavor.basic) {
        return Err(graph::permission_missing());
    }
    if !old.long_lived || world.now - old.issued_at < LEAST_AGE_MS {
        let text = "The access token must be a long-lived token that is at least 24 hours old";
        return Err(errors::bad_parameter(text));
    }
    Ok(long_lived(flavor, world, old))
}

fn want_grant(call: &Call, grant: &str) -> Result<(), Answer> {
    if token_of(call).is_none() {
        return Err(errors::no_token());
    }
    if call.param("grant_type") == Some(grant) {
        return Ok(());
    }
    Err(errors::bad_parameter(&format!(
        "Param grant_type must be one of {{{grant}}}"
    )))
}

fn long_lived(flavor: &Flavor, world: &mut World, old: Token) -> Answer {
    let token = Token {
        issued_at: world.now,
        expires_at: world.now + LONG_LIFE_S * 1000,
        long_lived: true,
        ..old
    };
    let (_, permissions) = identity(flavor, world, &token);
    let text = issue(flavor, world, token);
    let mut body =
        json!({ "access_token": text, "token_type": "bearer", "expires_in": LONG_LIFE_S });
    if flavor.tells_permissions {
        body["permissions"] = permissions.join(",").into();
    }
    Answer::ok(&body)
}
