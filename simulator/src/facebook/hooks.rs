//! Webhooks: who wants to hear of what, the handshake, and installing an app on a page.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use url::Url;

use super::access::{self, Caller};
use super::{errors, flat, form, news, publish};
use crate::call::{Answer, Call};
use crate::ledger::Platform;
use crate::outbox::Delivery;
use crate::world::World;

pub(crate) use super::news::{post_added, post_edited, post_removed};

/// The permission that is needed to install an app on a page.
const INSTALL_SCOPE: &str = "pages_manage_metadata";

/// What apps asked for.
#[derive(Default)]
pub(crate) struct Hooks {
    /// By app and object (`page`, `permissions`).
    pub(super) subscriptions: BTreeMap<(String, String), Subscription>,
    /// Fields by (page, app).
    pub(super) installed: BTreeMap<(String, String), BTreeSet<String>>,
    /// Addresses for callbacks with a signed request, by app.
    pub(super) callbacks: BTreeMap<String, Callbacks>,
}

/// Where an app wants to hear of one kind of object.
pub(crate) struct Subscription {
    pub(super) callback_url: String,
    pub(super) fields: BTreeSet<String>,
    /// What the receiver must say back before anything is sent.
    challenge: String,
    pub(super) active: bool,
}

/// Addresses from the app's dashboard.
#[derive(Clone, Default)]
pub(crate) struct Callbacks {
    pub(crate) deauthorize: Option<String>,
    pub(crate) data_deletion: Option<String>,
}

/// What an app asks for.
pub(crate) struct Wish<'a> {
    pub(crate) app: &'a str,
    pub(crate) object: &'a str,
    pub(crate) callback_url: &'a str,
    pub(crate) verify_token: &'a str,
    pub(crate) fields: BTreeSet<String>,
}

/// `POST /{app}/subscriptions` with the app's token. The handshake is sent at once and the
/// subscription is active when it was answered well. (The platform waits for that answer.)
pub(crate) fn subscribe(world: &mut World, call: &Call) -> Answer {
    flat(begin_subscription(world, call))
}

fn begin_subscription(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let app = own_app(world, call)?;
    let need = |name: &str| {
        let missing = || errors::bad_parameter(&format!("The parameter {name} is required"));
        form::text(call, name).ok_or_else(missing)
    };
    let wish = Wish {
        app: &app,
        object: need("object")?,
        callback_url: need("callback_url")?,
        verify_token: need("verify_token")?,
        fields: list(need("fields")?),
    };
    shake_hands(world, wish)?;
    Ok(Answer::ok(&json!({ "success": true })))
}

/// Sends the handshake.
pub(crate) fn shake_hands(world: &mut World, wish: Wish<'_>) -> Result<(), Answer> {
    let bad_url = || errors::bad_parameter("(#2201) callback_url is no valid URL");
    let mut url = Url::parse(wish.callback_url).map_err(|_| bad_url())?;
    if !publish::is_web_address(wish.callback_url) {
        return Err(bad_url());
    }
    let challenge = world.word(b"0123456789", 10);
    url.query_pairs_mut()
        .append_pair("hub.mode", "subscribe")
        .append_pair("hub.challenge", &challenge)
        .append_pair("hub.verify_token", wish.verify_token);
    world.outbox.send(Delivery {
        platform: Platform::Facebook,
        method: "GET",
        url: url.into(),
        headers: vec![("user-agent".to_owned(), news::USER_AGENT.to_owned())],
        body: String::new(),
        answer: None,
    });
    let subscription = Subscription {
        callback_url: wish.callback_url.to_owned(),
        fields: wish.fields,
        challenge,
        active: false,
    };
    let key = (wish.app.to_owned(), wish.object.to_owned());
    world.facebook.hooks.subscriptions.insert(key, subscription);
    Ok(())
}

/// A subscription whose handshake was made before this world began.
pub(crate) fn trust(world: &mut World, wish: Wish<'_>) {
    let subscription = Subscription {
        callback_url: wish.callback_url.to_owned(),
        fields: wish.fields,
        challenge: String::new(),
        active: true,
    };
    let key = (wish.app.to_owned(), wish.object.to_owned());
    world.facebook.hooks.subscriptions.insert(key, subscription);
}

/// Looks which handshakes were answered well in the meantime.
pub(super) fn confirm(world: &mut World) {
    let waiting = world
        .facebook
        .hooks
        .subscriptions
        .values_mut()
        .filter(|s| !s.active);
    let waiting: Vec<&mut Subscription> = waiting.collect();
    if waiting.is_empty() {
        return;
    }
    let sent = world.outbox.all();
    for subscription in waiting {
        let asked = format!("hub.challenge={}", subscription.challenge);
        let right = Some((200, subscription.challenge.clone()));
        subscription.active = sent
            .iter()
            .any(|d| d.method == "GET" && d.url.contains(&asked) && d.answer == right);
    }
}

/// `GET /{app}/subscriptions`.
pub(crate) fn subscriptions(world: &mut World, call: &Call) -> Answer {
    confirm(world);
    flat(own_app(world, call).map(|app| list_subscriptions(world, &app)))
}

fn list_subscriptions(world: &World, app: &str) -> Answer {
    let own = world.facebook.hooks.subscriptions.iter();
    let own = own.filter(|((owner, _), _)| owner == app);
    let field = |name: &String| json!({ "name": name, "version": "v26.0" });
    let data: Vec<Value> = own
        .map(|((_, object), s)| {
            json!({
                "object": object,
                "callback_url": s.callback_url,
                "active": s.active,
                "fields": s.fields.iter().map(field).collect::<Vec<_>>(),
            })
        })
        .collect();
    Answer::ok(&json!({ "data": data }))
}

/// `DELETE /{app}/subscriptions[?object=]`.
pub(crate) fn unsubscribe(world: &mut World, call: &Call) -> Answer {
    flat(own_app(world, call).map(|app| {
        let object = form::text(call, "object");
        let subscriptions = &mut world.facebook.hooks.subscriptions;
        subscriptions.retain(|(owner, o), _| *owner != app || object.is_some_and(|x| x != o));
        Answer::ok(&json!({ "success": true }))
    }))
}

/// The app in the path, if it is the app that calls.
fn own_app(world: &World, call: &Call) -> Result<String, Answer> {
    match access::caller(world, call)? {
        Caller::App(app) if app == call.segment(0) => Ok(app),
        Caller::App(_) | Caller::Holder(_) => Err(errors::bad_parameter(
            "This method must be called with an app access token of this app",
        )),
    }
}

/// `POST /{page}/subscribed_apps?subscribed_fields=feed` with the page's token.
pub(crate) fn install(world: &mut World, call: &Call) -> Answer {
    flat(install_app(world, call))
}

fn install_app(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let key = page_and_app(world, call)?;
    let fields = form::text(call, "subscribed_fields");
    let missing = || errors::bad_parameter("Param subscribed_fields must be a non-empty array");
    let fields = list(fields.ok_or_else(missing)?);
    world.facebook.hooks.installed.insert(key, fields);
    Ok(Answer::ok(&json!({ "success": true })))
}

/// `GET /{page}/subscribed_apps`.
pub(crate) fn installed(world: &mut World, call: &Call) -> Answer {
    flat(page_and_app(world, call).map(|(page, _)| {
        let rows = world.facebook.hooks.installed.iter();
        let rows = rows.filter(|((of, _), _)| *of == page);
        let name = |app: &String| world.facebook.apps.get(app).map(|a| a.name.clone());
        let data: Vec<Value> = rows
            .map(|((_, app), fields)| {
                let link = format!("https://www.facebook.com/games/?app_id={app}");
                json!({ "link": link, "name": name(app), "id": app, "subscribed_fields": fields })
            })
            .collect();
        Answer::ok(&json!({ "data": data }))
    }))
}

/// `DELETE /{page}/subscribed_apps`.
pub(crate) fn uninstall(world: &mut World, call: &Call) -> Answer {
    flat(page_and_app(world, call).map(|key| {
        world.facebook.hooks.installed.remove(&key);
        Answer::ok(&json!({ "success": true }))
    }))
}

/// The page of a page token that may manage its settings, and the token's app.
fn page_and_app(world: &World, call: &Call) -> Result<(String, String), Answer> {
    let token = access::holder(world, call)?;
    let page = access::node_id(&token, call.segment(0));
    access::page(world, "post", &page)?;
    if token.page.as_ref() != Some(&page) {
        return Err(errors::page_token_wanted());
    }
    let user = world.facebook.users.get(&token.user);
    if user.is_some_and(|u| u.has(INSTALL_SCOPE, Some(&page))) {
        Ok((page, token.app))
    } else {
        Err(errors::missing_permission(INSTALL_SCOPE))
    }
}

/// Names with commas between them, or a JSON list.
fn list(text: &str) -> BTreeSet<String> {
    let names = text.trim_matches(['[', ']']).split(',');
    let names = names.map(|n| n.trim().trim_matches('"').to_owned());
    names.filter(|n| !n.is_empty()).collect()
}
