//! The end-to-end tests, by theme.

mod cli;
mod demo;
mod fleet;
mod health;
mod publishing;
mod stories;
mod traces;
