//! The house's own jobs: comparing the books, and keeping tomorrow's partitions ready.

use mooring_domain::{
    Decision, Event, JobKind, Next, Poke,
    decision::Outcome,
    time::{hours, minutes},
};
use mooring_store::{Actor, Held, Secrets};

use super::{drift, offers};
use crate::{
    ctx::{Ctx, Report, jitter},
    error::JobError,
};

/// How long job runs, events and merged news are kept, in days.
const KEEP_DAYS: i64 = 90;

/// Whatever should have a job and has none gets it back: unsettled targets, acceptances that nobody looked at,
/// connections, living grants. Then leases are compared with their holders and with the workers' slots, and what nobody
/// chose when connecting is let go.
pub(super) async fn reconcile(ctx: &Ctx, held: &Held) -> Result<Report, JobError> {
    let now = ctx.now();
    let orphans = ctx.store.orphans(now).await?;
    let actor = Actor::Process(ctx.process());
    for orphan in &orphans {
        let repair = Decision::new(Next::Done, Outcome::Success)
            .poke(Poke::Job {
                kind: orphan.kind,
                subject: orphan.subject,
                platform: orphan.platform,
                at: orphan.due.max(now),
                priority: 100,
            })
            .event(Event::DriftRepaired {
                what: what(orphan.kind).to_owned(),
                rows: 1,
            });
        let repaired = ctx
            .store
            .apply_act(&actor, orphan.workspace, &repair, &Secrets::default(), now)
            .await;
        ctx.runtime.metrics.drift(what(orphan.kind), 1);
        if let Err(error) = repaired {
            tracing::error!(event.name = "drift.not_repaired", job.subject = %orphan.subject, error = %error, "a lost job could not be created again");
        }
    }
    if !orphans.is_empty() {
        tracing::warn!(
            event.name = "drift.repaired",
            rows = orphans.len(),
            "jobs were missing and were created again"
        );
    }
    drift::compare(ctx, now).await?;
    offers::clear(ctx, now).await?;
    let next = now + jitter(held).spread(minutes(2), 20);
    ctx.apply(held, Decision::new(Next::At(next), Outcome::Success))
        .await
}

const fn what(kind: JobKind) -> &'static str {
    match kind {
        JobKind::Publish => "target_without_publish_job",
        JobKind::Verify => "acceptance_without_verify_job",
        JobKind::Check => "connection_without_check_job",
        JobKind::Survey => "grant_without_survey_job",
        JobKind::Refresh => "grant_without_refresh_job",
        JobKind::News => "news_without_job",
        JobKind::Reconcile | JobKind::Retention | JobKind::Reseal | JobKind::Ledger => {
            "house_without_job"
        }
    }
}

/// Creates the next days' partitions and drops those past their time. Nothing to do on SQLite.
pub(super) async fn retain(ctx: &Ctx, held: &Held) -> Result<Report, JobError> {
    let now = ctx.now();
    ctx.store.keep_partitions(now, KEEP_DAYS).await?;
    ctx.store.forget_news(now, KEEP_DAYS).await?;
    let next = now + jitter(held).spread(hours(6), 20);
    ctx.apply(held, Decision::new(Next::At(next), Outcome::Success))
        .await
}
