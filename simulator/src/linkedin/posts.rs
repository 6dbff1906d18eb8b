//! Posts: creating, changing and deleting them.

use serde_json::Value;

use super::access::{self, WRITE_MEMBER, WRITE_ORGANIZATION};
use super::assets::Status;
use super::{content, errors, flat, gateway, little};
use crate::call::{Answer, Call};
use crate::ledger::{NewPost, Platform};
use crate::world::World;

/// Longest commentary, in UTF-16 units of what people read.
const TEXT_LIMIT: usize = 3_000;
/// How long an identical post is refused.
const DUPLICATE_MS: i64 = 10 * 60 * 1000;
const CREATE: &str = "partnerApiPostsExternal.CREATE";

/// One post.
pub(super) struct Post {
    /// URN of the person or organization.
    pub(super) author: String,
    /// Little text, as the API gives it back.
    pub(super) commentary: String,
    /// What people read.
    shown: String,
    pub(super) content: Option<Value>,
    media: Vec<String>,
    pub(super) visibility: Value,
    pub(super) distribution: Value,
    pub(super) reshare_disabled: bool,
    pub(super) created_at: i64,
    pub(super) modified_at: i64,
    pub(super) published_at: Option<i64>,
    pub(super) edited: bool,
    pub(super) state: Lifecycle,
    pub(super) deleted: bool,
}

/// Where a post is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lifecycle {
    /// Its media are still being processed.
    PublishRequested,
    Published,
    /// Its media could not be processed: nobody sees it.
    PublishFailed,
}

impl Lifecycle {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::PublishRequested => "PUBLISH_REQUESTED",
            Self::Published => "PUBLISHED",
            Self::PublishFailed => "PUBLISH_FAILED",
        }
    }
}

/// `POST /rest/posts`: 201, no body, the URN in `x-restli-id`.
pub(super) fn create(world: &mut World, call: &Call) -> Answer {
    flat(create_post(world, call))
}

fn create_post(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let token = access::caller(world, call)?;
    access::need_one(
        world,
        call,
        &token,
        &[WRITE_MEMBER, WRITE_ORGANIZATION],
        CREATE,
    )?;
    let body = call
        .json
        .as_ref()
        .ok_or_else(errors::unsupported_media_type)?;
    let author = body["author"]
        .as_str()
        .ok_or_else(|| content::missing("author"))?;
    access::may_write(world, call, &token, author, ("author", CREATE))?;
    let post = draft(world, body, author)?;
    if world.linkedin.settings.duplicate_guard
        && let Some(first) = repeats(world, &post)
    {
        let refusal = errors::duplicate(first);
        world.ledger.refused_duplicates += 1;
        return Err(refusal);
    }
    let urn = keep(world, post);
    let location = format!("/posts/{}", urn.replace(':', "%3A"));
    Ok(Answer::text(201, "application/json", "")
        .with("x-restli-id", urn.as_str())
        .with("x-linkedin-id", urn)
        .with("location", location))
}

/// Reads a post out of a request's body.
fn draft(world: &World, body: &Value, author: &str) -> Result<Post, Answer> {
    let commentary = body["commentary"]
        .as_str()
        .ok_or_else(|| content::missing("commentary"))?;
    let visibilities = ["PUBLIC", "CONNECTIONS", "LOGGED_IN", "CONTAINER"];
    content::one_of(body, "visibility", &visibilities)?;
    content::one_of(
        body,
        "distribution/feedDistribution",
        &["MAIN_FEED", "NONE"],
    )?;
    content::one_of(body, "lifecycleState", &["PUBLISHED"])?;
    let text = little::parse(commentary);
    let length = text.shown.encode_utf16().count();
    if length > TEXT_LIMIT {
        return Err(content::too_long("commentary", length, TEXT_LIMIT));
    }
    let carried = Some(&body["content"]).filter(|content| !content.is_null());
    if commentary.trim().is_empty() && carried.is_none() {
        let text = "commentary can't be blank";
        return Err(errors::field(
            "INVALID_VALUE_BLANK_FIELD",
            "commentary",
            text,
        ));
    }
    let media = match carried {
        Some(carried) => content::check(world, carried, author)?,
        None => Vec::new(),
    };
    Ok(Post {
        author: author.to_owned(),
        commentary: text.stored,
        shown: text.shown,
        content: carried.cloned(),
        media,
        visibility: body["visibility"].clone(),
        distribution: body["distribution"].clone(),
        reshare_disabled: body["isReshareDisabledByAuthor"].as_bool().unwrap_or(false),
        created_at: world.now,
        modified_at: world.now,
        published_at: None,
        edited: false,
        state: Lifecycle::PublishRequested,
        deleted: false,
    })
}

/// The URN of the same post by the same author within the last ten minutes.
fn repeats<'w>(world: &'w World, draft: &Post) -> Option<&'w str> {
    let state = &world.linkedin;
    let own = state.timelines.get(&draft.author)?;
    own.iter()
        .rev()
        .filter_map(|urn| state.posts.get(urn).map(|post| (urn, post)))
        .take_while(|(_, post)| world.now - post.created_at < DUPLICATE_MS)
        .filter(|(_, post)| !post.deleted && post.state != Lifecycle::PublishFailed)
        .find(|(_, post)| post.shown == draft.shown && post.content == draft.content)
        .map(|(urn, _)| urn.as_str())
}

/// Keeps a new post, and publishes it if it waits for nothing.
fn keep(world: &mut World, post: Post) -> String {
    // Real numbers are made of the time and a counter, too.
    let counter = world.linkedin.number(0) & 0x3F_FFFF;
    let number = (world.now.cast_unsigned() << 22) | counter;
    let video = post
        .media
        .iter()
        .any(|urn| urn.starts_with("urn:li:video:"));
    let kind = if video { "ugcPost" } else { "share" };
    let urn = format!("urn:li:{kind}:{number}");
    let state = &mut world.linkedin;
    state
        .timelines
        .entry(post.author.clone())
        .or_default()
        .push(urn.clone());
    state.posts.insert(urn.clone(), post);
    state.waiting.push(urn.clone());
    publish_what_is_ready(world);
    urn
}

/// Publishes posts whose media are processed by now.
pub(super) fn publish_what_is_ready(world: &mut World) {
    if world.linkedin.waiting.is_empty() {
        return;
    }
    let waiting = std::mem::take(&mut world.linkedin.waiting);
    for urn in waiting {
        match readiness(world, &urn) {
            Readiness::Waits => world.linkedin.waiting.push(urn),
            Readiness::Broken => end(world, &urn),
            Readiness::Since(at) => publish(world, &urn, at),
        }
    }
}

enum Readiness {
    Waits,
    /// Its media cannot be shown, or it was deleted meanwhile.
    Broken,
    /// When the last of its media was ready.
    Since(i64),
}

fn readiness(world: &World, urn: &str) -> Readiness {
    let state = &world.linkedin;
    let Some(post) = state.posts.get(urn).filter(|post| !post.deleted) else {
        return Readiness::Broken;
    };
    let mut since = post.created_at;
    for asset in post.media.iter().filter_map(|urn| state.assets.get(urn)) {
        match asset.status(world.now) {
            Status::Available => since = since.max(asset.ready_at),
            Status::Processing | Status::WaitingUpload => return Readiness::Waits,
            Status::Failed => return Readiness::Broken,
        }
    }
    Readiness::Since(since)
}

fn end(world: &mut World, urn: &str) {
    if let Some(post) = world.linkedin.posts.get_mut(urn) {
        post.state = Lifecycle::PublishFailed;
    }
}

fn publish(world: &mut World, urn: &str, at: i64) {
    let Some(post) = world.linkedin.posts.get_mut(urn) else {
        return;
    };
    post.state = Lifecycle::Published;
    post.published_at = Some(at);
    let link = post
        .content
        .as_ref()
        .and_then(|content| content["article"]["source"].as_str());
    let instead = || {
        link.or_else(|| post.media.first().map(String::as_str))
            .unwrap_or("")
    };
    let text = if post.shown.is_empty() {
        instead()
    } else {
        &post.shown
    };
    let entry = NewPost {
        platform: Platform::LinkedIn,
        account: &post.author,
        remote_id: urn,
        text,
        client_reference: None,
    };
    world.ledger.created(&entry, at);
}

/// `POST /rest/posts/{urn}` with `X-RestLi-Method: PARTIAL_UPDATE`: 204.
pub(super) fn update(world: &mut World, call: &Call) -> Answer {
    flat(change(world, call))
}

fn change(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let urn = writable(world, call, "partnerApiPostsExternal.PARTIAL_UPDATE")?;
    let urn = urn.ok_or_else(errors::not_found)?;
    let body = call
        .json
        .as_ref()
        .ok_or_else(errors::unsupported_media_type)?;
    let path = "patch/$set/commentary";
    let text = body["patch"]["$set"]["commentary"].as_str();
    let text = little::parse(text.ok_or_else(|| content::missing(path))?);
    rewrite(world, &urn, text);
    Ok(Answer::text(204, "application/json", ""))
}

/// `DELETE /rest/posts/{urn}`: 204, the second time as well.
pub(super) fn delete(world: &mut World, call: &Call) -> Answer {
    flat(delete_post(world, call))
}

fn delete_post(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    if let Some(urn) = writable(world, call, "partnerApiPostsExternal.DELETE")? {
        remove(world, &urn);
    }
    Ok(Answer::text(204, "application/json", ""))
}

/// The post in the path, if there is one, and if the caller may write in its author's name.
fn writable(world: &World, call: &Call, resource: &str) -> Result<Option<String>, Answer> {
    let token = access::caller(world, call)?;
    let scopes = [WRITE_MEMBER, WRITE_ORGANIZATION];
    access::need_one(world, call, &token, &scopes, resource)?;
    let urn = gateway::path_key(call)?;
    if !urn.starts_with("urn:li:share:") && !urn.starts_with("urn:li:ugcPost:") {
        let text = format!("id value {urn} must be a share or ugcPost URN");
        return Err(errors::field("INVALID_URN_TYPE", "id", &text));
    }
    let Some(post) = world.linkedin.posts.get(urn).filter(|post| !post.deleted) else {
        return Ok(None);
    };
    access::may_write(world, call, &token, &post.author, ("author", resource))?;
    Ok(Some(urn.to_owned()))
}

/// Takes a post away. Says whether it existed.
pub(super) fn remove(world: &mut World, urn: &str) -> bool {
    let Some(post) = world
        .linkedin
        .posts
        .get_mut(urn)
        .filter(|post| !post.deleted)
    else {
        return false;
    };
    post.deleted = true;
    world.ledger.deleted(urn, world.now);
    true
}

/// Changes a post's text to a plain one, as its author would on the site.
pub(super) fn edit(world: &mut World, urn: &str, text: &str) -> bool {
    let there = world
        .linkedin
        .posts
        .get(urn)
        .is_some_and(|post| !post.deleted);
    if there {
        rewrite(world, urn, little::parse(&little::escape(text)));
    }
    there
}

fn rewrite(world: &mut World, urn: &str, text: little::Little) {
    if let Some(post) = world.linkedin.posts.get_mut(urn) {
        post.modified_at = world.now;
        post.edited = true;
        world.ledger.edited(urn, &text.shown);
        post.shown = text.shown;
        post.commentary = text.stored;
    }
}
