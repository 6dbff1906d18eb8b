//! Publishing on a page, and taking it back.

use serde_json::{Value, json};
use url::Url;

use super::{Photo, Post, access, errors, flat, nodes};
use crate::call::{Answer, Call};
use crate::ledger::{NewPost, Platform};
use crate::world::World;

/// The longest text of a post, in characters.
const TEXT_LIMIT: usize = 63_206;
const POST_NUMBERS: u64 = 122_100_000_000_000_000;
const PHOTO_NUMBERS: u64 = 122_200_000_000_000_000;

/// `POST /{page}/feed`: text, link, photos uploaded before. There is no
/// idempotency key: the same call twice makes two posts, unless they are
/// consecutive and identical (506).
pub(crate) fn feed(world: &mut World, call: &Call) -> Answer {
    flat(publish_feed(world, call))
}

fn publish_feed(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let (page, app) = admit(world, call)?;
    let draft = Post {
        page,
        app,
        message: non_empty(call.param("message")),
        link: non_empty(call.param("link")),
        photos: attached_media(call)?,
        created_at: world.now,
        updated_at: world.now,
        published: call.param("published") != Some("false"),
        deleted: false,
    };
    check_content(world, &draft)?;
    let id = create(world, draft)?;
    let wanted = nodes::fields(call, &["id"]);
    nodes::post_object(world, &id, &world.facebook.posts[&id], &wanted).map(|o| Answer::ok(&o))
}

/// `POST /{page}/photos` with `url`: a post with one photo, or, with
/// `published=false`, a photo for a later post.
pub(crate) fn photo(world: &mut World, call: &Call) -> Answer {
    flat(publish_photo(world, call))
}

fn publish_photo(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let (page, app) = admit(world, call)?;
    let url = call.param("url").unwrap_or("").to_owned();
    if !is_web_address(&url) {
        let text = "Missing or invalid image file";
        return Err(errors::content_refused(
            text,
            "The photo could not be fetched from its URL.",
        ));
    }
    let number = world.facebook.number(PHOTO_NUMBERS);
    let published = call.param("published") != Some("false");
    let draft = Post {
        page: page.clone(),
        app,
        message: non_empty(call.param("caption").or(call.param("message"))),
        link: None,
        photos: vec![number.clone()],
        created_at: world.now,
        updated_at: world.now,
        published,
        deleted: false,
    };
    world
        .facebook
        .photos
        .insert(number.clone(), Photo { page, url });
    check_content(world, &draft)?;
    if !published {
        return Ok(Answer::ok(&json!({ "id": number })));
    }
    let post = create(world, draft)?;
    Ok(Answer::ok(&json!({ "id": number, "post_id": post })))
}

/// The page and app of a caller who may publish there.
fn admit(world: &World, call: &Call) -> Result<(String, String), Answer> {
    let token = access::holder(world, call)?;
    let page = access::node_id(&token, call.segment(0));
    access::may_write(world, &token, &page)?;
    if world.facebook.pages[&page].blocked {
        return Err(errors::blocked());
    }
    if call.param("scheduled_publish_time").is_some() {
        return Err(errors::bad_parameter(
            "scheduled_publish_time is not simulated",
        ));
    }
    Ok((page, token.app))
}

fn non_empty(text: Option<&str>) -> Option<String> {
    text.filter(|t| !t.is_empty()).map(str::to_owned)
}

/// `attached_media` as JSON, or as `attached_media[0]={"media_fbid":"1"}`.
fn attached_media(call: &Call) -> Result<Vec<String>, Answer> {
    let bad = || errors::bad_parameter("Param attached_media must be an array.");
    let mut items: Vec<Value> = match call.param("attached_media") {
        Some(text) => serde_json::from_str(text).map_err(|_| bad())?,
        None => Vec::new(),
    };
    let indexed = (0..).map_while(|n| call.param(&format!("attached_media[{n}]")));
    for text in indexed {
        items.push(serde_json::from_str(text).map_err(|_| bad())?);
    }
    let id = |item: &Value| match &item["media_fbid"] {
        Value::String(id) => Ok(id.clone()),
        Value::Number(id) => Ok(id.to_string()),
        _ => Err(bad()),
    };
    items.iter().map(id).collect()
}

fn check_content(world: &World, draft: &Post) -> Result<(), Answer> {
    let length = draft.message.as_ref().map_or(0, |m| m.chars().count());
    if length > TEXT_LIMIT {
        let text = format!("Your post is too long: {length} characters of at most {TEXT_LIMIT}.");
        return Err(errors::content_refused(
            "The status you are trying to publish is too long",
            &text,
        ));
    }
    if draft.message.is_none() && draft.link.is_none() && draft.photos.is_empty() {
        return Err(errors::content_refused(
            "Missing message or attachment",
            "This post is empty.",
        ));
    }
    if let Some(link) = draft.link.as_ref().filter(|l| !is_web_address(l)) {
        return Err(errors::bad_link(link));
    }
    let foreign = |id: &&String| {
        world
            .facebook
            .photos
            .get(*id)
            .is_none_or(|p| p.page != draft.page)
    };
    match draft.photos.iter().find(foreign) {
        Some(id) => Err(errors::no_such_object("post", id)),
        None => Ok(()),
    }
}

fn is_web_address(text: &str) -> bool {
    Url::parse(text).is_ok_and(|u| matches!(u.scheme(), "http" | "https") && u.host().is_some())
}

/// Makes the post exist, and says its id.
fn create(world: &mut World, draft: Post) -> Result<String, Answer> {
    if world.limits.facebook_duplicate_guard && repeats_last(world, &draft) {
        world.ledger.refused_duplicates += 1;
        return Err(errors::duplicate());
    }
    let id = format!("{}_{}", draft.page, world.facebook.number(POST_NUMBERS));
    if draft.published {
        let text = draft
            .message
            .as_deref()
            .or(draft.link.as_deref())
            .unwrap_or("");
        let platform = Platform::Facebook;
        let (account, remote_id) = (draft.page.as_str(), id.as_str());
        let post = NewPost {
            platform,
            account,
            remote_id,
            text,
            client_reference: None,
        };
        world.ledger.created(&post, world.now);
    }
    if let Some(page) = world.facebook.pages.get_mut(&draft.page) {
        page.posts.push(id.clone());
    }
    world.facebook.posts.insert(id.clone(), draft);
    Ok(id)
}

fn repeats_last(world: &World, draft: &Post) -> bool {
    let state = &world.facebook;
    let posts = state
        .pages
        .get(&draft.page)
        .map(|p| p.posts.as_slice())
        .unwrap_or_default();
    let mut live = posts
        .iter()
        .rev()
        .filter_map(|id| state.posts.get(id))
        .filter(|p| !p.deleted);
    let same = |last: &Post| last.message == draft.message && last.link == draft.link;
    draft.photos.is_empty() && live.next().is_some_and(|l| l.photos.is_empty() && same(l))
}

/// `DELETE /{page}_{post}`: the second time it is gone (100/33).
pub(crate) fn delete(world: &mut World, call: &Call) -> Answer {
    flat(delete_post(world, call))
}

fn delete_post(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let token = access::holder(world, call)?;
    let id = call.segment(0);
    let post = world.facebook.posts.get(id).filter(|p| !p.deleted);
    let page = post
        .map(|p| p.page.clone())
        .ok_or_else(|| errors::no_such_object("delete", id))?;
    access::may_write(world, &token, &page)?;
    remove(world, id);
    Ok(Answer::ok(&json!({ "success": true })))
}

/// Takes a post away. Says whether it existed.
pub(crate) fn remove(world: &mut World, id: &str) -> bool {
    let Some(post) = world.facebook.posts.get_mut(id).filter(|p| !p.deleted) else {
        return false;
    };
    post.deleted = true;
    world.ledger.deleted(id, world.now);
    true
}

/// Changes a post's text on the platform.
pub(crate) fn edit(world: &mut World, id: &str, text: &str) -> bool {
    let Some(post) = world.facebook.posts.get_mut(id).filter(|p| !p.deleted) else {
        return false;
    };
    post.message = Some(text.to_owned());
    post.updated_at = world.now;
    world.ledger.edited(id, text);
    true
}
