//! Webhooks: their handshake (CRC), subscriptions, and signed events of the
//! X Activity API.

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::Rng as _;
use serde_json::{Value, json};
use sha2::Sha256;
use url::Url;

use super::{access, errors, flat, read};
use crate::call::{Answer, Call};
use crate::clock::rfc3339;
use crate::ledger::Platform;
use crate::outbox::Delivery;
use crate::world::{ALPHANUMERIC, World};

/// An address to which an app's events go.
pub(crate) struct Webhook {
    pub(crate) id: String,
    pub(crate) url: String,
    created_at: i64,
    /// The word of the last handshake. `None`: trusted without one (set by a test).
    crc_token: Option<String>,
    /// What it asks for: kind of event, user. `None`: everything about the app's users.
    subscriptions: Option<Vec<Subscription>>,
}

struct Subscription {
    event: String,
    user: String,
    tag: Option<String>,
}

/// Kinds of events that can be subscribed to here.
const EVENTS: [&str; 2] = ["post.create", "post.delete"];

/// `POST /2/webhooks` with the app's token.
pub(super) fn create(world: &mut World, call: &Call) -> Answer {
    flat(register(world, call))
}

fn register(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let app = access::app(world, call)?;
    let url = call.param("url").unwrap_or("").to_owned();
    let fits = Url::parse(&url).is_ok_and(|u| matches!(u.scheme(), "https" | "http"));
    if !fits || url.len() > 200 {
        return Err(errors::invalid(
            "url",
            &url,
            "The webhook URL is not valid.",
        ));
    }
    let known = world.x.apps.get(&app).map(|a| a.webhooks.as_slice());
    if known.unwrap_or_default().iter().any(|w| w.url == url) {
        return Err(errors::invalid(
            "url",
            &url,
            "The webhook URL exists already.",
        ));
    }
    let id = add(world, &app, &url, Delivers::Subscribed);
    shake(world, &app, &id);
    let data = object(world, &app, &id).unwrap_or_default();
    Ok(Answer::ok(&json!({ "data": data })))
}

/// What a new webhook gets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivers {
    /// Everything about the app's users.
    Everything,
    /// What is subscribed to.
    Subscribed,
}

/// Adds a webhook. It is trusted until its first handshake.
pub(super) fn add(world: &mut World, app: &str, url: &str, delivers: Delivers) -> String {
    let id = world.x.id(world.now);
    let webhook = Webhook {
        id: id.clone(),
        url: url.to_owned(),
        created_at: world.now,
        crc_token: None,
        subscriptions: (delivers == Delivers::Subscribed).then(Vec::new),
    };
    if let Some(app) = world.x.apps.get_mut(app) {
        app.webhooks.push(webhook);
    }
    id
}

/// Sends the handshake: `GET url?crc_token=`. Says whether there is such a webhook.
pub(super) fn shake(world: &mut World, app: &str, id: &str) -> bool {
    let token = world.word(ALPHANUMERIC, 48);
    let Some(webhook) = webhook_mut(world, app, id) else {
        return false;
    };
    webhook.crc_token = Some(token.clone());
    let Ok(mut url) = Url::parse(&webhook.url) else {
        return false;
    };
    url.query_pairs_mut().append_pair("crc_token", &token);
    world.outbox.send(Delivery {
        platform: Platform::X,
        method: "GET",
        url: url.into(),
        headers: Vec::new(),
        body: String::new(),
        answer: None,
    });
    true
}

fn webhook_mut<'w>(world: &'w mut World, app: &str, id: &str) -> Option<&'w mut Webhook> {
    let app = world.x.apps.get_mut(app)?;
    app.webhooks.iter_mut().find(|w| w.id == id)
}

/// `sha256=` and base 64 of HMAC-SHA256 with the app's API secret key.
fn signature(secret: &str, message: &[u8]) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of every length");
    mac.update(message);
    format!("sha256={}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// Whether the receiver answered the last handshake rightly.
fn is_valid(world: &World, secret: &str, webhook: &Webhook) -> bool {
    let Some(token) = &webhook.crc_token else {
        return true;
    };
    let mark = format!("crc_token={token}");
    let sent = world.outbox.all();
    let answer = sent
        .iter()
        .rev()
        .find(|d| d.method == Method::GET.as_str() && d.url.contains(&mark))
        .and_then(|d| d.answer.clone());
    let told = answer
        .filter(|(status, _)| *status == 200)
        .and_then(|(_, body)| {
            let body: Value = serde_json::from_str(&body).ok()?;
            Some(body["response_token"].as_str()?.to_owned())
        });
    told.is_some_and(|told| told == signature(secret, token.as_bytes()))
}

fn object(world: &World, app: &str, id: &str) -> Option<Value> {
    let app = world.x.apps.get(app)?;
    let webhook = app.webhooks.iter().find(|w| w.id == id)?;
    Some(json!({
        "id": webhook.id,
        "url": webhook.url,
        "valid": is_valid(world, &app.consumer_secret, webhook),
        "created_at": rfc3339(webhook.created_at),
    }))
}

/// `GET /2/webhooks`.
pub(super) fn list(world: &mut World, call: &Call) -> Answer {
    flat(list_webhooks(world, call))
}

fn list_webhooks(world: &World, call: &Call) -> Result<Answer, Answer> {
    let app_id = access::app(world, call)?;
    let app = world.x.apps.get(&app_id).ok_or_else(errors::unauthorized)?;
    let all = app
        .webhooks
        .iter()
        .filter_map(|w| object(world, &app_id, &w.id));
    let data: Vec<Value> = all.collect();
    let count = data.len();
    Ok(Answer::ok(
        &json!({ "data": data, "meta": { "result_count": count } }),
    ))
}

/// `PUT /2/webhooks/{id}`: asks for a handshake.
pub(super) fn validate(world: &mut World, call: &Call) -> Answer {
    flat(access::app(world, call).and_then(|app| {
        let id = call.segment(2);
        if shake(world, &app, id) {
            Ok(Answer::ok(&json!({ "data": { "attempted": true } })))
        } else {
            Err(no_webhook(id))
        }
    }))
}

/// `DELETE /2/webhooks/{id}`.
pub(super) fn delete(world: &mut World, call: &Call) -> Answer {
    flat(access::app(world, call).and_then(|app| {
        let id = call.segment(2);
        let webhooks = world.x.apps.get_mut(&app).map(|a| &mut a.webhooks);
        let webhooks = webhooks.ok_or_else(errors::unauthorized)?;
        let before = webhooks.len();
        webhooks.retain(|w| w.id != id);
        if webhooks.len() == before {
            return Err(no_webhook(id));
        }
        Ok(Answer::ok(&json!({ "data": { "deleted": true } })))
    }))
}

fn no_webhook(id: &str) -> Answer {
    errors::invalid("webhook_id", id, "The webhook ID does not exist.")
}

/// `POST /2/activity/subscriptions`.
pub(super) fn subscribe(world: &mut World, call: &Call) -> Answer {
    flat(add_subscription(world, call))
}

fn add_subscription(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let app = access::app(world, call)?;
    let body = call.json.clone().unwrap_or(Value::Null);
    let event = body["event_type"].as_str().unwrap_or("").to_owned();
    if !EVENTS.contains(&event.as_str()) {
        return Err(errors::invalid(
            "event_type",
            &event,
            "$.event_type: does not have a value in the enumeration",
        ));
    }
    let user = body["filter"]["user_id"].as_str().unwrap_or("").to_owned();
    if !read::is_id(&user) {
        return Err(errors::invalid(
            "filter.user_id",
            &user,
            "$.filter.user_id: is missing but it is required",
        ));
    }
    let wanted = body["webhook_id"].as_str().unwrap_or("").to_owned();
    let tag = body["tag"].as_str().map(str::to_owned);
    let (id, now) = (world.x.id(world.now), world.now);
    let Some(webhook) = webhook_mut(world, &app, &wanted) else {
        return Err(no_webhook(&wanted));
    };
    webhook
        .subscriptions
        .get_or_insert_default()
        .push(Subscription {
            event: event.clone(),
            user: user.clone(),
            tag: tag.clone(),
        });
    let mut subscription = json!({
        "subscription_id": id,
        "event_type": event,
        "filter": { "user_id": user },
        "webhook_id": wanted,
        "created_at": rfc3339(now),
        "updated_at": rfc3339(now),
    });
    if let Some(tag) = tag {
        subscription["tag"] = tag.into();
    }
    Ok(Answer::ok(
        &json!({ "data": { "subscription": subscription } }),
    ))
}

/// `post.create`: a post came to exist.
pub(super) fn post_created(world: &mut World, user: &str, id: &str) {
    let text = world.x.posts.get(id).map(|p| p.shown.clone());
    let payload = json!({ "id": id, "author_id": user, "text": text });
    tell_all(world, "post.create", user, &payload);
}

/// `post.delete`: a post was deleted.
pub(super) fn post_deleted(world: &mut World, user: &str, id: &str) {
    let payload = json!({ "id": id, "author_id": user });
    tell_all(world, "post.delete", user, &payload);
}

/// `oauth.revoke`: a user took its consent back. Goes to that app alone, without subscription.
pub(super) fn revoked(world: &mut World, app: &str, user: &str) {
    let moment = rfc3339(world.now);
    // The platform writes whole seconds and an offset here.
    let seconds = format!("{}+00:00", &moment[..19]);
    let payload = json!({ "date_time": seconds, "user_id": user, "app_id": app });
    let targets = match world.x.apps.get(app) {
        Some(known) => known
            .webhooks
            .iter()
            .map(|w| Target::of(app, w, json!({}), None))
            .collect(),
        None => Vec::new(),
    };
    tell(world, targets, "oauth.revoke", &payload);
}

/// Where an event goes.
struct Target {
    app: String,
    webhook: String,
    filter: Value,
    tag: Option<String>,
}

impl Target {
    fn of(app: &str, webhook: &Webhook, filter: Value, tag: Option<String>) -> Self {
        Self {
            app: app.to_owned(),
            webhook: webhook.id.clone(),
            filter,
            tag,
        }
    }
}

fn tell_all(world: &mut World, event: &str, user: &str, payload: &Value) {
    let filter = || json!({ "user_id": user });
    let mut targets = Vec::new();
    for (id, app) in &world.x.apps {
        let consents = world.x.families.values();
        let is_ours = consents
            .clone()
            .any(|f| f.app == *id && f.user == user && !f.revoked);
        for webhook in &app.webhooks {
            match &webhook.subscriptions {
                None if is_ours => targets.push(Target::of(id, webhook, filter(), None)),
                None => {}
                Some(some) => {
                    let fits = some.iter().filter(|s| s.event == event && s.user == user);
                    targets.extend(fits.map(|s| Target::of(id, webhook, filter(), s.tag.clone())));
                }
            }
        }
    }
    tell(world, targets, event, payload);
}

fn tell(world: &mut World, targets: Vec<Target>, event: &str, payload: &Value) {
    for target in targets {
        let uuid: i64 = world.rng.random();
        let Some(app) = world.x.apps.get(&target.app) else {
            continue;
        };
        let Some(webhook) = app.webhooks.iter().find(|w| w.id == target.webhook) else {
            continue;
        };
        if !is_valid(world, &app.consumer_secret, webhook) {
            continue;
        }
        let mut data = json!({
            "event_uuid": uuid.to_string(),
            "filter": target.filter,
            "event_type": event,
            "payload": payload,
        });
        if let Some(tag) = target.tag {
            data["tag"] = tag.into();
        }
        let body = json!({ "data": data }).to_string();
        let signed = signature(&app.consumer_secret, body.as_bytes());
        let delivery = Delivery {
            platform: Platform::X,
            method: "POST",
            url: webhook.url.clone(),
            headers: vec![
                ("content-type".to_owned(), "application/json".to_owned()),
                ("x-twitter-webhooks-signature".to_owned(), signed),
            ],
            body,
            answer: None,
        };
        world.outbox.send(delivery);
    }
}
