//! What lies around every job, from the outside in: [`Trace`], [`Measure`], [`PanicGuard`], [`Deadline`].
//!
//! Each layer is a function from a run to a run; [`Around`] makes a tower service of it.

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use apalis_core::task::Task;
use futures::{FutureExt, future::BoxFuture};
use mooring_queue::{Delivery, Envelope};
use mooring_runtime::trace;
use opentelemetry::trace::SpanContext;
use tower::{Layer, Service};
use tracing::{Instrument, field::Empty};

use crate::{
    ctx::{Ctx, Report},
    error::JobError,
    leases,
};

/// An error as apalis passes it on.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A job on its way, and what comes of it.
pub(crate) type Run = BoxFuture<'static, Result<Report, BoxError>>;

/// A layer of ours: it receives the envelope and the run inside it.
pub(crate) trait Wrap: Clone + Send + 'static {
    /// Puts itself around a run.
    fn wrap(&self, envelope: &Envelope, run: Run) -> Run;
}

/// The tower service of a [`Wrap`].
#[derive(Debug, Clone)]
pub(crate) struct Around<W, S> {
    wrap: W,
    inner: S,
}

impl<W, S> Service<Task<Delivery>> for Around<W, S>
where
    W: Wrap,
    S: Service<Task<Delivery>, Response = Report>,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
{
    type Response = Report;
    type Error = BoxError;
    type Future = Run;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, task: Task<Delivery>) -> Run {
        let envelope = task.args.envelope.clone();
        let run = self
            .inner
            .call(task)
            .map(|result| result.map_err(Into::into))
            .boxed();
        self.wrap.wrap(&envelope, run)
    }
}

/// Gives the run its span: a consumer, child of the span that sent it, in the same trace.
#[derive(Debug, Clone)]
pub(crate) struct Trace;

impl Wrap for Trace {
    fn wrap(&self, envelope: &Envelope, run: Run) -> Run {
        let span = tracing::info_span!(
            parent: None,
            "process",
            otel.name = format!("process {}", envelope.kind.lane()),
            otel.kind = "consumer",
            otel.status_code = Empty,
            messaging.system = "mooring",
            messaging.operation.name = "process",
            messaging.operation.r#type = "process",
            messaging.destination.name = envelope.kind.lane().as_str(),
            mooring.job.kind = envelope.kind.as_str(),
            mooring.job.subject = %envelope.subject,
            mooring.job.generation = envelope.generation,
            mooring.outcome = Empty,
            error.r#type = Empty,
        );
        let sent = envelope
            .traceparent
            .as_deref()
            .and_then(trace::parse_traceparent);
        let sent = sent.unwrap_or(SpanContext::NONE);
        let span = trace::adopt(span, &sent, &[("sent", sent.clone())]);
        let told = span.clone();
        async move {
            let result = run.await;
            let (outcome, class) = match &result {
                Ok(report) => (report.outcome, report.error_class),
                Err(error) => ("error", Some(class_of(error))),
            };
            told.record("mooring.outcome", outcome);
            if let Some(class) = class {
                told.record("error.type", class);
                told.record("otel.status_code", "ERROR");
            }
            result
        }
        .instrument(span)
        .boxed()
    }
}

/// Counts the run and its times, and logs a run that ended without a decision.
#[derive(Clone)]
pub(crate) struct Measure(pub(crate) Arc<Ctx>);

impl Wrap for Measure {
    fn wrap(&self, envelope: &Envelope, run: Run) -> Run {
        let ctx = Arc::clone(&self.0);
        let (kind, due) = (envelope.kind.as_str(), envelope.due);
        let waited = (ctx.now() - due).to_std().unwrap_or_default();
        ctx.runtime.metrics.queue_wait(kind, waited);
        let subject = envelope.subject;
        async move {
            let started = Instant::now();
            let result = run.await;
            let (platform, outcome) = match &result {
                Ok(report) => (report.platform, report.outcome),
                Err(error) if class_of(error) == JobError::ClaimLost.class() => {
                    tracing::debug!(event.name = "claim.lost", job.kind = kind, job.subject = %subject, "an envelope had waited too long");
                    ("unknown", class_of(error))
                }
                Err(error) => {
                    tracing::warn!(event.name = "job.undecided", job.kind = kind, job.subject = %subject, error = %error, "a job ended without a decision; it comes back when its lease has run out");
                    ("unknown", class_of(error))
                }
            };
            ctx.runtime.metrics.job_finished(kind, platform, outcome, started.elapsed());
            result
        }
        .boxed()
    }
}

/// Turns a panic into an error, so that it costs one job and not its worker.
#[derive(Debug, Clone)]
pub(crate) struct PanicGuard;

impl Wrap for PanicGuard {
    fn wrap(&self, _envelope: &Envelope, run: Run) -> Run {
        AssertUnwindSafe(run)
            .catch_unwind()
            .map(|result| {
                result.unwrap_or_else(|panic| {
                    let said = panic
                        .downcast_ref::<&str>()
                        .map(|text| (*text).to_owned())
                        .or_else(|| panic.downcast_ref::<String>().cloned());
                    Err(JobError::Panicked(said.unwrap_or_default()).into())
                })
            })
            .boxed()
    }
}

/// Stops a run whose lease is lost or that is longer than its lane's hard cap.
#[derive(Clone)]
pub(crate) struct Deadline(pub(crate) Arc<Ctx>);

impl Wrap for Deadline {
    fn wrap(&self, envelope: &Envelope, run: Run) -> Run {
        let ctx = Arc::clone(&self.0);
        let fence = leases::fence(envelope);
        let lost = ctx.leases.lost(&fence);
        let cap = ctx.policy().lease(envelope.kind.lane()).hard_cap;
        let cap = cap.to_std().unwrap_or_default();
        async move {
            let letting_go = LettingGo { ctx: &ctx, fence };
            let result = tokio::select! {
                result = run => result,
                () = lost.cancelled() => Err(JobError::LeaseLost.into()),
                () = tokio::time::sleep(cap) => Err(JobError::TooLong.into()),
            };
            drop(letting_go);
            result
        }
        .boxed()
    }
}

/// Lets go of a lease even when the run is dropped or panics.
struct LettingGo<'a> {
    ctx: &'a Ctx,
    fence: mooring_domain::job::Fence,
}

impl Drop for LettingGo<'_> {
    fn drop(&mut self) {
        self.ctx.leases.let_go(&self.fence);
    }
}

fn class_of(error: &BoxError) -> &'static str {
    error
        .downcast_ref::<JobError>()
        .map_or("internal", JobError::class)
}

macro_rules! layers {
    ($($wrap:ty),*) => {$(
        impl<S> Layer<S> for $wrap {
            type Service = Around<$wrap, S>;

            fn layer(&self, inner: S) -> Self::Service {
                Around { wrap: self.clone(), inner }
            }
        }
    )*};
}

layers!(Trace, Measure, PanicGuard, Deadline);
