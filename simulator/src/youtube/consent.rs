//! Google's consent page, which consents by itself.

use std::collections::BTreeSet;

use url::Url;

use super::{AppState, flat};
use crate::call::{Answer, Call};
use crate::world::{ALPHANUMERIC, World};

/// An authorization code; good for one exchange within ten minutes.
pub(crate) struct Code {
    pub(super) app: String,
    pub(super) user: String,
    pub(super) channel: Option<String>,
    pub(super) scopes: BTreeSet<String>,
    pub(super) redirect_uri: String,
    pub(super) issued_at: i64,
    pub(super) used: bool,
    /// Whether a refresh token comes with it.
    pub(super) refresh: bool,
    pub(super) offline: bool,
    /// `code_challenge` and whether it is a hash of the verifier.
    pub(super) challenge: Option<(String, bool)>,
}

/// Life of a code.
pub(super) const CODE_LIFE_MS: i64 = 10 * 60 * 1000;

/// `GET /o/oauth2/v2/auth`: consents at once in the name of the account (number, address or
/// channel id) that `login_hint` names. `deny=1` refuses instead; `decline=a b` leaves scopes
/// unticked. Mistakes of the app are told on a page, not to the redirect address.
pub(crate) fn authorize(world: &mut World, call: &Call) -> Answer {
    flat(consent(world, call))
}

fn consent(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let (client, mut target) = addressed(world, call)?;
    let state = call.param("state").unwrap_or("").to_owned();
    let refuse = |mut target: Url, error: &str| {
        target
            .query_pairs_mut()
            .append_pair("error", error)
            .append_pair("state", &state);
        Ok(redirect_to(&target))
    };
    if call.param("deny").is_some() {
        return refuse(target, "access_denied");
    }
    let challenge = challenge(call)?;
    let asked = scopes(call.param("scope").unwrap_or(""));
    if asked.is_empty() {
        return Err(page(
            400,
            "invalid_request",
            "Missing required parameter: scope",
        ));
    }
    let hint = call.param("login_hint").unwrap_or("");
    let person = world.youtube.person(hint);
    let (user, channel) = person.ok_or_else(|| {
        page(
            400,
            "invalid_request",
            "login_hint names no simulated account",
        )
    })?;
    let declined = scopes(call.param("decline").unwrap_or(""));
    let mut granted: BTreeSet<String> = asked.difference(&declined).cloned().collect();
    if granted.is_empty() {
        return refuse(target, "access_denied");
    }
    let key = (user.clone(), client.clone());
    let earlier = world.youtube.grants.get(&key).cloned();
    let first = earlier.is_none();
    let earlier = earlier.unwrap_or_default();
    let standing = earlier.union(&granted).cloned().collect();
    world.youtube.grants.insert(key, standing);
    if call.param("include_granted_scopes") == Some("true") {
        granted.extend(earlier.difference(&declined).cloned());
    }
    let offline = call.param("access_type") == Some("offline");
    let prompt = call.param("prompt").unwrap_or("");
    let code = format!("4/0A{}", world.word(ALPHANUMERIC, 70));
    let list = granted.iter().cloned().collect::<Vec<_>>().join(" ");
    let issued = Code {
        app: client,
        user,
        channel,
        scopes: granted,
        redirect_uri: call.param("redirect_uri").unwrap_or("").to_owned(),
        issued_at: world.now,
        used: false,
        refresh: offline && (first || prompt.split(' ').any(|p| p == "consent")),
        offline,
        challenge,
    };
    world.youtube.codes.insert(code.clone(), issued);
    let mut query = target.query_pairs_mut();
    if !state.is_empty() {
        query.append_pair("state", &state);
    }
    query.append_pair("code", &code).append_pair("scope", &list);
    drop(query);
    Ok(redirect_to(&target))
}

/// The client that asks, and where its answer goes.
fn addressed(world: &World, call: &Call) -> Result<(String, Url), Answer> {
    let missing = |name: &str| {
        let text = format!("Missing required parameter: {name}");
        page(400, "invalid_request", &text)
    };
    let need = |name: &str| call.param(name).ok_or_else(|| missing(name));
    let client = need("client_id")?;
    let app = world.youtube.apps.get(client);
    let app = app.ok_or_else(|| page(401, "invalid_client", "The OAuth client was not found."))?;
    if app.state == AppState::Deleted {
        return Err(page(401, "deleted_client", "The OAuth client was deleted."));
    }
    if need("response_type")? != "code" {
        return Err(page(
            400,
            "unsupported_response_type",
            "Only code is simulated.",
        ));
    }
    let redirect = need("redirect_uri")?;
    let target = Url::parse(redirect).map_err(|_| {
        page(
            400,
            "invalid_request",
            "Invalid parameter value for redirect_uri",
        )
    })?;
    let known = app.redirect_uris.is_empty() || app.redirect_uris.iter().any(|u| u == redirect);
    if !known {
        return Err(page(
            400,
            "redirect_uri_mismatch",
            "The redirect_uri is not registered.",
        ));
    }
    Ok((client.to_owned(), target))
}

fn challenge(call: &Call) -> Result<Option<(String, bool)>, Answer> {
    let Some(challenge) = call.param("code_challenge").filter(|c| !c.is_empty()) else {
        return Ok(None);
    };
    match call.param("code_challenge_method").unwrap_or("plain") {
        "S256" => Ok(Some((challenge.to_owned(), true))),
        "plain" => Ok(Some((challenge.to_owned(), false))),
        _ => Err(page(
            400,
            "invalid_request",
            "Invalid code challenge method.",
        )),
    }
}

/// Scopes, between spaces (ours may stand between commas).
pub(super) fn scopes(text: &str) -> BTreeSet<String> {
    let words = text.split([' ', ',']).filter(|s| !s.is_empty());
    words.map(str::to_owned).collect()
}

/// The page that a person sees when the app made a mistake.
fn page(status: u16, error: &str, text: &str) -> Answer {
    let html = format!("<html><body><h1>Error {status}: {error}</h1><p>{text}</p></body></html>");
    Answer::text(status, "text/html; charset=utf-8", html)
}

fn redirect_to(target: &Url) -> Answer {
    Answer::text(302, "text/html; charset=utf-8", "").with("location", target.as_str())
}
