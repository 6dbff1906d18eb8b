//! The real program, from its command line: every bad input gets one clear line and a failing exit, and changes
//! nothing.

mod admin_port;
mod configuration;
mod import;
mod media;
mod migrate;
mod operate;
mod post;
mod redis_tls;
mod restored;
mod todo;
mod unreachable;

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::{Command, Output, Stdio},
    time::Duration,
};

use mooring_simulator::{Options as SimulatorOptions, RunningSimulator, Simulator};
use mooring_tests::{Database, Engine, Fleet, Process, eventually};
use serde_json::Value;

/// Nothing listens on the port of tcpmux (RFC 1078), and no test is given it.
const CLOSED: &str = "127.0.0.1:1";

/// A key ring that is none of anyone's.
const KEYS: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// What a command said.
pub(crate) struct Told {
    pub(crate) success: bool,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs the program with some more environment, to its end. Backtraces are asked for, as some machines do for
/// every program: no command may show one.
pub(crate) fn run_with(fleet: &Fleet, env: &[(&str, &str)], args: &[&str]) -> Told {
    told(
        command(fleet, env, args)
            .output()
            .expect("the program runs"),
    )
}

fn command(fleet: &Fleet, env: &[(&str, &str)], args: &[&str]) -> Command {
    let mut command = fleet.command(args);
    command
        .envs(env.iter().copied())
        .env("RUST_BACKTRACE", "full")
        .stdin(Stdio::null());
    command
}

fn told(output: Output) -> Told {
    Told {
        success: output.status.success(),
        out: String::from_utf8(output.stdout).expect("standard output is text"),
        err: String::from_utf8(output.stderr).expect("standard error is text"),
    }
}

pub(crate) fn run(fleet: &Fleet, args: &[&str]) -> Told {
    run_with(fleet, &[], args)
}

/// Runs a command to its end, and gives it something to read on standard input.
pub(crate) fn run_reading(fleet: &Fleet, typed: &str, args: &[&str]) -> Told {
    let mut command = command(fleet, &[], args);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program runs");
    let mut input = child.stdin.take().expect("an input");
    // A command that refuses before it reads has closed its end.
    let _written = input.write_all(typed.as_bytes());
    drop(input);
    told(child.wait_with_output().expect("the program ends"))
}

/// Runs a command that has to work, and returns its result.
pub(crate) fn good(fleet: &Fleet, args: &[&str]) -> String {
    let told = run(fleet, args);
    assert!(told.success, "{args:?}: {}{}", told.out, told.err);
    told.out
}

impl Told {
    /// One line on standard error that says all of `what`, and a failing exit.
    fn refused(&self, what: &[&str]) {
        self.failed(what);
        assert_eq!(
            self.err.trim_end().lines().count(),
            1,
            "more than one line:\n{}",
            self.err
        );
    }

    /// A failing exit, and a last line on standard error that says all of `what`.
    pub(crate) fn failed(&self, what: &[&str]) {
        assert!(
            !self.success,
            "it should have failed:\n{}{}",
            self.out, self.err
        );
        let last = self.err.trim_end().lines().last().unwrap_or_default();
        for part in what {
            assert!(last.contains(part), "does not say {part:?}:\n{}", self.err);
        }
    }

    /// No secret of the test was said.
    fn silent_about(&self, secrets: &[&str]) {
        for secret in secrets {
            assert!(
                !self.out.contains(secret) && !self.err.contains(secret),
                "{}{}",
                self.out,
                self.err
            );
        }
    }
}

/// The program without any URL: it works on a database in the fleet's own folder.
fn embedded() -> Fleet {
    Fleet::new([])
}

/// The program on a migrated PostgreSQL database of its own, with keys.
async fn on_postgres() -> (Fleet, Database) {
    let database = Database::fresh(Engine::Postgres).await;
    let env = [
        ("MOORING_DATABASE_URL", database.url.clone()),
        ("MOORING_VAULT__KEYS", KEYS.to_owned()),
    ];
    (Fleet::new(env), database)
}

/// A simulated Bluesky, and the embedded program that takes it for the real one.
pub(crate) async fn beside_bluesky() -> (Fleet, RunningSimulator) {
    let sim = Simulator::start(SimulatorOptions::default())
        .await
        .expect("the simulator starts");
    let fleet = Fleet::new([
        ("MOORING_PLATFORMS__BLUESKY_URL", sim.bluesky_url()),
        ("MOORING_HTTP__ALLOW_PRIVATE_ADDRESSES", "true".to_owned()),
    ]);
    (fleet, sim)
}

/// The embedded program with one workspace, "Acme", and one connection in it, whose id is returned.
pub(crate) fn with_a_connection() -> (Fleet, String) {
    let fleet = embedded();
    good(&fleet, &["workspace", "add", "Acme"]);
    let row = r#"{"workspace":"Acme","platform":"bluesky","remote_id":"did:plc:one","name":"One","access_token":"canary-1","refresh_token":"canary-2"}"#;
    std::fs::write(fleet.folder().join("one.jsonl"), row).expect("a file");
    good(&fleet, &["import", "connections", "one.jsonl"]);
    let status = json(&good(&fleet, &["status", "--json", "--workspace", "Acme"]));
    let id = status["connection_list"][0]["id"].as_str().expect("an id");
    (fleet, id.to_owned())
}

pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The books in numbers, without those that only time changes, to see that nothing changed.
fn books(fleet: &Fleet) -> Value {
    let mut seen = json(&good(fleet, &["status", "--json"]));
    for lane in seen["lanes"].as_object_mut().expect("lanes").values_mut() {
        lane.as_object_mut()
            .expect("a lane")
            .remove("oldest_due_seconds")
            .expect("an age");
    }
    seen
}

/// Starts `mooring up` and waits until it is ready.
async fn up(fleet: &Fleet, name: &str) -> (Process, SocketAddr) {
    let mut process = fleet.start(name, &["up"]);
    let mut address = None;
    eventually("the admin port is told", || {
        address = logged(&process.log(), "admin.listening", "address");
        let ended = process.ended();
        assert!(address.is_some() || ended.is_none(), "{}", process.log());
        std::future::ready(address.is_some())
    })
    .await;
    let address = address.expect("it was told").parse().expect("an address");
    // Components bring their checks as they start: an answer that lacks one of them came before they did.
    eventually("the process is ready, with all of its components", || {
        let answer = get(address, "/readyz?verbose");
        std::future::ready(answer.is_some_and(|(status, body)| {
            let checks = ["clock", "database", "queue"];
            status == 200
                && checks
                    .iter()
                    .all(|check| body.contains(&format!("\"{check}\"")))
        }))
    })
    .await;
    (process, address)
}

/// A field of the first log line of that name.
fn logged(log: &str, name: &str, field: &str) -> Option<String> {
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let line = lines.into_iter().find(|line| line["event.name"] == name)?;
    line[field].as_str().map(str::to_owned)
}

/// `GET`: status and body; `None` while nobody answers.
fn get(address: SocketAddr, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5)).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .ok()?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}
