//! A worker on a lane, with a handler that can be held up and looked at.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use apalis_core::error::{BoxDynError, WorkerError};
use apalis_core::task::attempt::Attempt;
use apalis_core::task::data::Data;
use apalis_core::worker::builder::WorkerBuilder;
use async_trait::async_trait;
use futures::future::BoxFuture;
use mooring_domain::job::{Fence, Lane};
use mooring_queue::{Arrivals, Delivery, Envelope, LaneBackend, LaneStats, Queue, worker_name};
use mooring_runtime::{Lifecycle, SystemClock};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tower::limit::ConcurrencyLimitLayer;

use crate::server::{eventually, in_time, process};

pub(crate) const LANE: Lane = Lane::Publish;

/// The owner's side: which envelopes were announced, refused and given back.
#[derive(Default)]
pub(crate) struct Owner {
    pub(crate) held: Mutex<HashSet<Fence>>,
    pub(crate) reasons: Mutex<Vec<String>>,
    pub(crate) given_back: Mutex<Vec<Fence>>,
}

#[async_trait]
impl Arrivals for Owner {
    fn held(&self, envelopes: &[Envelope]) {
        self.held
            .lock()
            .unwrap()
            .extend(envelopes.iter().map(Envelope::fence));
    }

    fn undecodable(&self, lane: Lane, reason: &str) {
        assert_eq!(lane, LANE);
        self.reasons.lock().unwrap().push(reason.to_owned());
    }

    async fn give_back(&self, envelopes: Vec<Envelope>) {
        self.given_back
            .lock()
            .unwrap()
            .extend(envelopes.iter().map(Envelope::fence));
    }
}

/// The handler's side: what began, what ended, how much at once.
pub(crate) struct Jobs {
    pub(crate) seen: Mutex<Vec<Envelope>>,
    pub(crate) finished: AtomicUsize,
    /// Handlers end while it is open.
    gate: Semaphore,
    owner: Arc<Owner>,
}

impl Jobs {
    pub(crate) fn begun(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    pub(crate) fn done(&self) -> usize {
        self.finished.load(Ordering::SeqCst)
    }

    /// Lets this many handlers end.
    pub(crate) fn open(&self, count: usize) {
        self.gate.add_permits(count);
    }

    /// Fails when a subject was delivered more than once.
    pub(crate) fn subjects(&self) -> HashSet<u128> {
        let seen = self.seen.lock().unwrap();
        let subjects: HashSet<_> = seen
            .iter()
            .map(|envelope| envelope.subject.as_u128())
            .collect();
        assert_eq!(subjects.len(), seen.len(), "something was delivered twice");
        subjects
    }
}

pub(crate) async fn handle(
    delivery: Delivery,
    jobs: Data<Arc<Jobs>>,
    attempt: Attempt,
) -> Result<(), BoxDynError> {
    // The handler keeps no delivery: its slot must stay occupied all the same.
    let envelope = delivery.envelope.clone();
    drop(delivery);
    assert_eq!(attempt.current(), 1, "attempts are counted in the database");
    assert!(
        jobs.owner.held.lock().unwrap().contains(&envelope.fence()),
        "delivered before it was held"
    );
    jobs.seen.lock().unwrap().push(envelope);
    jobs.gate.acquire().await?.forget();
    jobs.finished.fetch_add(1, Ordering::SeqCst);
    Ok(())
}

/// A running worker.
pub(crate) struct Rig {
    pub(crate) jobs: Arc<Jobs>,
    pub(crate) owner: Arc<Owner>,
    pub(crate) stats: Arc<LaneStats>,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) worker: JoinHandle<Result<(), WorkerError>>,
}

impl Rig {
    /// A worker whose handlers end at once.
    pub(crate) fn open(queue: Arc<dyn Queue>, slots: usize) -> Self {
        let rig = Self::gated(queue, slots, slots);
        rig.jobs.open(Semaphore::MAX_PERMITS / 2);
        rig
    }

    /// A worker whose handlers wait for [`Jobs::open`], and which accepts `limit` jobs on its `slots`.
    pub(crate) fn gated(queue: Arc<dyn Queue>, slots: usize, limit: usize) -> Self {
        let owner = Arc::new(Owner::default());
        let jobs = Arc::new(Jobs {
            seen: Mutex::default(),
            finished: AtomicUsize::new(0),
            gate: Semaphore::new(0),
            owner: Arc::clone(&owner),
        });
        let lifecycle = Lifecycle::new();
        let clock = Arc::new(SystemClock::new());
        let backend = LaneBackend::new(queue, LANE, slots, owner.clone(), clock, &lifecycle);
        let stats = backend.stats();
        let worker = WorkerBuilder::new(worker_name(LANE, process()))
            .backend(backend)
            .data(Arc::clone(&jobs))
            .layer(ConcurrencyLimitLayer::new(limit))
            .build(handle);
        let running: BoxFuture<'static, _> = Box::pin(worker.run());
        let worker = lifecycle.spawn_short(running);
        Self {
            jobs,
            owner,
            stats,
            lifecycle,
            worker,
        }
    }

    pub(crate) async fn until_done(&self, count: usize) {
        eventually("all jobs are done", async || self.jobs.done() == count).await;
        assert!(!self.worker.is_finished(), "the worker ended");
    }

    pub(crate) async fn until_begun(&self, count: usize) {
        eventually("all jobs have begun", async || self.jobs.begun() == count).await;
    }

    /// Stops softly and waits for the worker's clean end.
    pub(crate) async fn stop(self) -> (Arc<Jobs>, Arc<Owner>, Arc<LaneStats>) {
        self.lifecycle.stop();
        in_time("the worker ends", self.worker)
            .await
            .unwrap()
            .unwrap();
        (self.jobs, self.owner, self.stats)
    }
}
