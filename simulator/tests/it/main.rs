//! The simulator, driven over raw HTTP.

mod admin;
mod bluesky;
mod bluesky_oauth;
mod client;
mod facebook;
mod faults;
mod load;
mod x;
mod youtube;
