//! The end-to-end tests, by theme.

mod api;
mod bluesky;
mod bluesky_oauth;
mod canary;
mod cli;
mod demo;
mod fleet;
mod health;
mod media;
mod migrations;
mod oidc;
mod outage;
mod publishing;
mod rules;
mod stories;
mod traces;
mod x;
