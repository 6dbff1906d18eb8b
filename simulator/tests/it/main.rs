//! The simulator, driven over raw HTTP.

mod admin;
mod bluesky;
mod client;
mod facebook;
mod faults;
mod instagram;
mod linkedin;
mod load;
mod mastodon;
mod threads;
mod tiktok;
mod web;
mod x;
mod youtube;
