//! The Bot API's JSON, tolerant of everything that is not needed.

use serde::Deserialize;

/// What stands around every answer: `ok` decides, whatever the status.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope<T> {
    pub(super) ok: bool,
    pub(super) result: Option<T>,
}

/// A refusal.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Refusal {
    pub(super) ok: bool,
    #[serde(default)]
    pub(super) error_code: u16,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) parameters: Parameters,
}

/// What a refusal knows beside its sentence.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Parameters {
    /// Seconds.
    #[serde(default)]
    pub(super) retry_after: Option<u32>,
}

/// A user: here always a bot.
#[derive(Debug, Deserialize)]
pub(super) struct User {
    pub(super) id: i64,
    #[serde(default)]
    pub(super) is_bot: bool,
}

/// A channel, a group, or a talk with one person.
#[derive(Debug, Deserialize)]
pub(super) struct Chat {
    pub(super) id: i64,
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) title: Option<String>,
    /// The public name, without `@`.
    #[serde(default)]
    pub(super) username: Option<String>,
    /// What everybody in a group may do; `getChat` alone tells it.
    #[serde(default)]
    pub(super) permissions: Option<Permissions>,
}

/// What members of a group may do.
#[derive(Debug, Deserialize)]
pub(super) struct Permissions {
    #[serde(default)]
    pub(super) can_send_messages: Option<bool>,
}

/// Somebody's role in a chat.
#[derive(Debug, Deserialize)]
pub(super) struct Member {
    pub(super) status: String,
    /// In channels, of administrators.
    #[serde(default)]
    pub(super) can_post_messages: Option<bool>,
    /// In groups, of restricted members.
    #[serde(default)]
    pub(super) can_send_messages: Option<bool>,
}

/// A message that was sent.
#[derive(Debug, Deserialize)]
pub(super) struct Message {
    /// 0 where the server took a video and sends it later.
    pub(super) message_id: i64,
    pub(super) chat: Chat,
}

/// What a webhook brings: one of many kinds, of which three are news to us.
#[derive(Debug, Deserialize)]
pub(super) struct Update {
    #[serde(rename = "update_id")]
    pub(super) number: i64,
    #[serde(default)]
    pub(super) my_chat_member: Option<MemberChanged>,
    #[serde(default)]
    pub(super) channel_post: Option<Posted>,
    #[serde(default)]
    pub(super) edited_channel_post: Option<Posted>,
}

/// The bot's own role in a chat was changed.
#[derive(Debug, Deserialize)]
pub(super) struct MemberChanged {
    pub(super) chat: Chat,
    pub(super) date: i64,
}

/// A post of a channel, by whomever.
#[derive(Debug, Deserialize)]
pub(super) struct Posted {
    pub(super) message_id: i64,
    pub(super) chat: Chat,
    pub(super) date: i64,
    #[serde(default)]
    pub(super) edit_date: Option<i64>,
}
