//! Beginning to connect an account.

use std::fmt;

use mooring_domain::{
    ConnectId, Event, Platform, Time, WorkspaceId, connecting, platform::COMING_SOON,
};
use mooring_store::{Actor, Secrets};
use mooring_vault::Secret;
use url::Url;

use super::{
    ActError,
    connecting::{ConnectRefused, Desk, Offer, Start, by_password, start},
};

/// An account to connect.
#[derive(Debug, Default)]
pub struct BeginConnect {
    /// The way in: `facebook`, `linkedin_page`, `bluesky_oauth`, ….
    pub platform: String,
    /// Whom the platform should suggest, where it takes suggestions.
    pub login_hint: Option<String>,
    /// The account's own server, where the platform has many.
    pub host: Option<String>,
    /// Where the browser is sent on to in the end.
    pub return_url: Option<String>,
    /// Name and password, where the platform connects without a browser.
    pub password: Option<PasswordLogin>,
}

/// Name and password for one call.
#[derive(Debug)]
pub struct PasswordLogin {
    /// Handle, e-mail address or id; where a bot posts, the chat.
    pub identifier: String,
    /// The (app) password, or the bot's token.
    pub password: Secret,
    /// The code from the e-mail, where the account asks for one.
    pub factor: Option<Secret>,
}

/// A run that has begun. Its address holds the run's state, and shows in no `Debug`.
pub enum BegunConnect {
    /// A person must consent in a browser.
    Consent {
        /// The run.
        id: ConnectId,
        /// The platform's page.
        url: Url,
        /// Until when the person may come back.
        expires_at: Time,
    },
    /// The platform has answered already: choose.
    Offered {
        /// The run.
        id: ConnectId,
        /// Until when.
        expires_at: Time,
    },
}

impl fmt::Debug for BegunConnect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, id, expires_at) = match self {
            Self::Consent { id, expires_at, .. } => ("Consent", id, expires_at),
            Self::Offered { id, expires_at } => ("Offered", id, expires_at),
        };
        f.debug_struct(name)
            .field("id", id)
            .field("expires_at", expires_at)
            .finish_non_exhaustive()
    }
}

/// Begins a run. Nothing is connected before somebody has chosen.
pub async fn begin_connect(
    desk: &Desk<'_>,
    actor: &Actor,
    workspace: WorkspaceId,
    new: BeginConnect,
) -> Result<BegunConnect, ActError> {
    let platform = platform(&new.platform)?;
    if let Some(refusal) = desk.store.beyond_plan(workspace, platform).await? {
        return Err(refusal.into());
    }
    let order = Start {
        platform,
        connection: None,
        copied_from: None,
        link: None,
        host: new.host,
        login_hint: new.login_hint.as_deref(),
        return_url: new.return_url,
        browser: None,
    };
    let Some(login) = new.password else {
        let (id, url, expires_at) = start(desk, actor, workspace, order).await?;
        return Ok(BegunConnect::Consent {
            id,
            url,
            expires_at,
        });
    };
    let (id, connected) = by_password(desk, actor, workspace, &order, login).await?;
    let expires_at = keep_offer(desk, actor, workspace, id, &connected.into(), None).await?;
    Ok(BegunConnect::Offered { id, expires_at })
}

/// Keeps what a run has brought until somebody chooses; `news` is told along with it.
pub(super) async fn keep_offer(
    desk: &Desk<'_>,
    actor: &Actor,
    workspace: WorkspaceId,
    id: ConnectId,
    offer: &Offer,
    news: Option<Event>,
) -> Result<Time, ActError> {
    let now = desk.now();
    let mut decision = connecting::offer(id, now);
    decision.events.extend(news);
    let secrets = Secrets {
        offers: vec![(id, offer.seal()?)],
        ..Secrets::default()
    };
    desk.store
        .apply_act(actor, workspace, &decision, &secrets, now)
        .await?;
    Ok(now + connecting::OFFER_LIFE)
}

fn platform(name: &str) -> Result<Platform, ActError> {
    if COMING_SOON.contains(&name) {
        return Err(ConnectRefused::ComingSoon(name.to_owned()).into());
    }
    name.parse()
        .map_err(|error: mooring_domain::job::UnknownName| {
            ActError::invalid("platform", format!("is none of: {}", error.1))
        })
}

#[cfg(test)]
mod tests {
    use mooring_domain::time::from_ms;

    use super::*;

    #[test]
    fn a_begun_runs_state_shows_in_no_debug() {
        let at = from_ms(1_800_000_000_000);
        let begun = BegunConnect::Consent {
            id: ConnectId::mint(at, [1; 10]),
            url: "https://platform.example/dialog?state=st_hidden"
                .parse()
                .unwrap(),
            expires_at: at,
        };
        let shown = format!("{begun:?}");
        assert!(
            shown.starts_with("Consent") && !shown.contains("st_hidden"),
            "{shown}"
        );
    }
}
