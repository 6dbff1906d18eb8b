//! The harness of the end-to-end tests: the real system on free ports, with a clock that tests move.
//!
//! A test is a story: `World::start().await`, then people connect accounts and schedule posts, platforms
//! misbehave, time passes, and the platforms' ledger and our books are compared. `World::done` ends the story
//! and fails it if work is left undone.

mod api;
mod background;
/// The person of the tests of the adapter.
#[path = "../../shared/providers/tests/real_bluesky/browser.rs"]
mod browser;
mod collector;
mod consent;
mod copies;
mod database;
mod database_tap;
mod dump;
mod fleet;
mod live;
mod oidc;
mod patience;
mod pds;
mod postgres;
mod redis_log;
mod rig;
mod scrape;
mod wiretap;
mod world;

pub use api::{Answer, Api};
pub use collector::{Collector, ExportedLink, ExportedSpan, SpanKind, hex};
pub use consent::{Browser, Says, Shown};
pub use database::{Database, Engine};
pub use database_tap::DatabaseTap;
pub use dump::dump;
pub use fleet::{Fleet, Process, RedisServer};
pub use live::{Live, LiveOptions};
pub use oidc::Oidc;
pub use patience::{eventually, within};
pub use pds::{Pds, PdsAccount, PdsSessions};
pub use postgres::PostgresServer;
pub use redis_log::RedisLog;
pub use rig::{Rig, RigAccount};
pub use scrape::Scrape;
pub use wiretap::Wiretap;
pub use world::{Account, Backup, Hook, Posted, World, WorldOptions};
