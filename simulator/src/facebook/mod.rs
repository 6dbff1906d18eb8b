//! Facebook Pages on the Graph API: what it knows, and how a call enters.

pub(crate) mod access;
mod account;
mod admin;
pub(crate) mod errors;
pub(crate) mod find;
pub(crate) mod form;
pub(crate) mod hooks;
pub(crate) mod introspect;
pub(crate) mod limits;
pub(crate) mod media;
mod media_errors;
pub(crate) mod news;
pub(crate) mod nodes;
pub(crate) mod oauth;
mod photos;
pub(crate) mod publish;
mod reels;
mod routes;
mod stories;
pub(crate) mod tokens;
mod uploads;
mod video_nodes;
mod videos;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::call::{Answer, Call};
use crate::ledger::Platform;
use crate::limits::Window;
use crate::pipeline::Subject;
use crate::routes::Route;
use crate::sites::Site;
use crate::world::World;
use tokens::Token;

pub use admin::{DataDeletion, FacebookCallbacks, FacebookSubscription};
pub use media::MediaRules;

/// The platform's row.
pub(crate) static SITE: Site = Site {
    platform: Platform::Facebook,
    name: "facebook",
    tables: &[routes::ROUTES],
    subject,
    execute,
    usual_for_status: errors::usual_for_status,
    throttled: |_, subject, reset_s| limits::throttled(subject, reset_s),
    although_created: |_| errors::unknown_error(),
    remove: publish::remove,
    edit: publish::edit,
    tick: media::tick,
    admin: admin::routes,
    account: account::connected,
};

/// The platform's state.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) apps: HashMap<String, App>,
    pub(crate) users: HashMap<String, User>,
    pub(crate) pages: HashMap<String, Page>,
    pub(crate) posts: HashMap<String, Post>,
    pub(crate) photos: HashMap<String, Photo>,
    pub(crate) media: media::Library,
    pub(crate) hooks: hooks::Hooks,
    pub(crate) codes: HashMap<String, oauth::Code>,
    pub(crate) tokens: HashMap<String, Token>,
    /// The one page token of each (user, page, app).
    pub(crate) page_tokens: HashMap<(String, String, String), String>,
    last_number: u64,
}

impl State {
    /// A fresh number for an id: 15 digits and more, as the platform's are.
    pub(crate) fn number(&mut self, base: u64) -> String {
        self.last_number += 1;
        (base + self.last_number).to_string()
    }
}

/// An app that is registered at the platform.
pub(crate) struct App {
    pub(crate) secret: String,
    pub(crate) name: String,
    /// The setting "Require app secret".
    pub(crate) require_proof: bool,
    pub(crate) window: Window,
}

/// A person who may manage pages.
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) scopes: BTreeMap<String, Scope>,
    /// Must log in at facebook.com before any token works (190/459).
    pub(crate) checkpoint: bool,
    pub(crate) pages: Vec<String>,
    pub(crate) tokens: Vec<String>,
}

/// A permission that was asked for.
#[derive(Clone, Default)]
pub(crate) struct Scope {
    pub(crate) granted: bool,
    /// Pages for which the person did not tick it.
    pub(crate) except: BTreeSet<String>,
}

impl User {
    /// Whether the permission is granted, for this page when one is named.
    pub(crate) fn has(&self, scope: &str, page: Option<&str>) -> bool {
        let fits = |s: &Scope| s.granted && page.is_none_or(|p| !s.except.contains(p));
        self.scopes.get(scope).is_some_and(fits)
    }
}

/// A page.
pub(crate) struct Page {
    pub(crate) name: String,
    pub(crate) category: &'static str,
    pub(crate) published: bool,
    pub(crate) blocked: bool,
    pub(crate) deleted: bool,
    /// What each person may do. No entry: no role on the page.
    pub(crate) tasks: HashMap<String, Vec<String>>,
    /// In order of creation.
    pub(crate) posts: Vec<String>,
    pub(crate) window: Window,
}

/// A post on a page.
pub(crate) struct Post {
    pub(crate) page: String,
    pub(crate) app: String,
    pub(crate) message: Option<String>,
    pub(crate) link: Option<String>,
    pub(crate) photos: Vec<String>,
    pub(crate) video: Option<String>,
    /// Reels are listed by themselves.
    pub(crate) is_reel: bool,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) published: bool,
    pub(crate) deleted: bool,
}

/// An uploaded photo.
pub(crate) struct Photo {
    pub(crate) page: String,
    /// Its address, or the digest of its file.
    pub(crate) url: String,
    /// Whether it is part of a post or story.
    pub(crate) used: bool,
}

/// The newest and the oldest version of the Graph API that still answer. A
/// call to a retired version is answered by the oldest usable one.
const VERSIONS: std::ops::RangeInclusive<u32> = 21..=26;

/// Admits a call to its handler and adds the platform's headers.
fn execute(
    world: &mut World,
    route: Option<&'static Route>,
    call: &Call,
    subject: &Subject,
) -> Answer {
    let asked = call.version.map_or(*VERSIONS.end(), |(major, _)| major);
    let version = asked.clamp(*VERSIONS.start(), *VERSIONS.end());
    let answer = match (route, limits::count(world, call, subject)) {
        (_, Err(throttled)) => throttled,
        (None, Ok(_)) => errors::unknown_path(&call.path),
        (Some(route), Ok(usage)) => {
            let mut answer = (route.handler)(world, call);
            answer.headers.extend(usage);
            answer
        }
    };
    answer
        .with("facebook-api-version", format!("v{version}.0"))
        .with("x-fb-trace-id", errors::trace_id())
        .with("x-fb-rev", "1031000000")
}

/// Whose call it is: the page in the path, else whom the token is about.
fn subject(world: &World, call: &Call) -> Subject {
    let state = &world.facebook;
    let sent = access::token_of(call);
    let token = |text: Option<&str>| text.and_then(|t| state.tokens.get(t));
    let about = token(call.param("input_token"))
        .or_else(|| token(call.param("fb_exchange_token")))
        .or_else(|| token(sent));
    // On the way to a connection there is no token yet, but a code or a hint.
    let code = call.param("code").and_then(|c| state.codes.get(c));
    let connecting = code.map(|c| c.user.as_str()).or(call.param("login_hint"));
    let connecting = connecting.filter(|u| state.users.contains_key(*u));
    let owner = about
        .map(|t| t.user.as_str())
        .or(connecting)
        .unwrap_or("")
        .to_owned();
    let first = call.segment(0);
    let page = first.split_once('_').map_or(first, |(page, _)| page);
    let account = if state.pages.contains_key(page) {
        page.to_owned()
    } else {
        let of_token = |t: &Token| t.page.clone().unwrap_or_else(|| t.user.clone());
        about.map_or_else(|| owner.clone(), of_token)
    };
    Subject { account, owner }
}

/// Joins the two ways out of a handler.
pub(crate) fn flat(result: Result<Answer, Answer>) -> Answer {
    result.unwrap_or_else(|error| error)
}
