//! How posts and users look in answers: which fields were asked for, what they hold.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Post, User, XFieldNames, errors, text};
use crate::call::{Answer, Call};
use crate::clock::rfc3339;
use crate::world::World;

const POST_FIELDS: [&str; 24] = [
    "article",
    "attachments",
    "author_id",
    "card_uri",
    "community_id",
    "context_annotations",
    "conversation_id",
    "created_at",
    "display_text_range",
    "edit_controls",
    "edit_history_tweet_ids",
    "entities",
    "geo",
    "id",
    "in_reply_to_user_id",
    "lang",
    "note_post",
    "note_tweet",
    "possibly_sensitive",
    "public_metrics",
    "referenced_tweets",
    "reply_settings",
    "text",
    "withheld",
];
const USER_FIELDS: [&str; 17] = [
    "created_at",
    "description",
    "entities",
    "id",
    "is_identity_verified",
    "location",
    "name",
    "profile_image_url",
    "protected",
    "public_metrics",
    "subscription",
    "subscription_type",
    "url",
    "username",
    "verified",
    "verified_type",
    "withheld",
];
const MEDIA_FIELDS: [&str; 9] = [
    "alt_text",
    "duration_ms",
    "height",
    "media_key",
    "preview_image_url",
    "public_metrics",
    "type",
    "url",
    "width",
];
const EXPANSIONS: [&str; 6] = [
    "attachments.media_keys",
    "attachments.poll_ids",
    "author_id",
    "entities.mentions.username",
    "in_reply_to_user_id",
    "referenced_posts",
];

/// What a caller wants to see.
pub(super) struct Wanted {
    post: BTreeSet<String>,
    user: BTreeSet<String>,
    media: BTreeSet<String>,
    expansions: BTreeSet<String>,
}

/// Reads the field parameters; refuses fields and parameters that do not
/// exist (`own` = the parameters that the endpoint has besides).
pub(super) fn wanted(world: &World, call: &Call, own: &[&str]) -> Result<Wanted, Answer> {
    let names = world.x.settings.field_names;
    let (old, new) = ("tweet.fields", "post.fields");
    let known: Vec<&str> = [
        (old, names != XFieldNames::Current),
        (new, names != XFieldNames::Legacy),
        ("user.fields", true),
        ("media.fields", true),
        ("poll.fields", true),
        ("place.fields", true),
        ("expansions", true),
    ]
    .into_iter()
    .filter_map(|(name, here)| here.then_some(name))
    .chain(own.iter().copied())
    .collect();
    if let Some((name, value)) = call.params_except(&known).next() {
        let list = known.join(",");
        let text = format!("The query parameter [{name}] is not one of [{list}]");
        return Err(errors::invalid(name, value, &text));
    }
    let mut post = list(call, old, &POST_FIELDS)?;
    post.extend(list(call, new, &POST_FIELDS)?);
    Ok(Wanted {
        post,
        user: list(call, "user.fields", &USER_FIELDS)?,
        media: list(call, "media.fields", &MEDIA_FIELDS)?,
        expansions: list(call, "expansions", &EXPANSIONS)?,
    })
}

fn list(call: &Call, name: &str, known: &[&str]) -> Result<BTreeSet<String>, Answer> {
    let Some(value) = call.param(name) else {
        return Ok(BTreeSet::new());
    };
    let items: BTreeSet<String> = value.split(',').map(str::to_owned).collect();
    match items.iter().find(|i| !known.contains(&i.as_str())) {
        Some(item) => {
            let text = format!(
                "The `{name}` query parameter value [{item}] is not one of [{}]",
                known.join(",")
            );
            Err(errors::invalid(name, item, &text))
        }
        None => Ok(items),
    }
}

/// A user with the fields that are always there and those asked for.
pub(super) fn user(id: &str, user: &User, wanted: &Wanted) -> Value {
    let mut out = json!({ "id": id, "name": user.name, "username": user.username });
    for field in &wanted.user {
        let value = match field.as_str() {
            "created_at" => json!(rfc3339(user.created_at)),
            "protected" => json!(user.protected),
            "verified" => json!(user.premium),
            "verified_type" => json!(if user.premium { "blue" } else { "none" }),
            "subscription_type" => json!(if user.premium { "Premium" } else { "None" }),
            "description" => json!(""),
            "profile_image_url" => {
                json!(format!(
                    "https://pbs.twimg.com/profile_images/{id}/photo_normal.jpg"
                ))
            }
            _ => continue,
        };
        out[field.as_str()] = value;
    }
    out
}

/// The names of ids in a post's history, in the wire form that is set.
pub(super) fn history_names(world: &World) -> &'static [&'static str] {
    match world.x.settings.field_names {
        XFieldNames::Both => &["edit_history_post_ids", "edit_history_tweet_ids"],
        XFieldNames::Current => &["edit_history_post_ids"],
        XFieldNames::Legacy => &["edit_history_tweet_ids"],
    }
}

/// A post with the fields that are always there and those asked for.
pub(super) fn post(world: &World, id: &str, post: &Post, wanted: &Wanted) -> Value {
    let shown = shortened(post);
    let mut out = json!({ "id": id, "text": shown });
    let history = world.x.histories.get(&post.root);
    for name in history_names(world) {
        out[*name] = json!(history);
    }
    let author_too = wanted
        .expansions
        .contains("author_id")
        .then_some("author_id");
    let fields = wanted.post.iter().map(String::as_str).chain(author_too);
    for field in fields {
        if let Some(value) = post_field(world, id, post, field) {
            out[field] = value;
        }
    }
    out
}

fn post_field(world: &World, id: &str, post: &Post, field: &str) -> Option<Value> {
    Some(match field {
        "created_at" => json!(rfc3339(post.created_at)),
        "author_id" => json!(post.author),
        "conversation_id" => json!(post.reply_to.as_deref().unwrap_or(id)),
        "reply_settings" => json!("everyone"),
        "possibly_sensitive" => json!(false),
        "public_metrics" => json!({
            "retweet_count": 0, "reply_count": 0, "like_count": 0, "quote_count": 0,
            "bookmark_count": 0, "impression_count": 0,
        }),
        "attachments" if !post.media.is_empty() => {
            let key = |m: &String| world.x.media.get(m).map(|m| m.key.clone());
            json!({ "media_keys": post.media.iter().filter_map(key).collect::<Vec<_>>() })
        }
        "entities" if !post.urls.is_empty() => json!({ "urls": urls(&post.urls) }),
        "note_tweet" | "note_post" if is_long(post) => json!({ "text": post.shown }),
        "withheld" if !post.withheld_in.is_empty() => {
            let legacy = world.x.settings.field_names == XFieldNames::Legacy;
            let scope = if legacy { "tweet" } else { "post" };
            json!({ "copyright": false, "country_codes": post.withheld_in, "scope": scope })
        }
        "referenced_tweets" => {
            let replied = post.reply_to.as_ref()?;
            json!([{ "type": "replied_to", "id": replied }])
        }
        _ => return None,
    })
}

fn urls(entities: &[text::Entity]) -> Vec<Value> {
    let one = |e: &text::Entity| {
        let bare = e
            .expanded
            .split_once("://")
            .map_or(e.expanded.as_str(), |(_, b)| b);
        let mut out = json!({
            "start": e.start,
            "end": e.end,
            "url": e.short,
            "expanded_url": e.expanded,
            "display_url": bare,
        });
        if let Some(key) = &e.media_key {
            out["media_key"] = key.as_str().into();
        }
        out
    };
    entities.iter().map(one).collect()
}

fn is_long(post: &Post) -> bool {
    text::weight(&post.text) > text::LIMIT
}

/// Long posts show their beginning in `text`; the whole stands in the note.
pub(super) fn shortened(post: &Post) -> String {
    if !is_long(post) {
        return post.shown.clone();
    }
    let head: String = post.shown.chars().take(text::LIMIT - 6).collect();
    format!("{head}…")
}

/// The `includes` of some posts; `None` when nothing was to be expanded.
pub(super) fn includes(world: &World, posts: &[&Post], wanted: &Wanted) -> Option<Value> {
    let mut out = Map::new();
    if wanted.expansions.contains("author_id") {
        let authors: BTreeSet<&str> = posts.iter().map(|p| p.author.as_str()).collect();
        let known = authors
            .iter()
            .filter_map(|id| Some((*id, world.x.users.get(*id)?)));
        let users: Vec<Value> = known.map(|(id, u)| user(id, u, wanted)).collect();
        out.insert("users".to_owned(), users.into());
    }
    if wanted.expansions.contains("attachments.media_keys") {
        let ids: BTreeSet<&String> = posts.iter().flat_map(|p| &p.media).collect();
        let known = ids.iter().filter_map(|id| world.x.media.get(*id));
        let media: Vec<Value> = known.map(|m| media_object(m, wanted)).collect();
        if !media.is_empty() {
            out.insert("media".to_owned(), media.into());
        }
    }
    (!out.is_empty()).then(|| out.into())
}

fn media_object(media: &super::media::Media, wanted: &Wanted) -> Value {
    let mut out = json!({ "media_key": media.key, "type": media.kind() });
    if let (true, Some(alt)) = (wanted.media.contains("alt_text"), &media.alt_text) {
        out["alt_text"] = alt.as_str().into();
    }
    out
}
