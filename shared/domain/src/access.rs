//! Who may do what in a workspace.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    acts::act,
    decision::{Change, Decision},
    event::{Event, KeyCreated},
    id::{KeyId, WorkspaceId},
};

/// What a key may do in a workspace. Each role has the rights of those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees everything but secrets and the permissions of credentials.
    Viewer,
    /// Connects, reconnects, disconnects, posts.
    Operator,
    /// Also: keys, permissions of credentials, the kill switch, copies to other workspaces.
    Admin,
}

impl Role {
    /// All of them, the weakest first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// The name in the database and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is no role; use viewer, operator or admin")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == text);
        found.ok_or(UnknownRole)
    }
}

/// A key to the API, as it is stored. The key itself is shown once and kept nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// Its id.
    pub key: KeyId,
    /// What people call it.
    pub name: String,
    /// SHA-256 of the key, in hex.
    pub digest: String,
    /// What it may do where.
    pub roles: Vec<(WorkspaceId, Role)>,
}

/// A new key to the API.
#[must_use]
pub fn create_key(new: NewKey, role: Role) -> Decision {
    act()
        .event(Event::KeyCreated(KeyCreated {
            key: new.key,
            name: new.name.clone(),
            role,
        }))
        .change(Change::KeyCreated(Box::new(new)))
}

/// A key that opens nothing any more.
#[must_use]
pub fn revoke_key(key: KeyId) -> Decision {
    act()
        .event(Event::KeyRevoked { key })
        .change(Change::KeyRevoked { key })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_has_the_rights_of_those_before_it() {
        assert!(Role::Admin > Role::Operator && Role::Operator > Role::Viewer);
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert_eq!("owner".parse::<Role>(), Err(UnknownRole));
    }
}
