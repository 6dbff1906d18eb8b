//! Pushed requests (RFC 9126): the only way to ask for consent here.

use serde_json::json;

use super::{Request, client, dpop, errors};
use crate::call::{Answer, Call};
use crate::facebook::flat;
use crate::world::{ALPHANUMERIC, World};

/// A request waits five minutes for its user.
const LIFE_MS: i64 = 5 * 60 * 1000;

/// `POST /oauth/par`
pub(crate) fn push(world: &mut World, call: &Call) -> Answer {
    flat(pushed(world, call))
}

fn pushed(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let jkt = dpop::check(world, call, None).map_err(|refusal| refusal.answer())?;
    let client = client::authenticate(world, call)?;
    let missing = |name: &str| {
        errors::invalid_request(&format!(
            "Invalid authorization request: Required at body.{name}"
        ))
    };
    let need = |name: &str| call.param(name).ok_or_else(|| missing(name));
    if need("response_type")? != "code" {
        return Err(errors::error(
            400,
            "unsupported_response_type",
            "Unsupported response_type",
        ));
    }
    let challenge = need("code_challenge")?;
    if call.param("code_challenge_method") != Some("S256") {
        return Err(errors::invalid_request(
            "code_challenge_method must be \"S256\"",
        ));
    }
    if challenge.len() != 43 {
        return Err(errors::invalid_request("Invalid code_challenge"));
    }
    let redirect_uri = need("redirect_uri")?;
    if !client.redirects_to(redirect_uri) {
        let text = format!("Invalid redirect_uri {redirect_uri}");
        return Err(errors::invalid_request(&text));
    }
    let scope = need("scope")?;
    if !scope.split(' ').any(|one| one == "atproto") {
        let text = "The \"atproto\" scope is required";
        return Err(errors::error(400, "invalid_scope", text));
    }
    if let Some(other) = scope.split(' ').find(|one| !client.may_ask_for(one)) {
        let text = format!("Scope \"{other}\" is not declared in the client metadata");
        return Err(errors::error(400, "invalid_scope", &text));
    }
    let request = Request {
        client,
        redirect_uri: redirect_uri.to_owned(),
        scope: scope.to_owned(),
        state: call.param("state").map(str::to_owned),
        challenge: challenge.to_owned(),
        login_hint: call.param("login_hint").map(str::to_owned),
        jkt,
        expires_at: world.now + LIFE_MS,
    };
    let id = world.word(ALPHANUMERIC, 32);
    let uri = format!("urn:ietf:params:oauth:request_uri:req-{id}");
    world.bluesky.oauth.requests.insert(uri.clone(), request);
    Ok(Answer::json(
        201,
        &json!({ "request_uri": uri, "expires_in": LIFE_MS / 1000 - 1 }),
    ))
}
