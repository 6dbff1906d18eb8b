//! A PostgreSQL server that a test may crash and start anew, as it cannot the one that all tests share.

use std::{
    net::TcpListener,
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use sea_orm::{ConnectionTrait as _, Database as SeaOrm};
use tempfile::TempDir;

use crate::patience::within;

/// How long the server may take to listen; after a crash it recovers first.
const START: Duration = Duration::from_mins(1);

/// Settings of [`PostgresServer`]: commits are durable, because what a crash loses is what a test asks about.
const SETTINGS: [&str; 9] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=200",
    "shared_buffers=256MB",
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_wal_size=2GB",
    "jit=off",
    "timezone=UTC",
];

/// A server with data of its own, on a free port. Killed when dropped.
pub struct PostgresServer {
    port: u16,
    child: Child,
    folder: TempDir,
    crashes: usize,
}

impl PostgresServer {
    /// A fresh server: the programs are in the folder that `MOORING_TEST_POSTGRES_BIN` names.
    pub async fn start() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        if let Some((user, _)) = other_user() {
            let owned = Command::new("chown")
                .arg(user.to_string())
                .arg(folder.path())
                .status();
            assert!(
                owned.expect("chown runs").success(),
                "the folder changes hands"
            );
        }
        let made = program("initdb", &folder)
            .args(["--username=mooring", "--auth=trust", "--encoding=UTF8"])
            .args(["--locale=C", "--no-sync", "--no-instructions"])
            .output()
            .expect("initdb runs");
        assert!(
            made.status.success(),
            "initdb failed: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let server = Self {
            port,
            child: spawn(port, &folder),
            folder,
            crashes: 0,
        };
        server.answers().await;
        server
    }

    /// For `MOORING_DATABASE_URL`. The loopback needs no password there.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://mooring@127.0.0.1:{}/postgres", self.port)
    }

    /// How often it has crashed.
    #[must_use]
    pub fn crashes(&self) -> usize {
        self.crashes
    }

    /// The server crashes (SIGQUIT: no transaction ends, nothing is written down) and comes back after its recovery, on
    /// the same port.
    pub async fn crash_and_restart(&mut self) {
        self.quit();
        let ended = || std::future::ready(matches!(self.child.try_wait(), Ok(Some(_))));
        within(START, "PostgreSQL ends", ended).await;
        self.crashes += 1;
        self.child = spawn(self.port, &self.folder);
        self.answers().await;
    }

    fn quit(&self) {
        let sent = Command::new("kill")
            .args(["-QUIT", &self.child.id().to_string()])
            .status();
        assert!(sent.expect("kill runs").success(), "PostgreSQL runs");
    }

    async fn answers(&self) {
        let url = self.url();
        within(START, "PostgreSQL answers", || async {
            let Ok(db) = SeaOrm::connect(&url).await else {
                return false;
            };
            let answer = db.execute_unprepared("SELECT 1").await;
            db.close().await.is_ok() && answer.is_ok()
        })
        .await;
    }
}

impl Drop for PostgresServer {
    /// By the same signal: what is killed outright leaves shared memory behind.
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.quit();
            self.child.wait().expect("PostgreSQL has ended");
        }
    }
}

fn spawn(port: u16, folder: &TempDir) -> Child {
    let mut command = program("postgres", folder);
    command.args(["-p", &port.to_string()]);
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("postgres starts")
}

/// A program of PostgreSQL on this server's data, as a user as whom it runs: it refuses to be root.
fn program(name: &str, folder: &TempDir) -> Command {
    let programs = std::env::var_os("MOORING_TEST_POSTGRES_BIN").expect(
        "MOORING_TEST_POSTGRES_BIN is not set: run the tests with dev/test, or start the services with dev/services",
    );
    let mut command = Command::new(PathBuf::from(programs).join(name));
    command
        .arg("-D")
        .arg(folder.path().join("data"))
        .current_dir(folder.path());
    if let Some((user, group)) = other_user() {
        command.uid(user).gid(group);
    }
    command
}

/// The user that PostgreSQL runs as, where we are root.
fn other_user() -> Option<(u32, u32)> {
    (id(&["-u"]) == 0).then(|| (id(&["-u", "postgres"]), id(&["-g", "postgres"])))
}

fn id(args: &[&str]) -> u32 {
    let output = Command::new("id").args(args).output().expect("id runs");
    let text = String::from_utf8(output.stdout).expect("a number");
    text.trim().parse().expect("a user's number")
}
