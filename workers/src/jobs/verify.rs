//! verify: read an accepted post back; the answer is the proof.

use mooring_domain::{
    Failure,
    post::verify::{after_verify, before_verify},
};
use mooring_store::Held;

use crate::{
    ctx::{Ctx, Report, access, jitter},
    error::JobError,
};

pub(super) async fn run(ctx: &Ctx, held: &Held) -> Result<Report, JobError> {
    let Some(job) = ctx.store.verify_job(held, ctx.now()).await? else {
        return ctx.drop_job(held).await;
    };
    if let Some(decision) = before_verify(&job.work, ctx.policy(), ctx.now()) {
        return ctx.apply(held, decision).await;
    }
    let seen = match &job.credentials {
        Some(credentials) => {
            let provider = ctx.provider(job.work.platform);
            provider
                .read_back(&access(credentials), &job.remote_id)
                .await
        }
        None => Err(Failure::TokenRevoked),
    };
    let decision = after_verify(&job.work, seen, ctx.policy(), ctx.now(), jitter(held));
    ctx.apply(held, decision).await
}
