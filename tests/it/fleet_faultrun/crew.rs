//! Two schedulers and four workers, whoever keeps them going, and everything that is done to them.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use mooring_domain::{Decision, JobKind, Next, Poke, ProcessId, decision::Outcome};
use mooring_store::{Actor, Secrets};
use mooring_tests::{Process, within};

use super::{books, lab::Lab};

/// How many work.
const SCHEDULERS: usize = 2;
const WORKERS: usize = 4;

/// The time between two kills.
const PACE: Duration = Duration::from_secs(2);

/// How often the lanes are looked at, and how many times while the workers stand still: a second.
const LOOK: Duration = Duration::from_millis(25);
const LOOKS: usize = 40;

/// How long a step may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// The processes of a run, and what was done to them.
pub(super) struct Crew {
    schedulers: Vec<Process>,
    workers: Vec<(ProcessId, Process)>,
    frozen: Option<(ProcessId, Process)>,
    born: usize,
    last_kill: Instant,
    /// Workers killed.
    pub(super) kills: usize,
    /// … of which had publishes begun.
    pub(super) kills_in_mid_call: usize,
    /// Workers that were frozen until others had taken over what they had begun.
    pub(super) overtaken: usize,
    /// How often Redis lost everything.
    pub(super) wipes: usize,
    /// Envelopes that went with it.
    pub(super) envelopes_lost: u64,
    /// Workers that ended by themselves when the database's restart took their lock, and were started anew.
    pub(super) started_anew: usize,
}

impl Crew {
    pub(super) async fn start(lab: &Lab) -> Self {
        let mut crew = Self {
            schedulers: (0..SCHEDULERS)
                .map(|n| lab.fleet.start(&format!("scheduler-{n}"), &["scheduler"]))
                .collect(),
            workers: Vec::new(),
            frozen: None,
            born: 0,
            last_kill: Instant::now(),
            kills: 0,
            kills_in_mid_call: 0,
            overtaken: 0,
            wipes: 0,
            envelopes_lost: 0,
            started_anew: 0,
        };
        for _ in 0..WORKERS {
            crew.hire(lab).await;
        }
        crew
    }

    async fn hire(&mut self, lab: &Lab) {
        let name = format!("worker-{}", self.born);
        self.born += 1;
        let worker = lab.fleet.start(&name, &["worker"]);
        let id = worker.id().await;
        within(PATIENCE, "the worker is at work", || {
            books::is_present(&lab.store, id)
        })
        .await;
        self.workers.push((id, worker));
    }

    /// What an orchestrator does: who has ended is started anew. Returns how many.
    pub(super) async fn tend(&mut self, lab: &Lab) -> usize {
        let all = self.workers.len();
        self.workers
            .retain_mut(|(_, worker)| worker.ended().is_none());
        let ended = all - self.workers.len();
        for _ in 0..ended {
            self.hire(lab).await;
        }
        self.started_anew += ended;
        ended
    }

    /// SIGKILL to the busiest worker, every two seconds; a new one takes its place.
    pub(super) async fn kill_worker(&mut self, lab: &Lab) {
        let last = self.last_kill;
        within(PATIENCE, "the time between two kills is over", || {
            std::future::ready(last.elapsed() >= PACE)
        })
        .await;
        self.last_kill = Instant::now();
        let (id, victim) = self.busiest(lab).await;
        victim.kill();
        self.kills += 1;
        if books::begun_by(&lab.store, id).await > 0 {
            self.kills_in_mid_call += 1;
        }
        self.hire(lab).await;
    }

    async fn busiest(&mut self, lab: &Lab) -> (ProcessId, Process) {
        let holders = books::holders(&lab.store).await;
        let place = holders
            .iter()
            .find_map(|one| self.workers.iter().position(|(id, _)| id.uuid() == *one));
        self.workers.swap_remove(place.unwrap_or(0))
    }

    /// Freezes the busiest worker; it goes on when others have taken over what it had begun.
    pub(super) async fn freeze_worker(&mut self, lab: &Lab) {
        let begun = Cell::new(false);
        within(PATIENCE, "a worker has begun something", async || {
            begun.set(!books::holders(&lab.store).await.is_empty());
            begun.get()
        })
        .await;
        let (id, victim) = self.busiest(lab).await;
        victim.pause();
        if books::begun_by(&lab.store, id).await == 0 {
            // It was faster than we.
            victim.resume();
            self.workers.push((id, victim));
            return;
        }
        self.frozen = Some((id, victim));
    }

    /// Whether nobody is frozen; who has been overtaken is thawed.
    pub(super) async fn thaw(&mut self, lab: &Lab) -> bool {
        let Some((id, victim)) = self.frozen.take() else {
            return true;
        };
        if books::is_overtaken(&lab.store, id).await {
            victim.resume();
            self.overtaken += 1;
            self.workers.push((id, victim));
            return true;
        }
        self.frozen = Some((id, victim));
        false
    }

    /// FLUSHALL, when something is on the lanes.
    pub(super) async fn flush_redis(&mut self, lab: &Lab) {
        self.fill_lanes(lab).await;
        self.envelopes_lost += lab.redis.flush_counting().await;
        self.wipes += 1;
        self.go_on();
    }

    /// Redis dies when something is on the lanes, and comes back empty.
    pub(super) async fn restart_redis(&mut self, lab: &mut Lab) {
        self.fill_lanes(lab).await;
        self.envelopes_lost += lab.redis.envelopes().await;
        lab.redis.kill();
        self.go_on();
        lab.redis.restart().await;
        self.wipes += 1;
    }

    /// Workers take what is on the lanes faster than anybody can wipe it: for a moment they all stand still, while every
    /// account is to be checked. Who stands still for too long counts as gone, and nothing is claimed for them any more:
    /// then they go on, and it is tried again.
    async fn fill_lanes(&self, lab: &Lab) {
        let began = Instant::now();
        loop {
            for (_, worker) in &self.workers {
                worker.pause();
            }
            // Redis hands what comes to whoever had asked for it, also when they stand still.
            lab.redis.drop_connections().await;
            want_checks(lab).await;
            if envelope_waits(lab).await {
                return;
            }
            self.go_on();
            assert!(began.elapsed() < PATIENCE, "no envelope waits in Redis");
            within(PATIENCE, "the workers ask for work again", async || {
                lab.redis.waiters().await > 0
            })
            .await;
        }
    }

    fn go_on(&self) {
        for (_, worker) in &self.workers {
            worker.resume();
        }
    }

    /// PostgreSQL crashes in the midst of publishes and comes back. Every worker finds its lock gone, ends what it has
    /// begun, says so and makes room for another.
    pub(super) async fn crash_postgres(&mut self, lab: &mut Lab) {
        within(PATIENCE, "a worker has begun something", async || {
            !books::holders(&lab.store).await.is_empty()
        })
        .await;
        lab.postgres.crash_and_restart().await;
        within(PATIENCE, "the books answer again", || async {
            lab.store.database_ms().await.is_ok()
        })
        .await;
        let before = self.born;
        let began = Instant::now();
        while self.started_anew < WORKERS {
            self.tend(lab).await;
            assert!(
                began.elapsed() < PATIENCE,
                "only {} workers were started anew",
                self.born - before
            );
            tokio::task::yield_now().await;
        }
    }

    /// Everybody stops in good order.
    pub(super) async fn stop(self) {
        let workers = self.workers.into_iter().map(|(_, worker)| worker);
        let mut all: Vec<Process> = workers.chain(self.schedulers).collect();
        for process in &all {
            process.terminate();
        }
        for process in &mut all {
            let what = format!("{} drains", process.name);
            within(PATIENCE, &what, || {
                std::future::ready(process.ended().is_some())
            })
            .await;
            assert_eq!(process.ended(), Some(true), "{} ended badly", process.name);
        }
    }
}

/// Every account is to be checked now.
async fn want_checks(lab: &Lab) {
    let now = lab.pace.now();
    let mut checks = Decision::new(Next::Done, Outcome::Success);
    for place in &lab.places {
        checks = checks.poke(Poke::Job {
            kind: JobKind::Check,
            subject: place.connection.uuid(),
            platform: place.platform,
            at: now,
            priority: 100,
        });
    }
    let secrets = Secrets::default();
    lab.store
        .apply_act(&Actor::Cli, lab.workspace, &checks, &secrets, now)
        .await
        .expect("the accounts are to be checked");
}

/// Whether something comes onto a lane within a second.
async fn envelope_waits(lab: &Lab) -> bool {
    let mut looks = tokio::time::interval(LOOK);
    for _ in 0..LOOKS {
        looks.tick().await;
        if lab.redis.envelopes().await > 0 {
            return true;
        }
    }
    false
}
