//! News of the hub (`WebSub`): handshakes, and signed Atom feeds about a channel's videos.
//!
//! Nothing tells of revoked credentials. Deletions come as `at:deleted-entry` (RFC 6721). The signature is HMAC-SHA1
//! over the raw body, with the secret that was given when the subscription was made; ours is derived from the app's,
//! so that Google's hub never sees that one.

use hmac::{Hmac, KeyInit as _, Mac as _};
use mooring_domain::Time;
use mooring_vault::Secret;
use sha1::Sha1;
use sha2::Sha256;

use crate::{
    inbound::{Inbound, InboundKind, InboundRefused, News, NewsKind, Received, Reply},
    provider::AppCredentials,
};

/// The feed of a channel, without the channel's id.
const TOPICS: [&str; 2] = [
    "https://www.youtube.com/xml/feeds/videos.xml?channel_id=",
    "https://www.youtube.com/feeds/videos.xml?channel_id=",
];
/// An entry whose times are so close is about a new video; later ones are about a changed title or description.
const NEW_WITHIN: chrono::TimeDelta = chrono::TimeDelta::seconds(60);

/// The `hub.secret` to give when subscribing: 64 hex digits, the same whenever they are asked for.
#[must_use]
pub fn youtube_hub_secret(app: &AppCredentials) -> Secret {
    let key = app.client_secret.expose().as_bytes();
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
    mac.update(b"mooring youtube hub.secret v1");
    Secret::from(hex::encode(mac.finalize().into_bytes()))
}

/// Verifies and reads a call of the hub.
pub(super) fn receive(call: &Inbound<'_>) -> Result<Received, InboundRefused> {
    if call.kind != InboundKind::Notification {
        return Err(InboundRefused::NoneExpected);
    }
    if *call.method == http::Method::GET {
        return handshake(call);
    }
    verify(call)?;
    let text = std::str::from_utf8(call.body).map_err(|_| InboundRefused::Unreadable("feed"))?;
    Ok(Received {
        reply: Reply::ok(),
        news: news(text)?,
    })
}

/// Repeats the challenge, if it is about a channel's feed and carries the word that we gave (where we gave one).
fn handshake(call: &Inbound<'_>) -> Result<Received, InboundRefused> {
    let value = |name: &str| {
        let pair = call.query.iter().find(|(key, _)| key == name);
        pair.map(|(_, value)| value.as_str())
    };
    let unreadable = InboundRefused::Unreadable("handshake");
    let topic = value("hub.topic").unwrap_or_default();
    if !TOPICS.iter().any(|prefix| topic.starts_with(prefix)) {
        return Err(unreadable);
    }
    if let Some(word) = call.verify_token
        && value("hub.verify_token").map(Secret::from).as_ref() != Some(word)
    {
        return Err(InboundRefused::Forged);
    }
    match value("hub.challenge") {
        Some(challenge) => Ok(Received {
            reply: Reply::text(challenge.to_owned()),
            news: Vec::new(),
        }),
        None => Err(unreadable),
    }
}

fn verify(call: &Inbound<'_>) -> Result<(), InboundRefused> {
    let header = call.headers.get("x-hub-signature");
    let header = header.ok_or(InboundRefused::Unsigned)?;
    let digits = header
        .to_str()
        .ok()
        .and_then(|text| text.strip_prefix("sha1="));
    let signature = digits.and_then(|digits| hex::decode(digits).ok());
    let signature = signature.ok_or(InboundRefused::Forged)?;
    let secret = youtube_hub_secret(call.app);
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.expose().as_bytes())
        .expect("HMAC takes keys of every length");
    mac.update(call.body);
    mac.verify_slice(&signature)
        .map_err(|_| InboundRefused::Forged)
}

/// Reads a feed: entries, and entries that were deleted. Its form is the hub's own and small.
fn news(feed: &str) -> Result<Vec<News>, InboundRefused> {
    let deleted = blocks(feed, "at:deleted-entry").map(deletion);
    let entries = blocks(feed, "entry").map(entry);
    let news: Option<Vec<News>> = deleted.chain(entries).collect();
    news.filter(|news| !news.is_empty())
        .ok_or(InboundRefused::Unreadable("feed"))
}

fn entry(block: &str) -> Option<News> {
    let id = text_of(block, "yt:videoId").filter(|id| is_id(id))?;
    let account = text_of(block, "yt:channelId").filter(|id| is_id(id))?;
    let updated = text_of(block, "updated");
    let at: Option<Time> = updated.and_then(|text| text.parse().ok());
    let published: Option<Time> = text_of(block, "published").and_then(|text| text.parse().ok());
    let is_new = matches!((at, published), (Some(at), Some(from)) if at - from <= NEW_WITHIN);
    let remote_id = id.to_owned();
    Some(News {
        account: account.to_owned(),
        key: format!("video:{id}:{}", updated.unwrap_or("now")),
        what: if is_new {
            NewsKind::PostAppeared { remote_id }
        } else {
            NewsKind::PostChanged { remote_id }
        },
        at,
    })
}

fn deletion(block: &str) -> Option<News> {
    let id = attribute(block, "ref")?
        .strip_prefix("yt:video:")
        .filter(|id| is_id(id))?;
    let (_, account) = text_of(block, "uri")?.rsplit_once("/channel/")?;
    let when = attribute(block, "when");
    Some(News {
        account: Some(account).filter(|id| is_id(id))?.to_owned(),
        what: NewsKind::PostRemoved {
            remote_id: id.to_owned(),
        },
        at: when.and_then(|text| text.parse().ok()),
        key: format!("video:{id}:deleted"),
    })
}

/// The elements of this name, each from its `<` to its end.
fn blocks<'f>(feed: &'f str, name: &str) -> impl Iterator<Item = &'f str> {
    let (open, close) = (format!("<{name}"), format!("</{name}>"));
    let mut rest = feed;
    std::iter::from_fn(move || {
        let from = rest.find(&open)?;
        let length = rest[from..].find(&close)?;
        let block = &rest[from..from + length];
        rest = &rest[from + length + close.len()..];
        Some(block)
    })
}

fn text_of<'b>(block: &'b str, name: &str) -> Option<&'b str> {
    let (_, after) = block.split_once(&format!("<{name}>"))?;
    after
        .split_once(&format!("</{name}>"))
        .map(|(text, _)| text.trim())
}

fn attribute<'b>(block: &'b str, name: &str) -> Option<&'b str> {
    let tag = block.split('>').next()?;
    let (_, after) = tag.split_once(&format!(" {name}=\""))?;
    after.split_once('"').map(|(value, _)| value)
}

fn is_id(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    !text.is_empty() && text.len() <= 64 && text.bytes().all(plain)
}
