//! From claims to envelopes, each with the trace that its job continues.

use std::collections::HashMap;

use mooring_domain::{
    Decision, Event, JobKind, Lane, Next, ProcessId, Time,
    decision::{Outcome, ParkReason},
};
use mooring_queue::{Envelope, Queue};
use mooring_runtime::{Context, trace};
use mooring_store::{Claimed, JobResult, Secrets, Store, StoreError};
use opentelemetry::trace::SpanContext;
use uuid::Uuid;

/// Pushes what was claimed. `false`: the lane did not take it, and the claims were given back.
pub(crate) async fn dispatch(
    context: &Context,
    store: &Store,
    queue: &dyn Queue,
    lane: Lane,
    claimed: Vec<Claimed>,
    now: Time,
) -> Result<bool, StoreError> {
    if claimed.is_empty() {
        return Ok(true);
    }
    for one in claimed.iter().filter(|one| one.losses > 0) {
        context.metrics.recovered(one.claim.fence.kind.as_str(), 1);
    }
    let max_losses = store.policy().max_losses;
    let (poisoned, claimed): (Vec<_>, Vec<_>) = claimed
        .into_iter()
        .partition(|one| one.losses >= max_losses);
    for one in &poisoned {
        park_poison(context, store, one, now).await?;
    }
    let tick = tracing::info_span!(
        "scheduler.tick",
        otel.kind = "internal",
        mooring.lane = lane.as_str(),
        mooring.claimed = claimed.len(),
    );
    let tick_context = tick.in_scope(trace::current);
    let stories = stories(store, &claimed).await?;
    let envelopes: Vec<Envelope> = claimed
        .iter()
        .map(|one| envelope(one, stories.get(&one.claim.fence.subject), &tick_context))
        .collect();
    if let Err(error) = queue.push(lane, &envelopes).await {
        tracing::warn!(event.name = "scheduler.push_failed", lane = %lane, error = %error, "a lane took nothing; the claims are given back");
        let fences: Vec<_> = claimed.iter().map(|one| one.claim.fence).collect();
        store.release(&fences).await?;
        return Ok(false);
    }
    for one in &claimed {
        context.metrics.claimed(one.claim.fence.kind.as_str(), 1);
    }
    Ok(true)
}

/// A job whose worker died again and again is not tried once more: somebody must look at it.
async fn park_poison(
    context: &Context,
    store: &Store,
    claimed: &Claimed,
    now: Time,
) -> Result<(), StoreError> {
    let fence = claimed.claim.fence;
    let decision = Decision::new(
        Next::Park(None, ParkReason::Poison),
        Outcome::Waiting(ParkReason::Poison),
    )
    .event(Event::JobPoisoned {
        kind: fence.kind,
        subject: fence.subject,
        losses: claimed.losses,
    });
    tracing::error!(event.name = "job.poisoned", job.kind = %fence.kind, job.subject = %fence.subject, losses = claimed.losses, "a job lost its worker too often and was parked");
    let result = JobResult {
        fence,
        decision,
        secrets: Secrets::default(),
        now,
        trace_id: None,
        process: ProcessId::from_uuid(context.process),
    };
    store.apply_job(&result).await.map(|_| ())
}

/// The stories that claims belong to: a target's own id, and for a read-back the target behind the attempt.
async fn stories(store: &Store, claimed: &[Claimed]) -> Result<HashMap<Uuid, Uuid>, StoreError> {
    let subjects = |kind: JobKind| {
        claimed
            .iter()
            .map(|one| one.claim.fence)
            .filter(move |fence| fence.kind == kind)
            .map(|fence| fence.subject)
    };
    let attempts: Vec<Uuid> = subjects(JobKind::Verify).collect();
    let mut stories = store.stories(&attempts).await?;
    stories.extend(subjects(JobKind::Publish).map(|target| (target, target)));
    Ok(stories)
}

/// The envelope, and the span that says it was sent: part of its story, or the root of a trace of its own; the
/// tick that sent it is a link, for ten thousand jobs of a tick are no one's children.
fn envelope(claimed: &Claimed, story: Option<&Uuid>, tick: &SpanContext) -> Envelope {
    let fence = claimed.claim.fence;
    let span = tracing::info_span!(
        parent: None,
        "send",
        otel.name = format!("send {}", fence.kind.lane()),
        otel.kind = "producer",
        messaging.system = "mooring",
        messaging.operation.name = "send",
        messaging.operation.r#type = "send",
        messaging.destination.name = fence.kind.lane().as_str(),
        mooring.job.kind = fence.kind.as_str(),
        mooring.job.subject = %fence.subject,
        mooring.workspace.id = %claimed.workspace,
    );
    let parent = story.map_or(SpanContext::NONE, |id| trace::story(*id));
    let span = trace::adopt(span, &parent, &[("scheduler.tick", tick.clone())]);
    let traceparent = span.in_scope(|| trace::traceparent(&trace::current()));
    Envelope {
        kind: fence.kind,
        subject: fence.subject,
        generation: fence.generation,
        lease_until: claimed.claim.lease_until,
        due: claimed.claim.due,
        priority: claimed.claim.priority,
        traceparent,
    }
}
