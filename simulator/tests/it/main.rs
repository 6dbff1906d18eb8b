//! The simulator, driven over raw HTTP.

mod admin;
mod bluesky;
mod client;
mod facebook;
mod facebook_media;
mod facebook_news;
mod faults;
mod linkedin;
mod load;
mod mastodon;
mod tiktok;
mod web;
mod x;
mod youtube;
