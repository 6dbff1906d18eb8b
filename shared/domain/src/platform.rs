//! The platforms, and what each of them can and cannot do, as data.
//!
//! A capability that differs between platforms is a column here, not a `match` elsewhere. The facts
//! behind each row are documented with their sources in `providers/<platform>/`.

use std::{fmt, str::FromStr};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

use crate::{
    job::UnknownName,
    time::{days, hours, seconds},
};

/// A social platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// Facebook Pages, over the Graph API.
    Facebook,
    /// Bluesky, over an AT Protocol personal data server.
    Bluesky,
}

/// What a lost refresh answer costs, and therefore whether it may be asked for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshRule {
    /// There is no unattended refresh; people reconnect.
    None,
    /// Asking again is harmless.
    Repeatable,
    /// The spent token answers with the same successor for this long.
    Grace(TimeDelta),
    /// A second use of the token ends the whole session.
    SingleUse,
}

/// How a publish can be recognised after its answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishKey {
    /// The platform takes a record key of ours: repeating the call with it is one effect.
    Ours,
    /// Nothing of ours travels with the post; it is looked for by content and time.
    Nothing,
}

/// How a platform counts the length of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextUnit {
    /// What a reader sees as one character.
    Graphemes,
    /// Unicode scalar values.
    Characters,
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// What people call it.
    pub display_name: &'static str,
    /// Lifetime of a fresh access token; `None` = it does not end by itself.
    pub access_lifetime: Option<TimeDelta>,
    /// Lifetime of a fresh refresh token, where there is one.
    pub refresh_lifetime: Option<TimeDelta>,
    /// What a lost refresh answer costs.
    pub refresh: RefreshRule,
    /// Permissions without which a connection cannot publish and be verified.
    pub required_scopes: &'static [&'static str],
    /// How a lost publish is recognised.
    pub publish_key: PublishKey,
    /// How long after the last possible execution of a publish a look-up is sure to show it.
    pub settle: TimeDelta,
    /// How long a publish call may take.
    pub publish_timeout: TimeDelta,
    /// Longest text.
    pub text_max: usize,
    /// In which unit.
    pub text_unit: TextUnit,
    /// Longest text in bytes of UTF-8, where the platform has such a limit too.
    pub text_max_bytes: Option<usize>,
    /// Whether a post of ours can be read back, so that a verdict other than "unverifiable" exists.
    pub reads_back: bool,
}

impl Platform {
    /// Every platform.
    pub const ALL: [Self; 2] = [Self::Facebook, Self::Bluesky];

    /// The name in the database, in files and in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Facebook => "facebook",
            Self::Bluesky => "bluesky",
        }
    }

    /// The platform's row.
    #[must_use]
    pub const fn capabilities(self) -> &'static Capabilities {
        match self {
            Self::Facebook => &FACEBOOK,
            Self::Bluesky => &BLUESKY,
        }
    }

    /// Refuses a text that the platform would refuse.
    pub fn check_text(self, text: &str) -> Result<(), TextTooLong> {
        let row = self.capabilities();
        let length = match row.text_unit {
            TextUnit::Graphemes => text.graphemes(true).count(),
            TextUnit::Characters => text.chars().count(),
        };
        let bytes_max = row.text_max_bytes.unwrap_or(usize::MAX);
        if length <= row.text_max && text.len() <= bytes_max {
            return Ok(());
        }
        Err(TextTooLong {
            platform: self,
            length,
            max: row.text_max,
        })
    }
}

/// A text that is longer than its platform takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("text: {length} characters are too many for {platform} (at most {max}); shorten it")]
pub struct TextTooLong {
    /// Where it should have gone.
    pub platform: Platform,
    /// Its length in the platform's unit.
    pub length: usize,
    /// The limit.
    pub max: usize,
}

/// Page tokens do not end; the user token behind them lives 60 days and can be re-exchanged while it
/// lives. A post carries nothing of ours: `published_posts` shows it within seconds.
static FACEBOOK: Capabilities = Capabilities {
    display_name: "Facebook Pages",
    access_lifetime: Some(days(60)),
    refresh_lifetime: None,
    refresh: RefreshRule::Repeatable,
    required_scopes: &[
        "pages_show_list",
        "pages_manage_posts",
        "pages_read_engagement",
    ],
    publish_key: PublishKey::Nothing,
    settle: seconds(10),
    publish_timeout: seconds(30),
    text_max: 63_206,
    text_unit: TextUnit::Characters,
    text_max_bytes: None,
    reads_back: true,
};

/// App-password sessions: access 2 hours, refresh 90 days, and a spent refresh token answers with the
/// same successor for 2 hours. Record keys are ours.
static BLUESKY: Capabilities = Capabilities {
    display_name: "Bluesky",
    access_lifetime: Some(hours(2)),
    refresh_lifetime: Some(days(90)),
    refresh: RefreshRule::Grace(hours(2)),
    required_scopes: &[],
    publish_key: PublishKey::Ours,
    settle: seconds(2),
    publish_timeout: seconds(30),
    text_max: 300,
    text_unit: TextUnit::Graphemes,
    text_max_bytes: Some(3_000),
    reads_back: true,
};

impl FromStr for Platform {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|platform| platform.as_str() == text)
            .ok_or_else(|| UnknownName(text.to_owned(), "facebook, bluesky"))
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

    #[test]
    fn every_platform_reads_its_own_name_back() {
        for platform in Platform::ALL {
            assert_eq!(platform.as_str().parse(), Ok(platform));
        }
        let error = "myspace".parse::<Platform>().expect_err("no such platform");
        assert_eq!(
            error.to_string(),
            "\"myspace\" is none of: facebook, bluesky"
        );
    }

    #[test]
    fn bluesky_counts_what_a_reader_sees() {
        let family = "👨‍👩‍👧‍👦";
        assert!(Platform::Bluesky.check_text(&family.repeat(100)).is_ok());
        assert!(Platform::Bluesky.check_text(&"a".repeat(300)).is_ok());
        let error = Platform::Bluesky
            .check_text(&"a".repeat(301))
            .expect_err("one too many");
        assert_eq!((error.length, error.max), (301, 300));
        assert!(
            Platform::Bluesky.check_text(&family.repeat(130)).is_err(),
            "over 3,000 bytes"
        );
    }
}
