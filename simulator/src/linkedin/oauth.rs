//! Three-legged OAuth: the consent page (which consents by itself), codes and tokens.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use url::Url;

use super::tokens::{
    self, ACCESS_LIFE_S, Consent, Kind, LinkedInRevokeReason, LinkedInTokenScope, REFRESH_LIFE_S,
    Status,
};
use super::{App, errors, flat, limits, members};
use crate::call::{Answer, Call};
use crate::world::{ALPHANUMERIC, World};

/// An authorization code; good for one exchange within 30 minutes.
pub(super) struct Code {
    app: String,
    pub(super) member: String,
    scopes: Vec<String>,
    redirect_uri: String,
    issued_at: i64,
    used: bool,
}

const CODE_LIFE_MS: i64 = 30 * 60 * 1000;

/// What is said of a code that does not fit, whatever the reason.
const CODE_DOES_NOT_FIT: &str = "Unable to retrieve access token: appid/redirect uri/code verifier \
    does not match authorization code. Or authorization code expired. Or external member binding \
    exists";

/// `GET /oauth/v2/authorization`: consents at once in the name of the person whom the test parameter
/// `login_hint` names. Consent is all or nothing: `deny=1` and `decline=SCOPES` both cancel.
pub(super) fn authorization(world: &mut World, call: &Call) -> Answer {
    flat(consent(world, call))
}

fn consent(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let page = |text: &str| Answer::text(401, "text/html; charset=utf-8", text.to_owned());
    let (id, app) = call
        .param("client_id")
        .and_then(|id| world.linkedin.apps.get_key_value(id))
        .ok_or_else(|| page("Client_id doesn't match"))?;
    let redirect = call.param("redirect_uri").unwrap_or("");
    let target =
        redirect_target(app, redirect).ok_or_else(|| page("Redirect_uri doesn't match"))?;
    let state = call.param("state");
    let back = |pairs: &[(&str, &str)]| {
        let mut target = target.clone();
        target.query_pairs_mut().extend_pairs(pairs);
        if let Some(state) = state {
            target.query_pairs_mut().append_pair("state", state);
        }
        Answer::text(302, "text/html", "").with("location", target.as_str())
    };
    if call.param("response_type") != Some("code") {
        let text = "Invalid response_type: only code is supported";
        return Ok(back(&[
            ("error", "invalid_request"),
            ("error_description", text),
        ]));
    }
    if call.param("deny").is_some() || call.param("decline").is_some() {
        let text = "The user cancelled LinkedIn authorization";
        return Ok(back(&[
            ("error", "user_cancelled_authorize"),
            ("error_description", text),
        ]));
    }
    let scopes = scopes(call.param("scope").unwrap_or(""));
    if let Some(unknown) = scopes.iter().find(|scope| !app.scopes.contains(*scope)) {
        let text = format!("Scope \"{unknown}\" is not authorized for your application");
        return Ok(back(&[
            ("error", "unauthorized_scope_error"),
            ("error_description", &text),
        ]));
    }
    let hint = call.param("login_hint").unwrap_or("");
    let member = hint
        .strip_prefix("urn:li:person:")
        .unwrap_or(hint)
        .to_owned();
    if !world.linkedin.members.contains_key(&member) {
        return Err(Answer::text(
            400,
            "text/html",
            "login_hint names no simulated member",
        ));
    }
    let issued = Code {
        app: id.clone(),
        member,
        scopes,
        redirect_uri: redirect.to_owned(),
        issued_at: world.now,
        used: false,
    };
    let code = format!("AQ{}", world.word(ALPHANUMERIC, 120));
    let answer = back(&[("code", &code)]);
    world.linkedin.codes.insert(code, issued);
    Ok(answer)
}

/// Where to send the person back: a registered address, whose query does not count.
fn redirect_target(app: &App, redirect: &str) -> Option<Url> {
    let target = Url::parse(redirect)
        .ok()
        .filter(|url| url.fragment().is_none())?;
    let bare = |text: &str| text.split('?').next().unwrap_or("").to_owned();
    let known = app.redirect_uris.is_empty()
        || app
            .redirect_uris
            .iter()
            .any(|uri| bare(uri) == bare(redirect));
    known.then_some(target)
}

/// Permissions are separated by spaces, and by commas, too.
fn scopes(text: &str) -> Vec<String> {
    let words = text.split([' ', ',']).filter(|scope| !scope.is_empty());
    words.map(str::to_owned).collect()
}

/// `POST /oauth/v2/accessToken` with a code.
pub(super) fn exchange_code(world: &mut World, call: &Call) -> Answer {
    flat(code_for_token(world, call))
}

fn code_for_token(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    if call.param("grant_type") != Some("authorization_code") {
        let text = "Unsupported grant_type. It must be authorization_code, refresh_token or client_credentials";
        return Err(errors::oauth(400, "unsupported_grant_type", text));
    }
    let text = required(call, "code")?.to_owned();
    let redirect_uri = required(call, "redirect_uri")?.to_owned();
    let app = client(world, call)?;
    let now = world.now;
    let code = world
        .linkedin
        .codes
        .get_mut(&text)
        .filter(|code| !code.used);
    let code = code.ok_or_else(|| {
        let text = "Unable to retrieve access token: authorization code not found";
        errors::oauth(401, "invalid_request", text)
    })?;
    let expired = now - code.issued_at > CODE_LIFE_MS;
    if code.app != app || code.redirect_uri != redirect_uri || expired {
        return Err(errors::oauth(
            400,
            "invalid_redirect_uri",
            CODE_DOES_NOT_FIT,
        ));
    }
    code.used = true;
    let (member, scopes) = (code.member.clone(), code.scopes.clone());
    remember_consent(world, &app, &member, &scopes);
    let consent = Consent {
        app: &app,
        member: &member,
        scopes: &scopes,
        at: now,
    };
    let access = tokens::issue(world, &consent, Kind::Access, now + ACCESS_LIFE_S * 1000);
    let mut body = token_body(&access, ACCESS_LIFE_S, &scopes);
    if world
        .linkedin
        .apps
        .get(&app)
        .is_some_and(|app| app.refresh_tokens)
    {
        let end = now + REFRESH_LIFE_S * 1000;
        body["refresh_token"] = tokens::issue(world, &consent, Kind::Refresh, end).into();
        body["refresh_token_expires_in"] = REFRESH_LIFE_S.into();
    }
    if scopes.iter().any(|scope| scope == "openid") {
        body["id_token"] = id_token(world, &consent).into();
    }
    Ok(Answer::ok(&body))
}

/// A consent to other permissions than before ends the tokens of the consent before.
pub(super) fn remember_consent(world: &mut World, app: &str, member: &str, scopes: &[String]) {
    let new: BTreeSet<String> = scopes.iter().cloned().collect();
    let Some(person) = world.linkedin.members.get_mut(member) else {
        return;
    };
    let before = person.consents.insert(app.to_owned(), new.clone());
    if before.is_some_and(|before| before != new) {
        let reason = LinkedInRevokeReason::Invalidated;
        tokens::kill(world, member, Some(app), LinkedInTokenScope::All, reason);
    }
}

/// `POST /oauth/v2/accessToken` with a refresh token: a new access token, and the same refresh token
/// with what is left of its life. Near its end the access token is the shorter, too.
pub(super) fn refresh(world: &mut World, call: &Call) -> Answer {
    flat(new_for_old(world, call))
}

fn new_for_old(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let text = required(call, "refresh_token")?.to_owned();
    let app = client(world, call)?;
    limits::count_refresh(world, &app)?;
    let known = world.linkedin.tokens.get(&text);
    let known = known.filter(|token| token.kind == Kind::Refresh && token.app == app);
    let alive = known.filter(|token| tokens::status(world, token) == Status::Active);
    let old = alive.cloned().ok_or_else(|| {
        let text =
            "The provided authorization grant or refresh token is invalid, expired or revoked";
        errors::oauth(400, "invalid_request", text)
    })?;
    let left_s = (old.expires_at - world.now) / 1000;
    let life_s = left_s.min(ACCESS_LIFE_S);
    let consent = Consent {
        app: &app,
        member: &old.member,
        scopes: &old.scopes,
        at: old.authorized_at,
    };
    let end = world.now + life_s * 1000;
    let access = tokens::issue(world, &consent, Kind::Access, end);
    let mut body = token_body(&access, life_s, &old.scopes);
    body["refresh_token"] = text.into();
    body["refresh_token_expires_in"] = left_s.into();
    Ok(Answer::ok(&body))
}

fn token_body(access: &str, life_s: i64, scopes: &[String]) -> Value {
    json!({
        "access_token": access,
        "expires_in": life_s,
        "scope": scopes.join(","),
        "token_type": "Bearer",
    })
}

/// An `OpenID` token. Its signature is nobody's: clients of ours ask `/v2/userinfo` instead.
fn id_token(world: &mut World, consent: &Consent<'_>) -> String {
    let mut claims = members::claims(world, consent.member, consent.scopes);
    claims["iss"] = "https://www.linkedin.com/oauth".into();
    claims["aud"] = consent.app.into();
    claims["iat"] = (world.now / 1000).into();
    claims["exp"] = (world.now / 1000 + 3600).into();
    let header =
        json!({ "typ": "JWT", "alg": "RS256", "kid": "d929668a-bab1-4c69-9598-4373149723ff" });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = format!("{}.{}", part(&header), part(&claims));
    format!("{head}.{}", world.word(ALPHANUMERIC, 342))
}

/// A parameter that must be there.
pub(super) fn required<'c>(call: &'c Call, name: &str) -> Result<&'c str, Answer> {
    let value = call.param(name).filter(|value| !value.is_empty());
    value.ok_or_else(|| errors::parameter_missing(name))
}

/// The app that calls, with its secret checked.
pub(super) fn client(world: &World, call: &Call) -> Result<String, Answer> {
    let id = required(call, "client_id")?;
    let secret = required(call, "client_secret")?;
    let app = world.linkedin.apps.get(id);
    match app {
        Some(app) if app.secret == secret => Ok(id.to_owned()),
        _ => Err(errors::invalid_client()),
    }
}
