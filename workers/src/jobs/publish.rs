//! publish: bring a target to its platform once in effect, or find out what became of an attempt.

use std::sync::Arc;

use mooring_domain::{
    Decision, Failure, Next, Time,
    decision::Outcome,
    post::{
        AttemptFacts, Content, Sent, after_prepare,
        publish::{PublishStep, after_send, before_publish},
        resolve::after_resolve,
    },
    time::seconds,
};
use mooring_providers::{Draft, Lost};
use mooring_store::{BeginPublish, BegunPublish, Held, PublishJob};

use tracing::Instrument as _;

use super::media;
use crate::{
    ctx::{Ctx, Report, access, jitter},
    error::JobError,
};

pub(super) async fn run(ctx: &Arc<Ctx>, held: &Held) -> Result<Report, JobError> {
    let Some(job) = ctx.store.publish_job(held, ctx.now()).await? else {
        return ctx.drop_job(held).await;
    };
    match before_publish(&job.work, ctx.policy(), ctx.now()) {
        PublishStep::Settled(decision) => ctx.apply(held, decision).await,
        _ if !ctx.may_send() => ctx.give_back(held).await,
        PublishStep::Prepare => prepare(ctx, held, &job).await,
        PublishStep::Send => send(ctx, held, job).await,
        PublishStep::Resolve(attempt) => resolve(ctx, held, &job, &attempt).await,
    }
}

/// Does the next step before the one that publishes. Nothing begins: it may be repeated, and shows nothing.
async fn prepare(ctx: &Ctx, held: &Held, job: &PublishJob) -> Result<Report, JobError> {
    let prepared = match &job.credentials {
        Some(credentials) => {
            let so_far = job.work.preparation.as_ref().map(|one| &one.state);
            let content = job.content.clone();
            let draft = draft(ctx, held, job, content, None, ctx.now() + seconds(60));
            ctx.provider(job.work.platform)
                .prepare(&access(credentials), &draft, so_far)
                .await
        }
        None => Err(Failure::TokenRevoked),
    };
    let decision = after_prepare(&job.work, prepared, ctx.policy(), ctx.now(), jitter(held));
    ctx.apply(held, decision).await
}

async fn send(ctx: &Arc<Ctx>, held: &Held, job: PublishJob) -> Result<Report, JobError> {
    let order = BeginPublish {
        reference: reference(ctx, &job),
        send: true,
        revision: Some(job.work.revision),
    };
    let begun = ctx
        .store
        .begin_publish(held, &order, ctx.process(), ctx.now())
        .await?;
    let (attempt, content) = match begun {
        BegunPublish::Attempt(attempt, content) => (attempt, content),
        BegunPublish::Changed | BegunPublish::Looking => return look_anew(ctx, held).await,
        BegunPublish::Lost => return Err(JobError::ClaimLost),
    };
    // A task of its own: a lease that is lost meanwhile ends the decision's right, not the knowledge of how the
    // call ended. What the platform answers is evidence, whoever holds the job by then.
    let lifecycle = ctx.runtime.lifecycle.clone();
    let (ctx, held) = (Arc::clone(ctx), held.clone());
    let sending = async move {
        let answer = call(&ctx, &held, &job, &attempt, content).await;
        let decision = after_send(
            &job.work,
            &attempt,
            answer,
            ctx.policy(),
            ctx.now(),
            jitter(&held),
        );
        ctx.apply(&held, decision).await
    };
    let sent = lifecycle.spawn_short(sending.in_current_span());
    sent.await.map_err(|_| JobError::Aborted)?
}

async fn resolve(
    ctx: &Ctx,
    held: &Held,
    job: &PublishJob,
    attempt: &AttemptFacts,
) -> Result<Report, JobError> {
    let order = BeginPublish {
        reference: None,
        send: false,
        revision: None,
    };
    let begun = ctx
        .store
        .begin_publish(held, &order, ctx.process(), ctx.now())
        .await?;
    if !matches!(begun, BegunPublish::Looking) {
        return Err(JobError::ClaimLost);
    }
    let found = match &job.credentials {
        Some(credentials) => {
            let lost = Lost {
                reference: attempt.reference.clone(),
                handle: attempt.handle.clone(),
                prepared: job.sent_prepared.clone(),
                content: job.content.clone(),
                not_before: attempt.begun_at - ctx.policy().clock_margin,
                owned: job.owned.clone(),
            };
            ctx.provider(job.work.platform)
                .find(&access(credentials), &lost)
                .await
        }
        None => Err(Failure::TokenRevoked),
    };
    let sender_ended = match job.sender {
        Some(sender) => ctx.is_over(sender, attempt.id.uuid()).await?,
        None => false,
    };
    let decision = after_resolve(
        &job.work,
        attempt,
        found,
        sender_ended,
        ctx.policy(),
        ctx.now(),
        jitter(held),
    );
    ctx.apply(held, decision).await
}

async fn call(
    ctx: &Ctx,
    held: &Held,
    job: &PublishJob,
    attempt: &AttemptFacts,
    content: Content,
) -> Result<Sent, Failure> {
    let Some(credentials) = &job.credentials else {
        return Err(Failure::NotSent);
    };
    let reference = attempt.reference.clone();
    let mut draft = draft(ctx, held, job, content, reference, attempt.send_by);
    draft.prepared = job.work.preparation.as_ref().map(|one| one.state.clone());
    let sending = ctx.sending.begin(attempt.id.uuid());
    let answer = ctx
        .provider(job.work.platform)
        .publish(&access(credentials), &draft)
        .await;
    drop(sending);
    answer
}

/// The post as the adapter gets it.
fn draft(
    ctx: &Ctx,
    held: &Held,
    job: &PublishJob,
    content: Content,
    reference: Option<String>,
    send_by: Time,
) -> Draft {
    let mut sent = job.work.attempts.iter().filter(|one| !one.forgotten);
    let first = sent.next();
    Draft {
        reference,
        // The first attempt's own time, so that a repetition is the same post to the platform.
        created_at: first.map_or(job.work.due, |first| first.begun_at),
        send_by,
        media: media::attachments(ctx, held.workspace, job.work.platform, &content.media),
        prepared: None,
        content,
    }
}

/// The edition's key: the first attempt's, so that a repetition is the same record to the platform.
fn reference(ctx: &Ctx, job: &PublishJob) -> Option<String> {
    let mut attempts = job.work.attempts.iter();
    let first = attempts.find_map(|attempt| attempt.reference.clone());
    first.or_else(|| {
        let entropy = job.work.target.uuid().as_u64_pair().1;
        ctx.provider(job.work.platform)
            .reference(ctx.now(), entropy)
    })
}

/// The target changed between load and begin: decide again on what it is now.
async fn look_anew(ctx: &Ctx, held: &Held) -> Result<Report, JobError> {
    let decision = Decision::new(Next::At(ctx.now() + seconds(1)), Outcome::Nothing);
    ctx.apply(held, decision).await
}
