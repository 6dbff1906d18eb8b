//! The rules of Mooring, as functions of data and `now`.
//!
//! This crate is pure: it depends on nothing that can do I/O, reads no clock and rolls no dice.
//! A shell (scheduler, worker, gateway) loads facts, asks a function here, and hands the
//! [`Decision`] it gets to the store, which is the only writer.
//!
//! Three invariants hold in every function of this crate:
//!
//! * a transient provider failure never moves a grant or a connection to expired, revoked or error;
//! * [`Progress`](post::Progress) only rises, however late, doubled or reordered the news is;
//! * an unknown outcome is resolved before anything is repeated.

pub mod access;
pub mod acts;
pub mod change;
pub mod connecting;
pub mod connection;
pub mod decision;
pub mod drift;
pub mod event;
pub mod failure;
pub mod grant;
pub mod id;
pub mod job;
pub mod news;
pub mod plan;
pub mod platform;
pub mod policy;
pub mod post;
pub mod proof;
pub mod reseal;
pub mod restore;
pub mod retry;
pub mod survey;
pub mod tasks;
pub mod time;
pub mod zoned;

pub use access::Role;
pub use decision::{Change, Decision, Evidence, Next, Poke};
pub use event::Event;
pub use failure::Failure;
pub use id::{
    AppId, AttemptId, BrandId, ConnectId, ConnectionId, EventId, GrantId, KeyId, LinkId, MediaId,
    NewsId, PostId, ProcessId, ProofId, TargetId, WorkspaceId,
};
pub use job::{JobKind, Lane};
pub use plan::Plan;
pub use platform::Platform;
pub use policy::Policy;
pub use time::Time;
