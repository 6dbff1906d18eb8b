//! The whole system in one process, with a clock that the test moves.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use mooring_domain::{Event, Lane, Platform, Policy, Time, WorkspaceId, post::Stage};
use mooring_gateway::{
    Gateway,
    acts::{self, NewApp},
};
use mooring_providers::{BaseUrls, Registry};
use mooring_queue::{MemoryQueue, Queue, RedisOptions, RedisQueue};
use mooring_runtime::{
    Clock as _, Config, Context, ManualClock, MediaStore, lifecycle::Signals, media::LinkKeys,
};
use mooring_simulator::{
    Admin, NewFacebookApp, Options as SimulatorOptions, RunningSimulator, SimClock, Simulator,
};
use mooring_store::{Actor, ConnectionRow, EventRow, Store, TargetRow};
use mooring_vault::{KeyRing, Secret, new_key_text};
use url::Url;

mod accounts;
mod connecting;
mod disaster;
mod grants;
mod life;
mod media;
mod people;
mod processes;

use crate::{Database, Engine};

pub use disaster::Backup;
pub use people::{Account, Posted};

/// How long, and how often, a world waits for its work to be done.
const LOOK: Duration = Duration::from_millis(10);
const PATIENCE_LOOKS: usize = 3_000;
/// The longest file of a story.
const FILE_MAX: u64 = 1 << 26;

/// How a world is made.
pub struct WorldOptions {
    /// The database's engine.
    pub engine: Engine,
    /// Whether the lanes are in Redis (`MOORING_TEST_REDIS_URL`) or in this process.
    pub redis: bool,
    /// The numbers that decisions go by.
    pub policy: Policy,
    /// The lanes with workers. The house's own is left out by default: it looks around every few minutes, which
    /// makes a week long.
    pub lanes: Vec<Lane>,
    /// How long a call to a platform may take; `None` = as configured.
    pub call_timeout: Option<Duration>,
    /// Platforms that are not the simulator: the name of a base URL, and where it is.
    pub elsewhere: Vec<(&'static str, Url)>,
    /// When the story begins; `None` = always at the same moment. A server whose clock cannot be moved wants the present.
    pub begins: Option<Time>,
}

impl Default for WorldOptions {
    fn default() -> Self {
        Self {
            engine: Engine::Sqlite,
            redis: false,
            policy: Policy {
                public_media: true,
                ..Policy::default()
            },
            lanes: vec![Lane::Check, Lane::Refresh, Lane::Publish, Lane::Verify],
            call_timeout: None,
            elsewhere: Vec::new(),
            begins: None,
        }
    }
}

/// The system, its platforms and its time.
pub struct World {
    /// Moved by [`World::advance`].
    pub clock: Arc<ManualClock>,
    /// The books.
    pub store: Store,
    /// The conveyor.
    pub queue: Arc<dyn Queue>,
    /// The tenant that stories play in.
    pub workspace: WorkspaceId,
    /// Clock, lifecycle, metrics.
    pub context: Context,
    /// The files that posts show; the gateway serves them to platforms that fetch.
    pub media: MediaStore,
    /// Where the gateway listens.
    pub gateway: SocketAddr,
    simulator: RunningSimulator,
    sim_clock: SimClock,
    facebook_app: String,
    lanes: Vec<Lane>,
    call_timeout: Option<Duration>,
    elsewhere: Vec<(&'static str, Url)>,
    /// Processes beside the first.
    hired: Vec<Context>,
    policy: Policy,
    /// The key ring's text: a restored database is opened with the same one.
    key: Secret,
    leave_undone: bool,
    ended: bool,
    // Dropped last: the files that the store has open.
    database: Database,
}

impl World {
    /// A world on SQLite and the in-process queue.
    pub async fn start() -> Self {
        Self::with(WorldOptions::default()).await
    }

    /// A world on the given parts.
    pub async fn with(options: WorldOptions) -> Self {
        let usual = DateTime::parse_from_rfc3339("2026-11-26T08:00:00Z").expect("a time");
        let start = options.begins.unwrap_or(usual.to_utc());
        let clock = Arc::new(ManualClock::new(start));
        let sim_clock = SimClock::manual(start.timestamp_millis());
        let simulator = Simulator::start(SimulatorOptions {
            clock: sim_clock.clone(),
            ..SimulatorOptions::default()
        })
        .await
        .expect("the simulator starts");
        let database = Database::fresh(options.engine).await;
        // Two keys, so that a story can rotate from the first to the second.
        let key = ["world", "next"].map(|id| new_key_text(id).expect("a key"));
        let key = Secret::from(key.each_ref().map(Secret::expose).join("\n"));
        let ring = KeyRing::parse(key.expose()).expect("a key ring");
        let store = database.store_with(ring, options.policy.clone()).await;
        let context = fresh_context(&clock, options.call_timeout);
        let registry = registry(&context, &simulator, &options.elsewhere);
        let (media, gateway) =
            serve(&context, &store, registry, MediaStore::in_memory(FILE_MAX)).await;
        let queue = lanes(options.redis).await;
        let workspace = acts::create_workspace(&store, &Actor::Cli, "Harbour", start)
            .await
            .expect("a workspace");
        let facebook_app = register_facebook(&store, &simulator, start).await;
        let world = Self {
            clock,
            store,
            queue,
            workspace,
            context,
            media,
            gateway,
            simulator,
            sim_clock,
            facebook_app,
            lanes: options.lanes,
            call_timeout: options.call_timeout,
            elsewhere: options.elsewhere,
            hired: Vec::new(),
            policy: options.policy,
            key,
            leave_undone: false,
            ended: false,
            database,
        };
        world.run();
        world
    }

    /// Starts a scheduler and workers for all lanes.
    fn run(&self) {
        self.run_in(&self.context);
    }

    fn run_in(&self, process: &Context) {
        let registry = self.registry_of(process);
        let lanes = self.lanes.iter().map(|lane| (*lane, 16)).collect();
        let lifecycle = &process.lifecycle;
        let parts = || (process.clone(), self.store.clone(), Arc::clone(&self.queue));
        let (context, store, queue) = parts();
        lifecycle.spawn(
            "workers",
            mooring_workers::run(context, store, queue, registry, self.media.clone(), lanes),
        );
        let (context, store, queue) = parts();
        lifecycle.spawn("scheduler", mooring_scheduler::run(context, store, queue));
    }

    /// The platforms' hidden side: faults, revocations, the ledger.
    #[must_use]
    pub fn sim(&self) -> Admin {
        self.simulator.admin()
    }

    /// Where the platforms are.
    #[must_use]
    pub fn platforms(&self) -> Url {
        self.simulator.base_url().parse().expect("a URL")
    }

    /// Adapters of every platform, towards the simulator.
    #[must_use]
    pub fn registry(&self) -> Arc<Registry> {
        self.registry_of(&self.context)
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// Waits until nothing is due by the present clock.
    pub async fn settle(&self) {
        self.wake().await;
        let mut undone = Vec::new();
        for _ in 0..PATIENCE_LOOKS {
            undone = self
                .store
                .undone(&self.lanes, self.now())
                .await
                .expect("the books answer");
            if undone.is_empty() {
                return;
            }
            tokio::time::interval_at(tokio::time::Instant::now() + LOOK, LOOK)
                .tick()
                .await;
        }
        let told: Vec<_> = self
            .events()
            .await
            .into_iter()
            .take(20)
            .map(|event| event.data)
            .collect();
        panic!(
            "still due at {}: {undone:#?}\nnewest events: {told:#?}",
            self.now()
        );
    }

    /// Lets `span` pass: from due time to due time, settling at each, so that a week takes a second.
    pub async fn advance(&self, span: TimeDelta) {
        let end = self.now() + span;
        loop {
            self.settle().await;
            let next = self
                .store
                .next_due(&self.lanes, self.now())
                .await
                .expect("the books answer");
            let to = next.map_or(end, |next| next.min(end));
            self.set_clock(to);
            if to == end {
                break;
            }
        }
        self.settle().await;
    }

    /// Lets `span` pass in even steps, settling after each: where thousands of things are due at moments of their own,
    /// going from one to the next would take for ever.
    pub async fn pass_in_steps(&self, span: TimeDelta, step: TimeDelta) {
        let end = self.now() + span;
        while self.now() < end {
            self.set_clock((self.now() + step).min(end));
            self.settle().await;
        }
    }

    fn set_clock(&self, to: Time) {
        // The platforms first: a token that we believe in must not have ended for them alone.
        self.sim_clock
            .set(to.timestamp_millis())
            .expect("a manual clock");
        self.clock.set(to);
    }

    async fn wake(&self) {
        self.queue.wake().await.expect("schedulers are woken");
    }

    /// The connections, judged now.
    pub async fn connections(&self) -> Vec<ConnectionRow> {
        self.store
            .connections(self.workspace, self.now())
            .await
            .expect("the books answer")
    }

    /// One connection, judged now.
    pub async fn connection(&self, account: &Account) -> ConnectionRow {
        let rows = self.connections().await;
        rows.into_iter()
            .find(|row| row.id == account.connection)
            .expect("the connection exists")
    }

    /// The only target of a post.
    pub async fn target(&self, posted: &Posted) -> TargetRow {
        let rows = self
            .store
            .targets(self.workspace)
            .await
            .expect("the books answer");
        rows.into_iter()
            .find(|row| row.id == posted.target())
            .expect("the target exists")
    }

    /// Asserts how far a post has come and what the newest verdict on it is.
    pub async fn assert_post(&self, posted: &Posted, stage: Stage, verdict: Option<&str>) {
        let row = self.target(posted).await;
        assert_eq!(
            (row.stage, row.verdict.as_deref()),
            (stage, verdict),
            "\"{}\" (reason {:?}, {} attempts)",
            posted.text,
            row.reason,
            row.attempts
        );
    }

    /// How often a text exists at the platform, by its own ledger.
    #[must_use]
    pub fn copies(&self, account: &Account, text: &str) -> usize {
        let groups = self.sim().ledger_groups();
        let group = groups
            .iter()
            .find(|g| g.account == account.remote_id && g.text == text);
        group.map_or(0, |group| group.created as usize)
    }

    /// The newest events of the workspace, newest first.
    pub async fn events(&self) -> Vec<EventRow> {
        self.store
            .events(self.workspace, 1_000)
            .await
            .expect("the books answer")
    }

    /// How many events of each name there are.
    pub async fn event_counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for event in self.events().await {
            *counts.entry(event.name).or_default() += 1;
        }
        counts
    }

    /// The events about one thing, oldest first.
    pub async fn told(&self, subject: uuid::Uuid) -> Vec<Event> {
        let mut rows = self.events().await;
        rows.retain(|row| row.subject == subject);
        rows.reverse();
        rows.into_iter()
            .map(|row| serde_json::from_value(row.data).expect("an event reads itself back"))
            .collect()
    }

    /// Says that this story ends in the middle of things.
    pub fn leave_undone(&mut self) {
        self.leave_undone = true;
    }

    /// Ends the story: nothing may be due, and everything stops in good order.
    pub async fn done(mut self) {
        self.ended = true;
        if !self.leave_undone {
            self.settle().await;
        }
        self.stop().await;
    }

    /// Stops every role in good order.
    async fn stop(&self) {
        for process in self.hired.iter().chain([&self.context]) {
            let lifecycle = &process.lifecycle;
            let (_by_hand, signals) = Signals::by_hand();
            lifecycle.stop();
            let patience = Duration::from_secs(20);
            let drained = lifecycle.run(patience, signals, || {}).await;
            assert!(drained, "something did not stop");
            assert_eq!(lifecycle.failure(), None, "a component failed");
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        assert!(
            self.ended || std::thread::panicking(),
            "a story must end with World::done, which looks for undone work"
        );
    }
}

/// What a process is given at its start.
fn fresh_context(clock: &Arc<ManualClock>, call_timeout: Option<Duration>) -> Context {
    let mut config = Config::default();
    if let Some(limit) = call_timeout {
        config.http.timeout_ms = u64::try_from(limit.as_millis()).expect("a short time");
    }
    config.http.allow_private_addresses = true;
    config.gateway.bind.set_port(0);
    Context::with_clock("world", config, clock.clone()).expect("a context")
}

/// The platforms, as the simulator plays them, apart from those that are elsewhere.
fn registry(
    context: &Context,
    simulator: &RunningSimulator,
    elsewhere: &[(&'static str, Url)],
) -> Arc<Registry> {
    let base = simulator.base_url().parse().expect("a URL");
    let mut urls = BaseUrls::simulated(&base);
    for (name, url) in elsewhere {
        assert!(urls.set(name, url.clone()), "there is no base URL {name}");
    }
    Arc::new(Registry::new(&context.http, &context.clock, &urls))
}

/// Starts the gateway; files in memory, at addresses that it serves.
async fn serve(
    context: &Context,
    store: &Store,
    registry: Arc<Registry>,
    files: MediaStore,
) -> (MediaStore, SocketAddr) {
    let keys = LinkKeys::parse("a key of this world and of nobody else").expect("a long key");
    let files = files.with_links(None, keys.clone());
    let gateway = Gateway::bind(context.clone(), store.clone(), files.clone(), registry)
        .await
        .expect("a free port");
    let address = gateway.address().expect("it is bound");
    context.lifecycle.spawn("gateway", gateway.serve());
    let url = format!("http://{address}").parse().expect("a URL");
    (files.with_links(Some(url), keys), address)
}

async fn lanes(redis: bool) -> Arc<dyn Queue> {
    if !redis {
        return Arc::new(MemoryQueue::new());
    }
    let url = std::env::var("MOORING_TEST_REDIS_URL").expect("run the tests with dev/test");
    let mut options = RedisOptions::new(url);
    options.prefix = format!("world-{}", uuid::Uuid::now_v7().simple());
    Arc::new(RedisQueue::connect(&options).await.expect("Redis answers"))
}

async fn register_facebook(
    store: &Store,
    simulator: &RunningSimulator,
    now: DateTime<Utc>,
) -> String {
    let app = simulator
        .admin()
        .create_facebook_app(NewFacebookApp::default())
        .expect("an app");
    let new = NewApp {
        workspace: None,
        platform: Platform::Facebook,
        client_id: app.id.clone(),
        client_secret: Secret::from(&*app.secret),
        base_url: None,
    };
    acts::register_app(store, &Actor::Cli, new, now)
        .await
        .expect("the app is registered");
    app.id
}
