//! Google's JSON, tolerant of everything that is not needed.

use std::fmt;

use chrono::{DateTime, Utc};
use mooring_domain::{
    Time,
    connection::{AccountFacts, AccountKind},
};
use mooring_vault::Secret;
use serde::{Deserialize, Deserializer, de};

/// An answer of the token endpoint.
#[derive(Deserialize)]
pub(super) struct TokenAnswer {
    #[serde(deserialize_with = "secret")]
    pub(super) access_token: Secret,
    /// Seconds; Google's own client expects a text here, too.
    #[serde(default, deserialize_with = "number")]
    pub(super) expires_in: Option<i64>,
    #[serde(default, deserialize_with = "optional_secret")]
    pub(super) refresh_token: Option<Secret>,
    /// Seconds; only where the grant is limited in time.
    #[serde(default, deserialize_with = "number")]
    pub(super) refresh_token_expires_in: Option<i64>,
    #[serde(default)]
    pub(super) scope: Option<String>,
}

/// What Google says about an access token. Numbers come as texts.
#[derive(Deserialize)]
pub(super) struct TokenInfo {
    #[serde(default, deserialize_with = "number")]
    pub(super) exp: Option<i64>,
    #[serde(default, deserialize_with = "number")]
    pub(super) expires_in: Option<i64>,
    pub(super) scope: String,
}

/// A list of the Data API. `items` may be missing when there are none.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct List<T> {
    /// What kind of list; a body without it is no answer of the API.
    pub(super) kind: String,
    #[serde(default = "Vec::new")]
    pub(super) items: Vec<T>,
    #[serde(default)]
    pub(super) next_page_token: Option<String>,
}

/// A channel.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Channel {
    pub(super) id: String,
    #[serde(default)]
    pub(super) snippet: ChannelSnippet,
    #[serde(default)]
    pub(super) content_details: ContentDetails,
    #[serde(default)]
    pub(super) status: ChannelStatus,
}

/// What a channel is called.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ChannelSnippet {
    pub(super) title: String,
    thumbnails: Thumbnails,
}

/// A channel's picture.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Thumbnails {
    default: Option<Thumbnail>,
}

#[derive(Debug, Deserialize)]
struct Thumbnail {
    url: String,
}

/// Where a channel's uploads are listed.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ContentDetails {
    pub(super) related_playlists: RelatedPlaylists,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RelatedPlaylists {
    pub(super) uploads: Option<String>,
}

/// How a channel stands.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ChannelStatus {
    /// Whether the account is a channel in full; `None` = not told.
    pub(super) is_linked: Option<bool>,
    /// `allowed`, `eligible`, `disallowed` or `longUploadsUnspecified`.
    long_uploads_status: Option<String>,
}

impl Channel {
    /// What is told about the channel; a person's own and a brand's look the same. Videos of more than 15 minutes need a
    /// verified phone number (<https://support.google.com/youtube/answer/71673>); the longest video is twelve hours.
    pub(super) fn about(&self) -> AccountFacts {
        const SHORT_S: u32 = 15 * 60;
        const LONG_S: u32 = 12 * 60 * 60;
        let status = self.status.long_uploads_status.as_deref();
        AccountFacts {
            avatar: self
                .snippet
                .thumbnails
                .default
                .as_ref()
                .map(|one| one.url.clone()),
            kind: Some(AccountKind::Channel),
            video_max_s: status.and_then(|status| match status {
                "allowed" => Some(LONG_S),
                "eligible" | "disallowed" => Some(SHORT_S),
                _ => None,
            }),
            ..AccountFacts::default()
        }
    }
}

/// A video.
#[derive(Debug, Deserialize)]
pub(super) struct Video {
    pub(super) id: String,
    #[serde(default)]
    pub(super) snippet: VideoSnippet,
    #[serde(default)]
    pub(super) status: VideoStatus,
}

/// What a video says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct VideoSnippet {
    pub(super) description: String,
    #[serde(rename = "channelId")]
    pub(super) channel_id: String,
}

/// Where a video stands.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct VideoStatus {
    pub(super) upload_status: String,
    pub(super) privacy_status: String,
    pub(super) failure_reason: Option<String>,
    pub(super) rejection_reason: Option<String>,
}

/// One of a channel's uploads.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Upload {
    pub(super) snippet: UploadSnippet,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UploadSnippet {
    /// When it was put into the list.
    #[serde(default)]
    pub(super) published_at: Option<DateTime<Utc>>,
    #[serde(default)]
    pub(super) title: String,
    #[serde(default)]
    pub(super) description: String,
    pub(super) resource_id: ResourceId,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResourceId {
    #[serde(default)]
    pub(super) video_id: String,
}

impl TokenAnswer {
    /// When a span of this answer ends.
    pub(super) fn end(now: Time, seconds: Option<i64>) -> Option<Time> {
        let seconds = seconds.filter(|seconds| *seconds > 0)?;
        Some(now + chrono::TimeDelta::try_seconds(seconds)?)
    }

    /// Granted permissions, where it says them.
    pub(super) fn scopes(&self) -> Option<Vec<String>> {
        self.scope.as_deref().map(scopes)
    }
}

/// Permissions that stand between spaces.
pub(super) fn scopes(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// An error: of the token endpoint (a word) or of the Data API (an object).
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum ErrorBody {
    Oauth(OauthError),
    Api { error: ApiError },
}

/// An error in the form of OAuth.
#[derive(Debug, Deserialize)]
pub(super) struct OauthError {
    pub(super) error: String,
    #[serde(default)]
    pub(super) error_subtype: String,
}

/// An error of the Data API. All of it may be missing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ApiError {
    errors: Vec<Item>,
    details: Vec<Item>,
    status: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Item {
    reason: String,
    metadata: Metadata,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    quota_limit: String,
    quota_unit: String,
}

impl ApiError {
    /// What it gives as reasons, the most exact first.
    pub(super) fn reasons(&self) -> impl Iterator<Item = &str> {
        let items = self.errors.iter().chain(&self.details);
        let reasons = items.map(|item| item.reason.as_str());
        reasons
            .chain([self.status.as_str()])
            .filter(|reason| !reason.is_empty())
    }

    /// Whether the limit that was met is one of a day.
    pub(super) fn is_daily(&self) -> bool {
        self.details
            .iter()
            .map(|item| &item.metadata)
            .any(|limit| limit.quota_limit.ends_with("PerDay") || limit.quota_unit.contains("/d/"))
    }
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Err(de::Error::custom("an empty token"));
    }
    Ok(Secret::from(text))
}

fn optional_secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.is_empty()).map(Secret::from))
}

/// A number, or a number in a text.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    struct Number;

    impl de::Visitor<'_> for Number {
        type Value = Option<i64>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a number, or a number in a text")
        }

        fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
            Ok(Some(number))
        }

        fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
            Ok(i64::try_from(number).ok())
        }

        fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
            Ok(text.trim().parse().ok())
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
    }

    deserializer.deserialize_any(Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_may_stand_in_texts_and_lists_may_lack_their_items() {
        let answer: TokenAnswer = serde_json::from_str(
            r#"{"access_token":"a","expires_in":"3599","token_type":"Bearer","scope":"a b"}"#,
        )
        .expect("a token");
        assert_eq!(answer.expires_in, Some(3599));
        assert_eq!(answer.scopes(), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert!(answer.refresh_token.is_none());
        let list: List<Channel> =
            serde_json::from_str(r#"{"kind":"youtube#channelListResponse"}"#).expect("a list");
        assert!(list.items.is_empty());
        assert!(serde_json::from_str::<List<Channel>>("{}").is_err());
        assert!(serde_json::from_str::<TokenAnswer>(r#"{"access_token":""}"#).is_err());
    }
}
