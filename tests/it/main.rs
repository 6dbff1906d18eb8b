//! The end-to-end tests, by theme.

mod api;
mod bluesky;
mod bluesky_oauth;
mod cli;
mod demo;
mod fleet;
mod fleet_canary;
mod health;
mod life;
mod media;
mod migrations;
mod oidc;
mod outage;
mod publishing;
mod rules;
mod stories;
mod traces;
mod vault;
mod x;
