//! The conveyor between the scheduler and the workers: lanes of small envelopes.
//!
//! The database holds truth and time (design §1.1). A lane holds nothing that cannot be rebuilt: an envelope says
//! which claimed job is due, and losing it costs one lease. So this crate promises little and keeps it: an envelope
//! that was pushed is popped at most once, most urgent first, and trouble with Redis never ends a worker.
//!
//! [`Queue`] has two implementations, [`RedisQueue`] and [`MemoryQueue`]; one conformance suite runs on both.
//! [`LaneBackend`] puts an apalis worker on a lane of either.

pub mod backend;
pub mod envelope;
pub mod memory;
pub mod redis;

use std::time::Duration;

use async_trait::async_trait;
use mooring_domain::id::ProcessId;
use mooring_domain::job::Lane;

pub use backend::{Arrivals, Delivery, LaneBackend, LaneStats};
pub use envelope::{Envelope, EnvelopeError};
pub use memory::MemoryQueue;
pub use redis::{RedisOptions, RedisQueue};

/// The most envelopes that one pop takes.
pub const MAX_POP: usize = 64;

/// The most envelopes that one command pushes.
pub const MAX_PUSH: usize = 1_000;

/// How long a beat counts. Workers beat at least three times as often.
pub const BEAT_TTL: Duration = Duration::from_secs(6);

/// Lanes of envelopes.
///
/// Every call is one or a few commands on one key each, so it works on one server, behind Sentinel's stable address
/// and on one slot of a cluster. All calls may be repeated: repeating changes nothing.
///
/// # Errors
/// [`QueueError::Redis`] or [`QueueError::Timeout`] when Redis does not do as asked within five seconds. The queue in
/// memory has no errors.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Puts envelopes on a lane, at most [`MAX_PUSH`] to a command. An envelope that already lies there stays once.
    ///
    /// # Errors
    /// As all calls; some envelopes may lie there then, and pushing all of them again is safe.
    async fn push(&self, lane: Lane, envelopes: &[Envelope]) -> Result<(), QueueError>;

    /// Takes up to `max` envelopes, most urgent first, and waits up to `wait` for the first one.
    ///
    /// There is no error: in trouble it pauses (100 ms, growing to 2 s) and returns nothing. Do not drop the future:
    /// a pop on its way may still take envelopes, and they would rest until their leases end.
    async fn pop(&self, lane: Lane, max: usize, wait: Duration) -> Vec<Popped>;

    /// How many envelopes lie on the lane.
    async fn depth(&self, lane: Lane) -> Result<u64, QueueError>;

    /// The lane's epoch: which life of the server this is. `None` after the server lost its data (design rule 4.9).
    async fn epoch(&self, lane: Lane) -> Result<Option<String>, QueueError>;

    /// Proposes an epoch and returns the one in force: the proposed one only where there was none.
    async fn set_epoch(&self, lane: Lane, epoch: &str) -> Result<String, QueueError>;

    /// Says that a process lives and how many slots it has on a lane. Counts for [`BEAT_TTL`].
    async fn beat(&self, beat: &Beat) -> Result<(), QueueError>;

    /// Who lives on the lane, by the beats that still count.
    async fn consumers(&self, lane: Lane) -> Result<Consumers, QueueError>;

    /// Removes a process's beats from all lanes: it stops on purpose.
    async fn retire(&self, process: ProcessId) -> Result<(), QueueError>;

    /// Hints to the schedulers that work became due. A hint may be lost; then the work waits for the next tick.
    async fn wake(&self) -> Result<(), QueueError>;

    /// Waits up to `timeout` for a hint. True on a hint, and also where one may have been missed (the first call, and
    /// after a lost connection): looking once too often is cheap. Meant for one caller at a time in a process.
    async fn woken(&self, timeout: Duration) -> bool;

    /// Whether the queue answers: for readiness and `doctor`.
    async fn ping(&self) -> Result<(), QueueError>;

    /// How often a lost connection was replaced since the start.
    fn reconnects(&self) -> u64;
}

/// One thing taken from a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Popped {
    /// An envelope.
    Envelope(Envelope),
    /// Something else, for example the format of a newer version. It is gone from the lane.
    Undecodable {
        /// What was wrong with it, without its content.
        reason: String,
    },
}

/// A sign of life of a worker process on one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beat {
    /// Who.
    pub process: ProcessId,
    /// Where.
    pub lane: Lane,
    /// How many jobs it can run there at once.
    pub slots: u32,
}

/// The live worker processes of a lane, added up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Consumers {
    /// Processes.
    pub workers: u32,
    /// Their slots.
    pub slots: u32,
}

/// The name of a worker: its lane and the process start it belongs to, so that no two ever share one.
#[must_use]
pub fn worker_name(lane: Lane, process: ProcessId) -> String {
    format!("{lane}-{}", process.uuid().simple())
}

/// Why a queue cannot be opened, or did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The server answered with an error or the connection broke.
    #[error("redis refused to {what}: see the cause")]
    Redis {
        /// What was asked.
        what: &'static str,
        /// The server's or the connection's words.
        #[source]
        source: ::redis::RedisError,
    },
    /// No answer in time.
    #[error(
        "redis gave no answer within 5 s when asked to {what}: check that it is up and not overloaded"
    )]
    Timeout {
        /// What was asked.
        what: &'static str,
    },
    /// The address cannot be used.
    #[error(
        "the redis URL cannot be used: write it as redis://user:password@host:6379/0, or rediss:// for TLS"
    )]
    Url {
        /// What is wrong with it.
        #[source]
        source: ::redis::RedisError,
    },
    /// The address switches certificate checks off.
    #[error(
        "the redis URL ends in #insecure, which would accept any certificate: name the server's CA file instead"
    )]
    Insecure,
    /// A CA was given and the address does not use TLS.
    #[error("a redis CA is configured but the URL is not rediss://: use TLS or remove the CA")]
    CaWithoutTls,
    /// The CA cannot be read.
    #[error("the redis CA cannot be used: give a PEM file with at least one certificate")]
    Certificate {
        /// What is wrong with it.
        #[source]
        source: ::redis::RedisError,
    },
    /// TLS is asked for before the process chose its cryptography.
    #[error(
        "rediss:// needs the process's rustls CryptoProvider: install it (runtime::boot does) before opening"
    )]
    NoCryptoProvider,
    /// The server lacks a command that the lanes need.
    #[error("this redis does not know BZMPOP: use Redis 7.0, Valkey 7.2 or newer")]
    TooOld,
}
