//! `channels.list`: whose channel a token is for, and in what state.

use serde_json::{Value, json};

use super::access::{self, Method, READ};
use super::limits::Cost;
use super::videos::thumbnails;
use super::{
    Channel, ChannelState, Page, Privacy, api_time, errors, etag, flat, list_answer, parts,
};
use crate::call::{Answer, Call};
use crate::world::World;

const PARTS: &[&str] = &[
    "id",
    "snippet",
    "contentDetails",
    "status",
    "statistics",
    "brandingSettings",
];
const LIST: Method = Method {
    name: "youtube.api.v3.V3DataChannelService.List",
    scopes: READ,
    cost: Cost::Units(1),
    needs_channel: false,
};

/// `GET /youtube/v3/channels?mine=true` or `?id=`. An account without a channel gets no `items`.
pub(crate) fn list(world: &mut World, call: &Call) -> Answer {
    flat(listed(world, call))
}

fn listed(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let caller = access::admit(world, call, &LIST)?;
    let parts = parts(call, PARTS)?;
    let wanted: Vec<&str> = match (call.param("mine"), call.param("id")) {
        (Some("true"), _) => caller.channel.as_deref().into_iter().collect(),
        (_, Some(ids)) => ids.split(',').collect(),
        _ => {
            let text = "No filter selected. Expected one of: mine, managedByMe, \
                forContentOwner, forUsername, id, forHandle, categoryId";
            return Err(errors::parameter(
                "missingRequiredParameter",
                "parameters.",
                text,
            ));
        }
    };
    let items: Vec<Value> = wanted
        .into_iter()
        .filter_map(|id| {
            let channel = world.youtube.channels.get(id)?;
            let active = channel.state == ChannelState::Active;
            active.then(|| resource(world, id, channel, &parts))
        })
        .collect();
    if items.is_empty() {
        return Ok(Answer::ok(&json!({
            "kind": "youtube#channelListResponse",
            "etag": etag(&Value::Null),
            "pageInfo": { "totalResults": 0, "resultsPerPage": 5 },
        })));
    }
    let page = Page {
        total: items.len(),
        size: 5,
        next: None,
        previous: None,
    };
    Ok(list_answer("youtube#channelListResponse", items, page))
}

fn resource(world: &World, id: &str, channel: &Channel, parts: &[&str]) -> Value {
    let mut body = json!({ "kind": "youtube#channel", "id": id });
    for part in parts {
        let value = match *part {
            "snippet" => json!({
                "title": channel.title,
                "description": "",
                "customUrl": format!("@{}", handle(&channel.title)),
                "publishedAt": api_time(channel.created_at),
                "thumbnails": thumbnails("https://yt3.ggpht.com/placeholder"),
                "localized": { "title": channel.title, "description": "" },
            }),
            "contentDetails" => json!({
                "relatedPlaylists": { "likes": "LL", "uploads": uploads_of(id) },
            }),
            "status" => json!({
                "privacyStatus": "public",
                "isLinked": channel.linked,
                "longUploadsStatus": channel.long_uploads,
                "madeForKids": false,
            }),
            "statistics" => {
                let live = channel
                    .videos
                    .iter()
                    .filter_map(|v| world.youtube.videos.get(v));
                let public = live.filter(|v| !v.deleted && v.privacy == Privacy::Public);
                json!({
                    "viewCount": "0",
                    "subscriberCount": "0",
                    "hiddenSubscriberCount": false,
                    "videoCount": public.count().to_string(),
                })
            }
            "brandingSettings" => json!({ "channel": { "title": channel.title } }),
            _ => continue,
        };
        body[*part] = value;
    }
    body["etag"] = etag(&body).into();
    body
}

fn handle(title: &str) -> String {
    let letters = title.chars().filter(char::is_ascii_alphanumeric);
    letters.collect::<String>().to_ascii_lowercase()
}

/// The playlist of a channel's uploads.
pub(super) fn uploads_of(channel: &str) -> String {
    channel.replacen("UC", "UU", 1)
}
