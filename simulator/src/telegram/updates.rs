//! Updates to a bot's webhook. Nothing is signed: a word that the bot gave comes back in a header.

use serde_json::{Value, json};

use super::{TelegramRole, chats, params::Params};
use crate::call::{Answer, Call};
use crate::ledger::Platform;
use crate::outbox::Delivery;
use crate::world::World;

/// Where a bot's updates go.
#[derive(Clone)]
pub(super) struct Webhook {
    pub(super) url: String,
    pub(super) secret: Option<String>,
}

/// `setWebhook`.
pub(super) fn set_webhook(world: &mut World, call: &Call) -> Answer {
    let params = Params::read(call);
    let url = params.text_or_empty("url").into_owned();
    let secret = params.text("secret_token").map(str::to_owned);
    let letter = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    let fits = |s: &String| (1..=256).contains(&s.len()) && s.bytes().all(letter);
    if secret.as_ref().is_some_and(|s| !fits(s)) {
        return super::errors::bad_request("secret token contains unallowed characters");
    }
    let webhook = (!url.is_empty()).then_some(Webhook { url, secret });
    set(world, call, webhook)
}

/// `deleteWebhook`.
pub(super) fn delete_webhook(world: &mut World, call: &Call) -> Answer {
    set(world, call, None)
}

fn set(world: &mut World, call: &Call, webhook: Option<Webhook>) -> Answer {
    let id = world.telegram.bot(super::token(call)).map(|(id, _)| id);
    if let Some(bot) = id.and_then(|id| world.telegram.bots.get_mut(&id)) {
        bot.webhook = webhook;
    }
    chats::ok(&true.into())
}

/// `getWebhookInfo`.
pub(super) fn webhook_info(world: &mut World, call: &Call) -> Answer {
    let bot = world.telegram.bot(super::token(call));
    let url = bot.and_then(|(_, bot)| bot.webhook.as_ref());
    let url = url.map_or("", |webhook| webhook.url.as_str());
    chats::ok(&json!({
        "url": url, "has_custom_certificate": false, "pending_update_count": 0,
        "max_connections": 40,
    }))
}

/// Tells every bot of a channel that it is an administrator of.
pub(super) fn tell(world: &mut World, chat: i64, kind: &'static str, payload: &Value) {
    let roles = world.telegram.chats.get(&chat).map(|c| &c.roles);
    let admins = roles.into_iter().flatten();
    let admins = admins.filter(|(_, r)| matches!(r, TelegramRole::Administrator { .. }));
    let bots: Vec<i64> = admins.map(|(bot, _)| *bot).collect();
    for bot in bots {
        send(world, bot, kind, payload);
    }
}

/// Tells a bot that its own role was changed, by whom it was not changed itself.
pub(super) fn role_changed(
    world: &mut World,
    chat: i64,
    bot: i64,
    (old, new): (TelegramRole, TelegramRole),
) {
    let Some(entity) = world.telegram.chats.get(&chat) else {
        return;
    };
    let payload = json!({
        "chat": chats::entity(chat, entity),
        "from": { "id": 77, "is_bot": false, "first_name": "Owner" },
        "date": world.now / 1000,
        "old_chat_member": chats::role_entity(world, bot, old),
        "new_chat_member": chats::role_entity(world, bot, new),
    });
    send(world, bot, "my_chat_member", &payload);
}

fn send(world: &mut World, bot: i64, kind: &'static str, payload: &Value) {
    let Some(known) = world.telegram.bots.get_mut(&bot) else {
        return;
    };
    let Some(webhook) = known.webhook.clone() else {
        return;
    };
    known.last_update += 1;
    let body = json!({ "update_id": known.last_update, kind: payload }).to_string();
    let mut headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
    headers.extend(
        webhook
            .secret
            .map(|secret| ("X-Telegram-Bot-Api-Secret-Token".to_owned(), secret)),
    );
    world.outbox.send(Delivery {
        platform: Platform::Telegram,
        method: "POST",
        url: webhook.url,
        headers,
        body,
        answer: None,
    });
}
