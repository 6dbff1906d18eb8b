//! Noticing that Redis has lost a lane.
//!
//! Each lane has an epoch in Redis, beside its envelopes, and a copy in the database. A lane that comes back
//! empty comes back without its epoch. Whoever changes the database's copy releases, in that transaction, what
//! was claimed under the old one and not begun: its envelopes are gone, and waiting for the leases helps nobody.

use std::collections::HashMap;

use mooring_domain::{Event, Lane, ProcessId, Time, time::seconds};
use mooring_queue::Queue;
use mooring_runtime::Context;
use mooring_store::{Actor, Store, StoreError};

/// The epochs in force, as far as this scheduler knows.
pub(crate) struct Epochs {
    process: ProcessId,
    known: HashMap<Lane, String>,
    looked_at: Option<Time>,
}

impl Epochs {
    pub(crate) fn new(process: ProcessId) -> Self {
        Self {
            process,
            known: HashMap::new(),
            looked_at: None,
        }
    }

    /// The epoch under which a lane may be filled; `None` while Redis does not tell.
    pub(crate) fn of(&self, lane: Lane) -> Option<&str> {
        self.known.get(&lane).map(String::as_str)
    }

    /// Looks, at most twice a second, whether every lane still has its epoch.
    pub(crate) async fn watch(
        &mut self,
        context: &Context,
        store: &Store,
        queue: &dyn Queue,
        now: Time,
    ) -> Result<(), StoreError> {
        if self
            .looked_at
            .is_some_and(|at| now >= at && now < at + seconds(1) / 2)
        {
            return Ok(());
        }
        self.looked_at = Some(now);
        for lane in Lane::ALL {
            let fresh = format!(
                "{}.{}",
                self.process.uuid().simple(),
                now.timestamp_millis()
            );
            let proposed = match queue.epoch(lane).await {
                Ok(Some(epoch)) => Ok(epoch),
                Ok(None) => queue.set_epoch(lane, &fresh).await,
                Err(error) => Err(error),
            };
            match proposed {
                Ok(epoch) if self.known.get(&lane) == Some(&epoch) => {
                    if let Ok(depth) = queue.depth(lane).await {
                        context.metrics.lane_depth(lane.as_str(), depth);
                    }
                }
                Ok(epoch) => self.adopt(context, store, lane, epoch, now).await?,
                Err(error) => {
                    self.known.remove(&lane);
                    tracing::warn!(event.name = "scheduler.redis_away", lane = %lane, error = %error, "a lane does not answer");
                }
            }
        }
        Ok(())
    }

    /// An epoch that is new to us: new to the database too, or another scheduler was faster.
    async fn adopt(
        &mut self,
        context: &Context,
        store: &Store,
        lane: Lane,
        epoch: String,
        now: Time,
    ) -> Result<(), StoreError> {
        let seen = store.lane_epoch(lane).await?;
        if seen.as_deref() != Some(epoch.as_str()) {
            let released = store
                .change_epoch(lane, seen.as_deref(), &epoch, now)
                .await?;
            if let (Some(released), Some(_)) = (released, seen) {
                context.metrics.recovered(lane.as_str(), released);
                tracing::warn!(event.name = "lane.lost", lane = %lane, released, "a lane came back empty; its waiting jobs were released");
                let told = Event::LaneLost { lane, released };
                if let Err(error) = store.tell(&Actor::Process(self.process), told, now).await {
                    tracing::error!(event.name = "event.not_written", error = %error, "an event could not be written");
                }
            }
        }
        self.known.insert(lane, epoch);
        Ok(())
    }
}
