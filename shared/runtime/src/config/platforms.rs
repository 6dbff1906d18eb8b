//! `[platforms]`: where the platforms are.

use serde::{Deserialize, Serialize};

use super::secret::SecretUrl;

/// `[platforms]`: where the platforms are, for a simulator or a proxy. Without an entry: their public addresses.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PlatformsConfig {
    /// The Graph API, without a version.
    pub facebook_url: Option<SecretUrl>,
    /// Where people consent on Facebook, without a version.
    pub facebook_dialog_url: Option<SecretUrl>,
    /// Where videos for Facebook go.
    pub facebook_upload_url: Option<SecretUrl>,
    /// Instagram's API for accounts with Instagram Login.
    pub instagram_url: Option<SecretUrl>,
    /// Where Instagram changes codes into tokens.
    pub instagram_oauth_url: Option<SecretUrl>,
    /// Where people consent on Instagram.
    pub instagram_dialog_url: Option<SecretUrl>,
    /// The API of Threads.
    pub threads_url: Option<SecretUrl>,
    /// Where people consent on Threads.
    pub threads_dialog_url: Option<SecretUrl>,
    /// LinkedIn's API.
    pub linkedin_url: Option<SecretUrl>,
    /// LinkedIn's consent and tokens.
    pub linkedin_oauth_url: Option<SecretUrl>,
    /// X's API.
    pub x_url: Option<SecretUrl>,
    /// Where people consent on X.
    pub x_dialog_url: Option<SecretUrl>,
    /// TikTok's API.
    pub tiktok_url: Option<SecretUrl>,
    /// Where people consent on TikTok.
    pub tiktok_dialog_url: Option<SecretUrl>,
    /// YouTube's API, uploads included.
    pub youtube_url: Option<SecretUrl>,
    /// Google's tokens.
    pub youtube_oauth_url: Option<SecretUrl>,
    /// Where people consent at Google.
    pub youtube_dialog_url: Option<SecretUrl>,
    /// The server of Bluesky accounts whose own server is not known.
    pub bluesky_url: Option<SecretUrl>,
    /// The directory of Bluesky's accounts (PLC).
    pub bluesky_directory_url: Option<SecretUrl>,
    /// The server of Mastodon accounts whose own server is not known.
    pub mastodon_url: Option<SecretUrl>,
    /// Telegram's Bot API, without `/bot<token>`.
    pub telegram_url: Option<SecretUrl>,
}

impl PlatformsConfig {
    /// Every key with its address.
    #[must_use]
    pub fn each(&self) -> [(&'static str, Option<&SecretUrl>); 21] {
        [
            ("platforms.facebook_url", self.facebook_url.as_ref()),
            (
                "platforms.facebook_dialog_url",
                self.facebook_dialog_url.as_ref(),
            ),
            (
                "platforms.facebook_upload_url",
                self.facebook_upload_url.as_ref(),
            ),
            ("platforms.instagram_url", self.instagram_url.as_ref()),
            (
                "platforms.instagram_oauth_url",
                self.instagram_oauth_url.as_ref(),
            ),
            (
                "platforms.instagram_dialog_url",
                self.instagram_dialog_url.as_ref(),
            ),
            ("platforms.threads_url", self.threads_url.as_ref()),
            (
                "platforms.threads_dialog_url",
                self.threads_dialog_url.as_ref(),
            ),
            ("platforms.linkedin_url", self.linkedin_url.as_ref()),
            (
                "platforms.linkedin_oauth_url",
                self.linkedin_oauth_url.as_ref(),
            ),
            ("platforms.x_url", self.x_url.as_ref()),
            ("platforms.x_dialog_url", self.x_dialog_url.as_ref()),
            ("platforms.tiktok_url", self.tiktok_url.as_ref()),
            (
                "platforms.tiktok_dialog_url",
                self.tiktok_dialog_url.as_ref(),
            ),
            ("platforms.youtube_url", self.youtube_url.as_ref()),
            (
                "platforms.youtube_oauth_url",
                self.youtube_oauth_url.as_ref(),
            ),
            (
                "platforms.youtube_dialog_url",
                self.youtube_dialog_url.as_ref(),
            ),
            ("platforms.bluesky_url", self.bluesky_url.as_ref()),
            (
                "platforms.bluesky_directory_url",
                self.bluesky_directory_url.as_ref(),
            ),
            ("platforms.mastodon_url", self.mastodon_url.as_ref()),
            ("platforms.telegram_url", self.telegram_url.as_ref()),
        ]
    }
}
