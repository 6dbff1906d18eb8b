//! The queue inside one process: for the embedded mode and for tests. Same promises as Redis, minus the network.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use mooring_domain::id::ProcessId;
use mooring_domain::job::Lane;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::{BEAT_TTL, Beat, Consumers, Envelope, Popped, Queue, QueueError};

/// Lanes in memory. Its content ends with the process; the database's leases bring the work back.
#[derive(Debug)]
pub struct MemoryQueue {
    lanes: [MemoryLane; Lane::ALL.len()],
    hints: Notify,
    beat_ttl: Duration,
}

#[derive(Debug, Default)]
struct MemoryLane {
    state: Mutex<LaneState>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct LaneState {
    /// Score and wire form, as in Redis: equal envelopes are one.
    envelopes: BTreeMap<(u64, String), Envelope>,
    epoch: Option<String>,
    beats: HashMap<ProcessId, (u32, Instant)>,
}

impl MemoryQueue {
    /// Empty lanes.
    #[must_use]
    pub fn new() -> Self {
        Self::with_beat_ttl(BEAT_TTL)
    }

    /// Empty lanes on which a beat counts for `beat_ttl`.
    #[must_use]
    pub fn with_beat_ttl(beat_ttl: Duration) -> Self {
        Self {
            lanes: Default::default(),
            hints: Notify::new(),
            beat_ttl,
        }
    }

    /// Forgets everything, as a Redis does that comes back empty.
    pub fn wipe(&self) {
        for lane in &self.lanes {
            *lane.state() = LaneState::default();
        }
    }

    fn lane(&self, lane: Lane) -> &MemoryLane {
        &self.lanes[lane as usize]
    }
}

impl Default for MemoryQueue {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryLane {
    fn state(&self) -> MutexGuard<'_, LaneState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, max: usize) -> Vec<Popped> {
        let mut state = self.state();
        let taken = std::iter::from_fn(|| state.envelopes.pop_first()).take(max);
        let taken: Vec<_> = taken
            .map(|(_, envelope)| Popped::Envelope(envelope))
            .collect();
        if !state.envelopes.is_empty() {
            // The push woke one consumer; what this one leaves is for the next.
            self.arrived.notify_one();
        }
        taken
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    async fn push(&self, lane: Lane, envelopes: &[Envelope]) -> Result<(), QueueError> {
        let lane = self.lane(lane);
        let keyed = envelopes
            .iter()
            .map(|envelope| ((envelope.score(), envelope.encode()), envelope.clone()));
        lane.state().envelopes.extend(keyed);
        lane.arrived.notify_one();
        Ok(())
    }

    async fn pop(&self, lane: Lane, max: usize, wait: Duration) -> Vec<Popped> {
        let lane = self.lane(lane);
        if max == 0 {
            return Vec::new();
        }
        let deadline = Instant::now() + wait;
        loop {
            let taken = lane.take(max);
            if !taken.is_empty() || timeout_at(deadline, lane.arrived.notified()).await.is_err() {
                return taken;
            }
        }
    }

    async fn depth(&self, lane: Lane) -> Result<u64, QueueError> {
        Ok(self.lane(lane).state().envelopes.len() as u64)
    }

    async fn epoch(&self, lane: Lane) -> Result<Option<String>, QueueError> {
        Ok(self.lane(lane).state().epoch.clone())
    }

    async fn set_epoch(&self, lane: Lane, epoch: &str) -> Result<String, QueueError> {
        Ok(self
            .lane(lane)
            .state()
            .epoch
            .get_or_insert_with(|| epoch.to_owned())
            .clone())
    }

    async fn beat(&self, beat: &Beat) -> Result<(), QueueError> {
        let until = Instant::now() + self.beat_ttl;
        self.lane(beat.lane)
            .state()
            .beats
            .insert(beat.process, (beat.slots, until));
        Ok(())
    }

    async fn consumers(&self, lane: Lane) -> Result<Consumers, QueueError> {
        let now = Instant::now();
        let mut state = self.lane(lane).state();
        state.beats.retain(|_, (_, until)| *until > now);
        Ok(state
            .beats
            .values()
            .fold(Consumers::default(), |sum, (slots, _)| Consumers {
                workers: sum.workers + 1,
                slots: sum.slots.saturating_add(*slots),
            }))
    }

    async fn retire(&self, process: ProcessId) -> Result<(), QueueError> {
        for lane in &self.lanes {
            lane.state().beats.remove(&process);
        }
        Ok(())
    }

    async fn wake(&self) -> Result<(), QueueError> {
        self.hints.notify_one();
        Ok(())
    }

    async fn woken(&self, timeout: Duration) -> bool {
        tokio::time::timeout(timeout, self.hints.notified())
            .await
            .is_ok()
    }

    async fn ping(&self) -> Result<(), QueueError> {
        Ok(())
    }

    fn reconnects(&self) -> u64 {
        0
    }
}
