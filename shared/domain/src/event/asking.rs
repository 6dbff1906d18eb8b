//! Events that ask a person to act: what they ask, whom they are about, and when nothing is to be done any more.

use super::Event;
use crate::{
    connection::{Facts, advice::Act},
    grant::AuthState,
    id::{ConnectionId, GrantId},
    time::{Time, days},
};

impl Event {
    /// The names of events that may ask a person to act: see [`Event::asks`].
    pub const ASKING: &[&str] = &[
        "auth_state_changed",
        "connection_stuck",
        "ends_in",
        "grant_flapping",
        "profile_gone",
        "refresh_exhausted",
        "rotation_lost",
        "security_event",
    ];

    /// What the event asks a person to do; `None` where nobody has to act.
    #[must_use]
    pub fn asks(&self) -> Option<Act> {
        match self {
            Self::AuthStateChanged { to, .. } => {
                (*to != AuthState::Connected).then_some(Act::Reconnect)
            }
            Self::EndsIn { .. }
            | Self::ProfileGone { .. }
            | Self::RefreshExhausted { .. }
            | Self::RotationLost { .. }
            | Self::SecurityEvent { .. } => Some(Act::Reconnect),
            Self::GrantFlapping { .. } => Some(Act::ClearUp),
            Self::ConnectionStuck { .. } => Some(Act::Support),
            _ => None,
        }
    }

    /// The connections that an event which asks for an act names; empty where it names their grant only.
    #[must_use]
    pub fn names(&self) -> Vec<ConnectionId> {
        match self {
            Self::EndsIn { connections, .. }
            | Self::GrantFlapping { connections, .. }
            | Self::ProfileGone { connections, .. }
            | Self::SecurityEvent { connections, .. } => connections.clone(),
            Self::ConnectionStuck { connection, .. } => vec![*connection],
            _ => Vec::new(),
        }
    }

    /// The grant that an event which asks for an act is about.
    #[must_use]
    pub const fn of_grant(&self) -> Option<GrantId> {
        match self {
            Self::AuthStateChanged { grant, .. }
            | Self::EndsIn { grant, .. }
            | Self::GrantFlapping { grant, .. }
            | Self::ProfileGone { grant, .. }
            | Self::RefreshExhausted { grant, .. }
            | Self::RotationLost { grant }
            | Self::SecurityEvent { grant, .. } => Some(*grant),
            _ => None,
        }
    }

    /// Whether nothing is to be done any more about one of its connections, as that stands now: a person has given the
    /// consent anew since it was told, or its cause is gone by itself.
    #[must_use]
    pub fn is_settled(&self, told_at: Time, consented_at: Time, facts: &Facts) -> bool {
        let gone = match self {
            Self::EndsIn { ends_at, .. } => {
                let later = facts.ends_at.is_none_or(|end| end >= *ends_at + days(1));
                facts.auth_state == AuthState::Connected && (facts.renews_itself || later)
            }
            Self::ConnectionStuck { since, .. } => {
                facts.failing.is_none_or(|failing| failing.since != *since)
            }
            _ => facts.auth_state == AuthState::Connected && !facts.refresh_exhausted,
        };
        consented_at > told_at || gone
    }
}
