//! Reading single nodes (page, user, post) and a person's pages.

use serde_json::{Map, Value, json};

use super::tokens::Token;
use super::{Page, Post, access, errors, find, flat};
use crate::call::{Answer, Call};
use crate::clock::graph_time;
use crate::world::World;

/// `GET /{page}`, `GET /{user}` and `GET /me`.
pub(crate) fn node(world: &mut World, call: &Call) -> Answer {
    flat(read_node(world, call))
}

fn read_node(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let token = access::holder(world, call)?;
    let id = access::node_id(&token, call.segment(0));
    let wanted = fields(call, &["id", "name"]);
    if id == token.user {
        let name = world.facebook.users.get(&id).map(|u| u.name.clone());
        return select(&wanted, "User", |field| match field {
            "id" => Some(json!(id)),
            "name" => Some(json!(name)),
            _ => None,
        });
    }
    access::page(world, "get", &id)?;
    let page_token = match &token.page {
        None if wanted.iter().any(|f| f == "access_token") => {
            let has_role = world.facebook.pages[&id].tasks.contains_key(&token.user);
            has_role.then(|| world.page_token(&token, &id))
        }
        Some(_) | None => access::token_of(call).map(str::to_owned),
    };
    let page = access::page(world, "get", &id)?;
    select(&wanted, "Page", |field| {
        page_field(&id, page, &token, page_token.as_deref(), field)
    })
}

fn page_field(
    id: &str,
    page: &Page,
    token: &Token,
    page_token: Option<&str>,
    field: &str,
) -> Option<Value> {
    Some(match field {
        "id" => json!(id),
        "name" => json!(page.name),
        "link" => json!(format!("https://www.facebook.com/{id}")),
        "category" => json!(page.category),
        "category_list" => json!([{ "id": "2201", "name": page.category }]),
        "is_published" => json!(page.published),
        "fan_count" | "followers_count" => json!(0),
        "has_transitioned_to_new_page_experience" => json!(true),
        "access_token" => json!(page_token),
        "tasks" => json!(page.tasks.get(&token.user)),
        "instagram_business_account" => Value::Null,
        _ => return None,
    })
}

/// `GET /me/accounts`: the pages on which the person has a role, with tokens.
pub(crate) fn accounts(world: &mut World, call: &Call) -> Answer {
    flat(list_accounts(world, call))
}

fn list_accounts(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let token = access::holder(world, call)?;
    if token.page.is_some() {
        return Err(errors::bad_parameter(
            "Tried accessing nonexisting field (accounts) on node type (Page)",
        ));
    }
    let defaults = [
        "access_token",
        "category",
        "category_list",
        "name",
        "id",
        "tasks",
    ];
    let wanted = fields(call, &defaults);
    let shown = visible_pages(world, &token);
    let (from, limit) = find::window(call);
    let chosen: Vec<String> = shown.iter().skip(from).take(limit).cloned().collect();
    let mut data = Vec::with_capacity(chosen.len());
    for id in &chosen {
        let page_token = world.page_token(&token, id);
        let page = access::page(world, "get", id)?;
        let object = object(&wanted, "Page", |field| {
            page_field(id, page, &token, Some(&page_token), field)
        })?;
        data.push(Value::Object(object));
    }
    let end = from + chosen.len();
    let next = (end < shown.len()).then_some(end);
    let mut out = json!({ "data": data });
    if !chosen.is_empty() {
        out["paging"] = find::paging(call, from, end, next);
    }
    if call.param("summary").is_some() {
        out["summary"] = json!({ "total_count": shown.len() });
    }
    Ok(Answer::ok(&out))
}

fn visible_pages(world: &World, token: &Token) -> Vec<String> {
    let Some(user) = world.facebook.users.get(&token.user) else {
        return Vec::new();
    };
    let visible = |id: &&String| {
        let page = world.facebook.pages.get(*id);
        let has_role = page.is_some_and(|p| !p.deleted && p.tasks.contains_key(&token.user));
        has_role && user.has("pages_show_list", Some(id))
    };
    user.pages.iter().filter(visible).cloned().collect()
}

/// `GET /{page}_{post}`.
pub(crate) fn post(world: &mut World, call: &Call) -> Answer {
    flat(read_post(world, call))
}

fn read_post(world: &World, call: &Call) -> Result<Answer, Answer> {
    let token = access::holder(world, call)?;
    let id = call.segment(0);
    let post = world.facebook.posts.get(id).filter(|p| !p.deleted);
    let post = post.ok_or_else(|| errors::no_such_object("get", id))?;
    access::may_read(world, &token, &post.page)?;
    let wanted = fields(call, &["created_time", "message", "id"]);
    select(&wanted, "Post", |field| post_field(world, id, post, field))
}

/// A post with the wanted fields.
pub(crate) fn post_object(
    world: &World,
    id: &str,
    post: &Post,
    wanted: &[String],
) -> Result<Value, Answer> {
    object(wanted, "Post", |field| post_field(world, id, post, field)).map(Value::Object)
}

fn post_field(world: &World, id: &str, post: &Post, field: &str) -> Option<Value> {
    let state = &world.facebook;
    Some(match field {
        "id" => json!(id),
        "message" => json!(post.message),
        "created_time" => json!(graph_time(post.created_at)),
        "updated_time" => json!(graph_time(post.updated_at)),
        "permalink_url" => json!(permalink(id)),
        "is_published" => json!(post.published),
        "is_hidden" => json!(false),
        "status_type" => json!(status_type(post)),
        "from" => {
            let name = state.pages.get(&post.page).map(|p| p.name.as_str());
            json!({ "id": post.page, "name": name })
        }
        "application" => {
            let name = state.apps.get(&post.app).map(|a| a.name.as_str());
            json!({ "id": post.app, "name": name })
        }
        "full_picture" => {
            json!(
                post.photos
                    .first()
                    .and_then(|p| state.photos.get(p))
                    .map(|p| p.url.as_str())
            )
        }
        "attachments" => attachments(world, post),
        _ => return None,
    })
}

fn attachments(world: &World, post: &Post) -> Value {
    let photo = |id: &String| {
        let src = world.facebook.photos.get(id).map(|p| p.url.as_str());
        json!({ "media": { "image": { "src": src } }, "target": { "id": id }, "type": "photo" })
    };
    let mut data: Vec<Value> = post.photos.iter().map(photo).collect();
    if data.len() > 1 {
        // Several photos hang on an album, one level deeper.
        data = vec![json!({ "subattachments": { "data": data }, "type": "album" })];
    }
    if let Some(id) = &post.video {
        let url = format!("https://www.facebook.com/{}/videos/{id}/", post.page);
        data.push(json!({
            "media_type": "video",
            "target": { "id": id, "url": url },
            "type": "video_inline",
            "url": url,
        }));
    }
    if let Some(link) = &post.link {
        data.push(json!({ "type": "share", "unshimmed_url": link, "url": link }));
    }
    if data.is_empty() {
        Value::Null
    } else {
        json!({ "data": data })
    }
}

fn status_type(post: &Post) -> &'static str {
    if post.video.is_some() {
        return "added_video";
    }
    match (post.photos.is_empty(), &post.link) {
        (false, _) => "added_photos",
        (true, Some(_)) => "shared_story",
        (true, None) => "mobile_status_update",
    }
}

/// Where people see the post.
pub(crate) fn permalink(id: &str) -> String {
    match id.split_once('_') {
        Some((page, post)) => format!("https://www.facebook.com/{page}/posts/{post}"),
        None => format!("https://www.facebook.com/{id}"),
    }
}

/// The names in `fields=`, without what stands in braces behind them.
pub(crate) fn fields(call: &Call, defaults: &[&str]) -> Vec<String> {
    let Some(text) = call.param("fields").filter(|f| !f.is_empty()) else {
        return defaults.iter().map(|f| (*f).to_owned()).collect();
    };
    let (mut depth, mut names) = (0_u32, vec![String::new()]);
    for c in text.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => names.push(String::new()),
            _ if depth > 0 || c.is_whitespace() => {}
            _ => names
                .last_mut()
                .expect("the list begins with one name")
                .push(c),
        }
    }
    names.retain(|n| !n.is_empty());
    names
}

pub(super) fn select(
    wanted: &[String],
    kind: &str,
    value: impl Fn(&str) -> Option<Value>,
) -> Result<Answer, Answer> {
    object(wanted, kind, value).map(|o| Answer::ok(&Value::Object(o)))
}

/// The wanted fields; those without a value are left out, as Graph does, and
/// the id is always there.
pub(super) fn object(
    wanted: &[String],
    kind: &str,
    value: impl Fn(&str) -> Option<Value>,
) -> Result<Map<String, Value>, Answer> {
    let mut out = Map::new();
    for field in wanted.iter().map(String::as_str).chain(["id"]) {
        // Edges may carry modifiers: `attachments.limit(1)`.
        let name = field.split('.').next().unwrap_or(field);
        let found = value(name).ok_or_else(|| {
            let text = format!("Tried accessing nonexisting field ({name}) on node type ({kind})");
            errors::bad_parameter(&text)
        })?;
        if !found.is_null() {
            out.insert(name.to_owned(), found);
        }
    }
    Ok(out)
}
