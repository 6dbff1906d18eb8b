//! Two schedulers and four workers, and everything that is done to them.

use std::{
    cell::Cell,
    fmt,
    time::{Duration, Instant},
};

use mooring_domain::ProcessId;
use mooring_simulator::{Admin, Fault, FaultKind, Platform};
use mooring_tests::{Process, within};

use super::{LEASE, RECOVERY, SLACK, Scene, notary, stop};

/// How long a victim may be waited for: somebody who has begun something.
const PATIENCE: Duration = Duration::from_mins(1);

/// The time between two kills.
const PACE: Duration = Duration::from_secs(2);

/// The processes of a fleet under attack, and what was done to them.
pub(super) struct Crew {
    schedulers: Vec<Process>,
    workers: Vec<(ProcessId, Process)>,
    born: usize,
    last_kill: Instant,
    /// Workers killed.
    pub(super) kills: usize,
    /// … of which had publishes begun.
    pub(super) kills_in_mid_call: usize,
    /// Schedulers killed.
    pub(super) schedulers_killed: usize,
    /// How often Redis lost everything.
    pub(super) wipes: usize,
}

impl Crew {
    pub(super) async fn start(scene: &Scene, schedulers: usize, workers: usize) -> Self {
        let mut crew = Self {
            schedulers: (0..schedulers)
                .map(|n| scene.scheduler(&format!("scheduler-{n}")))
                .collect(),
            workers: Vec::new(),
            born: 0,
            last_kill: Instant::now(),
            kills: 0,
            kills_in_mid_call: 0,
            schedulers_killed: 0,
            wipes: 0,
        };
        for _ in 0..workers {
            crew.hire(scene).await;
        }
        crew
    }

    async fn hire(&mut self, scene: &Scene) {
        let worker = scene.worker(&format!("worker-{}", self.born));
        self.born += 1;
        let id = worker.id().await;
        // A worker that finds no Redis at its start ends with one clear line, and the orchestrator starts another:
        // nobody does that here, so Redis must not be away while one starts.
        within(PATIENCE, "the worker is at work", || {
            notary::is_present(&scene.store, id)
        })
        .await;
        self.workers.push((id, worker));
    }

    /// Waits for the next kill's time and for a worker in the midst of publishes; takes the busiest one out.
    async fn victim(&mut self, scene: &Scene) -> (ProcessId, Process) {
        let place = Cell::new(None);
        let (last, workers) = (self.last_kill, &self.workers);
        within(PATIENCE, "a worker has begun something", || async {
            if last.elapsed() < PACE {
                return false;
            }
            let holdings = notary::holdings(&scene.store).await;
            let busiest = holdings
                .iter()
                .find_map(|one| workers.iter().position(|(id, _)| id.uuid() == one.holder));
            place.set(busiest);
            busiest.is_some()
        })
        .await;
        self.last_kill = Instant::now();
        self.workers.swap_remove(place.get().expect("just found"))
    }

    /// SIGKILL to the busiest worker; a new one takes its place.
    pub(super) async fn kill_worker(&mut self, scene: &Scene) {
        let (id, victim) = self.victim(scene).await;
        let at = scene.now().timestamp_millis();
        victim.kill();
        self.kills += 1;
        if notary::strike(&scene.store, id, at).await > 0 {
            self.kills_in_mid_call += 1;
        }
        self.hire(scene).await;
    }

    /// SIGKILL to one scheduler; a new one takes its place.
    pub(super) fn kill_scheduler(&mut self, scene: &Scene) {
        self.schedulers.remove(0).kill();
        self.schedulers_killed += 1;
        self.schedulers
            .push(scene.scheduler(&format!("scheduler-again-{}", self.schedulers_killed)));
    }

    /// FLUSHALL.
    pub(super) async fn flush_redis(&mut self, scene: &Scene) {
        scene.redis.flush().await;
        self.wipes += 1;
    }

    /// Redis dies and comes back empty.
    pub(super) async fn restart_redis(&mut self, scene: &mut Scene) {
        scene.redis.kill();
        scene.redis.restart().await;
        self.wipes += 1;
    }

    /// Freezes the busiest worker until others have taken over what it had begun; then it goes on, and finds its
    /// answers and decisions overtaken.
    pub(super) async fn freeze_worker(&mut self, scene: &Scene) {
        let (id, victim) = self.victim(scene).await;
        let at = scene.now().timestamp_millis();
        victim.pause();
        notary::strike(&scene.store, id, at).await;
        notary::taken_over(&scene.store, id, PATIENCE).await;
        victim.resume();
        self.workers.push((id, victim));
    }

    /// Everybody stops in good order.
    pub(super) async fn stop(self) {
        stop(
            self.workers
                .into_iter()
                .map(|(_, worker)| worker)
                .chain(self.schedulers),
        )
        .await;
    }
}

/// Recovery times in milliseconds, shortest first.
pub(super) struct Recovery(pub(super) Vec<i64>);

impl Recovery {
    /// How many publishes were recovered.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    fn median(&self) -> i64 {
        self.0.get(self.0.len() / 2).copied().unwrap_or(0)
    }

    fn longest(&self) -> i64 {
        self.0.last().copied().unwrap_or(0)
    }

    /// The target is lease + 5 s; the test allows three times those 5 s.
    pub(super) fn assert_in_time(&self) {
        assert!(
            !self.0.is_empty(),
            "no kill left a publish behind: nothing was tested"
        );
        let bound = (LEASE + SLACK * RECOVERY) * 1_000;
        assert!(
            self.longest() <= bound,
            "a recovery took longer than {bound} ms: {:?}",
            self.0
        );
    }
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (target, count) = ((LEASE + RECOVERY) * 1_000, self.0.len());
        let late = self.0.iter().filter(|ms| **ms > target).count();
        write!(
            f,
            "recoveries={count} p50={}ms max={}ms target={target}ms over_target={late}",
            self.median(),
            self.longest()
        )
    }
}

/// The platforms' misfortunes: what happens to real ones, far more often.
pub(super) fn stir(admin: &Admin) {
    let status = |code| FaultKind::Status { code, body: None };
    let created = FaultKind::ErrorAlthoughCreated {
        code: None,
        body: None,
    };
    for platform in [Platform::Facebook, Platform::Bluesky] {
        for (operation, kind, probability) in [
            ("publish", FaultKind::LostAnswer, 0.05),
            ("publish", FaultKind::DroppedRequest, 0.02),
            ("publish", created.clone(), 0.02),
            ("publish", status(503), 0.02),
            ("publish", FaultKind::Garbage, 0.02),
            ("publish", FaultKind::LatencyMs { ms: 1_500 }, 0.15),
            ("publish", FaultKind::LateEffectMs { ms: 2_500 }, 0.05),
            ("read_back", status(500), 0.05),
            ("find", status(503), 0.05),
        ] {
            let fault = Fault::new(platform, operation, kind).probability(probability);
            admin.add_fault(fault).expect("a fault");
        }
    }
}
