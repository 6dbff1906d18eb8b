//! Access and refresh tokens: their lives, and what ends them.

use std::collections::BTreeSet;

use super::access::Caller;
use crate::world::{ALPHANUMERIC, World};

/// Life of an access token, as `expires_in` says.
pub(crate) const ACCESS_LIFE_S: i64 = 3599;
/// A refresh token that is not used for six months ends.
const UNUSED_LIFE_MS: i64 = 183 * 24 * 3_600_000;
/// Life of a refresh token of an app in testing, as `refresh_token_expires_in` says.
pub(crate) const TESTING_LIFE_S: i64 = 604_799;
/// Live refresh tokens of one account for one client; one more ends the oldest.
const REFRESH_TOKENS_AT_ONCE: usize = 100;

/// An access token.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) app: String,
    pub(crate) user: String,
    pub(crate) channel: Option<String>,
    pub(crate) scopes: BTreeSet<String>,
    /// Milliseconds since the epoch.
    pub(crate) expires_at: i64,
    pub(crate) offline: bool,
    pub(crate) revoked: bool,
}

/// A refresh token. It is not rotated: it may be used again and again.
#[derive(Clone)]
pub(crate) struct Refresh {
    pub(crate) app: String,
    pub(crate) user: String,
    pub(crate) channel: Option<String>,
    pub(crate) scopes: BTreeSet<String>,
    pub(crate) used_at: i64,
    /// The end of a time-limited one.
    pub(crate) expires_at: Option<i64>,
    pub(crate) revoked: bool,
    /// Order of issue.
    number: u64,
}

impl Refresh {
    /// Whether it can be exchanged at that time.
    pub(crate) fn lives(&self, now: i64) -> bool {
        let ended = self.expires_at.is_some_and(|end| end <= now);
        !self.revoked && !ended && now - self.used_at < UNUSED_LIFE_MS
    }
}

/// Makes an access token.
pub(crate) fn issue_access(
    world: &mut World,
    caller: &Caller,
    scopes: BTreeSet<String>,
    life_s: i64,
    offline: bool,
) -> String {
    let text = format!("ya29.a0{}", world.word(ALPHANUMERIC, 180));
    let token = Access {
        app: caller.app.clone(),
        user: caller.user.clone(),
        channel: caller.channel.clone(),
        scopes,
        expires_at: world.now + life_s * 1000,
        offline,
        revoked: false,
    };
    world.youtube.access.insert(text.clone(), token);
    text
}

/// Makes a refresh token; the hundred-and-first ends the oldest, silently.
pub(crate) fn issue_refresh(
    world: &mut World,
    caller: &Caller,
    scopes: BTreeSet<String>,
) -> String {
    let text = format!("1//0{}", world.word(ALPHANUMERIC, 100));
    let testing = world
        .youtube
        .apps
        .get(&caller.app)
        .is_some_and(|a| a.testing);
    let (now, number) = (world.now, world.youtube.number());
    let token = Refresh {
        app: caller.app.clone(),
        user: caller.user.clone(),
        channel: caller.channel.clone(),
        scopes,
        used_at: now,
        expires_at: testing.then_some(now + TESTING_LIFE_S * 1000),
        revoked: false,
        number,
    };
    world.youtube.refresh.insert(text.clone(), token);
    let live = world.youtube.refresh.values_mut();
    let mut live: Vec<&mut Refresh> = live
        .filter(|t| t.user == caller.user && t.app == caller.app && t.lives(now))
        .collect();
    if live.len() > REFRESH_TOKENS_AT_ONCE
        && let Some(oldest) = live.iter_mut().min_by_key(|t| t.number)
    {
        oldest.revoked = true;
    }
    text
}

/// Takes the access of an app (of all apps when none is named) to an account away: consent,
/// refresh tokens and access tokens.
pub(crate) fn revoke_all(world: &mut World, user: &str, app: Option<&str>) {
    let fits = |of_user: &str, of_app: &str| of_user == user && app.is_none_or(|a| a == of_app);
    let state = &mut world.youtube;
    state.grants.retain(|(u, a), _| !fits(u, a));
    for token in state.access.values_mut().filter(|t| fits(&t.user, &t.app)) {
        token.revoked = true;
    }
    for token in state.refresh.values_mut().filter(|t| fits(&t.user, &t.app)) {
        token.revoked = true;
    }
}
