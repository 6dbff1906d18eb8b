//! The simulator, driven over raw HTTP.

mod admin;
mod bluesky;
mod client;
mod facebook;
mod faults;
mod instagram;
mod load;
mod threads;
mod x;
mod youtube;
