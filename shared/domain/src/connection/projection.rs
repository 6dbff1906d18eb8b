//! One truth, many vocabularies: what people, pages and other tools call the state of a connection.
//!
//! Nothing here is stored. Each function takes what [`assess`](super::assess) found and answers in the words of one
//! of the tables that people know.

use serde::{Deserialize, Serialize};

use super::{AccountState, Assessment, Health, Publishing, Reason, declined_scopes, may};
use crate::{
    grant::AuthState,
    platform::{Platform, Right},
    time::Time,
};

/// A connection's state, as every projection reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing<'a> {
    /// A person disconnected it.
    pub removed: bool,
    /// The worse of the grant's and the connection's own state.
    pub auth: AuthState,
    /// Health now, with its reasons.
    pub assessment: &'a Assessment,
}

/// Two colours: can it publish and read, or does somebody have to reconnect it?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Colour {
    /// It publishes and reads.
    Green,
    /// It does not: somebody must reconnect it, or clear something up at the platform.
    Amber,
}

impl Colour {
    /// The name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Amber => "amber",
        }
    }
}

/// Three states, as lists of integrations show them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// All is well.
    Active,
    /// It works, but something wants attention, or nobody has looked for too long.
    Warning,
    /// It cannot publish.
    Error,
}

impl Signal {
    /// The name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// The icon's name: a shape of its own for each state, for people who cannot tell the colours.
    #[must_use]
    pub const fn icon(self) -> &'static str {
        match self {
            Self::Active => "check-circle",
            Self::Warning => "alert-triangle",
            Self::Error => "x-octagon",
        }
    }
}

/// Whether a connection may publish, by its permissions and its account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PublishCapability {
    /// Everything that the platform takes.
    Full,
    /// Words, but no images or videos: the permission for them was declined.
    TextOnly,
    /// Nothing: connected by an old method or with permissions declined, or the role was lost.
    None,
    /// Nobody has looked yet.
    Unknown,
}

impl PublishCapability {
    /// The name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::TextOnly => "text_only",
            Self::None => "none",
            Self::Unknown => "unknown",
        }
    }
}

impl Standing<'_> {
    /// connected, expired, revoked, error; or removed.
    #[must_use]
    pub const fn auth_state(&self) -> &'static str {
        if self.removed {
            "removed"
        } else {
            self.auth.as_str()
        }
    }

    /// healthy, warning, critical, unknown, refreshing; or removed.
    #[must_use]
    pub const fn health(&self) -> &'static str {
        if self.removed {
            "removed"
        } else {
            self.assessment.health.as_str()
        }
    }

    /// Whether a reconnect is what it needs. An account that its platform has suspended needs something else.
    #[must_use]
    pub fn needs_reconnect(&self) -> bool {
        let heals = |reason: &Reason| match reason {
            Reason::Auth { .. }
            | Reason::TokenEnded
            | Reason::ScopesMissing { .. }
            | Reason::RefreshExhausted => true,
            Reason::Account { state } => {
                matches!(state, AccountState::RoleLost | AccountState::Gone)
            }
            Reason::NoPublishing { .. }
            | Reason::Provider { .. }
            | Reason::ProviderUnsteady
            | Reason::Flapping
            | Reason::ScopesDeclined { .. }
            | Reason::EndsSoon
            | Reason::Stale
            | Reason::Unused => false,
        };
        !self.removed && self.assessment.reasons.iter().any(heals)
    }

    /// Green, where it publishes and reads.
    #[must_use]
    pub fn colour(&self) -> Colour {
        let barred = |reason: &Reason| match reason {
            Reason::Account { state } => state.bars_publishing(),
            Reason::NoPublishing { .. } => true,
            _ => false,
        };
        let barred = self.assessment.reasons.iter().any(barred);
        if self.removed || barred || self.needs_reconnect() {
            Colour::Amber
        } else {
            Colour::Green
        }
    }

    /// Active, warning or error.
    #[must_use]
    pub const fn signal(&self) -> Signal {
        if self.removed {
            return Signal::Error;
        }
        match self.assessment.health {
            Health::Healthy | Health::Refreshing => Signal::Active,
            Health::Warning | Health::Unknown => Signal::Warning,
            Health::Critical => Signal::Error,
        }
    }

    /// One sentence for people. Names no permission: those are for admins.
    #[must_use]
    pub fn status_text(&self) -> &'static str {
        if self.removed {
            return "Disconnected";
        }
        if self.assessment.health == Health::Refreshing {
            return "The token is being renewed";
        }
        match self.assessment.reasons.first() {
            None => "All is well",
            Some(reason) => text(reason),
        }
    }

    /// Where it stands in a list that begins with what needs attention; smaller comes first.
    #[must_use]
    pub fn attention(&self) -> u8 {
        if self.removed {
            return 6;
        }
        match self.assessment.health {
            Health::Critical if self.needs_reconnect() => 0,
            Health::Critical => 1,
            Health::Unknown => 2,
            Health::Warning => 3,
            Health::Refreshing => 4,
            Health::Healthy => 5,
        }
    }

    /// Whether it may publish, by what was granted (`None` = not known) and by what the last check saw.
    #[must_use]
    pub fn publish(&self, platform: Platform, granted: Option<&[String]>) -> PublishCapability {
        let bars = |reason: &Reason| match reason {
            Reason::ScopesMissing { .. } | Reason::NoPublishing { .. } => true,
            Reason::Account { state } => state.bars_publishing(),
            _ => false,
        };
        let reasons = &self.assessment.reasons;
        if self.removed || reasons.iter().any(bars) {
            return PublishCapability::None;
        }
        let declined = |granted: &[String]| !may(&declined_scopes(platform, granted), Right::Media);
        match granted {
            Some(granted) if declined(granted) => PublishCapability::TextOnly,
            None if self.assessment.health == Health::Unknown => PublishCapability::Unknown,
            Some(_) | None => PublishCapability::Full,
        }
    }
}

const fn text(reason: &Reason) -> &'static str {
    match reason {
        Reason::Auth {
            state: AuthState::Revoked,
        } => "Access was taken back at the platform: please reconnect",
        Reason::Auth {
            state: AuthState::Error,
        } => "The platform refuses the credential: please reconnect",
        Reason::Auth { .. } | Reason::TokenEnded => "The token has ended: please reconnect",
        Reason::ScopesMissing { .. } => "Permissions are missing: please reconnect and grant them",
        Reason::Account { state } => account_text(*state),
        Reason::RefreshExhausted => "The token could not be renewed: please reconnect",
        Reason::NoPublishing {
            why: Publishing::NotOffered | Publishing::Region,
        } => "The platform does not offer posting to this account: its kind, or where it is",
        Reason::NoPublishing { .. } => "The account is of a kind that cannot be published to",
        Reason::Provider { .. } => "The platform has trouble: nothing needs to be done here",
        Reason::ProviderUnsteady => "The platform is slow or unsteady; posts still go out",
        Reason::Flapping => {
            "Access was taken back again and again: look at the platform's security settings"
        }
        Reason::ScopesDeclined { .. } => "Some permissions were declined: what needs them is off",
        Reason::EndsSoon => "The token ends soon: reconnect before it does",
        Reason::Stale => "Nobody could look at it lately",
        Reason::Unused => "It was not used with success for a day",
    }
}

const fn account_text(state: AccountState) -> &'static str {
    match state {
        AccountState::Accessible => "All is well",
        AccountState::Hidden => "The account is hidden from the public at the platform",
        AccountState::RoleLost => {
            "The role that may publish was lost: somebody who has it must reconnect"
        }
        AccountState::Unavailable => "The account is suspended, deleted or out of reach",
        AccountState::Gone => "The account is not among those that the log-in reaches: reconnect",
        AccountState::Checkpoint => "The platform wants its user to confirm something first",
    }
}

/// What somebody who asks for help would send along. Holds nothing that only admins may see.
#[must_use]
pub fn support_text(
    standing: &Standing<'_>,
    platform: Platform,
    connection: &str,
    checked_at: Option<Time>,
) -> String {
    let codes: Vec<&str> = standing
        .assessment
        .reasons
        .iter()
        .map(Reason::code)
        .collect();
    let checked = checked_at.map_or_else(|| "never".to_owned(), |at| at.to_rfc3339());
    format!(
        "Connection: {connection}\nPlatform: {}\nState: {} ({})\nReasons: {}\nLast check: {checked}\n{}",
        platform.capabilities().display_name,
        standing.health(),
        standing.auth_state(),
        if codes.is_empty() {
            "none".to_owned()
        } else {
            codes.join(", ")
        },
        standing.status_text(),
    )
}

#[cfg(test)]
#[path = "projection_test.rs"]
mod tests;
