//! Webhooks: `TikTok-Signature: t=…,s=…` over the time, a dot and the raw body.

use chrono::TimeDelta;
use hmac::{Hmac, KeyInit as _, Mac as _};
use mooring_domain::Time;
use serde_json::Value;
use sha2::Sha256;

use super::{
    map,
    wire::{Event, EventContent, id},
};
use crate::{
    inbound::{Inbound, InboundKind, InboundRefused, News, NewsKind, Received, Reply},
    wire::unix,
};

/// TikTok sends again for up to 72 hours, and does not say whether it signs anew. What is told twice has the same key.
const OLDEST: TimeDelta = TimeDelta::hours(73);
/// How far its clock may be ahead of ours.
const AHEAD: TimeDelta = TimeDelta::minutes(5);

/// Verifies and reads a webhook.
pub(super) fn receive(call: &Inbound<'_>) -> Result<Received, InboundRefused> {
    if call.kind != InboundKind::Notification || call.method != http::Method::POST {
        return Err(InboundRefused::NoneExpected);
    }
    verify(call)?;
    let unreadable = |_| InboundRefused::Unreadable("TikTok event");
    let event: Event = serde_json::from_slice(call.body).map_err(unreadable)?;
    if event.client_key != call.app.client_id {
        return Err(InboundRefused::Forged);
    }
    let content: EventContent = if event.content.is_empty() {
        EventContent::default()
    } else {
        serde_json::from_str(&event.content).map_err(unreadable)?
    };
    Ok(Received {
        reply: Reply::ok(),
        news: news(&event, &content),
    })
}

fn verify(call: &Inbound<'_>) -> Result<(), InboundRefused> {
    let header = call
        .headers
        .get("tiktok-signature")
        .and_then(|value| value.to_str().ok());
    let header = header.ok_or(InboundRefused::Unsigned)?;
    let part = |name: &str| {
        let mut parts = header
            .split(',')
            .filter_map(|part| part.trim().split_once('='));
        parts.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let (time, signature) = part("t").zip(part("s")).ok_or(InboundRefused::Unsigned)?;
    let signature = hex::decode(signature).map_err(|_| InboundRefused::Forged)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(call.app.client_secret.expose().as_bytes())
        .expect("HMAC takes keys of every length");
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(call.body);
    mac.verify_slice(&signature)
        .map_err(|_| InboundRefused::Forged)?;
    let signed_at = time
        .parse()
        .ok()
        .and_then(unix)
        .ok_or(InboundRefused::Forged)?;
    let age = call.now - signed_at;
    if age > OLDEST || age < -AHEAD {
        return Err(InboundRefused::Stale);
    }
    Ok(())
}

fn news(event: &Event, content: &EventContent) -> Vec<News> {
    let at: Option<Time> = unix(event.create_time);
    let handle = content.publish_id.clone();
    let post = id(&content.post_id);
    let kinds = match (event.event.as_str(), handle, post) {
        ("authorization.removed", ..) => removed(&content.reason),
        ("post.publish.complete", Some(handle), _) => vec![NewsKind::OrderPublished {
            handle,
            remote_id: None,
        }],
        (
            "post.publish.publicly_available" | "post.publish.publicaly_available",
            Some(handle),
            id,
        ) => {
            vec![NewsKind::OrderPublished {
                handle,
                remote_id: id,
            }]
        }
        ("post.publish.failed", Some(handle), _) => {
            let reason = content.reason.as_str().unwrap_or_default();
            let failure = map::failed(reason);
            vec![NewsKind::OrderFailed { handle, failure }]
        }
        (
            "post.publish.no_longer_publicaly_available"
            | "post.publish.no_longer_publicly_available",
            _,
            Some(remote_id),
        ) => vec![NewsKind::PostRemoved { remote_id }],
        // Drafts, the old share kit, and what is new: nothing of ours.
        _ => Vec::new(),
    };
    let about = content.publish_id.as_deref().unwrap_or_default();
    let named = |(n, what)| News {
        account: event.user_openid.clone(),
        what,
        at,
        key: format!(
            "{}:{}:{about}:{}:{n}",
            event.event, event.user_openid, event.create_time
        ),
    };
    kinds.into_iter().enumerate().map(named).collect()
}

/// The authorization is gone in any case; 2 to 4 (account deleted, its age changed, banned) are about the account.
fn removed(reason: &Value) -> Vec<NewsKind> {
    let mut news = vec![NewsKind::AccessRevoked];
    if matches!(reason.as_u64(), Some(2..=4)) {
        news.push(NewsKind::AccountChanged);
    }
    news
}
