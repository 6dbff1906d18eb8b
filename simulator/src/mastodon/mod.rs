//! One Mastodon server: what it knows, and how a call enters. Texts of errors are those of the
//! software: they are the only thing by which a client can tell errors of one status apart.

mod access;
mod account;
mod accounts;
mod admin;
mod apps;
mod entities;
mod errors;
mod instance;
mod limits;
mod media;
pub(crate) mod multipart;
mod oauth;
mod params;
mod routes;
mod statuses;
mod text;
mod timeline;

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::call::{Answer, Call};
use crate::ledger::Platform;
use crate::pipeline::Subject;
use crate::routes::Route;
use crate::sites::{self, Site};
use crate::world::World;

pub use admin::{
    MastodonAccount, MastodonApp, MastodonTokenAction, NewMastodonAccounts, NewMastodonApp,
};

/// The platform's row.
pub(crate) static SITE: Site = Site {
    platform: Platform::Mastodon,
    name: "mastodon",
    tables: &[routes::ROUTES],
    subject,
    execute,
    usual_for_status: errors::usual_for_status,
    throttled: |world, _, reset_s| limits::throttled(world.now, reset_s),
    although_created: |_| errors::error(422, "Duplicate record"),
    remove: statuses::remove,
    edit: statuses::edit_by_hand,
    tick: sites::nothing_is_due,
    admin: admin::routes,
    account: account::connected,
};

/// What this server allows. Every server has its own numbers, and tells them under
/// `/api/v2/instance`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MastodonSettings {
    /// Characters of a post, as graphemes, links and mentions shortened.
    pub max_characters: usize,
    /// What every link counts.
    pub characters_reserved_per_url: usize,
    /// Pictures of a post.
    pub max_media_attachments: usize,
    /// Bytes of a picture.
    pub image_size_limit: usize,
    /// Bytes of a video.
    pub video_size_limit: usize,
    /// How long a video, a sound or an animation is processed, in milliseconds.
    pub processing_ms: i64,
    /// Whether pictures take that time, too.
    pub slow_images: bool,
    /// Whether `Idempotency-Key` is honoured. (`GoToSocial`, which speaks the same
    /// API, ignores it.)
    pub idempotency: bool,
    /// Whether posts can be read without a token.
    pub public_reads: bool,
    /// Calls of one account per 5 minutes.
    pub requests_per_5min: Option<u64>,
    /// Uploads of one account per 30 minutes.
    pub media_per_30min: Option<u64>,
    /// Deletions of one account per 30 minutes.
    pub deletes_per_30min: Option<u64>,
    /// Posts of one account per 3 hours.
    pub statuses_per_3h: Option<u64>,
}

impl Default for MastodonSettings {
    fn default() -> Self {
        Self {
            max_characters: 500,
            characters_reserved_per_url: 23,
            max_media_attachments: 4,
            image_size_limit: 16_777_216,
            video_size_limit: 103_809_024,
            processing_ms: 3_000,
            slow_images: false,
            idempotency: true,
            public_reads: true,
            requests_per_5min: Some(300),
            media_per_30min: Some(30),
            deletes_per_30min: Some(30),
            statuses_per_3h: Some(300),
        }
    }
}

/// The server's state.
#[derive(Default)]
pub(crate) struct State {
    settings: MastodonSettings,
    apps: HashMap<String, App>,
    codes: HashMap<String, oauth::Code>,
    tokens: HashMap<String, Token>,
    accounts: HashMap<String, Account>,
    statuses: BTreeMap<u64, Status>,
    media: HashMap<String, Media>,
    /// Window number and count, per account and family.
    windows: HashMap<(String, limits::Family), (i64, u64)>,
    last_number: u64,
}

impl State {
    /// An id as the server makes them: milliseconds, then a counter.
    fn id(&mut self, now: i64) -> u64 {
        self.last_number += 1;
        (u64::try_from(now).unwrap_or(0) << 16) + self.last_number % 65_536
    }
}

/// A client that is registered here.
struct App {
    id: String,
    name: String,
    website: Option<String>,
    secret: String,
    redirect_uris: Vec<String>,
    scopes: Vec<String>,
}

/// An access token. Mastodon's have no end.
struct Token {
    app: String,
    /// `None`: the app's own.
    account: Option<String>,
    scopes: Vec<String>,
    expires_at: Option<i64>,
    revoked: bool,
}

/// Whether an account may act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MastodonAccountState {
    /// In order.
    Active,
    /// Its e-mail address is not confirmed.
    Unconfirmed,
    /// A moderator has yet to approve it.
    Pending,
    /// Its log-in is switched off.
    Disabled,
    /// Suspended: the same to its tokens, and its posts are hidden.
    Suspended,
    /// Limited ("silenced"): posting works, few see it.
    Limited,
    /// Gone, with its tokens and posts.
    Deleted,
}

/// An account, by its id.
struct Account {
    username: String,
    state: MastodonAccountState,
    created_at: i64,
    /// The post of each key, and until when the key counts.
    keys: HashMap<String, (u64, i64)>,
    /// The next upload that is processed fails.
    fail_next_media: bool,
    /// Where it has moved to, as `user@host`.
    moved_to: Option<String>,
}

/// A post.
struct Status {
    account: String,
    app: String,
    text: String,
    spoiler: String,
    visibility: String,
    language: Option<String>,
    sensitive: bool,
    in_reply_to: Option<u64>,
    media: Vec<String>,
    created_at: i64,
    edited_at: Option<i64>,
    deleted: bool,
}

/// An uploaded file.
struct Media {
    account: String,
    kind: &'static str,
    description: Option<String>,
    ready_at: i64,
    failed: bool,
    status: Option<u64>,
}

fn execute(
    world: &mut World,
    route: Option<&'static Route>,
    call: &Call,
    subject: &Subject,
) -> Answer {
    match (route, limits::count(world, route, call, subject)) {
        (_, Err(refusal)) => refusal,
        (None, Ok(_)) => errors::usual_for_status(404),
        (Some(route), Ok(usage)) => {
            let mut answer = (route.handler)(world, call);
            answer.headers.extend(usage);
            answer
        }
    }
}

/// Whose call it is: the token's account, or that of the code, hint or path.
fn subject(world: &World, call: &Call) -> Subject {
    let state = &world.mastodon;
    let sent = call.header_token.as_deref().or(call.param("token"));
    let of_token = sent
        .and_then(|t| state.tokens.get(t))
        .and_then(|t| t.account.clone());
    let of_code = call.param("code").and_then(|c| state.codes.get(c));
    let account = of_token
        .or_else(|| of_code.map(|c| c.account.clone()))
        .or_else(|| call.param("login_hint").map(str::to_owned))
        .or_else(|| (call.segment(2) == "accounts").then(|| call.segment(3).to_owned()))
        .filter(|id| state.accounts.contains_key(id))
        .unwrap_or_default();
    Subject {
        owner: account.clone(),
        account,
    }
}
