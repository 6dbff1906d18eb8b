//! A fleet of real processes: schedulers, workers, the simulator; started, killed and read from outside.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

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

impl Fleet {
    /// A fleet without processes. `env` is given to each of them; nothing else of ours is.
    #[must_use]
    pub fn new(env: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        let mut all: BTreeMap<String, String> =
            env.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        all.entry("MOORING_ADMIN__BIND".to_owned()).or_insert_with(|| "127.0.0.1:0".to_owned());
        all.entry("MOORING_GATEWAY__BIND".to_owned()).or_insert_with(|| "127.0.0.1:0".to_owned());
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
        command.args(args).envs(&self.env).current_dir(self.folder.path());
        command
    }

    /// Starts a process; its output goes to a log of its own.
    #[must_use]
    pub fn start(&self, name: &str, args: &[&str]) -> Process {
        let log = self.folder.path().join(format!("{name}.log"));
        let out = std::fs::File::create(&log).expect("a log file");
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

    /// Every log so far, for looking for secrets.
    #[must_use]
    pub fn logs(&self) -> String {
        let mut all = String::new();
        for entry in std::fs::read_dir(self.folder.path()).expect("the folder").flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "log") {
                all += &std::fs::read_to_string(entry.path()).expect("a log");
            }
        }
        all
    }

    /// Where the processes run.
    #[must_use]
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }
}

impl Process {
    /// SIGKILL: nothing of the process runs any more when this returns.
    pub fn kill(mut self) {
        self.child.kill().expect("the process can be killed");
        self.child.wait().expect("the process has ended");
    }

    /// SIGTERM.
    pub fn terminate(&self) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
        assert!(sent.success(), "{} could not be told to stop", self.name);
    }

    /// Whether it has ended, and with success.
    pub fn ended(&mut self) -> Option<bool> {
        self.child.try_wait().expect("the process can be asked").map(|status| status.success())
    }

    /// What it wrote so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.child.kill().expect("the process can be killed");
            self.child.wait().expect("the process has ended");
        }
    }
}
