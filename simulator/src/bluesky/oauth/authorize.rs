//! The page where a user consents. This one consents by itself, in the name of `login_hint`.

use url::Url;

use super::{Code, Request};
use crate::call::{Answer, Call};
use crate::world::{ALPHANUMERIC, World};

/// A code waits five minutes for its exchange.
const LIFE_MS: i64 = 5 * 60 * 1000;

/// `GET /oauth/authorize?client_id=&request_uri=`: consents at once. `login_hint=` names another user than the request
/// did, `deny=1` refuses, `decline=a,b` leaves permissions out.
pub(crate) fn page(world: &mut World, call: &Call) -> Answer {
    let uri = call.param("request_uri").unwrap_or("");
    let oauth = &mut world.bluesky.oauth;
    let found = oauth
        .requests
        .remove(uri)
        .filter(|request| call.param("client_id") == Some(&request.client.id));
    let Some(request) = found else {
        return refused("Unknown request_uri");
    };
    if request.expires_at <= world.now {
        return back(
            call,
            &request,
            &[
                ("error", "access_denied"),
                ("error_description", "This request has expired"),
            ],
        );
    }
    if call.param("deny").is_some() {
        return back(
            call,
            &request,
            &[
                ("error", "access_denied"),
                ("error_description", "Access denied"),
            ],
        );
    }
    let hint = call.param("login_hint").or(request.login_hint.as_deref());
    let user = hint.and_then(|hint| world.bluesky.account(hint.trim_start_matches('@')));
    let Some(did) = user.map(|(did, _)| did.to_owned()) else {
        return refused("login_hint names no simulated account");
    };
    consented(world, call, request, did)
}

fn consented(world: &mut World, call: &Call, request: Request, did: String) -> Answer {
    let declined: Vec<&str> = call.param("decline").unwrap_or("").split(',').collect();
    let granted = request
        .scope
        .split(' ')
        .filter(|one| !declined.contains(one));
    let scope = granted.collect::<Vec<_>>().join(" ");
    let code = format!("cod-{}", world.word(ALPHANUMERIC, 64));
    let answer = back(call, &request, &[("code", &code)]);
    let issued = Code {
        request,
        did,
        scope,
        expires_at: world.now + LIFE_MS,
    };
    world.bluesky.oauth.codes.insert(code, issued);
    answer
}

/// Sends the browser back. The issuer comes along (RFC 9207).
fn back(call: &Call, request: &Request, pairs: &[(&str, &str)]) -> Answer {
    let Ok(mut url) = Url::parse(&request.redirect_uri) else {
        return refused("Invalid redirect_uri");
    };
    url.query_pairs_mut()
        .append_pair("iss", &format!("http://{}/bluesky", call.host))
        .extend_pairs(request.state.iter().map(|state| ("state", state)))
        .extend_pairs(pairs);
    Answer::text(303, "text/html", "").with("location", url.as_str())
}

fn refused(text: &str) -> Answer {
    let page = format!("<html><body>Invalid request: {text}</body></html>");
    Answer::text(400, "text/html", page)
}
