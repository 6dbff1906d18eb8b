//! Who calls with a token of this log-in, and what makes tokens die.

use super::{Account, Flavor, MetaAccountState, Realm, Token, graph};
use crate::call::{Answer, Call};
use crate::clock::pacific_time;
use crate::facebook::tokens::RevokeReason;
use crate::facebook::{access, errors};
use crate::pipeline::Subject;
use crate::world::{ALPHANUMERIC, World};

/// A long-lived token lives 60 days.
pub(crate) const LONG_LIFE_S: i64 = 60 * 24 * 3600;
/// A token fresh from the log-in lives an hour.
pub(crate) const SHORT_LIFE_S: i64 = 3600;

/// Who does something to whose account.
pub(crate) struct Actor {
    pub(crate) account: String,
    pub(crate) app: String,
}

/// The token that calls; a dead one is refused.
pub(crate) fn holder(flavor: &Flavor, world: &World, call: &Call) -> Result<Token, Answer> {
    let text = access::token_of(call).filter(|t| !t.is_empty());
    let text = text.ok_or_else(errors::no_token)?;
    let realm = (flavor.realm)(world);
    let garbage = "Invalid OAuth access token - Cannot parse access token";
    let token = realm.tokens.get(text);
    let token = token.ok_or_else(|| errors::token(None, garbage))?;
    match realm.problem(token, world.now) {
        Some((subcode, message)) => {
            let told = (!realm.settings.omit_subcodes).then_some(subcode);
            Err(errors::token(told, &message))
        }
        None => Ok(token.clone()),
    }
}

/// The caller as an actor on the account that a path segment names, with these permissions.
pub(crate) fn actor(
    flavor: &Flavor,
    world: &World,
    call: &Call,
    account: &str,
    scopes: &[&str],
) -> Result<Actor, Answer> {
    let token = holder(flavor, world, call)?;
    let own = (flavor.realm)(world).account(call, &token.account)?;
    let named = [token.account.as_str(), own.app_scoped_id.as_str(), "me"];
    if !named.contains(&account) {
        return Err(errors::no_such_object(&method(call), account));
    }
    if !scopes.iter().all(|s| own.has(s)) {
        return Err(graph::permission_missing());
    }
    Ok(Actor {
        account: token.account,
        app: token.app,
    })
}

/// The request's method as error texts write it.
pub(crate) fn method(call: &Call) -> String {
    call.method.as_str().to_ascii_lowercase()
}

/// Whose call it is: the account in the path, else whom the token, code or hint is about.
pub(crate) fn subject(flavor: &Flavor, world: &World, call: &Call) -> Subject {
    let realm = (flavor.realm)(world);
    let token = |text: Option<&str>| text.and_then(|t| realm.tokens.get(t));
    let about = token(call.param("input_token")).or_else(|| token(access::token_of(call)));
    let code = call.param("code").and_then(|c| realm.codes.get(c));
    let hint = call.param("login_hint");
    let hint = hint.filter(|a| realm.accounts.contains_key(*a));
    let owner = about.map(|t| t.account.as_str());
    let owner = owner.or(code.map(|c| c.account.as_str())).or(hint);
    let owner = owner.unwrap_or("").to_owned();
    let account = realm.owner_of(call.segment(0));
    Subject {
        account: account.unwrap_or(&owner).to_owned(),
        owner,
    }
}

/// Issues a token that lives `life_s` seconds from `issued_at` on.
pub(crate) fn issue(flavor: &Flavor, world: &mut World, token: Token) -> String {
    let text = format!("{}{}", flavor.token_prefix, world.word(ALPHANUMERIC, 120));
    let realm = (flavor.realm_mut)(world);
    if let Some(account) = realm.accounts.get_mut(&token.account) {
        account.tokens.push(text.clone());
    }
    realm.tokens.insert(text.clone(), token);
    text
}

impl Realm {
    /// The account to which an account's, container's or media's id belongs.
    pub(crate) fn owner_of(&self, id: &str) -> Option<&str> {
        let account = self.accounts.get_key_value(id).map(|(id, _)| id);
        let container = || self.containers.get(id).map(|c| &c.account);
        let media = || self.media.get(id).map(|m| &m.account);
        account
            .or_else(container)
            .or_else(media)
            .map(String::as_str)
    }

    /// The account with this id, unless it is gone or not served.
    pub(crate) fn account(&self, call: &Call, id: &str) -> Result<&Account, Answer> {
        let found = self.accounts.get(id);
        let found = found.ok_or_else(|| errors::no_such_object(&method(call), id))?;
        match found.state {
            MetaAccountState::Deleted => Err(errors::no_such_object(&method(call), id)),
            MetaAccountState::Personal => {
                let text = "(#10) The user is not an Instagram Business";
                Err(graph::error("OAuthException", 10, None, text))
            }
            MetaAccountState::Active
            | MetaAccountState::Restricted
            | MetaAccountState::SpamBlocked => Ok(found),
        }
    }

    /// Subcode and text of what is wrong with a token now.
    pub(crate) fn problem(&self, token: &Token, now: i64) -> Option<(u32, String)> {
        let expired = (token.expires_at <= now).then_some(RevokeReason::Expired);
        if let Some(reason) = token.dead.or(expired) {
            return Some(death(reason, token, now));
        }
        let account = self.accounts.get(&token.account)?;
        let text = "You cannot access the app till you log in to www.instagram.com and follow the instructions given.";
        account
            .checkpoint
            .then(|| (459, format!("Error validating access token: {text}")))
    }

    /// Kills the tokens of an account that live now.
    pub(crate) fn kill_tokens(&mut self, account: &str, reason: RevokeReason) {
        let tokens = self.accounts.get(account).map(|a| &a.tokens);
        for text in tokens.into_iter().flatten() {
            if let Some(token) = self.tokens.get_mut(text) {
                token.dead.get_or_insert(reason);
            }
        }
    }
}

fn death(reason: RevokeReason, token: &Token, now: i64) -> (u32, String) {
    let (subcode, text) = match reason {
        RevokeReason::AppRemoved => {
            let text = format!("The user has not authorized application {}.", token.app);
            (458, text)
        }
        RevokeReason::PasswordChanged => {
            let text = "The session has been invalidated because the user changed their password or Facebook has \
                changed the session for security reasons.";
            (460, text.to_owned())
        }
        RevokeReason::Expired => {
            let (end, now) = (pacific_time(token.expires_at.min(now)), pacific_time(now));
            (
                463,
                format!("Session has expired on {end}. The current time is {now}."),
            )
        }
        RevokeReason::Invalidated => {
            let text = "The session was invalidated explicitly using an API call.";
            (466, text.to_owned())
        }
        RevokeReason::LoggedOut => {
            let text = "This may be because the user logged out or may be due to a system error.";
            (467, text.to_owned())
        }
    };
    (subcode, format!("Error validating access token: {text}"))
}
