//! Tokens: who calls, and whether it may.

use super::{Account, MastodonAccountState, errors};
use crate::call::{Answer, Call};
use crate::world::World;

/// Who calls.
pub(super) struct Caller {
    pub(super) app: String,
    pub(super) account: Option<String>,
}

/// A caller whose token lives and has one of the scopes (or their whole family).
pub(super) fn token(world: &World, call: &Call, scopes: &[&str]) -> Result<Caller, Answer> {
    let sent = call.header_token.as_deref().unwrap_or("");
    let token = world
        .mastodon
        .tokens
        .get(sent)
        .ok_or_else(errors::invalid_token)?;
    if token.revoked {
        return Err(errors::error(401, "The access token was revoked"));
    }
    if token.expires_at.is_some_and(|end| end <= world.now) {
        return Err(errors::error(401, "The access token expired"));
    }
    let has = |scope: &str| {
        let family = scope.split(':').next().unwrap_or(scope);
        token.scopes.iter().any(|own| own == scope || own == family)
    };
    if !scopes.is_empty() && !scopes.iter().any(|s| has(s)) {
        return Err(errors::outside_scopes());
    }
    Ok(Caller {
        app: token.app.clone(),
        account: token.account.clone(),
    })
}

/// The same, for what only a person in good standing may do: app and account.
pub(super) fn person(
    world: &World,
    call: &Call,
    scopes: &[&str],
) -> Result<(String, String), Answer> {
    let caller = token(world, call, scopes)?;
    let needs_user = || errors::error(422, "This method requires an authenticated user");
    let id = caller.account.ok_or_else(needs_user)?;
    let account = world.mastodon.accounts.get(&id).ok_or_else(needs_user)?;
    let text = match account.state {
        MastodonAccountState::Active | MastodonAccountState::Limited => {
            return Ok((caller.app, id));
        }
        MastodonAccountState::Unconfirmed => "Your login is missing a confirmed e-mail address",
        MastodonAccountState::Pending => "Your login is currently pending approval",
        MastodonAccountState::Disabled | MastodonAccountState::Suspended => {
            "Your login is currently disabled"
        }
        MastodonAccountState::Deleted => return Err(errors::invalid_token()),
    };
    Err(errors::error(403, text))
}

/// Who reads. Without a token everybody may, unless the server says otherwise.
pub(super) fn reader(world: &World, call: &Call, scope: &str) -> Result<Option<String>, Answer> {
    if call.header_token.is_some() {
        return token(world, call, &[scope]).map(|c| c.account);
    }
    if world.mastodon.settings.public_reads {
        Ok(None)
    } else {
        Err(errors::error(
            401,
            "This API requires an authenticated user",
        ))
    }
}

/// An account as the world sees it: not when it is gone.
pub(super) fn known<'w>(world: &'w World, id: &str) -> Result<&'w Account, Answer> {
    let account = world.mastodon.accounts.get(id);
    let there = |a: &&Account| match a.state {
        MastodonAccountState::Deleted
        | MastodonAccountState::Pending
        | MastodonAccountState::Unconfirmed => false,
        MastodonAccountState::Active
        | MastodonAccountState::Disabled
        | MastodonAccountState::Suspended
        | MastodonAccountState::Limited => true,
    };
    account.filter(there).ok_or_else(errors::not_found)
}
