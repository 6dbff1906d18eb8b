//! A channel that is connected already, with a bot of its own.

use super::NewTelegramChats;
use crate::admin::Admin;
use crate::sites::Account;

pub(super) fn connected(admin: &Admin, way: &str) -> Option<Account> {
    if way != "telegram" {
        return None;
    }
    let bot = admin.create_telegram_bot();
    let new = NewTelegramChats {
        bot: bot.id,
        ..NewTelegramChats::default()
    };
    let chat = admin.create_telegram_chats(&new).ok()?.pop()?;
    Some(Account {
        remote_id: chat.id.to_string(),
        remote_user_id: bot.id.to_string(),
        name: chat.title,
        destination_token: None,
        access_token: bot.token,
        refresh_token: None,
        binding: None,
        issued_at: admin.clock().now_ms(),
        access_expires_at: None,
        refresh_expires_at: None,
        scopes: None,
        app: None,
        host: None,
    })
}
