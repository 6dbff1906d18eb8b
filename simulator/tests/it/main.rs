//! The simulator, driven over raw HTTP.

mod admin;
mod bluesky;
mod client;
mod facebook;
mod facebook_media;
mod facebook_news;
mod faults;
mod load;
mod x;
mod youtube;
