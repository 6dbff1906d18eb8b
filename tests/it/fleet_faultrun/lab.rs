//! What a run plays on: servers of its own, the platforms, accounts and posts. Nobody works yet.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use mooring_domain::{Policy, WorkspaceId, time::hours};
use mooring_gateway::acts;
use mooring_providers::BaseUrls;
use mooring_runtime::{MediaStore, config::MediaConfig, media::LinkKeys};
use mooring_simulator::{Options, RunningSimulator, SimClock, Simulator};
use mooring_store::{Actor, Store};
use mooring_tests::{Database, Fleet, PostgresServer, RedisServer};
use mooring_vault::{KeyRing, new_key_text};

use super::{
    Size,
    accounts::{self, Place},
    books,
    pace::Pace,
    posts::{self, Planned},
    trouble,
};

/// When a run begins. LinkedIn's limits end at midnight: whoever meets one waits for an hour, not for a day.
const START: &str = "2026-11-26T22:50:00Z";

/// How late a post may be here, in hours. A day: the platforms ask for pauses of hours, and what waits for them shall
/// not be missed.
const LATENESS_H: i64 = 24;

/// Leases of checks and read-backs, in seconds: with the product's 30 s a slow machine would lose them at this speed.
const LEASE_S: &str = "60";

/// Leases that a job may lose in a row. Workers are killed here a hundred times as often as anywhere else, so that five
/// (the product's default) would be chance and not a job that kills its workers.
const LOSSES: &str = "50";

/// How long a call may take in real time, in milliseconds: an answer that comes later comes to nobody.
pub(super) const CALL_MS: u64 = 5_000;

/// Nothing fetches from there: the simulator believes in addresses.
const PUBLIC: &str = "http://127.0.0.1:9";
const LINK_KEY: &str = "a key of this run and of nobody else";

pub(super) struct Lab {
    pub(super) size: Size,
    pub(super) fleet: Fleet,
    pub(super) store: Store,
    pub(super) sim: RunningSimulator,
    pub(super) redis: RedisServer,
    pub(super) postgres: PostgresServer,
    pub(super) pace: Arc<Pace>,
    pub(super) workspace: WorkspaceId,
    pub(super) places: Vec<Place>,
    pub(super) planned: Vec<Planned>,
    _database: Database,
}

impl Lab {
    pub(super) async fn set(size: Size) -> Self {
        let start = chrono::DateTime::parse_from_rfc3339(START).expect("a time");
        let pace = Arc::new(Pace::starting(start.to_utc()));
        let options = Options {
            clock: SimClock::file(pace.file()).expect("a clock"),
            seed: size.seed,
            ..Options::default()
        };
        let sim = Simulator::start(options)
            .await
            .expect("the simulator starts");
        let (postgres, redis) = (PostgresServer::start().await, RedisServer::start().await);
        let database = Database::on(&postgres).await;
        let keys = new_key_text("faultrun").expect("a key");
        let ring = KeyRing::parse(keys.expose()).expect("a key ring");
        let policy = Policy {
            public_media: true,
            max_lateness: hours(LATENESS_H),
            ..Policy::default()
        };
        let store = database.store_with(ring, policy).await;
        books::open(&store).await;
        let workspace = acts::create_workspace(&store, &Actor::Cli, "Harbour", pace.now()).await;
        let mut fleet = Fleet::new(settings(&postgres, &redis, keys.expose(), pace.file()));
        let folder = fleet.folder().join("media");
        fleet.env.insert(
            "MOORING_MEDIA__FOLDER".to_owned(),
            folder.display().to_string(),
        );
        let base: url::Url = sim.base_url().parse().expect("a URL");
        let mut urls = BaseUrls::simulated(&base);
        for name in BaseUrls::names() {
            let key = format!("MOORING_PLATFORMS__{}_URL", name.to_uppercase());
            let url = urls.get(name).expect("it has a name").to_string();
            fleet.env.insert(key, url);
        }
        let mut lab = Self {
            size,
            fleet,
            store,
            sim,
            redis,
            postgres,
            pace,
            workspace: workspace.expect("a workspace"),
            places: Vec::new(),
            planned: Vec::new(),
            _database: database,
        };
        trouble::set_rules(&lab.sim.admin(), size.publishes);
        lab.places = accounts::connect(&lab).await;
        lab.planned = posts::plan(&lab, &lab.places, &files(&folder)).await;
        lab
    }

    /// When the last post is due.
    pub(super) fn last_due(&self) -> mooring_domain::Time {
        let start = chrono::DateTime::parse_from_rfc3339(START).expect("a time");
        posts::last_due(start.to_utc(), self.size.publishes)
    }
}

impl Drop for Lab {
    /// Leaves the logs of a failed run behind.
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("logs: {}", self.fleet.keep_logs().display());
        }
    }
}

fn settings(
    postgres: &PostgresServer,
    redis: &RedisServer,
    keys: &str,
    clock: &Path,
) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("MOORING_DATABASE_URL", postgres.url()),
        ("MOORING_DATABASE__MAX_CONNECTIONS", "6".to_owned()),
        ("MOORING_REDIS_URL", redis.url()),
        ("MOORING_VAULT__KEYS", keys.to_owned()),
        ("MOORING_CLOCK_FILE", clock.display().to_string()),
        ("MOORING_HTTP__ALLOW_PRIVATE_ADDRESSES", "true".to_owned()),
        ("MOORING_HTTP__TIMEOUT_MS", CALL_MS.to_string()),
        ("MOORING_MEDIA__PUBLIC_URL", PUBLIC.to_owned()),
        ("MOORING_MEDIA__SIGNING_KEY", LINK_KEY.to_owned()),
        ("MOORING_WORKER__SLOTS__PUBLISH", "16".to_owned()),
        ("MOORING_POLICY__LEASES_S__CHECK", LEASE_S.to_owned()),
        ("MOORING_POLICY__LEASES_S__VERIFY", LEASE_S.to_owned()),
        ("MOORING_POLICY__POISON_LOSSES", LOSSES.to_owned()),
        (
            "MOORING_POLICY__MAX_LATENESS_S",
            (LATENESS_H * 3_600).to_string(),
        ),
    ])
}

/// The files of the posts, where the workers find them.
fn files(folder: &Path) -> MediaStore {
    let config = MediaConfig {
        folder: Some(folder.to_owned()),
        public_url: Some(PUBLIC.to_owned()),
        ..MediaConfig::default()
    };
    let keys = LinkKeys::parse(LINK_KEY).expect("a long key");
    MediaStore::open(&config, None, keys).expect("a folder")
}
