//! TikTok's Content Posting API and Login Kit (v2): what it knows, and how a call enters.
//! A logical error may come with HTTP 200: `error.code` decides, and `"ok"` is success.

mod access;
mod account;
mod admin;
mod errors;
mod init;
mod limits;
mod oauth;
mod people;
mod publish;
mod routes;
mod upload;
mod videos;
mod webhooks;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::call::{Answer, Call};
use crate::ledger::Platform;
use crate::pipeline::Subject;
use crate::routes::Route;
use crate::sites::Site;
use crate::world::World;

pub use admin::{
    NewTikTokApp, NewTikTokUsers, TikTokApp, TikTokAppChange, TikTokTokenAction, TikTokUser,
};

/// The platform's row.
pub(crate) static SITE: Site = Site {
    platform: Platform::TikTok,
    name: "tiktok",
    tables: &[routes::ROUTES],
    subject,
    execute,
    usual_for_status: errors::usual_for_status,
    throttled: |_, _, _| errors::rate_limited(),
    although_created: |_| errors::usual_for_status(500),
    remove: publish::remove,
    edit: publish::edit,
    tick: publish::tick,
    admin: admin::routes,
    account: account::connected,
};

/// What the platform's rules are. Documents of different dates disagree about some of them; the
/// defaults are those of most of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TikTokSettings {
    /// Life of a new access token, in seconds (24 hours; the pages of November 2026 say 2 hours).
    pub access_life_s: i64,
    /// Life of a new refresh token, in seconds (365 days; the same pages say 180 days).
    pub refresh_life_s: i64,
    /// Whether a refresh returns another refresh token and ends the old one.
    pub rotates: bool,
    /// HTTP status of OAuth errors (200 is what others saw; 400 and 401 are what OAuth says).
    pub oauth_error_status: u16,
    /// From the last byte, or the start of the download, to the post, in milliseconds.
    pub processing_ms: i64,
    /// From the post to its public availability (moderation), in milliseconds.
    pub moderation_ms: i64,
    /// Whether the limits per minute and token are enforced.
    pub minute_limits: bool,
    /// Posts of one creator within 24 hours, over all API clients.
    pub posts_per_day: Option<usize>,
    /// Drafts within 24 hours that the creator has not finished.
    pub pending_shares: usize,
}

impl Default for TikTokSettings {
    fn default() -> Self {
        Self {
            access_life_s: 24 * 3600,
            refresh_life_s: 365 * 24 * 3600,
            rotates: true,
            oauth_error_status: 200,
            processing_ms: 5_000,
            moderation_ms: 20_000,
            minute_limits: true,
            posts_per_day: Some(15),
            pending_shares: 5,
        }
    }
}

/// The platform's state.
#[derive(Default)]
pub(crate) struct State {
    settings: TikTokSettings,
    apps: HashMap<String, App>,
    users: HashMap<String, User>,
    codes: HashMap<String, oauth::Code>,
    access_tokens: HashMap<String, Token>,
    refresh_tokens: HashMap<String, Token>,
    publishes: HashMap<String, publish::Publish>,
    /// Publish ids by the token in their upload URL.
    uploads: HashMap<String, String>,
    /// What happens by itself, by time.
    due: BTreeSet<(i64, String)>,
    posts: BTreeMap<u64, publish::Post>,
    windows: HashMap<(String, &'static str), VecDeque<i64>>,
    last_number: u64,
}

impl State {
    fn number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }
}

/// An app that is registered at the platform.
struct App {
    secret: String,
    /// Empty: any.
    redirect_uris: Vec<String>,
    /// Prefixes of URLs that the platform may pull from.
    verified_urls: Vec<String>,
    /// Without the audit only private posts on private accounts are possible.
    audited: bool,
    /// So many creators may post through it within 24 hours.
    daily_user_cap: Option<usize>,
    /// When whom posted through it.
    posters: HashMap<String, i64>,
    callback_url: Option<String>,
}

/// Whether a creator may act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TikTokAccountState {
    /// In order.
    Active,
    /// Reading works, posting is refused (`spam_risk_user_banned_from_posting`).
    BannedFromPosting,
    /// Banned: its authorizations are gone (webhook reason 4), its posts are hidden.
    Banned,
    /// Deleted by its owner: the same, for good (webhook reason 2).
    Deleted,
}

/// A creator. Its `open_id` is its key, whatever the app.
struct User {
    username: String,
    nickname: String,
    state: TikTokAccountState,
    private: bool,
    /// Whether it may be posted to by API at all: not every kind of account, and not everywhere.
    offered: bool,
    max_video_sec: u32,
    /// Scopes that are granted, per app. No entry: not authorized.
    grants: HashMap<String, BTreeSet<String>>,
    /// When its posts of the last 24 hours began.
    recent: VecDeque<i64>,
    /// How the next processing fails.
    next_failure: Option<String>,
}

/// An access or a refresh token.
#[derive(Clone)]
struct Token {
    app: String,
    user: String,
    expires_at: i64,
}

fn execute(
    world: &mut World,
    route: Option<&'static Route>,
    call: &Call,
    _subject: &Subject,
) -> Answer {
    let Some(route) = route else {
        return errors::error(404, "unsupported_path", "Unsupported path(Janus)");
    };
    match limits::admit(world, call, route.name) {
        Ok(()) => (route.handler)(world, call),
        Err(refusal) => refusal,
    }
}

/// Whose call it is: the token's creator, or that of the code, hint or upload.
fn subject(world: &World, call: &Call) -> Subject {
    let state = &world.tiktok;
    let token = |map: &HashMap<String, Token>, text: Option<&str>| {
        text.and_then(|t| map.get(t)).map(|t| t.user.clone())
    };
    let hinted = || call.param("login_hint").map(str::to_owned);
    let account = token(&state.access_tokens, call.header_token.as_deref())
        .or_else(|| token(&state.access_tokens, call.param("token")))
        .or_else(|| token(&state.refresh_tokens, call.param("refresh_token")))
        .or_else(|| {
            let code = call.param("code").and_then(|c| state.codes.get(c));
            code.map(|c| c.user.clone())
        })
        .or_else(|| {
            let id = call
                .param("upload_token")
                .and_then(|t| state.uploads.get(t));
            id.and_then(|id| state.publishes.get(id))
                .map(|p| p.user.clone())
        })
        .or_else(hinted)
        .filter(|user| state.users.contains_key(user))
        .unwrap_or_default();
    Subject {
        owner: account.clone(),
        account,
    }
}
