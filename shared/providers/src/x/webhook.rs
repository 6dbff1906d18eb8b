//! What X sends on its own: the handshake (CRC), and events of the X Activity API. Both are signed with the app's
//! API secret key, which is not the OAuth 2.0 client secret: where the app has it on record as its webhook secret, it
//! comes as [`Inbound::verify_token`]; otherwise the client secret is tried.
//!
//! There is no timestamp in what is signed, so a repetition is told by the event's own id alone.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::Method;
use serde::Deserialize;
use serde_json::json;
use sha2::Sha256;

use super::words;
use crate::inbound::{Inbound, InboundRefused, News, NewsKind, Received, Reply};

const SIGNATURE: &str = "x-twitter-webhooks-signature";

/// Verifies and reads one call.
pub(super) fn receive(call: &Inbound<'_>) -> Result<Received, InboundRefused> {
    if *call.method == Method::GET {
        return handshake(call);
    }
    let given = call
        .headers
        .get(SIGNATURE)
        .ok_or(InboundRefused::Unsigned)?;
    let given = given.to_str().map_err(|_| InboundRefused::Forged)?;
    let given = given
        .strip_prefix("sha256=")
        .ok_or(InboundRefused::Forged)?;
    let bytes = STANDARD.decode(given).map_err(|_| InboundRefused::Forged)?;
    mac(call, call.body)
        .verify_slice(&bytes)
        .map_err(|_| InboundRefused::Forged)?;
    let body: Body =
        serde_json::from_slice(call.body).map_err(|_| InboundRefused::Unreadable("event"))?;
    Ok(Received {
        reply: Reply::ok(),
        news: body.data.into_iter().filter_map(Event::news).collect(),
    })
}

/// `GET ?crc_token=`: the answer proves that we know the secret.
fn handshake(call: &Inbound<'_>) -> Result<Received, InboundRefused> {
    let token = call.query.iter().find(|(name, _)| name == "crc_token");
    let (_, token) = token.ok_or(InboundRefused::Unreadable("handshake"))?;
    let signed = mac(call, token.as_bytes()).finalize().into_bytes();
    let answer = json!({ "response_token": format!("sha256={}", STANDARD.encode(signed)) });
    Ok(Received {
        reply: Reply::json(&answer),
        news: Vec::new(),
    })
}

fn mac(call: &Inbound<'_>, message: &[u8]) -> Hmac<Sha256> {
    let secret = call.verify_token.unwrap_or(&call.app.client_secret);
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
        .expect("HMAC takes keys of every length");
    mac.update(message);
    mac
}

#[derive(Deserialize)]
struct Body {
    /// Other products send other bodies to the same address: they are no news here.
    data: Option<Event>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Event {
    #[serde(rename = "event_uuid")]
    uuid: String,
    #[serde(rename = "event_type")]
    kind: String,
    payload: Payload,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Payload {
    /// Of a post.
    id: String,
    author_id: String,
    /// Of a user.
    user_id: String,
    date_time: Option<String>,
}

impl Event {
    fn news(self) -> Option<News> {
        let Payload {
            id,
            author_id,
            user_id,
            date_time,
        } = self.payload;
        let post = || words::is_id(&id).then(|| id.clone());
        let (account, what) = match self.kind.as_str() {
            "oauth.revoke" => (user_id, NewsKind::AccessRevoked),
            "post.create" => (author_id, NewsKind::PostAppeared { remote_id: post()? }),
            "post.delete" => (author_id, NewsKind::PostRemoved { remote_id: post()? }),
            // The user's name and badge: a check tells what is new.
            kind if kind.starts_with("profile.update.") => (user_id, NewsKind::AccountChanged),
            _ => return None,
        };
        if !words::is_id(&account) || self.uuid.is_empty() {
            return None;
        }
        let at = date_time.and_then(|text| chrono::DateTime::parse_from_rfc3339(&text).ok());
        Some(News {
            account,
            what,
            at: at.map(|at| at.to_utc()),
            key: self.uuid,
        })
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};
    use mooring_domain::time::from_ms;
    use mooring_vault::Secret;

    use super::*;
    use crate::provider::AppCredentials;

    fn app() -> AppCredentials {
        AppCredentials {
            client_id: "id".to_owned(),
            client_secret: Secret::from("client-secret"),
        }
    }

    fn receive_with(
        secret: Option<&str>,
        method: &Method,
        query: &[(String, String)],
        signature: Option<&str>,
        body: &str,
    ) -> Result<Received, InboundRefused> {
        let mut headers = HeaderMap::new();
        if let Some(signature) = signature {
            let value = HeaderValue::from_str(signature).expect("a header's value");
            headers.insert(SIGNATURE, value);
        }
        let secret = secret.map(Secret::from);
        receive(&Inbound {
            kind: crate::inbound::InboundKind::Notification,
            method,
            query,
            headers: &headers,
            body: body.as_bytes(),
            app: &app(),
            verify_token: secret.as_ref(),
            status_url: None,
            now: from_ms(1_795_446_000_000),
        })
    }

    #[test]
    fn the_handshake_is_answered_with_the_secrets_word() {
        let query = [("crc_token".to_owned(), "T".to_owned())];
        let received =
            receive_with(Some("consumer"), &Method::GET, &query, None, "").expect("an answer");
        // printf T | openssl dgst -sha256 -hmac consumer -binary | base64
        assert_eq!(
            received.reply.body,
            r#"{"response_token":"sha256=gXJHqaNJTMNhTk9n0n2jC5YT6R9i2TtUJybXlvpRUCA="}"#
        );
        assert!(receive_with(None, &Method::GET, &[], None, "").is_err());
    }

    #[test]
    fn only_what_our_secret_has_signed_is_believed() {
        let body = r#"{"data":{"event_uuid":"-27","event_type":"oauth.revoke","payload":{"date_time":"2026-07-23T21:44:05+00:00","user_id":"1111111111111111111","app_id":"29820954"}}}"#;
        let post = Method::POST;
        let mut mac = Hmac::<Sha256>::new_from_slice(b"client-secret").expect("a key");
        mac.update(body.as_bytes());
        let good = format!("sha256={}", STANDARD.encode(mac.finalize().into_bytes()));
        let received = receive_with(None, &post, &[], Some(&good), body).expect("news");
        let news = &received.news[0];
        assert_eq!(
            (news.account.as_str(), &news.what, news.key.as_str()),
            ("1111111111111111111", &NewsKind::AccessRevoked, "-27")
        );
        assert_eq!(news.at.map(|at| at.timestamp()), Some(1_784_843_045));
        assert_eq!(
            receive_with(None, &post, &[], None, body),
            Err(InboundRefused::Unsigned)
        );
        for forged in ["sha256=AAAA", "nonsense", "sha256=!"] {
            assert_eq!(
                receive_with(None, &post, &[], Some(forged), body),
                Err(InboundRefused::Forged),
                "{forged}"
            );
        }
        assert_eq!(
            receive_with(Some("another"), &post, &[], Some(&good), body),
            Err(InboundRefused::Forged)
        );
    }

    #[test]
    fn events_become_news_and_what_is_not_known_becomes_none() {
        let event = |kind: &str, payload: serde_json::Value| {
            let value = json!({ "event_uuid": "5", "event_type": kind, "payload": payload });
            serde_json::from_value::<Event>(value)
                .expect("an event")
                .news()
        };
        let gone = event("post.delete", json!({ "id": "7", "author_id": "1" })).expect("news");
        assert_eq!(
            gone.what,
            NewsKind::PostRemoved {
                remote_id: "7".to_owned()
            }
        );
        assert_eq!(gone.account, "1");
        assert!(event("post.create", json!({ "id": "7", "author_id": "1" })).is_some());
        assert!(event("post.delete", json!({ "id": "../7", "author_id": "1" })).is_none());
        assert!(event("chat.received", json!({ "user_id": "1" })).is_none());
    }
}
