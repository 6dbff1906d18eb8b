//! A server of this run alone, and the thread on which its other side works while a case waits.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use mooring_domain::{Time, time::from_ms};
use mooring_runtime::{Clock, SystemClock};
use tempfile::TempDir;
use tokio::{net::TcpListener, runtime::Runtime};
use url::Url;

use super::{front::Front, operator::Operator};
use crate::arena::http_by;

/// How long it may take to start, on a busy machine.
const START: Duration = Duration::from_mins(2);

/// Ended when dropped.
pub(crate) struct Server {
    pub(crate) operator: Operator,
    pub(crate) front: Front,
    /// By the name that it has for itself: that of its front.
    pub(crate) url: Url,
    pub(crate) directory: Url,
    clock: Arc<Moved>,
    child: Child,
    runtime: Option<Runtime>,
    folder: TempDir,
}

impl Server {
    /// Starts it, with a front on a free port.
    pub(crate) fn start(program: &OsStr) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let folder = TempDir::new().expect("a temporary folder");
        let clock = Arc::new(Moved::by(folder.path().join("clock")));
        let listener = on(&runtime, TcpListener::bind(("127.0.0.1", 0)));
        let listener = listener.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let mut child = spawn(program, folder.path(), port, &clock.file);
        let facts = on(&runtime, ready(&mut child, folder.path()));
        let fact = |name: &str| facts[&format!("MOORING_TEST_{name}")].clone();
        let url = |text: &str| Url::parse(text).expect("a URL");
        let listens = url(&fact("PDS_URL"));
        let front = Front::default();
        let address = listens.socket_addrs(|| None).expect("an address")[0];
        runtime.spawn(front.clone().serve(listener, address));
        let shared = Arc::clone(&clock) as Arc<dyn Clock>;
        let operator = Operator {
            url: listens,
            admin_password: fact("PDS_ADMIN_PASSWORD"),
            jwt_secret: fact("PDS_JWT_SECRET"),
            bypass: fact("PDS_RATE_LIMIT_BYPASS"),
            http: http_by(&shared),
            clock: shared,
        };
        Self {
            operator,
            front,
            url: url(&format!("http://localhost:{port}")),
            directory: url(&fact("PLC_URL")),
            clock,
            child,
            runtime: Some(runtime),
            folder,
        }
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock) as Arc<dyn Clock>
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Does something at the server's other side while the case stands still.
    pub(crate) fn block<T: Send>(&self, work: impl Future<Output = T> + Send) -> T {
        on(self.runtime.as_ref().expect("it lives"), work)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It ends with its standard input; what is left of it when that fails is killed.
        let ended = self.child.kill().and_then(|()| self.child.wait());
        if std::thread::panicking() {
            eprintln!("the server's last words: {}", said(self.folder.path()));
        } else {
            assert!(ended.is_ok(), "{ended:?}");
        }
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Runs something to its end on a thread of its own, which may wait.
fn on<T: Send>(runtime: &Runtime, work: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| runtime.block_on(work));
        thread.join().expect("the other side does its part")
    })
}

fn spawn(program: &OsStr, folder: &Path, front: u16, clock: &Path) -> Child {
    let log = File::create(folder.join("log")).expect("a log");
    Command::new("node")
        .arg(program)
        .args([folder.join("data"), folder.join("ready")])
        .arg(front.to_string())
        .arg(clock)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("node starts")
}

/// What the server says about itself when it answers.
async fn ready(child: &mut Child, folder: &Path) -> BTreeMap<String, String> {
    let begun = Instant::now();
    let mut looks = tokio::time::interval(Duration::from_millis(50));
    loop {
        looks.tick().await;
        if let Ok(text) = fs::read_to_string(folder.join("ready")) {
            let pairs = text.lines().filter_map(|line| line.split_once('='));
            return pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        }
        let ended = child.try_wait().expect("the process can be asked");
        assert!(ended.is_none(), "the server ended: {}", said(folder));
        assert!(
            begun.elapsed() < START,
            "it does not start: {}",
            said(folder)
        );
    }
}

/// What it has written to its standard error.
fn said(folder: &Path) -> String {
    fs::read_to_string(folder.join("log")).unwrap_or_default()
}

/// The machine's clock and how far it is ahead; the server reads it from a file.
struct Moved {
    machine: SystemClock,
    ahead_ms: AtomicI64,
    file: PathBuf,
}

impl Moved {
    fn by(file: PathBuf) -> Self {
        let clock = Self {
            machine: SystemClock::new(),
            ahead_ms: AtomicI64::new(0),
            file,
        };
        clock.advance(Duration::ZERO);
        clock
    }

    fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).expect("a span of a few years");
        let ahead = self.ahead_ms.fetch_add(by, Ordering::SeqCst) + by;
        // Whole at any moment: the server may be reading it.
        let new = self.file.with_extension("new");
        fs::write(&new, ahead.to_string()).expect("the file is written");
        fs::rename(&new, &self.file).expect("the file is replaced");
    }
}

impl Clock for Moved {
    fn now(&self) -> Time {
        from_ms(self.machine.now().timestamp_millis() + self.ahead_ms.load(Ordering::SeqCst))
    }
}
