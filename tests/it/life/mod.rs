//! The life of a connection: what people say about it, main ones, disconnecting, coming back, the kill switch.

mod books;
mod cli;
mod copies;
mod copies_refused;
mod left_behind;
mod lists;
mod main_account;
mod races;
mod review;
mod rights;
mod stories;
mod switch;

pub(crate) use copies::pier;
use mooring_tests::{Engine, World, WorldOptions};

/// Whatever asks the database in a way of its own is told on both.
const ENGINES: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];

async fn on(engine: Engine) -> World {
    World::with(WorldOptions {
        engine,
        ..WorldOptions::default()
    })
    .await
}
