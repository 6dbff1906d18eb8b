//! Publishing on a page, and taking it back.

use serde_json::{Value, json};
use url::Url;

use super::{Post, access, errors, flat, form, hooks, nodes, photos, stories, video_nodes};
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
        video: None,
        is_reel: false,
        created_at: world.now,
        updated_at: world.now,
        published: call.param("published") != Some("false"),
        deleted: false,
    };
    check_content(&draft)?;
    photos::check_unused(world, &draft.page, &draft.photos)?;
    let id = create(world, draft)?;
    let wanted = nodes::fields(call, &["id"]);
    nodes::post_object(world, &id, &world.facebook.posts[&id], &wanted).map(|o| Answer::ok(&o))
}

/// `POST /{page}/photos` with `url` or a file in `source`: a post with one photo, or, with
/// `published=false`, a photo for a later post.
pub(crate) fn photo(world: &mut World, call: &Call) -> Answer {
    flat(publish_photo(world, call))
}

fn publish_photo(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let (page, app) = admit(world, call)?;
    let photo = photos::received(world, call, &page)?;
    let number = world.facebook.number(PHOTO_NUMBERS);
    let published = form::field(call, "published") != Some("false");
    let draft = Post {
        page,
        app,
        message: non_empty(form::field(call, "caption").or(form::field(call, "message"))),
        link: None,
        photos: vec![number.clone()],
        video: None,
        is_reel: false,
        created_at: world.now,
        updated_at: world.now,
        published,
        deleted: false,
    };
    world.facebook.photos.insert(number.clone(), photo);
    check_content(&draft)?;
    if !published {
        return Ok(Answer::ok(&json!({ "id": number })));
    }
    let post = create(world, draft)?;
    Ok(Answer::ok(&json!({ "id": number, "post_id": post })))
}

/// The page and app of a caller who may publish there.
pub(super) fn admit(world: &World, call: &Call) -> Result<(String, String), Answer> {
    let token = access::holder(world, call)?;
    let page = access::node_id(&token, call.segment(0));
    access::may_write(world, &token, &page)?;
    if world.facebook.pages[&page].blocked {
        return Err(errors::blocked());
    }
    if form::field(call, "scheduled_publish_time").is_some() {
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

fn check_content(draft: &Post) -> Result<(), Answer> {
    check_length(draft.message.as_deref())?;
    if draft.message.is_none() && draft.link.is_none() && draft.photos.is_empty() {
        return Err(errors::content_refused(
            "Missing message or attachment",
            "This post is empty.",
        ));
    }
    if let Some(link) = draft.link.as_ref().filter(|l| !is_web_address(l)) {
        return Err(errors::bad_link(link));
    }
    Ok(())
}

/// Checks how long a text is, in characters.
pub(super) fn check_length(text: Option<&str>) -> Result<(), Answer> {
    let length = text.map_or(0, |t| t.chars().count());
    if length > TEXT_LIMIT {
        let text = format!("Your post is too long: {length} characters of at most {TEXT_LIMIT}.");
        return Err(errors::content_refused(
            "The status you are trying to publish is too long",
            &text,
        ));
    }
    Ok(())
}

pub(super) fn is_web_address(text: &str) -> bool {
    Url::parse(text).is_ok_and(|u| matches!(u.scheme(), "http" | "https") && u.host().is_some())
}

/// Makes the post exist, and says its id.
fn create(world: &mut World, draft: Post) -> Result<String, Answer> {
    if world.limits.facebook_duplicate_guard && repeats_last(world, &draft) {
        world.ledger.refused_duplicates += 1;
        return Err(errors::duplicate());
    }
    Ok(bring_forth(world, draft))
}

/// A post that a person writes on the page, at facebook.com.
pub(super) fn write_by_hand(world: &mut World, page: &str, text: &str) {
    let post = Post {
        page: page.to_owned(),
        app: String::new(),
        message: non_empty(Some(text)),
        link: None,
        photos: Vec::new(),
        video: None,
        is_reel: false,
        created_at: world.now,
        updated_at: world.now,
        published: true,
        deleted: false,
    };
    bring_forth(world, post);
}

/// Makes a post exist at its time of creation, and says its id.
pub(super) fn bring_forth(world: &mut World, draft: Post) -> String {
    let id = format!("{}_{}", draft.page, world.facebook.number(POST_NUMBERS));
    if draft.published {
        let text = ledger_text(world, &draft);
        let post = NewPost {
            platform: Platform::Facebook,
            account: &draft.page,
            remote_id: &id,
            text: &text,
            client_reference: None,
        };
        world.ledger.created(&post, draft.created_at);
    }
    photos::mark_used(world, &draft.photos);
    if let Some(page) = world.facebook.pages.get_mut(&draft.page) {
        page.posts.push(id.clone());
    }
    let is_news = draft.published;
    world.facebook.posts.insert(id.clone(), draft);
    if is_news {
        hooks::post_added(world, &id);
    }
    id
}

/// The text of a post; without one, what else it consists of.
fn ledger_text(world: &World, draft: &Post) -> String {
    let state = &world.facebook;
    let photo = || {
        state
            .photos
            .get(draft.photos.first()?)
            .map(|p| p.url.clone())
    };
    let video = || {
        state
            .media
            .videos
            .get(draft.video.as_ref()?)
            .map(|v| v.file.origin())
    };
    let text = draft.message.clone().or_else(|| draft.link.clone());
    text.or_else(photo).or_else(video).unwrap_or_default()
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
    let is_plain = |post: &Post| post.photos.is_empty() && post.video.is_none();
    is_plain(draft) && live.next().is_some_and(|last| is_plain(last) && same(last))
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

/// Takes a post, a story or a video away. Says whether it existed.
pub(crate) fn remove(world: &mut World, id: &str) -> bool {
    let Some(post) = world.facebook.posts.get_mut(id).filter(|p| !p.deleted) else {
        return stories::remove(world, id) || video_nodes::remove(world, id);
    };
    post.deleted = true;
    let (video, is_news) = (post.video.clone(), post.published);
    world.ledger.deleted(id, world.now);
    if is_news {
        hooks::post_removed(world, id);
    }
    if let Some(video) = video {
        video_nodes::remove(world, &video);
    }
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
    hooks::post_edited(world, id);
    true
}
