//! The long-running roles.

use std::{sync::Arc, time::Duration};

use mooring_gateway::Gateway;
use mooring_providers::Registry;
use mooring_queue::Queue;
use mooring_runtime::{Clock, Context, MediaStore, lifecycle::TaskResult};
use mooring_store::Store;

use crate::{
    parts::{self, Secrets},
    vault_keys,
};

/// How often the offset to the database's clock is measured.
const MEASURE: Duration = Duration::from_secs(10);

/// All roles in one process.
pub(crate) async fn up(context: Context) -> TaskResult {
    let lock = parts::lock_embedded(&context.config)?;
    // One process that is everything may also prepare everything: tables, and a key where there is none.
    let store = parts::store(&context.config, Secrets::Made).await?;
    mooring_migrations::up(store.connection()).await?;
    let queue = parts::queue(&context.config).await?;
    let registry = parts::registry(&context)?;
    let media = parts::media(&context.config)?;
    let gateway = Gateway::bind(
        context.clone(),
        store.clone(),
        media.clone(),
        Arc::clone(&registry),
    )
    .await?;
    serve_all(&context, store, queue, registry, media, gateway).await?;
    context.lifecycle.soft().cancelled().await;
    drop(lock);
    Ok(())
}

/// Starts scheduler, workers and gateway as components of this process.
pub(crate) async fn serve_all(
    context: &Context,
    store: Store,
    queue: Arc<dyn Queue>,
    registry: Arc<Registry>,
    media: MediaStore,
    gateway: Gateway,
) -> anyhow::Result<()> {
    keep_time(context, &store);
    vault_keys::keep(context, &store).await?;
    let lanes = mooring_workers::lanes_of(context)?;
    warn_unsigned(&store);
    let lifecycle = &context.lifecycle;
    lifecycle.spawn(
        "workers",
        mooring_workers::run(
            context.clone(),
            store.clone(),
            Arc::clone(&queue),
            registry,
            media,
            lanes,
        ),
    );
    lifecycle.spawn(
        "scheduler",
        mooring_scheduler::run(context.clone(), store, queue),
    );
    lifecycle.spawn("gateway", gateway.serve());
    started(context, &["clock", "database", "queue"]);
    Ok(())
}

/// Claims and dispatches.
pub(crate) async fn scheduler(context: Context) -> TaskResult {
    let store = parts::migrated_store(&context.config, Secrets::Unneeded).await?;
    let queue = shared_queue(&context).await?;
    keep_time(&context, &store);
    started(&context, &["clock", "database"]);
    mooring_scheduler::run(context, store, queue).await
}

/// Runs jobs.
pub(crate) async fn worker(context: Context) -> TaskResult {
    let lock = parts::lock_embedded(&context.config)?;
    let store = parts::migrated_store(&context.config, Secrets::Needed).await?;
    let queue = shared_queue(&context).await?;
    let lanes = mooring_workers::lanes_of(&context)?;
    warn_unsigned(&store);
    keep_time(&context, &store);
    vault_keys::keep(&context, &store).await?;
    let registry = parts::registry(&context)?;
    let media = parts::media(&context.config)?;
    started(&context, &["clock", "queue"]);
    let ended = mooring_workers::run(context, store, queue, registry, media, lanes).await;
    drop(lock);
    ended
}

/// Whoever works without a key for proofs is told: entries are chained, and prove nothing to others before a day is signed.
fn warn_unsigned(store: &Store) {
    if store.signing_keys().is_none() {
        tracing::warn!(
            event.name = "proof.no_key",
            "proof.signing_key: is not set, so no day of the proof ledgers is signed; make one with `mooring keys new --id p1`"
        );
    }
}

/// Serves people.
pub(crate) async fn gateway(context: Context) -> TaskResult {
    let store = parts::migrated_store(&context.config, Secrets::Needed).await?;
    keep_time(&context, &store);
    vault_keys::keep(&context, &store).await?;
    let media = parts::media(&context.config)?;
    let registry = parts::registry(&context)?;
    let gateway = Gateway::bind(context.clone(), store, media, registry).await?;
    started(&context, &["clock"]);
    gateway.serve().await
}

/// The role has started, and is ready once each of these dependencies was seen good. They are registered before,
/// so that nobody finds the process ready in between.
fn started(context: &Context, dependencies: &[&'static str]) {
    for name in dependencies {
        drop(context.readiness.check(name));
    }
    context.readiness.started();
}

/// Separate processes meet on Redis; an in-process lane would reach nobody.
async fn shared_queue(context: &Context) -> anyhow::Result<Arc<dyn Queue>> {
    if context.config.redis.url.is_none() {
        anyhow::bail!(
            "redis.url: is not set, and separate processes meet on Redis; set MOORING_REDIS_URL, or run everything in one process with `mooring up`"
        );
    }
    parts::queue(&context.config).await
}

/// Measures how far this machine's clock is from the database's, as long as the process lives. Time is database
/// time: a process whose clock is far off stops claiming, beginning and sending until it is right again.
fn keep_time(context: &Context, store: &Store) {
    let (context, store) = (context.clone(), store.clone());
    let lifecycle = context.lifecycle.clone();
    lifecycle.spawn("timekeeper", async move {
        let check = context.readiness.check("clock");
        loop {
            measure(context.clock.as_ref(), &store, &context).await;
            if context.clock.trusted() {
                check.good();
            } else {
                check.failing("this machine's clock is more than 500 ms away from the database's");
            }
            tokio::select! {
                () = context.lifecycle.soft().cancelled() => return Ok(()),
                () = tokio::time::sleep(MEASURE) => {}
            }
        }
    });
}

async fn measure(clock: &dyn Clock, store: &Store, context: &Context) {
    let before = clock.raw_now().timestamp_millis();
    match store.database_ms().await {
        Ok(Some(database)) => {
            let after = clock.raw_now().timestamp_millis();
            // The database read its clock somewhere between our two readings.
            let offset = database - i64::midpoint(before, after);
            clock.note_offset_ms(offset);
            context.metrics.clock_offset(offset);
        }
        Ok(None) => {}
        Err(error) => {
            tracing::warn!(event.name = "clock.not_measured", error = %error, "the database's clock could not be read; the last offset stands");
        }
    }
}
