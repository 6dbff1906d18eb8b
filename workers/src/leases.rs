//! Keeping what this process holds: from the moment an envelope is popped until its job has ended.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use mooring_domain::{Event, Lane, Policy, Time, job::Fence};
use mooring_queue::{Arrivals, Envelope};
use mooring_runtime::wait_until;
use mooring_store::{Actor, Lease};
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

    /// What to extend now, and until when: the leases of which less than two thirds are left. None beyond its
    /// lane's hard cap.
    fn ending(&self, policy: &Policy, now: Time) -> Vec<Lease> {
        let held = self.lock();
        let ending = held.iter().filter_map(|(fence, entry)| {
            let lease = policy.lease(fence.kind.lane()).lease;
            let due = entry.until < now + lease * 2 / 3 && entry.hard_end > now;
            due.then_some(Lease {
                fence: *fence,
                until: now + lease,
            })
        });
        ending.collect()
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

/// Extends what has less than two thirds of its lease left, of all lanes in one statement. Looks ten times per lease,
/// so that a job that began with little left is not lost before its first extension, and one whose row was locked is
/// soon asked for again. Runs on through the drain, until the last job has ended.
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
        extend(&ctx).await;
    }
}

async fn drained(ctx: &Ctx) {
    ctx.runtime.lifecycle.soft().cancelled().await;
    while !ctx.leases.is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

async fn extend(ctx: &Ctx) {
    let wanted = ctx.leases.ending(ctx.policy(), ctx.now());
    if wanted.is_empty() {
        return;
    }
    let survivors = match ctx.store.extend(&wanted, ctx.process()).await {
        Ok(survivors) => survivors,
        Err(error) => {
            tracing::warn!(event.name = "lease.not_extended", held = wanted.len(), error = %error, "leases could not be extended; trying again");
            return;
        }
    };
    let survivors: HashMap<Fence, Time> = survivors
        .into_iter()
        .map(|lease| (lease.fence, lease.until))
        .collect();
    for Lease { fence, .. } in &wanted {
        match survivors.get(fence) {
            Some(until) => ctx.leases.extended(fence, *until),
            None => ctx.leases.lost(fence).cancel(),
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
