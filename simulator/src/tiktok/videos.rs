//! The creator's public posts: by id, and the newest first.

use serde_json::{Map, Value, json};

use super::publish::{self, Post};
use super::{access, errors};
use crate::call::{Answer, Call};
use crate::facebook::flat;
use crate::world::World;

const MOST: u64 = 20;
/// Titles are cut so long when they are read, in characters.
const TITLE: usize = 150;

/// `POST /v2/video/query/?fields=…` with `{"filters":{"video_ids":[…]}}`. What is not there or
/// not public is not in the answer.
pub(super) fn query(world: &mut World, call: &Call) -> Answer {
    flat(find(world, call))
}

fn find(world: &World, call: &Call) -> Result<Answer, Answer> {
    let token = access::caller(world, call, "video.list")?;
    let fields = fields(call)?;
    let ids = call
        .json
        .as_ref()
        .and_then(|j| j["filters"]["video_ids"].as_array());
    let ids = ids.filter(|ids| !ids.is_empty() && ids.len() <= 20);
    let ids = ids.ok_or_else(|| errors::invalid_params("video_ids must be 1 to 20 ids"))?;
    let numbers = ids.iter().filter_map(|id| id.as_str()?.parse::<u64>().ok());
    let own = |n: u64| {
        let post = world.tiktok.posts.get(&n)?;
        let fits = post.user == token.user && publish::is_listed(world, post);
        fits.then(|| object(world, n, post, &fields))
    };
    let found: Vec<Value> = numbers.filter_map(own).collect();
    Ok(errors::ok(&json!({ "videos": found })))
}

/// `POST /v2/video/list/?fields=…` with `{"max_count", "cursor"}`; the cursor is a time in
/// milliseconds.
pub(super) fn list(world: &mut World, call: &Call) -> Answer {
    flat(recent(world, call))
}

fn recent(world: &World, call: &Call) -> Result<Answer, Answer> {
    let token = access::caller(world, call, "video.list")?;
    let fields = fields(call)?;
    let number = |name: &str| call.json.as_ref().and_then(|j| j[name].as_i64());
    let count = number("max_count").unwrap_or(10);
    let count = u64::try_from(count).ok().filter(|c| (1..=MOST).contains(c));
    let count = count.ok_or_else(|| errors::invalid_params("max_count must be from 1 to 20"))?;
    let count = usize::try_from(count).unwrap_or(1);
    let before = number("cursor").filter(|c| *c > 0).unwrap_or(i64::MAX);
    let mut own: Vec<(&u64, &Post)> = world.tiktok.posts.iter().collect();
    own.retain(|(_, p)| {
        p.user == token.user && p.created_at < before && publish::is_listed(world, p)
    });
    own.sort_by_key(|(n, p)| std::cmp::Reverse((p.created_at, **n)));
    let has_more = own.len() > count;
    own.truncate(count);
    let cursor = own.last().map_or(0, |(_, p)| p.created_at);
    let shown: Vec<Value> = own
        .iter()
        .map(|(n, p)| object(world, **n, p, &fields))
        .collect();
    Ok(errors::ok(
        &json!({ "videos": shown, "cursor": cursor, "has_more": has_more }),
    ))
}

fn fields(call: &Call) -> Result<Vec<String>, Answer> {
    let asked = call.param("fields").unwrap_or("");
    if asked.is_empty() {
        return Err(errors::invalid_params("fields is required"));
    }
    Ok(asked.split(',').map(str::to_owned).collect())
}

fn object(world: &World, number: u64, post: &Post, fields: &[String]) -> Value {
    let username = &world.tiktok.users[&post.user].username;
    let kind = if post.content.photos > 0 {
        "photo"
    } else {
        "video"
    };
    let link = format!("https://www.tiktok.com/@{username}/{kind}/{number}");
    let cut = |text: &str| text.chars().take(TITLE).collect::<String>();
    let description = if post.content.description.is_empty() {
        &post.content.title
    } else {
        &post.content.description
    };
    let value = |field: &str| {
        Some(match field {
            "id" => json!(number.to_string()),
            "title" => json!(cut(&post.content.title)),
            "video_description" => json!(cut(description)),
            "create_time" => json!(post.created_at / 1000),
            "share_url" => {
                json!(format!(
                    "{link}?utm_campaign=tt4d_open_api&utm_source=simulator"
                ))
            }
            "duration" => json!(if post.content.photos > 0 { 0 } else { 10 }),
            "cover_image_url" => json!("https://p16-sign.tiktokcdn.example/cover.jpeg"),
            "embed_link" => json!(format!("https://www.tiktok.com/embed/v2/{number}")),
            "embed_html" => json!(""),
            "width" | "height" => json!(1080),
            "like_count" | "comment_count" | "share_count" | "view_count" => json!(0),
            _ => return None,
        })
    };
    let shown = fields.iter().filter_map(|f| Some((f.clone(), value(f)?)));
    Value::Object(shown.collect::<Map<String, Value>>())
}
