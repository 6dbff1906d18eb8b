//! Posting, and taking it back.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization as _;

use super::access::{self, Holder};
use super::links::{Piece, pieces};
use super::text;
use super::{Post, XMissingPosts, billing, errors, flat, media, view, webhooks};
use crate::call::{Answer, Call};
use crate::ledger::{NewPost, Platform};
use crate::world::{ALPHANUMERIC, World};

/// Members of the body that exist. The platform refuses others.
const MEMBERS: [&str; 16] = [
    "card_uri",
    "community_id",
    "direct_message_deep_link",
    "edit_options",
    "for_super_followers_only",
    "geo",
    "made_with_ai",
    "media",
    "nullcast",
    "paid_partnership",
    "poll",
    "quote_tweet_id",
    "reply",
    "reply_settings",
    "share_with_followers",
    "text",
];

/// `POST /2/tweets`. There is no idempotency key: the same call twice makes
/// two posts, unless the duplicate guard catches it (403).
pub(super) fn create(world: &mut World, call: &Call) -> Answer {
    flat(create_post(world, call))
}

fn create_post(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let holder = access::writer(world, call)?;
    let empty = || errors::invalid("body", "", "The request body is not a JSON object");
    let body = call
        .json
        .as_ref()
        .and_then(Value::as_object)
        .ok_or_else(empty)?;
    if let Some(name) = body.keys().find(|k| !MEMBERS.contains(&k.as_str())) {
        let text = format!(
            "$.{name}: is not defined in the schema and the schema does not allow additional properties"
        );
        return Err(errors::invalid(name, "", &text));
    }
    let draft = Draft::read(world, &holder, call.json.as_ref().unwrap_or(&Value::Null))?;
    check_duplicate(world, &holder.user, &draft)?;
    let has_link = pieces(&draft.text)
        .iter()
        .any(|p| matches!(p, Piece::Link(_)));
    let id = publish(world, &holder, draft);
    billing::act(world, &holder.app, |usage| {
        if has_link {
            usage.creates_with_link += 1;
        } else {
            usage.creates += 1;
        }
    });
    let post = &world.x.posts[&id];
    let mut data = json!({ "id": id, "text": view::shortened(post) });
    for name in view::history_names(world) {
        data[*name] = json!([id]);
    }
    Ok(Answer::json(201, &json!({ "data": data })))
}

/// What is to be posted.
struct Draft {
    text: String,
    media: Vec<String>,
    reply_to: Option<String>,
}

impl Draft {
    fn read(world: &World, holder: &Holder, body: &Value) -> Result<Self, Answer> {
        let text = body["text"].as_str().unwrap_or("").trim().to_owned();
        let media = media_ids(world, holder, &body["media"])?;
        if text.is_empty() && media.is_empty() && body["poll"].is_null() {
            let message = "One or more of the following fields is required: text, media, poll";
            return Err(errors::invalid("text", "", message));
        }
        let extras = ["media", "poll", "quote_tweet_id", "card_uri"];
        if extras.iter().filter(|e| !body[**e].is_null()).count() > 1 {
            let message = "media, poll, quote_tweet_id and card_uri exclude each other";
            return Err(errors::invalid("media", "", message));
        }
        let premium = world.x.users.get(&holder.user).is_some_and(|u| u.premium);
        let limit = if premium {
            text::LONG_LIMIT
        } else {
            text::LIMIT
        };
        // A post that is too long and a quote by a self-served app are refused in the same words.
        if text::weight(&text) > limit || !body["quote_tweet_id"].is_null() {
            return Err(errors::not_permitted());
        }
        let cashtags = text.split_whitespace().filter(|w| is_cashtag(w)).count();
        if cashtags > 1 {
            let message = "Posts are limited to a maximum of one cashtag.";
            return Err(errors::invalid("text", "", message));
        }
        let reply_to = body["reply"]["in_reply_to_tweet_id"]
            .as_str()
            .map(str::to_owned);
        if reply_to
            .as_ref()
            .is_some_and(|id| world.x.live_post(id).is_none())
        {
            return Err(errors::reply_to_nothing());
        }
        Ok(Self {
            text,
            media,
            reply_to,
        })
    }
}

fn is_cashtag(word: &str) -> bool {
    word.strip_prefix('$').is_some_and(|name| {
        (1..=6).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphabetic())
    })
}

/// Up to four images, or one animation, or one video; uploaded by the same
/// user, processed, and not older than a day.
fn media_ids(world: &World, holder: &Holder, given: &Value) -> Result<Vec<String>, Answer> {
    let bad = |id: &str| errors::invalid("media.media_ids", id, "Your media IDs are invalid.");
    let Some(given) = given["media_ids"].as_array() else {
        return Ok(Vec::new());
    };
    let mut ids = Vec::new();
    for id in given {
        let id = id.as_str().unwrap_or("");
        let usable = world.x.media.get(id).is_some_and(|m| {
            m.owner == holder.user
                && m.phase(world.now) == media::Phase::Ready
                && m.expires_at > world.now
        });
        if !usable {
            return Err(bad(id));
        }
        ids.push(id.to_owned());
    }
    let images = ids.iter().all(|id| world.x.media[id].kind() == "photo");
    if ids.is_empty() || ids.len() > 4 || (ids.len() > 1 && !images) {
        return Err(bad(&ids.join(",")));
    }
    Ok(ids)
}

/// The platform's own guard: the same words of the same account, not long ago.
fn check_duplicate(world: &mut World, user: &str, draft: &Draft) -> Result<(), Answer> {
    if !world.x.settings.duplicate_guard || !draft.media.is_empty() {
        return Ok(());
    }
    let since = world.now - world.x.settings.duplicate_window_ms;
    let plain = |text: &str| -> String { text.nfc().collect() };
    let words = plain(&draft.text);
    let roots = world.x.users.get(user).map(|u| u.posts.as_slice());
    let repeated = roots
        .unwrap_or_default()
        .iter()
        .rev()
        .filter_map(|root| world.x.live_post(root))
        .take_while(|p| p.created_at >= since)
        .any(|p| p.media.is_empty() && plain(&p.text) == words);
    if repeated {
        world.ledger.refused_duplicates += 1;
        return Err(errors::duplicate());
    }
    Ok(())
}

/// Makes the post exist, and says its id.
fn publish(world: &mut World, holder: &Holder, draft: Draft) -> String {
    let id = world.x.id(world.now);
    let (shown, urls) = short_links(world, &holder.user, &id, &draft.text, &draft.media);
    let post = Post {
        root: id.clone(),
        author: holder.user.clone(),
        text: draft.text,
        shown,
        urls,
        media: draft.media,
        reply_to: draft.reply_to,
        created_at: world.now,
        deleted: false,
        withheld_in: BTreeSet::new(),
    };
    let entry = NewPost {
        platform: Platform::X,
        account: &holder.user,
        remote_id: &id,
        text: &post.text,
        client_reference: None,
    };
    world.ledger.created(&entry, world.now);
    if let Some(user) = world.x.users.get_mut(&holder.user) {
        user.posts.push(id.clone());
    }
    world.x.histories.insert(id.clone(), vec![id.clone()]);
    world.x.posts.insert(id.clone(), post);
    webhooks::post_created(world, &holder.user, &id);
    id
}

/// The text as the API gives it back: every link shortened, a link to its
/// media at the end, markup escaped.
fn short_links(
    world: &mut World,
    user: &str,
    id: &str,
    plain: &str,
    media: &[String],
) -> (String, Vec<text::Entity>) {
    let mut shown = String::new();
    let mut urls = Vec::new();
    let mut add = |world: &mut World, shown: &mut String, expanded: String, key: Option<String>| {
        let short = format!("https://t.co/{}", world.word(ALPHANUMERIC, 10));
        let start = shown.chars().count();
        shown.push_str(&short);
        world.x.links.insert(short.clone(), expanded.clone());
        urls.push(text::Entity {
            start,
            end: start + short.chars().count(),
            short,
            expanded,
            media_key: key,
        });
    };
    for piece in pieces(plain) {
        match piece {
            Piece::Plain(words) => shown.push_str(&text::escape(words)),
            Piece::Link(link) if link.contains("://") => {
                add(world, &mut shown, link.to_owned(), None);
            }
            Piece::Link(link) => add(world, &mut shown, format!("http://{link}"), None),
        }
    }
    if let Some(first) = media.first().and_then(|m| world.x.media.get(m)) {
        let (key, kind) = (first.key.clone(), first.kind());
        let name = world.x.users.get(user).map_or("i", |u| u.username.as_str());
        let noun = if kind == "photo" { "photo" } else { "video" };
        let address = format!("https://x.com/{name}/status/{id}/{noun}/1");
        if !shown.is_empty() {
            shown.push(' ');
        }
        add(world, &mut shown, address, Some(key));
    }
    (shown, urls)
}

/// `DELETE /2/tweets/{id}`.
pub(super) fn delete(world: &mut World, call: &Call) -> Answer {
    flat(delete_post(world, call))
}

fn delete_post(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let holder = access::writer(world, call)?;
    let id = call.segment(2);
    let Some(post) = world.x.live_post(id) else {
        let problem = errors::post_not_found(id, "id");
        return match world.x.settings.missing_posts {
            XMissingPosts::Partial => Ok(Answer::ok(&json!({ "errors": [problem] }))),
            XMissingPosts::NotFound => Err(errors::whole(404, &problem)),
        };
    };
    if post.author != holder.user {
        return Err(errors::not_yours_to_delete());
    }
    remove(world, id);
    billing::act(world, &holder.app, |usage| usage.deletes += 1);
    Ok(Answer::ok(&json!({ "data": { "deleted": true } })))
}

/// Takes a post away with all its versions. Says whether it existed.
pub(super) fn remove(world: &mut World, id: &str) -> bool {
    let Some(post) = world.x.live_post(id) else {
        return false;
    };
    let (root, author) = (post.root.clone(), post.author.clone());
    for version in world.x.histories.get(&root).cloned().unwrap_or_default() {
        if let Some(post) = world.x.posts.get_mut(&version) {
            post.deleted = true;
        }
    }
    world.ledger.deleted(&root, world.now);
    webhooks::post_deleted(world, &author, id);
    true
}

/// Changes a post as its owner would: a new version with an id of its own; the
/// old id still shows the old text, and both name each other.
pub(super) fn edit(world: &mut World, id: &str, words: &str) -> bool {
    let Some(newest) = world
        .x
        .live_post(id)
        .and_then(|p| world.x.histories.get(&p.root))
        .and_then(|h| world.x.live_post(h.last()?))
        .cloned()
    else {
        return false;
    };
    let version = world.x.id(world.now);
    let (shown, urls) = short_links(world, &newest.author, &version, words, &newest.media);
    let root = newest.root.clone();
    let post = Post {
        text: words.to_owned(),
        shown,
        urls,
        created_at: world.now,
        ..newest
    };
    world.x.posts.insert(version.clone(), post);
    if let Some(history) = world.x.histories.get_mut(&root) {
        history.push(version);
    }
    world.ledger.edited(&root, words);
    true
}
