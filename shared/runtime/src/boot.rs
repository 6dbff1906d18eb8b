//! Starting a role and ending it.
//!
//! In this order: one TLS provider, logs and traces, signals, the admin endpoints, the role itself; then, after the
//! drain, the exit code, and the last spans as the last act.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::runtime::Builder;
use uuid::Uuid;

use crate::clock::{Clock, ClockFileError, FileClock, SystemClock};
use crate::config::Config;
use crate::health::{AdminRoutes, AdminServer, Identity, Readiness};
use crate::http::{Cause, Http};
use crate::lifecycle::{Lifecycle, Signals, TaskResult, background, chain};
use crate::metrics::Metrics;
use crate::telemetry::{LogTo, Telemetry, TelemetryError};

/// How long threads for blocking work may take at the very end.
const RUNTIME_END: Duration = Duration::from_secs(1);

/// What every part of a process is given. Clones share everything.
#[derive(Clone)]
pub struct Context {
    /// The validated configuration.
    pub config: Arc<Config>,
    /// The clock of the process: the system's, or the one of `MOORING_CLOCK_FILE`.
    pub clock: Arc<dyn Clock>,
    /// Starting and ending of tasks.
    pub lifecycle: Lifecycle,
    /// The metrics of the process.
    pub metrics: Arc<Metrics>,
    /// The health of the process.
    pub readiness: Readiness,
    /// The outgoing client.
    pub http: Http,
    /// Routes on the admin server.
    pub admin: AdminRoutes,
    /// The role's name.
    pub role: &'static str,
    /// The id of this process: a UUID of version 7, new at every start.
    pub process: Uuid,
    admin_address: Arc<OnceLock<SocketAddr>>,
}

impl Context {
    /// A context with the clock that the configuration asks for. Nothing runs yet.
    ///
    /// # Errors
    /// See [`BootError`].
    pub fn new(role: &'static str, config: Config) -> Result<Self, BootError> {
        let clock: Arc<dyn Clock> = match &config.clock_file {
            Some(path) => Arc::new(FileClock::open(path)?),
            None => Arc::new(SystemClock::new()),
        };
        Self::with_clock(role, config, clock)
    }

    /// A context with a clock of the caller: for tests that move time by hand.
    ///
    /// # Errors
    /// See [`BootError`].
    pub fn with_clock(
        role: &'static str,
        config: Config,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, BootError> {
        install_tls();
        let metrics = Arc::new(Metrics::new(role));
        let http = Http::new(&config.http, Arc::clone(&clock), Arc::clone(&metrics))
            .map_err(BootError::Http)?;
        Ok(Self {
            config: Arc::new(config),
            clock,
            lifecycle: Lifecycle::new(),
            metrics,
            readiness: Readiness::default(),
            http,
            admin: AdminRoutes::default(),
            role,
            process: Uuid::now_v7(),
            admin_address: Arc::default(),
        })
    }

    /// Where the admin server listens, once it does.
    #[must_use]
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin_address.get().copied()
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("role", &self.role)
            .field("process", &self.process)
            .finish_non_exhaustive()
    }
}

/// Why a process cannot start.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// The clock file holds no time.
    #[error(transparent)]
    Clock(#[from] ClockFileError),
    /// The outgoing client cannot be built.
    #[error(transparent)]
    Http(Cause),
    /// Logs or traces cannot be set up.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// The admin address is taken or not ours.
    #[error(
        "cannot listen on {address} for health and metrics: set admin.bind (MOORING_ADMIN__BIND) to a free port"
    )]
    Admin {
        /// The configured address.
        address: SocketAddr,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// The operating system refuses a signal handler or the threads of the runtime.
    #[error(
        "the operating system refuses what a process needs (signals, threads): check its limits"
    )]
    System(#[source] std::io::Error),
}

/// A role's name, and where its log goes.
#[derive(Clone, Copy, Debug)]
pub struct Role {
    name: &'static str,
    log_to: LogTo,
}

impl Role {
    /// A role that people start to see its result: its log goes to standard error.
    #[must_use]
    pub fn command(name: &'static str) -> Self {
        Self {
            name,
            log_to: LogTo::Stderr,
        }
    }
}

impl From<&'static str> for Role {
    /// A role that serves: its log goes to standard output.
    fn from(name: &'static str) -> Self {
        Self {
            name,
            log_to: LogTo::Stdout,
        }
    }
}

/// Makes ring the TLS provider of this process. Both ring and aws-lc are in the program, and without a choice made
/// here the first `rediss://` connection would panic. Later calls change nothing.
pub fn install_tls() {
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        tracing::trace!("a TLS provider was installed before");
    }
}

/// Runs a role until its `main` returns, a signal comes or a component fails, and then drains.
///
/// `main` starts components with [`Lifecycle::spawn`] and returns once [`Lifecycle::soft`] is cancelled, or when its
/// work is done. An error from it, or from a component, is one line on standard error and a failing exit code.
pub fn boot<F, M>(role: impl Into<Role>, config: Config, main: F) -> ExitCode
where
    F: FnOnce(Context) -> M,
    M: Future<Output = TaskResult> + Send + 'static,
{
    let role = role.into();
    install_tls();
    let runtime = match Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(role, &chain(&BootError::System(error))),
    };
    let reason = match runtime.block_on(run(role, config, main)) {
        Ok(reason) => reason,
        Err(error) => Some(chain(&error)),
    };
    runtime.shutdown_timeout(RUNTIME_END);
    reason.map_or(ExitCode::SUCCESS, |reason| failed(role, &reason))
}

fn failed(role: Role, reason: &str) -> ExitCode {
    eprintln!("mooring {}: {reason}", role.name);
    ExitCode::FAILURE
}

/// Everything between the start of the runtime and its end. Returns why the process fails, if it does.
async fn run<F, M>(role: Role, config: Config, main: F) -> Result<Option<String>, BootError>
where
    F: FnOnce(Context) -> M,
    M: Future<Output = TaskResult> + Send + 'static,
{
    let context = Context::new(role.name, config)?;
    let telemetry = Telemetry::install(
        &context.config.telemetry,
        role.name,
        context.process,
        role.log_to,
    )?;
    let outcome = serve(&context, main).await;
    telemetry.flush().await;
    outcome
}

async fn serve<F, M>(context: &Context, main: F) -> Result<Option<String>, BootError>
where
    F: FnOnce(Context) -> M,
    M: Future<Output = TaskResult> + Send + 'static,
{
    let signals = Signals::of_process().map_err(BootError::System)?;
    let lifecycle = &context.lifecycle;
    let server = bind_admin(context).await?;
    let _admin = background(server.serve());
    let _pulse = background(pulse(context.readiness.clone()));
    tracing::info!(
        event.name = "process.started",
        role = context.role,
        process = %context.process,
        version = env!("CARGO_PKG_VERSION"),
        "started"
    );
    lifecycle.spawn_main(main(context.clone()));
    let drain = Duration::from_secs(context.config.worker.drain_s);
    let ended = lifecycle
        .run(drain, signals, || context.readiness.drain())
        .await;
    tracing::info!(
        event.name = "process.stopped",
        drained = ended,
        failure = lifecycle.failure(),
        "stopped"
    );
    Ok(lifecycle.failure())
}

async fn bind_admin(context: &Context) -> Result<AdminServer, BootError> {
    let address = context.config.admin.bind;
    let identity = Identity {
        role: context.role,
        version: env!("CARGO_PKG_VERSION"),
        process: context.process,
    };
    let (readiness, metrics) = (context.readiness.clone(), Arc::clone(&context.metrics));
    let server = AdminServer::bind(address, identity, readiness, metrics, context.admin.clone())
        .await
        .map_err(|source| BootError::Admin { address, source })?;
    let bound = context.admin_address.get_or_init(|| server.address());
    tracing::info!(event.name = "admin.listening", address = %bound, "health and metrics");
    Ok(server)
}

/// The heartbeat of the event loop itself.
async fn pulse(readiness: Readiness) {
    let heartbeat = readiness.heartbeat("event loop");
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        heartbeat.beat();
    }
}

#[cfg(test)]
mod tests;
