//! Telegram's Bot API: what it knows, and how a call enters. `ok` in the body says how a call ended, and the status
//! repeats `error_code`.

mod account;
mod admin;
mod by_hand;
mod chats;
mod errors;
mod messages;
mod params;
mod routes;
mod updates;

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::call::{Answer, Call};
use crate::ledger::Platform;
use crate::limits::Window;
use crate::pipeline::Subject;
use crate::routes::Route;
use crate::sites::Site;
use crate::world::World;

pub use admin::{NewTelegramChats, TelegramBot, TelegramChat};

/// The platform's row.
pub(crate) static SITE: Site = Site {
    platform: Platform::Telegram,
    name: "telegram",
    tables: &[routes::ROUTES],
    subject,
    execute,
    usual_for_status: errors::usual_for_status,
    throttled: |_, _, reset_s| errors::too_many(reset_s),
    although_created: |_| errors::usual_for_status(500),
    remove: by_hand::remove,
    edit: by_hand::edit,
    tick: by_hand::tick,
    admin: admin::routes,
    account: account::connected,
};

/// How the platform behaves where it may behave in two ways, and what it counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelegramSettings {
    /// Messages of one chat per minute.
    pub messages_per_minute: Option<u64>,
    /// Whether a bot is told of its own posts, too. (Nothing says so, or not.)
    pub echoes: bool,
    /// Whether a video is taken with `message_id` 0 and sent after this many milliseconds.
    pub schedules_videos_ms: Option<i64>,
}

impl Default for TelegramSettings {
    fn default() -> Self {
        Self {
            messages_per_minute: Some(20),
            echoes: false,
            schedules_videos_ms: None,
        }
    }
}

/// The platform's state.
#[derive(Default)]
pub(crate) struct State {
    settings: TelegramSettings,
    bots: BTreeMap<i64, Bot>,
    chats: BTreeMap<i64, Chat>,
    scheduled: Vec<by_hand::Scheduled>,
    last_number: i64,
}

impl State {
    fn number(&mut self) -> i64 {
        self.last_number += 1;
        self.last_number
    }

    /// The bot whose token this is.
    fn bot(&self, token: &str) -> Option<(i64, &Bot)> {
        let (id, _) = token.split_once(':')?;
        let id = id.parse().ok()?;
        let bot = self.bots.get(&id).filter(|bot| bot.token == token)?;
        Some((id, bot))
    }

    /// The chat of this id or public name.
    fn chat_id(&self, text: &str) -> Option<i64> {
        if let Some(name) = text.strip_prefix('@') {
            let named = |chat: &Chat| chat.username.as_deref() == Some(name);
            return self.chats.iter().find(|(_, c)| named(c)).map(|(id, _)| *id);
        }
        text.parse().ok().filter(|id| self.chats.contains_key(id))
    }
}

struct Bot {
    token: String,
    username: String,
    frozen: bool,
    webhook: Option<updates::Webhook>,
    last_update: i64,
}

/// What a chat is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TelegramChatKind {
    /// A channel: administrators post.
    #[default]
    Channel,
    /// A group of many.
    Supergroup,
    /// A group of few, with an id of another form.
    Group,
    /// A talk with one person.
    Private,
}

impl TelegramChatKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Channel => "channel",
            Self::Supergroup => "supergroup",
            Self::Group => "group",
            Self::Private => "private",
        }
    }
}

/// Whether a chat is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TelegramChatState {
    /// It is.
    Open,
    /// Its owner deleted it.
    Deleted,
    /// It became a supergroup and has another id.
    Migrated,
}

/// What a bot is in a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum TelegramRole {
    /// With rights.
    Administrator {
        /// To post (channels).
        can_post: bool,
        /// To delete what others sent.
        can_delete: bool,
    },
    /// One of many.
    Member,
    /// Went, or was never there.
    Left,
    /// Was thrown out.
    Kicked,
}

struct Chat {
    kind: TelegramChatKind,
    title: String,
    username: Option<String>,
    state: TelegramChatState,
    roles: HashMap<i64, TelegramRole>,
    last_message: i64,
    /// By number; an album's messages share a post.
    messages: BTreeMap<i64, Message>,
    window: Window,
}

/// A message. A post is one of them, or an album.
struct Message {
    bot: Option<i64>,
    text: String,
    date_ms: i64,
    /// The post's id in the ledger.
    post: String,
    media: Option<&'static str>,
    album: Option<i64>,
}

fn execute(
    world: &mut World,
    route: Option<&'static Route>,
    call: &Call,
    _subject: &Subject,
) -> Answer {
    let token = token(call);
    let Some((_, bot)) = world.telegram.bot(token) else {
        // What is no token at all is no path, either.
        let digits = token.split(':').next().unwrap_or("");
        let formed = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let formed = formed && token.contains(':');
        return if formed {
            errors::error(401, "Unauthorized")
        } else {
            errors::error(404, "Not Found")
        };
    };
    if bot.frozen {
        return errors::bad_request("FROZEN_METHOD_INVALID");
    }
    match route {
        None => errors::error(404, "Not Found: method not found"),
        Some(route) => (route.handler)(world, call),
    }
}

/// The token in a path, without `bot`.
fn token(call: &Call) -> &str {
    call.segment(0).strip_prefix("bot").unwrap_or("")
}

/// Whose call it is: the chat that it names, and the token's bot.
fn subject(world: &World, call: &Call) -> Subject {
    let state = &world.telegram;
    let named = params::Params::read(call);
    let chat = named.text("chat_id").and_then(|chat| state.chat_id(chat));
    let bot = state.bot(token(call));
    Subject {
        account: chat.map(|id| id.to_string()).unwrap_or_default(),
        owner: bot.map(|(id, _)| id.to_string()).unwrap_or_default(),
    }
}
