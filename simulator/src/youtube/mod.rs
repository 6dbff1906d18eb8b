//! `YouTube` Data API v3, Google's consent page and token endpoint, and the hub that tells of new
//! videos: what they know, and how a call enters.
//!
//! Hosts of the real thing: `accounts.google.com` (`/o/oauth2/v2/auth`), `oauth2.googleapis.com`
//! (`/token`, `/revoke`, `/tokeninfo`), `www.googleapis.com` (`/youtube/v3/…`,
//! `/upload/youtube/v3/…`, `/resumable/upload/youtube/v3/…`), `pubsubhubbub.appspot.com`
//! (`/subscribe`). Here they all stand under `/youtube`.

pub(crate) mod access;
mod account;
mod admin;
mod admin_http;
mod channels;
mod consent;
mod errors;
mod insert;
mod limits;
mod playlist;
mod processing;
mod routes;
mod token;
mod tokens;
mod upload;
mod videos;
mod websub;
mod wire;

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::call::{Answer, Call};
use crate::ledger::Platform;
use crate::limits::Window;
use crate::pipeline::Subject;
use crate::routes::Route;
use crate::sites::Site;
use crate::world::World;

pub use admin::{
    NewYoutubeApp, NewYoutubeUsers, YoutubeApp, YoutubeChannel, YoutubeTokenAction, YoutubeUser,
};
pub use limits::{UNITS_PER_DAY, UPLOADS_PER_DAY};
pub use processing::Outcome;
pub(crate) use wire::{Page, api_time, etag, list_answer, parts};

/// The platform's row.
pub(crate) static SITE: Site = Site {
    platform: Platform::YouTube,
    name: "youtube",
    tables: &[routes::ROUTES],
    subject,
    execute,
    usual_for_status: errors::usual_for_status,
    throttled: |_, _, reset_s| errors::rate_limited().with("retry-after", reset_s.to_string()),
    although_created: |_| errors::usual_for_status(503),
    remove: videos::remove,
    edit: videos::edit,
    tick: processing::tick,
    admin: admin_http::routes,
    account: account::connected,
};

/// The platform's state.
pub(crate) struct State {
    /// By client id.
    pub(crate) apps: HashMap<String, App>,
    /// By the number of the Google account.
    pub(crate) users: HashMap<String, User>,
    pub(crate) channels: HashMap<String, Channel>,
    pub(crate) videos: HashMap<String, Video>,
    /// Upload sessions by `upload_id`.
    pub(crate) sessions: HashMap<String, upload::Session>,
    pub(crate) codes: HashMap<String, consent::Code>,
    /// Access tokens.
    pub(crate) access: HashMap<String, tokens::Access>,
    /// Refresh tokens.
    pub(crate) refresh: HashMap<String, tokens::Refresh>,
    /// What a person consented to, by (user, app).
    pub(crate) grants: HashMap<(String, String), BTreeSet<String>>,
    /// Who wants to hear of which channel.
    pub(crate) subscriptions: Vec<websub::Subscription>,
    /// How long a video is processed.
    pub(crate) processing_ms: i64,
    /// Refuse a video whose bytes the channel has already (rejected, duplicate).
    pub(crate) duplicate_guard: bool,
    /// Videos to which something happens by itself, by its time: the end of processing, `publishAt`.
    pub(crate) waiting: BTreeSet<(i64, String)>,
    last_number: u64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            apps: HashMap::new(),
            users: HashMap::new(),
            channels: HashMap::new(),
            videos: HashMap::new(),
            sessions: HashMap::new(),
            codes: HashMap::new(),
            access: HashMap::new(),
            refresh: HashMap::new(),
            grants: HashMap::new(),
            subscriptions: Vec::new(),
            processing_ms: processing::USUAL_MS,
            duplicate_guard: false,
            waiting: BTreeSet::new(),
            last_number: 0,
        }
    }
}

impl State {
    /// The next number, for ids and for the order of tokens.
    pub(crate) fn number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    /// A user by number or address, with the channel that is meant: the one named, else the first.
    pub(crate) fn person(&self, hint: &str) -> Option<(String, Option<String>)> {
        if let Some(channel) = self.channels.get(hint) {
            return Some((channel.user.clone(), Some(hint.to_owned())));
        }
        let user = self
            .users
            .iter()
            .find(|(id, user)| *id == hint || user.email == hint);
        user.map(|(id, user)| (id.clone(), user.channels.first().cloned()))
    }
}

/// An OAuth client and its Google Cloud project.
pub(crate) struct App {
    pub(crate) secret: String,
    pub(crate) state: AppState,
    /// Publishing status "Testing": refresh tokens live for seven days.
    pub(crate) testing: bool,
    /// Not audited: every upload is locked to private (the rule of 2020 until 2 November 2026).
    pub(crate) locks_uploads: bool,
    /// Addresses that codes may go to; empty = any.
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) quota: limits::Quota,
}

/// What became of an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppState {
    /// In order.
    Active,
    /// The OAuth client was deleted (`deleted_client`).
    Deleted,
    /// The `YouTube` Data API is switched off in the project (403 `accessNotConfigured`).
    ApiDisabled,
}

/// A Google account.
pub(crate) struct User {
    pub(crate) email: String,
    pub(crate) state: UserState,
    pub(crate) channels: Vec<String>,
}

/// What became of a Google account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserState {
    /// In order.
    Active,
    /// Deleted: `invalid_grant`, "Account has been deleted".
    Deleted,
    /// The organisation's session control wants a new log-in: `invalid_grant` with
    /// `error_subtype` `invalid_rapt`.
    ReauthWanted,
    /// The organisation's administrator blocks the app: `admin_policy_enforced`.
    BlockedByAdmin,
}

/// A channel.
pub(crate) struct Channel {
    pub(crate) user: String,
    pub(crate) title: String,
    pub(crate) created_at: i64,
    pub(crate) state: ChannelState,
    /// Whether the account is linked to a channel or a Google+ profile, as `status.isLinked` says.
    pub(crate) linked: bool,
    /// `allowed`, `eligible` or `disallowed`: videos of more than 15 minutes.
    pub(crate) long_uploads: String,
    /// In order of upload.
    pub(crate) videos: Vec<String>,
    /// What becomes of the next videos.
    pub(crate) outcome: Outcome,
    /// Videos that it may upload in 24 hours.
    pub(crate) uploads_per_day: u64,
    pub(crate) uploads: Window,
}

/// What became of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelState {
    /// In order.
    Active,
    /// 403 `authenticatedUserAccountSuspended`; its videos are not to be seen.
    Suspended,
    /// 403 `authenticatedUserAccountClosed`; its videos are not to be seen.
    Closed,
    /// There is no channel any more: `channels.list` is empty, the rest is 401
    /// `youtubeSignupRequired`.
    Removed,
}

/// A video.
pub(crate) struct Video {
    pub(crate) channel: String,
    pub(crate) draft: insert::Draft,
    /// What `status.privacyStatus` says.
    pub(crate) privacy: Privacy,
    pub(crate) uploaded_at: i64,
    pub(crate) published_at: i64,
    /// SHA-256 of its bytes.
    pub(crate) digest: String,
    pub(crate) stage: processing::Stage,
    pub(crate) deleted: bool,
    /// Whether the ledger knows it: it was to be seen once.
    pub(crate) was_seen: bool,
}

/// Who sees a video.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Privacy {
    /// Everybody.
    Public,
    /// Whoever knows its address.
    Unlisted,
    /// Its owner.
    Private,
}

impl Privacy {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Unlisted => "unlisted",
            Self::Private => "private",
        }
    }
}

fn execute(
    world: &mut World,
    route: Option<&'static Route>,
    call: &Call,
    _subject: &Subject,
) -> Answer {
    match route {
        Some(route) => (route.handler)(world, call),
        None => errors::not_found(&call.path),
    }
}

/// Whose call it is: the channel and the account of its token, session, code or hint.
fn subject(world: &World, call: &Call) -> Subject {
    let state = &world.youtube;
    let of = |user: &str, channel: Option<&String>| Subject {
        account: channel.cloned().unwrap_or_else(|| user.to_owned()),
        owner: user.to_owned(),
    };
    let sent = call
        .param("upload_id")
        .and_then(|id| state.sessions.get(id));
    if let Some(session) = sent {
        return of(&session.caller.user, session.caller.channel.as_ref());
    }
    let tokens = [access::token_of(call), call.param("token")];
    for text in tokens.into_iter().flatten() {
        if let Some(token) = state.access.get(text) {
            return of(&token.user, token.channel.as_ref());
        }
    }
    let refresh = [call.param("refresh_token"), call.param("token")];
    for text in refresh.into_iter().flatten() {
        if let Some(token) = state.refresh.get(text) {
            return of(&token.user, token.channel.as_ref());
        }
    }
    if let Some(code) = call.param("code").and_then(|c| state.codes.get(c)) {
        return of(&code.user, code.channel.as_ref());
    }
    let hinted = call.param("login_hint").and_then(|h| state.person(h));
    hinted.map_or_else(Subject::default, |(user, channel)| {
        of(&user, channel.as_ref())
    })
}

/// Joins the two ways out of a handler.
pub(crate) fn flat(result: Result<Answer, Answer>) -> Answer {
    result.unwrap_or_else(|error| error)
}
