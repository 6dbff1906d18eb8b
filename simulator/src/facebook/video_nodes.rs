//! Reading videos: one, a page's, a page's reels. And deleting one.

use serde_json::{Value, json};

use super::media::{Kind, Stage, Video};
use super::{access, errors, find, flat, nodes, publish, stories};
use crate::call::{Answer, Call};
use crate::clock::graph_time;
use crate::world::World;

/// `GET /{video}`.
pub(crate) fn read(world: &mut World, call: &Call) -> Answer {
    flat(read_video(world, call))
}

fn read_video(world: &World, call: &Call) -> Result<Answer, Answer> {
    let token = access::holder(world, call)?;
    let id = call.segment(0);
    let video = world.facebook.media.videos.get(id).filter(|v| !v.deleted);
    let video = video.ok_or_else(|| errors::no_such_object("get", id))?;
    access::may_read(world, &token, &video.page)?;
    let wanted = nodes::fields(call, &["description", "updated_time", "id"]);
    nodes::select(&wanted, "Video", |field| {
        video_field(world, id, video, field)
    })
}

fn video_field(world: &World, id: &str, video: &Video, field: &str) -> Option<Value> {
    let post = video.post.as_ref().map(|(post, _)| post.as_str());
    let updated = video.finished_at.unwrap_or(video.created_at);
    let path = match video.kind {
        Kind::Reel => format!("/reel/{id}/"),
        Kind::Feed | Kind::Story => format!("/{}/videos/{id}/", video.page),
    };
    Some(match field {
        "id" => json!(id),
        "title" => json!(video.title),
        "description" => json!(video.description),
        "created_time" => json!(graph_time(video.created_at)),
        "updated_time" => json!(graph_time(updated)),
        // A path, as this node really gives it, not a whole address.
        "permalink_url" => json!(path),
        "post_id" => json!(post),
        "published" => json!(post.is_some()),
        "status" => status(video, world.now),
        "length" => json!(12.5),
        "from" => {
            let name = world.facebook.pages.get(&video.page).map(|p| &p.name);
            json!({ "id": video.page, "name": name })
        }
        _ => return None,
    })
}

fn status(video: &Video, now: i64) -> Value {
    let stage = video.stage(now);
    let (overall, uploading, processing) = match stage {
        Stage::Uploading if video.file.received == 0 => ("uploading", "not_started", "not_started"),
        Stage::Uploading => ("uploading", "in_progress", "not_started"),
        Stage::Expired => ("expired", "error", "not_started"),
        Stage::Processing => ("processing", "complete", "in_progress"),
        Stage::Failed => ("error", "complete", "error"),
        Stage::Ready => ("ready", "complete", "complete"),
    };
    let mut out = json!({
        "video_status": overall,
        "uploading_phase": { "status": uploading, "bytes_transfered": video.file.received },
        "processing_phase": { "status": processing },
        "publishing_phase": publishing(video, stage),
    });
    if let (Stage::Failed, Some(problem)) = (stage, &video.problem) {
        let phase = &mut out["processing_phase"];
        phase["error"] = json!({ "message": problem });
        phase["errors"] = json!([{ "code": 1_363_025, "message": problem }]);
    }
    out
}

fn publishing(video: &Video, stage: Stage) -> Value {
    match (&video.post, video.finished_at) {
        (Some((_, at)), _) => json!({
            "status": "complete",
            "publish_status": "published",
            "publish_time": at / 1000,
        }),
        (None, Some(_)) if stage == Stage::Failed => {
            json!({ "status": "error", "publish_status": "error" })
        }
        // What it will be stands there before it is: the documents' example of a story.
        (None, Some(_)) if video.wanted && video.kind == Kind::Story => {
            json!({ "status": "not_started", "publish_status": "published" })
        }
        (None, Some(_)) if video.wanted => json!({ "status": "in_progress" }),
        (None, Some(_)) => json!({ "status": "not_started", "publish_status": "draft" }),
        (None, None) => json!({ "status": "not_started" }),
    }
}

/// `GET /{page}/video_reels`: published reels, newest first.
pub(crate) fn reels(world: &mut World, call: &Call) -> Answer {
    flat(list(world, call, Kind::Reel))
}

/// `GET /{page}/videos`: videos that were published as posts, newest first.
pub(crate) fn videos(world: &mut World, call: &Call) -> Answer {
    flat(list(world, call, Kind::Feed))
}

fn list(world: &World, call: &Call, kind: Kind) -> Result<Answer, Answer> {
    let token = access::holder(world, call)?;
    let page_id = access::node_id(&token, call.segment(0));
    access::may_read(world, &token, &page_id)?;
    let page = access::page(world, "get", &page_id)?;
    let wanted = nodes::fields(call, &["description", "updated_time", "id"]);
    let is_in_time = find::time_filter(call);
    let mut rows = Vec::new();
    for post in page.posts.iter().rev() {
        let post = world.facebook.posts.get(post).filter(|p| !p.deleted);
        let Some(id) = post.and_then(|p| p.video.as_ref()) else {
            continue;
        };
        let video = world.facebook.media.videos.get(id);
        let Some(video) = video.filter(|v| v.kind == kind && !v.deleted) else {
            continue;
        };
        let published_at = video.post.as_ref().map_or(video.created_at, |(_, at)| *at);
        if is_in_time(published_at) {
            rows.push(nodes::object(&wanted, "Video", |field| {
                video_field(world, id, video, field)
            })?);
        }
    }
    let rows: Vec<Value> = rows.into_iter().map(Value::Object).collect();
    Ok(find::page_of(call, &rows))
}

/// `DELETE /{video}`: the video, with its post or story.
pub(crate) fn delete(world: &mut World, call: &Call) -> Answer {
    flat(delete_video(world, call))
}

fn delete_video(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let token = access::holder(world, call)?;
    let id = call.segment(0);
    let video = world.facebook.media.videos.get(id).filter(|v| !v.deleted);
    let page = video.map(|v| v.page.clone());
    let page = page.ok_or_else(|| errors::no_such_object("delete", id))?;
    access::may_write(world, &token, &page)?;
    remove(world, id);
    Ok(Answer::ok(&json!({ "success": true })))
}

/// Takes a video away with what was published of it. Says whether it existed.
pub(crate) fn remove(world: &mut World, id: &str) -> bool {
    let video = world.facebook.media.videos.get_mut(id);
    let Some(video) = video.filter(|v| !v.deleted) else {
        return false;
    };
    video.deleted = true;
    let kind = video.kind;
    if let Some((post, _)) = video.post.clone() {
        match kind {
            Kind::Story => stories::remove(world, &post),
            Kind::Feed | Kind::Reel => publish::remove(world, &post),
        };
    }
    true
}
