//! The second half of reconcile: leases against their holders, and against the workers' slots.

use std::collections::{BTreeMap, HashMap};

use mooring_domain::{
    Event, Lane, ProcessId, Time,
    drift::{Drift, HolderSeen, LeaseSeen, judge_lease, unaccounted},
};
use mooring_queue::QueueError;
use mooring_store::Actor;

use crate::{ctx::Ctx, error::JobError};

/// How often a lane is looked at before it is said that its leases are not accounted for: claims, pops and ends go on
/// between the three answers that are compared.
const LOOKS: usize = 3;

/// Compares, repairs, counts and tells.
pub(super) async fn compare(ctx: &Ctx, now: Time) -> Result<(), JobError> {
    let (mut repaired, mut found) = (BTreeMap::new(), BTreeMap::new());
    let leases = ctx.store.leases(now).await?;
    let mut ended = HashMap::new();
    for lease in &leases {
        let holder = holder_of(ctx, lease, &mut ended, now).await?;
        let rule = ctx.policy().lease(lease.fence.kind.lane());
        let Some((drift, end)) = judge_lease(lease, holder, rule, now) else {
            continue;
        };
        let Some(end) = end else {
            *found.entry(drift).or_default() += 1;
            continue;
        };
        if ctx.store.shorten(lease, end).await? {
            *repaired.entry(drift).or_default() += 1;
        }
    }
    for (drift, rows) in repaired {
        let what = drift.as_str();
        tracing::warn!(
            event.name = "drift.repaired",
            what,
            rows,
            "leases were ended early"
        );
        tell(ctx, drift, rows, now, |what, rows| Event::DriftRepaired {
            what,
            rows,
        })
        .await;
    }
    let beyond = beyond_slots(ctx, now).await?;
    if beyond > 0 {
        found.insert(Drift::Unaccounted, beyond);
    }
    for (drift, rows) in found {
        let what = drift.as_str();
        tracing::warn!(event.name = "drift.found", what, rows, "the books disagree");
        tell(ctx, drift, rows, now, |what, rows| Event::DriftFound {
            what,
            rows,
        })
        .await;
    }
    Ok(())
}

async fn tell(ctx: &Ctx, drift: Drift, rows: u64, now: Time, event: impl Fn(String, u64) -> Event) {
    ctx.runtime.metrics.drift(drift.as_str(), rows);
    let event = event(drift.as_str().to_owned(), rows);
    let told = ctx
        .store
        .tell(&Actor::Process(ctx.process()), event, now)
        .await;
    if let Err(error) = told {
        tracing::error!(event.name = "event.not_written", error = %error, "an event could not be written");
    }
}

/// What this process can know about a lease's holder. `ended`: what was found out before.
async fn holder_of(
    ctx: &Ctx,
    lease: &LeaseSeen,
    ended: &mut HashMap<ProcessId, bool>,
    now: Time,
) -> Result<HolderSeen, JobError> {
    let Some(holder) = lease.holder else {
        return Ok(HolderSeen::Unknown);
    };
    if holder == ctx.process() {
        // A job that has ended since the lease was read has given it up in the books before it did so here.
        let without = !ctx.leases.holds(&lease.fence);
        let still = without && ctx.store.held(&lease.fence).await?.is_some();
        return Ok(if still {
            HolderSeen::Without
        } else {
            HolderSeen::Unknown
        });
    }
    let known = match ended.get(&holder) {
        Some(known) => *known,
        None => ctx.store.has_ended(holder, ctx.process(), now).await?,
    };
    ended.insert(holder, known);
    Ok(if known {
        HolderSeen::Ended
    } else {
        HolderSeen::Unknown
    })
}

/// Leases that have been more than envelopes and slots for longer than a lease, over all lanes.
async fn beyond_slots(ctx: &Ctx, now: Time) -> Result<u64, JobError> {
    let mut beyond = 0;
    for lane in Lane::ALL {
        let rows = match excess(ctx, lane).await? {
            Ok(rows) => rows,
            Err(error) => {
                tracing::debug!(event.name = "drift.not_compared", lane = %lane, error = %error, "a lane does not answer; its leases were not compared");
                continue;
            }
        };
        ctx.runtime.metrics.leases_unaccounted(lane.as_str(), rows);
        let since = ctx.store.note_unaccounted(lane, rows > 0, now).await?;
        if since.is_some_and(|since| now > since + ctx.policy().lease(lane).lease) {
            beyond += rows;
        }
    }
    Ok(beyond)
}

/// The smallest of several looks at one lane.
async fn excess(ctx: &Ctx, lane: Lane) -> Result<Result<u64, QueueError>, JobError> {
    let mut least = u64::MAX;
    for _ in 0..LOOKS {
        let (before, slots) = match (ctx.queue.depth(lane).await, ctx.queue.consumers(lane).await) {
            (Ok(depth), Ok(consumers)) => (depth, u64::from(consumers.slots)),
            (Err(error), _) | (_, Err(error)) => return Ok(Err(error)),
        };
        let all = ctx.store.leases(ctx.now()).await?;
        let held = all.iter().filter(|seen| seen.fence.kind.lane() == lane);
        let held = held.count() as u64;
        let after = match ctx.queue.depth(lane).await {
            Ok(depth) => depth,
            Err(error) => return Ok(Err(error)),
        };
        least = least.min(unaccounted(held, before.max(after), slots));
        if least == 0 {
            break;
        }
    }
    Ok(Ok(least))
}
