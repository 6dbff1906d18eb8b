//! What every process of the house needs before it can do its own work, and nothing about that work.
//!
//! [`boot()`] starts a role: it installs the TLS provider, reads signals, exports traces and metrics, serves the
//! admin endpoints and turns the outcome into an exit code. A role receives a [`Context`] and finds there the
//! [`Config`], the [`Clock`], the [`Lifecycle`], the [`Metrics`], the [`Readiness`] and the one [`Http`] client.
//! The files that posts show lie behind [`MediaStore`].
//!
//! Three things live here so that they live nowhere else: reading the system's time ([`clock`]), sending an HTTP
//! request ([`http`]) and spawning a task ([`Lifecycle::spawn`]).

pub mod boot;
pub mod clock;
pub mod config;
pub mod health;
pub mod http;
pub mod lifecycle;
pub mod media;
pub mod metrics;
pub mod retry;
pub mod telemetry;
pub mod trace;

pub use boot::{Context, boot};
pub use clock::{Clock, FileClock, ManualClock, SystemClock, wait_until};
pub use config::{Config, Sources};
pub use health::{AdminRoutes, Check, Heartbeat, Readiness};
pub use http::{Answer, Body, Call, Http, HttpError};
pub use lifecycle::{Lifecycle, TaskResult};
pub use media::MediaStore;
pub use metrics::Metrics;
pub use telemetry::Telemetry;
