//! What the platform tells an app by itself, with its signatures: changes of a page's feed and of
//! permissions, apps that were removed, requests to delete data.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use url::form_urlencoded;

use super::hooks;
use super::{Post, State};
use crate::ledger::Platform;
use crate::outbox::Delivery;
use crate::world::World;

/// How the platform's sender names itself.
pub(super) const USER_AGENT: &str = "Webhooks/1.0 (https://fb.me/webhooks)";

/// A post came to exist.
pub(crate) fn post_added(world: &mut World, id: &str) {
    let post = world.facebook.posts.get(id);
    let change = post.map(|post| feed_change(&world.facebook, id, post, item(post), "add"));
    tell_page(world, id, change);
}

/// A post was taken away.
pub(crate) fn post_removed(world: &mut World, id: &str) {
    let post = world.facebook.posts.get(id);
    let change = post.map(|post| {
        let mut value = feed_change(&world.facebook, id, post, "post", "remove");
        for gone in ["message", "published", "link", "photo_id", "video_id"] {
            value.as_object_mut().map(|v| v.remove(gone));
        }
        value
    });
    tell_page(world, id, change);
}

/// A post's text was changed.
pub(crate) fn post_edited(world: &mut World, id: &str) {
    let post = world.facebook.posts.get(id);
    let change = post.map(|post| feed_change(&world.facebook, id, post, item(post), "edited"));
    tell_page(world, id, change);
}

fn item(post: &Post) -> &'static str {
    match post {
        _ if post.video.is_some() => "video",
        _ if !post.photos.is_empty() => "photo",
        _ if post.link.is_some() => "share",
        _ => "status",
    }
}

fn feed_change(state: &State, id: &str, post: &Post, item: &str, verb: &str) -> Value {
    let name = state.pages.get(&post.page).map(|p| p.name.as_str());
    let mut value = json!({
        "from": { "id": post.page, "name": name },
        "post_id": id,
        "created_time": post.created_at / 1000,
        "item": item,
        "published": 1,
        "verb": verb,
    });
    let others = [
        ("message", post.message.as_ref()),
        ("link", post.link.as_ref()),
        ("photo_id", post.photos.first()),
        ("video_id", post.video.as_ref()),
    ];
    for (key, text) in others {
        if let Some(text) = text {
            value[key] = text.as_str().into();
        }
    }
    value
}

/// Tells every app that is installed on the post's page for `feed`.
fn tell_page(world: &mut World, post: &str, change: Option<Value>) {
    let page = post
        .split_once('_')
        .map_or(post, |(page, _)| page)
        .to_owned();
    let Some(change) = change else {
        return;
    };
    let installed = world.facebook.hooks.installed.iter();
    let apps: Vec<String> = installed
        .filter(|((of, _), fields)| *of == page && fields.contains("feed"))
        .map(|((_, app), _)| app.clone())
        .collect();
    let entry = json!({
        "id": page,
        "time": world.now / 1000,
        "changes": [{ "field": "feed", "value": change }],
    });
    for app in apps {
        send(world, &app, "page", "feed", &entry);
    }
}

/// A person took a permission away, or gave it back, for these pages.
pub(crate) fn permission_changed(
    world: &mut World,
    user: &str,
    permission: &str,
    granted: bool,
    pages: &[String],
) {
    let verb = if granted { "granted" } else { "revoked" };
    let value = json!({ "verb": verb, "target_ids": pages });
    for app in apps_of(&world.facebook, user) {
        let change = json!({ "field": permission, "value": value });
        tell_permissions(world, &app, user, permission, &change);
    }
}

/// A person removed an app: the permission topic says so, and the deauthorize callback.
pub(crate) fn app_removed(world: &mut World, user: &str, app: &str) {
    // This one change carries its verb flat, without a value around it.
    let change = json!({ "field": "connected", "verb": "revoked", "target_ids": null });
    tell_permissions(world, app, user, "connected", &change);
    let payload = json!({
        "algorithm": "HMAC-SHA256",
        "issued_at": world.now / 1000,
        "user_id": user,
    });
    let callbacks = world.facebook.hooks.callbacks.get(app);
    if let Some(url) = callbacks.and_then(|c| c.deauthorize.clone()) {
        send_signed_request(world, app, url, &payload);
    }
}

/// A person asks for the deletion of their data. Says whether the app has an address for that.
pub(crate) fn data_deletion_wanted(world: &mut World, user: &str, app: &str) -> bool {
    let callbacks = world.facebook.hooks.callbacks.get(app);
    let Some(url) = callbacks.and_then(|c| c.data_deletion.clone()) else {
        return false;
    };
    let payload = json!({
        "algorithm": "HMAC-SHA256",
        "expires": world.now / 1000 + 3600,
        "issued_at": world.now / 1000,
        "user_id": user,
    });
    send_signed_request(world, app, url, &payload);
    true
}

/// The apps that a person ever gave a token to, each once.
pub(crate) fn apps_of(state: &State, user: &str) -> Vec<String> {
    let tokens = state.users.get(user).map_or(&[][..], |u| &u.tokens);
    let mut apps: Vec<String> = tokens
        .iter()
        .filter_map(|t| state.tokens.get(t).map(|t| t.app.clone()))
        .collect();
    apps.sort();
    apps.dedup();
    apps
}

fn tell_permissions(world: &mut World, app: &str, user: &str, field: &str, change: &Value) {
    let entry = json!({
        "id": user,
        "uid": user,
        "time": world.now / 1000,
        "changes": [change],
    });
    send(world, app, "permissions", field, &entry);
}

/// Sends one entry to an app, if it asked for it and has shaken hands.
fn send(world: &mut World, app: &str, object: &str, field: &str, entry: &Value) {
    hooks::confirm(world);
    let key = (app.to_owned(), object.to_owned());
    let subscription = world.facebook.hooks.subscriptions.get(&key);
    let wanted = subscription.filter(|s| s.active && s.fields.contains(field));
    let secret = world.facebook.apps.get(app).map(|a| a.secret.clone());
    let (Some(subscription), Some(secret)) = (wanted, secret) else {
        return;
    };
    let body = ascii(&json!({ "object": object, "entry": [entry] }).to_string());
    let signature = hex::encode(hmac(&secret, body.as_bytes()));
    let delivery = Delivery {
        platform: Platform::Facebook,
        method: "POST",
        url: subscription.callback_url.clone(),
        headers: vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("user-agent".to_owned(), USER_AGENT.to_owned()),
            (
                "x-hub-signature-256".to_owned(),
                format!("sha256={signature}"),
            ),
        ],
        body,
        answer: None,
    };
    world.outbox.send(delivery);
}

/// Posts a form with `signed_request`: signature and payload, both base64url without padding. What
/// is signed is the encoded payload.
fn send_signed_request(world: &mut World, app: &str, url: String, payload: &Value) {
    let Some(secret) = world.facebook.apps.get(app).map(|a| a.secret.clone()) else {
        return;
    };
    let payload = URL_SAFE_NO_PAD.encode(payload.to_string());
    let signature = URL_SAFE_NO_PAD.encode(hmac(&secret, payload.as_bytes()));
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.append_pair("signed_request", &format!("{signature}.{payload}"));
    let kind = "application/x-www-form-urlencoded".to_owned();
    world.outbox.send(Delivery {
        platform: Platform::Facebook,
        method: "POST",
        url,
        headers: vec![("content-type".to_owned(), kind)],
        body: body.finish(),
        answer: None,
    });
}

fn hmac(secret: &str, message: &[u8]) -> Vec<u8> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of every length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// JSON with everything beyond ASCII written as `\uXXXX`, which is how the platform writes it and
/// what it signs.
fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            write!(out, "\\u{unit:04x}").expect("writing to a string does not fail");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_beyond_ascii_is_escaped_in_utf_16() {
        assert_eq!(ascii(r#"{"m":"é😀"}"#), r#"{"m":"\u00e9\ud83d\ude00"}"#);
    }
}
