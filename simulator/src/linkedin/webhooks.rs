//! Webhooks: social actions on posts of organizations, after the receiver has passed the challenge.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use url::Url;

use super::access::{self, Author};
use super::tokens::{self, Kind, Status, Token};
use super::{errors, flat, organization_urn, person_urn};
use crate::call::{Answer, Call};
use crate::ledger::Platform;
use crate::outbox::Delivery;
use crate::world::World;

/// The only kind of event.
const EVENT_TYPE: &str = "ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS";
/// A receiver is challenged again after this.
const CHALLENGE_MS: i64 = 2 * 3600 * 1000;
/// So many failed challenges in a row block a receiver.
const GREATEST_FAILURES: u32 = 3;
const SUBSCRIPTION_MS: i64 = 365 * 24 * 3600 * 1000;
const NOTIFICATION_NUMBERS: u64 = 5_600_000_000;

/// Receivers by address, and who subscribed to what.
#[derive(Default)]
pub(super) struct Webhooks {
    receivers: BTreeMap<String, Receiver>,
    subscriptions: BTreeMap<Key, Subscription>,
}

struct Receiver {
    app: String,
    challenged_at: i64,
    code: String,
    failures: u32,
}

/// App, person and organization of a subscription.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    app: String,
    member: String,
    organization: String,
}

struct Subscription {
    url: String,
    created_at: i64,
}

/// `PUT /rest/eventSubscriptions/(developerApplication:…,user:…,entity:…,eventType:…)`.
pub(super) fn subscribe(world: &mut World, call: &Call) -> Answer {
    flat(begin(world, call))
}

fn begin(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let key = own_key(world, call)?;
    let body = call
        .json
        .as_ref()
        .ok_or_else(errors::unsupported_media_type)?;
    let url = body["webhook"]
        .as_str()
        .filter(|url| Url::parse(url).is_ok());
    let url = url.ok_or_else(|| {
        errors::field(
            "MISSING_FIELD",
            "webhook",
            "webhook is required but missing",
        )
    })?;
    register(world, &key.app, url);
    keep(world, key, url);
    Ok(Answer::text(204, "application/json", ""))
}

/// What `PUT` does, without a call: subscribes a person to an organization's news.
pub(super) fn subscribe_for(
    world: &mut World,
    app: &str,
    member: &str,
    organization: &str,
    url: &str,
) {
    register(world, app, url);
    let key = Key {
        app: app.to_owned(),
        member: member.to_owned(),
        organization: organization.to_owned(),
    };
    keep(world, key, url);
}

fn keep(world: &mut World, key: Key, url: &str) {
    let subscription = Subscription {
        url: url.to_owned(),
        created_at: world.now,
    };
    world
        .linkedin
        .webhooks
        .subscriptions
        .insert(key, subscription);
}

/// `GET` of the same path.
pub(super) fn show(world: &mut World, call: &Call) -> Answer {
    flat(own_key(world, call).and_then(|key| {
        let known = world.linkedin.webhooks.subscriptions.get(&key);
        let subscription = known.ok_or_else(errors::not_found)?;
        Ok(Answer::ok(&json!({
            "webhook": subscription.url,
            "creatorMember": person_urn(&key.member),
            "expiresAt": subscription.created_at + SUBSCRIPTION_MS,
        })))
    }))
}

/// `DELETE` of the same path.
pub(super) fn unsubscribe(world: &mut World, call: &Call) -> Answer {
    flat(own_key(world, call).map(|key| {
        world.linkedin.webhooks.subscriptions.remove(&key);
        Answer::text(204, "application/json", "")
    }))
}

/// The subscription in the path, if it is the caller's to have.
fn own_key(world: &World, call: &Call) -> Result<Key, Answer> {
    let token = access::caller(world, call)?;
    let text = "Syntax exception in path variables";
    let syntax = || errors::bad_request("ILLEGAL_ARGUMENT", text);
    let path = call.path.rsplit('/').next().unwrap_or("");
    let inner = path
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'));
    let inner = inner.ok_or_else(syntax)?;
    let part = |name: &str| {
        let fields = inner.split(',').filter_map(|field| field.split_once(':'));
        let mut named = fields.filter(|(key, _)| *key == name);
        named.next().map(|(_, value)| value).ok_or_else(syntax)
    };
    let app = part("developerApplication")?;
    let own_app = world.linkedin.apps.get(&token.app);
    let right_app =
        own_app.is_some_and(|own| app == format!("urn:li:developerApplication:{}", own.number));
    let right_member = part("user")? == person_urn(&token.member);
    let Some(Author::Organization(organization)) = Author::parse(part("entity")?) else {
        return Err(syntax());
    };
    let denied = || errors::access_denied("eventSubscriptions.UPDATE");
    if part("eventType")? != EVENT_TYPE || !right_app || !right_member {
        return Err(denied());
    }
    if !administers(world, &token, organization) {
        return Err(denied());
    }
    Ok(Key {
        app: token.app,
        member: token.member,
        organization: organization.to_owned(),
    })
}

fn administers(world: &World, token: &Token, organization: &str) -> bool {
    access::role(world, token, organization).is_some_and(|role| role.name == "ADMINISTRATOR")
}

/// Notes a receiver, and challenges it.
pub(super) fn register(world: &mut World, app: &str, url: &str) {
    let receiver = Receiver {
        app: app.to_owned(),
        challenged_at: world.now,
        code: String::new(),
        failures: 0,
    };
    world
        .linkedin
        .webhooks
        .receivers
        .insert(url.to_owned(), receiver);
    challenge(world, url);
}

/// Sends `?challengeCode=…`: to be answered by 200 with the code and its HMAC.
fn challenge(world: &mut World, url: &str) {
    let code = uuid(world);
    let Some(receiver) = world.linkedin.webhooks.receivers.get_mut(url) else {
        return;
    };
    receiver.code.clone_from(&code);
    receiver.challenged_at = world.now;
    let Ok(mut target) = Url::parse(url) else {
        return;
    };
    target.query_pairs_mut().append_pair("challengeCode", &code);
    world.outbox.send(Delivery {
        platform: Platform::LinkedIn,
        method: "GET",
        url: target.into(),
        headers: Vec::new(),
        body: String::new(),
        answer: None,
    });
}

fn uuid(world: &mut World) -> String {
    let hex = world.word(b"0123456789abcdef", 30);
    format!(
        "{}-{}-4{}-a{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..15],
        &hex[15..18],
        &hex[18..30]
    )
}

/// Challenges receivers whose last challenge is two hours old.
pub(super) fn challenge_again(world: &mut World) {
    let now = world.now;
    let due = |receiver: &Receiver| {
        receiver.failures < GREATEST_FAILURES && now - receiver.challenged_at >= CHALLENGE_MS
    };
    let receivers = &world.linkedin.webhooks.receivers;
    let due: Vec<String> = receivers
        .iter()
        .filter(|(_, receiver)| due(receiver))
        .map(|(url, _)| url.clone())
        .collect();
    for url in due {
        let passed = passed(world, &url);
        if let Some(receiver) = world.linkedin.webhooks.receivers.get_mut(&url) {
            receiver.failures = if passed { 0 } else { receiver.failures + 1 };
        }
        challenge(world, &url);
    }
}

/// Whether the receiver has answered its newest challenge as it must.
fn passed(world: &World, url: &str) -> bool {
    let state = &world.linkedin;
    let Some(receiver) = state.webhooks.receivers.get(url) else {
        return false;
    };
    let Some(app) = state.apps.get(&receiver.app) else {
        return false;
    };
    let deliveries = world.outbox.all();
    let sent = deliveries.iter().rev().find(|delivery| {
        delivery.platform == Platform::LinkedIn && delivery.url.contains(&receiver.code)
    });
    let answer = sent.and_then(|delivery| delivery.answer.as_ref());
    let Some((200, body)) = answer else {
        return false;
    };
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    body["challengeCode"] == receiver.code.as_str()
        && body["challengeResponse"] == sign(&app.secret, &receiver.code).as_str()
}

/// Lower-case hex of HMAC-SHA256 under the app's secret.
fn sign(secret: &str, message: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
    let mut mac = mac.expect("HMAC takes keys of every length");
    mac.update(message.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// Tells every subscriber of a social action (`LIKE`, `COMMENT`, `SHARE`, …) on an organization's
/// public post. How many were told.
pub(super) fn notify(world: &mut World, post_urn: &str, action: &str) -> usize {
    let post = world.linkedin.posts.get(post_urn);
    let public = post.filter(|post| !post.deleted && post.visibility == "PUBLIC");
    let Some(Author::Organization(organization)) =
        public.and_then(|post| Author::parse(&post.author))
    else {
        return 0;
    };
    let organization = organization.to_owned();
    forget_lost_subscriptions(world);
    let subscriptions = &world.linkedin.webhooks.subscriptions;
    let subscribed: Vec<(Key, String)> = subscriptions
        .iter()
        .filter(|(key, _)| key.organization == organization)
        .map(|(key, subscription)| (key.clone(), subscription.url.clone()))
        .collect();
    let told = subscribed.into_iter().filter(|(_, url)| passed(world, url));
    let told: Vec<(Key, String)> = told.collect();
    for (key, url) in &told {
        let id = world.linkedin.number(NOTIFICATION_NUMBERS);
        let notification = json!({
            "notificationId": id,
            "organizationalEntity": organization_urn(&organization),
            "action": action,
            "sourcePost": post_urn,
            "lastModifiedAt": world.now,
            "generatedActivity": format!("urn:li:comment:({post_urn},{id})"),
            "subscriber": person_urn(&key.member),
        });
        let body = json!({ "type": EVENT_TYPE, "notifications": [notification] }).to_string();
        post_signed(world, &key.app, url, body);
    }
    told.len()
}

/// Subscriptions end silently with the person's role, or with the last live token.
fn forget_lost_subscriptions(world: &mut World) {
    let state = &world.linkedin;
    let holds = |key: &Key| {
        let member = state.members.get(&key.member);
        let mut tokens = member.into_iter().flat_map(|member| &member.tokens);
        tokens.any(|text| {
            state.tokens.get(text).is_some_and(|token| {
                token.app == key.app
                    && token.kind == Kind::Access
                    && tokens::status(world, token) == Status::Active
                    && administers(world, token, &key.organization)
            })
        })
    };
    let all = state.webhooks.subscriptions.keys();
    let lost: Vec<Key> = all.filter(|key| !holds(key)).cloned().collect();
    for key in lost {
        world.linkedin.webhooks.subscriptions.remove(&key);
    }
}

fn post_signed(world: &mut World, app: &str, url: &str, body: String) {
    let Some(secret) = world.linkedin.apps.get(app).map(|app| app.secret.clone()) else {
        return;
    };
    let signature = sign(&secret, &format!("hmacsha256={body}"));
    let headers = [
        ("Content-Type", "application/json".to_owned()),
        ("X-LI-Signature", signature),
    ];
    world.outbox.send(Delivery {
        platform: Platform::LinkedIn,
        method: "POST",
        url: url.to_owned(),
        headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
        body,
        answer: None,
    });
}
