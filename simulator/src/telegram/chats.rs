//! Bots and chats, and what a bot is there.

use serde_json::{Value, json};

use super::{Chat, TelegramChatKind, TelegramChatState, TelegramRole, errors, params::Params};
use crate::call::{Answer, Call};
use crate::facebook::flat;
use crate::world::World;

/// A success.
pub(super) fn ok(result: &Value) -> Answer {
    Answer::ok(&json!({ "ok": true, "result": result }))
}

/// `getMe`.
pub(super) fn me(world: &mut World, call: &Call) -> Answer {
    let bot = world.telegram.bot(super::token(call)).map(|(id, _)| id);
    let mut me = user(world, bot.unwrap_or_default());
    me["can_join_groups"] = true.into();
    me["can_read_all_group_messages"] = false.into();
    me["supports_inline_queries"] = false.into();
    ok(&me)
}

/// `getChat`.
pub(super) fn show(world: &mut World, call: &Call) -> Answer {
    flat(place(world, call).map(|place| {
        let mut shown = entity(place.id, &world.telegram.chats[&place.id]);
        shown["accent_color_id"] = 0.into();
        shown["max_reaction_count"] = 11.into();
        shown["accepted_gift_types"] = json!({
            "unlimited_gifts": false, "limited_gifts": false, "unique_gifts": false,
            "premium_subscription": false, "gifts_from_channels": false,
        });
        if world.telegram.chats[&place.id].kind != TelegramChatKind::Channel {
            shown["permissions"] = json!({ "can_send_messages": true });
        }
        ok(&shown)
    }))
}

/// `getChatMember`.
pub(super) fn member(world: &mut World, call: &Call) -> Answer {
    flat(seen_member(world, call))
}

fn seen_member(world: &World, call: &Call) -> Result<Answer, Answer> {
    let place = place(world, call)?;
    let user_id = Params::read(call).number("user_id");
    let user_id = user_id.ok_or_else(|| errors::bad_request("invalid user_id specified"))?;
    if !world.telegram.bots.contains_key(&user_id) {
        return Err(errors::bad_request("user not found"));
    }
    let chat = &world.telegram.chats[&place.id];
    let own = chat.roles.get(&place.bot).copied();
    if chat.kind == TelegramChatKind::Channel
        && !matches!(own, Some(TelegramRole::Administrator { .. }))
    {
        return Err(errors::bad_request("member list is inaccessible"));
    }
    let role = chat.roles.get(&user_id).copied();
    Ok(ok(&role_entity(
        world,
        user_id,
        role.unwrap_or(TelegramRole::Left),
    )))
}

/// What `getChatMember` and updates say of a role.
pub(super) fn role_entity(world: &World, bot: i64, role: TelegramRole) -> Value {
    let user = user(world, bot);
    match role {
        TelegramRole::Administrator {
            can_post,
            can_delete,
        } => json!({
            "status": "administrator", "user": user, "can_be_edited": false,
            "is_anonymous": false, "can_manage_chat": true, "can_delete_messages": can_delete,
            "can_manage_video_chats": false, "can_restrict_members": false,
            "can_promote_members": false, "can_change_info": false, "can_invite_users": false,
            "can_post_stories": false, "can_edit_stories": false, "can_delete_stories": false,
            "can_post_messages": can_post, "can_edit_messages": can_post,
        }),
        TelegramRole::Member => json!({ "status": "member", "user": user }),
        TelegramRole::Left => json!({ "status": "left", "user": user }),
        TelegramRole::Kicked => json!({ "status": "kicked", "user": user, "until_date": 0 }),
    }
}

/// A bot as a user.
pub(super) fn user(world: &World, bot: i64) -> Value {
    let username = world.telegram.bots.get(&bot).map(|b| b.username.as_str());
    let name = username.unwrap_or_default();
    json!({ "id": bot, "is_bot": true, "first_name": name, "username": name })
}

/// A chat as it stands in messages.
pub(super) fn entity(id: i64, chat: &Chat) -> Value {
    let mut shown = json!({ "id": id, "title": chat.title, "type": chat.kind.as_str() });
    if let Some(name) = &chat.username {
        shown["username"] = name.as_str().into();
    }
    shown
}

/// Who calls about which chat.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) id: i64,
    pub(super) bot: i64,
}

/// The chat that a call names, if the bot may see it.
pub(super) fn place(world: &World, call: &Call) -> Result<Place, Answer> {
    let state = &world.telegram;
    let params = Params::read(call);
    let named = params.text("chat_id").unwrap_or_default();
    if named.is_empty() {
        return Err(errors::bad_request("chat_id is empty"));
    }
    let not_found = || errors::bad_request("chat not found");
    let id = state.chat_id(named).ok_or_else(not_found)?;
    let chat = &state.chats[&id];
    let (bot, _) = state.bot(super::token(call)).ok_or_else(not_found)?;
    match (chat.state, chat.kind) {
        (TelegramChatState::Open, _) => {}
        (TelegramChatState::Migrated, _) => return Err(errors::migrated(id - 1_000_000_000_000)),
        (TelegramChatState::Deleted, TelegramChatKind::Group) => {
            return Err(errors::forbidden("the group chat was deleted"));
        }
        (TelegramChatState::Deleted, _) => return Err(not_found()),
    }
    let kind = errors::kind_of(chat);
    match chat.roles.get(&bot) {
        Some(TelegramRole::Administrator { .. } | TelegramRole::Member) => Ok(Place { id, bot }),
        Some(TelegramRole::Kicked) => Err(errors::forbidden(&format!(
            "bot was kicked from the {kind}"
        ))),
        // Whoever never met a chat without a public name does not know it.
        None if chat.username.is_none() => Err(not_found()),
        Some(TelegramRole::Left) | None => Err(errors::forbidden(&format!(
            "bot is not a member of the {kind}"
        ))),
    }
}
