//! Access and refresh tokens: issuing them, and what makes them die.

use serde::{Deserialize, Serialize};

use super::{MemberState, errors};
use crate::call::Answer;
use crate::world::{ALPHANUMERIC, World};

/// An access token lives 60 days.
pub(super) const ACCESS_LIFE_S: i64 = 60 * 24 * 3600;
/// A refresh token lives 365 days from the consent; refreshing does not lengthen that.
pub(super) const REFRESH_LIFE_S: i64 = 365 * 24 * 3600;
/// "Approximately 500 characters", the documentation says of access tokens.
const TOKEN_LENGTH: usize = 347;

/// A token that was issued.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) app: String,
    pub(super) member: String,
    pub(super) kind: Kind,
    pub(super) scopes: Vec<String>,
    pub(super) authorized_at: i64,
    pub(super) issued_at: i64,
    pub(super) expires_at: i64,
    pub(super) dead: Option<LinkedInRevokeReason>,
}

/// What a token is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Access,
    Refresh,
}

/// Why tokens stop working.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkedInRevokeReason {
    /// The person removed the app, or the app gave the token back: 65601.
    Removed,
    /// A consent to other permissions replaced it, or LinkedIn ended it: 65600.
    Invalidated,
    /// As if its time had come: 65602.
    Expired,
}

/// Which tokens of a person are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkedInTokenScope {
    /// Access and refresh tokens.
    #[default]
    All,
    /// Access tokens only.
    Access,
    /// Refresh tokens only.
    Refresh,
}

/// How introspection speaks of a token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Active,
    Expired,
    Revoked,
}

impl Status {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

/// A consent of a person to an app, from which tokens are made.
pub(super) struct Consent<'a> {
    pub(super) app: &'a str,
    pub(super) member: &'a str,
    pub(super) scopes: &'a [String],
    /// When the person consented.
    pub(super) at: i64,
}

/// Issues a token that lives until `expires_at`.
pub(super) fn issue(
    world: &mut World,
    consent: &Consent<'_>,
    kind: Kind,
    expires_at: i64,
) -> String {
    let prefix = match kind {
        Kind::Access => "AQX",
        Kind::Refresh => "AQW",
    };
    let text = format!("{prefix}{}", world.word(ALPHANUMERIC, TOKEN_LENGTH));
    let token = Token {
        app: consent.app.to_owned(),
        member: consent.member.to_owned(),
        kind,
        scopes: consent.scopes.to_vec(),
        authorized_at: consent.at,
        issued_at: world.now,
        expires_at,
        dead: None,
    };
    if let Some(member) = world.linkedin.members.get_mut(consent.member) {
        member.tokens.push(text.clone());
    }
    world.linkedin.tokens.insert(text.clone(), token);
    text
}

/// Ends tokens of a person, of one app when it is named. Tokens that are issued later live.
pub(super) fn kill(
    world: &mut World,
    member: &str,
    app: Option<&str>,
    which: LinkedInTokenScope,
    reason: LinkedInRevokeReason,
) {
    let state = &mut world.linkedin;
    let Some(member) = state.members.get(member) else {
        return;
    };
    for text in &member.tokens {
        let Some(token) = state.tokens.get_mut(text) else {
            continue;
        };
        let meant = match which {
            LinkedInTokenScope::All => true,
            LinkedInTokenScope::Access => token.kind == Kind::Access,
            LinkedInTokenScope::Refresh => token.kind == Kind::Refresh,
        };
        if meant && app.is_none_or(|app| app == token.app) {
            token.dead.get_or_insert(reason);
        }
    }
}

/// How a token stands now.
pub(super) fn status(world: &World, token: &Token) -> Status {
    let closed = member_state(world, token) == MemberState::Closed;
    match token.dead {
        Some(LinkedInRevokeReason::Removed | LinkedInRevokeReason::Invalidated) => Status::Revoked,
        Some(LinkedInRevokeReason::Expired) => Status::Expired,
        None if closed => Status::Revoked,
        None if token.expires_at <= world.now => Status::Expired,
        None => Status::Active,
    }
}

/// Why the API refuses a token now, if it does.
pub(super) fn refusal(world: &World, token: &Token) -> Option<Answer> {
    if token.dead == Some(LinkedInRevokeReason::Invalidated) {
        return Some(errors::invalid_token());
    }
    match status(world, token) {
        Status::Revoked => Some(errors::revoked_token()),
        Status::Expired => Some(errors::expired_token()),
        Status::Active if member_state(world, token) == MemberState::Restricted => {
            Some(errors::restricted_member())
        }
        Status::Active => None,
    }
}

fn member_state(world: &World, token: &Token) -> MemberState {
    let member = world.linkedin.members.get(&token.member);
    member.map_or(MemberState::Closed, |member| member.state)
}
