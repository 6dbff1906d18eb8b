//! The end-to-end tests, by theme.

mod stories;
