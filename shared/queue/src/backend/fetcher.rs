//! The task that pops: slots first, then envelopes, never more than slots.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use mooring_domain::job::Lane;
use mooring_runtime::Clock;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::{Arrivals, Delivery, LaneStats};
use crate::{Envelope, MAX_POP, Popped, Queue};

/// How long one pop waits for work. It bounds how long a stop has to wait for the pop.
const BLOCK: Duration = Duration::from_secs(1);

/// How long a stop waits for the last pop. One without an answer by then sits on a dead connection; if it took
/// envelopes, their leases bring them back.
const LAST_POP: Duration = Duration::from_secs(5);

pub(super) struct Fetcher {
    pub(super) queue: Arc<dyn Queue>,
    pub(super) lane: Lane,
    pub(super) slots: Arc<Semaphore>,
    pub(super) arrivals: Arc<dyn Arrivals>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) stats: Arc<LaneStats>,
    pub(super) stop: CancellationToken,
    pub(super) send: UnboundedSender<Delivery>,
    /// The worker's end, to take back at a stop what it has not taken.
    pub(super) received: Arc<Mutex<UnboundedReceiver<Delivery>>>,
}

impl Fetcher {
    /// Pops and delivers until the stop, then gives back.
    pub(super) async fn run(self: Box<Self>) {
        let mut last_pop = None;
        while let Some(slots) = self.free_slots().await {
            let mut pop = self.queue.pop(self.lane, slots.num_permits(), BLOCK);
            let Some(popped) = self.stop.run_until_cancelled(&mut pop).await else {
                last_pop = Some(pop);
                break;
            };
            self.deliver(popped, slots);
        }
        self.give_back(last_pop).await;
    }

    /// The slots to pop for: at least one, at most [`MAX_POP`]. `None` at the stop.
    async fn free_slots(&self) -> Option<OwnedSemaphorePermit> {
        let one = Arc::clone(&self.slots).acquire_owned();
        let mut slots = self.stop.run_until_cancelled(one).await?.ok()?;
        while slots.num_permits() < MAX_POP
            && let Ok(more) = Arc::clone(&self.slots).try_acquire_owned()
        {
            slots.merge(more);
        }
        Some(slots)
    }

    fn deliver(&self, popped: Vec<Popped>, mut slots: OwnedSemaphorePermit) {
        let envelopes = self.sift(popped);
        if envelopes.is_empty() {
            return;
        }
        self.arrivals.held(&envelopes);
        self.stats
            .delivered
            .fetch_add(envelopes.len() as u64, Ordering::Relaxed);
        for envelope in envelopes {
            let delivery = Delivery {
                envelope,
                slot: slots.split(1),
            };
            // The receiving end is closed by `take_back` alone, after the last delivery.
            self.send
                .send(delivery)
                .expect("the receiver lives as long as this fetcher");
        }
    }

    /// Leaves out, counts and reports what must not reach a handler.
    fn sift(&self, popped: Vec<Popped>) -> Vec<Envelope> {
        let now = self.clock.now();
        let mut envelopes = Vec::with_capacity(popped.len());
        for one in popped {
            match one {
                Popped::Envelope(envelope) if envelope.kind.lane() != self.lane => {
                    self.undecodable(&format!(
                        "a {} does not travel on the lane {}",
                        envelope.kind, self.lane
                    ));
                }
                Popped::Envelope(envelope) if envelope.lease_until <= now => {
                    self.stats.late.fetch_add(1, Ordering::Relaxed);
                }
                Popped::Envelope(envelope) => envelopes.push(envelope),
                Popped::Undecodable { reason } => self.undecodable(&reason),
            }
        }
        envelopes
    }

    fn undecodable(&self, reason: &str) {
        self.stats.undecodable.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(event.name = "queue.undecodable", lane = %self.lane, reason, "dropped something that is no envelope");
        self.arrivals.undecodable(self.lane, reason);
    }

    async fn give_back(&self, last_pop: Option<BoxFuture<'_, Vec<Popped>>>) {
        let mut left = self.take_back();
        if let Some(pop) = last_pop {
            match tokio::time::timeout(LAST_POP, pop).await {
                Ok(popped) => left.extend(self.sift(popped)),
                Err(_) => {
                    tracing::warn!(event.name = "queue.last_pop_lost", lane = %self.lane, "redis did not answer the last pop");
                }
            }
        }
        if !left.is_empty() {
            self.stats
                .given_back
                .fetch_add(left.len() as u64, Ordering::Relaxed);
            self.arrivals.give_back(left).await;
        }
    }

    /// Ends the worker's supply and returns what it has not taken.
    fn take_back(&self) -> Vec<Envelope> {
        let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        received.close();
        std::iter::from_fn(|| received.try_recv().ok())
            .map(|delivery| delivery.envelope)
            .collect()
    }
}
