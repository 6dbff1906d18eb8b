//! What every job is given.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use mooring_domain::{
    Decision, Event, Evidence, Next, Platform, Policy, ProcessId, Time, job::Fence, retry::Jitter,
    time::seconds,
};
use mooring_providers::{Access, AppCredentials, Provider, Registry};
use mooring_queue::Queue;
use mooring_runtime::{Context, MediaStore, trace};
use mooring_store::{Applied, Applier, Credentials, Held, JobResult, Secrets, Store};

use tracing::Instrument as _;
use uuid::Uuid;

use crate::{error::JobError, leases::Leases};

/// The parts that a job works with.
pub struct Ctx {
    /// Clock, lifecycle, metrics, configuration.
    pub runtime: Context,
    /// The database.
    pub store: Store,
    /// The lanes.
    pub queue: Arc<dyn Queue>,
    /// The platforms.
    pub providers: Arc<Registry>,
    /// The files that posts show.
    pub media: MediaStore,
    /// Grouped commits.
    pub applier: Applier,
    pub(crate) leases: Leases,
    /// Whether other processes can still see that this one lives; see `vitals.rs`.
    pub(crate) present: AtomicBool,
    /// Calls that run in this process right now.
    pub(crate) sending: Sending,
}

/// What this process is sending: attempts and grants. A call whose future was dropped is over, whoever dropped it.
#[derive(Default)]
pub(crate) struct Sending(Mutex<HashSet<Uuid>>);

impl Sending {
    /// Notes a send, until the returned guard is dropped.
    pub(crate) fn begin(&self, what: Uuid) -> impl Drop + '_ {
        self.lock().insert(what);
        Sent {
            sending: self,
            what,
        }
    }

    fn contains(&self, what: Uuid) -> bool {
        self.lock().contains(&what)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<Uuid>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Sent<'a> {
    sending: &'a Sending,
    what: Uuid,
}

impl Drop for Sent<'_> {
    fn drop(&mut self) {
        self.sending.lock().remove(&self.what);
    }
}

/// How a run ended: what spans and metrics say about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// The outcome's label.
    pub outcome: &'static str,
    /// The failure's class, where there was one.
    pub error_class: Option<&'static str>,
    /// The platform's label.
    pub platform: &'static str,
}

impl Ctx {
    /// Puts the parts together.
    #[must_use]
    pub fn new(
        runtime: Context,
        store: Store,
        queue: Arc<dyn Queue>,
        providers: Arc<Registry>,
        media: MediaStore,
        applier: Applier,
    ) -> Self {
        Self {
            runtime,
            store,
            queue,
            providers,
            media,
            applier,
            leases: Leases::default(),
            present: AtomicBool::new(true),
            sending: Sending::default(),
        }
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> Time {
        self.runtime.clock.now()
    }

    /// Who we are.
    #[must_use]
    pub fn process(&self) -> ProcessId {
        ProcessId::from_uuid(self.runtime.process)
    }

    /// The numbers that decisions go by.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        self.store.policy()
    }

    /// Whether this process may begin and send: its clock is right, and others can see that it lives.
    #[must_use]
    pub fn may_send(&self) -> bool {
        self.runtime.clock.trusted() && self.present.load(Ordering::Acquire)
    }

    /// Whether the call about `what` that `sender` has begun is certainly over.
    pub(crate) async fn is_over(&self, sender: ProcessId, what: Uuid) -> Result<bool, JobError> {
        if sender == self.process() {
            // Our own earlier run: its call is over unless it is still running here.
            return Ok(!self.sending.contains(what));
        }
        Ok(self
            .store
            .has_ended(sender, self.process(), self.now())
            .await?)
    }

    /// The adapter of a platform.
    #[must_use]
    pub fn provider(&self, platform: Platform) -> &dyn Provider {
        self.providers.of(platform).as_ref()
    }

    /// Applies a decision with others of this process.
    pub async fn apply(&self, held: &Held, decision: Decision) -> Result<Report, JobError> {
        let result = self.result(&held.fence, decision, Secrets::default());
        let report = report(&result, held.platform);
        let urgent = is_urgent(&result);
        let told = told(&result.decision);
        let applied = self
            .applier
            .apply(result)
            .instrument(self.apply_span(held))
            .await?;
        if applied.fenced {
            for outcome in told {
                self.runtime.metrics.target_told(report.platform, outcome);
            }
        }
        self.settle(held, applied, urgent).await;
        Ok(report)
    }

    /// Applies a decision alone and at once: new tokens wait for nobody.
    pub async fn apply_alone(
        &self,
        held: &Held,
        decision: Decision,
        secrets: Secrets,
    ) -> Result<(Report, Applied), JobError> {
        let result = self.result(&held.fence, decision, secrets);
        let report = report(&result, held.platform);
        let urgent = is_urgent(&result);
        let applied = self
            .store
            .apply_job(&result)
            .instrument(self.apply_span(held))
            .await?;
        self.settle(held, applied, urgent).await;
        Ok((report, applied))
    }

    /// Ends a job whose subject is gone.
    pub async fn drop_job(&self, held: &Held) -> Result<Report, JobError> {
        let decision = Decision::new(Next::Done, mooring_domain::decision::Outcome::Nothing);
        self.apply(held, decision).await
    }

    /// Gives a claim back untouched: it is due again at once, and no attempt was spent.
    pub async fn give_back(&self, held: &Held) -> Result<Report, JobError> {
        self.store.release(&[held.fence]).await?;
        Ok(Report {
            outcome: "given_back",
            error_class: None,
            platform: held.platform.map_or("house", Platform::as_str),
        })
    }

    /// The span of a decision's way into the database, from handing it over to its commit.
    fn apply_span(&self, held: &Held) -> tracing::Span {
        let system = if self.store.is_postgres() {
            "postgresql"
        } else {
            "sqlite"
        };
        tracing::info_span!(
            "apply",
            otel.name = format!("apply {}", held.fence.kind),
            otel.kind = "client",
            db.system.name = system,
            db.operation.name = "apply",
            mooring.job.kind = held.fence.kind.as_str(),
        )
    }

    fn result(&self, fence: &Fence, decision: Decision, secrets: Secrets) -> JobResult {
        let context = trace::current();
        JobResult {
            fence: *fence,
            decision,
            secrets,
            now: self.now(),
            trace_id: context.is_valid().then(|| context.trace_id().to_string()),
            process: self.process(),
        }
    }

    async fn settle(&self, held: &Held, applied: Applied, urgent: bool) {
        let kind = held.fence.kind.as_str();
        self.runtime
            .metrics
            .attempts(kind, u32::from(held.attempt) + 1);
        if !applied.fenced {
            self.runtime.metrics.decision_discarded(kind);
            tracing::warn!(event.name = "decision.discarded", job.kind = kind, job.subject = %held.fence.subject, "somebody newer holds the job; the decision was discarded, its evidence kept");
        }
        if urgent && let Err(error) = self.queue.wake().await {
            tracing::debug!(event.name = "queue.no_hint", error = %error, "schedulers were not woken; their next look finds the work");
        }
    }
}

/// What a decision tells about targets, as labels of a metric: their verdicts, and how they ended unpublished.
fn told(decision: &Decision) -> Vec<&'static str> {
    let of = |event: &Event| match event {
        Event::TargetVerified { verdict, .. } => ["live", "altered", "removed", "unverifiable"]
            .into_iter()
            .find(|known| known == verdict),
        Event::TargetMissed { .. } => Some("missed"),
        Event::TargetFailed { .. } => Some("failed"),
        Event::TargetUnconfirmed { .. } => Some("unconfirmed"),
        _ => None,
    };
    decision.events.iter().filter_map(of).collect()
}

/// Whether other jobs became due through this decision.
fn is_urgent(result: &JobResult) -> bool {
    let soon = match result.decision.next {
        Next::At(at) | Next::Retry(at) | Next::Park(Some(at), _) => at < result.now + seconds(1),
        Next::Done | Next::Park(None, _) => false,
    };
    let accepted = |evidence: &Evidence| matches!(evidence, Evidence::Accepted { .. });
    soon || !result.decision.pokes.is_empty() || result.decision.evidence.iter().any(accepted)
}

fn report(result: &JobResult, platform: Option<Platform>) -> Report {
    Report {
        outcome: result.decision.outcome.as_str(),
        error_class: result.decision.outcome.error_class(),
        platform: platform.map_or("house", Platform::as_str),
    }
}

/// Spread for this run's times: the fencing token is as good as dice, and the domain stays pure.
#[must_use]
pub(crate) fn jitter(held: &Held) -> Jitter {
    Jitter::of(held.fence.generation.unsigned_abs())
}

/// A call's credentials in the providers' words.
#[must_use]
pub(crate) fn access(credentials: &Credentials) -> Access {
    Access {
        app: credentials
            .app
            .as_ref()
            .map(|(client_id, client_secret)| AppCredentials {
                client_id: client_id.clone(),
                client_secret: client_secret.clone(),
            }),
        host: credentials
            .host
            .as_deref()
            .and_then(|host| host.parse().ok()),
        remote_id: credentials.remote_id.clone(),
        remote_user_id: credentials.remote_user_id.clone(),
        token: credentials.token.clone(),
        grant_token: credentials.grant_token.clone(),
        refresh_token: credentials.refresh_token.clone(),
        binding: credentials.binding.clone(),
    }
}
