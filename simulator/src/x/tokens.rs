//! Tokens: two-hour access tokens, and refresh tokens that work once.
//!
//! All tokens that came of one consent are a family. A refresh token that is
//! used a second time ends the whole family.

use serde_json::{Value, json};

use super::State;
use crate::world::{ALPHANUMERIC, World};

/// Life of an access token.
pub(super) const ACCESS_LIFE_S: i64 = 7200;
/// Life of a refresh token: six months (from memory; no official statement).
pub(super) const REFRESH_LIFE_S: i64 = 182 * 24 * 3600;
/// The scope without which no refresh token is issued.
pub(super) const OFFLINE: &str = "offline.access";

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Calls the API.
    Access,
    /// Gets the next pair.
    Refresh,
}

/// A token that was issued.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) family: u64,
    pub(crate) kind: Kind,
    pub(crate) expires_at: i64,
    /// A refresh token that was used, or an access token that was given back.
    pub(crate) spent: bool,
}

/// One consent of a user to an app.
pub(crate) struct Family {
    pub(crate) app: String,
    pub(crate) user: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) revoked: bool,
    /// Refreshes that were granted.
    pub(crate) refreshes: u64,
}

/// A fresh pair.
pub(super) struct Pair {
    pub(super) access: String,
    pub(super) refresh: Option<String>,
    pub(super) scope: String,
    pub(super) expires_in: i64,
}

impl Pair {
    /// The answer of the token endpoint.
    pub(super) fn body(&self) -> Value {
        let mut body = json!({
            "token_type": "bearer",
            "expires_in": self.expires_in,
            "access_token": self.access,
            "scope": self.scope,
        });
        if let Some(refresh) = &self.refresh {
            body["refresh_token"] = refresh.as_str().into();
        }
        body
    }
}

impl State {
    /// A user consents to an app.
    pub(super) fn consent(&mut self, app: &str, user: &str, scopes: Vec<String>) -> u64 {
        self.last_family += 1;
        let family = Family {
            app: app.to_owned(),
            user: user.to_owned(),
            scopes,
            revoked: false,
            refreshes: 0,
        };
        self.families.insert(self.last_family, family);
        self.last_family
    }

    /// The token with its family, when it is of that kind, alive and not used up.
    pub(super) fn live_token(&self, text: &str, kind: Kind, now: i64) -> Option<(&Token, &Family)> {
        let token = self.tokens.get(text)?;
        let family = self.families.get(&token.family)?;
        let lives = token.kind == kind && !token.spent && token.expires_at > now;
        (lives && !family.revoked).then_some((token, family))
    }

    /// Ends a consent and all its tokens. Says whether it still stood.
    pub(super) fn end_family(&mut self, id: u64) -> bool {
        let family = self.families.get_mut(&id).filter(|f| !f.revoked);
        family.is_some_and(|f| {
            f.revoked = true;
            true
        })
    }
}

/// Issues a pair in a family, with the lives that are asked for (seconds).
pub(super) fn issue(world: &mut World, family: u64, access_s: i64, refresh_s: i64) -> Pair {
    let access = token_text(world, "at");
    let scopes = world.x.families.get(&family).map(|f| f.scopes.clone());
    let scopes = scopes.unwrap_or_default();
    let refresh = scopes
        .iter()
        .any(|s| s == OFFLINE)
        .then(|| token_text(world, "rt"));
    let now = world.now;
    let mut keep = |text: &str, kind, life_s: i64| {
        let token = Token {
            family,
            kind,
            expires_at: now + life_s * 1000,
            spent: false,
        };
        world.x.tokens.insert(text.to_owned(), token);
    };
    keep(&access, Kind::Access, access_s);
    if let Some(refresh) = &refresh {
        keep(refresh, Kind::Refresh, refresh_s);
    }
    Pair {
        access,
        refresh,
        scope: scopes.join(" "),
        expires_in: access_s,
    }
}

/// About as long as the platform's own.
fn token_text(world: &mut World, kind: &str) -> String {
    let now = world.now;
    format!("{}:{now}:1:{kind}:1", world.word(ALPHANUMERIC, 43))
}
