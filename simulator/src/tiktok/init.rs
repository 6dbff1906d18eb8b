//! The beginning of a post: video by upload or URL, photos by URL, drafts. It answers the
//! `publish_id`, which is the handle of everything that follows. There is no idempotency key.

use serde_json::{Value, json};
use url::Url;

use super::publish::{Content, Publish, Source, Stage};
use super::{TikTokAccountState, Token, access, errors, people, publish};
use crate::call::{Answer, Call};
use crate::facebook::flat;
use crate::world::{ALPHANUMERIC, World};

const DAY_MS: i64 = 24 * 3600 * 1000;
/// How long an upload URL is good.
const UPLOAD_LIFE_MS: i64 = 3600 * 1000;
const MEGABYTE: u64 = 1_000_000;
/// In UTF-16 code units.
const VIDEO_TITLE: usize = 2_200;
const PHOTO_TITLE: usize = 90;
const PHOTO_TEXT: usize = 4_000;
const MOST_PHOTOS: usize = 35;

/// `POST /v2/post/publish/video/init/`.
pub(super) fn video(world: &mut World, call: &Call) -> Answer {
    flat(begin_video(world, call, false))
}

/// `POST /v2/post/publish/inbox/video/init/`.
pub(super) fn draft(world: &mut World, call: &Call) -> Answer {
    flat(begin_video(world, call, true))
}

fn begin_video(world: &mut World, call: &Call, draft: bool) -> Result<Answer, Answer> {
    let token = access::caller(world, call, scope(draft))?;
    let body = body(call)?;
    let content = Content {
        title: text(&body["post_info"]["title"], VIDEO_TITLE)?,
        description: String::new(),
        privacy: may_post(world, &token, &body["post_info"]["privacy_level"], draft)?,
        photos: 0,
    };
    let info = &body["source_info"];
    match info["source"].as_str() {
        Some("FILE_UPLOAD") => {
            let upload_token = world.word(ALPHANUMERIC, 40);
            let source = file(info, world.now + UPLOAD_LIFE_MS)?;
            let prefix = if draft { "v_inbox_file" } else { "v_pub_file" };
            let id = record(world, token, content, source, draft, prefix);
            world
                .tiktok
                .uploads
                .insert(upload_token.clone(), id.clone());
            let number = world.tiktok.number();
            let url = format!(
                "http://{}/tiktok/video/?upload_id={number}&upload_token={upload_token}",
                call.host
            );
            Ok(errors::ok(&json!({ "publish_id": id, "upload_url": url })))
        }
        Some("PULL_FROM_URL") => {
            let urls = vec![info["video_url"].as_str().unwrap_or("").to_owned()];
            check_urls(world, &token, &urls)?;
            let prefix = if draft { "v_inbox_url" } else { "v_pub_url" };
            let id = record(world, token, content, Source::Url, draft, prefix);
            publish::process(world, &id);
            Ok(errors::ok(&json!({ "publish_id": id })))
        }
        _ => Err(errors::invalid_params("source_info.source is invalid")),
    }
}

/// `POST /v2/post/publish/content/init/`.
pub(super) fn photos(world: &mut World, call: &Call) -> Answer {
    flat(begin_photos(world, call))
}

fn begin_photos(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let body = body(call)?;
    let draft = match body["post_mode"].as_str() {
        Some("DIRECT_POST") => false,
        Some("MEDIA_UPLOAD") => true,
        _ => return Err(errors::invalid_params("post_mode is invalid")),
    };
    let token = access::caller(world, call, scope(draft))?;
    let (info, source) = (&body["post_info"], &body["source_info"]);
    if body["media_type"] != "PHOTO" || source["source"] != "PULL_FROM_URL" {
        return Err(errors::invalid_params("media_type or source is invalid"));
    }
    let urls = source["photo_images"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let urls: Vec<String> = urls
        .iter()
        .filter_map(|u| u.as_str())
        .map(str::to_owned)
        .collect();
    let cover = source["photo_cover_index"].as_u64().unwrap_or(u64::MAX);
    let covered = usize::try_from(cover).is_ok_and(|cover| cover < urls.len());
    if urls.is_empty() || urls.len() > MOST_PHOTOS || !covered {
        return Err(errors::invalid_params(
            "photo_images or photo_cover_index is invalid",
        ));
    }
    let content = Content {
        title: text(&info["title"], PHOTO_TITLE)?,
        description: text(&info["description"], PHOTO_TEXT)?,
        privacy: may_post(world, &token, &info["privacy_level"], draft)?,
        photos: urls.len(),
    };
    check_urls(world, &token, &urls)?;
    let id = record(world, token, content, Source::Url, draft, "p_pub_url");
    publish::process(world, &id);
    Ok(errors::ok(&json!({ "publish_id": id })))
}

fn scope(draft: bool) -> &'static str {
    if draft {
        "video.upload"
    } else {
        "video.publish"
    }
}

fn body(call: &Call) -> Result<&Value, Answer> {
    let missing = || errors::invalid_params("the body must be application/json");
    call.json.as_ref().ok_or_else(missing)
}

/// A text that is not too long, counted as the platform counts.
fn text(value: &Value, most: usize) -> Result<String, Answer> {
    let text = value.as_str().unwrap_or("");
    if text.encode_utf16().count() > most {
        return Err(errors::invalid_params(
            "the title or description is too long",
        ));
    }
    Ok(text.to_owned())
}

/// Why a creator cannot post through this app now: code and text.
pub(super) fn cannot_post(
    world: &mut World,
    token: &Token,
) -> Option<(&'static str, &'static str)> {
    let (now, state) = (world.now, &mut world.tiktok);
    let user = state.users.get_mut(&token.user)?;
    if user.state == TikTokAccountState::BannedFromPosting {
        let text = "The user is banned from making new posts";
        return Some(("spam_risk_user_banned_from_posting", text));
    }
    while user.recent.front().is_some_and(|at| *at <= now - DAY_MS) {
        user.recent.pop_front();
    }
    if state
        .settings
        .posts_per_day
        .is_some_and(|most| user.recent.len() >= most)
    {
        let text = "The daily post cap from the API is reached for the current user";
        return Some(("spam_risk_too_many_posts", text));
    }
    let app = state.apps.get_mut(&token.app)?;
    app.posters.retain(|_, at| *at > now - DAY_MS);
    let full = app
        .daily_user_cap
        .is_some_and(|most| app.posters.len() >= most);
    if full && !app.posters.contains_key(&token.user) {
        let text = "The daily quota for active publishing users from your client is reached";
        return Some(("reached_active_user_cap", text));
    }
    None
}

/// The privacy level, if the creator may post with it.
fn may_post(
    world: &mut World,
    token: &Token,
    privacy: &Value,
    draft: bool,
) -> Result<String, Answer> {
    if draft {
        return may_draft(world, token);
    }
    if let Some((code, text)) = cannot_post(world, token) {
        return Err(errors::error(403, code, text));
    }
    let privacy = privacy.as_str().unwrap_or("");
    let (app, user) = (
        &world.tiktok.apps[&token.app],
        &world.tiktok.users[&token.user],
    );
    if !people::privacy_levels(user).contains(&privacy) {
        let text = "Privacy level is not among the options of the creator_info API";
        return Err(errors::error(403, "privacy_level_option_mismatch", text));
    }
    if !app.audited && (privacy != "SELF_ONLY" || !user.private) {
        let code = "unaudited_client_can_only_post_to_private_accounts";
        let text = "Unaudited clients can only post to a private account";
        return Err(errors::error(403, code, text));
    }
    Ok(privacy.to_owned())
}

fn may_draft(world: &World, token: &Token) -> Result<String, Answer> {
    let since = world.now - DAY_MS;
    let pending = world.tiktok.publishes.values();
    let pending = pending.filter(|p| p.user == token.user && p.draft && p.created_at > since);
    if pending.count() >= world.tiktok.settings.pending_shares {
        let text = "There are at most 5 pending shares within any 24-hour period";
        return Err(errors::error(403, "spam_risk_too_many_pending_share", text));
    }
    Ok(String::new())
}

/// Chunks as the media transfer guide demands them.
fn file(info: &Value, url_until: i64) -> Result<Source, Answer> {
    let number = |name: &str| info[name].as_u64().unwrap_or(0);
    let (size, chunk, count) = (
        number("video_size"),
        number("chunk_size"),
        number("total_chunk_count"),
    );
    let whole = chunk == size && count == 1 && size <= 64 * MEGABYTE;
    let in_range = (5 * MEGABYTE..=64 * MEGABYTE).contains(&chunk);
    let in_chunks = in_range && size >= chunk && count == size / chunk && count <= 1000;
    if size == 0 || size > 4_000 * MEGABYTE || !(whole || in_chunks) {
        return Err(errors::invalid_params(
            "The chunk size or the total chunk count is invalid",
        ));
    }
    Ok(Source::File {
        size,
        chunk,
        count,
        url_until,
    })
}

/// The platform pulls only from addresses whose owner it knows.
fn check_urls(world: &World, token: &Token, urls: &[String]) -> Result<(), Answer> {
    let app = &world.tiktok.apps[&token.app];
    for text in urls {
        let web = Url::parse(text).is_ok_and(|u| matches!(u.scheme(), "http" | "https"));
        if !web {
            return Err(errors::invalid_params("The URL is invalid"));
        }
        if !app
            .verified_urls
            .iter()
            .any(|prefix| text.starts_with(prefix))
        {
            let text = "Please review our URL ownership verification rules";
            return Err(errors::error(403, "url_ownership_unverified", text));
        }
    }
    Ok(())
}

fn record(
    world: &mut World,
    token: Token,
    content: Content,
    source: Source,
    draft: bool,
    prefix: &str,
) -> String {
    let id = format!(
        "{prefix}~v2-1.{}",
        7_500_000_000_000_000_000 + world.tiktok.number()
    );
    let publish = Publish {
        app: token.app,
        user: token.user,
        content,
        source,
        draft,
        stage: Stage::Upload { received: 0 },
        created_at: world.now,
        post: None,
    };
    world.tiktok.publishes.insert(id.clone(), publish);
    id
}
