//! What a post says and shows.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::MediaId;

/// What a post says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// The text, as written.
    #[serde(default)]
    pub text: String,
    /// A link to show with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// A title, where the platform's posts have one (YouTube); without it the text's first line serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The kind of post.
    #[serde(default, skip_serializing_if = "Format::is_usual")]
    pub format: Format,
    /// Images and videos, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Media>,
}

impl Content {
    /// A post of words only.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// A fingerprint of the text, for comparing what is live with what was sent and for telling twins:
    /// SHA-256 in hex over the text with its white space folded, as platforms do fold it.
    #[must_use]
    pub fn digest(&self) -> String {
        text_digest(&self.text)
    }

    /// The title, or the text's first line cut to `max` characters.
    #[must_use]
    pub fn title_or_first_line(&self, max: usize) -> String {
        let given = self
            .title
            .as_deref()
            .filter(|title| !title.trim().is_empty());
        let line = given.unwrap_or_else(|| self.text.trim().lines().next().unwrap_or_default());
        line.trim().chars().take(max).collect()
    }
}

/// The fingerprint of a text that was read back; see [`Content::digest`].
#[must_use]
pub fn text_digest(text: &str) -> String {
    let folded = text.split_whitespace().collect::<Vec<_>>().join(" ");
    hex::encode(Sha256::digest(folded.as_bytes()))
}

/// A kind of post.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// What stands in the feed.
    #[default]
    Feed,
    /// A short vertical video (Facebook, Instagram).
    Reel,
    /// Gone after a day (Facebook, Instagram).
    Story,
    /// A short vertical video on YouTube.
    Short,
}

impl Format {
    /// The name in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Feed => "feed",
            Self::Reel => "reel",
            Self::Story => "story",
            Self::Short => "short",
        }
    }

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde passes fields by reference"
    )]
    fn is_usual(&self) -> bool {
        *self == Self::Feed
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An image or a video that we hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Media {
    /// Under which id its bytes are stored.
    pub id: MediaId,
    /// What it is.
    pub kind: MediaKind,
    /// Its media type: `image/jpeg`.
    pub mime: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// How long a video is, where that could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// What people who cannot see it are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alt: Option<String>,
}

impl Media {
    /// Width / height in thousandths; 0 when the size is not known.
    #[must_use]
    pub fn ratio_thousandths(&self) -> u32 {
        let ratio = u64::from(self.width) * 1_000 / u64::from(self.height.max(1));
        u32::try_from(ratio).unwrap_or(u32::MAX)
    }
}

/// Image or video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// Still.
    Image,
    /// Moving.
    Video,
}
