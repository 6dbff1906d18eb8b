//! Who the creator is, and what it may post.

use serde_json::{Map, Value, json};

use super::{TikTokAccountState, User, access, errors, init};
use crate::call::{Answer, Call};
use crate::facebook::flat;
use crate::world::World;

/// `GET /v2/user/info/?fields=…`.
pub(super) fn user_info(world: &mut World, call: &Call) -> Answer {
    flat(info(world, call))
}

fn info(world: &World, call: &Call) -> Result<Answer, Answer> {
    let token = access::caller(world, call, "user.info.basic")?;
    let user = &world.tiktok.users[&token.user];
    let asked = call.param("fields").unwrap_or("");
    if asked.is_empty() {
        return Err(errors::invalid_params("fields is required"));
    }
    let scopes = access::granted(world, &token);
    let mut out = Map::new();
    for field in asked.split(',') {
        let (scope, value) = field_of(&token.user, user, field)
            .ok_or_else(|| errors::invalid_params(&format!("{field} is not a field")))?;
        if !scopes.is_some_and(|s| s.contains(scope)) {
            return Err(errors::scope_not_authorized());
        }
        out.insert(field.to_owned(), value);
    }
    Ok(errors::ok(&json!({ "user": out })))
}

/// A field's scope and value.
fn field_of(id: &str, user: &User, field: &str) -> Option<(&'static str, Value)> {
    let avatar = "https://p16-sign.tiktokcdn.example/avatar.jpeg";
    Some(match field {
        "open_id" => ("user.info.basic", id.into()),
        "union_id" => ("user.info.basic", format!("union-{id}").into()),
        "avatar_url" | "avatar_url_100" | "avatar_large_url" => ("user.info.basic", avatar.into()),
        "display_name" => ("user.info.basic", user.nickname.as_str().into()),
        "username" => ("user.info.profile", user.username.as_str().into()),
        "bio_description" => ("user.info.profile", "".into()),
        "is_verified" => ("user.info.profile", false.into()),
        "profile_deep_link" => {
            let link = format!("https://www.tiktok.com/@{}", user.username);
            ("user.info.profile", link.into())
        }
        "follower_count" | "following_count" | "likes_count" | "video_count" => {
            ("user.info.stats", 0.into())
        }
        _ => return None,
    })
}

/// `POST /v2/post/publish/creator_info/query/`. That the creator cannot post now comes with 200.
pub(super) fn creator_info(world: &mut World, call: &Call) -> Answer {
    flat(creator(world, call))
}

fn creator(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let token = access::caller(world, call, "video.publish")?;
    if let Some((code, text)) = init::cannot_post(world, &token) {
        return Ok(errors::error(200, code, text));
    }
    let user = &world.tiktok.users[&token.user];
    Ok(errors::ok(&json!({
        "creator_avatar_url": "https://p16-sign.tiktokcdn.example/avatar.jpeg",
        "creator_username": user.username,
        "creator_nickname": user.nickname,
        "privacy_level_options": privacy_levels(user),
        "comment_disabled": false,
        "duet_disabled": user.private,
        "stitch_disabled": user.private,
        "max_video_post_duration_sec": user.max_video_sec,
    })))
}

/// What a creator may choose from.
pub(super) fn privacy_levels(user: &User) -> Vec<&'static str> {
    if !user.offered {
        return Vec::new();
    }
    let widest = if user.private {
        "FOLLOWER_OF_CREATOR"
    } else {
        "PUBLIC_TO_EVERYONE"
    };
    vec![widest, "MUTUAL_FOLLOW_FRIENDS", "SELF_ONLY"]
}

/// Whether the account is to be seen at all.
pub(super) fn is_visible(user: &User) -> bool {
    match user.state {
        TikTokAccountState::Active | TikTokAccountState::BannedFromPosting => true,
        TikTokAccountState::Banned | TikTokAccountState::Deleted => false,
    }
}
