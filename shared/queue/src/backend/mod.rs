//! An apalis worker on a lane: the [`Backend`] for [`Queue`]s, written once.
//!
//! A fetcher task owns the pop. It takes as many slots as are free, pops that many envelopes and hands them to the
//! worker; each slot is held until its job's future is done or dropped, so nothing waits here while its lease runs.
//! There is nothing to acknowledge: outcomes are written to the database (design rule 4.7).
//!
//! When the lifecycle's soft step begins, the fetcher stops popping and gives back what no handler has yet; running
//! handlers finish; then the worker ends. No error of the queue ever reaches apalis, because one would end the worker.

mod fetcher;
mod slot;

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use apalis_core::backend::finalize::Ephemeral;
use apalis_core::backend::{Backend, BackendConfig};
use apalis_core::task::Task;
use apalis_core::task::builder::TaskBuilder;
use apalis_core::task::task_id::TaskId;
use apalis_core::worker::context::WorkerContext;
use async_trait::async_trait;
use futures::FutureExt;
use mooring_domain::job::Lane;
use mooring_runtime::{Clock, Lifecycle};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use slot::{SlotLayer, SlotService};

use crate::{Envelope, Queue};
use fetcher::Fetcher;

/// What the owner of the workers wants to know about envelopes. All methods must return quickly.
#[async_trait]
pub trait Arrivals: Send + Sync {
    /// These envelopes are about to be handed to handlers: their leases have to be extended from now on.
    fn held(&self, envelopes: &[Envelope]);

    /// Something on the lane was no envelope of this version. It is dropped and counted.
    fn undecodable(&self, lane: Lane, reason: &str);

    /// These envelopes reach no handler because the worker stops. Some were announced by [`Arrivals::held`].
    async fn give_back(&self, envelopes: Vec<Envelope>);
}

/// One envelope on its way into a handler, with the slot that it occupies.
#[derive(Debug)]
pub struct Delivery {
    /// The job.
    pub envelope: Envelope,
    /// Moved into the handler's future by [`SlotLayer`], and free again when that ends.
    slot: Option<OwnedSemaphorePermit>,
}

/// What happened on a lane since this backend was made.
#[derive(Debug, Default)]
pub struct LaneStats {
    delivered: AtomicU64,
    late: AtomicU64,
    undecodable: AtomicU64,
    given_back: AtomicU64,
}

impl LaneStats {
    /// Envelopes handed to the worker; the ones given back later included.
    #[must_use]
    pub fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }

    /// Envelopes dropped because their lease was over.
    #[must_use]
    pub fn late(&self) -> u64 {
        self.late.load(Ordering::Relaxed)
    }

    /// Things dropped because they were no envelopes of this version.
    #[must_use]
    pub fn undecodable(&self) -> u64 {
        self.undecodable.load(Ordering::Relaxed)
    }

    /// Envelopes given back at a stop.
    #[must_use]
    pub fn given_back(&self) -> u64 {
        self.given_back.load(Ordering::Relaxed)
    }
}

/// Which lane, and how many jobs at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneConfig {
    /// The lane.
    pub lane: Lane,
    /// The most jobs in flight.
    pub slots: usize,
}

/// The source of an apalis worker: `WorkerBuilder::new(worker_name(..)).backend(LaneBackend::new(..))`.
///
/// The handler takes a [`Delivery`]. One backend serves one worker; a restarted worker needs a new one.
pub struct LaneBackend {
    config: LaneConfig,
    stats: Arc<LaneStats>,
    received: Arc<Mutex<UnboundedReceiver<Delivery>>>,
    stop: CancellationToken,
    lifecycle: Lifecycle,
    phase: Phase,
}

enum Phase {
    /// No worker has polled yet.
    Ready(Box<Fetcher>),
    Fetching(JoinHandle<()>),
    Closed,
}

impl LaneBackend {
    /// A backend for `slots` jobs at once, at least one. Nothing is popped before a worker runs on it.
    #[must_use]
    pub fn new(
        queue: Arc<dyn Queue>,
        lane: Lane,
        slots: usize,
        arrivals: Arc<dyn Arrivals>,
        clock: Arc<dyn Clock>,
        lifecycle: &Lifecycle,
    ) -> Self {
        let slots = slots.clamp(1, Semaphore::MAX_PERMITS);
        let (send, received) = unbounded_channel();
        let received = Arc::new(Mutex::new(received));
        let stats = Arc::new(LaneStats::default());
        let stop = lifecycle.soft().child_token();
        let fetcher = Fetcher {
            queue,
            lane,
            slots: Arc::new(Semaphore::new(slots)),
            arrivals,
            clock,
            stats: Arc::clone(&stats),
            stop: stop.clone(),
            send,
            received: Arc::clone(&received),
        };
        let config = LaneConfig { lane, slots };
        let phase = Phase::Ready(Box::new(fetcher));
        Self {
            config,
            stats,
            received,
            stop,
            lifecycle: lifecycle.clone(),
            phase,
        }
    }

    /// The counters. Take them before the worker takes the backend.
    #[must_use]
    pub fn stats(&self) -> Arc<LaneStats> {
        Arc::clone(&self.stats)
    }

    fn start(&mut self) {
        if let Phase::Ready(_) = self.phase
            && let Phase::Ready(fetcher) = std::mem::replace(&mut self.phase, Phase::Closed)
        {
            self.phase = Phase::Fetching(self.lifecycle.spawn_short(fetcher.run()));
        }
    }
}

impl Drop for LaneBackend {
    /// A worker that is dropped in mid-flight: the fetcher gives back what no handler has.
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Backend for LaneBackend {
    type Task = Task<Delivery>;
    type Error = Infallible;

    fn poll_ready(
        &mut self,
        _: &mut Context<'_>,
        _: &WorkerContext,
    ) -> Poll<Result<(), Infallible>> {
        self.start();
        Poll::Ready(Ok(()))
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        _: &WorkerContext,
    ) -> Poll<Option<Result<Task<Delivery>, Infallible>>> {
        let next = ready!(
            self.received
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .poll_recv(cx)
        );
        Poll::Ready(next.map(|delivery| Ok(task(delivery))))
    }

    fn poll_close(
        &mut self,
        cx: &mut Context<'_>,
        worker: &WorkerContext,
    ) -> Poll<Result<(), Infallible>> {
        self.stop.cancel();
        if let Phase::Fetching(fetcher) = &mut self.phase
            && let Err(error) = ready!(fetcher.poll_unpin(cx))
        {
            tracing::error!(event.name = "queue.fetcher_ended", lane = %self.config.lane, %error, "a fetcher panicked");
        }
        self.phase = Phase::Closed;
        // apalis ends a worker only once it is told to stop, also when its backend has nothing more to give.
        if !worker.is_shutting_down()
            && let Err(error) = worker.stop()
        {
            tracing::error!(event.name = "queue.worker_not_stopped", lane = %self.config.lane, %error, "cannot stop");
        }
        Poll::Ready(Ok(()))
    }
}

impl BackendConfig for LaneBackend {
    type Args = Delivery;
    type Id = TaskId;
    type Kind = Ephemeral;
    type Config = LaneConfig;
    type Layer = SlotLayer;

    fn config(&self) -> &LaneConfig {
        &self.config
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> SlotLayer {
        SlotLayer
    }
}

/// The apalis task of a delivery. Attempts are counted in the database, so apalis always sees the first one.
fn task(delivery: Delivery) -> Task<Delivery> {
    let Envelope {
        kind,
        subject,
        generation,
        ..
    } = &delivery.envelope;
    let id = TaskId::from_string(format!("{kind}:{}:{generation}", subject.simple()));
    TaskBuilder::new(delivery).task_id(id).build()
}
