//! The workers: apalis runs jobs from the lanes through four layers of ours; each job is one file of four steps.
//!
//! A worker process serves some lanes. Per lane there is one apalis worker whose backend pops no more envelopes
//! than it has free slots; around every job lie, from the outside, tracing, metrics, a panic guard and a
//! deadline. No job retries or sleeps: it decides when it wants to run again, and ends.

mod ctx;
mod error;
pub mod jobs;
mod layers;
mod leases;
mod vitals;

use std::sync::Arc;

use apalis::prelude::{Monitor, WorkerBuilder};
use mooring_domain::{Lane, job::UnknownName};
use mooring_providers::Registry;
use mooring_queue::{Beat, Delivery, LaneBackend, Queue, worker_name};
use mooring_runtime::{Context, MediaStore, lifecycle::TaskResult};
use mooring_store::Store;

pub use ctx::Ctx;
pub use error::JobError;

/// The lanes that the configuration names, with their slots.
pub fn lanes_of(context: &Context) -> Result<Vec<(Lane, usize)>, UnknownName> {
    let worker = &context.config.worker;
    worker
        .lanes
        .iter()
        .map(|name| {
            let lane: Lane = name.parse()?;
            let slots = worker.slots.get(lane.as_str()).unwrap_or(1);
            Ok((lane, usize::try_from(slots).unwrap_or(usize::MAX)))
        })
        .collect()
}

/// Runs the workers of this process until the soft step of shutdown; returns when everything begun has ended.
pub async fn run(
    context: Context,
    store: Store,
    queue: Arc<dyn Queue>,
    providers: Arc<Registry>,
    media: MediaStore,
    lanes: Vec<(Lane, usize)>,
) -> TaskResult {
    let (applier, committing) = store.applier();
    context.lifecycle.spawn_short(committing);
    let ctx = Arc::new(Ctx::new(
        context.clone(),
        store,
        Arc::clone(&queue),
        providers,
        media,
        applier,
    ));
    let vitals = vitals::start(&ctx).await?;
    context
        .lifecycle
        .spawn_short(leases::keep(Arc::clone(&ctx)));
    for (lane, slots) in &lanes {
        context
            .lifecycle
            .spawn("beat", beat(Arc::clone(&ctx), *lane, *slots));
    }
    let mut monitor = Monitor::new();
    for (lane, slots) in lanes {
        monitor = register(monitor, &ctx, lane, slots);
    }
    let soft = context.lifecycle.soft().clone();
    monitor
        .run_with_signal(async move {
            soft.cancelled().await;
            Ok(())
        })
        .await?;
    ctx.queue.retire(ctx.process()).await?;
    vitals.leave(&ctx).await?;
    Ok(())
}

/// Adds the apalis worker of one lane. Layers are listed from the outside in.
fn register(monitor: Monitor, ctx: &Arc<Ctx>, lane: Lane, slots: usize) -> Monitor {
    let ctx = Arc::clone(ctx);
    monitor.register(move |restarts| {
        let backend = LaneBackend::new(
            Arc::clone(&ctx.queue),
            lane,
            slots,
            Arc::new(leases::Desk(Arc::clone(&ctx))),
            Arc::clone(&ctx.runtime.clock),
            &ctx.runtime.lifecycle,
        );
        let name = format!("{}-{restarts}", worker_name(lane, ctx.process()));
        let inner = Arc::clone(&ctx);
        WorkerBuilder::new(name)
            .backend(backend)
            .layer(layers::Trace)
            .layer(layers::Measure(Arc::clone(&ctx)))
            .layer(layers::PanicGuard)
            .layer(layers::Deadline(Arc::clone(&ctx)))
            .build(move |delivery: Delivery| {
                let ctx = Arc::clone(&inner);
                async move { jobs::run(&ctx, &delivery.envelope).await }
            })
    })
}

/// Tells schedulers that this process has slots on the lane. Stops with the soft step, so that nothing more is
/// claimed for it.
async fn beat(ctx: Arc<Ctx>, lane: Lane, slots: usize) -> TaskResult {
    let beat = Beat {
        process: ctx.process(),
        lane,
        slots: u32::try_from(slots).unwrap_or(u32::MAX),
    };
    let redis = ctx.runtime.readiness.check("queue");
    loop {
        ctx.runtime
            .metrics
            .slots(lane.as_str(), slots as u64, ctx.leases.count(lane));
        match ctx.queue.beat(&beat).await {
            Ok(()) => redis.good(),
            Err(error) => redis.failing(error),
        }
        tokio::select! {
            () = ctx.runtime.lifecycle.soft().cancelled() => return Ok(()),
            () = tokio::time::sleep(mooring_queue::BEAT_TTL / 5) => {}
        }
    }
}
