//! One look over the lanes: how full they are, what is due, and claiming the difference.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use mooring_domain::{
    JobKind, Lane, ProcessId, Time,
    time::{from_ms, seconds},
};
use mooring_queue::{Queue, QueueError};
use mooring_runtime::Context;
use mooring_store::{
    LaneView, Store, StoreError,
    jobs::{Batch, ClaimOrder},
};

use crate::{dispatch, epochs::Epochs};

/// Claims per statement: large enough to be cheap, small enough to be short.
const BATCH: u64 = 500;

/// Envelopes that a lane may hold for each slot of its workers: seconds of work, never a flood.
const DEPTH_PER_SLOT: u64 = 4;

/// When the next look should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    /// Until then, or until something else happens.
    Until(Option<Time>),
    /// A moment: a lane is full and more is due.
    Full,
}

/// What a scheduler remembers between looks. Losing it costs nothing but a second.
pub(crate) struct Sweeper {
    context: Context,
    store: Store,
    queue: Arc<dyn Queue>,
    epochs: Epochs,
    /// Where each kind's next scan starts; forgotten every second, so that late arrivals are found.
    cursors: HashMap<JobKind, Time>,
    cursors_from: Time,
    /// When the database last answered, and until when leases that ended in a gap are respected.
    answered_at: Time,
    gap: Option<Gap>,
}

/// A time in which the database was away: no worker could extend, so what ran out then is not lost yet.
#[derive(Debug, Clone, Copy)]
struct Gap {
    began: Time,
    ended: Option<Time>,
}

impl Sweeper {
    pub(crate) fn new(context: Context, store: Store, queue: Arc<dyn Queue>) -> Self {
        let process = ProcessId::from_uuid(context.process);
        let start = context.clock.now();
        Self {
            epochs: Epochs::new(process),
            context,
            store,
            queue,
            cursors: HashMap::new(),
            cursors_from: start,
            answered_at: start,
            gap: None,
        }
    }

    /// Notes that the database did not answer.
    pub(crate) fn note_gap(&mut self) {
        let began = self.gap.map_or(self.answered_at, |gap| gap.began);
        self.gap = Some(Gap { began, ended: None });
    }

    /// One look over all lanes.
    pub(crate) async fn sweep(&mut self) -> Result<Rest, StoreError> {
        let now = self.context.clock.now();
        if !self.context.clock.trusted() {
            // By a wrong clock nothing may be claimed: it would be too early, or already lost.
            return Ok(Rest::Until(None));
        }
        self.epochs
            .watch(&self.context, &self.store, self.queue.as_ref(), now)
            .await?;
        let store = self.store.clone();
        let views = self.heard(store.lane_views(now)).await?;
        // Not the time of the question: by that one, what is claimed now could be over already.
        let now = self.context.clock.now();
        if now >= self.cursors_from + seconds(1) {
            self.cursors.clear();
            self.cursors_from = now;
        }
        let mut rest = Rest::Until(None);
        for (lane, view) in Lane::ALL.into_iter().zip(views) {
            rest = sooner(rest, self.fill(lane, view, now).await?);
        }
        Ok(rest)
    }

    /// Waits for the database, and notices when it hung: nothing failed, but nobody could extend a lease meanwhile.
    async fn heard<T>(
        &mut self,
        answer: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let asked = Instant::now();
        let answer = answer.await?;
        if asked.elapsed() > self.longest_silence() {
            self.note_gap();
        }
        self.end_gap(self.context.clock.now());
        Ok(answer)
    }

    /// A third of the shortest lease: within it every worker extends what it holds.
    fn longest_silence(&self) -> Duration {
        let shortest = Lane::ALL.map(|lane| self.store.policy().lease(lane).lease);
        let third = shortest.into_iter().min().unwrap_or_default() / 3;
        third.to_std().unwrap_or_default()
    }

    fn end_gap(&mut self, now: Time) {
        self.answered_at = now;
        if let Some(gap) = &mut self.gap {
            let ended = *gap.ended.get_or_insert(now);
            let longest = Lane::ALL.map(|lane| self.store.policy().lease(lane).lease);
            if longest.into_iter().all(|lease| now > ended + lease) {
                self.gap = None;
            }
        }
    }

    /// Claims for one lane as much as its workers have room for.
    async fn fill(&mut self, lane: Lane, view: LaneView, now: Time) -> Result<Rest, StoreError> {
        let Some(due) = view.next else {
            return Ok(Rest::Until(None));
        };
        if due > now {
            return Ok(Rest::Until(Some(due)));
        }
        let consumers = match self.queue.consumers(lane).await {
            Ok(consumers) => consumers,
            Err(error) => return Ok(redis_away(&error)),
        };
        let room = u64::from(consumers.slots) * DEPTH_PER_SLOT;
        let mut free = room.saturating_sub(view.outstanding);
        for kind in lane.kinds() {
            while free > 0 {
                let Some(claimed) = self.claim(lane, kind, free.min(BATCH), now).await? else {
                    return Ok(Rest::Until(None));
                };
                free -= claimed.min(free);
                if claimed < BATCH {
                    break;
                }
            }
        }
        // With room left, everything due is claimed; without, look again as soon as workers have taken some.
        if free == 0 && room > 0 {
            Ok(Rest::Full)
        } else {
            Ok(Rest::Until(None))
        }
    }

    /// Claims once and dispatches. `None`: the lane cannot be reached; what was claimed was given back.
    async fn claim(
        &mut self,
        lane: Lane,
        kind: JobKind,
        limit: u64,
        now: Time,
    ) -> Result<Option<u64>, StoreError> {
        let Some(epoch) = self.epochs.of(lane).map(str::to_owned) else {
            return Ok(None);
        };
        let order = ClaimOrder {
            kind,
            limit: u32::try_from(limit).unwrap_or(u32::MAX),
            from: self.cursors.get(&kind).copied().unwrap_or(from_ms(0)),
            lost_by: self.lost_by(lane, now),
            epoch: &epoch,
        };
        let store = self.store.clone();
        let Batch { claimed, floor } = self.heard(store.claim(order, now)).await?;
        // A full batch without a floor may have left older rows behind: then the next scan starts where this did.
        // A job that was woken early is due later than it was claimed: the scan must not skip what comes until then.
        let newest = claimed.iter().map(|one| one.claim.due.min(now)).max();
        let newest = newest.filter(|_| (claimed.len() as u64) < limit);
        if let Some(from) = floor.or(newest) {
            self.cursors.insert(kind, from);
        }
        let count = claimed.len() as u64;
        let sent = dispatch::dispatch(
            &self.context,
            &self.store,
            self.queue.as_ref(),
            lane,
            claimed,
            now,
        );
        Ok(sent.await?.then_some(count))
    }

    /// Leases that ended by then are lost. For one lease after a gap, those that ended in the gap are not.
    fn lost_by(&self, lane: Lane, now: Time) -> Time {
        match self.gap {
            Some(Gap {
                began,
                ended: Some(ended),
            }) if now <= ended + self.store.policy().lease(lane).lease => began,
            _ => now,
        }
    }
}

fn redis_away(error: &QueueError) -> Rest {
    tracing::warn!(event.name = "scheduler.redis_away", error = %error, "cannot fill a lane; trying again");
    Rest::Until(None)
}

fn sooner(a: Rest, b: Rest) -> Rest {
    match (a, b) {
        (Rest::Full, _) | (_, Rest::Full) => Rest::Full,
        (Rest::Until(a), Rest::Until(b)) => Rest::Until([a, b].into_iter().flatten().min()),
    }
}
