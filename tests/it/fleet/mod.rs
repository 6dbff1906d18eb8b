//! The system as it really runs: several schedulers and workers, PostgreSQL, a Redis of their own, and platforms
//! in the test's process. Processes are killed, frozen and stopped; the platforms' ledger says what came of it.

mod accounts;
mod chaos;
mod graceful;
mod idle;
mod kills;
mod notary;
mod paused;
mod refreshes;
mod spaced;
mod storm;
mod windows;

use std::{
    cell::Cell,
    collections::BTreeMap,
    future::ready,
    time::{Duration, Instant},
};

use futures::{StreamExt as _, stream};
use mooring_domain::{
    Policy, Time, WorkspaceId,
    post::{Content, Stage},
    time::seconds,
};
use mooring_gateway::acts::{self, SchedulePost, Scheduled};
use mooring_runtime::{Clock as _, SystemClock};
use mooring_simulator::{Admin, Limits, Options, RunningSimulator, Simulator};
use mooring_store::{Actor, Counts, Store};
use mooring_tests::{Database, Engine, Fleet, Process, RedisServer, within};
use mooring_vault::{KeyRing, new_key_text};

use accounts::Account;

/// The lease of publishes in these tests. The product's default is 60 s; a short one makes a killed worker's jobs
/// come back within the time that a test has.
const LEASE: i64 = 8;

/// The design's promise: a killed worker's jobs are claimed again at the latest so long after their lease.
const RECOVERY: i64 = 5;

/// The house's rule for measured bounds: a test fails at three times the target, so that a busy machine does not.
const SLACK: i64 = 3;

/// How often the books are counted while a test waits for their end.
const LOOK: Duration = Duration::from_millis(250);

/// The tenant of these tests.
const TENANT: &str = "Harbour";

/// What a fleet test plays on.
struct Scene {
    fleet: Fleet,
    store: Store,
    sim: RunningSimulator,
    redis: RedisServer,
    clock: SystemClock,
    workspace: WorkspaceId,
    facebook_app: String,
    database: Database,
}

impl Scene {
    /// Services and settings; no process of ours runs yet. `env` adds to the settings or replaces them.
    async fn start(env: &[(&'static str, &str)]) -> Self {
        let clock = SystemClock::new();
        let database = Database::fresh(Engine::Postgres).await;
        let sim = Simulator::start(Options::default())
            .await
            .expect("the simulator starts");
        // Otherwise the platform would hide half of our doubles.
        let limits = Limits {
            facebook_duplicate_guard: false,
            ..Limits::default()
        };
        sim.admin().set_limits(limits);
        let redis = RedisServer::start().await;
        let keys = new_key_text("fleet").expect("a key");
        let ring = KeyRing::parse(keys.expose()).expect("a key ring");
        let store = database.store_with(ring, Policy::default()).await;
        let lease = LEASE.to_string();
        let mut settings = BTreeMap::from([
            ("MOORING_DATABASE_URL", database.url.clone()),
            ("MOORING_DATABASE__MAX_CONNECTIONS", "6".to_owned()),
            ("MOORING_REDIS_URL", redis.url()),
            ("MOORING_VAULT__KEYS", keys.expose().to_owned()),
            ("MOORING_HTTP__ALLOW_PRIVATE_ADDRESSES", "true".to_owned()),
            ("MOORING_PLATFORMS__FACEBOOK_URL", sim.facebook_url()),
            ("MOORING_PLATFORMS__BLUESKY_URL", sim.bluesky_url()),
            ("MOORING_POLICY__LEASES_S__PUBLISH", lease.clone()),
            ("MOORING_POLICY__LEASES_S__CHECK", lease.clone()),
            ("MOORING_POLICY__LEASES_S__VERIFY", lease),
        ]);
        settings.extend(env.iter().map(|(key, value)| (*key, (*value).to_owned())));
        let now = clock.now();
        let workspace = acts::create_workspace(&store, &Actor::Cli, TENANT, now).await;
        let facebook_app = accounts::register_facebook(&store, &sim.admin(), now).await;
        Self {
            fleet: Fleet::new(settings),
            workspace: workspace.expect("a workspace"),
            store,
            sim,
            redis,
            clock,
            facebook_app,
            database,
        }
    }

    /// The same server through another database, for questions that must not count as load of this one.
    async fn elsewhere(&self) -> Store {
        let other = Database::empty(Engine::Postgres).await;
        other.store(Policy::default()).await
    }

    fn admin(&self) -> Admin {
        self.sim.admin()
    }

    fn now(&self) -> Time {
        self.clock.now()
    }

    fn worker(&self, name: &str) -> Process {
        self.fleet.start(name, &["worker"])
    }

    fn scheduler(&self, name: &str) -> Process {
        self.fleet.start(name, &["scheduler"])
    }

    /// Schedules one post on some accounts. No hint is sent: schedulers find it by its time.
    async fn post(&self, to: &[&Account], text: &str, due: Time) -> Scheduled {
        let mut connections: Vec<_> = to.iter().map(|account| account.connection).collect();
        // In one order, so that posts which are scheduled at once do not lock each other's checks crosswise.
        connections.sort();
        let order = SchedulePost {
            connections,
            content: Content::text(text),
            media: Vec::new(),
            due,
            critical: false,
            allow_duplicate: true,
            ..SchedulePost::default()
        };
        acts::schedule_post(&self.store, &Actor::Cli, self.workspace, order, self.now())
            .await
            .expect("the post is scheduled")
    }

    /// Schedules `posts` posts on `breadth` accounts each, going round the accounts, due evenly over `spread`
    /// seconds. Returns every (account, text) that must exist in the end.
    async fn flood(
        &self,
        accounts: &[Account],
        posts: usize,
        breadth: usize,
        due: Time,
        spread: usize,
    ) -> Vec<(Account, String)> {
        let orders = (0..posts).map(|number| async move {
            let places = (0..breadth).map(|step| {
                let stride = accounts.len() / breadth;
                &accounts[(number + step * stride) % accounts.len()]
            });
            let to: Vec<&Account> = places.collect();
            let text = format!("all moored, number {number}");
            let share = i64::try_from(number * spread / posts).expect("a few seconds");
            self.post(&to, &text, due + seconds(share)).await;
            to.into_iter()
                .map(|account| (account.clone(), text.clone()))
                .collect::<Vec<_>>()
        });
        stream::iter(orders).buffer_unordered(6).concat().await
    }

    /// Waits until every target is accepted, seen live, and nothing dangles; or until the first one has ended
    /// otherwise, or `patience` is over.
    async fn settle(&self, targets: usize, patience: Duration) -> Duration {
        let want = Counts {
            targets: vec![("accepted".to_owned(), targets as u64)],
            verdicts: vec![("live".to_owned(), targets as u64)],
            ..Counts::default()
        };
        let looked = Cell::new(Instant::now());
        let settled = within(patience * 2, "all targets are live", || async {
            // Counting thousands is work for the database that is under test.
            if looked.get().elapsed() < LOOK {
                return false;
            }
            looked.set(Instant::now());
            let counts = self.counts().await;
            counts == want || ended_badly(&counts)
        });
        match tokio::time::timeout(patience, settled).await {
            Ok(took) if self.counts().await == want => took,
            _ => panic!("not every post is live: {}", self.story().await),
        }
    }

    async fn counts(&self) -> Counts {
        let counts = self
            .store
            .counts(Some(self.workspace))
            .await
            .expect("the books answer");
        Counts {
            connections: Vec::new(),
            ..counts
        }
    }

    /// What is not well, for a failure's message.
    async fn story(&self) -> String {
        let rows = self
            .store
            .targets(self.workspace)
            .await
            .expect("the books answer");
        let bad = rows
            .into_iter()
            .filter(|row| row.stage != Stage::Accepted || row.verdict.as_deref() != Some("live"));
        let bad: Vec<_> = bad.take(5).collect();
        let counts = self.counts().await;
        let jobs = notary::jobs_of(&self.store, bad.first().map(|row| row.id)).await;
        format!("{counts:?}\nthe first of them: {bad:#?}\nits job and attempts: {jobs}")
    }

    /// Asserts that the platforms' ledger holds exactly these, each once and live.
    fn assert_exactly_once(&self, wanted: &[(Account, String)]) {
        let groups = self.admin().ledger_groups();
        let found: BTreeMap<(String, String), (u32, u32)> = groups
            .into_iter()
            .map(|group| ((group.account, group.text), (group.created, group.live)))
            .collect();
        let wanted = wanted
            .iter()
            .map(|(account, text)| (account.remote_id.clone(), text.clone()));
        let wanted: BTreeMap<_, _> = wanted.map(|key| (key, (1, 1))).collect();
        let doubled: Vec<_> = found
            .iter()
            .filter(|(_, copies)| **copies != (1, 1))
            .collect();
        assert!(doubled.is_empty(), "not exactly once: {doubled:?}");
        let lost: Vec<_> = wanted
            .keys()
            .filter(|key| !found.contains_key(key))
            .collect();
        assert!(lost.is_empty(), "lost: {lost:?}");
        assert_eq!(found.len(), wanted.len(), "posts that nobody asked for");
    }
}

impl Drop for Scene {
    /// Leaves the logs of a failed test behind.
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "logs: {}; database: {}",
                self.fleet.keep_logs().display(),
                name_of(&self.database)
            );
        }
    }
}

/// Ends processes in good order; each must end with success.
async fn stop(processes: impl IntoIterator<Item = Process>) {
    let mut processes: Vec<Process> = processes.into_iter().collect();
    for process in &processes {
        process.terminate();
    }
    for process in &mut processes {
        let what = format!("{} drains", process.name);
        within(Duration::from_mins(1), &what, || {
            ready(process.ended().is_some())
        })
        .await;
        assert_eq!(
            process.ended(),
            Some(true),
            "{} ended badly: {}",
            process.name,
            process.log()
        );
    }
}

/// Whether some target has come to an end other than accepted.
fn ended_badly(counts: &Counts) -> bool {
    let bad = |stage: &str| !["scheduled", "begun", "accepted"].contains(&stage);
    counts
        .targets
        .iter()
        .any(|(stage, count)| *count > 0 && bad(stage))
}

/// The database's name, without the password that its URL holds.
fn name_of(database: &Database) -> &str {
    database.url.rsplit('/').next().unwrap_or_default()
}
