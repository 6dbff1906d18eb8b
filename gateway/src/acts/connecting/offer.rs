//! What a new grant reaches, until somebody chooses: sealed in the books, shown without its tokens.

use chrono::{DateTime, Utc};
use mooring_domain::{
    ConnectId, ConnectionId, Platform, Time, WorkspaceId,
    connecting::{ConnectOutcome, identify},
    connection::missing_scopes,
    platform::Barred,
};
use mooring_providers::{Connected, Destination};
use mooring_store::{ConnectRun, ConnectionBrief};
use mooring_vault::Secret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{super::ActError, Desk};

/// A grant that waits. Holds tokens: it is sealed before it is written, and shown to nobody. Its names are a format:
/// workers read some of them ([`mooring_providers::KeptOffer`]) to give back what nobody chose.
#[derive(Serialize, Deserialize)]
pub(in crate::acts) struct Offer {
    pub(in crate::acts) remote_user_id: String,
    pub(in crate::acts) grant_token: String,
    pub(in crate::acts) refresh_token: Option<String>,
    pub(in crate::acts) access_expires_at: Option<Time>,
    pub(in crate::acts) refresh_expires_at: Option<Time>,
    pub(in crate::acts) scopes: Option<Vec<String>>,
    pub(in crate::acts) host: Option<String>,
    pub(in crate::acts) binding: Option<String>,
    pub(in crate::acts) app: Option<(String, String)>,
    pub(in crate::acts) destinations: Vec<Offered>,
}

/// A destination that waits to be chosen.
#[derive(Serialize, Deserialize)]
pub(in crate::acts) struct Offered {
    pub(in crate::acts) platform: Platform,
    pub(in crate::acts) remote_id: String,
    pub(in crate::acts) name: String,
    pub(in crate::acts) token: Option<String>,
    pub(in crate::acts) may_publish: bool,
}

impl From<Connected> for Offer {
    fn from(new: Connected) -> Self {
        let text = |secret: Secret| secret.expose().to_owned();
        Self {
            remote_user_id: new.remote_user_id,
            grant_token: text(new.grant_token),
            refresh_token: new.refresh_token.map(text),
            access_expires_at: new.access_expires_at,
            refresh_expires_at: new.refresh_expires_at,
            scopes: new.scopes,
            host: new.host.map(|url| url.to_string()),
            binding: new.binding.map(text),
            app: new.app.map(|app| (app.client_id, text(app.client_secret))),
            destinations: new.destinations.into_iter().map(offered).collect(),
        }
    }
}

fn offered(one: Destination) -> Offered {
    Offered {
        platform: one.platform,
        remote_id: one.remote_id,
        name: one.name,
        token: one.token.map(|token| token.expose().to_owned()),
        may_publish: one.may_publish,
    }
}

impl Offer {
    pub(in crate::acts) fn seal(&self) -> Result<Secret, ActError> {
        let text = serde_json::to_string(self);
        text.map(Secret::from)
            .map_err(|_| ActError::invalid("offer", "cannot be kept; begin anew"))
    }

    /// What a run offers; `None` where it offers nothing (any more).
    pub(in crate::acts) fn of(desk: &Desk<'_>, run: &ConnectRun) -> Result<Option<Self>, ActError> {
        if run.outcome.is_some() || run.expires_at <= desk.now() {
            return Ok(None);
        }
        let sealed = desk.store.offer_of(run)?;
        Ok(sealed.and_then(|text| serde_json::from_str(text.expose()).ok()))
    }

    /// Why a destination cannot be connected, where it cannot.
    pub(in crate::acts) fn barred(&self, one: &Offered) -> Option<Barred> {
        if one.may_publish {
            return None;
        }
        let declined = self.declined(one.platform);
        Some(if declined.is_empty() {
            one.platform.barred_by()
        } else {
            Barred::PermissionDeclined
        })
    }

    /// Required permissions that the person declined.
    pub(in crate::acts) fn declined(&self, platform: Platform) -> Vec<String> {
        let granted = self.scopes.as_deref();
        granted.map_or_else(Vec::new, |granted| missing_scopes(platform, granted))
    }

    /// The names of what the grant reaches, for people.
    pub(in crate::acts) fn names(&self) -> String {
        let names: Vec<&str> = self
            .destinations
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        if names.is_empty() {
            "no account".to_owned()
        } else {
            names.join(", ")
        }
    }

    /// Whether this is the account that was to be reconnected.
    pub(in crate::acts) fn identify(&self, wanted: &ConnectionBrief) -> Result<(), ConnectOutcome> {
        let reached: Vec<(Platform, &str)> = self
            .destinations
            .iter()
            .map(|one| (one.platform, one.remote_id.as_str()))
            .collect();
        identify(
            (wanted.platform, &wanted.remote_id),
            &wanted.remote_user_id,
            &self.remote_user_id,
            &reached,
        )
    }
}

/// A run of connecting, as people see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConnectView {
    /// Its id.
    pub id: String,
    /// pending (the person is at the platform), offered (choose), done, or failed.
    pub status: &'static str,
    /// How it stands in detail: one of the outcomes in `docs/problems.md`; missing while it is pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// The way in.
    pub platform: &'static str,
    /// When the consent, or the offer, ends.
    pub expires_at: DateTime<Utc>,
    /// What it reconnects, where it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// The name of the account that was to be reconnected, or copied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_name: Option<String>,
    /// What can be chosen, and what cannot and why.
    pub destinations: Vec<OfferedView>,
    /// Required permissions that the person declined.
    pub declined: Vec<String>,
}

/// A destination of an offer.
#[derive(Debug, Serialize, ToSchema)]
pub struct OfferedView {
    /// What it is.
    pub platform: &'static str,
    /// Its id at the platform.
    pub remote_id: String,
    /// What people call it.
    pub name: String,
    /// Whether the person may publish there.
    pub may_publish: bool,
    /// Its connection, where it is connected in this workspace already: choosing it reconnects it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connected_as: Option<String>,
    /// Whether it was connected here before, and choosing it brings its history back.
    pub returns: bool,
    /// Why it cannot be chosen: role, `personal_profile`, `account_type`, account, `not_offered`,
    /// `permission_declined`, `connected_elsewhere`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<&'static str>,
}

/// Shows a run; `None` where the workspace has none by this id. Never a token.
pub async fn show(
    desk: &Desk<'_>,
    workspace: WorkspaceId,
    id: ConnectId,
) -> Result<Option<ConnectView>, ActError> {
    let Some(run) = desk.store.connect_run(workspace, id).await? else {
        return Ok(None);
    };
    let offer = Offer::of(desk, &run)?;
    let wanted = match run.connection {
        Some(connection) => desk.store.connection_brief(workspace, connection).await?,
        None => desk.store.copied(&run).await?.map(|(_, original)| original),
    };
    let (status, code) = standing(&run, offer.as_ref(), wanted.as_ref(), desk.now());
    let mut view = ConnectView {
        id: run.id.to_string(),
        status,
        code: code.map(ConnectOutcome::as_str),
        platform: run.platform.as_str(),
        expires_at: run.expires_at,
        connection: run.connection.as_ref().map(ToString::to_string),
        connection_name: wanted.map(|wanted| wanted.name),
        destinations: Vec::new(),
        declined: Vec::new(),
    };
    if let Some(offer) = offer {
        view.declined = offer.declined(run.platform);
        view.destinations = destinations(desk, workspace, run.platform, &offer).await?;
    }
    Ok(Some(view))
}

fn standing(
    run: &ConnectRun,
    offer: Option<&Offer>,
    wanted: Option<&ConnectionBrief>,
    now: Time,
) -> (&'static str, Option<ConnectOutcome>) {
    match (run.outcome, offer) {
        (Some(outcome), _) if outcome.is_success() => ("done", Some(outcome)),
        (Some(outcome), _) => ("failed", Some(outcome)),
        (None, Some(offer)) => {
            let refused = wanted.and_then(|wanted| offer.identify(wanted).err());
            ("offered", refused.or(Some(ConnectOutcome::Offered)))
        }
        (None, None) if run.expires_at <= now => ("failed", Some(ConnectOutcome::Expired)),
        (None, None) => ("pending", None),
    }
}

async fn destinations(
    desk: &Desk<'_>,
    workspace: WorkspaceId,
    way: Platform,
    offer: &Offer,
) -> Result<Vec<OfferedView>, ActError> {
    let ids: Vec<String> = offer
        .destinations
        .iter()
        .map(|one| one.remote_id.clone())
        .collect();
    let here = desk.store.accounts_here(workspace, &ids).await?;
    let mut views = Vec::new();
    for one in &offer.destinations {
        let key = (one.platform.as_str().to_owned(), one.remote_id.clone());
        let known = here.get(&key);
        let elsewhere = desk
            .store
            .is_elsewhere(workspace, one.platform, &one.remote_id)
            .await?;
        let barred = offer.barred(one).map(Barred::as_str);
        let living = known.filter(|known| !known.removed);
        views.push(OfferedView {
            platform: one.platform.as_str(),
            remote_id: one.remote_id.clone(),
            name: one.name.clone(),
            may_publish: one.may_publish,
            connected_as: living.map(|known| ConnectionId::to_string(&known.connection)),
            returns: known.is_some_and(|known| known.removed),
            refused: barred.or((elsewhere && living.is_none())
                .then_some(ConnectOutcome::ConnectedElsewhere.as_str())),
        });
    }
    if way.pages_only() {
        views.push(profile(way, offer));
    }
    Ok(views)
}

/// The person's own profile, which the platform lets nobody publish to.
fn profile(way: Platform, offer: &Offer) -> OfferedView {
    OfferedView {
        platform: way.as_str(),
        remote_id: offer.remote_user_id.clone(),
        name: "personal profile".to_owned(),
        may_publish: false,
        connected_as: None,
        returns: false,
        refused: Some(Barred::PersonalProfile.as_str()),
    }
}
