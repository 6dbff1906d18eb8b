//! check: prove token, scopes, account and publish right by the cheapest calls there are.

use mooring_domain::{
    Failure,
    connection::{CheckStep, Observation, TokenSeen, after_check, before_check},
};
use mooring_store::Held;

use crate::{
    ctx::{Ctx, Report, access, jitter},
    error::JobError,
};

pub(super) async fn run(ctx: &Ctx, held: &Held) -> Result<Report, JobError> {
    let Some(job) = ctx.store.check_job(held, ctx.now()).await? else {
        return ctx.drop_job(held).await;
    };
    let step = before_check(&job.work, ctx.policy(), ctx.now(), jitter(held));
    if let CheckStep::Judged(decision) = step {
        return ctx.apply(held, decision).await;
    }
    let seen = match &job.credentials {
        Some(credentials) => {
            let provider = ctx.provider(job.work.platform);
            provider.check(&access(credentials), job.probe_token).await
        }
        None => Ok(Observation {
            token: TokenSeen::Dead(Failure::TokenRevoked),
            account: None,
        }),
    };
    let decision = after_check(&job.work, seen, ctx.policy(), ctx.now(), jitter(held));
    ctx.apply(held, decision).await
}
