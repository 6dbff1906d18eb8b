//! reseal: seal stored secrets anew that are not under the active key, and what a job does whose secret does not open.

use mooring_domain::reseal::{ResealStep, after_reseal, before_reseal, without_secret};
use mooring_runtime::lifecycle::chain;
use mooring_store::{Held, Secrets};

use crate::{
    ctx::{Ctx, Report, jitter},
    error::JobError,
};

pub(super) async fn run(ctx: &Ctx, held: &Held) -> Result<Report, JobError> {
    let job = ctx.store.reseal_job().await?;
    let reseal = job.reseal.as_ref();
    let step = before_reseal(reseal, job.left, job.holds_key, ctx.now(), jitter(held));
    let reseal = match (step, job.reseal) {
        (ResealStep::Settled(decision), _) => return ctx.apply(held, decision).await,
        (ResealStep::Batch, Some(reseal)) => reseal,
        (ResealStep::Batch, None) => return ctx.drop_job(held).await,
    };
    let batch = ctx.store.reseal_batch(&reseal.walk).await?;
    for (row, error) in &batch.unreadable {
        tracing::error!(event.name = "secret.not_resealed", place = batch.seen.place, %row, error = chain(error), "a stored secret does not open and was left alone");
    }
    let decision = after_reseal(&reseal, &batch.seen, ctx.now());
    let secrets = Secrets {
        resealed: batch.values,
        ..Secrets::default()
    };
    let (report, _) = ctx.apply_alone(held, decision, secrets).await?;
    Ok(report)
}

/// What becomes of a run that ended for want of a secret: nothing was called and nothing is judged, the job waits.
/// Every other end stays what it was.
pub(super) async fn unless_unopened(
    ctx: &Ctx,
    held: &Held,
    ended: Result<Report, JobError>,
) -> Result<Report, JobError> {
    let Err(JobError::Store(error)) = &ended else {
        return ended;
    };
    let Some((place, row, why)) = error.unopened() else {
        return ended;
    };
    tracing::error!(event.name = "secret.unopened", job.kind = held.fence.kind.as_str(), job.subject = %held.fence.subject, place, %row, error = chain(error), "a job waits for a secret that does not open");
    let decision = without_secret(why, place, row, ctx.now(), jitter(held));
    ctx.apply(held, decision).await
}
