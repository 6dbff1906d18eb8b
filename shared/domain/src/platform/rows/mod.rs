//! One row per platform, each in a file of its own.

mod bluesky;
mod bluesky_oauth;
mod facebook;
mod instagram;
mod instagram_facebook;
mod linkedin;
mod linkedin_page;
mod mastodon;
mod telegram;
mod threads;
mod tiktok;
mod x;
mod youtube;

pub(super) use bluesky::BLUESKY;
pub(super) use bluesky_oauth::BLUESKY_OAUTH;
pub(super) use facebook::FACEBOOK;
pub(super) use instagram::INSTAGRAM;
pub(super) use instagram_facebook::INSTAGRAM_FACEBOOK;
pub(super) use linkedin::LINKEDIN;
pub(super) use linkedin_page::LINKEDIN_PAGE;
pub(super) use mastodon::MASTODON;
pub(super) use telegram::TELEGRAM;
pub(super) use threads::THREADS;
pub(super) use tiktok::TIKTOK;
pub(super) use x::X;
pub(super) use youtube::YOUTUBE;
