//! Tokens: who calls, and whether the creator granted what the call needs.

use std::collections::BTreeSet;

use super::{Token, errors, webhooks};
use crate::call::{Answer, Call};
use crate::world::{ALPHANUMERIC, World};

/// A fresh pair.
pub(super) struct Pair {
    pub(super) access: String,
    pub(super) refresh: String,
}

/// The token of a call, with the scope checked.
pub(super) fn caller(world: &World, call: &Call, scope: &str) -> Result<Token, Answer> {
    let state = &world.tiktok;
    let sent = call.header_token.as_deref().unwrap_or("");
    let token = state.access_tokens.get(sent);
    let token = token.filter(|t| t.expires_at > world.now);
    let token = token.ok_or_else(errors::access_token_invalid)?;
    if granted(world, token).is_some_and(|scopes| scopes.contains(scope)) {
        Ok(token.clone())
    } else {
        Err(errors::scope_not_authorized())
    }
}

/// What the creator grants that app now.
pub(super) fn granted<'w>(world: &'w World, token: &Token) -> Option<&'w BTreeSet<String>> {
    world.tiktok.users.get(&token.user)?.grants.get(&token.app)
}

/// Issues an access token, and a refresh token.
pub(super) fn issue(
    world: &mut World,
    app: &str,
    user: &str,
    access_life_s: i64,
    refresh_life_s: i64,
) -> Pair {
    let token = |life_s: i64| Token {
        app: app.to_owned(),
        user: user.to_owned(),
        expires_at: world.now + life_s * 1000,
    };
    let (for_access, for_refresh) = (token(access_life_s), token(refresh_life_s));
    let pair = Pair {
        access: format!("act.{}", world.word(ALPHANUMERIC, 60)),
        refresh: format!("rft.{}", world.word(ALPHANUMERIC, 60)),
    };
    let state = &mut world.tiktok;
    state.access_tokens.insert(pair.access.clone(), for_access);
    state
        .refresh_tokens
        .insert(pair.refresh.clone(), for_refresh);
    pair
}

/// Ends tokens of a creator, for one app or all.
pub(super) fn end_tokens(world: &mut World, user: &str, app: Option<&str>) {
    let lives = |t: &Token| t.user != user || app.is_some_and(|a| a != t.app);
    world.tiktok.access_tokens.retain(|_, t| lives(t));
    world.tiktok.refresh_tokens.retain(|_, t| lives(t));
}

/// Ends what a creator granted, for one app or all, and tells the apps why.
pub(super) fn end_grants(world: &mut World, user: &str, app: Option<&str>, reason: u8) {
    end_tokens(world, user, app);
    let Some(known) = world.tiktok.users.get_mut(user) else {
        return;
    };
    let apps: Vec<String> = known.grants.keys().cloned().collect();
    for ended in apps
        .iter()
        .filter(|a| app.is_none_or(|one| one == a.as_str()))
    {
        if let Some(known) = world.tiktok.users.get_mut(user) {
            known.grants.remove(ended);
        }
        let content = serde_json::json!({ "reason": reason });
        webhooks::send(world, ended, "authorization.removed", user, &content);
    }
}
