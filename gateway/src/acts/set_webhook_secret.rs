//! Telling Mooring what a platform signs its webhooks with.

use mooring_domain::{AppId, Change, Time, WorkspaceId, acts};
use mooring_store::{Actor, Refusal, Secrets, Store};
use mooring_vault::Secret;

use super::ActError;

/// Keeps the word that a platform signs webhooks with, where that is not the app's secret (X: the consumer secret), or asks
/// for at the handshake.
pub async fn set_webhook_secret(
    store: &Store,
    actor: &Actor,
    app: AppId,
    secret: Secret,
    now: Time,
) -> Result<(), ActError> {
    if secret.expose().trim().is_empty() {
        return Err(ActError::invalid("secret", "is empty"));
    }
    if store.hook_app(app).await?.is_none() {
        let what = app.to_string();
        return Err(Refusal::NotFound { what }.into());
    }
    let decision = acts::act().change(Change::WebhookSecretSet { app });
    let secrets = Secrets {
        webhooks: vec![(app, secret)],
        ..Secrets::default()
    };
    let house = WorkspaceId::from_uuid(uuid::Uuid::nil());
    Ok(store
        .apply_act(actor, house, &decision, &secrets, now)
        .await?)
}
