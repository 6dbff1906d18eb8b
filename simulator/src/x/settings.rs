//! Habits and limits of the platform, for tests to choose.

use serde::{Deserialize, Serialize};

use super::XLimits;

/// Which of two generations of names the platform uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum XFieldNames {
    /// Takes and gives both.
    #[default]
    Both,
    /// `tweet.fields`, `edit_history_tweet_ids`, problem types under api.twitter.com.
    Legacy,
    /// `post.fields`, `edit_history_post_ids` (OpenAPI document 2.167).
    Current,
}

/// How a post that is gone is answered; the platform's pages say both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum XMissingPosts {
    /// 200 with `errors`.
    #[default]
    Partial,
    /// 404 with a problem.
    NotFound,
}

/// The platform's habits and limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct XSettings {
    /// Rate limits.
    pub limits: XLimits,
    /// Whether a text is refused that the account posted not long ago (403).
    pub duplicate_guard: bool,
    /// How long the guard remembers, in milliseconds.
    pub duplicate_window_ms: i64,
    /// How long videos and animations are processed, in milliseconds.
    pub processing_ms: i64,
    /// How many of the next videos and animations end in failure, and images uploaded in one call are refused.
    pub failing_media: u32,
    /// How a missing post is answered.
    pub missing_posts: XMissingPosts,
    /// Names of fields.
    pub field_names: XFieldNames,
    /// How long a new post is missing in lists, in milliseconds.
    pub timeline_delay_ms: i64,
    /// Posts that an app may read per month (429 `usage-capped`).
    pub monthly_read_cap: Option<u64>,
}

impl Default for XSettings {
    fn default() -> Self {
        Self {
            limits: XLimits::default(),
            duplicate_guard: true,
            duplicate_window_ms: 24 * 3600 * 1000,
            processing_ms: 4000,
            failing_media: 0,
            missing_posts: XMissingPosts::default(),
            field_names: XFieldNames::default(),
            timeline_delay_ms: 0,
            monthly_read_cap: None,
        }
    }
}
