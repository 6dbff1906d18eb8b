//! Keeping what this process holds: from the moment an envelope is popped until its job has ended.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use mooring_domain::{Event, Lane, Time, job::Fence};
use mooring_queue::{Arrivals, Envelope};
use mooring_runtime::wait_until;
use mooring_store::Actor;
use tokio_util::sync::CancellationToken;

use crate::Ctx;

/// The leases in this process's hands.
#[derive(Default)]
pub(crate) struct Leases(Mutex<HashMap<Fence, Entry>>);

struct Entry {
    /// Cancelled when the lease turns out to be lost.
    lost: CancellationToken,
    /// Its end, as far as we know.
    until: Time,
    /// From here on it is no longer extended.
    hard_end: Time,
}

impl Leases {
    fn hold(&self, fence: Fence, until: Time, hard_end: Time) {
        let lost = CancellationToken::new();
        self.lock().insert(
            fence,
            Entry {
                lost,
                until,
                hard_end,
            },
        );
    }

    /// The token that says when this lease is lost.
    pub(crate) fn lost(&self, fence: &Fence) -> CancellationToken {
        self.lock()
            .get(fence)
            .map(|entry| entry.lost.clone())
            .unwrap_or_default()
    }

    /// The job has ended, or was given back.
    pub(crate) fn let_go(&self, fence: &Fence) {
        self.lock().remove(fence);
    }

    /// Leases of a lane that end before `threshold` and may still be extended.
    fn ending(&self, lane: Lane, threshold: Time, now: Time) -> Vec<Fence> {
        let held = self.lock();
        let of_lane = held.iter().filter(|(fence, _)| fence.kind.lane() == lane);
        let ending = of_lane.filter(|(_, entry)| entry.until < threshold && entry.hard_end > now);
        ending.map(|(fence, _)| *fence).collect()
    }

    fn extended(&self, fence: &Fence, until: Time) {
        if let Some(entry) = self.lock().get_mut(fence) {
            entry.until = until;
        }
    }

    /// How many jobs of a lane are in this process's hands.
    pub(crate) fn count(&self, lane: Lane) -> u64 {
        self.lock()
            .keys()
            .filter(|fence| fence.kind.lane() == lane)
            .count() as u64
    }

    /// Whether this claim is in this process's hands.
    pub(crate) fn holds(&self, fence: &Fence) -> bool {
        self.lock().contains_key(fence)
    }

    fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Fence, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Extends what has less than two thirds of its lease left; one statement per lane. Looks ten times per lease, so
/// that a job that began with little left is not lost before its first extension. Runs on through the drain, until
/// the last job has ended.
pub(crate) async fn keep(ctx: Arc<Ctx>) {
    let shortest = Lane::ALL
        .into_iter()
        .map(|lane| ctx.policy().lease(lane).lease)
        .min();
    let rhythm = shortest.unwrap_or_else(|| mooring_domain::time::seconds(30)) / 10;
    loop {
        let next = ctx.now() + rhythm;
        tokio::select! {
            () = ctx.runtime.lifecycle.hard().cancelled() => return,
            () = wait_until(ctx.runtime.clock.as_ref(), next) => {}
            () = drained(&ctx) => return,
        }
        for lane in Lane::ALL {
            extend(&ctx, lane).await;
        }
    }
}

async fn drained(ctx: &Ctx) {
    ctx.runtime.lifecycle.soft().cancelled().await;
    while !ctx.leases.is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

async fn extend(ctx: &Ctx, lane: Lane) {
    let now = ctx.now();
    let lease = ctx.policy().lease(lane).lease;
    let held = ctx.leases.ending(lane, now + lease * 2 / 3, now);
    if held.is_empty() {
        return;
    }
    let until = now + lease;
    let survivors = match ctx.store.extend(&held, ctx.process(), until).await {
        Ok(survivors) => survivors,
        Err(error) => {
            tracing::warn!(event.name = "lease.not_extended", lane = %lane, held = held.len(), error = %error, "leases could not be extended; trying again");
            return;
        }
    };
    for fence in &held {
        if survivors.contains(fence) {
            ctx.leases.extended(fence, until);
        } else {
            ctx.leases.lost(fence).cancel();
        }
    }
}

/// Where envelopes arrive.
pub(crate) struct Desk(pub(crate) Arc<Ctx>);

#[async_trait]
impl Arrivals for Desk {
    fn held(&self, envelopes: &[Envelope]) {
        let now = self.0.now();
        for envelope in envelopes {
            let cap = self.0.policy().lease(envelope.kind.lane()).hard_cap;
            self.0
                .leases
                .hold(fence(envelope), envelope.lease_until, now + cap);
        }
    }

    fn undecodable(&self, lane: Lane, reason: &str) {
        let event = Event::EnvelopeDropped {
            lane,
            reason: reason.to_owned(),
        };
        let ctx = Arc::clone(&self.0);
        ctx.runtime.metrics.envelope_dropped("undecodable");
        self.0.runtime.lifecycle.spawn_short(async move {
            let told = ctx.store.tell(&Actor::Process(ctx.process()), event, ctx.now()).await;
            if let Err(error) = told {
                tracing::error!(event.name = "event.not_written", error = %error, "an event could not be written");
            }
        });
    }

    async fn give_back(&self, envelopes: Vec<Envelope>) {
        let fences: Vec<Fence> = envelopes.iter().map(fence).collect();
        for fence in &fences {
            self.0.leases.let_go(fence);
        }
        match self.0.store.release(&fences).await {
            Ok(released) => {
                tracing::info!(
                    event.name = "envelopes.given_back",
                    released,
                    "waiting jobs were given back; no attempt was spent"
                );
            }
            Err(error) => {
                tracing::warn!(event.name = "envelopes.not_given_back", count = fences.len(), error = %error, "waiting jobs could not be given back; their leases will run out");
            }
        }
    }
}

/// The fence that an envelope names.
pub(crate) fn fence(envelope: &Envelope) -> Fence {
    Fence {
        kind: envelope.kind,
        subject: envelope.subject,
        generation: envelope.generation,
    }
}
