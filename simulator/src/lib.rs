//! Fake social platforms that speak the real wire formats, fail on demand, and
//! keep a ledger of what really was published.
//!
//! ```no_run
//! use mooring_simulator::{Fault, FaultKind, NewBlueskyAccounts, Options, Platform, Simulator};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let simulator = Simulator::start(Options::default()).await?;
//! let admin = simulator.admin();
//! let account = admin.create_bluesky_accounts(&NewBlueskyAccounts::default())?.remove(0);
//! let fault = Fault::new(Platform::Bluesky, "publish", FaultKind::LostAnswer);
//! admin.add_fault(fault.account(&account.did).times(1))?;
//! // … let the product publish at `simulator.bluesky_url()` …
//! assert_eq!(admin.ledger_summary().doubled, 0);
//! # Ok(())
//! # }
//! ```
//!
//! # How it is made
//!
//! `server` reads a whole request into a `Call`; `pipeline` counts it, asks
//! `faults` for its fate and lets it have its effect (or not); `sites` is
//! the one list of the platforms, each a folder with its table of endpoints,
//! operations and handlers. All state sits in one `World` behind one lock, handlers
//! are plain functions that never wait, and every time comes from [`SimClock`].
//!
//! It depends on no other crate of this workspace: it is written from facts
//! about the platforms, so that it can judge the adapters.

mod admin;
pub mod bluesky;
mod call;
mod calls;
mod clock;
pub mod facebook;
mod faults;
pub mod instagram;
mod ledger;
mod limits;
pub mod linkedin;
pub mod mastodon;
mod outbox;
mod pipeline;
mod recording;
mod routes;
pub mod samples;
mod server;
mod sites;
pub mod telegram;
pub mod threads;
pub mod tiktok;
mod world;
pub mod x;
pub mod youtube;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub use admin::{
    Admin, AdminError, BlueskyAccount, BlueskyTokenAction, FacebookApp, FacebookPage, FacebookUser,
    NewBlueskyAccounts, NewFacebookApp, NewFacebookUsers, PageState, SimSecret,
};
pub use bluesky::{AccountState, BlueskyGrant};
pub use calls::{AccountCalls, CallCount, CallReport, Operation};
pub use clock::{CLOCK_FILE_VARIABLE, ClockError, SimClock};
pub use facebook::tokens::{RevokeReason, TokenScope};
pub use faults::{ActiveFault, Fault, FaultError, FaultKind, FaultReport};
pub use ledger::{LedgerEntry, LedgerFilter, LedgerGroup, LedgerSummary, Platform};
pub use limits::Limits;
pub use outbox::Delivery;
pub use recording::VARIABLE as RECORDING_VARIABLE;
pub use sites::{Account, platforms};

/// How a simulator is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Loopback address; port 0 chooses a free one.
    pub bind: SocketAddr,
    /// The platforms' time.
    pub clock: SimClock,
    /// Decides ids, tokens and the fate of calls.
    pub seed: u64,
}

impl Default for Options {
    /// A free port of 127.0.0.1, the system's time, seed 1.
    fn default() -> Self {
        Self {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            clock: SimClock::system(),
            seed: 1,
        }
    }
}

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It hands out tokens to everybody who asks, so it stays on this machine.
    #[error("{0} is not a loopback address: use 127.0.0.1 or [::1]")]
    NotLoopback(SocketAddr),
    /// The port cannot be had.
    #[error("cannot listen on {address}: choose another port")]
    Bind {
        /// Where it was to listen.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file that [`RECORDING_VARIABLE`] names cannot be written.
    #[error("cannot write the recording {path}: name a file in a folder that exists")]
    Recording {
        /// The file.
        path: std::path::PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// The fake platforms.
pub struct Simulator;

impl Simulator {
    /// Starts serving; must be called inside a tokio runtime.
    pub async fn start(options: Options) -> Result<RunningSimulator, StartError> {
        let address = options.bind;
        if !address.ip().is_loopback() {
            return Err(StartError::NotLoopback(address));
        }
        let recorder = recording::Recorder::from_env()
            .map_err(|(path, source)| StartError::Recording { path, source })?;
        let bind_error = |source| StartError::Bind { address, source };
        let listener = TcpListener::bind(address).await.map_err(bind_error)?;
        let address = listener.local_addr().map_err(bind_error)?;
        let shared = Arc::new(world::Shared::new(options.clock, options.seed));
        let admin = Admin::new(Arc::clone(&shared));
        let posting = outbox::run(Arc::clone(&shared));
        let app = server::platforms(shared, recorder).merge(admin::http::routes(admin.clone()));
        let (stop, stopped) = oneshot::channel::<()>();
        let service = app.into_make_service_with_connect_info::<server::WireCutter>();
        let serving = axum::serve(server::CuttableListener(listener), service);
        // Ended by a message, or by dropping the handle.
        let serve = serving.with_graceful_shutdown(async move {
            stopped.await.ok();
        });
        #[expect(
            clippy::disallowed_methods,
            reason = "the handle owns this one task and ends it; the house's tracker is not ours"
        )]
        let task = tokio::spawn(async move {
            tokio::select! {
                served = serve => served,
                () = posting => Ok(()),
            }
        });
        Ok(RunningSimulator {
            address,
            admin,
            stop: Some(stop),
            task,
        })
    }
}

/// A simulator that serves until it is shut down or dropped.
pub struct RunningSimulator {
    address: SocketAddr,
    admin: Admin,
    /// Dropping it ends the server.
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<io::Result<()>>,
}

impl RunningSimulator {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Root of a platform by the name in its path: `x`, `linkedin`.
    #[must_use]
    pub fn site_url(&self, name: &str) -> String {
        format!("{}/{name}", self.base_url())
    }

    /// Root of the Graph API.
    #[must_use]
    pub fn facebook_url(&self) -> String {
        format!("{}/facebook", self.base_url())
    }

    /// Root of the PDS, without `/xrpc`.
    #[must_use]
    pub fn bluesky_url(&self) -> String {
        format!("{}/bluesky", self.base_url())
    }

    /// Control over this simulator.
    #[must_use]
    pub fn admin(&self) -> Admin {
        self.admin.clone()
    }

    /// Stops listening, lets calls in flight finish, closes every connection.
    pub async fn shutdown(mut self) {
        drop(self.stop.take());
        // Only a panic of the task could be told here, and the runtime told it.
        (&mut self.task).await.ok();
    }
}
