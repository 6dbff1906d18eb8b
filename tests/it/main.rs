//! The end-to-end tests, by theme.

mod fleet;
mod stories;
mod traces;
