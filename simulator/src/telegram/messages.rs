//! Messages: sent, deleted within their time, and changed.

use serde_json::{Value, json};

use super::{
    Message, TelegramChatKind, TelegramRole,
    by_hand::Scheduled,
    chats::{self, Place, ok},
    errors,
    params::Params,
    updates,
};
use crate::call::{Answer, Call};
use crate::facebook::flat;
use crate::ledger::{NewPost, Platform};
use crate::world::World;

const TEXT_MAX: usize = 4_096;
const CAPTION_MAX: usize = 1_024;
const PHOTO_MAX: usize = 10_000_000;
const VIDEO_MAX: usize = 50_000_000;
const ALBUM: std::ops::RangeInclusive<usize> = 2..=10;
/// After this time a message stays.
const DELETABLE_MS: i64 = 48 * 3_600 * 1_000;

/// What a call sends: one message, or an album's.
pub(super) struct Draft {
    pub(super) text: String,
    /// `photo` or `video`, one for each message; empty for a text.
    pub(super) media: Vec<&'static str>,
}

/// `sendMessage`.
pub(super) fn text(world: &mut World, call: &Call) -> Answer {
    flat(postable(world, call, "text messages").and_then(|place| {
        let params = Params::read(call);
        let text = params.text_or_empty("text").trim().to_owned();
        if text.is_empty() {
            return Err(errors::bad_request("message text is empty"));
        }
        if units(&text) > TEXT_MAX {
            return Err(errors::bad_request("message is too long"));
        }
        let media = Vec::new();
        publish(world, place, &Draft { text, media }, Form::One)
    }))
}

/// `sendPhoto`.
pub(super) fn photo(world: &mut World, call: &Call) -> Answer {
    flat(postable(world, call, "photos").and_then(|place| {
        let params = Params::read(call);
        check_photo(params.file("photo"))?;
        let draft = captioned(&params.text_or_empty("caption"), vec!["photo"])?;
        publish(world, place, &draft, Form::One)
    }))
}

/// `sendVideo`.
pub(super) fn video(world: &mut World, call: &Call) -> Answer {
    flat(postable(world, call, "videos").and_then(|place| {
        let params = Params::read(call);
        check_video(params.file("video"))?;
        let draft = captioned(&params.text_or_empty("caption"), vec!["video"])?;
        let Some(wait) = world.telegram.settings.schedules_videos_ms else {
            return publish(world, place, &draft, Form::One);
        };
        let chat = chats::entity(place.id, &world.telegram.chats[&place.id]);
        let taken = json!({ "message_id": 0, "chat": chat, "date": world.now / 1000 });
        let due = world.now + wait;
        let later = Scheduled { due, place, draft };
        world.telegram.scheduled.push(later);
        Ok(ok(&taken))
    }))
}

/// `sendMediaGroup`.
pub(super) fn album(world: &mut World, call: &Call) -> Answer {
    flat(postable(world, call, "media").and_then(|place| {
        let params = Params::read(call);
        let items: Vec<Value> = serde_json::from_str(&params.text_or_empty("media"))
            .map_err(|_| errors::bad_request("can't parse media JSON object"))?;
        if !ALBUM.contains(&items.len()) {
            let text = "group send failed: there must be 2-10 messages";
            return Err(errors::bad_request(text));
        }
        let mut media = Vec::new();
        for item in &items {
            let file = params.file(item["media"].as_str().unwrap_or_default());
            media.push(match item["type"].as_str() {
                Some("photo") => check_photo(file).map(|()| "photo")?,
                Some("video") => check_video(file).map(|()| "video")?,
                _ => {
                    let text = "Can't use the media of the specified type in the album";
                    return Err(errors::bad_request(text));
                }
            });
        }
        // An album has a caption where one of its messages has.
        let captions: Vec<&str> = items.iter().filter_map(|i| i["caption"].as_str()).collect();
        let draft = captioned(&captions.join(" "), media)?;
        publish(world, place, &draft, Form::Album)
    }))
}

fn captioned(caption: &str, media: Vec<&'static str>) -> Result<Draft, Answer> {
    let text = caption.trim().to_owned();
    if units(&text) > CAPTION_MAX {
        return Err(errors::bad_request("message caption is too long"));
    }
    Ok(Draft { text, media })
}

fn check_photo(file: Option<&[u8]>) -> Result<(), Answer> {
    let file = file.filter(|f| !f.is_empty());
    let file = file.ok_or_else(|| errors::bad_request("there is no photo in the request"))?;
    if file.len() > PHOTO_MAX {
        return Err(errors::bad_request("file is too big"));
    }
    let known: [&[u8]; 4] = [b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF"];
    if known.iter().any(|beginning| file.starts_with(beginning)) {
        Ok(())
    } else {
        Err(errors::bad_request("IMAGE_PROCESS_FAILED"))
    }
}

fn check_video(file: Option<&[u8]>) -> Result<(), Answer> {
    let file = file.filter(|f| !f.is_empty());
    let file = file.ok_or_else(|| errors::bad_request("there is no video in the request"))?;
    if file.len() > VIDEO_MAX {
        return Err(errors::usual_for_status(413));
    }
    Ok(())
}

/// UTF-16 code units, as the API counts.
fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The chat that a call posts to, if the bot may.
fn postable(world: &mut World, call: &Call, what: &str) -> Result<Place, Answer> {
    let place = chats::place(world, call)?;
    let limit = world.telegram.settings.messages_per_minute;
    let now = world.now;
    let chat = chat_mut(world, place.id)?;
    let channel = chat.kind == TelegramChatKind::Channel;
    match chat.roles.get(&place.bot) {
        Some(TelegramRole::Administrator { can_post, .. }) if channel && !can_post => {
            let text = format!("not enough rights to send {what} to the chat");
            return Err(errors::bad_request(&text));
        }
        Some(TelegramRole::Member) if channel => {
            let text = "need administrator rights in the channel chat";
            return Err(errors::bad_request(text));
        }
        _ => {}
    }
    if let Some(limit) = limit {
        let usage = chat.window.count(now, 1, limit, 60);
        if usage.exceeded() {
            let left = u64::try_from(usage.seconds_left(now)).unwrap_or(1);
            return Err(errors::too_many(left));
        }
    }
    Ok(place)
}

fn chat_mut(world: &mut World, id: i64) -> Result<&mut super::Chat, Answer> {
    let chat = world.telegram.chats.get_mut(&id);
    chat.ok_or_else(|| errors::bad_request("chat not found"))
}

/// Whether an answer is a message or a list of them.
#[derive(Clone, Copy)]
enum Form {
    One,
    Album,
}

fn publish(world: &mut World, place: Place, draft: &Draft, form: Form) -> Result<Answer, Answer> {
    let chat = place.id;
    let numbers = store(world, place, draft)?;
    let shown: Vec<Value> = numbers.iter().map(|n| shown(world, chat, *n)).collect();
    if world.telegram.settings.echoes {
        for message in &shown {
            updates::tell(world, chat, "channel_post", message);
        }
    }
    Ok(match form {
        Form::One => ok(shown.first().unwrap_or(&Value::Null)),
        Form::Album => ok(&shown.into()),
    })
}

/// Makes the messages of a post; their numbers rise by one.
pub(super) fn store(world: &mut World, place: Place, draft: &Draft) -> Result<Vec<i64>, Answer> {
    let (now, album) = (world.now, world.telegram.number());
    let chat = chat_mut(world, place.id)?;
    let count = i64::try_from(draft.media.len().max(1)).unwrap_or(1);
    let numbers: Vec<i64> = (1..=count).map(|n| chat.last_message + n).collect();
    chat.last_message += count;
    let names: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    let post = format!("{}/{}", place.id, names.join(","));
    for (index, number) in numbers.iter().enumerate() {
        let message = Message {
            bot: Some(place.bot),
            text: if index == 0 {
                draft.text.clone()
            } else {
                String::new()
            },
            date_ms: now,
            post: post.clone(),
            media: draft.media.get(index).copied(),
            album: (count > 1).then_some(album),
        };
        chat.messages.insert(*number, message);
    }
    let new = NewPost {
        platform: Platform::Telegram,
        account: &place.id.to_string(),
        remote_id: &post,
        text: &draft.text,
        client_reference: None,
    };
    world.ledger.created(&new, now);
    Ok(numbers)
}

/// A message as the API shows it.
pub(super) fn shown(world: &World, chat_id: i64, number: i64) -> Value {
    let chat = &world.telegram.chats[&chat_id];
    let Some(message) = chat.messages.get(&number) else {
        return Value::Null;
    };
    let entity = chats::entity(chat_id, chat);
    let mut shown = json!({
        "message_id": number, "chat": entity, "date": message.date_ms / 1000,
    });
    if chat.kind == TelegramChatKind::Channel {
        shown["sender_chat"] = entity;
    } else if let Some(bot) = message.bot {
        shown["from"] = chats::user(world, bot);
    }
    let file = |w: u32, h: u32| {
        json!({
            "file_id": format!("AgAC{number}"), "file_unique_id": format!("AQAD{number}"),
            "width": w, "height": h,
        })
    };
    match message.media {
        Some("photo") => shown["photo"] = json!([file(90, 90), file(1280, 1280)]),
        Some(_) => {
            shown["video"] = file(720, 1280);
            shown["video"]["duration"] = 5.into();
        }
        None => {}
    }
    if let Some(album) = message.album {
        shown["media_group_id"] = album.to_string().into();
    }
    let name = if message.media.is_some() {
        "caption"
    } else {
        "text"
    };
    if !message.text.is_empty() {
        shown[name] = message.text.as_str().into();
    }
    shown
}

/// `deleteMessage`.
pub(super) fn delete(world: &mut World, call: &Call) -> Answer {
    flat(delete_one(world, call))
}

fn delete_one(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let place = chats::place(world, call)?;
    let number = Params::read(call).number("message_id").unwrap_or_default();
    let now = world.now;
    let chat = chat_mut(world, place.id)?;
    let not_found = || errors::bad_request("message to delete not found");
    let message = chat.messages.get(&number).ok_or_else(not_found)?;
    let role = chat.roles.get(&place.bot).copied();
    let may = match role {
        Some(TelegramRole::Administrator {
            can_post,
            can_delete,
        }) => can_delete || can_post && message.bot == Some(place.bot),
        Some(TelegramRole::Member) => message.bot == Some(place.bot),
        Some(TelegramRole::Left | TelegramRole::Kicked) | None => false,
    };
    if !may || now - message.date_ms >= DELETABLE_MS {
        return Err(errors::bad_request("message can't be deleted"));
    }
    take_away(world, place.id, number);
    Ok(ok(&true.into()))
}

/// A message goes; its post with the last of its messages.
pub(super) fn take_away(world: &mut World, chat: i64, number: i64) {
    let now = world.now;
    let Some(chat) = world.telegram.chats.get_mut(&chat) else {
        return;
    };
    let Some(message) = chat.messages.remove(&number) else {
        return;
    };
    if chat.messages.values().all(|m| m.post != message.post) {
        world.ledger.deleted(&message.post, now);
    }
}

/// `editMessageText`: for bots' own texts.
pub(super) fn edit(world: &mut World, call: &Call) -> Answer {
    flat(edit_one(world, call))
}

fn edit_one(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let place = chats::place(world, call)?;
    let params = Params::read(call);
    let number = params.number("message_id").unwrap_or_default();
    let text = params.text_or_empty("text").trim().to_owned();
    let message = chat_mut(world, place.id)?.messages.get_mut(&number);
    let message = message.ok_or_else(|| errors::bad_request("message to edit not found"))?;
    if message.text == text {
        let text = "message is not modified: specified new message content and reply markup are \
                    exactly the same as a current content and reply markup of the message";
        return Err(errors::bad_request(text));
    }
    message.text.clone_from(&text);
    let post = message.post.clone();
    world.ledger.edited(&post, &text);
    Ok(ok(&shown(world, place.id, number)))
}
