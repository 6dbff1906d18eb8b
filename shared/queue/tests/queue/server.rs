//! A private Redis server, and waiting without guessing.

use std::future::Future;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use mooring_domain::id::ProcessId;
use mooring_domain::job::JobKind;
use mooring_domain::time::seconds;
use mooring_queue::{Envelope, MemoryQueue, Queue, RedisOptions, RedisQueue};
use mooring_runtime::{Clock, SystemClock};
use redis::FromRedisValue;
use redis::aio::MultiplexedConnection;
use tempfile::TempDir;
use tokio::time::Instant;
use uuid::Uuid;

/// How long a condition may take on a busy machine. Far above what it takes; only a broken promise waits this long.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A `redis-server` of this test alone; ended by its pid when dropped.
pub(crate) struct Server {
    child: Child,
    dir: TempDir,
    port: u16,
    extra: Vec<String>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let server = Self::launch(
            tempfile::tempdir().unwrap(),
            free_port(),
            &["--port", "{port}"],
        );
        server.ready().await;
        server
    }

    /// A server that is not waited for. `{port}` and `{dir}` in the arguments are replaced.
    pub(crate) fn launch(dir: TempDir, port: u16, arguments: &[&str]) -> Self {
        let folder = dir.path().display().to_string();
        let place = |text: &&str| {
            text.replace("{port}", &port.to_string())
                .replace("{dir}", &folder)
        };
        let extra: Vec<String> = arguments.iter().map(place).collect();
        Self {
            child: spawn(&folder, &extra),
            dir,
            port,
            extra,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn queue(&self) -> (Arc<RedisQueue>, String) {
        redis_queue(&self.url())
    }

    /// SIGKILL: nothing is saved.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts again on the same port, empty.
    pub(crate) async fn restart(&mut self) {
        self.child = spawn(&self.dir.path().display().to_string(), &self.extra);
        self.ready().await;
    }

    pub(crate) async fn ask<T: FromRedisValue>(&self, words: &[&str]) -> T {
        let (name, arguments) = words.split_first().unwrap();
        redis::cmd(name)
            .arg(arguments)
            .query_async(&mut self.admin().await)
            .await
            .unwrap()
    }

    /// One number of `INFO`.
    pub(crate) async fn info(&self, section: &str, field: &str) -> u64 {
        let text: String = self.ask(&["INFO", section]).await;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        line.unwrap_or_default().parse().unwrap_or_default()
    }

    async fn admin(&self) -> MultiplexedConnection {
        let config = redis::AsyncConnectionConfig::new().set_response_timeout(Some(PATIENCE));
        let client = redis::Client::open(self.url()).unwrap();
        client
            .get_multiplexed_async_connection_with_config(&config)
            .await
            .unwrap()
    }

    async fn ready(&self) {
        let client = redis::Client::open(self.url()).unwrap();
        eventually("redis-server answers", async || {
            client.get_multiplexed_async_connection().await.is_ok()
        })
        .await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("redis-server {} did not end: {error}", self.child.id());
        }
    }
}

fn spawn(folder: &str, extra: &[String]) -> Child {
    Command::new("redis-server")
        .args([
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--dir",
            folder,
        ])
        .args(["--enable-debug-command", "local"])
        .args(extra)
        .stdout(Stdio::null())
        .spawn()
        .expect("these tests need the program redis-server (Debian package redis-server)")
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

fn redis_queue(url: &str) -> (Arc<RedisQueue>, String) {
    let prefix = format!("t{:016x}", rand::random::<u64>());
    let options = RedisOptions {
        prefix: prefix.clone(),
        beat_ttl: SHORT_TTL,
        ..RedisOptions::new(url)
    };
    (Arc::new(RedisQueue::open(&options).unwrap()), prefix)
}

/// So that a test can live through the end of a beat.
pub(crate) const SHORT_TTL: Duration = Duration::from_millis(700);

/// Both implementations, and what keeps them alive.
pub(crate) async fn both() -> (Vec<(&'static str, Arc<dyn Queue>)>, Option<Server>) {
    let memory: Arc<dyn Queue> = Arc::new(MemoryQueue::with_beat_ttl(SHORT_TTL));
    let (redis, server) = if let Ok(url) = std::env::var("MOORING_TEST_REDIS_URL") {
        (redis_queue(&url).0, None)
    } else {
        let server = Server::start().await;
        (server.queue().0, Some(server))
    };
    (vec![("memory", memory), ("redis", redis)], server)
}

/// Waits until the condition holds, and fails with its name when it never does.
pub(crate) async fn eventually(what: &str, condition: impl AsyncFn() -> bool) {
    let start = Instant::now();
    let mut looks = tokio::time::interval(Duration::from_millis(5));
    while !condition().await {
        assert!(start.elapsed() < PATIENCE, "waited in vain until {what}");
        looks.tick().await;
    }
}

/// Waits for something that has to end by itself.
pub(crate) async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .unwrap_or_else(|_| panic!("waited in vain until {what}"))
}

/// A publish that is due now and leased for ten minutes.
pub(crate) fn publish(subject: u128, generation: i64) -> Envelope {
    let now = SystemClock::new().now();
    Envelope {
        kind: JobKind::Publish,
        subject: Uuid::from_u128(subject),
        generation,
        lease_until: now + seconds(600),
        due: now,
        priority: 100,
        traceparent: None,
    }
}

pub(crate) fn publishes(count: u128) -> Vec<Envelope> {
    (0..count).map(|subject| publish(subject, 1)).collect()
}

pub(crate) fn process() -> ProcessId {
    ProcessId::mint(SystemClock::new().now(), rand::random())
}
