//! What Meta sends on its own: webhooks with their handshake, and the two callbacks with a signed request.
//!
//! Webhooks are signed over their raw bytes with the app's secret (`X-Hub-Signature-256`) and carry no time of their
//! own signing: what is told twice is recognised by its key. A signed request is a form field: signature and payload,
//! both base64url, and the signature is over the payload as it is encoded.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use hmac::{Hmac, KeyInit as _, Mac as _};
use mooring_vault::Secret;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::form_urlencoded;

use super::wire_media::id;
use crate::{
    inbound::{Inbound, InboundKind, InboundRefused, News, NewsKind, Received, Reply},
    wire::unix,
};

/// How old a signed request may be: Meta tries webhooks for 36 hours, and says nothing about these.
const OLDEST: TimeDelta = TimeDelta::hours(36);
/// How far Meta's clock may be ahead of ours.
const AHEAD: TimeDelta = TimeDelta::minutes(10);

/// Verifies and reads a call.
pub(super) fn receive(call: &Inbound<'_>) -> Result<Received, InboundRefused> {
    match call.kind {
        InboundKind::Notification if call.method == http::Method::GET => handshake(call),
        InboundKind::Notification => notification(call),
        InboundKind::Deauthorize => deauthorize(call),
        InboundKind::DataDeletion => data_deletion(call),
    }
}

/// `hub.challenge` comes back when the word is the one that we told the platform.
fn handshake(call: &Inbound<'_>) -> Result<Received, InboundRefused> {
    let value = |name: &str| {
        let found = call.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    };
    let (Some("subscribe"), Some(challenge)) = (value("hub.mode"), value("hub.challenge")) else {
        return Err(InboundRefused::Unreadable("handshake"));
    };
    let told = value("hub.verify_token").ok_or(InboundRefused::Unsigned)?;
    let ours = call.verify_token.ok_or(InboundRefused::Unsigned)?;
    if !is_same(ours.expose(), told) {
        return Err(InboundRefused::Forged);
    }
    Ok(Received {
        reply: Reply::text(challenge.to_owned()),
        news: Vec::new(),
    })
}

/// A body of webhooks, up to a thousand changes. What we do not know is passed over: refusing it would have the whole
/// batch sent again for 36 hours.
fn notification(call: &Inbound<'_>) -> Result<Received, InboundRefused> {
    let header = call.headers.get("x-hub-signature-256");
    let header = header.and_then(|value| value.to_str().ok());
    let header = header.ok_or(InboundRefused::Unsigned)?;
    let signature = header
        .strip_prefix("sha256=")
        .and_then(|hex| hex::decode(hex).ok());
    let signature = signature.ok_or(InboundRefused::Forged)?;
    verify(&call.app.client_secret, call.body, &signature)?;
    let unreadable = |_| InboundRefused::Unreadable("list of changes");
    let body: Body = serde_json::from_slice(call.body).map_err(unreadable)?;
    let entries = body.entry.iter();
    let news = entries.flat_map(|entry| {
        let changes = entry.changes.iter();
        changes.filter_map(|change| read(&body.object, entry, change))
    });
    Ok(Received {
        reply: Reply::ok(),
        news: news.collect(),
    })
}

#[derive(Deserialize)]
struct Body {
    object: String,
    #[serde(default)]
    entry: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(deserialize_with = "id")]
    id: String,
    /// Unix seconds of the sending: another one when it is sent again.
    #[serde(default)]
    time: Option<i64>,
    #[serde(default)]
    changes: Vec<Value>,
}

fn read(object: &str, entry: &Entry, change: &Value) -> Option<News> {
    match object {
        "page" => feed(entry, change),
        "permissions" => permission(entry, change),
        _ => None,
    }
}

/// A change of a page's feed, as far as it is about a post itself and not about comments on it.
fn feed(entry: &Entry, change: &Value) -> Option<News> {
    const POSTS: [&str; 8] = [
        "status", "post", "photo", "video", "share", "link", "album", "event",
    ];
    let value = &change["value"];
    let is_post = value["item"]
        .as_str()
        .is_some_and(|item| POSTS.contains(&item));
    if change["field"] != "feed" || !is_post || !value["comment_id"].is_null() {
        return None;
    }
    let remote_id = text(&value["post_id"])?;
    let what = match value["verb"].as_str()? {
        // What is not public has not appeared.
        "add" if value["published"] == 0 => return None,
        "add" => NewsKind::PostAppeared { remote_id },
        "edit" | "edited" | "hide" | "unhide" | "update" => NewsKind::PostChanged { remote_id },
        "remove" => NewsKind::PostRemoved { remote_id },
        _ => return None,
    };
    // A post appears once and goes once; it may be changed to the same words twice.
    let moment = match what {
        NewsKind::PostChanged { .. } => entry.time,
        _ => None,
    };
    Some(News {
        account: entry.id.clone(),
        at: entry.time.and_then(unix),
        key: key("page", &entry.id, change, moment),
        what,
    })
}

/// A permission that came or went. Told twice it is looked at twice, which costs one check.
fn permission(entry: &Entry, change: &Value) -> Option<News> {
    let verb = change["value"]["verb"]
        .as_str()
        .or(change["verb"].as_str())?;
    let field = change["field"].as_str()?;
    let what = match (field, verb) {
        ("connected", "revoked") => NewsKind::AccessRevoked,
        _ => NewsKind::PermissionsChanged,
    };
    Some(News {
        account: entry.id.clone(),
        what,
        at: entry.time.and_then(unix),
        key: key("permissions", &entry.id, change, entry.time),
    })
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A person took our app away.
fn deauthorize(call: &Inbound<'_>) -> Result<Received, InboundRefused> {
    let request = signed_request(call)?;
    Ok(Received {
        reply: Reply::ok(),
        news: vec![News {
            key: key(
                "deauthorize",
                &request.user_id,
                &Value::Null,
                Some(request.issued_at),
            ),
            account: request.user_id,
            what: NewsKind::AccessRevoked,
            at: unix(request.issued_at),
        }],
    })
}

/// A person wants their data deleted. The code is the same whenever the same request comes.
fn data_deletion(call: &Inbound<'_>) -> Result<Received, InboundRefused> {
    let request = signed_request(call)?;
    let status = call.status_url.ok_or(InboundRefused::NoneExpected)?;
    let issued_at = request.issued_at;
    let words = format!("data_deletion|{}|{issued_at}", request.user_id);
    let mut confirmation = hex::encode(
        mac(&call.app.client_secret, words.as_bytes())
            .finalize()
            .into_bytes(),
    );
    confirmation.truncate(24);
    let mut url = status.clone();
    url.query_pairs_mut().append_pair("code", &confirmation);
    let answer = json!({ "url": url.as_str(), "confirmation_code": confirmation });
    Ok(Received {
        reply: Reply::json(&answer),
        news: vec![News {
            key: key(
                "data_deletion",
                &request.user_id,
                &Value::Null,
                Some(issued_at),
            ),
            account: request.user_id,
            what: NewsKind::DataDeletion { confirmation },
            at: unix(issued_at),
        }],
    })
}

#[derive(Deserialize)]
struct SignedRequest {
    #[serde(deserialize_with = "id")]
    user_id: String,
    #[serde(default)]
    algorithm: String,
    #[serde(deserialize_with = "whole_seconds")]
    issued_at: i64,
}

/// Seconds, which old samples give with a fraction.
fn whole_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let number = serde_json::Number::deserialize(deserializer)?;
    let text = number.to_string();
    let whole = text.split('.').next().unwrap_or_default();
    whole.parse().map_err(serde::de::Error::custom)
}

fn signed_request(call: &Inbound<'_>) -> Result<SignedRequest, InboundRefused> {
    let mut fields = form_urlencoded::parse(call.body);
    let field = fields.find(|(name, _)| name == "signed_request");
    let (_, signed) = field.ok_or(InboundRefused::Unsigned)?;
    let (signature, payload) = signed.split_once('.').ok_or(InboundRefused::Unsigned)?;
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text.trim_end_matches('='));
    let signature = decode(signature).map_err(|_| InboundRefused::Forged)?;
    verify(&call.app.client_secret, payload.as_bytes(), &signature)?;
    let unreadable = InboundRefused::Unreadable("signed request");
    let payload = decode(payload).map_err(|_| unreadable.clone())?;
    let request: SignedRequest =
        serde_json::from_slice(&payload).map_err(|_| unreadable.clone())?;
    if !request.algorithm.eq_ignore_ascii_case("HMAC-SHA256") {
        return Err(unreadable);
    }
    let issued = unix(request.issued_at).ok_or(unreadable)?;
    if issued < call.now - OLDEST || issued > call.now + AHEAD {
        return Err(InboundRefused::Stale);
    }
    Ok(request)
}

fn mac(secret: &Secret, message: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
        .expect("HMAC takes keys of every length");
    mac.update(message);
    mac
}

/// In the same time for every wrong signature.
fn verify(secret: &Secret, message: &[u8], signature: &[u8]) -> Result<(), InboundRefused> {
    let right = mac(secret, message).verify_slice(signature);
    right.map_err(|_| InboundRefused::Forged)
}

/// Compares two words by their digests, so that the time taken tells nothing of them.
fn is_same(one: &str, other: &str) -> bool {
    Sha256::digest(one.as_bytes()) == Sha256::digest(other.as_bytes())
}

/// A name for one piece of news; `moment` where the same words may be new.
fn key(object: &str, id: &str, change: &Value, moment: Option<i64>) -> String {
    let words = format!("{object}|{id}|{change}|{}", moment.unwrap_or_default());
    hex::encode(Sha256::digest(words.as_bytes()))
}

#[cfg(test)]
#[path = "inbound_test.rs"]
mod tests;
