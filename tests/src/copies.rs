//! Lanes on which every refresh is handed to all workers at once: what a conveyor may do at its worst.

use std::time::Duration;

use async_trait::async_trait;
use mooring_domain::{Lane, ProcessId};
use mooring_queue::{Beat, Consumers, Envelope, MemoryQueue, Popped, Queue, QueueError};

/// One end of the lanes: that of the scheduler, or of one worker. On all lanes but that of refreshes an envelope goes to
/// one worker, as it should.
pub(crate) struct Copies {
    ends: std::sync::Arc<Vec<MemoryQueue>>,
    mine: usize,
}

impl Copies {
    /// The ends of so many workers. The first one is also the scheduler's.
    pub(crate) fn for_workers(count: usize) -> Vec<Self> {
        let ends = (0..count).map(|_| MemoryQueue::new()).collect();
        let ends = std::sync::Arc::new(ends);
        let end = |mine| Self {
            ends: std::sync::Arc::clone(&ends),
            mine,
        };
        (0..count).map(end).collect()
    }

    fn shared(&self) -> &MemoryQueue {
        &self.ends[0]
    }

    fn of(&self, lane: Lane) -> &MemoryQueue {
        if lane == Lane::Refresh {
            &self.ends[self.mine]
        } else {
            self.shared()
        }
    }
}

#[async_trait]
impl Queue for Copies {
    async fn push(&self, lane: Lane, envelopes: &[Envelope]) -> Result<(), QueueError> {
        if lane != Lane::Refresh {
            return self.shared().push(lane, envelopes).await;
        }
        for end in self.ends.iter() {
            end.push(lane, envelopes).await?;
        }
        Ok(())
    }

    async fn pop(&self, lane: Lane, max: usize, wait: Duration) -> Vec<Popped> {
        self.of(lane).pop(lane, max, wait).await
    }

    async fn depth(&self, lane: Lane) -> Result<u64, QueueError> {
        self.of(lane).depth(lane).await
    }

    async fn epoch(&self, lane: Lane) -> Result<Option<String>, QueueError> {
        self.shared().epoch(lane).await
    }

    async fn set_epoch(&self, lane: Lane, epoch: &str) -> Result<String, QueueError> {
        self.shared().set_epoch(lane, epoch).await
    }

    async fn beat(&self, beat: &Beat) -> Result<(), QueueError> {
        self.shared().beat(beat).await
    }

    async fn consumers(&self, lane: Lane) -> Result<Consumers, QueueError> {
        self.shared().consumers(lane).await
    }

    async fn retire(&self, process: ProcessId) -> Result<(), QueueError> {
        self.shared().retire(process).await
    }

    async fn wake(&self) -> Result<(), QueueError> {
        self.shared().wake().await
    }

    async fn woken(&self, timeout: Duration) -> bool {
        self.shared().woken(timeout).await
    }

    async fn ping(&self) -> Result<(), QueueError> {
        self.shared().ping().await
    }

    fn reconnects(&self) -> u64 {
        0
    }
}
