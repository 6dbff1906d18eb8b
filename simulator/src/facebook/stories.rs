//! Stories: photos and videos that stand for 24 hours.

use serde_json::{Value, json};

use super::media::Video;
use super::{access, errors, find, flat, form, photos, publish};
use crate::call::{Answer, Call};
use crate::ledger::{NewPost, Platform};
use crate::world::World;

const STORY_NUMBERS: u64 = 122_400_000_000_000_000;
const STORY_LIFE_MS: i64 = 24 * 3600 * 1000;

/// A story on a page.
pub(crate) struct Story {
    pub(crate) page: String,
    media_type: &'static str,
    media_id: String,
    /// Address or digest of its file. Stories have no text; this stands for it in the ledger.
    origin: String,
    created_at: i64,
    deleted: bool,
}

impl Story {
    /// The story that a processed video becomes.
    pub(crate) fn of_video(id: &str, video: &Video, at: i64) -> Self {
        Self {
            page: video.page.clone(),
            media_type: "video",
            media_id: id.to_owned(),
            origin: video.file.origin(),
            created_at: at,
            deleted: false,
        }
    }

    /// `PUBLISHED`, then `ARCHIVED` where the page keeps its stories, then nothing.
    fn status(&self, is_kept: bool, now: i64) -> Option<&'static str> {
        match now - self.created_at < STORY_LIFE_MS {
            _ if self.deleted => None,
            true => Some("PUBLISHED"),
            false => is_kept.then_some("ARCHIVED"),
        }
    }
}

/// `POST /{page}/photo_stories` with an unpublished photo.
pub(crate) fn photo(world: &mut World, call: &Call) -> Answer {
    flat(publish_photo(world, call))
}

fn publish_photo(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let (page, _) = publish::admit(world, call)?;
    let wanted = form::text(call, "photo_id");
    let id = wanted.ok_or_else(|| errors::bad_parameter("The parameter photo_id is required"))?;
    let chosen = [id.to_owned()];
    photos::check_unused(world, &page, &chosen)?;
    photos::mark_used(world, &chosen);
    let [media_id] = chosen;
    let origin = world.facebook.photos[&media_id].url.clone();
    let story = Story {
        page,
        media_type: "photo",
        media_id,
        origin,
        created_at: world.now,
        deleted: false,
    };
    let post = reserve(world);
    publish(world, &post, story);
    Ok(Answer::ok(&json!({ "success": true, "post_id": post })))
}

/// Makes a story exist.
pub(crate) fn publish(world: &mut World, id: &str, story: Story) {
    let post = NewPost {
        platform: Platform::Facebook,
        account: &story.page,
        remote_id: id,
        text: &story.origin,
        client_reference: None,
    };
    world.ledger.created(&post, story.created_at);
    if let Some(page) = world.facebook.pages.get_mut(&story.page) {
        page.posts.push(id.to_owned());
    }
    world.facebook.media.stories.insert(id.to_owned(), story);
}

/// A fresh id for a story that will be.
pub(crate) fn reserve(world: &mut World) -> String {
    world.facebook.number(STORY_NUMBERS)
}

/// `GET /{page}/stories`: newest first, with `status`, `since`, `until`, `limit`, `after`.
pub(crate) fn list(world: &mut World, call: &Call) -> Answer {
    flat(list_stories(world, call))
}

fn list_stories(world: &World, call: &Call) -> Result<Answer, Answer> {
    let token = access::holder(world, call)?;
    let page_id = access::node_id(&token, call.segment(0));
    access::may_read(world, &token, &page_id)?;
    let page = access::page(world, "get", &page_id)?;
    let library = &world.facebook.media;
    let is_kept = library.archives.contains(&page_id);
    let asked = form::field(call, "status")
        .unwrap_or("")
        .to_ascii_uppercase();
    let is_in_time = find::time_filter(call);
    let row = |id: &String| {
        let story = library.stories.get(id)?;
        let status = story.status(is_kept, world.now)?;
        let fits = (asked.is_empty() || asked.contains(status)) && is_in_time(story.created_at);
        fits.then(|| describe(id, story, status))
    };
    let rows: Vec<Value> = page.posts.iter().rev().filter_map(row).collect();
    Ok(find::page_of(call, &rows))
}

fn describe(id: &str, story: &Story, status: &str) -> Value {
    json!({
        "post_id": id,
        "status": status,
        "creation_time": (story.created_at / 1000).to_string(),
        "media_type": story.media_type,
        "media_id": story.media_id,
        "url": format!("https://facebook.com/stories/{id}"),
    })
}

/// Takes a story away. Says whether it existed.
pub(crate) fn remove(world: &mut World, id: &str) -> bool {
    let story = world.facebook.media.stories.get_mut(id);
    let Some(story) = story.filter(|s| !s.deleted) else {
        return false;
    };
    story.deleted = true;
    world.ledger.deleted(id, world.now);
    true
}
