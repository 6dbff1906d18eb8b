//! The whole system in one process, with a clock that the test moves.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use mooring_domain::{
    ConnectionId, Event, Lane, Platform, Policy, TargetId, Time, WorkspaceId,
    post::{Content, Stage},
    time::{days, hours},
};
use mooring_gateway::acts::{self, ImportRow, NewApp, SchedulePost, Scheduled};
use mooring_providers::{BaseUrls, Registry};
use mooring_queue::{MemoryQueue, Queue, RedisOptions, RedisQueue};
use mooring_runtime::{Clock as _, Config, Context, ManualClock, lifecycle::Signals};
use mooring_simulator::{
    Admin, NewBlueskyAccounts, NewFacebookApp, NewFacebookUsers, Options as SimulatorOptions,
    RunningSimulator, SimClock, Simulator,
};
use mooring_store::{Actor, ConnectionRow, EventRow, Store, TargetRow};
use mooring_vault::Secret;

use crate::{Database, Engine};

/// How long, and how often, a world waits for its work to be done.
const LOOK: std::time::Duration = std::time::Duration::from_millis(10);
const PATIENCE_LOOKS: usize = 3_000;

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
}

impl Default for WorldOptions {
    fn default() -> Self {
        Self {
            engine: Engine::Sqlite,
            redis: false,
            policy: Policy::default(),
            lanes: vec![Lane::Check, Lane::Refresh, Lane::Publish, Lane::Verify],
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
    simulator: RunningSimulator,
    sim_clock: SimClock,
    facebook_app: String,
    lanes: Vec<Lane>,
    leave_undone: bool,
    ended: bool,
    // Dropped last: the files that the store has open.
    _database: Database,
}

/// A connected account.
#[derive(Debug, Clone)]
pub struct Account {
    /// The connection.
    pub connection: ConnectionId,
    /// The platform.
    pub platform: Platform,
    /// The page id or DID.
    pub remote_id: String,
    /// The Facebook user or DID behind it.
    pub user: String,
}

/// A scheduled post.
#[derive(Debug, Clone)]
pub struct Posted {
    /// What the act returned.
    pub scheduled: Scheduled,
    /// What it says.
    pub text: String,
}

impl Posted {
    /// The only target.
    #[must_use]
    pub fn target(&self) -> TargetId {
        self.scheduled.targets[0]
    }
}

impl World {
    /// A world on SQLite and the in-process queue.
    pub async fn start() -> Self {
        Self::with(WorldOptions::default()).await
    }

    /// A world on the given parts.
    pub async fn with(options: WorldOptions) -> Self {
        let start = DateTime::parse_from_rfc3339("2026-11-26T08:00:00Z")
            .expect("a time")
            .to_utc();
        let clock = Arc::new(ManualClock::new(start));
        let sim_clock = SimClock::manual(start.timestamp_millis());
        let simulator = Simulator::start(SimulatorOptions {
            clock: sim_clock.clone(),
            ..SimulatorOptions::default()
        })
        .await
        .expect("the simulator starts");
        let database = Database::fresh(options.engine).await;
        let store = database.store(options.policy).await;
        let mut config = Config::default();
        config.http.allow_private_addresses = true;
        let context = Context::with_clock("world", config, clock.clone()).expect("a context");
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
            simulator,
            sim_clock,
            facebook_app,
            lanes: options.lanes,
            leave_undone: false,
            ended: false,
            _database: database,
        };
        world.run();
        world
    }

    /// Starts a scheduler and workers for all lanes.
    fn run(&self) {
        let urls = BaseUrls {
            facebook: self.simulator.facebook_url().parse().expect("a URL"),
            bluesky: self.simulator.bluesky_url().parse().expect("a URL"),
            ..BaseUrls::default()
        };
        let registry = Arc::new(Registry::new(
            &self.context.http,
            &self.context.clock,
            &urls,
        ));
        let lanes = self.lanes.iter().map(|lane| (*lane, 16)).collect();
        let lifecycle = &self.context.lifecycle;
        let parts = || {
            (
                self.context.clone(),
                self.store.clone(),
                Arc::clone(&self.queue),
            )
        };
        let (context, store, queue) = parts();
        lifecycle.spawn(
            "workers",
            mooring_workers::run(context, store, queue, registry, lanes),
        );
        let (context, store, queue) = parts();
        lifecycle.spawn("scheduler", mooring_scheduler::run(context, store, queue));
    }

    /// The platforms' hidden side: faults, revocations, the ledger.
    #[must_use]
    pub fn sim(&self) -> Admin {
        self.simulator.admin()
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// Connects a fresh account whose token lives for its full time.
    pub async fn connect(&self, platform: Platform) -> Account {
        match platform {
            Platform::Facebook => self.connect_expiring(platform, days(60)).await,
            Platform::Bluesky => self.connect_expiring(platform, hours(2)).await,
        }
    }

    /// Connects a fresh account whose access token ends after `left`.
    pub async fn connect_expiring(&self, platform: Platform, left: TimeDelta) -> Account {
        let row = match platform {
            Platform::Facebook => self.facebook_row(left),
            Platform::Bluesky => self.bluesky_row(left),
        };
        let (remote_id, user) = (row.remote_id.clone(), row.user_id.clone());
        let (good, bad) = acts::check_import(&self.store, vec![(1, row)], self.now())
            .await
            .expect("the import is checked");
        assert!(bad.is_empty(), "{bad:?}");
        acts::import_connections(&self.store, &Actor::Cli, good, self.now())
            .await
            .expect("the import is applied");
        self.wake().await;
        let rows = self.connections().await;
        let row = rows
            .iter()
            .find(|row| row.remote_id == remote_id)
            .expect("the connection");
        Account {
            connection: row.id,
            platform,
            user: user.unwrap_or_else(|| remote_id.clone()),
            remote_id,
        }
    }

    fn facebook_row(&self, left: TimeDelta) -> ImportRow {
        let users = self.sim().create_facebook_users(&NewFacebookUsers {
            app: self.facebook_app.clone(),
            user_token_life_s: left.num_seconds(),
            ..NewFacebookUsers::default()
        });
        let user = users.expect("a user").remove(0);
        let page = &user.pages[0];
        ImportRow {
            user_id: Some(user.id.clone()),
            page_token: Some(page.token.to_string()),
            issued_at: Some(self.now() + left - days(60)),
            access_expires_at: Some(self.now() + left),
            ..self.row("facebook", &page.id, &page.name, &user.token)
        }
    }

    fn bluesky_row(&self, left: TimeDelta) -> ImportRow {
        let accounts = self.sim().create_bluesky_accounts(&NewBlueskyAccounts {
            access_life_s: left.num_seconds(),
            ..NewBlueskyAccounts::default()
        });
        let account = accounts.expect("an account").remove(0);
        ImportRow {
            refresh_token: Some(account.refresh_token.to_string()),
            issued_at: Some(self.now() + left - hours(2)),
            access_expires_at: Some(self.now() + left),
            refresh_expires_at: Some(self.now() + days(90)),
            ..self.row(
                "bluesky",
                &account.did,
                &account.handle,
                &account.access_token,
            )
        }
    }

    fn row(&self, platform: &str, remote_id: &str, name: &str, token: &str) -> ImportRow {
        ImportRow {
            workspace: self.workspace.to_string(),
            brand: None,
            platform: platform.to_owned(),
            remote_id: remote_id.to_owned(),
            name: name.to_owned(),
            user_id: None,
            access_token: token.to_owned(),
            page_token: None,
            refresh_token: None,
            issued_at: None,
            access_expires_at: None,
            refresh_expires_at: None,
            scopes: None,
            host: None,
        }
    }

    /// Schedules a post on one account, due after `wait`.
    pub async fn post(&self, account: &Account, text: &str, wait: TimeDelta) -> Posted {
        let order = SchedulePost {
            connections: vec![account.connection],
            content: Content {
                text: text.to_owned(),
                link: None,
            },
            due: self.now() + wait,
            critical: false,
        };
        let scheduled =
            acts::schedule_post(&self.store, &Actor::Cli, self.workspace, order, self.now())
                .await
                .expect("the post is scheduled");
        self.wake().await;
        Posted {
            scheduled,
            text: text.to_owned(),
        }
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
        let (_by_hand, signals) = Signals::by_hand();
        self.context.lifecycle.stop();
        let drained = self
            .context
            .lifecycle
            .run(std::time::Duration::from_secs(20), signals, || {})
            .await;
        assert!(drained, "something did not stop");
        assert_eq!(self.context.lifecycle.failure(), None, "a component failed");
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
