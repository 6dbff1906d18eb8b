//! Schedulers and workers on a store, a queue in memory, and a clock that can be told to doubt itself.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use chrono::{DateTime, Utc};
use mooring_domain::{Lane, ProcessId, Time};
use mooring_providers::{BaseUrls, Registry};
use mooring_queue::{Beat, Envelope, MemoryQueue, Queue as _};
use mooring_runtime::{Clock, Config, Context, ManualClock, lifecycle::Signals};
use mooring_simulator::{Options, RunningSimulator, SimClock, Simulator};
use mooring_store::{Held, Store};
use mooring_tests::eventually;
use uuid::Uuid;

/// A clock that counts who asks whether it is right.
struct DoubtfulClock {
    time: ManualClock,
    trusted: AtomicBool,
    asked: AtomicUsize,
}

impl Clock for DoubtfulClock {
    fn now(&self) -> DateTime<Utc> {
        self.time.now()
    }

    fn trusted(&self) -> bool {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.trusted.load(Ordering::SeqCst)
    }

    fn simulated(&self) -> bool {
        true
    }
}

/// One process on a store.
pub(crate) struct Quay {
    pub(crate) queue: Arc<MemoryQueue>,
    pub(crate) context: Context,
    pub(crate) simulator: RunningSimulator,
    store: Store,
    clock: Arc<DoubtfulClock>,
    sim_clock: SimClock,
    /// Lanes on which somebody seems to live.
    beating: Mutex<Vec<Lane>>,
}

impl Quay {
    /// Nothing runs yet.
    pub(crate) async fn open(store: Store, now: Time) -> Self {
        let clock = Arc::new(DoubtfulClock {
            time: ManualClock::new(now),
            trusted: AtomicBool::new(true),
            asked: AtomicUsize::new(0),
        });
        let sim_clock = SimClock::manual(now.timestamp_millis());
        let options = Options {
            clock: sim_clock.clone(),
            ..Options::default()
        };
        let mut config = Config::default();
        config.http.allow_private_addresses = true;
        Self {
            queue: Arc::new(MemoryQueue::new()),
            context: Context::with_clock("quay", config, clock.clone()).expect("a context"),
            simulator: Simulator::start(options)
                .await
                .expect("the simulator starts"),
            store,
            clock,
            sim_clock,
            beating: Mutex::default(),
        }
    }

    /// Starts a scheduler.
    pub(crate) fn schedule(&self) {
        let run =
            mooring_scheduler::run(self.context.clone(), self.store.clone(), self.queue.clone());
        self.context.lifecycle.spawn("scheduler", run);
    }

    /// Starts a worker process for some lanes.
    pub(crate) fn work(&self, lanes: &[Lane]) {
        let base = self.simulator.base_url().parse().expect("a URL");
        let urls = BaseUrls::simulated(&base);
        let registry = Registry::new(&self.context.http, &self.context.clock, &urls);
        let run = mooring_workers::run(
            self.context.clone(),
            self.store.clone(),
            self.queue.clone(),
            Arc::new(registry),
            mooring_runtime::MediaStore::in_memory(1 << 20),
            lanes.iter().map(|lane| (*lane, 4)).collect(),
        );
        self.context.lifecycle.spawn("workers", run);
    }

    /// Says that a worker lives on a lane, so that schedulers fill it; every [`Quay::until`] says it again.
    pub(crate) async fn beat(&self, lane: Lane) {
        self.beating.lock().expect("nobody panicked").push(lane);
        self.be_seen().await;
    }

    async fn be_seen(&self) {
        let lanes = self.beating.lock().expect("nobody panicked").clone();
        for lane in lanes {
            let beat = Beat {
                process: ProcessId::from_uuid(Uuid::nil()),
                lane,
                slots: 100,
            };
            self.queue.beat(&beat).await.expect("memory has no errors");
        }
        self.queue.wake().await.expect("memory has no errors");
    }

    /// Puts a claim on its lane, as a scheduler does.
    pub(crate) async fn send(&self, held: &Held) {
        let envelope = Envelope {
            kind: held.fence.kind,
            subject: held.fence.subject,
            generation: held.fence.generation,
            lease_until: held.lease_until,
            due: held.due,
            priority: 100,
            traceparent: None,
        };
        self.queue
            .push(held.fence.kind.lane(), &[envelope])
            .await
            .expect("memory has no errors");
    }

    pub(crate) fn now(&self) -> Time {
        self.clock.now()
    }

    pub(crate) fn set(&self, to: Time) {
        self.sim_clock
            .set(to.timestamp_millis())
            .expect("a manual clock");
        self.clock.time.set(to);
    }

    /// Whether the clock is right.
    pub(crate) fn trust(&self, trusted: bool) {
        self.clock.trusted.store(trusted, Ordering::SeqCst);
    }

    /// Waits until somebody has asked some times more whether the clock is right.
    pub(crate) async fn asked_again(&self, times: usize) {
        let until = self.clock.asked.load(Ordering::SeqCst) + times;
        self.until("somebody asks whether the clock is right", async || {
            self.clock.asked.load(Ordering::SeqCst) >= until
        })
        .await;
    }

    /// Waits for something that a scheduler brings about; hints that there is work meanwhile.
    pub(crate) async fn until(&self, what: &str, condition: impl AsyncFn() -> bool) {
        eventually(what, || async {
            self.be_seen().await;
            condition().await
        })
        .await;
    }

    /// Stops everything in good order.
    pub(crate) async fn close(self) {
        let (_by_hand, signals) = Signals::by_hand();
        self.context.lifecycle.stop();
        let patience = std::time::Duration::from_secs(20);
        assert!(
            self.context.lifecycle.run(patience, signals, || {}).await,
            "something did not stop"
        );
        assert_eq!(self.context.lifecycle.failure(), None, "a component failed");
    }
}
