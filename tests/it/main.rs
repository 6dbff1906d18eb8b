//! The end-to-end tests, by theme.

mod api;
mod bluesky;
mod bluesky_oauth;
mod cli;
mod connecting;
mod consents;
mod demo;
mod fleet;
mod fleet_canary;
mod fleet_faultrun;
mod grants;
mod health;
mod heavy_outage;
mod life;
mod media;
mod migrations;
mod oidc;
mod publishing;
mod rules;
mod stories;
mod traces;
mod vault;
mod x;
