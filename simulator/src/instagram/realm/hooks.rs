//! What the platform tells an app on its own: signed events, the handshake before them, and the two callbacks
//! with a `signed_request`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use url::Url;
use url::form_urlencoded;

use super::Flavor;
use crate::outbox::Delivery;
use crate::world::World;

/// Asks the app whether it owns its webhook address.
pub(crate) fn handshake(flavor: &Flavor, world: &mut World, app: &str) {
    let challenge = world.word(b"0123456789", 10);
    let known = (flavor.realm)(world).apps.get(app).map(|a| &a.callbacks);
    let Some((callbacks, url)) = known.and_then(|c| Some((c, c.webhook_url.as_ref()?))) else {
        return;
    };
    let Ok(mut url) = Url::parse(url) else {
        return;
    };
    url.query_pairs_mut()
        .append_pair("hub.mode", "subscribe")
        .append_pair("hub.challenge", &challenge)
        .append_pair("hub.verify_token", &callbacks.verify_token);
    let delivery = Delivery {
        platform: flavor.platform,
        method: "GET",
        url: url.into(),
        headers: Vec::new(),
        body: String::new(),
        answer: None,
    };
    world.outbox.send(delivery);
}

/// Tells one app of an event, if it asked for that field. Says whether it did.
pub(crate) fn tell(
    flavor: &Flavor,
    world: &mut World,
    app: &str,
    field: &str,
    body: &Value,
) -> bool {
    let Some(app) = (flavor.realm)(world).apps.get(app) else {
        return false;
    };
    let Some(url) = app.callbacks.webhook_url.clone() else {
        return false;
    };
    if !app.callbacks.fields.contains(field) {
        return false;
    }
    let body = ascii(body);
    let signature = hex::encode(hmac(&app.secret, body.as_bytes()));
    let delivery = Delivery {
        platform: flavor.platform,
        method: "POST",
        url,
        headers: vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            (
                "x-hub-signature-256".to_owned(),
                format!("sha256={signature}"),
            ),
        ],
        body,
        answer: None,
    };
    world.outbox.send(delivery);
    true
}

/// Posts a `signed_request` about an account. Says whether the app gave an address for it.
pub(crate) fn send_signed_request(
    flavor: &Flavor,
    world: &mut World,
    app: &str,
    account: &str,
    deletion: bool,
) -> bool {
    let now = world.now / 1000;
    let realm = (flavor.realm)(world);
    let (Some(app), Some(account)) = (realm.apps.get(app), realm.accounts.get(account)) else {
        return false;
    };
    let callbacks = &app.callbacks;
    let url = if deletion {
        &callbacks.deletion_url
    } else {
        &callbacks.deauthorize_url
    };
    let Some(url) = url.clone() else {
        return false;
    };
    let mut payload = json!({
        "user_id": account.app_scoped_id,
        "algorithm": "HMAC-SHA256",
        "issued_at": now,
    });
    if deletion {
        payload["expires"] = 0.into();
    }
    let signed = signed_request(&app.secret, &payload);
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("signed_request", &signed)
        .finish();
    let kind = "application/x-www-form-urlencoded".to_owned();
    let delivery = Delivery {
        platform: flavor.platform,
        method: "POST",
        url,
        headers: vec![("content-type".to_owned(), kind)],
        body: form,
        answer: None,
    };
    world.outbox.send(delivery);
    true
}

/// `base64url(HMAC-SHA256(key, encoded payload)).base64url(payload)`, without padding.
fn signed_request(secret: &str, payload: &Value) -> String {
    let payload = URL_SAFE_NO_PAD.encode(payload.to_string());
    let signature = URL_SAFE_NO_PAD.encode(hmac(secret, payload.as_bytes()));
    format!("{signature}.{payload}")
}

fn hmac(secret: &str, message: &[u8]) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
    let mut mac = mac.expect("HMAC takes keys of every length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// JSON in ASCII alone, as the platform writes it before it signs: everything else is `\uXXXX`.
fn ascii(value: &Value) -> String {
    let mut out = String::new();
    for c in value.to_string().chars() {
        if c.is_ascii() {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            let [high, low] = unit.to_be_bytes();
            out.push_str("\\u");
            out.push_str(&hex::encode([high, low]));
        }
    }
    out
}
