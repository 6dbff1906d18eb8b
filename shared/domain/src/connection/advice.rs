//! What a person can do about a connection as it stands: nothing but wait, ask for help, reconnect, or clear something
//! up at the platform.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{Failing, Reason, projection::Standing};
use crate::{policy::Policy, time::Time};

/// What somebody is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Reconnect the account.
    Reconnect,
    /// Clear something up at the platform; a reconnect alone does not help.
    ClearUp,
    /// Wait: the platform is not well, or calls us too many.
    Wait,
    /// Ask for help: waiting has lasted too long.
    Support,
}

impl Act {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Reconnect => "reconnect",
            Self::ClearUp => "clear_up",
            Self::Wait => "wait",
            Self::Support => "support",
        }
    }

    /// One sentence for people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Reconnect => "Reconnect the account: everything that was scheduled goes on then",
            Self::ClearUp => {
                "Look at the account and its security settings at the platform first, then reconnect"
            }
            Self::Wait => "Nothing needs to be done here: wait 30 minutes, and it is tried again",
            Self::Support => {
                "It has lasted for more than a day: ask for help, and send the text for support along"
            }
        }
    }
}

/// What to do about a connection, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advice {
    /// What.
    pub act: Act,
    /// Wait: when to look again. Reconnect: when it ends, where it has not ended yet. Else nothing.
    pub until: Option<Time>,
}

/// What to do about a connection now; `None` where nothing wants doing.
///
/// What only its person can mend comes first: no wait mends a token that was taken back.
#[must_use]
pub fn advice(
    standing: &Standing<'_>,
    failing: Option<Failing>,
    ends_at: Option<Time>,
    policy: &Policy,
    now: Time,
) -> Option<Advice> {
    let bare = |act| Some(Advice { act, until: None });
    let reasons = &standing.assessment.reasons;
    let has = |wanted: fn(&Reason) -> bool| reasons.iter().any(wanted);
    if standing.removed {
        return None;
    }
    if has(|reason| matches!(reason, Reason::Flapping)) && standing.needs_reconnect() {
        return bare(Act::ClearUp);
    }
    if standing.needs_reconnect() {
        return Some(Advice {
            act: Act::Reconnect,
            until: ends_at.filter(|end| *end > now),
        });
    }
    if has(at_the_platform) {
        return bare(Act::ClearUp);
    }
    if let Some(failing) = failing {
        return Some(while_it_fails(failing, policy, now));
    }
    if has(|reason| matches!(reason, Reason::EndsSoon)) {
        return Some(Advice {
            act: Act::Reconnect,
            until: ends_at,
        });
    }
    None
}

/// Thirty minutes from the last look on; after a day of that, help.
fn while_it_fails(failing: Failing, policy: &Policy, now: Time) -> Advice {
    if now - failing.since >= policy.stuck_after {
        return Advice {
            act: Act::Support,
            until: None,
        };
    }
    let rest = (failing.last + policy.wait - now).max(TimeDelta::zero());
    Advice {
        act: Act::Wait,
        until: Some(now + rest),
    }
}

fn at_the_platform(reason: &Reason) -> bool {
    match reason {
        Reason::Account { state } => state.bars_publishing(),
        Reason::NoPublishing { .. } => true,
        _ => false,
    }
}

#[cfg(test)]
#[path = "advice_test.rs"]
mod tests;
