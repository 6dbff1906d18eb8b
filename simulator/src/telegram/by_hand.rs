//! What happens to posts without a bot's call: people write, change and delete, and a video is sent later.

use super::{
    chats::Place,
    messages::{Draft, shown, store, take_away},
    updates,
};
use crate::world::World;

/// A post that was taken and is sent later.
pub(super) struct Scheduled {
    pub(super) due: i64,
    pub(super) place: Place,
    pub(super) draft: Draft,
}

/// The chat and the messages of a post, by its id in the ledger.
fn of_post(world: &World, post: &str) -> Option<(i64, Vec<i64>)> {
    let (chat, _) = post.split_once('/')?;
    let id: i64 = chat.parse().ok()?;
    let messages = world.telegram.chats.get(&id)?.messages.iter();
    let own = messages.filter(|(_, m)| m.post == post).map(|(n, _)| *n);
    Some((id, own.collect::<Vec<_>>())).filter(|(_, own)| !own.is_empty())
}

/// A person deletes a post. No bot is told.
pub(super) fn remove(world: &mut World, post: &str) -> bool {
    let Some((chat, numbers)) = of_post(world, post) else {
        return false;
    };
    for number in numbers {
        take_away(world, chat, number);
    }
    true
}

/// A person changes a post's text. Bots of the channel are told.
pub(super) fn edit(world: &mut World, post: &str, text: &str) -> bool {
    let Some((chat, numbers)) = of_post(world, post) else {
        return false;
    };
    let first = numbers[0];
    let now = world.now;
    if let Some(message) = world
        .telegram
        .chats
        .get_mut(&chat)
        .and_then(|c| c.messages.get_mut(&first))
    {
        text.clone_into(&mut message.text);
    }
    world.ledger.edited(post, text);
    let mut message = shown(world, chat, first);
    message["edit_date"] = (now / 1000).into();
    updates::tell(world, chat, "edited_channel_post", &message);
    true
}

/// A person posts. Bots of the channel are told.
pub(super) fn post(world: &mut World, chat: i64, text: &str) -> Option<String> {
    let place = Place { id: chat, bot: 0 };
    let draft = Draft {
        text: text.to_owned(),
        media: Vec::new(),
    };
    let number = store(world, place, &draft).ok()?.pop()?;
    let chat_of = world.telegram.chats.get_mut(&chat)?;
    chat_of.messages.get_mut(&number)?.bot = None;
    let message = shown(world, chat, number);
    updates::tell(world, chat, "channel_post", &message);
    Some(format!("{chat}/{number}"))
}

/// Sends what is due by now.
pub(super) fn tick(world: &mut World) {
    let now = world.now;
    while let Some(at) = world.telegram.scheduled.iter().position(|s| s.due <= now) {
        let Scheduled { place, draft, .. } = world.telegram.scheduled.remove(at);
        // A chat that has gone meanwhile takes its post along.
        store(world, place, &draft).ok();
    }
}
