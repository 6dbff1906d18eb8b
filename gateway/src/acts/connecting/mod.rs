//! What the acts of connecting share: what they work with, and why they are refused.

mod complete;
mod fail;
mod live_check;
mod offer;
mod start;

use std::sync::Arc;

use mooring_domain::{
    Failure, KeyId, LinkId, Platform, Time, connecting::ConnectOutcome,
    connection::life::CopyRefused,
};
use mooring_providers::{AppCredentials, Connected, Credentials, Provider, Registry};
use mooring_runtime::Clock;
use mooring_store::{Actor, ConnectApp, ConnectRun, Store};

pub use live_check::LiveCheck;
pub use offer::{ConnectView, OfferedView, show};

pub(super) use complete::{complete, reconnect_with};
pub(super) use fail::{fail, refused};
pub(super) use offer::{Offer, Offered};
pub(super) use start::{Kept, Start, by_password, start};

use super::ActError;
use crate::site::Site;

/// What connecting works with.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    /// The books.
    pub store: &'a Store,
    /// The platforms.
    pub registry: &'a Registry,
    /// Where browsers reach us.
    pub site: &'a Site,
    /// The time.
    pub clock: &'a dyn Clock,
}

impl Desk<'_> {
    pub(super) fn now(&self) -> Time {
        self.clock.now()
    }

    pub(super) fn provider(&self, platform: Platform) -> &Arc<dyn Provider> {
        self.registry.of(platform)
    }
}

/// Why an act of connecting does not happen; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectRefused {
    /// People ask for the platform, and it is not built yet.
    #[error("{0} is coming soon: it cannot be connected yet")]
    ComingSoon(String),
    /// Something is missing in our own house.
    #[error("{0}")]
    NotConfigured(String),
    /// The platform does not play along.
    #[error("{platform} answered with {class}; nothing was changed, so try again later")]
    Platform {
        /// Which.
        platform: Platform,
        /// The failure class.
        class: &'static str,
    },
    /// Name or password is wrong.
    #[error("{0} refuses this name or password: check both, and use an app password")]
    Credentials(Platform),
    /// Somebody else began it.
    #[error("another key began this run, and only that one may choose")]
    NotYours,
    /// There is nothing to choose from.
    #[error("this run offers nothing ({0}): begin anew")]
    NotOffered(String),
    /// What was chosen cannot be connected.
    #[error("{remote_id}: {why}")]
    Barred {
        /// Which.
        remote_id: String,
        /// Why, and what to do.
        why: String,
    },
    /// Another account than the one to be reconnected, or copied.
    #[error(
        "this log-in reaches {got}, and {wanted} was meant: log in as {wanted}, or connect the other account as a new one"
    )]
    AccountMismatch {
        /// The account that was meant.
        wanted: String,
        /// What the log-in reaches.
        got: String,
    },
    /// The account is not there any more.
    #[error(
        "{0} is no longer among what this log-in reaches: it was deleted, or the role there is lost"
    )]
    AccountGone(String),
    /// A copy needs the right to connect in both workspaces.
    #[error(transparent)]
    NoRightThere(CopyRefused),
}

impl ConnectRefused {
    /// The log-in reaches the account, and may not publish there.
    pub(super) fn no_right_at_platform(remote_id: &str) -> Self {
        Self::Barred {
            remote_id: remote_id.to_owned(),
            why: "this log-in may not publish there: allow what the platform asks, as somebody with the role for it"
                .to_owned(),
        }
    }

    /// What a failure of the exchange means to the person.
    pub(super) fn of(failure: &Failure, platform: Platform) -> Self {
        match failure {
            Failure::AppAccess => Self::NotConfigured(format!(
                "{platform} does not accept our app: check it with `mooring app add`, and its state at the platform"
            )),
            other => Self::Platform {
                platform,
                class: other.class(),
            },
        }
    }
}

/// How a run ends whose exchange failed.
pub(super) const fn outcome_of(failure: &Failure) -> ConnectOutcome {
    match failure {
        Failure::TokenRevoked | Failure::TokenExpired => ConnectOutcome::CodeRefused,
        Failure::AppAccess => ConnectOutcome::AppRefused,
        _ => ConnectOutcome::ProviderError,
    }
}

/// Exchanges what a person gave. Never called twice with the same code.
pub(super) async fn exchange(
    desk: &Desk<'_>,
    platform: Platform,
    credentials: Credentials,
) -> Result<Connected, Failure> {
    desk.provider(platform).connect(credentials).await
}

/// Our app in the providers' words.
pub(crate) fn credentials_of(app: &ConnectApp) -> AppCredentials {
    AppCredentials {
        client_id: app.client_id.clone(),
        client_secret: app.client_secret.clone(),
    }
}

/// Who began a run, coming from elsewhere now.
pub(super) fn actor_of(run: &ConnectRun, from: &str) -> Actor {
    let from = from.to_owned();
    if let Ok(key) = run.actor.parse::<KeyId>() {
        Actor::Key { key, from }
    } else if let Ok(link) = run.actor.parse::<LinkId>() {
        Actor::Link { link, from }
    } else {
        Actor::Cli
    }
}

impl From<ConnectRefused> for ActError {
    fn from(refused: ConnectRefused) -> Self {
        Self::Connect(refused)
    }
}
