//! Reading accounts and posts, and taking posts away.

use serde_json::{Value, json};

use super::door::{Door, Right};
use super::realm::{Media, access, graph, publish};
use super::{FLAVOR, Flavor};
use crate::call::{Answer, Call};
use crate::clock::graph_time;
use crate::facebook::{self, flat};
use crate::world::World;

/// A story is to be seen for a day.
const STORY_LIFE_MS: i64 = 24 * 3600 * 1000;
const STORY: &str = "STORIES";

/// `GET /me` or `GET /{account}`.
pub(super) fn account(door: Door, world: &mut World, call: &Call) -> Answer {
    flat(read_account(door, world, call))
}

fn read_account(door: Door, world: &World, call: &Call) -> Result<Answer, Answer> {
    let actor = door.actor(world, call, call.segment(0), Right::Read)?;
    let known = &world.instagram.accounts[&actor.account];
    let posts = known.media.iter().filter(|id| is_seen(world, id)).count();
    let object = graph::object(&graph::fields(call, &["id"]), "IGUser", |field| {
        Some(match (field, door) {
            // With Instagram Login the id is the app's own; with Facebook Login there is one.
            ("id", Door::InstagramLogin) => json!(known.app_scoped_id),
            ("id", Door::FacebookLogin) | ("user_id", Door::InstagramLogin) => {
                json!(actor.account)
            }
            ("account_type", Door::InstagramLogin) => json!(known.kind),
            ("username" | "name", _) => json!(known.username),
            ("profile_picture_url", _) => {
                let username = &known.username;
                json!(format!("https://scontent.cdninstagram.com/{username}.jpg"))
            }
            ("followers_count" | "follows_count", _) => json!(0),
            ("media_count", _) => json!(posts),
            _ => return None,
        })
    })?;
    Ok(Answer::ok(&object))
}

/// `GET /{media}`.
pub(super) fn read(door: Door, world: &mut World, call: &Call) -> Answer {
    flat(read_media(door, world, call))
}

fn read_media(door: Door, world: &World, call: &Call) -> Result<Answer, Answer> {
    let id = call.segment(0);
    door.owner(world, call, id, Right::Read)?;
    let unknown = || facebook::errors::no_such_object("get", id);
    let media = world.instagram.media.get(id);
    let media = media.filter(|_| is_seen(world, id)).ok_or_else(unknown)?;
    let object = object(world, id, media, &graph::fields(call, &["id"]))?;
    Ok(Answer::ok(&object))
}

/// Whether people can see it.
fn is_seen(world: &World, id: &str) -> bool {
    let media = world.instagram.media.get(id);
    media.is_some_and(|m| {
        !m.deleted && (m.draft.kind != STORY || world.now - m.created_at < STORY_LIFE_MS)
    })
}

fn object(world: &World, id: &str, media: &Media, wanted: &[String]) -> Result<Value, Answer> {
    let username = world.instagram.accounts.get(&media.account);
    let username = username.map(|a| a.username.as_str());
    graph::object(wanted, "IGMedia", |field| {
        Some(match field {
            "id" => json!(id),
            "caption" if media.draft.text.is_empty() => Value::Null,
            "caption" => json!(media.draft.text),
            "media_type" => json!(media_type(media)),
            "media_product_type" => json!(product_type(media)),
            "media_url" | "thumbnail_url" => json!(media.draft.url),
            // Parts of an album have no address of their own.
            "permalink" if media.draft.is_child => Value::Null,
            "permalink" => json!(permalink(media)),
            "shortcode" => json!(media.shortcode),
            "timestamp" => json!(graph_time(media.created_at)),
            "username" => json!(username),
            "alt_text" => json!(media.draft.alt_text),
            "like_count" | "comments_count" => json!(0),
            "is_comment_enabled" => json!(true),
            "children" if media.children.is_empty() => Value::Null,
            "children" => {
                let parts = media.children.iter().map(|id| json!({ "id": id }));
                json!({ "data": parts.collect::<Vec<_>>() })
            }
            "owner" => json!({ "id": media.account }),
            _ => return None,
        })
    })
}

fn media_type(media: &Media) -> &'static str {
    match media.draft.kind.as_str() {
        "CAROUSEL" => "CAROUSEL_ALBUM",
        _ if media.draft.is_video => "VIDEO",
        _ => "IMAGE",
    }
}

fn product_type(media: &Media) -> &'static str {
    match media.draft.kind.as_str() {
        "REELS" => "REELS",
        STORY => "STORY",
        _ => "FEED",
    }
}

fn permalink(media: &Media) -> String {
    let kind = if media.draft.kind == "REELS" {
        "reel"
    } else {
        "p"
    };
    format!("https://www.instagram.com/{kind}/{}/", media.shortcode)
}

/// `GET /{account}/media`, newest first, without stories; or `GET /{account}/stories`.
pub(super) fn list(door: Door, stories: bool, world: &mut World, call: &Call) -> Answer {
    flat(list_media(door, stories, world, call))
}

fn list_media(door: Door, stories: bool, world: &World, call: &Call) -> Result<Answer, Answer> {
    let actor = door.actor(world, call, call.segment(0), Right::Read)?;
    let known = &world.instagram.accounts[&actor.account];
    let shown = |id: &str| {
        let media = &world.instagram.media[id];
        let fits = (media.draft.kind == STORY) == stories;
        fits && is_seen(world, id) && graph::in_window(call, media.created_at)
    };
    let part = graph::part(call, &known.media, shown);
    let wanted = graph::fields(call, &["id"]);
    let data: Result<Vec<Value>, Answer> = part
        .items
        .iter()
        .map(|(_, id)| object(world, id, &world.instagram.media[*id], &wanted))
        .collect();
    Ok(graph::list(door.site(), call, &part, &data?))
}

/// `DELETE /{media}`: with Facebook Login alone.
pub(super) fn delete(door: Door, world: &mut World, call: &Call) -> Answer {
    flat(delete_media(door, world, call))
}

fn delete_media(door: Door, world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let id = call.segment(0);
    door.owner(world, call, id, Right::Manage)?;
    let unknown = || facebook::errors::no_such_object("delete", id);
    if door == Door::InstagramLogin || !publish::remove(&FLAVOR, world, id) {
        return Err(unknown());
    }
    Ok(Answer::ok(&json!({ "success": true, "deleted_id": id })))
}

/// `POST /me/subscribed_apps`: webhook fields for this account.
pub(super) fn subscribe(world: &mut World, call: &Call) -> Answer {
    flat(subscribe_account(&FLAVOR, world, call))
}

fn subscribe_account(flavor: &Flavor, world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let actor = access::actor(flavor, world, call, call.segment(0), &[flavor.basic])?;
    let missing = || facebook::errors::bad_parameter("The parameter subscribed_fields is required");
    let fields = call.param("subscribed_fields").ok_or_else(missing)?;
    let fields = fields.split(',').map(str::to_owned).collect();
    if let Some(account) = world.instagram.accounts.get_mut(&actor.account) {
        account.subscribed = fields;
    }
    Ok(Answer::ok(&json!({ "success": true })))
}

/// `GET /me/subscribed_apps`.
pub(super) fn subscriptions(world: &mut World, call: &Call) -> Answer {
    flat(read_subscriptions(&FLAVOR, world, call))
}

fn read_subscriptions(flavor: &Flavor, world: &World, call: &Call) -> Result<Answer, Answer> {
    let actor = access::actor(flavor, world, call, call.segment(0), &[flavor.basic])?;
    let fields = &world.instagram.accounts[&actor.account].subscribed;
    let name = world.instagram.apps.get(&actor.app).map(|a| &a.name);
    let row = json!({ "id": actor.app, "name": name, "subscribed_fields": fields });
    let rows = if fields.is_empty() { vec![] } else { vec![row] };
    Ok(Answer::ok(&json!({ "data": rows })))
}
