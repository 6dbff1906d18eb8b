//! Videos are read and deleted.

use serde_json::{Value, json};

use super::access::{self, MANAGE, Method, READ};
use super::limits::Cost;
use super::processing::{Outcome, Stage};
use super::{
    ChannelState, Page, Privacy, Video, api_time, errors, etag, flat, list_answer, parts, websub,
};
use crate::call::{Answer, Call};
use crate::world::World;

/// The parts that can be asked for.
pub(crate) const PARTS: &[&str] = &[
    "id",
    "snippet",
    "status",
    "contentDetails",
    "statistics",
    "processingDetails",
    "player",
];
const LIST: Method = Method {
    name: "youtube.api.v3.V3DataVideoService.List",
    scopes: READ,
    cost: Cost::Units(1),
    needs_channel: false,
};
const DELETE: Method = Method {
    name: "youtube.api.v3.V3DataVideoService.Delete",
    scopes: MANAGE,
    cost: Cost::Units(50),
    needs_channel: true,
};
const DOMAIN: &str = "youtube.video";
/// Ids that one call may name.
const IDS_AT_ONCE: usize = 50;

/// `GET /youtube/v3/videos?id=`: what is gone or not to be seen is left out, with 200.
pub(crate) fn list(world: &mut World, call: &Call) -> Answer {
    flat(listed(world, call))
}

fn listed(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let caller = access::admit(world, call, &LIST)?;
    let parts = parts(call, PARTS)?;
    let given = call.params_except(&[]).filter(|(name, _)| *name == "id");
    let ids: Vec<&str> = given
        .flat_map(|(_, v)| v.split(','))
        .filter(|i| !i.is_empty())
        .collect();
    if ids.is_empty() {
        let text = "No filter selected. Expected one of: chart, id, myRating";
        return Err(errors::parameter(
            "missingRequiredParameter",
            "parameters.",
            text,
        ));
    }
    if ids.len() > IDS_AT_ONCE {
        let text = "The request specifies too many ids.";
        return Err(errors::parameter("invalidParameter", "id", text));
    }
    let own = |video: &Video| Some(&video.channel) == caller.channel.as_ref();
    let visible: Vec<&str> = ids
        .into_iter()
        .filter(|id| {
            let video = world.youtube.videos.get(*id).filter(|v| !v.deleted);
            video.is_some_and(|v| own(v) || is_open(world, v))
        })
        .collect();
    let foreign = |id: &&str| world.youtube.videos.get(*id).is_some_and(|v| !own(v));
    if parts.contains(&"processingDetails") && visible.iter().any(foreign) {
        let text = "The request is not properly authorized to access video file or processing \
            information.";
        return Err(errors::forbidden(DOMAIN, text));
    }
    let items: Vec<Value> = visible
        .iter()
        .map(|id| resource(world, id, &parts))
        .collect();
    let page = Page {
        total: items.len(),
        size: items.len(),
        next: None,
        previous: None,
    };
    Ok(list_answer("youtube#videoListResponse", items, page))
}

/// Whether anybody sees it who has its id.
fn is_open(world: &World, video: &Video) -> bool {
    let channel = world.youtube.channels.get(&video.channel);
    let active = channel.is_some_and(|c| c.state == ChannelState::Active);
    active && video.privacy != Privacy::Private && !video.is_refused()
}

/// `DELETE /youtube/v3/videos?id=`: 204; the second time 404.
pub(crate) fn delete(world: &mut World, call: &Call) -> Answer {
    flat(deleted(world, call))
}

fn deleted(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let caller = access::admit(world, call, &DELETE)?;
    let id = call.param("id").unwrap_or("");
    if id.is_empty() {
        return Err(errors::parameter(
            "missingRequiredParameter",
            "id",
            "Required parameter: id",
        ));
    }
    let video = world.youtube.videos.get(id).filter(|v| !v.deleted);
    let Some(video) = video else {
        let text = "The video that you are trying to delete cannot be found. Check the value of \
            the request's <code>id</code> parameter to ensure that it is correct.";
        return Err(errors::no_such(DOMAIN, "videoNotFound", "id", text));
    };
    if Some(&video.channel) != caller.channel.as_ref() {
        let text = "The video that you are trying to delete cannot be deleted. The request might \
            not be properly authorized.";
        return Err(errors::forbidden(DOMAIN, text));
    }
    remove(world, id);
    Ok(Answer::text(204, "application/json; charset=utf-8", ""))
}

/// Takes a video away. Says whether it existed.
pub(super) fn remove(world: &mut World, id: &str) -> bool {
    let Some(video) = world.youtube.videos.get_mut(id).filter(|v| !v.deleted) else {
        return false;
    };
    video.deleted = true;
    let was_public = video.was_seen && video.privacy == Privacy::Public;
    world.ledger.deleted(id, world.now);
    if was_public {
        websub::tell_deleted(world, id);
    }
    true
}

/// Changes a video's text as its owner would: its description, or its title when it has none.
pub(super) fn edit(world: &mut World, id: &str, text: &str) -> bool {
    let Some(video) = world.youtube.videos.get_mut(id).filter(|v| !v.deleted) else {
        return false;
    };
    if video.draft.description.is_empty() {
        text.clone_into(&mut video.draft.title);
    } else {
        text.clone_into(&mut video.draft.description);
    }
    let is_public = video.was_seen && video.privacy == Privacy::Public;
    world.ledger.edited(id, text);
    if is_public {
        websub::tell(world, id);
    }
    true
}

/// A video as JSON; an id that is not known gives an empty object.
pub(super) fn resource(world: &World, id: &str, parts: &[&str]) -> Value {
    let Some(video) = world.youtube.videos.get(id) else {
        return json!({});
    };
    let mut body = json!({ "kind": "youtube#video", "id": id });
    for part in parts {
        let value = match *part {
            "snippet" => snippet(world, video),
            "status" => status(video),
            "contentDetails" => json!({
                "duration": "PT15S", "dimension": "2d", "definition": "hd", "caption": "false",
                "licensedContent": false, "projection": "rectangular",
            }),
            "statistics" => json!({
                "viewCount": "0", "likeCount": "0", "favoriteCount": "0", "commentCount": "0",
            }),
            "processingDetails" => processing_details(video, world.now),
            "player" => json!({
                "embedHtml": format!("<iframe src=\"//www.youtube.com/embed/{id}\"></iframe>"),
            }),
            _ => continue,
        };
        body[*part] = value;
    }
    body["etag"] = etag(&body).into();
    body
}

fn snippet(world: &World, video: &Video) -> Value {
    let draft = &video.draft;
    let channel = world.youtube.channels.get(&video.channel);
    let mut snippet = json!({
        "publishedAt": api_time(video.published_at),
        "channelId": video.channel,
        "channelTitle": channel.map_or("", |c| c.title.as_str()),
        "title": draft.title,
        "description": draft.description,
        "thumbnails": thumbnails("https://i.ytimg.com/vi/placeholder"),
        "categoryId": draft.category_id,
        "liveBroadcastContent": "none",
        "localized": { "title": draft.title, "description": draft.description },
    });
    if !draft.tags.is_empty() {
        snippet["tags"] = draft.tags.clone().into();
    }
    if let Some(language) = &draft.language {
        snippet["defaultLanguage"] = language.as_str().into();
    }
    snippet
}

/// The pictures of a video or channel.
pub(super) fn thumbnails(root: &str) -> Value {
    json!({
        "default": { "url": format!("{root}/default.jpg"), "width": 120, "height": 90 },
        "medium": { "url": format!("{root}/mqdefault.jpg"), "width": 320, "height": 180 },
        "high": { "url": format!("{root}/hqdefault.jpg"), "width": 480, "height": 360 },
    })
}

fn status(video: &Video) -> Value {
    let draft = &video.draft;
    let upload = match &video.stage {
        Stage::Processing { .. } => "uploaded",
        Stage::Done(Outcome::Processed) => "processed",
        Stage::Done(Outcome::Failed(_)) => "failed",
        Stage::Done(Outcome::Rejected(_)) => "rejected",
    };
    let mut status = json!({
        "uploadStatus": upload,
        "privacyStatus": video.privacy.as_str(),
        "license": draft.license,
        "embeddable": draft.embeddable,
        "publicStatsViewable": draft.stats_viewable,
        "madeForKids": draft.made_for_kids.unwrap_or(false),
    });
    match &video.stage {
        Stage::Done(Outcome::Failed(reason)) => status["failureReason"] = reason.as_str().into(),
        Stage::Done(Outcome::Rejected(reason)) => {
            status["rejectionReason"] = reason.as_str().into();
        }
        Stage::Processing { .. } | Stage::Done(Outcome::Processed) => {}
    }
    if let Some(kids) = draft.made_for_kids {
        status["selfDeclaredMadeForKids"] = kids.into();
    }
    if let Some(synthetic) = draft.synthetic {
        status["containsSyntheticMedia"] = synthetic.into();
    }
    if let Some(at) = draft.publish_at {
        status["publishAt"] = api_time(at).into();
    }
    status
}

fn processing_details(video: &Video, now: i64) -> Value {
    let mut details = json!({
        "fileDetailsAvailability": "available",
        "processingIssuesAvailability": "available",
        "tagSuggestionsAvailability": "inProgress",
        "editorSuggestionsAvailability": "inProgress",
        "thumbnailsAvailability": "inProgress",
    });
    match &video.stage {
        Stage::Processing {
            began_at, due_at, ..
        } => {
            let whole = (due_at - began_at).max(1);
            let done = (now - began_at).clamp(0, whole);
            details["processingStatus"] = "processing".into();
            details["processingProgress"] = json!({
                "partsTotal": "100",
                "partsProcessed": (done * 100 / whole).to_string(),
                "timeLeftMs": (whole - done).to_string(),
            });
        }
        Stage::Done(Outcome::Processed) => details["processingStatus"] = "succeeded".into(),
        Stage::Done(Outcome::Failed(_)) => {
            details["processingStatus"] = "failed".into();
            details["processingFailureReason"] = "transcodeFailed".into();
        }
        Stage::Done(Outcome::Rejected(_)) => details["processingStatus"] = "terminated".into(),
    }
    details
}
