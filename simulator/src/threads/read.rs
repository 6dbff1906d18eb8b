//! Reading profiles, posts and tokens.

use serde_json::{Value, json};

use super::{FLAVOR, errors};
use crate::call::{Answer, Call};
use crate::clock::graph_time;
use crate::facebook::{self, flat};
use crate::instagram::realm::{Media, access, graph};
use crate::world::World;

/// Data access ends 90 days after the person's last log-in or the token's renewal.
const DATA_ACCESS_S: i64 = 90 * 24 * 3600;

/// `GET /me` or `GET /{profile}`.
pub(super) fn profile(world: &mut World, call: &Call) -> Answer {
    flat(read_profile(world, call))
}

fn read_profile(world: &World, call: &Call) -> Result<Answer, Answer> {
    let actor = access::actor(&FLAVOR, world, call, call.segment(0), &[FLAVOR.basic])?;
    let known = &world.threads.accounts[&actor.account];
    let object = graph::object(&graph::fields(call, &["id"]), "ThreadsUser", |field| {
        Some(match field {
            "id" => json!(actor.account),
            "username" | "name" => json!(known.username),
            "threads_profile_picture_url" => {
                json!(format!(
                    "https://scontent.cdninstagram.com/{}.jpg",
                    known.username
                ))
            }
            "threads_biography" => json!(""),
            "is_verified" => json!(false),
            _ => return None,
        })
    })?;
    Ok(Answer::ok(&object))
}

/// `GET /debug_token`: 200 also for a dead token; `is_valid` tells.
pub(super) fn debug_token(world: &mut World, call: &Call) -> Answer {
    flat(inspect(world, call))
}

fn inspect(world: &World, call: &Call) -> Result<Answer, Answer> {
    let realm = &world.threads;
    let caller = access::holder(&FLAVOR, world, call)?;
    let token = realm.tokens.get(call.param("input_token").unwrap_or(""));
    let Some(token) = token else {
        let error = json!({ "code": 190, "message": "The access token could not be decrypted" });
        let data = json!({ "error": error, "is_valid": false, "scopes": [] });
        return Ok(Answer::ok(&json!({ "data": data })));
    };
    if token.app != caller.app {
        let text = "You must provide an app access token, or a user access token that is an owner or developer of \
            the app";
        return Err(facebook::errors::bad_parameter(text));
    }
    let problem = realm.problem(token, world.now);
    let account = realm.accounts.get(&token.account);
    let scopes = account.into_iter().flat_map(|a| &a.scopes);
    let scopes = scopes.filter(|(_, on)| **on).map(|(name, _)| name);
    let mut data = json!({
        "type": "USER",
        "application": realm.apps.get(&token.app).map(|a| a.name.as_str()),
        "data_access_expires_at": token.issued_at / 1000 + DATA_ACCESS_S,
        "expires_at": token.expires_at / 1000,
        "is_valid": problem.is_none(),
        "issued_at": token.issued_at / 1000,
        "scopes": scopes.collect::<Vec<_>>(),
        "user_id": token.account,
    });
    if let Some((subcode, message)) = problem {
        data["error"] = json!({ "code": 190, "message": message, "subcode": subcode });
    }
    Ok(Answer::ok(&json!({ "data": data })))
}

/// `GET /{media}`.
pub(super) fn post(world: &mut World, call: &Call) -> Answer {
    flat(read_post(world, call))
}

fn read_post(world: &World, call: &Call) -> Result<Answer, Answer> {
    let token = access::holder(&FLAVOR, world, call)?;
    access::actor(&FLAVOR, world, call, &token.account, &[FLAVOR.basic])?;
    let id = call.segment(0);
    let media = world.threads.media.get(id);
    let media = media.filter(|m| m.account == token.account);
    match media {
        Some(media) if !media.deleted => {
            let object = object(world, id, media, &graph::fields(call, &["id"]))?;
            Ok(Answer::ok(&object))
        }
        Some(_) => Err(errors::not_found()),
        None => Err(facebook::errors::no_such_object("get", id)),
    }
}

fn object(world: &World, id: &str, media: &Media, wanted: &[String]) -> Result<Value, Answer> {
    let username = world.threads.accounts.get(&media.account);
    let username = username.map_or("", |a| a.username.as_str());
    graph::object(wanted, "ThreadsMedia", |field| {
        Some(match field {
            "id" => json!(id),
            "media_product_type" => json!("THREADS"),
            "media_type" => json!(media_type(media)),
            "media_url" => json!(media.draft.url),
            "permalink" if media.draft.is_child => Value::Null,
            "permalink" => json!(permalink(username, media)),
            "owner" => json!({ "id": media.account }),
            "username" => json!(username),
            "text" if media.draft.text.is_empty() => Value::Null,
            "text" => json!(media.draft.text),
            "timestamp" => json!(graph_time(media.created_at)),
            "shortcode" => json!(media.shortcode),
            "is_quote_post" => json!(false),
            "is_reply" => json!(media.draft.reply_to.is_some()),
            "link_attachment_url" => json!(media.draft.link),
            "alt_text" => json!(media.draft.alt_text),
            "children" if media.children.is_empty() => Value::Null,
            "children" => {
                let parts = media.children.iter().map(|id| json!({ "id": id }));
                json!({ "data": parts.collect::<Vec<_>>() })
            }
            _ => return None,
        })
    })
}

pub(super) fn media_type(media: &Media) -> &'static str {
    match media.draft.kind.as_str() {
        "TEXT" => "TEXT_POST",
        "IMAGE" => "IMAGE",
        "VIDEO" => "VIDEO",
        _ => "CAROUSEL_ALBUM",
    }
}

pub(super) fn permalink(username: &str, media: &Media) -> String {
    format!(
        "https://www.threads.net/@{username}/post/{}",
        media.shortcode
    )
}

/// `GET /{profile}/threads`, newest first.
pub(super) fn list(world: &mut World, call: &Call) -> Answer {
    flat(list_posts(world, call))
}

fn list_posts(world: &World, call: &Call) -> Result<Answer, Answer> {
    let actor = access::actor(&FLAVOR, world, call, call.segment(0), &[FLAVOR.basic])?;
    let known = &world.threads.accounts[&actor.account];
    let shown = |id: &str| {
        let media = &world.threads.media[id];
        let fits = !media.deleted && media.draft.reply_to.is_none();
        fits && graph::in_window(call, media.created_at)
    };
    let part = graph::part(call, &known.media, shown);
    let wanted = graph::fields(call, &["id"]);
    let data: Result<Vec<Value>, Answer> = part
        .items
        .iter()
        .map(|(_, id)| object(world, id, &world.threads.media[*id], &wanted))
        .collect();
    Ok(graph::list(FLAVOR.name, call, &part, &data?))
}
