//! Comparing a post with its platforms, because a person asks for it.
//!
//! The act makes the calls of the read-back and of the resolver and lets their rules decide; what it may not decide without
//! a claim (a new send above all) it leaves to the publish job, which it wakes (docs/adr/0021). A platform that cannot be
//! reached changes nothing.

use std::time::Duration;

use mooring_domain::{
    AttemptId, Decision, Event, Failure, Next, Platform, PostId, TargetId, WorkspaceId,
    acts::act,
    connection::{after_check, check_poke},
    news::verify_poke,
    post::{
        Finding, Seen,
        resolve::after_resolve,
        sync::{SyncStep, after_look, sync_step, unreachable},
        verify::{VerifyWork, after_verify, before_verify},
    },
    retry::Jitter,
};
use mooring_providers::Lost;
use mooring_store::{Actor, PublishJob, Refusal, Secrets, SyncTarget, VerifyJob};

use super::{ActError, Desk, access::access, posts::PostRefused};

/// How long a person waits for one platform.
const PATIENCE: Duration = Duration::from_secs(10);

/// What became of the comparison of one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncOutcome {
    /// It was compared: what is shown is what the platform says.
    Synced,
    /// The publish job looks for it now.
    Looking,
    /// Nothing was ever sent.
    NeverPublished,
    /// There is nothing to ask: the platform has refused it.
    Certain,
    /// The platform cannot be reached; nothing was changed.
    Unreachable,
    /// The platform does not let us look; a check was asked for.
    NotLetIn(&'static str),
}

impl SyncOutcome {
    /// The stable code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Synced => "synced",
            Self::Looking => "looking",
            Self::NeverPublished => "never_published",
            Self::Certain => "certain",
            Self::Unreachable => "unreachable",
            Self::NotLetIn(_) => "not_let_in",
        }
    }
}

/// Compares every target of a post with its platform. Returns each as it is now, with what became of the comparison.
pub async fn sync_post(
    desk: &Desk<'_>,
    actor: &Actor,
    workspace: WorkspaceId,
    post: PostId,
) -> Result<Vec<(SyncTarget, SyncOutcome)>, ActError> {
    let missing = || Refusal::NotFound {
        what: post.to_string(),
    };
    let load = || desk.store.sync_post(workspace, post);
    let found = load().await?.ok_or_else(missing)?;
    let mut outcomes = Vec::with_capacity(found.targets.len());
    for target in &found.targets {
        outcomes.push(sync(desk, actor, workspace, target).await?);
    }
    refuse_nothing(post, &found.targets, &outcomes)?;
    let learnt = outcomes
        .iter()
        .filter(|one| matches!(one, SyncOutcome::Synced | SyncOutcome::Looking));
    let told = act().event(Event::PostSynced {
        post,
        targets: learnt.count(),
    });
    apply(desk, actor, workspace, &told).await?;
    let after = load().await?.ok_or_else(missing)?;
    Ok(after.targets.into_iter().zip(outcomes).collect())
}

/// Where nothing could be learnt, people are told why instead of what they know already.
fn refuse_nothing(
    post: PostId,
    targets: &[SyncTarget],
    outcomes: &[SyncOutcome],
) -> Result<(), PostRefused> {
    if outcomes
        .iter()
        .all(|one| *one == SyncOutcome::NeverPublished)
    {
        return Err(PostRefused::NothingToSync(post));
    }
    let nothing =
        |one: &SyncOutcome| matches!(one, SyncOutcome::NeverPublished | SyncOutcome::Unreachable);
    if !outcomes.iter().all(nothing) {
        return Ok(());
    }
    let away = targets.iter().zip(outcomes);
    let mut away: Vec<&str> = away
        .filter(|(_, one)| **one == SyncOutcome::Unreachable)
        .map(|(target, _)| display(target.platform))
        .collect();
    away.dedup();
    Err(PostRefused::Unreachable(away.join(", ")))
}

/// Compares one target with its platform.
pub(super) async fn sync(
    desk: &Desk<'_>,
    actor: &Actor,
    workspace: WorkspaceId,
    target: &SyncTarget,
) -> Result<SyncOutcome, ActError> {
    match sync_step(&target.attempts) {
        SyncStep::NeverPublished => Ok(SyncOutcome::NeverPublished),
        SyncStep::Certain => Ok(SyncOutcome::Certain),
        SyncStep::ReadBack(attempt) => read_back(desk, actor, workspace, attempt).await,
        SyncStep::Look(attempt) => {
            let outcome = look(desk, actor, workspace, target.target, attempt).await?;
            if outcome != SyncOutcome::Synced {
                return Ok(outcome);
            }
            // Found: now what it looks like, and where.
            let seen = read_back(desk, actor, workspace, attempt).await?;
            Ok(match seen {
                SyncOutcome::Unreachable => SyncOutcome::Synced,
                seen => seen,
            })
        }
    }
}

/// The read-back's call and rule, without its job.
pub(super) async fn read_back(
    desk: &Desk<'_>,
    actor: &Actor,
    workspace: WorkspaceId,
    attempt: AttemptId,
) -> Result<SyncOutcome, ActError> {
    let load = || desk.store.live_verify(workspace, attempt, desk.now());
    let Some(job) = load().await? else {
        return Ok(SyncOutcome::NeverPublished);
    };
    let policy = desk.store.policy();
    if let Some(over) = before_verify(&job.work, policy, desk.now()) {
        return told(desk, actor, workspace, &job.work, over).await;
    }
    let seen = see(desk, &job).await;
    let work = match &seen {
        Err(failure) if unreachable(failure) => return Ok(SyncOutcome::Unreachable),
        // "Gone" is believed only of an account that was seen well a moment ago.
        Ok(Seen::Gone) => {
            if let Err(failure) = look_at_account(desk, actor, workspace, &job.work).await? {
                return Ok(of_failure(&failure));
            }
            match load().await? {
                Some(job) => job.work,
                None => return Ok(SyncOutcome::NeverPublished),
            }
        }
        _ => job.work,
    };
    let failure = seen.as_ref().err().cloned();
    let decision = after_verify(&work, seen, policy, desk.now(), jitter(desk));
    let outcome = told(desk, actor, workspace, &work, decision).await?;
    Ok(failure.map_or(outcome, |failure| of_failure(&failure)))
}

async fn see(desk: &Desk<'_>, job: &VerifyJob) -> Result<Seen, Failure> {
    let Some(credentials) = &job.credentials else {
        return Err(Failure::TokenRevoked);
    };
    let (access, provider) = (access(credentials), desk.provider(job.work.platform));
    patiently(provider.read_back(&access, &job.remote_id)).await
}

/// Writes what a read-back has decided; its next time is the verify job's affair.
async fn told(
    desk: &Desk<'_>,
    actor: &Actor,
    workspace: WorkspaceId,
    work: &VerifyWork,
    mut decision: Decision,
) -> Result<SyncOutcome, ActError> {
    let again = match decision.next {
        Next::Retry(at) => Some(at),
        _ => None,
    };
    let waits = again.is_some() && decision.changes.is_empty();
    let poke = again.map(|at| verify_poke(work.attempt_id, work.platform, at));
    decision.pokes.extend(poke);
    apply(desk, actor, workspace, &decision).await?;
    Ok(if waits {
        SyncOutcome::Looking
    } else {
        SyncOutcome::Synced
    })
}

/// A check's call and rule, without its job. A failure to look is written nowhere: it is no news about the account.
async fn look_at_account(
    desk: &Desk<'_>,
    actor: &Actor,
    workspace: WorkspaceId,
    of: &VerifyWork,
) -> Result<Result<(), Failure>, ActError> {
    let loaded = desk.store.live_check(workspace, of.connection, desk.now());
    let Some(job) = loaded.await? else {
        return Ok(Err(Failure::AccountUnavailable));
    };
    let Some(credentials) = &job.credentials else {
        return Ok(Err(Failure::TokenRevoked));
    };
    let (access, provider) = (access(credentials), desk.provider(of.platform));
    let seen = match patiently(provider.check(&access, true)).await {
        Ok(seen) => seen,
        Err(failure) => return Ok(Err(failure)),
    };
    let now = desk.now();
    let mut decision = after_check(&job.work, Ok(seen), desk.store.policy(), now, jitter(desk));
    if let Next::At(at) | Next::Retry(at) = decision.next {
        decision
            .pokes
            .push(check_poke(of.connection, of.platform, at));
    }
    apply(desk, actor, workspace, &decision).await?;
    Ok(Ok(()))
}

/// The resolver's call and rule, without the publish job: that a post was found is evidence, the rest wakes the job.
pub(super) async fn look(
    desk: &Desk<'_>,
    actor: &Actor,
    workspace: WorkspaceId,
    target: TargetId,
    attempt: AttemptId,
) -> Result<SyncOutcome, ActError> {
    let Some(job) = desk
        .store
        .live_publish(workspace, target, desk.now())
        .await?
    else {
        return Ok(SyncOutcome::NeverPublished);
    };
    let work = &job.work;
    let Some(attempt) = work.attempts.iter().find(|one| one.id == attempt) else {
        return Ok(SyncOutcome::NeverPublished);
    };
    let found = search(desk, &job, attempt).await;
    if let Err(failure) = &found {
        if !unreachable(failure) {
            let check = check_poke(work.connection, work.platform, desk.now());
            apply(desk, actor, workspace, &act().poke(check)).await?;
        }
        return Ok(of_failure(failure));
    }
    let (policy, now) = (desk.store.policy(), desk.now());
    // Whether the sender has ended matters to what is absent alone, and that is not decided here.
    let judged = after_resolve(work, attempt, found, false, policy, now, jitter(desk));
    let decision = after_look(target, work.progress, judged, work.platform, now);
    apply(desk, actor, workspace, &decision).await?;
    Ok(
        match (decision.evidence.is_empty(), decision.pokes.is_empty()) {
            (false, _) => SyncOutcome::Synced,
            (true, false) => SyncOutcome::Looking,
            (true, true) => SyncOutcome::Certain,
        },
    )
}

async fn search(
    desk: &Desk<'_>,
    job: &PublishJob,
    attempt: &mooring_domain::post::AttemptFacts,
) -> Result<Finding, Failure> {
    let Some(credentials) = &job.credentials else {
        return Err(Failure::TokenRevoked);
    };
    let lost = Lost {
        reference: attempt.reference.clone(),
        handle: attempt.handle.clone(),
        prepared: job.sent_prepared.clone(),
        content: job.content.clone(),
        not_before: attempt.begun_at - desk.store.policy().clock_margin,
        owned: job.owned.clone(),
    };
    let (access, provider) = (access(credentials), desk.provider(job.work.platform));
    patiently(provider.find(&access, &lost)).await
}

fn of_failure(failure: &Failure) -> SyncOutcome {
    if unreachable(failure) {
        SyncOutcome::Unreachable
    } else {
        SyncOutcome::NotLetIn(failure.class())
    }
}

/// A read that a person waits for. One that takes too long is one that did not come through.
pub(super) async fn patiently<T>(
    call: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(PATIENCE, call).await {
        Ok(answer) => answer,
        Err(_) => Err(Failure::ProviderDown),
    }
}

pub(super) async fn apply(
    desk: &Desk<'_>,
    actor: &Actor,
    workspace: WorkspaceId,
    decision: &Decision,
) -> Result<(), ActError> {
    let (nothing, now) = (Secrets::default(), desk.now());
    let applied = desk
        .store
        .apply_act(actor, workspace, decision, &nothing, now);
    Ok(applied.await?)
}

pub(super) fn display(platform: Platform) -> &'static str {
    platform.capabilities().display_name
}

fn jitter(desk: &Desk<'_>) -> Jitter {
    Jitter::of(desk.now().timestamp_millis().unsigned_abs())
}
