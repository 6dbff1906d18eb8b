//! The same cases on the real Bluesky server, where nobody can lay a hand on what the platform answers.
//!
//! The server is the reference implementation from npm, started for this run alone: its clock can be moved, and a proxy
//! in front of it is the network that loses calls and answers. Everything else that happens to an account is done by its
//! owner or by the server's operator. `dev/test` and `dev/contract` name the program; without it this says so and ends.

#[path = "../real_bluesky/browser.rs"]
mod browser;
mod front;
mod ground;
#[path = "../real_bluesky/operator.rs"]
mod operator;
mod place;
mod scene;
mod server;

use std::sync::Arc;

use mooring_domain::Platform;

use crate::{CASES, Row, arena::Arena, cell, chosen, finish, traces};
use ground::Real;
use place::Place;
use scene::Resident;
use server::Server;

const PLATFORMS: [Platform; 2] = [Platform::Bluesky, Platform::BlueskyOAuth];

#[tokio::test]
async fn heavy_the_real_bluesky_server_keeps_the_contract() {
    let Some(program) = std::env::var_os("MOORING_TEST_PDS_PROGRAM") else {
        eprintln!("not run: eval \"$(dev/bluesky env)\" names the program of a server");
        return;
    };
    let traces = traces::collect();
    let mut platforms = chosen();
    platforms.retain(|platform| PLATFORMS.contains(platform));
    let server = Arc::new(Server::start(&program));
    let mut rows = Vec::new();
    for (case, run) in CASES {
        let mut cells = Vec::new();
        for &platform in &platforms {
            let arena = arena(&server, platform).await;
            let verdict = run(&arena).await;
            let doubled = arena.ground.doubled(&*arena.scene);
            cells.push((platform.as_str(), cell(verdict, doubled)));
        }
        rows.push(Row { case, cells });
    }
    if !platforms.is_empty() {
        finish(&rows, "MOORING_CONTRACT_REAL_REPORT", &traces);
    }
}

/// A fresh account at an address of its own.
async fn arena(server: &Arc<Server>, platform: Platform) -> Arena {
    server.front.begin();
    let place = Arc::new(Place::at(server, platform).await);
    server.front.forget_calls();
    let ground = Real(Arc::clone(&place));
    let adapter = place.adapter(&ground);
    Arena::of(Arc::new(ground), adapter, Box::new(Resident(place)))
}

/// What the table says about passwords and sessions of OAuth is true.
#[tokio::test]
async fn heavy_a_session_of_oauth_outlives_the_password() {
    let Some(program) = std::env::var_os("MOORING_TEST_PDS_PROGRAM") else {
        return;
    };
    let server = Arc::new(Server::start(&program));
    let arena = arena(&server, Platform::BlueskyOAuth).await;
    arena.scene.act(crate::arena::Act::ChangePassword);
    let renewed = arena.provider.refresh(&arena.scene.access()).await;
    assert_eq!(renewed.err(), None, "the server says");
}
