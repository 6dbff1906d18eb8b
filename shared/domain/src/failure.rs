//! How a call to a platform can fail, as data.
//!
//! Each adapter maps status and body to one [`Failure`] next to the wire (`providers/<platform>/map.rs`);
//! nobody else looks at a status code. `docs/failures.md` maps other vocabularies to this one.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::time::Time;

/// The closed vocabulary of failures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "class", rename_all = "snake_case")]
pub enum Failure {
    /// The access token's time is over; a refresh may heal it.
    TokenExpired,
    /// The credential was taken back: by the user, by the platform, or because a rotation was lost.
    TokenRevoked,
    /// A password change or another security event at the platform ended the session.
    SecurityEvent,
    /// The token lives but lacks a permission that the call needs. The names are the platform's own.
    ScopeMissing {
        /// Missing permissions, as the platform names them; empty when it does not say.
        scopes: Vec<String>,
    },
    /// The account is suspended, deleted, hidden, unpublished, or no longer the user's.
    AccountUnavailable,
    /// The user must act at the platform first (confirm identity, pass a checkpoint).
    Checkpoint,
    /// Our app, not the account, lacks access (wrong secret, review missing, app blocked).
    AppAccess,
    /// The platform refuses this content; repeating it cannot help.
    ContentRejected {
        /// The platform's error code, never its message.
        code: String,
    },
    /// The platform says that this content was posted already.
    DuplicateContent,
    /// Media is still being processed; ask again later.
    MediaProcessing,
    /// Too many calls.
    RateLimited {
        /// Who is over the limit.
        scope: RateScope,
        /// When calls are welcome again, where the platform says so.
        until: Option<Time>,
    },
    /// The platform failed: 5xx, or an answer that says "temporary".
    ProviderDown,
    /// The request certainly never left us whole: connection refused, or its time to send was over.
    NotSent,
    /// The request may have been executed, and there is no answer.
    Indeterminate,
    /// An answer that we do not understand. Never success, never terminal.
    Contract {
        /// What was not understood: a status and a code, never a body.
        detail: String,
    },
}

/// Whose budget a rate limit belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RateScope {
    /// This account only.
    Account,
    /// Every account of our app.
    App,
    /// Everything we send to the platform (for example a limit per address).
    Provider,
}

impl Failure {
    /// The stable name: metric label, `error.type` of a span, `class` in JSON.
    #[must_use]
    pub const fn class(&self) -> &'static str {
        match self {
            Self::TokenExpired => "token_expired",
            Self::TokenRevoked => "token_revoked",
            Self::SecurityEvent => "security_event",
            Self::ScopeMissing { .. } => "scope_missing",
            Self::AccountUnavailable => "account_unavailable",
            Self::Checkpoint => "checkpoint",
            Self::AppAccess => "app_access",
            Self::ContentRejected { .. } => "content_rejected",
            Self::DuplicateContent => "duplicate_content",
            Self::MediaProcessing => "media_processing",
            Self::RateLimited { .. } => "rate_limited",
            Self::ProviderDown => "provider_down",
            Self::NotSent => "not_sent",
            Self::Indeterminate => "indeterminate",
            Self::Contract { .. } => "contract",
        }
    }

    /// Whether the failure says something about the credential itself.
    ///
    /// Everything else, above all a platform that is down, may never change a grant's state.
    #[must_use]
    pub const fn ends_the_credential(&self) -> bool {
        matches!(
            self,
            Self::TokenExpired | Self::TokenRevoked | Self::SecurityEvent
        )
    }

    /// Whether the same call may succeed later without anybody acting.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::MediaProcessing
            | Self::RateLimited { .. }
            | Self::ProviderDown
            | Self::NotSent
            | Self::Indeterminate
            | Self::Contract { .. } => true,
            Self::TokenExpired
            | Self::TokenRevoked
            | Self::SecurityEvent
            | Self::ScopeMissing { .. }
            | Self::AccountUnavailable
            | Self::Checkpoint
            | Self::AppAccess
            | Self::ContentRejected { .. }
            | Self::DuplicateContent => false,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ScopeMissing { scopes } if !scopes.is_empty() => {
                write!(f, "scope_missing ({})", scopes.join(", "))
            }
            Self::ContentRejected { code } => write!(f, "content_rejected ({code})"),
            Self::RateLimited {
                until: Some(until), ..
            } => {
                write!(f, "rate_limited (until {})", until.to_rfc3339())
            }
            Self::Contract { detail } => write!(f, "contract ({detail})"),
            other => f.write_str(other.class()),
        }
    }
}
