//! Who calls, and what they may do.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::tokens::Token;
use super::{Page, errors, form};
use crate::call::{Answer, Call};
use crate::world::World;

/// The task that allows publishing.
pub(crate) const CREATE_CONTENT: &str = "CREATE_CONTENT";
const PUBLISH_SCOPE: &str = "pages_manage_posts";
const READ_SCOPE: &str = "pages_read_engagement";

/// Who calls.
pub(crate) enum Caller {
    /// An app with its own token.
    App(String),
    /// A person, or a page in a person's name.
    Holder(Token),
}

/// The token of a call, from header, query or form.
pub(crate) fn token_of(call: &Call) -> Option<&str> {
    form::field(call, "access_token").or(call.header_token.as_deref())
}

/// Finds out who calls, and refuses dead tokens and wrong proofs.
pub(crate) fn caller(world: &World, call: &Call) -> Result<Caller, Answer> {
    let text = token_of(call)
        .filter(|t| !t.is_empty())
        .ok_or_else(errors::no_token)?;
    if let Some((app, secret)) = text.split_once('|') {
        check_secret(world, app, secret)?;
        return Ok(Caller::App(app.to_owned()));
    }
    let garbage = || {
        errors::token(
            None,
            "Invalid OAuth access token - Cannot parse access token",
        )
    };
    let token = world.facebook.tokens.get(text).ok_or_else(garbage)?;
    check_proof(world, call, token, text)?;
    match world.facebook.problem(token, world.now) {
        Some(problem) => Err(errors::token(Some(problem.subcode), &problem.message)),
        None => Ok(Caller::Holder(token.clone())),
    }
}

/// The person or page that calls; an app by itself is refused.
pub(crate) fn holder(world: &World, call: &Call) -> Result<Token, Answer> {
    match caller(world, call)? {
        Caller::Holder(token) => Ok(token),
        Caller::App(_) => Err(errors::bad_parameter(
            "This call needs a user or page access token, not an app access token",
        )),
    }
}

/// The holder of the `Authorization` header, for the host of uploads, which takes no parameters and
/// so no proof of the app's secret.
pub(crate) fn bearer(world: &World, call: &Call) -> Option<Token> {
    let token = world.facebook.tokens.get(call.header_token.as_deref()?)?;
    let is_dead = world.facebook.problem(token, world.now).is_some();
    (!is_dead).then(|| token.clone())
}

/// Checks an app's secret.
pub(crate) fn check_secret(world: &World, app: &str, secret: &str) -> Result<(), Answer> {
    let known = world
        .facebook
        .apps
        .get(app)
        .ok_or_else(errors::no_such_app)?;
    if known.secret == secret {
        Ok(())
    } else {
        Err(errors::wrong_secret())
    }
}

fn check_proof(world: &World, call: &Call, token: &Token, text: &str) -> Result<(), Answer> {
    let app = world
        .facebook
        .apps
        .get(&token.app)
        .ok_or_else(errors::no_such_app)?;
    match form::field(call, "appsecret_proof") {
        Some(given) if given != proof(&app.secret, text) => Err(errors::proof_wrong()),
        None if app.require_proof => Err(errors::proof_missing()),
        _ => Ok(()),
    }
}

/// Lower-case hex of HMAC-SHA256(key = app secret, message = access token).
fn proof(secret: &str, token: &str) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of every length");
    mac.update(token.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// The page with this id, unless it is gone.
pub(crate) fn page<'w>(world: &'w World, method: &str, id: &str) -> Result<&'w Page, Answer> {
    let page = world.facebook.pages.get(id).filter(|p| !p.deleted);
    page.ok_or_else(|| errors::no_such_object(method, id))
}

/// The id that a path segment means; `me` is the token's own.
pub(crate) fn node_id(token: &Token, segment: &str) -> String {
    if segment == "me" {
        return token.page.clone().unwrap_or_else(|| token.user.clone());
    }
    segment.to_owned()
}

/// Whether this token may write on the page.
pub(crate) fn may_write(world: &World, token: &Token, page_id: &str) -> Result<(), Answer> {
    let page = page(world, "post", page_id)?;
    if token.page.is_none() {
        return Err(errors::page_token_wanted());
    }
    let user = world.facebook.users.get(&token.user);
    let scoped = |scope| user.is_some_and(|u| u.has(scope, Some(page_id)));
    let own_page = token.page.as_deref() == Some(page_id);
    let tasks = page.tasks.get(&token.user);
    let has_task = tasks.is_some_and(|t| t.iter().any(|t| t == CREATE_CONTENT));
    if own_page && has_task && scoped(PUBLISH_SCOPE) && scoped(READ_SCOPE) {
        Ok(())
    } else {
        Err(errors::may_not_publish())
    }
}

/// Whether this token may read the page's posts.
pub(crate) fn may_read(world: &World, token: &Token, page_id: &str) -> Result<(), Answer> {
    page(world, "get", page_id)?;
    let user = world.facebook.users.get(&token.user);
    if user.is_some_and(|u| u.has(READ_SCOPE, Some(page_id))) {
        Ok(())
    } else {
        Err(errors::may_not_read(READ_SCOPE))
    }
}
