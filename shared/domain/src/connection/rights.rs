//! What a connection may do, and which permission, role or account stands in the way.

use serde::{Deserialize, Serialize};

use super::{AccountState, Facts, Publishing};
use crate::{
    grant::AuthState,
    platform::{Platform, Right},
};

/// A permission that a person has declined, and the right that is off without it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declined {
    /// The permission, in the platform's own name.
    pub scope: String,
    /// What depends on it.
    pub right: Right,
}

/// A right that a connection does not have now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RightOff {
    /// Which.
    pub right: Right,
    /// Why, as a stable code: `auth_state`, `scopes_missing`, `account`, `scope_declined`, `not_offered`, or a code of
    /// [`Publishing`].
    pub why: String,
}

/// Required permissions that are not among the granted ones.
#[must_use]
pub fn missing_scopes(platform: Platform, granted: &[String]) -> Vec<String> {
    let required = platform.capabilities().required_scopes.iter();
    required
        .filter(|scope| !holds(granted, scope))
        .map(|scope| (*scope).to_owned())
        .collect()
}

/// Optional permissions that are not among the granted ones, and what is off without them.
#[must_use]
pub fn declined_scopes(platform: Platform, granted: &[String]) -> Vec<Declined> {
    let optional = platform.capabilities().optional_scopes.iter();
    optional
        .filter(|(scope, _)| !holds(granted, scope))
        .map(|(scope, right)| Declined {
            scope: (*scope).to_owned(),
            right: *right,
        })
        .collect()
}

/// Whether the account was connected in a way that the platform has given up: it holds a permission of that time, and
/// lacks one of those that replaced it.
#[must_use]
pub fn is_of_old_method(platform: Platform, granted: &[String]) -> bool {
    let former = platform.capabilities().former_scopes;
    let holds_former = former.iter().any(|scope| holds(granted, scope));
    holds_former && !missing_scopes(platform, granted).is_empty()
}

fn holds(granted: &[String], scope: &str) -> bool {
    granted.iter().any(|one| one == scope)
}

/// Whether the connection has a right that only a declined permission can take.
#[must_use]
pub fn may(declined: &[Declined], right: Right) -> bool {
    declined.iter().all(|one| one.right != right)
}

/// Everything that the connection cannot do as it stands, strongest reason first for each right.
#[must_use]
pub fn rights_off(platform: Platform, facts: &Facts) -> Vec<RightOff> {
    let mut off: Vec<RightOff> = Vec::new();
    let mut add = |right: Right, why: &str| {
        if off.iter().all(|one| one.right != right) {
            let why = why.to_owned();
            off.push(RightOff { right, why });
        }
    };
    if facts.auth_state != AuthState::Connected {
        for right in Right::ALL {
            add(right, "auth_state");
        }
    }
    if let Some(why) = facts.publishing.and_then(Publishing::denied) {
        add(Right::Publish, why.code());
    }
    if !facts.scopes_missing.is_empty() {
        add(Right::Publish, "scopes_missing");
    }
    if facts.account.is_some_and(AccountState::bars_publishing) {
        add(Right::Publish, "account");
    }
    for declined in &facts.scopes_declined {
        add(declined.right, "scope_declined");
    }
    let row = platform.capabilities();
    if !row.reads_back {
        add(Right::Verify, "not_offered");
    }
    if !row.deletes {
        add(Right::Delete, "not_offered");
    }
    off
}

#[cfg(test)]
#[path = "rights_test.rs"]
mod tests;
