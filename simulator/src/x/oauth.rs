//! OAuth 2.0 with PKCE: the authorize page (which consents by itself), codes,
//! tokens and their end.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::tokens::{self, ACCESS_LIFE_S, Kind, REFRESH_LIFE_S};
use super::{XAccountState, errors, flat, webhooks};
use crate::call::{Answer, Call};
use crate::world::{ALPHANUMERIC, World};

/// An authorization code; good for one exchange within thirty seconds.
pub(crate) struct Code {
    app: String,
    pub(super) user: String,
    redirect_uri: String,
    challenge: String,
    /// `S256`, else the challenge is the verifier itself.
    hashed: bool,
    scopes: Vec<String>,
    issued_at: i64,
    used: bool,
}

const CODE_LIFE_MS: i64 = 30_000;
const LONGEST_STATE: usize = 500;

/// `GET /i/oauth2/authorize`: consents at once in the name of the user that
/// the test parameter `login_hint` names. `deny=1` refuses instead;
/// `decline=a,b` leaves scopes out of the consent, which the platform itself
/// does not offer (its users take all or nothing).
pub(super) fn authorize(world: &mut World, call: &Call) -> Answer {
    flat(consent(world, call))
}

fn consent(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let need = |name: &str| {
        call.param(name)
            .filter(|v| !v.is_empty())
            .ok_or_else(went_wrong)
    };
    let (app_id, redirect) = (need("client_id")?, need("redirect_uri")?);
    let (state, challenge) = (need("state")?, need("code_challenge")?);
    let app = world.x.apps.get(app_id).ok_or_else(went_wrong)?;
    let registered =
        app.redirect_uris.is_empty() || app.redirect_uris.iter().any(|u| u == redirect);
    let is_code = call.param("response_type") == Some("code");
    if !registered || !is_code || state.len() > LONGEST_STATE {
        return Err(went_wrong());
    }
    let mut target = Url::parse(redirect).map_err(|_| went_wrong())?;
    if call.param("deny").is_some() {
        target
            .query_pairs_mut()
            .append_pair("error", "access_denied")
            .append_pair("state", state);
        return Ok(redirect_to(&target));
    }
    let user = need("login_hint")?;
    if !world.x.users.contains_key(user) {
        return Err(went_wrong());
    }
    let declined: Vec<&str> = call.param("decline").unwrap_or("").split(',').collect();
    let scopes = call.param("scope").unwrap_or("").split(' ');
    let granted = scopes.filter(|s| !s.is_empty() && !declined.contains(s));
    let issued = Code {
        app: app_id.to_owned(),
        user: user.to_owned(),
        redirect_uri: redirect.to_owned(),
        challenge: challenge.to_owned(),
        hashed: call.param("code_challenge_method") == Some("S256"),
        scopes: granted.map(str::to_owned).collect(),
        issued_at: world.now,
        used: false,
    };
    let code = format!("{}:1:ac:1", world.word(ALPHANUMERIC, 43));
    world.x.codes.insert(code.clone(), issued);
    target
        .query_pairs_mut()
        .append_pair("state", state)
        .append_pair("code", &code);
    Ok(redirect_to(&target))
}

/// The page tells people no more than that.
fn went_wrong() -> Answer {
    let page = "<html><body><h1>Something went wrong</h1>You weren't able to give access to the \
        App. Go back and try logging in again.</body></html>";
    Answer::text(400, "text/html; charset=utf-8", page)
}

fn redirect_to(target: &Url) -> Answer {
    Answer::text(302, "text/html", "").with("location", target.as_str())
}

/// `POST /2/oauth2/token` with a code.
pub(super) fn exchange(world: &mut World, call: &Call) -> Answer {
    flat(code_for_tokens(world, call))
}

fn code_for_tokens(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let app = client(world, call)?;
    if call.param("grant_type") != Some("authorization_code") {
        return Err(errors::oauth(
            400,
            "unsupported_grant_type",
            "Value passed for the grant type was invalid.",
        ));
    }
    let now = world.now;
    let bad = |what: &str| errors::oauth(400, "invalid_request", what);
    let text = needed(call, "code")?;
    let redirect = needed(call, "redirect_uri")?;
    let verifier = needed(call, "code_verifier")?;
    let wrong_code = || bad("Value passed for the authorization code was invalid.");
    let code = world
        .x
        .codes
        .get_mut(text)
        .filter(|c| c.app == app)
        .ok_or_else(wrong_code)?;
    if code.used || now - code.issued_at > CODE_LIFE_MS {
        return Err(wrong_code());
    }
    if code.redirect_uri != redirect {
        return Err(bad(
            "Value passed for the redirect uri did not match the uri of the authorization code.",
        ));
    }
    let given = if code.hashed {
        URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
    } else {
        verifier.to_owned()
    };
    if given != code.challenge {
        return Err(bad(
            "Value passed for the code verifier did not match the code challenge.",
        ));
    }
    code.used = true;
    let (user, scopes) = (code.user.clone(), code.scopes.clone());
    let family = world.x.consent(&app, &user, scopes);
    let pair = tokens::issue(world, family, ACCESS_LIFE_S, REFRESH_LIFE_S);
    Ok(Answer::ok(&pair.body()))
}

fn needed<'c>(call: &'c Call, name: &str) -> Result<&'c str, Answer> {
    call.param(name).filter(|v| !v.is_empty()).ok_or_else(|| {
        errors::oauth(
            400,
            "invalid_request",
            &format!("Missing required parameter [{name}]."),
        )
    })
}

/// `POST /2/oauth2/token` with a refresh token: a new pair for it, once.
pub(super) fn refresh(world: &mut World, call: &Call) -> Answer {
    flat(pair_for_refresh(world, call))
}

fn pair_for_refresh(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let app = client(world, call)?;
    let text = needed(call, "refresh_token")?;
    let refused = || {
        errors::oauth(
            400,
            "invalid_request",
            "Value passed for the token was invalid.",
        )
    };
    let known = world
        .x
        .tokens
        .get(text)
        .cloned()
        .filter(|t| t.kind == Kind::Refresh);
    let known = known.ok_or_else(refused)?;
    let family = world.x.families.get(&known.family).filter(|f| f.app == app);
    let user = family.map(|f| f.user.clone()).ok_or_else(refused)?;
    if known.spent {
        // Two holders of one token: neither is trusted any more.
        world.x.end_family(known.family);
        return Err(refused());
    }
    let gone = |state| matches!(state, XAccountState::Deactivated);
    let shut = world.x.users.get(&user).is_none_or(|u| gone(u.state));
    if shut || world.x.live_token(text, Kind::Refresh, world.now).is_none() {
        return Err(refused());
    }
    if let Some(spent) = world.x.tokens.get_mut(text) {
        spent.spent = true;
    }
    if let Some(family) = world.x.families.get_mut(&known.family) {
        family.refreshes += 1;
    }
    let pair = tokens::issue(world, known.family, ACCESS_LIFE_S, REFRESH_LIFE_S);
    Ok(Answer::ok(&pair.body()))
}

/// `POST /2/oauth2/revoke`: an access token ends alone, a refresh token with
/// its family. An unknown token is as good as revoked (RFC 7009).
pub(super) fn revoke(world: &mut World, call: &Call) -> Answer {
    flat(give_back(world, call))
}

fn give_back(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let app = client(world, call)?;
    let text = needed(call, "token")?;
    let token = world.x.tokens.get(text).cloned();
    if let Some(token) = token {
        let family = world.x.families.get(&token.family).filter(|f| f.app == app);
        let user = family.map(|f| f.user.clone());
        match (token.kind, user) {
            (Kind::Refresh, Some(user)) => {
                if world.x.end_family(token.family) {
                    webhooks::revoked(world, &app, &user);
                }
            }
            (Kind::Access, Some(_)) => {
                if let Some(known) = world.x.tokens.get_mut(text) {
                    known.spent = true;
                }
            }
            (_, None) => {}
        }
    }
    Ok(Answer::ok(&json!({ "revoked": true })))
}

/// `POST /oauth2/token` with `grant_type=client_credentials`: the app's own token.
pub(super) fn app_token(world: &mut World, call: &Call) -> Answer {
    let found = basic(call).and_then(|(id, secret)| {
        let app = world.x.apps.get(&id)?;
        (app.consumer_secret == secret).then(|| app.bearer.clone())
    });
    match found {
        Some(bearer) => Answer::ok(&json!({ "token_type": "bearer", "access_token": bearer })),
        None => errors::usual_for_status(403),
    }
}

/// The app that calls: a confidential one by Basic authentication, a public
/// one by `client_id` in the body.
fn client(world: &World, call: &Call) -> Result<String, Answer> {
    let refused = |what: &str| errors::oauth(401, "unauthorized_client", what);
    if let Some((id, secret)) = basic(call) {
        let app = world.x.apps.get(&id);
        let fits = app.is_some_and(|a| a.secret.as_deref() == Some(secret.as_str()));
        return fits
            .then_some(id)
            .ok_or_else(|| refused("Invalid client credentials."));
    }
    let id = call.param("client_id").unwrap_or("");
    match world.x.apps.get(id) {
        Some(app) if app.secret.is_none() => Ok(id.to_owned()),
        Some(_) | None => Err(refused("Missing valid authorization header")),
    }
}

/// Name and password of a Basic `Authorization` header.
fn basic(call: &Call) -> Option<(String, String)> {
    let (scheme, value) = call.header("authorization").split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}
