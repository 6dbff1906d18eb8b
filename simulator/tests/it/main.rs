//! The simulator, driven over raw HTTP.

mod admin;
mod bluesky;
mod client;
mod facebook;
mod faults;
mod linkedin;
mod instagram;
mod load;
mod mastodon;
mod tiktok;
mod web;
mod x;
mod youtube;
mod threads;
