//! Containers, publishing, deletion, and the quotas of them.

use serde_json::{Value, json};
use url::Url;

use super::{FLAVOR, errors, routes, text};
use crate::call::{Answer, Call};
use crate::clock::graph_time;
use crate::facebook::{self, flat};
use crate::instagram::realm::access::{self, Actor};
use crate::instagram::realm::publish::{self, Status};
use crate::instagram::realm::{Draft, MediaFailure, Quota, graph, hooks};
use crate::world::World;

const CAROUSEL: std::ops::RangeInclusive<usize> = 2..=20;
const POSTS_PER_DAY: u64 = 250;
const REPLIES_PER_DAY: u64 = 1000;
const DELETIONS_PER_DAY: u64 = 100;
const DELETE_SCOPE: &str = "threads_delete";

/// `POST /{profile}/threads`: a container, or with `auto_publish_text` a post.
pub(super) fn create(world: &mut World, call: &Call) -> Answer {
    flat(contain(world, call))
}

fn contain(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let actor = admit(world, call)?;
    let draft = draft(call)?;
    check_children(world, &actor.account, &draft)?;
    check_reply(world, &draft)?;
    if let Some(url) = &draft.url {
        check_url(url)?;
        match publish::refused_at_once(&mut world.threads, &actor.account) {
            Some(MediaFailure::FetchTimeout) => return Err(errors::fetch_timeout()),
            Some(_) => return Err(errors::cannot_fetch(url)),
            None => {}
        }
    }
    let at_once = routes::publishes_at_once(call);
    if at_once {
        check_quota(world, &actor.account, &draft)?;
    }
    let id = publish::contain(&FLAVOR, world, actor, draft, None);
    if !at_once {
        return Ok(Answer::ok(&json!({ "id": id })));
    }
    let media = make_public(world, &id).ok_or_else(errors::not_found)?;
    Ok(Answer::ok(&json!({ "id": media })))
}

/// A caller who may publish on the profile.
fn admit(world: &World, call: &Call) -> Result<Actor, Answer> {
    let scopes = [FLAVOR.basic, FLAVOR.publish];
    let actor = access::actor(&FLAVOR, world, call, call.segment(0), &scopes)?;
    match errors::of_state(world.threads.accounts[&actor.account].state) {
        Some(refusal) => Err(refusal),
        None => Ok(actor),
    }
}

/// What the parameters describe.
fn draft(call: &Call) -> Result<Draft, Answer> {
    let bad = |text: &str| facebook::errors::bad_parameter(text);
    let kind = call.param("media_type").unwrap_or("");
    let name = match kind {
        "TEXT" | "CAROUSEL" => None,
        "IMAGE" => Some("image_url"),
        "VIDEO" => Some("video_url"),
        _ => {
            return Err(bad(
                "Param media_type must be one of {TEXT, IMAGE, VIDEO, CAROUSEL}",
            ));
        }
    };
    let url = name.and_then(|n| call.param(n)).map(str::to_owned);
    if let Some(name) = name.filter(|_| url.is_none()) {
        return Err(bad(&format!("The parameter {name} is required")));
    }
    let words = call.param("text").unwrap_or("").to_owned();
    let link = call.param("link_attachment").map(str::to_owned);
    if kind == "TEXT" && words.is_empty() {
        return Err(bad("The parameter text is required"));
    }
    if link.is_some() && kind != "TEXT" {
        return Err(bad(
            "Param link_attachment is only allowed on posts with media_type TEXT",
        ));
    }
    if text::length(&words) > text::TEXT_LIMIT {
        return Err(errors::text_too_long());
    }
    if text::links(&words, link.as_deref()) > text::LINK_LIMIT {
        return Err(errors::too_many_links());
    }
    let children = call.param("children").filter(|_| kind == "CAROUSEL");
    let children: Vec<String> = children.map_or_else(Vec::new, |c| {
        c.trim_matches(['[', ']'])
            .split(',')
            .map(|id| id.trim().trim_matches('"').to_owned())
            .collect()
    });
    if kind == "CAROUSEL" && !CAROUSEL.contains(&children.len()) {
        return Err(errors::children_count());
    }
    Ok(Draft {
        kind: kind.to_owned(),
        text: words,
        url,
        is_video: kind == "VIDEO",
        link,
        alt_text: call.param("alt_text").map(str::to_owned),
        children,
        is_child: call.param("is_carousel_item") == Some("true"),
        reply_to: call.param("reply_to_id").map(str::to_owned),
    })
}

fn check_children(world: &World, account: &str, draft: &Draft) -> Result<(), Answer> {
    for id in &draft.children {
        let part = world.threads.containers.get(id);
        let part = part.filter(|c| c.account == account && c.draft.is_child);
        match part.map(|c| c.status(world.now)) {
            Some(Status::Finished) => {}
            Some(Status::InProgress) => return Err(errors::not_ready()),
            Some(Status::Error(_) | Status::Expired | Status::Published) | None => {
                return Err(errors::not_found());
            }
        }
    }
    Ok(())
}

fn check_reply(world: &World, draft: &Draft) -> Result<(), Answer> {
    let Some(target) = &draft.reply_to else {
        return Ok(());
    };
    let known = world.threads.media.get(target);
    match known.filter(|m| !m.deleted) {
        Some(_) => Ok(()),
        None => Err(errors::not_found()),
    }
}

/// The address is remembered, not fetched.
fn check_url(text: &str) -> Result<(), Answer> {
    let url = Url::parse(text).ok();
    let url = url.filter(|u| matches!(u.scheme(), "http" | "https") && u.host().is_some());
    url.map(|_| ()).ok_or_else(|| errors::cannot_fetch(text))
}

/// `GET /{container}`.
pub(super) fn status(world: &mut World, call: &Call) -> Answer {
    flat(read_status(world, call))
}

fn read_status(world: &World, call: &Call) -> Result<Answer, Answer> {
    let token = access::holder(&FLAVOR, world, call)?;
    let id = call.segment(0);
    let container = world.threads.containers.get(id);
    let container = container.filter(|c| c.account == token.account);
    let container = container.ok_or_else(errors::not_found)?;
    access::actor(&FLAVOR, world, call, &token.account, &[FLAVOR.basic])?;
    let status = container.status(world.now);
    let wanted = graph::fields(call, &["id"]);
    let object = graph::object(&wanted, "ThreadsMediaContainer", |field| {
        Some(match (field, status) {
            ("id", _) => json!(id),
            ("status", _) => json!(status.as_str()),
            ("error_message", Status::Error(failure)) => json!(errors::message(failure)),
            ("error_message", _) => Value::Null,
            _ => return None,
        })
    })?;
    Ok(Answer::ok(&object))
}

/// `POST /{profile}/threads_publish`: a container becomes a post, once.
pub(super) fn publish(world: &mut World, call: &Call) -> Answer {
    flat(make_post(world, call))
}

fn make_post(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let actor = admit(world, call)?;
    let missing = || facebook::errors::bad_parameter("The parameter creation_id is required");
    let id = call.param("creation_id").ok_or_else(missing)?.to_owned();
    let container = world.threads.containers.get(&id);
    let container = container.filter(|c| c.account == actor.account && !c.draft.is_child);
    let container = container.ok_or_else(errors::not_found)?;
    match container.status(world.now) {
        Status::Finished => {}
        Status::InProgress => return Err(errors::not_ready()),
        Status::Expired | Status::Error(_) | Status::Published => return Err(errors::not_found()),
    }
    let draft = container.draft.clone();
    check_quota(world, &actor.account, &draft)?;
    let media = make_public(world, &id).ok_or_else(errors::not_found)?;
    Ok(Answer::ok(&json!({ "id": media })))
}

fn check_quota(world: &World, account: &str, draft: &Draft) -> Result<(), Answer> {
    let (quota, total) = match draft.reply_to {
        Some(_) => (Quota::Replies, REPLIES_PER_DAY),
        None => (Quota::Posts, posts_total(world)),
    };
    if world.threads.accounts[account].used(quota, world.now) >= total {
        return Err(errors::quota());
    }
    Ok(())
}

fn posts_total(world: &World) -> u64 {
    let set = world.threads.settings.posts_per_day;
    set.unwrap_or(POSTS_PER_DAY)
}

/// Makes a container's post exist, and tells the app.
fn make_public(world: &mut World, container: &str) -> Option<String> {
    let app = world.threads.containers.get(container)?.app.clone();
    let id = publish::publish(&FLAVOR, world, container)?;
    let media = world.threads.media.get(&id)?;
    let username = &world.threads.accounts.get(&media.account)?.username;
    let value = json!({
        "id": id,
        "media_type": super::read::media_type(media),
        "permalink": super::read::permalink(username, media),
        "timestamp": graph_time(media.created_at),
        "username": username,
    });
    let account = media.account.clone();
    tell(world, &app, ("interaction", "publish"), &account, &value);
    Some(id)
}

/// An event in Threads' own form, without `entry`.
fn tell(world: &mut World, app: &str, topic: (&str, &str), account: &str, value: &Value) {
    let (topic, field) = topic;
    let body = json!({
        "app_id": app,
        "topic": topic,
        "target_id": account,
        "time": world.now / 1000,
        "subscription_id": "234567",
        "has_uid_field": false,
        "values": { "value": value, "field": field },
    });
    hooks::tell(&FLAVOR, world, app, field, &body);
}

/// `DELETE /{media}`.
pub(super) fn delete(world: &mut World, call: &Call) -> Answer {
    flat(delete_post(world, call))
}

fn delete_post(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let token = access::holder(&FLAVOR, world, call)?;
    let scopes = [FLAVOR.basic, DELETE_SCOPE];
    access::actor(&FLAVOR, world, call, &token.account, &scopes)?;
    let id = call.segment(0);
    let media = world.threads.media.get(id);
    let media = media.filter(|m| m.account == token.account && !m.deleted);
    media.ok_or_else(|| facebook::errors::no_such_object("delete", id))?;
    let account = &world.threads.accounts[&token.account];
    if account.used(Quota::Deletions, world.now) >= DELETIONS_PER_DAY {
        return Err(errors::quota());
    }
    let now = world.now;
    if let Some(account) = world.threads.accounts.get_mut(&token.account) {
        account.count(Quota::Deletions, now);
    }
    remove(world, id);
    Ok(Answer::ok(&json!({ "success": true, "deleted_id": id })))
}

/// Takes a post away, and tells the apps. Says whether it existed.
pub(super) fn remove(world: &mut World, id: &str) -> bool {
    if !publish::remove(&FLAVOR, world, id) {
        return false;
    }
    let media = &world.threads.media[id];
    let account = media.account.clone();
    let username = world.threads.accounts.get(&account);
    let value = json!({
        "id": id,
        "owner": { "owner_id": account },
        "deleted_at": graph_time(world.now),
        "timestamp": graph_time(media.created_at),
        "username": username.map(|a| a.username.as_str()),
    });
    let apps: Vec<String> = world.threads.apps.keys().cloned().collect();
    for app in apps {
        tell(world, &app, ("moderate", "delete"), &account, &value);
    }
    true
}

/// `GET /{profile}/threads_publishing_limit`.
pub(super) fn limit(world: &mut World, call: &Call) -> Answer {
    flat(read_limit(world, call))
}

fn read_limit(world: &World, call: &Call) -> Result<Answer, Answer> {
    let scopes = [FLAVOR.basic, FLAVOR.publish];
    let actor = access::actor(&FLAVOR, world, call, call.segment(0), &scopes)?;
    let account = &world.threads.accounts[&actor.account];
    let used = |quota| json!(account.used(quota, world.now));
    let config = |total: u64| json!({ "quota_total": total, "quota_duration": 86_400 });
    let mut row = json!({});
    for field in graph::fields(call, &["quota_usage"]) {
        row[&field] = match field.as_str() {
            "quota_usage" => used(Quota::Posts),
            "config" => config(posts_total(world)),
            "reply_quota_usage" => used(Quota::Replies),
            "reply_config" => config(REPLIES_PER_DAY),
            "delete_quota_usage" => used(Quota::Deletions),
            "delete_config" => config(DELETIONS_PER_DAY),
            other => {
                let text = format!("Tried accessing nonexisting field ({other})");
                return Err(facebook::errors::bad_parameter(&text));
            }
        };
    }
    Ok(Answer::ok(&json!({ "data": [row] })))
}
