//! What Telegram tells: a bot's role that changed, and posts of channels.
//!
//! Nothing is signed. A word that we gave (`secret_token` of `setWebhook`) comes back in a header, so whoever knows
//! it can write what he likes, and a copy of a call is as good as the call: news are hints, and a check believes only
//! what it sees. Deletions are not told; whether a bot is told of its own posts nobody says, and either is right here.

use hmac::{Hmac, KeyInit as _, Mac as _};
use mooring_vault::Secret;
use sha2::Sha256;

use super::wire::{Posted, Update};
use crate::{
    inbound::{Inbound, InboundKind, InboundRefused, News, NewsKind, Received, Reply},
    provider::AppCredentials,
    wire::unix,
};

const HEADER: &str = "x-telegram-bot-api-secret-token";

/// The `secret_token` to give to `setWebhook`: 64 hex digits, the same whenever they are asked for. Telegram knows no
/// apps: the app is what an operator registered here for all bots, and its secret is not sent anywhere itself.
#[must_use]
pub fn telegram_webhook_secret(app: &AppCredentials) -> Secret {
    let key = app.client_secret.expose().as_bytes();
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
    mac.update(b"mooring telegram secret_token v1");
    Secret::from(hex::encode(mac.finalize().into_bytes()))
}

/// Verifies and reads an update.
pub(super) fn receive(call: &Inbound<'_>) -> Result<Received, InboundRefused> {
    if call.kind != InboundKind::Notification {
        return Err(InboundRefused::NoneExpected);
    }
    let header = call.headers.get(HEADER).ok_or(InboundRefused::Unsigned)?;
    let given = header.to_str().map_err(|_| InboundRefused::Forged)?;
    // Secrets are compared in constant time.
    if Secret::from(given) != telegram_webhook_secret(call.app) {
        return Err(InboundRefused::Forged);
    }
    let update: Update = serde_json::from_slice(call.body)
        .map_err(|_| InboundRefused::Unreadable("Telegram update"))?;
    Ok(Received {
        reply: Reply::ok(),
        news: news(update),
    })
}

/// An update is one piece of news or none. Its number is its bot's, so its chat stands beside it in the key.
fn news(update: Update) -> Vec<News> {
    let number = update.number;
    let (chat, what, at) = if let Some(changed) = update.my_chat_member {
        (changed.chat.id, NewsKind::PermissionsChanged, changed.date)
    } else if let Some(post) = update.channel_post {
        let remote_id = remote_id(&post);
        let what = NewsKind::PostAppeared { remote_id };
        (post.chat.id, what, post.date)
    } else if let Some(post) = update.edited_channel_post {
        let remote_id = remote_id(&post);
        let what = NewsKind::PostChanged { remote_id };
        (post.chat.id, what, post.edit_date.unwrap_or(post.date))
    } else {
        return Vec::new();
    };
    vec![News {
        account: chat.to_string(),
        what,
        at: unix(at),
        key: format!("update:{chat}:{number}"),
    }]
}

fn remote_id(post: &Posted) -> String {
    format!("{}/{}", post.chat.id, post.message_id)
}
