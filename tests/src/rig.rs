//! One real `mooring up` on PostgreSQL and Redis, seen from outside: its log, its spans, its wire, its database.
//!
//! Accounts and posts come in through the program's own commands, so that these are part of what is seen. Time is a
//! file that the rig writes, and that processes and platforms read.

mod accounts;
mod commands;

use std::{path::PathBuf, time::Duration};

use chrono::TimeDelta;
use mooring_domain::{Lane, Policy, Time, WorkspaceId};
use mooring_runtime::{Call, Http, Metrics, SystemClock, boot::install_tls, config::HttpConfig};
use mooring_simulator::{
    Admin, FacebookApp, NewFacebookApp, Options as SimulatorOptions, RunningSimulator, SimClock,
    Simulator,
};
use mooring_store::Store;
use mooring_vault::{KeyRing, new_key_text};
use serde_json::Value;
use tempfile::TempDir;

pub use accounts::RigAccount;

use crate::{Collector, Database, Engine, Fleet, Process, Wiretap, eventually, within};

/// The lanes of the four jobs. The house's own jobs run too, but nobody waits for them.
const LANES: [Lane; 4] = [Lane::Check, Lane::Refresh, Lane::Publish, Lane::Verify];

/// How often, and how many times, a rig looks whether its work is done.
const LOOK: Duration = Duration::from_millis(10);
const LOOKS: usize = 6_000;

/// How long a process may take to end in good order.
const END: Duration = Duration::from_secs(45);

/// The system as one process, and everything around it.
pub struct Rig {
    /// The environment of all processes, and their logs.
    pub fleet: Fleet,
    /// The database, for reading.
    pub store: Store,
    /// Receives the spans of all processes.
    pub collector: Collector,
    /// Between the processes and the platforms.
    pub wire: Wiretap,
    /// The tenant.
    pub workspace: WorkspaceId,
    /// Our app at Facebook.
    pub app: FacebookApp,
    /// The key ring's text.
    pub key: String,
    /// In front of every key in Redis.
    pub prefix: String,
    up: Process,
    now: Time,
    clock_file: PathBuf,
    _clock_folder: TempDir,
    simulator: RunningSimulator,
    http: Http,
    // Dropped last: the store is open on it.
    _database: Database,
}

impl Rig {
    /// Starts everything. `marker` is the name of the service and part of the prefix in Redis: a harmless word that
    /// a search can look for.
    pub async fn start(marker: &str, log: &str) -> Self {
        install_tls();
        let clock_folder = TempDir::new().expect("a temporary folder");
        let clock_file = clock_folder.path().join("clock");
        let now = chrono::DateTime::parse_from_rfc3339("2026-11-26T08:00:00Z")
            .expect("a time")
            .to_utc();
        write_clock(&clock_file, now);
        let clock = SimClock::file(&clock_file).expect("a clock");
        let options = SimulatorOptions {
            clock,
            ..SimulatorOptions::default()
        };
        let simulator = Simulator::start(options)
            .await
            .expect("the simulator starts");
        let (collector, wire) = (Collector::start(), Wiretap::before(simulator.address()));
        let database = Database::fresh(Engine::Postgres).await;
        let key = new_key_text("buoy").expect("a key").expose().to_owned();
        let store = database
            .store_with(KeyRing::parse(&key).expect("a key ring"), Policy::default())
            .await;
        let prefix = format!("{marker}-{}", uuid::Uuid::now_v7().simple());
        let redis = std::env::var("MOORING_TEST_REDIS_URL").expect("run the tests with dev/test");
        let fleet = Fleet::new([
            ("MOORING_DATABASE_URL", database.url.clone()),
            ("MOORING_REDIS_URL", redis),
            ("MOORING_REDIS__PREFIX", prefix.clone()),
            ("MOORING_VAULT__KEYS", key.clone()),
            ("MOORING_CLOCK_FILE", clock_file.display().to_string()),
            ("MOORING_TELEMETRY__OTLP_ENDPOINT", collector.endpoint()),
            ("MOORING_TELEMETRY__SERVICE_NAME", marker.to_owned()),
            ("MOORING_TELEMETRY__LOG", log.to_owned()),
            ("MOORING_HTTP__ALLOW_PRIVATE_ADDRESSES", "true".to_owned()),
            (
                "MOORING_PLATFORMS__FACEBOOK_URL",
                format!("{}/facebook", wire.url()),
            ),
            (
                "MOORING_PLATFORMS__BLUESKY_URL",
                format!("{}/bluesky", wire.url()),
            ),
        ]);
        let app = simulator
            .admin()
            .create_facebook_app(NewFacebookApp::default())
            .expect("an app");
        let up = fleet.start("up", &["up"]);
        let mut rig = Self {
            workspace: WorkspaceId::from_uuid(uuid::Uuid::nil()),
            fleet,
            store,
            collector,
            wire,
            app,
            key,
            prefix,
            up,
            now,
            clock_file,
            _clock_folder: clock_folder,
            simulator,
            http: http_client(),
            _database: database,
        };
        rig.settle_in().await;
        rig
    }

    /// Waits for the process to serve, and registers tenant and app by command.
    async fn settle_in(&mut self) {
        let up = &self.up;
        eventually("mooring up serves", || async {
            logged(&up.log(), "gateway.listening").is_some()
        })
        .await;
        let workspace = self.mooring(&["workspace", "add", "Harbour"]);
        self.workspace = workspace.trim().parse().expect("the command prints the id");
        let secret = self.file("app-secret", &self.app.secret);
        let id = self.app.id.clone();
        let platform = ["app", "add", "--platform", "facebook"];
        let credentials = ["--client-id", &id, "--client-secret-file", &secret];
        let app = self.mooring(&[platform, credentials].concat());
        assert!(!app.is_empty(), "the command prints the id");
    }

    /// The platforms' hidden side.
    #[must_use]
    pub fn sim(&self) -> Admin {
        self.simulator.admin()
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> Time {
        self.now
    }

    /// Waits until none of the four jobs is due by the present clock.
    pub async fn settle(&self) {
        let mut looks = tokio::time::interval(LOOK);
        let mut undone = Vec::new();
        for _ in 0..LOOKS {
            looks.tick().await;
            undone = self
                .store
                .undone(&LANES, self.now)
                .await
                .expect("the books answer");
            if undone.is_empty() {
                return;
            }
        }
        panic!("still due at {}: {undone:#?}", self.now);
    }

    /// Lets `span` pass, from due time to due time.
    pub async fn advance(&mut self, span: TimeDelta) {
        let end = self.now + span;
        while self.now < end {
            self.settle().await;
            let next = self
                .store
                .next_due(&LANES, self.now)
                .await
                .expect("the books answer");
            self.now = next.map_or(end, |next| next.min(end));
            write_clock(&self.clock_file, self.now);
        }
        self.settle().await;
    }

    /// What a path of the API answers, status and body.
    pub async fn gateway(&self, path: &str) -> (u16, String) {
        self.get("gateway.listening", path, None).await
    }

    /// What a path of the admin server answers, status and body.
    pub async fn admin(&self, path: &str) -> (u16, String) {
        self.get("admin.listening", path, None).await
    }

    /// What a path of the API answers to somebody with a key, status and body.
    pub async fn api(&self, path: &str, key: &str) -> (u16, String) {
        self.get("gateway.listening", path, Some(key)).await
    }

    async fn get(&self, event: &str, path: &str, key: Option<&str>) -> (u16, String) {
        let line = logged(&self.up.log(), event).expect("the address is in the log");
        let url = format!(
            "http://{}{path}",
            line["address"].as_str().expect("an address")
        );
        let url = url.parse().expect("a URL");
        let call = Call::new("mooring", "/", reqwest::Method::GET, url);
        let call = match key {
            Some(key) => call.bearer(key),
            None => call,
        };
        let answer = self.http.send(call).await;
        let answer = answer.expect("the process answers");
        (
            answer.status.as_u16(),
            String::from_utf8_lossy(&answer.body).into_owned(),
        )
    }

    /// Ends the process in good order; its last spans have arrived when this returns.
    pub async fn stop(&mut self) {
        self.up.terminate();
        let mut ended = None;
        let up = &mut self.up;
        within(END, "mooring up ends", || {
            ended = up.ended();
            std::future::ready(ended.is_some())
        })
        .await;
        assert_eq!(ended, Some(true), "mooring up failed: {}", self.up.log());
    }
}

fn http_client() -> Http {
    let config = HttpConfig {
        allow_private_addresses: true,
        ..HttpConfig::default()
    };
    let metrics = std::sync::Arc::new(Metrics::new("test"));
    Http::new(&config, std::sync::Arc::new(SystemClock::new()), metrics).expect("a client")
}

/// The first line of a log with that event.
fn logged(log: &str, event: &str) -> Option<Value> {
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.into_iter().find(|line| line["event.name"] == event)
}

/// Replaced in one step, so that no reader sees half a time.
fn write_clock(path: &std::path::Path, now: Time) {
    let fresh = path.with_extension("new");
    std::fs::write(&fresh, now.timestamp_millis().to_string()).expect("a clock file");
    std::fs::rename(&fresh, path).expect("a clock file");
}
