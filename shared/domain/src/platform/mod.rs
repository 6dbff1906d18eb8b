//! The platforms, and what each of them can and cannot do, as data.
//!
//! A capability that differs between platforms is a column of [`Capabilities`], not a `match` elsewhere. The rows
//! stand in `rows/`, one file per platform; their sources are named in `providers/<platform>/`.

mod account;
mod capabilities;
mod content;
mod rows;
mod weight;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

pub use capabilities::{
    Capabilities, FormatRow, ImageLimits, Lookup, Prepares, PublishKey, RefreshRule, RevokeReach,
    Right, Span, Step, TextUnit, VideoLimits,
};
pub use content::ContentRefused;

use crate::job::UnknownName;

/// A social platform, by the way in: where one network has two APIs with different rules (Instagram by its own
/// log-in and through Facebook, LinkedIn's members and its pages, Bluesky's app passwords and its OAuth), each is
/// a platform of its own here, and [`Capabilities::network`] names what they share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// Facebook Pages, over the Graph API.
    Facebook,
    /// Instagram professional accounts, by Instagram Login.
    Instagram,
    /// Instagram professional accounts that hang on a Facebook Page, by Facebook Login.
    InstagramFacebook,
    /// Threads profiles.
    Threads,
    /// LinkedIn members.
    #[serde(rename = "linkedin")]
    LinkedIn,
    /// LinkedIn organizations' pages.
    #[serde(rename = "linkedin_page")]
    LinkedInPage,
    /// X.
    X,
    /// TikTok.
    #[serde(rename = "tiktok")]
    TikTok,
    /// YouTube channels.
    #[serde(rename = "youtube")]
    YouTube,
    /// Bluesky with an app password, over an AT Protocol personal data server.
    Bluesky,
    /// Bluesky by OAuth with bound tokens, over the same.
    #[serde(rename = "bluesky_oauth")]
    BlueskyOAuth,
    /// A Mastodon server's account.
    Mastodon,
    /// Telegram channels and groups, by a bot.
    Telegram,
}

impl Platform {
    /// Every platform.
    pub const ALL: [Self; 13] = [
        Self::Facebook,
        Self::Instagram,
        Self::InstagramFacebook,
        Self::Threads,
        Self::LinkedIn,
        Self::LinkedInPage,
        Self::X,
        Self::TikTok,
        Self::YouTube,
        Self::Bluesky,
        Self::BlueskyOAuth,
        Self::Mastodon,
        Self::Telegram,
    ];

    /// The name in the database, in files and in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.capabilities().name
    }

    /// The platform's row.
    #[must_use]
    pub const fn capabilities(self) -> &'static Capabilities {
        match self {
            Self::Facebook => &rows::FACEBOOK,
            Self::Instagram => &rows::INSTAGRAM,
            Self::InstagramFacebook => &rows::INSTAGRAM_FACEBOOK,
            Self::Threads => &rows::THREADS,
            Self::LinkedIn => &rows::LINKEDIN,
            Self::LinkedInPage => &rows::LINKEDIN_PAGE,
            Self::X => &rows::X,
            Self::TikTok => &rows::TIKTOK,
            Self::YouTube => &rows::YOUTUBE,
            Self::Bluesky => &rows::BLUESKY,
            Self::BlueskyOAuth => &rows::BLUESKY_OAUTH,
            Self::Mastodon => &rows::MASTODON,
            Self::Telegram => &rows::TELEGRAM,
        }
    }
}

/// Every way in that is built.
pub fn ways() -> impl Iterator<Item = Platform> {
    Platform::ALL.into_iter()
}

/// Platforms that people ask for and that are not built yet.
pub const COMING_SOON: &[&str] = &["whatsapp"];

/// What a person gives to connect an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectsBy {
    /// Their consent, at the platform's page.
    Browser,
    /// A name and an (app) password, for one call.
    Password,
    /// The name of a chat, and the token of a bot that posts there.
    Bot,
}

/// Why a destination that a grant reaches cannot be connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Barred {
    /// The person's role there does not allow publishing.
    Role,
    /// It is a personal profile, and the platform lets only pages be published to.
    PersonalProfile,
    /// The account's type does not allow publishing (Instagram: personal accounts).
    AccountType,
    /// The account is locked, moved or taken down at present.
    Account,
    /// The platform offers this account no posting through its API, and does not say why: its kind (TikTok: not every
    /// personal account), where it is, or a ban.
    NotOffered,
    /// The person declined a permission that publishing needs.
    PermissionDeclined,
}

impl Barred {
    /// The stable code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::PersonalProfile => "personal_profile",
            Self::AccountType => "account_type",
            Self::Account => "account",
            Self::NotOffered => "not_offered",
            Self::PermissionDeclined => "permission_declined",
        }
    }
}

impl Platform {
    /// What it means when a destination cannot be published to although every permission is there.
    #[must_use]
    pub const fn barred_by(self) -> Barred {
        match self {
            Self::Facebook | Self::LinkedInPage | Self::Telegram => Barred::Role,
            Self::Instagram | Self::InstagramFacebook => Barred::AccountType,
            Self::Threads
            | Self::LinkedIn
            | Self::X
            | Self::YouTube
            | Self::Bluesky
            | Self::BlueskyOAuth
            | Self::Mastodon => Barred::Account,
            Self::TikTok => Barred::NotOffered,
        }
    }

    /// Whether only pages are published to, never the profile of the person who consents.
    #[must_use]
    pub const fn pages_only(self) -> bool {
        matches!(self, Self::Facebook | Self::LinkedInPage)
    }

    /// What a person gives to connect an account.
    #[must_use]
    pub const fn connects_by(self) -> ConnectsBy {
        match self {
            Self::Bluesky => ConnectsBy::Password,
            Self::Telegram => ConnectsBy::Bot,
            Self::Facebook
            | Self::Instagram
            | Self::InstagramFacebook
            | Self::Threads
            | Self::LinkedIn
            | Self::LinkedInPage
            | Self::X
            | Self::TikTok
            | Self::YouTube
            | Self::BlueskyOAuth
            | Self::Mastodon => ConnectsBy::Browser,
        }
    }
}

impl FromStr for Platform {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL.into_iter().find(|one| one.as_str() == text);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str).join(", ");
            UnknownName(text.to_owned(), names.into())
        })
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The compiler asks for a variant's row, and not for its place in `ALL`.
    #[test]
    fn all_names_every_variant() {
        let unknown = serde_json::from_value::<Platform>("no such platform".into());
        let told = unknown.expect_err("no such variant").to_string();
        let variants: Vec<&str> = told.split('`').skip(3).step_by(2).collect();
        assert_eq!(variants, Platform::ALL.map(Platform::as_str), "{told}");
    }

    #[test]
    fn every_platform_reads_its_own_name_back() {
        for platform in Platform::ALL {
            assert_eq!(platform.as_str().parse(), Ok(platform));
            let json = serde_json::to_value(platform).expect("a name");
            assert_eq!(json, platform.as_str(), "serde writes the same name");
        }
        let error = "myspace".parse::<Platform>().expect_err("no such platform");
        let text = error.to_string();
        assert!(
            text.starts_with("\"myspace\" is none of: facebook, instagram,"),
            "{text}"
        );
    }
}
