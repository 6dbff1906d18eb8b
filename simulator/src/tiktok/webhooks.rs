//! Events to an app's callback URL, signed as the platform signs them.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::ledger::Platform;
use crate::outbox::Delivery;
use crate::world::World;

/// Sends an event. `content` travels as a string of JSON.
pub(super) fn send(world: &mut World, app: &str, event: &str, user: &str, content: &Value) {
    let Some(known) = world.tiktok.apps.get(app) else {
        return;
    };
    let Some(url) = known.callback_url.clone() else {
        return;
    };
    let time = world.now / 1000;
    let body = json!({
        "client_key": app,
        "event": event,
        "create_time": time,
        "user_openid": user,
        "content": content.to_string(),
    });
    let body = body.to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(known.secret.as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(format!("{time}.{body}").as_bytes());
    let signature = hex::encode(mac.finalize().into_bytes());
    let headers = vec![
        ("Content-Type".to_owned(), "application/json".to_owned()),
        (
            "TikTok-Signature".to_owned(),
            format!("t={time},s={signature}"),
        ),
    ];
    world.outbox.send(Delivery {
        platform: Platform::TikTok,
        method: "POST",
        url,
        headers,
        body,
        answer: None,
    });
}
