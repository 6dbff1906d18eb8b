//! A fleet of real processes: schedulers, workers, a Redis of its own; started, frozen, killed and read from outside.

use std::{
    collections::BTreeMap,
    fs::File,
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use mooring_domain::ProcessId;
use serde_json::Value;
use tempfile::TempDir;

use crate::patience::within;

/// Adds up the members of all sorted sets: envelopes on the lanes.
const ENVELOPES: &str = r"local n = 0
for _, key in ipairs(redis.call('KEYS', '*')) do
  if redis.call('TYPE', key).ok == 'zset' then n = n + redis.call('ZCARD', key) end
end";

/// How long a program may take from its start to its first sign of life, on a busy machine.
const START: Duration = Duration::from_mins(1);

/// The settings that all processes of a fleet share, and a folder for their logs.
pub struct Fleet {
    /// Environment of every process.
    pub env: BTreeMap<String, String>,
    folder: TempDir,
}

/// One process; killed when dropped.
pub struct Process {
    /// Its name in the fleet.
    pub name: String,
    child: Child,
    log: PathBuf,
}

/// A Redis server that a test may flush, kill and start anew on the same port. Killed when dropped.
pub struct RedisServer {
    /// Where it listens.
    pub address: SocketAddr,
    child: Child,
    folder: TempDir,
}

impl Fleet {
    /// A fleet without processes. `env` is given to each of them; nothing else of ours is.
    #[must_use]
    pub fn new(env: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        let mut all: BTreeMap<String, String> = env
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        all.entry("MOORING_ADMIN__BIND".to_owned())
            .or_insert_with(|| "127.0.0.1:0".to_owned());
        all.entry("MOORING_GATEWAY__BIND".to_owned())
            .or_insert_with(|| "127.0.0.1:0".to_owned());
        Self {
            env: all,
            folder: TempDir::new().expect("a temporary folder"),
        }
    }

    /// The program under test: built by `dev/test`, or beside the test's own binary.
    #[must_use]
    pub fn program() -> PathBuf {
        if let Some(path) = std::env::var_os("MOORING_TEST_BIN") {
            return path.into();
        }
        let mut path = std::env::current_exe().expect("this test has a path");
        path.pop();
        path.pop();
        path.join("mooring")
    }

    /// A command of the program with the fleet's environment.
    #[must_use]
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(Self::program());
        for (key, _) in std::env::vars().filter(|(key, _)| key.starts_with("MOORING_")) {
            command.env_remove(key);
        }
        command
            .args(args)
            .envs(&self.env)
            .current_dir(self.folder.path());
        command
    }

    /// Starts a process; its output goes to a log of its own. A name may be used once: a killed process's log is
    /// evidence.
    #[must_use]
    pub fn start(&self, name: &str, args: &[&str]) -> Process {
        let log = self.folder.path().join(format!("{name}.log"));
        let out = File::create_new(&log).expect("a log file of its own");
        let err = out.try_clone().expect("a log file");
        let child = self
            .command(args)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .unwrap_or_else(|error| panic!("{} starts: {error}", Self::program().display()));
        Process {
            name: name.to_owned(),
            child,
            log,
        }
    }

    /// Every log so far, for counting events and for looking for secrets.
    #[must_use]
    pub fn logs(&self) -> String {
        let mut all = String::new();
        for entry in std::fs::read_dir(self.folder.path())
            .expect("the folder")
            .flatten()
        {
            if entry
                .path()
                .extension()
                .is_some_and(|extension| extension == "log")
            {
                all += &std::fs::read_to_string(entry.path()).expect("a log");
            }
        }
        all
    }

    /// How often an event was logged, by all processes that ever ran.
    #[must_use]
    pub fn logged(&self, event: &str) -> usize {
        events(&self.logs())
            .filter(|line| line["event.name"] == event)
            .count()
    }

    /// Where the processes run.
    #[must_use]
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Leaves the logs behind, for a person to read after a failure. Returns where they are.
    pub fn keep_logs(&mut self) -> PathBuf {
        self.folder.disable_cleanup(true);
        self.folder.path().to_path_buf()
    }
}

impl Process {
    /// SIGKILL: nothing of the process runs any more when this returns.
    pub fn kill(mut self) {
        self.end();
    }

    /// SIGTERM.
    pub fn terminate(&self) {
        self.signal("-TERM");
    }

    /// SIGSTOP: the process lives, keeps its connections and does nothing, as in a long pause of its machine.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// SIGCONT: the process goes on where it was.
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    /// Whether it has ended, and with success.
    pub fn ended(&mut self) -> Option<bool> {
        self.child
            .try_wait()
            .expect("the process can be asked")
            .map(|status| status.success())
    }

    /// What it wrote so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Whether it logged an event.
    #[must_use]
    pub fn logged(&self, event: &str) -> bool {
        events(&self.log()).any(|line| line["event.name"] == event)
    }

    /// The first event of a name that it logged.
    #[must_use]
    pub fn event(&self, name: &str) -> Option<Value> {
        events(&self.log()).find(|line| line["event.name"] == name)
    }

    /// The id by which the system knows it; waits for its first sign of life.
    pub async fn id(&self) -> ProcessId {
        within(START, &format!("{} starts", self.name), || async {
            self.logged("process.started")
        })
        .await;
        let log = self.log();
        let started = events(&log).find(|line| line["event.name"] == "process.started");
        let id = started.and_then(|line| line["process"].as_str().map(str::to_owned));
        let id = id.and_then(|id| id.parse::<uuid::Uuid>().ok());
        ProcessId::from_uuid(id.expect("the first event names the process"))
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill")
            .args([signal, &pid])
            .status()
            .expect("kill runs");
        assert!(sent.success(), "{} did not take {signal}", self.name);
    }

    fn end(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.child.kill().expect("the process can be killed");
            self.child.wait().expect("the process has ended");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

impl RedisServer {
    /// A fresh server on a free port: the program that `MOORING_TEST_REDIS_SERVER` names.
    pub async fn start() -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = free.local_addr().expect("an address");
        drop(free);
        let folder = TempDir::new().expect("a temporary folder");
        let child = Self::spawn(address, &folder);
        let server = Self {
            address,
            child,
            folder,
        };
        server.answers().await;
        server
    }

    /// For `MOORING_REDIS_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Deletes everything, while all clients stay connected.
    pub async fn flush(&self) {
        redis::cmd("FLUSHALL")
            .exec_async(&mut self.connection().await)
            .await
            .expect("Redis forgets");
    }

    /// Deletes everything as [`RedisServer::flush`] does. Returns how many envelopes went with it.
    pub async fn flush_counting(&self) -> u64 {
        self.count("redis.call('FLUSHALL')").await
    }

    /// How many envelopes wait on all lanes.
    pub async fn envelopes(&self) -> u64 {
        self.count("").await
    }

    /// Ends every connection, also of those who stand still and cannot notice: what they had asked for is asked for no
    /// more, and what comes stays on the lanes.
    pub async fn drop_connections(&self) {
        let _ended: u64 = redis::cmd("CLIENT")
            .arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"])
            .query_async(&mut self.connection().await)
            .await
            .expect("Redis ends connections");
    }

    /// How many wait at a lane for something to come.
    pub async fn waiters(&self) -> usize {
        let told: String = redis::cmd("INFO")
            .arg("clients")
            .query_async(&mut self.connection().await)
            .await
            .expect("Redis tells of its clients");
        let line = told
            .lines()
            .find_map(|line| line.strip_prefix("blocked_clients:"));
        line.and_then(|number| number.trim().parse().ok())
            .expect("the number of those who wait")
    }

    async fn count(&self, then: &str) -> u64 {
        redis::cmd("EVAL")
            .arg(format!("{ENVELOPES}\n{then}\nreturn n"))
            .arg(0)
            .query_async(&mut self.connection().await)
            .await
            .expect("Redis counts")
    }

    async fn connection(&self) -> redis::aio::MultiplexedConnection {
        let client = redis::Client::open(self.url()).expect("an address");
        client
            .get_multiplexed_async_connection()
            .await
            .expect("Redis takes a connection")
    }

    /// SIGKILL. Every connection breaks, and new ones are refused until [`RedisServer::restart`].
    pub fn kill(&mut self) {
        self.child.kill().expect("Redis can be killed");
        self.child.wait().expect("Redis has ended");
    }

    /// Comes back empty, on the same port.
    pub async fn restart(&mut self) {
        self.child = Self::spawn(self.address, &self.folder);
        self.answers().await;
    }

    fn spawn(address: SocketAddr, folder: &TempDir) -> Child {
        let program = std::env::var_os("MOORING_TEST_REDIS_SERVER")
            .expect("MOORING_TEST_REDIS_SERVER is not set: run the tests with dev/test");
        Command::new(program)
            .args(["--bind", "127.0.0.1", "--port", &address.port().to_string()])
            .args(["--save", "", "--appendonly", "no", "--dir"])
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server starts")
    }

    async fn answers(&self) {
        within(START, "Redis listens", || async {
            TcpStream::connect(self.address).is_ok()
        })
        .await;
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.kill();
        }
    }
}

/// The lines of a log that are events; what a dying process left half written is none.
fn events(log: &str) -> impl Iterator<Item = Value> {
    log.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
}
