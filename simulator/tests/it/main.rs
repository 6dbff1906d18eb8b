//! The simulator, driven over raw HTTP.

mod admin;
mod bluesky;
mod bluesky_client;
mod bluesky_oauth;
mod client;
mod facebook;
mod facebook_media;
mod facebook_news;
mod faults;
mod instagram;
mod instagram_by_page;
mod linkedin;
mod load;
mod mastodon;
mod telegram;
mod threads;
mod tiktok;
mod web;
mod x;
mod youtube;
