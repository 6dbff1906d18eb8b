//! The key ring of a long-running process: which key is in force, and telling others which keys are known here.

use std::time::Duration;

use anyhow::{Context as _, bail};
use mooring_domain::ProcessId;
use mooring_gateway::acts::{self, ActError};
use mooring_runtime::{Context, lifecycle::chain};
use mooring_store::{ActiveKey, Actor, Store, StoreError};

/// How often the ring is read again, and others are told. A key that was added is known everywhere within this time.
const LOOK: Duration = Duration::from_secs(10);

/// Learns which key is in force, and keeps looking for as long as the process lives.
///
/// # Errors
/// When the ring lacks the key in force, or has another key of its name: what such a process seals would be lost.
pub(crate) async fn keep(context: &Context, store: &Store) -> anyhow::Result<()> {
    if store.vault().ring().is_ephemeral() {
        // A role that opens nothing, or the demo.
        return Ok(());
    }
    let process = ProcessId::from_uuid(context.process);
    let active = in_force(context, store, process).await?;
    if !active.known_here {
        bail!("vault.keys: {}", lacking(&active));
    }
    let (context, store) = (context.clone(), store.clone());
    tell(&context, &store, process).await?;
    let lifecycle = context.lifecycle.clone();
    lifecycle.spawn("keys", async move {
        let check = context.readiness.check("vault");
        check.good();
        loop {
            tokio::select! {
                () = context.lifecycle.soft().cancelled() => break,
                () = tokio::time::sleep(LOOK) => {}
            }
            match look(&context, &store, process).await {
                Ok(()) => check.good(),
                Err(error) => {
                    tracing::warn!(event.name = "vault.keys_not_read", error = chain(&*error), "the key ring could not be looked at; what was known stands");
                    check.failing(&error);
                }
            }
        }
        if let Err(error) = store.forget_holder(process, context.clock.now()).await {
            tracing::debug!(event.name = "vault.holder_not_forgotten", error = %error, "others will see that this process is silent");
        }
        Ok(())
    });
    Ok(())
}

/// The key in force; where there was never one, the first of this ring becomes it.
async fn in_force(
    context: &Context,
    store: &Store,
    process: ProcessId,
) -> anyhow::Result<ActiveKey> {
    if let Some(active) = store.read_keys().await? {
        return Ok(active);
    }
    let first = store.vault().ring().active_id().to_owned();
    let actor = Actor::Process(process);
    let noted = acts::activate_vault_key(store, &actor, &first, context.clock.now()).await;
    match noted {
        // Another process was faster.
        Err(ActError::Store(StoreError::Conflict(_))) => {}
        noted => return Ok(noted?),
    }
    store.read_keys().await?.context("no key is in force")
}

async fn look(context: &Context, store: &Store, process: ProcessId) -> Result<(), anyhow::Error> {
    store.vault().reread()?;
    let active = store.read_keys().await?;
    tell(context, store, process).await?;
    match active {
        Some(active) if !active.known_here => bail!(lacking(&active)),
        _ => Ok(()),
    }
}

async fn tell(context: &Context, store: &Store, process: ProcessId) -> Result<(), StoreError> {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "localhost".to_owned());
    let now = context.clock.now();
    store.note_holder(process, context.role, &host, now).await
}

fn lacking(active: &ActiveKey) -> String {
    format!(
        "this process lacks key {:?}, which seals this database: add it to the ring",
        active.reseal.key
    )
}
