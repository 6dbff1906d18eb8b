//! Grants and the facts of their connections: the rows of the product, as stories.

mod accounts;
mod checks;
mod limits;
mod refreshes;
mod surveys;
mod todo;
mod verdicts;
mod warnings;

use mooring_domain::{
    Policy,
    time::{days, hours},
};
use mooring_tests::{World, WorldOptions};

/// A world that looks twice a day, so that months pass quickly.
async fn patient() -> World {
    World::with(WorldOptions {
        policy: Policy {
            check_every: hours(12),
            freshness: days(2),
            used_within: days(2),
            survey_every: days(30),
            public_media: true,
            ..Policy::default()
        },
        ..WorldOptions::default()
    })
    .await
}

/// How many events of a name there are.
async fn count(world: &World, name: &str) -> usize {
    world.event_counts().await.get(name).copied().unwrap_or(0)
}
