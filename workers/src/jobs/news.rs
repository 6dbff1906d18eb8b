//! news: merge something that a platform told us on its own.

use mooring_domain::{
    connection::life::{Removal, Which, disconnect},
    news::{after_news, erased},
};
use mooring_store::{Actor, ApplyError, Held, Refusal, Secrets};

use crate::{
    ctx::{Ctx, Report},
    error::JobError,
};

pub(super) async fn run(ctx: &Ctx, held: &Held) -> Result<Report, JobError> {
    let Some(job) = ctx.store.news_job(held).await? else {
        return ctx.drop_job(held).await;
    };
    // What cannot be undone comes first: a run that ends in between does the rest when it comes back.
    for connection in erased(&job.work) {
        if !let_go(ctx, held, Which::One(connection)).await? {
            return ctx.give_back(held).await;
        }
    }
    let decision = after_news(&job.work, ctx.policy(), ctx.now());
    ctx.apply(held, decision).await
}

/// Disconnects by the person's own wish, as the platform has told it: nobody confirms what else ends with it. `false`:
/// somebody scheduled something at this very moment.
async fn let_go(ctx: &Ctx, held: &Held, which: Which) -> Result<bool, JobError> {
    let leaving = match ctx.store.leaving(held.workspace, which, 0).await {
        Ok(leaving) => leaving,
        Err(error) => return settled(error),
    };
    let removal = Removal {
        which,
        confirmed: leaving.confirmation,
    };
    let (actor, nothing) = (Actor::Process(ctx.process()), Secrets::default());
    let decision = disconnect(removal);
    let applied = ctx
        .store
        .apply_act(&actor, held.workspace, &decision, &nothing, ctx.now())
        .await;
    applied.map_or_else(settled, |()| Ok(true))
}

/// What a refusal means: it is gone already, or the books have moved.
fn settled(error: ApplyError) -> Result<bool, JobError> {
    match error {
        ApplyError::Refused(Refusal::ConnectionRemoved { .. } | Refusal::NotFound { .. }) => {
            Ok(true)
        }
        ApplyError::Refused(_) => Ok(false),
        ApplyError::Store(error) => Err(error.into()),
    }
}
