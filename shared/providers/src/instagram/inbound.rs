//! What Meta sends on its own: the handshake, signed events, and the two callbacks about a person.
//!
//! Facts (Graph API webhooks; Facebook Login, deauthorize and data deletion callbacks): events carry
//! `X-Hub-Signature-256`, HMAC-SHA256 of the raw body under the app's secret; a `signed_request` is
//! `base64url(signature).base64url(payload)`, signed over the encoded payload. Events come in batches, are sent
//! again for 36 hours, and have no id.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use hmac::{Hmac, KeyInit as _, Mac as _};
use mooring_domain::time::hours;
use mooring_vault::Secret;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::wire::Id;
use crate::{
    inbound::{Inbound, InboundKind, InboundRefused, News, NewsKind, Received, Reply},
    wire::unix,
};

/// A callback about a person is not sent again, so an old one is somebody's copy.
const OLDEST: TimeDelta = hours(24);

/// Verifies a call and answers it. `news` reads the events of one platform.
pub(crate) fn answer(
    call: &Inbound<'_>,
    news: impl Fn(&Value) -> Vec<News>,
) -> Result<Received, InboundRefused> {
    if call.kind != InboundKind::Notification {
        return news_of_person(call);
    }
    if *call.method == http::Method::GET {
        return handshake(call);
    }
    hub_signature(call)?;
    let body: Value =
        serde_json::from_slice(call.body).map_err(|_| InboundRefused::Unreadable("event"))?;
    Ok(Received {
        reply: Reply::ok(),
        news: news(&body),
    })
}

/// The platform asks whether the address is ours: the word that we agreed on comes in, the challenge goes back.
fn handshake(call: &Inbound<'_>) -> Result<Received, InboundRefused> {
    let value = |name: &str| {
        let found = call.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    };
    let challenge = value("hub.challenge").ok_or(InboundRefused::Unreadable("handshake"))?;
    let word = call.verify_token.map(Secret::expose);
    let agreed = word.filter(|word| !word.is_empty());
    // Compared by digests, so that the time it takes tells nothing about the word.
    let same = agreed
        .zip(value("hub.verify_token"))
        .is_some_and(|(ours, given)| {
            Sha256::digest(ours.as_bytes()) == Sha256::digest(given.as_bytes())
        });
    if !same || value("hub.mode") != Some("subscribe") {
        return Err(InboundRefused::Forged);
    }
    Ok(Received {
        reply: Reply::text(challenge.to_owned()),
        news: Vec::new(),
    })
}

/// Checks the signature over the body as it came.
fn hub_signature(call: &Inbound<'_>) -> Result<(), InboundRefused> {
    let header = call.headers.get("x-hub-signature-256");
    let header = header.ok_or(InboundRefused::Unsigned)?;
    let given = header
        .to_str()
        .ok()
        .and_then(|text| text.strip_prefix("sha256="))
        .and_then(|text| hex::decode(text).ok())
        .ok_or(InboundRefused::Forged)?;
    verify(call, call.body, &given)
}

fn verify(call: &Inbound<'_>, message: &[u8], given: &[u8]) -> Result<(), InboundRefused> {
    let key = call.app.client_secret.expose().as_bytes();
    let mac = Hmac::<Sha256>::new_from_slice(key);
    let mut mac = mac.expect("HMAC takes keys of every length");
    mac.update(message);
    mac.verify_slice(given).map_err(|_| InboundRefused::Forged)
}

#[derive(Deserialize)]
struct Payload {
    user_id: Id,
    #[serde(default)]
    algorithm: Option<String>,
    #[serde(default)]
    issued_at: Option<i64>,
}

/// A person took the app away, or wants their data deleted.
fn news_of_person(call: &Inbound<'_>) -> Result<Received, InboundRefused> {
    let mut pairs = url::form_urlencoded::parse(call.body);
    let signed = pairs.find(|(name, _)| name == "signed_request");
    let (_, signed) = signed.ok_or(InboundRefused::Unsigned)?;
    let unreadable = InboundRefused::Unreadable("signed request");
    let (signature, encoded) = signed.split_once('.').ok_or(unreadable.clone())?;
    // Some senders pad, contrary to the documentation.
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text.trim_end_matches('='));
    let signature = decode(signature).map_err(|_| InboundRefused::Forged)?;
    verify(call, encoded.as_bytes(), &signature)?;
    let payload = decode(encoded).map_err(|_| unreadable.clone())?;
    let payload: Payload = serde_json::from_slice(&payload).map_err(|_| unreadable)?;
    let algorithm = payload.algorithm.as_deref();
    if algorithm.is_some_and(|name| !name.eq_ignore_ascii_case("HMAC-SHA256")) {
        return Err(InboundRefused::Forged);
    }
    let at = payload.issued_at.and_then(unix);
    if at.is_some_and(|at| at + OLDEST < call.now) {
        return Err(InboundRefused::Stale);
    }
    Ok(about(call, payload.user_id.0, encoded, at))
}

fn about(
    call: &Inbound<'_>,
    account: String,
    encoded: &str,
    at: Option<mooring_domain::Time>,
) -> Received {
    // The same request is the same news, and the code that the person is given tells nothing about them.
    let key = hex::encode(Sha256::digest(encoded.as_bytes()));
    let (what, reply) = if call.kind == InboundKind::DataDeletion {
        let confirmation = key[..20].to_owned();
        let url = call.status_url.map(|url| {
            let mut url = url.clone();
            url.query_pairs_mut().append_pair("code", &confirmation);
            url.to_string()
        });
        let body = json!({ "url": url, "confirmation_code": confirmation });
        (NewsKind::DataDeletion { confirmation }, Reply::json(&body))
    } else {
        (NewsKind::AccessRevoked, Reply::ok())
    };
    Received {
        reply,
        news: vec![News {
            account,
            what,
            at,
            key,
        }],
    }
}

/// Instagram tells about comments and messages, which are no affair of ours, and about permissions.
pub(super) fn instagram_news(body: &Value) -> Vec<News> {
    let entries = body["entry"].as_array().map_or(&[][..], Vec::as_slice);
    let mut news = Vec::new();
    for entry in entries {
        let changes = entry["changes"].as_array().map_or(&[][..], Vec::as_slice);
        let account = text(&entry["id"]);
        for change in changes {
            if body["object"] != "permissions" || account.is_empty() {
                continue;
            }
            let field = text(&change["field"]);
            let verb = text(&change["value"]["verb"]) + &text(&change["verb"]);
            // A connection that was taken back is the end; a permission is looked at.
            let what = if field == "connected" && verb == "revoked" {
                NewsKind::AccessRevoked
            } else {
                NewsKind::PermissionsChanged
            };
            let time = entry["time"].as_i64();
            let key = json!(["permissions", account, change, time]).to_string();
            news.push(News {
                account: account.clone(),
                what,
                at: time.and_then(unix),
                key: hex::encode(Sha256::digest(key.as_bytes())),
            });
        }
    }
    news
}

/// A text, or a number as a text.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, Method};
    use url::Url;

    use super::*;
    use crate::{provider::AppCredentials, wire::fixtures};

    fn app() -> AppCredentials {
        AppCredentials {
            client_id: "1".to_owned(),
            client_secret: Secret::from("the secret of the app"),
        }
    }

    fn sign(message: &[u8]) -> Vec<u8> {
        let mac = Hmac::<Sha256>::new_from_slice(b"the secret of the app");
        let mut mac = mac.expect("a key");
        mac.update(message);
        mac.finalize().into_bytes().to_vec()
    }

    struct Sent<'a> {
        kind: InboundKind,
        method: Method,
        query: &'a [(&'a str, &'a str)],
        signature: Option<String>,
        body: &'a str,
    }

    fn receive(sent: Sent<'_>) -> Result<Received, InboundRefused> {
        let app = app();
        let word = Secret::from("agreed");
        let status = Url::parse("https://mooring.example/deletion").expect("a URL");
        let mut headers = HeaderMap::new();
        if let Some(signature) = sent.signature {
            let value = HeaderValue::try_from(signature).expect("a value");
            headers.insert("x-hub-signature-256", value);
        }
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let query: Vec<_> = sent.query.iter().map(owned).collect();
        let call = Inbound {
            kind: sent.kind,
            method: &sent.method,
            query: &query,
            headers: &headers,
            body: sent.body.as_bytes(),
            app: &app,
            verify_token: Some(&word),
            status_url: Some(&status),
            now: fixtures::now(),
        };
        answer(&call, instagram_news)
    }

    fn event(signature: Option<String>, body: &str) -> Result<Received, InboundRefused> {
        receive(Sent {
            kind: InboundKind::Notification,
            method: Method::POST,
            query: &[],
            signature,
            body,
        })
    }

    fn signed_request(
        kind: InboundKind,
        payload: &str,
        forge: bool,
    ) -> Result<Received, InboundRefused> {
        let encoded = URL_SAFE_NO_PAD.encode(payload);
        let mut signature = sign(encoded.as_bytes());
        if forge {
            signature[0] ^= 1;
        }
        let body = format!(
            "signed_request={}.{encoded}",
            URL_SAFE_NO_PAD.encode(signature)
        );
        receive(Sent {
            kind,
            method: Method::POST,
            query: &[],
            signature: None,
            body: &body,
        })
    }

    #[test]
    fn the_handshake_echoes_the_challenge_for_the_agreed_word_only() {
        let shake = |word| {
            receive(Sent {
                kind: InboundKind::Notification,
                method: Method::GET,
                query: &[
                    ("hub.mode", "subscribe"),
                    ("hub.challenge", "115"),
                    ("hub.verify_token", word),
                ],
                signature: None,
                body: "",
            })
        };
        assert_eq!(shake("agreed").expect("an answer").reply.body, "115");
        assert_eq!(shake("another"), Err(InboundRefused::Forged));
    }

    #[test]
    fn an_event_is_believed_by_its_signature_and_told_twice_is_the_same() {
        let body = r#"{"object":"permissions","entry":[{"id":"7","time":1624610156,"changes":[{"field":"instagram_basic","value":{"verb":"revoked"}},{"field":"connected","verb":"revoked"}]}]}"#;
        let good = format!("sha256={}", hex::encode(sign(body.as_bytes())));
        let first = event(Some(good.clone()), body).expect("believed").news;
        let again = event(Some(good.clone()), body).expect("believed").news;
        assert_eq!(first, again);
        let what: Vec<_> = first.iter().map(|news| news.what.clone()).collect();
        assert_eq!(
            what,
            [NewsKind::PermissionsChanged, NewsKind::AccessRevoked]
        );
        assert_ne!(first[0].key, first[1].key);
        assert_eq!(event(None, body), Err(InboundRefused::Unsigned));
        assert_eq!(
            event(Some(good), &body.replace('7', "8")),
            Err(InboundRefused::Forged)
        );
    }

    #[test]
    fn a_person_who_leaves_and_one_who_wants_deletion_are_told_apart() {
        let payload = r#"{"user_id":"218471","algorithm":"HMAC-SHA256","issued_at":1795445990}"#;
        let left = signed_request(InboundKind::Deauthorize, payload, false).expect("believed");
        assert_eq!(left.news[0].account, "218471");
        assert_eq!(left.news[0].what, NewsKind::AccessRevoked);
        let erase = signed_request(InboundKind::DataDeletion, payload, false).expect("believed");
        let body: Value = serde_json::from_str(&erase.reply.body).expect("JSON");
        let code = body["confirmation_code"]
            .as_str()
            .expect("a code")
            .to_owned();
        assert_eq!(
            body["url"],
            format!("https://mooring.example/deletion?code={code}")
        );
        assert_eq!(
            erase.news[0].what,
            NewsKind::DataDeletion { confirmation: code }
        );
        let forged = signed_request(InboundKind::Deauthorize, payload, true);
        assert_eq!(forged, Err(InboundRefused::Forged));
        let old = payload.replace("1795445990", "1795000000");
        let old = signed_request(InboundKind::Deauthorize, &old, false);
        assert_eq!(old, Err(InboundRefused::Stale));
    }
}
