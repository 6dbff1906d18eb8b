//! Webhooks: the challenge, and signed notifications of social actions on organizations' posts.
//!
//! LinkedIn tells of likes, comments and shares, never of posts that appear or disappear nor of permissions, so a
//! verified notification is acknowledged and carries no news for the house.

use hmac::{Hmac, KeyInit as _, Mac as _};
use http::Method;
use mooring_vault::Secret;
use serde_json::json;
use sha2::Sha256;

use super::wire::Notifications;
use crate::inbound::{Inbound, InboundKind, InboundRefused, Received, Reply};

/// The one kind of notification.
const KIND: &str = "ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS";
/// What stands before the body in the text that is signed.
const PREFIX: &[u8] = b"hmacsha256=";

/// Verifies and answers a call.
pub(super) fn receive(call: &Inbound<'_>) -> Result<Received, InboundRefused> {
    if call.kind != InboundKind::Notification {
        return Err(InboundRefused::NoneExpected);
    }
    if *call.method == Method::GET {
        return challenge(call);
    }
    let signature = call.headers.get("x-li-signature");
    let signature = signature.ok_or(InboundRefused::Unsigned)?;
    // In hex, and some say with the prefix that is signed.
    let text = signature.to_str().map_err(|_| InboundRefused::Forged)?;
    let text = text.strip_prefix("hmacsha256=").unwrap_or(text);
    let given = hex::decode(text).map_err(|_| InboundRefused::Forged)?;
    let mut mac = mac(&call.app.client_secret);
    mac.update(PREFIX);
    mac.update(call.body);
    mac.verify_slice(&given)
        .map_err(|_| InboundRefused::Forged)?;
    let told: Notifications = serde_json::from_slice(call.body)
        .map_err(|_| InboundRefused::Unreadable("LinkedIn notification"))?;
    if told.kind == KIND {
        tracing::debug!(
            event.name = "webhook.social_actions",
            mooring.count = told.notifications.len(),
            "LinkedIn tells of social actions, which are no news to us"
        );
    }
    Ok(Received {
        reply: Reply::ok(),
        news: Vec::new(),
    })
}

/// `?challengeCode=…` is answered within three seconds by the code and its HMAC, and again every two hours.
fn challenge(call: &Inbound<'_>) -> Result<Received, InboundRefused> {
    let named = call.query.iter().find(|(name, _)| name == "challengeCode");
    let (_, code) = named.ok_or(InboundRefused::Unreadable("LinkedIn challenge"))?;
    let mut mac = mac(&call.app.client_secret);
    mac.update(code.as_bytes());
    let response = hex::encode(mac.finalize().into_bytes());
    let reply = Reply::json(&json!({ "challengeCode": code, "challengeResponse": response }));
    Ok(Received {
        reply,
        news: Vec::new(),
    })
}

fn mac(secret: &Secret) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
        .expect("HMAC takes keys of every length")
}
