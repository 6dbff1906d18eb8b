//! The Prometheus metrics of a process. Every label value is a text of the program, so the number of series is
//! bounded by the program and no id, name or address of a customer can become a label.

mod labels;

use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::exemplar::HistogramWithExemplars;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::trace;
use labels::{
    Attempts, Finished, Hook, Kind, KindPlatform, Lane, ProviderCall, Reason, Seconds, Told,
    TraceLabel, What, persist_histogram,
};

/// The content type of [`Metrics::render`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Durations<L> = Family<L, HistogramWithExemplars<TraceLabel>, Seconds>;
type Counters<L> = Family<L, Counter>;
type Gauges<L> = Family<L, Gauge>;

/// The registry and the metrics that more than one crate writes. Others are added with [`Metrics::register`].
#[derive(Debug)]
pub struct Metrics {
    registry: Mutex<Registry>,
    jobs_finished: Counters<Finished>,
    queue_wait: Durations<Kind>,
    process_duration: Durations<KindPlatform>,
    attempts: Family<Kind, Histogram, Attempts>,
    discards: Counters<Kind>,
    envelopes_dropped: Counters<Reason>,
    claims: Counters<Kind>,
    recoveries: Counters<Kind>,
    drifts: Counters<What>,
    hooks: Counters<Hook>,
    targets_told: Counters<Told>,
    unaccounted: Gauges<Lane>,
    tokens_persisted: Histogram,
    provider_calls: Durations<ProviderCall>,
    lane_depth: Gauges<Lane>,
    slots: Gauges<Lane>,
    slots_busy: Gauges<Lane>,
    clock_offset: Gauge<f64, AtomicU64>,
}

impl Metrics {
    /// A registry with all shared metrics, none of which has a value yet.
    #[must_use]
    pub fn new(role: &'static str) -> Self {
        let metrics = Self {
            registry: Mutex::new(Registry::default()),
            jobs_finished: Family::default(),
            queue_wait: Family::new_with_constructor(Seconds),
            process_duration: Family::new_with_constructor(Seconds),
            attempts: Family::new_with_constructor(Attempts),
            discards: Family::default(),
            envelopes_dropped: Family::default(),
            claims: Family::default(),
            recoveries: Family::default(),
            drifts: Family::default(),
            hooks: Family::default(),
            targets_told: Family::default(),
            unaccounted: Family::default(),
            tokens_persisted: persist_histogram(),
            provider_calls: Family::new_with_constructor(Seconds),
            lane_depth: Family::default(),
            slots: Family::default(),
            slots_busy: Family::default(),
            clock_offset: Gauge::default(),
        };
        metrics.register(|registry| metrics.register_shared(registry, role));
        metrics
    }

    fn register_shared(&self, r: &mut Registry, role: &'static str) {
        let build = Info::new([("version", env!("CARGO_PKG_VERSION")), ("role", role)]);
        r.register("mooring_build", "Version and role of this process", build);
        r.register(
            "mooring_jobs_finished",
            "Runs of jobs by outcome",
            self.jobs_finished.clone(),
        );
        r.register(
            "mooring_job_queue_wait_seconds",
            "From due to begun",
            self.queue_wait.clone(),
        );
        r.register(
            "messaging_process_duration_seconds",
            "Time of one run of a job",
            self.process_duration.clone(),
        );
        r.register(
            "mooring_job_attempts",
            "Attempts that a finished job took",
            self.attempts.clone(),
        );
        r.register(
            "mooring_decisions_discarded",
            "Decisions of a job that someone newer holds",
            self.discards.clone(),
        );
        r.register(
            "mooring_envelopes_dropped",
            "Envelopes that were not run, by reason",
            self.envelopes_dropped.clone(),
        );
        r.register(
            "mooring_targets_told",
            "New verdicts on published targets, and ends of those that were not published",
            self.targets_told.clone(),
        );
        self.register_house(r);
    }

    /// What schedulers, reconcile and the processes themselves tell.
    fn register_house(&self, r: &mut Registry) {
        r.register(
            "mooring_jobs_claimed",
            "Jobs claimed by this scheduler",
            self.claims.clone(),
        );
        r.register(
            "mooring_jobs_recovered",
            "Jobs claimed again after a lost lease",
            self.recoveries.clone(),
        );
        r.register(
            "mooring_drift",
            "Rows in which the books disagreed",
            self.drifts.clone(),
        );
        r.register(
            "mooring_hooks",
            "Calls to webhooks' addresses, by what became of them",
            self.hooks.clone(),
        );
        r.register(
            "mooring_leases_unaccounted",
            "Leases of a lane that neither wait there nor fit a slot",
            self.unaccounted.clone(),
        );
        r.register(
            "mooring_refresh_persist_seconds",
            "From a refresh's answer to its commit: the time in which a kill loses the tokens",
            self.tokens_persisted.clone(),
        );
        r.register(
            "http_client_request_duration_seconds",
            "Calls to platforms",
            self.provider_calls.clone(),
        );
        r.register(
            "mooring_lane_depth",
            "Envelopes that wait on a lane",
            self.lane_depth.clone(),
        );
        r.register(
            "mooring_worker_slots",
            "Slots of this worker",
            self.slots.clone(),
        );
        r.register(
            "mooring_worker_slots_busy",
            "Slots in use",
            self.slots_busy.clone(),
        );
        r.register(
            "mooring_clock_offset_seconds",
            "Database time minus this machine's",
            self.clock_offset.clone(),
        );
    }

    /// How long new tokens were nowhere but in this process: from a platform's answer to the commit.
    pub fn tokens_persisted(&self, took: Duration) {
        self.tokens_persisted.observe(took.as_secs_f64());
    }

    /// Adds metrics that only one crate writes. Names begin with `mooring_`; labels are closed sets.
    pub fn register(&self, add: impl FnOnce(&mut Registry)) {
        add(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// All metrics in the `OpenMetrics` text format.
    #[must_use]
    pub fn render(&self) -> String {
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        encode(&mut text, &registry).expect("writing into a string does not fail");
        text
    }

    /// A run of a job ended. `platform` is `none` for work without one.
    pub fn job_finished(
        &self,
        kind: &'static str,
        platform: &'static str,
        outcome: &'static str,
        took: Duration,
    ) {
        self.jobs_finished
            .get_or_create(&Finished {
                kind,
                platform,
                outcome,
            })
            .inc();
        observe(
            &self
                .process_duration
                .get_or_create(&KindPlatform { kind, platform }),
            took,
        );
    }

    /// A job began, this long after it was due.
    pub fn queue_wait(&self, kind: &'static str, waited: Duration) {
        observe(&self.queue_wait.get_or_create(&Kind { kind }), waited);
    }

    /// A job came to its end after this many attempts.
    pub fn attempts(&self, kind: &'static str, attempts: u32) {
        self.attempts
            .get_or_create(&Kind { kind })
            .observe(f64::from(attempts));
    }

    /// A decision was discarded because someone newer holds the job.
    pub fn decision_discarded(&self, kind: &'static str) {
        self.discards.get_or_create(&Kind { kind }).inc();
    }

    /// An envelope was not run, for example `expired` or `undecodable`.
    pub fn envelope_dropped(&self, reason: &'static str) {
        self.envelopes_dropped
            .get_or_create(&Reason { reason })
            .inc();
    }

    /// This many jobs were claimed.
    pub fn claimed(&self, kind: &'static str, jobs: u64) {
        self.claims.get_or_create(&Kind { kind }).inc_by(jobs);
    }

    /// This many jobs were claimed again after a lost lease.
    pub fn recovered(&self, kind: &'static str, jobs: u64) {
        self.recoveries.get_or_create(&Kind { kind }).inc_by(jobs);
    }

    /// There is a new verdict on a target (live, altered, removed, unverifiable), or it ended unpublished (missed,
    /// failed, unconfirmed).
    pub fn target_told(&self, platform: &'static str, outcome: &'static str) {
        self.targets_told
            .get_or_create(&Told { platform, outcome })
            .inc();
    }

    /// The books disagreed in so many rows.
    pub fn drift(&self, what: &'static str, rows: u64) {
        self.drifts.get_or_create(&What { what }).inc_by(rows);
    }

    /// A platform, or somebody else, called a webhook's address: `kept`, or why it was refused.
    pub fn hook(&self, platform: &'static str, outcome: &'static str) {
        let of = Hook { platform, outcome };
        self.hooks.get_or_create(&of).inc();
    }

    /// So many leases of a lane neither wait there nor fit a slot of a live worker.
    pub fn leases_unaccounted(&self, lane: &'static str, leases: u64) {
        self.unaccounted
            .get_or_create(&Lane { lane })
            .set(i64::try_from(leases).unwrap_or(i64::MAX));
    }

    /// This many envelopes wait on a lane.
    pub fn lane_depth(&self, lane: &'static str, depth: u64) {
        self.lane_depth
            .get_or_create(&Lane { lane })
            .set(i64::try_from(depth).unwrap_or(i64::MAX));
    }

    /// This worker has so many slots for a lane, and so many of them are in use.
    pub fn slots(&self, lane: &'static str, slots: u64, busy: u64) {
        self.slots
            .get_or_create(&Lane { lane })
            .set(i64::try_from(slots).unwrap_or(i64::MAX));
        self.slots_busy
            .get_or_create(&Lane { lane })
            .set(i64::try_from(busy).unwrap_or(i64::MAX));
    }

    /// The last measured offset of the clock, in milliseconds.
    pub fn clock_offset(&self, ms: i64) {
        let bounded = i32::try_from(ms).unwrap_or(if ms < 0 { i32::MIN } else { i32::MAX });
        self.clock_offset.set(f64::from(bounded) / 1_000.0);
    }

    /// A call to a platform ended with a status, or with an error type and no status.
    pub(crate) fn provider_call(
        &self,
        provider: &'static str,
        operation: &'static str,
        status: Option<u16>,
        error_type: &'static str,
        took: Duration,
    ) {
        let status_class = match status {
            Some(100..=199) => "1xx",
            Some(200..=299) => "2xx",
            Some(300..=399) => "3xx",
            Some(400..=499) => "4xx",
            Some(_) => "5xx",
            None => "none",
        };
        observe(
            &self.provider_calls.get_or_create(&ProviderCall {
                provider,
                operation,
                status_class,
                error_type,
            }),
            took,
        );
    }
}

/// Notes a duration, with the current trace as its exemplar when that trace is exported.
fn observe(histogram: &HistogramWithExemplars<TraceLabel>, took: Duration) {
    let context = trace::current();
    let exemplar = context.is_sampled().then(|| TraceLabel {
        trace_id: context.trace_id().to_string(),
    });
    histogram.observe(took.as_secs_f64(), exemplar, None);
}

#[cfg(test)]
mod tests;
