//! Registration of clients: every server has its own.

use serde_json::{Value, json};
use url::Url;

use super::{App, access, errors, params};
use crate::call::{Answer, Call};
use crate::facebook::flat;
use crate::world::{ALPHANUMERIC, World};

/// Scopes that exist here.
const SCOPES: [&str; 19] = [
    "profile",
    "read",
    "read:accounts",
    "read:blocks",
    "read:bookmarks",
    "read:favourites",
    "read:filters",
    "read:follows",
    "read:lists",
    "read:mutes",
    "read:notifications",
    "read:search",
    "read:statuses",
    "write",
    "write:accounts",
    "write:media",
    "write:statuses",
    "follow",
    "push",
];

/// A redirect that shows the code instead.
pub(super) const OUT_OF_BAND: &str = "urn:ietf:wg:oauth:2.0:oob";

/// `POST /api/v1/apps`.
pub(super) fn register(world: &mut World, call: &Call) -> Answer {
    flat(new_app(world, call))
}

fn new_app(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let name = params::text(call, "client_name");
    let name = name
        .ok_or_else(|| errors::invalid("Name can't be blank"))?
        .to_owned();
    let mut redirect_uris = params::list(call, "redirect_uris");
    if redirect_uris.is_empty() {
        let text = call.param("redirect_uris").unwrap_or("");
        redirect_uris = params::scopes(text);
    }
    let usable = |uri: &String| uri == OUT_OF_BAND || Url::parse(uri).is_ok();
    if redirect_uris.is_empty() || !redirect_uris.iter().all(usable) {
        return Err(errors::invalid("Redirect URI must be an absolute URI."));
    }
    let scopes = params::scopes(params::text(call, "scopes").unwrap_or("read"));
    if !scopes.iter().all(|s| is_scope(s)) {
        return Err(errors::invalid(
            "Scopes doesn't match configured on the server.",
        ));
    }
    let app = App {
        id: world.mastodon.id(world.now).to_string(),
        name,
        website: params::text(call, "website").map(str::to_owned),
        secret: world.word(ALPHANUMERIC, 43),
        redirect_uris,
        scopes,
    };
    let client_id = world.word(ALPHANUMERIC, 43);
    let mut out = entity(&app);
    out["client_id"] = client_id.as_str().into();
    out["client_secret"] = app.secret.as_str().into();
    out["client_secret_expires_at"] = 0.into();
    world.mastodon.apps.insert(client_id, app);
    Ok(Answer::ok(&out))
}

/// Whether the server knows this scope.
pub(super) fn is_scope(scope: &str) -> bool {
    SCOPES.contains(&scope)
}

/// `GET /api/v1/apps/verify_credentials`.
pub(super) fn verify(world: &mut World, call: &Call) -> Answer {
    flat(access::token(world, call, &[]).and_then(|caller| {
        let app = world.mastodon.apps.get(&caller.app);
        app.map(|a| Answer::ok(&entity(a)))
            .ok_or_else(errors::invalid_token)
    }))
}

/// The scopes of this server, for discovery.
pub(super) fn scopes() -> &'static [&'static str] {
    &SCOPES
}

fn entity(app: &App) -> Value {
    json!({
        "id": app.id,
        "name": app.name,
        "website": app.website,
        "scopes": app.scopes,
        "redirect_uri": app.redirect_uris.join("\n"),
        "redirect_uris": app.redirect_uris,
        "vapid_key": "BCk-QqERU0q-CfYZjcuB6lnyyOYfJ2AifKqfeGIm7Z-HiTU5T9eTG5GxVA0_OH5mMlI4UkkDTpaZwozy0TzdZ2M=",
    })
}
