//! refresh: renew a grant's tokens. Once sent, it is never cancelled until what came back is stored.

use std::{sync::Arc, time::Instant};

use mooring_domain::{
    Decision, Failure,
    grant::{RefreshStep, RefreshWork, after_refresh, before_refresh},
};
use mooring_providers::{Access, NewTokens};
use mooring_runtime::retry::Delays;
use mooring_store::{Applied, Held, RefreshJob, Secrets, TokensStored};
use tracing::Instrument as _;

use crate::{
    ctx::{Ctx, Report, access, jitter},
    error::JobError,
};

pub(super) async fn run(ctx: &Arc<Ctx>, held: &Held) -> Result<Report, JobError> {
    let now = ctx.now();
    let Some(mut job) = ctx.store.refresh_job(held).await? else {
        return ctx.drop_job(held).await;
    };
    if let Some(sender) = job.sender {
        job.work.sender_ended = ctx.is_over(sender, job.work.grant.uuid()).await?;
    }
    let Some(credentials) = &job.credentials else {
        return ctx.drop_job(held).await;
    };
    match before_refresh(&job.work, ctx.policy(), now, jitter(held)) {
        RefreshStep::Settled(decision) => return ctx.apply(held, decision).await,
        RefreshStep::Call if !ctx.may_send() => return ctx.give_back(held).await,
        RefreshStep::Call => {}
    }
    let access = access(credentials);
    if !ctx
        .store
        .begin_refresh(held, ctx.process(), ctx.now())
        .await?
    {
        return Err(JobError::ClaimLost);
    }
    // A task of its own: no deadline, lost lease or shutdown of this run may drop it between the platform's
    // answer and the commit, for the old tokens may be dead by then.
    let (ctx, held) = (Arc::clone(ctx), held.clone());
    let lifecycle = ctx.runtime.lifecycle.clone();
    let spending = async move { spend(&ctx, &held, &job, &access).await };
    let spent = lifecycle.spawn_short(spending.in_current_span());
    spent.await.map_err(|_| JobError::Aborted)?
}

async fn spend(
    ctx: &Ctx,
    held: &Held,
    job: &RefreshJob,
    access: &Access,
) -> Result<Report, JobError> {
    let sending = ctx.sending.begin(job.work.grant.uuid());
    let answer = ctx.provider(job.work.platform).refresh(access).await;
    let answered = Instant::now();
    let (renewed, tokens) = match answer {
        Ok((renewed, tokens)) => (Ok(renewed), Some(tokens)),
        Err(failure) => (Err(failure), None),
    };
    let work = &reread(ctx, held, &job.work, renewed.as_ref().err()).await?;
    let decision = after_refresh(work, renewed, ctx.policy(), ctx.now(), jitter(held));
    let secrets = secrets(job, tokens.as_ref());
    let (report, applied) = persist(ctx, held, decision, secrets).await?;
    if tokens.is_some() {
        // What a kill in between would cost: the time in which the new tokens are nowhere but here.
        ctx.runtime.metrics.tokens_persisted(answered.elapsed());
    }
    drop(sending);
    if let (Some(TokensStored::GrantGone), Some(tokens)) = (applied.tokens, tokens) {
        give_up(ctx, job, access, tokens).await;
    }
    Ok(report)
}

/// Before a refusal is believed: are these still the tokens that are stored?
async fn reread(
    ctx: &Ctx,
    held: &Held,
    work: &RefreshWork,
    failure: Option<&Failure>,
) -> Result<RefreshWork, JobError> {
    let mut work = work.clone();
    if failure.is_some_and(Failure::ends_the_credential) {
        let stored = ctx.store.token_version(held).await?;
        work.superseded = stored.is_some_and(|version| version != work.facts.token_version);
    }
    Ok(work)
}

/// Stores what came, however long the database is away: nobody else has these tokens. Ends with the process.
async fn persist(
    ctx: &Ctx,
    held: &Held,
    decision: Decision,
    secrets: Secrets,
) -> Result<(Report, Applied), JobError> {
    let mut delays = Delays::reconnect();
    loop {
        match ctx
            .apply_alone(held, decision.clone(), secrets.clone())
            .await
        {
            Err(JobError::Store(error)) if error.is_retryable() => {
                tracing::warn!(event.name = "tokens.not_stored_yet", grant.id = %held.fence.subject, error = %error, "a refresh's answer waits for the database");
            }
            settled => return settled,
        }
        tokio::select! {
            () = ctx.runtime.lifecycle.hard().cancelled() => return Err(JobError::Aborted),
            () = tokio::time::sleep(delays.next_pause()) => {}
        }
    }
}

fn secrets(job: &RefreshJob, tokens: Option<&NewTokens>) -> Secrets {
    let grants = tokens
        .map(|tokens| {
            (
                job.work.grant,
                tokens.access.clone(),
                tokens.refresh.clone(),
            )
        })
        .into_iter()
        .collect();
    Secrets {
        grants,
        ..Secrets::default()
    }
}

/// The grant was disconnected meanwhile: nobody else knows these tokens, so they must not live on.
async fn give_up(ctx: &Ctx, job: &RefreshJob, access: &Access, tokens: NewTokens) {
    let fresh = Access {
        token: tokens.access.clone(),
        grant_token: tokens.access,
        refresh_token: tokens.refresh.or_else(|| access.refresh_token.clone()),
        ..access.clone()
    };
    let revoked: Result<(), Failure> = ctx.provider(job.work.platform).revoke(&fresh).await;
    match revoked {
        Ok(()) => {
            tracing::info!(event.name = "tokens.revoked", grant.id = %job.work.grant, "tokens for a disconnected grant were revoked at the platform");
        }
        Err(failure) => {
            tracing::error!(event.name = "tokens.not_revoked", grant.id = %job.work.grant, error.class = failure.class(), "tokens for a disconnected grant could not be revoked: revoke the app at the platform");
        }
    }
}
