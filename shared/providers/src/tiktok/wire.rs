//! TikTok's JSON, tolerant of everything that is not needed.

use mooring_vault::Secret;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::Value;

/// What every answer but OAuth's holds, beside its error.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope<T> {
    pub(super) data: T,
}

/// An answer of the token endpoint.
#[derive(Debug, Deserialize)]
pub(super) struct Tokens {
    #[serde(deserialize_with = "secret")]
    pub(super) access_token: Secret,
    /// Seconds.
    pub(super) expires_in: i64,
    pub(super) open_id: String,
    #[serde(deserialize_with = "secret")]
    pub(super) refresh_token: Secret,
    /// Seconds.
    pub(super) refresh_expires_in: i64,
    /// Divided by commas.
    pub(super) scope: String,
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Err(D::Error::custom("an empty token"));
    }
    Ok(Secret::from(text))
}

#[derive(Debug, Deserialize)]
pub(super) struct UserAnswer {
    pub(super) user: User,
}

#[derive(Debug, Deserialize)]
pub(super) struct User {
    pub(super) open_id: String,
    #[serde(default)]
    pub(super) display_name: String,
}

/// Who may post what now.
#[derive(Debug, Deserialize)]
pub(super) struct CreatorInfo {
    pub(super) creator_username: String,
    #[serde(default)]
    pub(super) creator_nickname: String,
    #[serde(default)]
    pub(super) creator_avatar_url: Option<String>,
    pub(super) privacy_level_options: Vec<String>,
    #[serde(default)]
    pub(super) comment_disabled: bool,
    #[serde(default)]
    pub(super) duet_disabled: bool,
    #[serde(default)]
    pub(super) stitch_disabled: bool,
    #[serde(default)]
    pub(super) max_video_post_duration_sec: Option<u64>,
}

/// An answer to an init.
#[derive(Debug, Deserialize)]
pub(super) struct Begun {
    pub(super) publish_id: String,
    /// Only for uploads.
    pub(super) upload_url: Option<String>,
}

/// How far a publish is.
#[derive(Debug, Deserialize)]
pub(super) struct Progress {
    pub(super) status: String,
    #[serde(default)]
    pub(super) fail_reason: Option<String>,
    #[serde(default)]
    pub(super) uploaded_bytes: Option<u64>,
    /// The platform's own spelling; numbers beyond 2^53.
    #[serde(default, alias = "publicly_available_post_id")]
    publicaly_available_post_id: Vec<Value>,
}

impl Progress {
    /// The post's id, once everybody may see it.
    pub(super) fn post_id(&self) -> Option<String> {
        id(self.publicaly_available_post_id.first()?)
    }
}

/// An id that is a number here and a text there.
pub(super) fn id(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        _ => None,
    }
}

/// Posts that were listed or asked for.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    #[serde(default)]
    pub(super) videos: Vec<Listed>,
    /// A time in milliseconds.
    #[serde(default)]
    pub(super) cursor: i64,
    #[serde(default)]
    pub(super) has_more: bool,
}

/// A public post.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Listed {
    pub(super) id: String,
    #[serde(default)]
    pub(super) title: String,
    #[serde(default)]
    pub(super) video_description: String,
    /// Seconds since 1970.
    #[serde(default)]
    pub(super) create_time: i64,
    #[serde(default)]
    pub(super) share_url: Option<String>,
}

/// What the steps before the one that publishes have brought.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Prepared {
    /// The widest audience that the creator may choose.
    pub(super) privacy: String,
    pub(super) username: String,
    pub(super) comment_disabled: bool,
    /// A video's upload; photos are fetched by the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) upload: Option<Upload>,
}

/// An upload that was begun. Without its last chunk nothing comes of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Upload {
    pub(super) publish_id: String,
    pub(super) url: String,
    /// When the address ends, in milliseconds since 1970.
    pub(super) until_ms: i64,
    /// Bytes in all.
    pub(super) size: u64,
    /// Bytes of a chunk; the last one takes what remains.
    pub(super) chunk: u64,
    /// Bytes that are there.
    pub(super) sent: u64,
}

impl Upload {
    /// Where the last chunk begins.
    pub(super) fn last_chunk(&self) -> u64 {
        (self.size / self.chunk.max(1)).saturating_sub(1) * self.chunk
    }
}

/// A webhook.
#[derive(Debug, Deserialize)]
pub(super) struct Webhook {
    pub(super) client_key: String,
    pub(super) event: String,
    /// Seconds since 1970.
    #[serde(default)]
    pub(super) create_time: i64,
    #[serde(default)]
    pub(super) user_openid: String,
    /// JSON as a text.
    #[serde(default)]
    pub(super) content: String,
}

/// What stands in [`Webhook::content`].
#[derive(Debug, Default, Deserialize)]
pub(super) struct WebhookContent {
    /// A number for removed authorizations, a name for failed publishes.
    #[serde(default)]
    pub(super) reason: Value,
    #[serde(default)]
    pub(super) publish_id: Option<String>,
    #[serde(default)]
    pub(super) post_id: Value,
}
