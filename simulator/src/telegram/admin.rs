//! Acts on the simulated Bot API, as methods and under `/admin/telegram`.

use std::collections::{BTreeMap, HashMap};

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Bot, Chat, TelegramChatKind, TelegramChatState, TelegramRole, TelegramSettings, by_hand,
    updates,
};
use crate::admin::http::{Answered, Body};
use crate::admin::{Admin, AdminError, SimSecret};
use crate::limits::Window;
use crate::world::{ALPHANUMERIC, World};

/// A bot with its token.
#[derive(Clone, Debug, Serialize)]
pub struct TelegramBot {
    /// Its id.
    pub id: i64,
    /// Its name, without `@`.
    pub username: String,
    /// Its token.
    pub token: SimSecret,
}

/// Chats to be created, with a bot in them.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewTelegramChats {
    /// The bot.
    pub bot: i64,
    /// What the chats are.
    pub kind: TelegramChatKind,
    /// Whether they have a public name.
    pub public: bool,
    /// How many.
    pub count: usize,
    /// What the bot is there.
    pub role: TelegramRole,
}

impl Default for NewTelegramChats {
    /// One public channel, in which the bot may post and not delete what others wrote.
    fn default() -> Self {
        Self {
            bot: 0,
            kind: TelegramChatKind::Channel,
            public: true,
            count: 1,
            role: TelegramRole::Administrator {
                can_post: true,
                can_delete: false,
            },
        }
    }
}

/// A chat.
#[derive(Clone, Debug, Serialize)]
pub struct TelegramChat {
    /// Its id.
    pub id: i64,
    /// What people read above it.
    pub title: String,
    /// Its public name, without `@`.
    pub username: Option<String>,
}

impl Admin {
    /// Creates a bot, as `@BotFather` does.
    #[must_use]
    pub fn create_telegram_bot(&self) -> TelegramBot {
        self.with(|w| {
            let id = 110_201_542 + w.telegram.number();
            let username = format!("mooring{id}_bot");
            let token = new_token(w, id);
            let bot = Bot {
                token: token.clone(),
                username: username.clone(),
                frozen: false,
                webhook: None,
                last_update: 0,
            };
            w.telegram.bots.insert(id, bot);
            TelegramBot {
                id,
                username,
                token: SimSecret(token),
            }
        })
    }

    /// Creates chats, with a bot in them.
    pub fn create_telegram_chats(
        &self,
        new: &NewTelegramChats,
    ) -> Result<Vec<TelegramChat>, AdminError> {
        self.telegram_bot(new.bot, |_| ())?;
        Ok(self.with(|w| (0..new.count).map(|_| create_chat(w, new)).collect()))
    }

    /// Gives a bot a new token; the old one is none any more.
    pub fn revoke_telegram_token(&self, bot: i64) -> Result<SimSecret, AdminError> {
        let token = self.with(|w| new_token(w, bot));
        self.telegram_bot(bot, |b| b.token.clone_from(&token))?;
        Ok(SimSecret(token))
    }

    /// Freezes a bot, or lifts that again.
    pub fn freeze_telegram_bot(&self, bot: i64, frozen: bool) -> Result<(), AdminError> {
        self.telegram_bot(bot, |b| b.frozen = frozen)
    }

    /// Where a bot's updates go, and the word that comes along.
    pub fn set_telegram_webhook(
        &self,
        bot: i64,
        url: &str,
        secret: &str,
    ) -> Result<(), AdminError> {
        let webhook = updates::Webhook {
            url: url.to_owned(),
            secret: Some(secret.to_owned()),
        };
        self.telegram_bot(bot, |b| b.webhook = Some(webhook))
    }

    /// The owner of a chat makes a bot something else there. The bot is told.
    pub fn set_telegram_role(
        &self,
        chat: i64,
        bot: i64,
        role: TelegramRole,
    ) -> Result<(), AdminError> {
        let old = self.telegram_chat(chat, |c| c.roles.insert(bot, role))?;
        let change = (old.unwrap_or(TelegramRole::Left), role);
        self.with(|w| updates::role_changed(w, chat, bot, change));
        Ok(())
    }

    /// A chat is deleted, migrated, or there again.
    pub fn set_telegram_chat_state(
        &self,
        chat: i64,
        state: TelegramChatState,
    ) -> Result<(), AdminError> {
        self.telegram_chat(chat, |c| c.state = state)
    }

    /// Somebody posts in a channel by hand. The post's id.
    pub fn post_on_telegram(&self, chat: i64, text: &str) -> Result<String, AdminError> {
        let made = self.with(|w| by_hand::post(w, chat, text));
        made.ok_or_else(|| AdminError::not_found("chat", &chat.to_string()))
    }

    /// How the platform behaves.
    #[must_use]
    pub fn telegram_settings(&self) -> TelegramSettings {
        self.with(|w| w.telegram.settings.clone())
    }

    /// Sets how the platform behaves.
    pub fn set_telegram_settings(&self, settings: TelegramSettings) {
        self.with(|w| w.telegram.settings = settings);
    }

    fn telegram_bot<T>(&self, id: i64, act: impl FnOnce(&mut Bot) -> T) -> Result<T, AdminError> {
        let done = self.with(|w| w.telegram.bots.get_mut(&id).map(act));
        done.ok_or_else(|| AdminError::not_found("bot", &id.to_string()))
    }

    fn telegram_chat<T>(&self, id: i64, act: impl FnOnce(&mut Chat) -> T) -> Result<T, AdminError> {
        let done = self.with(|w| w.telegram.chats.get_mut(&id).map(act));
        done.ok_or_else(|| AdminError::not_found("chat", &id.to_string()))
    }
}

fn new_token(world: &mut World, bot: i64) -> String {
    format!("{bot}:{}", world.word(ALPHANUMERIC, 35))
}

fn create_chat(world: &mut World, new: &NewTelegramChats) -> TelegramChat {
    let number = world.telegram.number();
    let id = match new.kind {
        TelegramChatKind::Channel | TelegramChatKind::Supergroup => -1_001_234_000_000 - number,
        TelegramChatKind::Group => -4_512_000 - number,
        TelegramChatKind::Private => 9_000_000 + number,
    };
    let title = format!("Harbour {number}");
    let username = new.public.then(|| format!("harbour_{number}"));
    let chat = Chat {
        kind: new.kind,
        title: title.clone(),
        username: username.clone(),
        state: TelegramChatState::Open,
        roles: HashMap::from([(new.bot, new.role)]),
        last_message: 15,
        messages: BTreeMap::new(),
        window: Window::default(),
    };
    world.telegram.chats.insert(id, chat);
    TelegramChat {
        id,
        title,
        username,
    }
}

/// The same over HTTP.
pub(super) fn routes() -> Router<Admin> {
    Router::new()
        .route("/bots", post(create_bot))
        .route("/bots/{id}", post(change_bot))
        .route("/chats", post(create_chats))
        .route("/chats/{id}", post(change_chat))
        .route("/settings", get(settings).put(set_settings))
}

async fn create_bot(State(admin): State<Admin>) -> Json<TelegramBot> {
    Json(admin.create_telegram_bot())
}

async fn create_chats(State(admin): State<Admin>, Body(new): Body<NewTelegramChats>) -> Answered {
    let chats = admin.create_telegram_chats(&new)?;
    Ok(Json(json!({ "chats": chats })))
}

/// One act on a bot.
#[derive(Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
enum BotAct {
    Revoke,
    Freeze { frozen: bool },
    Webhook { url: String, secret: String },
}

async fn change_bot(
    State(admin): State<Admin>,
    Path(id): Path<i64>,
    Body(act): Body<BotAct>,
) -> Answered {
    match act {
        BotAct::Revoke => {
            let token = admin.revoke_telegram_token(id)?;
            return Ok(Json(json!({ "token": token })));
        }
        BotAct::Freeze { frozen } => admin.freeze_telegram_bot(id, frozen),
        BotAct::Webhook { url, secret } => admin.set_telegram_webhook(id, &url, &secret),
    }?;
    Ok(Json(json!({ "ok": true })))
}

/// One act on a chat.
#[derive(Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
enum ChatAct {
    Role { bot: i64, role: TelegramRole },
    State { state: TelegramChatState },
    Post { text: String },
}

async fn change_chat(
    State(admin): State<Admin>,
    Path(id): Path<i64>,
    Body(act): Body<ChatAct>,
) -> Answered {
    match act {
        ChatAct::Role { bot, role } => admin.set_telegram_role(id, bot, role),
        ChatAct::State { state } => admin.set_telegram_chat_state(id, state),
        ChatAct::Post { text } => {
            let post = admin.post_on_telegram(id, &text)?;
            return Ok(Json(json!({ "remote_id": post })));
        }
    }?;
    Ok(Json(json!({ "ok": true })))
}

async fn settings(State(admin): State<Admin>) -> Json<TelegramSettings> {
    Json(admin.telegram_settings())
}

async fn set_settings(
    State(admin): State<Admin>,
    Body(new): Body<TelegramSettings>,
) -> Json<TelegramSettings> {
    admin.set_telegram_settings(new);
    Json(admin.telegram_settings())
}
