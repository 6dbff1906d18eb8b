//! `playlistItems.list` of a channel's uploads, the newest first.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Value, json};

use super::access::{self, Method, READ};
use super::limits::Cost;
use super::videos::thumbnails;
use super::{ChannelState, Page, Privacy, Video, api_time, errors, etag, flat, list_answer, parts};
use crate::call::{Answer, Call, cursor, parse_cursor};
use crate::world::World;

const PARTS: &[&str] = &["id", "snippet", "contentDetails", "status"];
const LIST: Method = Method {
    name: "youtube.api.v3.V3DataPlaylistItemService.List",
    scopes: READ,
    cost: Cost::Units(1),
    needs_channel: false,
};

/// `GET /youtube/v3/playlistItems?playlistId=UU…&maxResults=&pageToken=`.
pub(crate) fn list(world: &mut World, call: &Call) -> Answer {
    flat(listed(world, call))
}

fn listed(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let caller = access::admit(world, call, &LIST)?;
    let parts = parts(call, PARTS)?;
    let Some(playlist) = call.param("playlistId").filter(|p| !p.is_empty()) else {
        let text = "No filter selected. Expected one of: id, playlistId";
        return Err(errors::parameter(
            "missingRequiredParameter",
            "parameters.",
            text,
        ));
    };
    let size = match call.param("maxResults").map(str::parse::<usize>) {
        None => 5,
        Some(Ok(size)) if size <= 50 => size,
        Some(_) => {
            let text = "Invalid value '-1'. Values must be within the range: [0, 50]";
            return Err(errors::parameter("invalidParameter", "maxResults", text));
        }
    };
    let from = match call.param("pageToken") {
        None | Some("") => 0,
        Some(token) => parse_cursor(token).ok_or_else(|| {
            let text = "The request specifies an invalid page token.";
            errors::parameter("invalidPageToken", "pageToken", text)
        })?,
    };
    let id = playlist.replacen("UU", "UC", 1);
    let channel = world.youtube.channels.get(&id);
    let channel = channel.filter(|c| c.state == ChannelState::Active).ok_or_else(|| {
        let text = "The playlist identified with the request's <code>playlistId</code> parameter \
            cannot be found.";
        errors::no_such("youtube.playlistItem", "playlistNotFound", "playlistId", text)
    })?;
    let own = caller.channel.as_ref() == Some(&id);
    let seen = |v: &Video| !v.deleted && (own || v.privacy == Privacy::Public && !v.is_refused());
    let newest_first = channel.videos.iter().rev();
    let all: Vec<(&String, &Video)> = newest_first
        .filter_map(|v| world.youtube.videos.get_key_value(v))
        .filter(|(_, v)| seen(v))
        .collect();
    let place = Place {
        playlist,
        channel: &id,
        title: &channel.title,
    };
    let items = all.iter().enumerate().skip(from).take(size);
    let items = items
        .map(|(n, (id, video))| item(&place, n, id, video, &parts))
        .collect();
    let page = Page {
        total: all.len(),
        size,
        next: (from + size < all.len()).then(|| cursor(from + size)),
        previous: (from > 0).then(|| cursor(from.saturating_sub(size))),
    };
    Ok(list_answer("youtube#playlistItemListResponse", items, page))
}

/// Whose playlist it is.
struct Place<'a> {
    playlist: &'a str,
    channel: &'a str,
    title: &'a str,
}

fn item(place: &Place<'_>, position: usize, id: &str, video: &Video, parts: &[&str]) -> Value {
    let own_id = STANDARD_NO_PAD.encode(format!("{}.{id}", place.playlist));
    let mut body = json!({ "kind": "youtube#playlistItem", "id": own_id });
    for part in parts {
        let value = match *part {
            "snippet" => json!({
                "publishedAt": api_time(video.uploaded_at),
                "channelId": place.channel,
                "channelTitle": place.title,
                "title": video.draft.title,
                "description": video.draft.description,
                "thumbnails": thumbnails(&format!("https://i.ytimg.com/vi/{id}")),
                "playlistId": place.playlist,
                "position": position,
                "resourceId": { "kind": "youtube#video", "videoId": id },
                "videoOwnerChannelId": place.channel,
                "videoOwnerChannelTitle": place.title,
            }),
            "contentDetails" => json!({
                "videoId": id,
                "videoPublishedAt": api_time(video.published_at),
            }),
            "status" => json!({ "privacyStatus": video.privacy.as_str() }),
            _ => continue,
        };
        body[*part] = value;
    }
    body["etag"] = etag(&body).into();
    body
}
