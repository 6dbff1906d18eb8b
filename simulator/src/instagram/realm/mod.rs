//! What Instagram and Threads have in common behind their own names: apps, accounts, a log-in whose tokens are
//! renewed by themselves, containers that are processed and then published, and callbacks.

pub(crate) mod access;
pub(crate) mod admin;
pub(crate) mod graph;
pub(crate) mod hooks;
pub(crate) mod http;
pub(crate) mod oauth;
pub(crate) mod publish;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::facebook::tokens::RevokeReason;
use crate::ledger::Platform;
use crate::limits::Window;
use crate::world::World;

/// Where the two platforms differ in what they share.
pub(crate) struct Flavor {
    pub(crate) platform: Platform,
    /// First path segment.
    pub(crate) name: &'static str,
    /// How its tokens begin.
    pub(crate) token_prefix: &'static str,
    /// The permission without which nothing works, renewal included.
    pub(crate) basic: &'static str,
    /// The permission to publish.
    pub(crate) publish: &'static str,
    /// What a new account has granted.
    pub(crate) scopes: &'static [&'static str],
    /// `grant_type` of the exchange of a short-lived token.
    pub(crate) exchange_grant: &'static str,
    /// `grant_type` of the renewal of a long-lived token.
    pub(crate) refresh_grant: &'static str,
    /// Numbers of accounts begin here.
    pub(crate) account_numbers: u64,
    /// Whether token answers name the permissions.
    pub(crate) tells_permissions: bool,
    pub(crate) realm: fn(&World) -> &Realm,
    pub(crate) realm_mut: fn(&mut World) -> &mut Realm,
}

/// Everything that one of the platforms knows.
#[derive(Default)]
pub(crate) struct Realm {
    pub(crate) apps: HashMap<String, App>,
    pub(crate) accounts: HashMap<String, Account>,
    pub(crate) codes: HashMap<String, oauth::Code>,
    pub(crate) tokens: HashMap<String, Token>,
    pub(crate) containers: HashMap<String, Container>,
    pub(crate) media: HashMap<String, Media>,
    pub(crate) settings: MetaSettings,
    last_number: u64,
}

impl Realm {
    /// A fresh number for an id.
    pub(crate) fn number(&mut self, base: u64) -> String {
        self.last_number += 1;
        (base + self.last_number * 7).to_string()
    }
}

/// An app that is registered for this log-in.
pub(crate) struct App {
    pub(crate) secret: String,
    pub(crate) name: String,
    pub(crate) callbacks: MetaCallbacks,
    pub(crate) window: Window,
}

/// Where an app wants to be told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetaCallbacks {
    /// Receives events. Setting it sends the handshake (`hub.challenge`).
    pub webhook_url: Option<String>,
    /// The token that the handshake carries.
    pub verify_token: String,
    /// Fields of which events are sent.
    pub fields: BTreeSet<String>,
    /// Receives a `signed_request` when a person removes the app.
    pub deauthorize_url: Option<String>,
    /// Receives a `signed_request` when a person asks for deletion of their data.
    pub deletion_url: Option<String>,
}

/// A professional account, or a Threads profile.
pub(crate) struct Account {
    pub(crate) username: String,
    /// `BUSINESS`, `MEDIA_CREATOR` or `PERSONAL`.
    pub(crate) kind: String,
    /// The id that belongs to one app only.
    pub(crate) app_scoped_id: String,
    pub(crate) state: MetaAccountState,
    /// What was asked for, and whether it is granted.
    pub(crate) scopes: BTreeMap<String, bool>,
    pub(crate) checkpoint: bool,
    pub(crate) tokens: Vec<String>,
    /// What goes wrong with the next containers.
    pub(crate) failures: VecDeque<MediaFailure>,
    /// In order of publication.
    pub(crate) media: Vec<String>,
    /// When containers were made, and posts published and deleted.
    pub(crate) used: BTreeMap<Quota, Vec<i64>>,
    /// Webhook fields that are subscribed for this account.
    pub(crate) subscribed: BTreeSet<String>,
    pub(crate) window: Window,
}

impl Account {
    /// Whether the permission is granted.
    pub(crate) fn has(&self, scope: &str) -> bool {
        self.scopes.get(scope).copied().unwrap_or(false)
    }
}

/// What is counted per account over 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Quota {
    Containers,
    Posts,
    Replies,
    Deletions,
}

/// What the platform does to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetaAccountState {
    /// In order.
    Active,
    /// Publishing is refused: inactive, checkpointed or restricted (25/2207050; Threads 4279013).
    Restricted,
    /// Publishing is refused as spam (4/2207051).
    SpamBlocked,
    /// Turned into a personal account: the API does not serve it any more.
    Personal,
    /// Gone with its posts; everything answers 100/33.
    Deleted,
}

/// What goes wrong with a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaFailure {
    /// The address cannot be fetched: refused at once (9004/2207052).
    Fetch,
    /// Fetching takes too long: refused at once, may be tried again (-2/2207003).
    FetchTimeout,
    /// The media is fetched and found to be of a wrong kind: the container ends in `ERROR`.
    Processing,
    /// The platform fails by itself: the container ends in `ERROR`, another one may succeed.
    Internal,
    /// The container stays in progress until it expires.
    Stuck,
}

/// A token that was issued.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) app: String,
    pub(crate) account: String,
    pub(crate) issued_at: i64,
    pub(crate) expires_at: i64,
    pub(crate) dead: Option<RevokeReason>,
    pub(crate) long_lived: bool,
}

/// What will be a post, or a part of one.
pub(crate) struct Container {
    pub(crate) account: String,
    pub(crate) app: String,
    pub(crate) draft: Draft,
    pub(crate) created_at: i64,
    /// When processing ends; `None` while an upload is awaited, or for ever.
    pub(crate) ready_at: Option<i64>,
    /// How processing ends, unless well.
    pub(crate) failure: Option<MediaFailure>,
    /// The media that it became.
    pub(crate) published: Option<String>,
    /// Bytes of an upload: whole length and how many have come.
    pub(crate) upload: Option<(u64, u64)>,
}

/// What a container and the media made from it hold.
#[derive(Clone, Default)]
pub(crate) struct Draft {
    /// `IMAGE`, `VIDEO`, `REELS`, `STORIES`, `CAROUSEL`, `TEXT`.
    pub(crate) kind: String,
    pub(crate) text: String,
    /// The address of the image or video.
    pub(crate) url: Option<String>,
    pub(crate) is_video: bool,
    pub(crate) link: Option<String>,
    pub(crate) alt_text: Option<String>,
    /// Containers of a carousel's parts.
    pub(crate) children: Vec<String>,
    pub(crate) is_child: bool,
    /// The post that is answered.
    pub(crate) reply_to: Option<String>,
}

/// A published post, or a carousel's part.
pub(crate) struct Media {
    pub(crate) account: String,
    pub(crate) draft: Draft,
    pub(crate) shortcode: String,
    pub(crate) created_at: i64,
    pub(crate) deleted: bool,
    /// Media of a carousel's parts.
    pub(crate) children: Vec<String>,
}

/// The platform's numbers, and forms of its answers that both occur in the wild.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetaSettings {
    /// How long an image or a text is processed, in milliseconds.
    pub image_ms: i64,
    /// How long a video is processed, in milliseconds.
    pub video_ms: i64,
    /// Posts per account and 24 hours (Instagram's pages name 25, 50 and 100; Threads: 250).
    pub posts_per_day: Option<u64>,
    /// Containers per account and 24 hours.
    pub containers_per_day: u64,
    /// Calls of one app per hour (error 4, `X-App-Usage`); `None`: not limited.
    pub app_calls_per_hour: Option<u64>,
    /// Calls for one account per 24 hours (error 80002, `X-Business-Use-Case-Usage`); `None`: not limited.
    pub account_calls_per_day: Option<u64>,
    /// Leaves `error_subcode` out of token errors.
    pub omit_subcodes: bool,
    /// Answers a code with `{"data":[{…}]}` instead of the flat object.
    pub wrapped_token_answer: bool,
}

impl Default for MetaSettings {
    /// Images ready at once, videos after 10 seconds, limits of a fleet off.
    fn default() -> Self {
        Self {
            image_ms: 0,
            video_ms: 10_000,
            posts_per_day: None,
            containers_per_day: 400,
            app_calls_per_hour: None,
            account_calls_per_day: None,
            omit_subcodes: false,
            wrapped_token_answer: false,
        }
    }
}
