//! The harness of the end-to-end tests: the real system on free ports, with a clock that tests move.
//!
//! A test is a story: `World::start().await`, then people connect accounts and schedule posts, platforms
//! misbehave, time passes, and the platforms' ledger and our books are compared. `World::done` ends the story
//! and fails it if work is left undone.

mod database;
mod fleet;
mod patience;
mod world;

pub use database::{Database, Engine};
pub use fleet::{Fleet, Process};
pub use patience::{eventually, within};
pub use world::{Account, Posted, World, WorldOptions};
