//! OAuth: the authorize page (which consents by itself), tokens, revocation, discovery.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::{Token, apps, errors, params};
use crate::call::{Answer, Call};
use crate::facebook::flat;
use crate::world::{ALPHANUMERIC, World};

/// An authorization code; good for one exchange within ten minutes.
pub(super) struct Code {
    app: String,
    pub(super) account: String,
    redirect_uri: String,
    scopes: Vec<String>,
    challenge: Option<String>,
    issued_at: i64,
    used: bool,
}

const CODE_LIFE_MS: i64 = 10 * 60 * 1000;
const BAD_GRANT: &str = "The provided authorization grant is invalid, expired, revoked, does not \
                         match the redirection URI used in the authorization request, or was \
                         issued to another client.";
const BAD_CLIENT: &str = "Client authentication failed due to unknown client, no client \
                          authentication included, or unsupported authentication method.";

/// `GET /oauth/authorize`: consents at once in the name of the account (id or name) that
/// `login_hint` names. `deny=1` refuses; `decline=a b` leaves scopes out, which the real page
/// cannot.
pub(super) fn authorize(world: &mut World, call: &Call) -> Answer {
    flat(consent(world, call))
}

fn consent(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let page = |status: u16, text: &str| Answer::text(status, "text/html", text.to_owned());
    let client_id = call.param("client_id").unwrap_or("").to_owned();
    let app = world.mastodon.apps.get(&client_id);
    let app = app.ok_or_else(|| page(401, BAD_CLIENT))?;
    let redirect = call.param("redirect_uri").unwrap_or("").to_owned();
    if !app.redirect_uris.contains(&redirect) {
        return Err(page(400, "The redirect uri included is not valid."));
    }
    let state = call.param("state").unwrap_or("");
    let back = |pairs: &[(&str, &str)]| redirect_to(&redirect, pairs, state);
    if call.param("response_type") != Some("code") {
        let text = "The authorization server does not support this response type.";
        return Ok(back(&[
            ("error", "unsupported_response_type"),
            ("error_description", text),
        ]));
    }
    let asked = params::scopes(params::text(call, "scope").unwrap_or("read"));
    if !asked.iter().all(|scope| covers(&app.scopes, scope)) {
        let text = "The requested scope is invalid, unknown, or malformed.";
        return Ok(back(&[
            ("error", "invalid_scope"),
            ("error_description", text),
        ]));
    }
    let method = call.param("code_challenge_method");
    let challenge = call.param("code_challenge").map(str::to_owned);
    if challenge.is_some() && method != Some("S256") {
        let text = "The code_challenge_method must be S256.";
        let error = "invalid_code_challenge_method";
        return Ok(back(&[("error", error), ("error_description", text)]));
    }
    if call.param("deny").is_some() {
        let text = "The resource owner or authorization server denied the request.";
        return Ok(back(&[
            ("error", "access_denied"),
            ("error_description", text),
        ]));
    }
    let hint = call.param("login_hint").unwrap_or("");
    let known = world.mastodon.accounts.iter();
    let found = known
        .into_iter()
        .find(|(id, a)| *id == hint || a.username == hint);
    let account = found.map(|(id, _)| id.clone());
    let account = account.ok_or_else(|| page(404, "login_hint names no account"))?;
    let declined = params::scopes(&call.param("decline").unwrap_or("").replace(',', " "));
    let issued = Code {
        app: client_id,
        account,
        redirect_uri: redirect.clone(),
        scopes: asked
            .into_iter()
            .filter(|s| !declined.contains(s))
            .collect(),
        challenge,
        issued_at: world.now,
        used: false,
    };
    let code = world.word(ALPHANUMERIC, 43);
    world.mastodon.codes.insert(code.clone(), issued);
    if redirect == apps::OUT_OF_BAND {
        return Ok(Answer::text(
            200,
            "text/html",
            format!("<code>{code}</code>"),
        ));
    }
    Ok(back(&[("code", &code)]))
}

/// Whether registered scopes hold this one: `write` holds `write:statuses`.
fn covers(registered: &[String], scope: &str) -> bool {
    let family = scope.split(':').next().unwrap_or(scope);
    registered.iter().any(|own| own == scope || own == family)
}

fn redirect_to(target: &str, pairs: &[(&str, &str)], state: &str) -> Answer {
    let Ok(mut url) = Url::parse(target) else {
        return Answer::text(400, "text/html", "");
    };
    url.query_pairs_mut().extend_pairs(pairs);
    if !state.is_empty() {
        url.query_pairs_mut().append_pair("state", state);
    }
    Answer::text(302, "text/html", "").with("location", url.as_str())
}

/// `POST /oauth/token`.
pub(super) fn token(world: &mut World, call: &Call) -> Answer {
    flat(grant(world, call))
}

fn grant(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let app =
        client(world, call).ok_or_else(|| errors::oauth(401, "invalid_client", BAD_CLIENT))?;
    match call.param("grant_type") {
        Some("authorization_code") => exchange(world, call, &app),
        Some("client_credentials") => {
            let scopes = params::scopes(params::text(call, "scope").unwrap_or("read"));
            if !scopes
                .iter()
                .all(|s| covers(&world.mastodon.apps[&app].scopes, s))
            {
                let text = "The requested scope is invalid, unknown, or malformed.";
                return Err(errors::oauth(400, "invalid_scope", text));
            }
            Ok(issue(world, &app, None, scopes))
        }
        _ => {
            let text = "The authorization grant type is not supported by the authorization server.";
            Err(errors::oauth(400, "unsupported_grant_type", text))
        }
    }
}

/// The client that calls: by parameters, or by Basic authentication.
fn client(world: &World, call: &Call) -> Option<String> {
    let basic = call.header("authorization").strip_prefix("Basic ");
    let basic = basic.and_then(|b| STANDARD.decode(b).ok());
    let basic = basic.and_then(|b| String::from_utf8(b).ok());
    let (id, secret) = match basic.as_deref().and_then(|b| b.split_once(':')) {
        Some(pair) => pair,
        None => (call.param("client_id")?, call.param("client_secret")?),
    };
    let known = world.mastodon.apps.get(id).filter(|a| a.secret == secret);
    known.map(|_| id.to_owned())
}

fn exchange(world: &mut World, call: &Call, app: &str) -> Result<Answer, Answer> {
    let now = world.now;
    let refused = || errors::oauth(400, "invalid_grant", BAD_GRANT);
    let text = call.param("code").unwrap_or("");
    let code = world.mastodon.codes.get_mut(text).filter(|c| c.app == app);
    let code = code
        .filter(|c| !c.used && now - c.issued_at <= CODE_LIFE_MS)
        .ok_or_else(refused)?;
    if call.param("redirect_uri") != Some(&code.redirect_uri) {
        return Err(refused());
    }
    if let Some(challenge) = &code.challenge {
        let missing = "Missing required parameter: code_verifier.";
        let verifier = params::text(call, "code_verifier");
        let verifier = verifier.ok_or_else(|| errors::oauth(400, "invalid_request", missing))?;
        if URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) != *challenge {
            return Err(refused());
        }
    }
    code.used = true;
    let (account, scopes) = (code.account.clone(), code.scopes.clone());
    Ok(issue(world, app, Some(account), scopes))
}

/// A token without end.
fn issue(world: &mut World, app: &str, account: Option<String>, scopes: Vec<String>) -> Answer {
    let text = world.word(ALPHANUMERIC, 43);
    let out = json!({
        "access_token": text,
        "token_type": "Bearer",
        "scope": scopes.join(" "),
        "created_at": world.now / 1000,
    });
    let token = Token {
        app: app.to_owned(),
        account,
        scopes,
        expires_at: None,
        revoked: false,
    };
    world.mastodon.tokens.insert(text, token);
    Answer::ok(&out)
}

/// `POST /oauth/revoke`: may be repeated, and knows no unknown token.
pub(super) fn revoke(world: &mut World, call: &Call) -> Answer {
    let refused = || {
        let text = "You are not authorized to revoke this token";
        errors::oauth(403, "unauthorized_client", text)
    };
    let Some(app) = client(world, call) else {
        return refused();
    };
    match world
        .mastodon
        .tokens
        .get_mut(call.param("token").unwrap_or(""))
    {
        Some(token) if token.app != app => return refused(),
        Some(token) => token.revoked = true,
        None => {}
    }
    Answer::ok(&json!({}))
}

/// `GET /.well-known/oauth-authorization-server`.
pub(super) fn discovery(_: &mut World, call: &Call) -> Answer {
    let root = format!("http://{}/mastodon", call.host);
    Answer::ok(&json!({
        "issuer": format!("{root}/"),
        "service_documentation": "https://docs.joinmastodon.org/",
        "authorization_endpoint": format!("{root}/oauth/authorize"),
        "token_endpoint": format!("{root}/oauth/token"),
        "userinfo_endpoint": format!("{root}/oauth/userinfo"),
        "app_registration_endpoint": format!("{root}/api/v1/apps"),
        "revocation_endpoint": format!("{root}/oauth/revoke"),
        "scopes_supported": apps::scopes(),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "code_challenge_methods_supported": ["S256"],
        "grant_types_supported": ["authorization_code", "client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    }))
}
