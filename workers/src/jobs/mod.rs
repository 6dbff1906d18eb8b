//! The job bodies, one file each: load, call, decide, apply.

mod check;
mod drift;
mod house;
mod ledger;
mod media;
mod news;
mod offers;
mod publish;
mod refresh;
mod reseal;
mod survey;
mod verify;

use std::sync::Arc;

use mooring_domain::JobKind;
use mooring_queue::Envelope;
use mooring_store::Held;

use crate::{
    ctx::{Ctx, Report},
    error::JobError,
    leases,
};

/// Runs the job that an envelope names, if its claim still holds.
pub async fn run(ctx: &Arc<Ctx>, envelope: &Envelope) -> Result<Report, JobError> {
    let Some(held) = ctx.store.held(&leases::fence(envelope)).await? else {
        ctx.runtime.metrics.envelope_dropped("stale");
        return Ok(Report {
            outcome: "stale",
            error_class: None,
            platform: "unknown",
        });
    };
    let ended = body(ctx, &held).await;
    reseal::unless_unopened(ctx, &held, ended).await
}

async fn body(ctx: &Arc<Ctx>, held: &Held) -> Result<Report, JobError> {
    match held.fence.kind {
        JobKind::Check => check::run(ctx, held).await,
        JobKind::Survey => survey::run(ctx, held).await,
        JobKind::Refresh => refresh::run(ctx, held).await,
        JobKind::Publish => publish::run(ctx, held).await,
        JobKind::Verify => verify::run(ctx, held).await,
        JobKind::News => news::run(ctx, held).await,
        JobKind::Reconcile => house::reconcile(ctx, held).await,
        JobKind::Retention => house::retain(ctx, held).await,
        JobKind::Reseal => reseal::run(ctx, held).await,
        JobKind::Ledger => ledger::run(ctx, held).await,
    }
}
