//! Telling Mooring about our registration at a platform.

use mooring_domain::{AppId, Change, Platform, Time, WorkspaceId, acts};
use mooring_store::{Actor, Secrets, Store};
use mooring_vault::Secret;

use super::ActError;

/// A registration at a platform.
#[derive(Debug, Clone)]
pub struct NewApp {
    /// Whose it is; `None` = for every workspace.
    pub workspace: Option<WorkspaceId>,
    /// The platform.
    pub platform: Platform,
    /// The platform's id for it.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
    /// The platform's address, where it is not the public one.
    pub base_url: Option<String>,
}

/// Registers an app and returns its id.
pub async fn register_app(
    store: &Store,
    actor: &Actor,
    new: NewApp,
    now: Time,
) -> Result<AppId, ActError> {
    if new.client_id.trim().is_empty() {
        return Err(ActError::invalid(
            "client_id",
            "is empty; copy it from the platform's app settings",
        ));
    }
    if let Some(url) = &new.base_url
        && !(url.starts_with("https://") || url.starts_with("http://"))
    {
        return Err(ActError::invalid(
            "base_url",
            "must begin with https:// (or http:// in tests)",
        ));
    }
    let app = store.mint(now);
    let decision = acts::act().change(Change::AppRegistered {
        app,
        platform: new.platform,
        client_id: new.client_id,
        base_url: new.base_url,
    });
    let secrets = Secrets {
        apps: vec![(app, new.client_secret)],
        ..Secrets::default()
    };
    let owner = new
        .workspace
        .unwrap_or(WorkspaceId::from_uuid(uuid::Uuid::nil()));
    store
        .apply_act(actor, owner, &decision, &secrets, now)
        .await?;
    Ok(app)
}
