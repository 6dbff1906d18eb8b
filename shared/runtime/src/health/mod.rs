//! The admin endpoints and what they report.
//!
//! - `/startupz`: every registered check was good once and the role has said [`Readiness::started`].
//! - `/readyz`: started, not draining, and no check failing for more than 15 s. A short outage flips nothing.
//! - `/livez`: the event loop and every component beat within 30 s. It never fails because a database, Redis or a
//!   platform is away: a restart would not bring them back.
//! - `/metrics` (`OpenMetrics` text) and `/version`. `?verbose` on the three probes lists the reasons as JSON.

mod server;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

pub use server::{AdminRoutes, AdminServer, Identity};

/// How long a check may fail before the process is no longer ready.
pub const FAILING_GRACE: Duration = Duration::from_secs(15);
/// How old a heartbeat may be before the process counts as stuck.
pub const HEARTBEAT_LIMIT: Duration = Duration::from_secs(30);

/// The health of a process, written by its components and read by the probes. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    checks: Mutex<BTreeMap<&'static str, CheckState>>,
    beats: Mutex<BTreeMap<&'static str, Instant>>,
    started: AtomicBool,
    draining: AtomicBool,
}

#[derive(Debug, Default)]
struct CheckState {
    was_good: bool,
    failing: Option<(Instant, String)>,
}

/// What a probe answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether the probe passes.
    pub ok: bool,
    /// Name and state of each thing that was looked at.
    pub checks: Vec<CheckReport>,
}

/// One line of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// The registered name.
    pub name: &'static str,
    /// Whether this line lets the probe pass.
    pub ok: bool,
    /// Why not, or how it is.
    pub state: String,
}

impl Readiness {
    /// Registers a dependency, such as `database`. The process is not ready before its first [`Check::good`].
    #[must_use]
    pub fn check(&self, name: &'static str) -> Check {
        lock(&self.0.checks).entry(name).or_default();
        Check {
            readiness: self.clone(),
            name,
        }
    }

    /// Registers a loop that has to turn at least every 30 s while it exists. Dropping the heartbeat takes it out.
    #[must_use]
    pub fn heartbeat(&self, name: &'static str) -> Heartbeat {
        let heartbeat = Heartbeat {
            readiness: self.clone(),
            name,
        };
        heartbeat.beat();
        heartbeat
    }

    /// The role has finished its start.
    pub fn started(&self) {
        self.0.started.store(true, Ordering::SeqCst);
    }

    /// The process takes no new work any more.
    pub fn drain(&self) {
        self.0.draining.store(true, Ordering::SeqCst);
    }

    /// The answer of `/startupz`.
    #[must_use]
    pub fn startup(&self) -> Report {
        let mut checks: Vec<CheckReport> = lock(&self.0.checks)
            .iter()
            .map(|(name, check)| match (&check.failing, check.was_good) {
                (_, true) => line(name, true, "was good"),
                (Some((_, reason)), false) => line(name, false, reason),
                (None, false) => line(name, false, "not tried yet"),
            })
            .collect();
        let started = self.0.started.load(Ordering::SeqCst);
        checks.push(line(
            "started",
            started,
            if started { "started" } else { "starting" },
        ));
        report(checks)
    }

    /// The answer of `/readyz`.
    #[must_use]
    pub fn ready(&self) -> Report {
        self.ready_at(Instant::now())
    }

    fn ready_at(&self, now: Instant) -> Report {
        let mut checks = self.startup().checks;
        for check in &mut checks {
            let failing = lock(&self.0.checks)
                .get(check.name)
                .and_then(|c| c.failing.clone());
            let Some((since, reason)) = failing else {
                continue;
            };
            let seconds = now.saturating_duration_since(since).as_secs();
            check.ok &= now.saturating_duration_since(since) <= FAILING_GRACE;
            check.state = format!("failing for {seconds} s: {reason}");
        }
        let draining = self.0.draining.load(Ordering::SeqCst);
        checks.push(line(
            "draining",
            !draining,
            if draining { "draining" } else { "taking work" },
        ));
        report(checks)
    }

    /// The answer of `/livez`.
    #[must_use]
    pub fn alive(&self) -> Report {
        self.alive_at(Instant::now())
    }

    fn alive_at(&self, now: Instant) -> Report {
        let beats = lock(&self.0.beats);
        let checks = beats.iter().map(|(name, beat)| {
            let age = now.saturating_duration_since(*beat);
            line(
                name,
                age <= HEARTBEAT_LIMIT,
                &format!("last turned {} s ago", age.as_secs()),
            )
        });
        report(checks.collect())
    }
}

fn line(name: &'static str, ok: bool, state: &str) -> CheckReport {
    CheckReport {
        name,
        ok,
        state: state.to_owned(),
    }
}

fn report(checks: Vec<CheckReport>) -> Report {
    Report {
        ok: checks.iter().all(|check| check.ok),
        checks,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A registered dependency. Whoever uses it reports how it went.
#[derive(Clone, Debug)]
pub struct Check {
    readiness: Readiness,
    name: &'static str,
}

impl Check {
    /// It worked just now.
    pub fn good(&self) {
        let mut checks = lock(&self.readiness.0.checks);
        *checks.entry(self.name).or_default() = CheckState {
            was_good: true,
            failing: None,
        };
    }

    /// It failed just now. The first failure in a row starts the time. The reason is shown to operators, so it
    /// holds no secret.
    pub fn failing(&self, reason: impl Display) {
        let reason = reason.to_string();
        let mut checks = lock(&self.readiness.0.checks);
        let check = checks.entry(self.name).or_default();
        let since = check
            .failing
            .as_ref()
            .map_or_else(Instant::now, |(since, _)| *since);
        check.failing = Some((since, reason));
    }
}

/// A loop that has to keep turning.
#[derive(Debug)]
pub struct Heartbeat {
    readiness: Readiness,
    name: &'static str,
}

impl Heartbeat {
    /// The loop has turned.
    pub fn beat(&self) {
        lock(&self.readiness.0.beats).insert(self.name, Instant::now());
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        lock(&self.readiness.0.beats).remove(self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_ready_once_every_check_was_good_and_it_has_started() {
        let readiness = Readiness::default();
        let database = readiness.check("database");
        readiness.started();
        assert!(!readiness.startup().ok && !readiness.ready().ok);
        database.failing("refused");
        assert_eq!(readiness.startup().checks[0].state, "refused");
        database.good();
        assert!(readiness.startup().ok && readiness.ready().ok);

        let unstarted = Readiness::default();
        unstarted.check("redis").good();
        assert!(!unstarted.ready().ok);
    }

    #[test]
    fn a_failure_counts_after_its_grace_from_its_first_report() {
        let readiness = Readiness::default();
        let redis = readiness.check("redis");
        readiness.started();
        redis.good();
        redis.failing("time-out");
        redis.failing("refused");
        let now = Instant::now();
        assert!(readiness.ready_at(now).ok);
        let later = readiness.ready_at(now + FAILING_GRACE + Duration::from_secs(1));
        assert!(
            !later.ok && later.checks[0].state.contains("refused"),
            "{later:?}"
        );
        assert!(readiness.startup().ok);
        redis.good();
        assert!(readiness.ready_at(now + FAILING_GRACE * 2).ok);
    }

    #[test]
    fn draining_is_not_ready_but_alive() {
        let readiness = Readiness::default();
        readiness.started();
        assert!(readiness.ready().ok);
        readiness.drain();
        assert!(!readiness.ready().ok);
        assert!(readiness.alive().ok);
    }

    #[test]
    fn a_loop_that_stands_still_is_not_alive_and_a_dropped_one_does_not_count() {
        let readiness = Readiness::default();
        let redis = readiness.check("redis");
        redis.failing("gone for good");
        let heartbeat = readiness.heartbeat("pop");
        let late = Instant::now() + HEARTBEAT_LIMIT + Duration::from_secs(1);
        assert!(readiness.alive().ok);
        assert!(!readiness.alive_at(late).ok);
        drop(heartbeat);
        assert!(readiness.alive_at(late).ok);
    }
}
