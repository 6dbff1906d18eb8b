//! X (API v2): what it knows, and how a call enters.

mod access;
mod account;
mod admin;
pub(crate) mod billing;
mod errors;
mod limits;
mod links;
mod media;
mod multipart;
mod oauth;
mod publish;
mod read;
mod routes;
mod settings;
mod text;
mod timeline;
mod tokens;
mod view;
mod webhooks;

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

pub use self::admin::{
    NewXApp, NewXUsers, XApp, XCallback, XConsent, XMediaAct, XPostAct, XTokenAct, XUsage, XUser,
};
pub use self::limits::XLimits;
pub use self::settings::{XFieldNames, XMissingPosts, XSettings};

use crate::call::{Answer, Call};
use crate::ledger::Platform;
use crate::pipeline::Subject;
use crate::routes::Route;
use crate::sites::{self, Site};
use crate::world::World;

/// The platform's row.
pub(crate) static SITE: Site = Site {
    platform: Platform::X,
    name: "x",
    tables: &[routes::ROUTES],
    subject,
    execute,
    usual_for_status: errors::usual_for_status,
    throttled: |world, _, reset_s| limits::throttled(world.now, reset_s),
    although_created: |_| errors::over_capacity(),
    remove: publish::remove,
    edit: publish::edit,
    tick: sites::nothing_is_due,
    admin: admin::http::routes,
    account: account::connected,
};

/// The platform's state.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) apps: HashMap<String, App>,
    pub(crate) users: HashMap<String, User>,
    pub(crate) posts: HashMap<String, Post>,
    /// Versions of a post, oldest first, by the id of the first.
    pub(crate) histories: HashMap<String, Vec<String>>,
    /// Where a short link leads.
    pub(crate) links: HashMap<String, String>,
    pub(crate) media: HashMap<String, media::Media>,
    pub(crate) codes: HashMap<String, oauth::Code>,
    pub(crate) tokens: HashMap<String, tokens::Token>,
    /// Consents; each stands over all tokens that came of it.
    pub(crate) families: HashMap<u64, tokens::Family>,
    pub(crate) windows: limits::Windows,
    pub(crate) settings: XSettings,
    last_family: u64,
    last_id_ms: i64,
    last_sequence: u64,
}

/// An app that is registered at the platform.
pub(crate) struct App {
    /// OAuth 2.0 client secret; public clients have none.
    pub(crate) secret: Option<String>,
    /// API secret key: signs webhooks.
    pub(crate) consumer_secret: String,
    /// App-only bearer token.
    pub(crate) bearer: String,
    /// Addresses that the authorize page may return to. Empty: any.
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) standing: XAppStanding,
    pub(crate) usage: billing::Usage,
    pub(crate) webhooks: Vec<webhooks::Webhook>,
}

/// How the platform stands to an app.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum XAppStanding {
    /// In order.
    #[default]
    Active,
    /// 403 `client-forbidden`, reason `client-not-enrolled`.
    NotEnrolled,
    /// 403 `app-suspended`.
    Suspended,
    /// 402: no credits are left; nothing works that costs.
    CreditsDepleted,
}

/// A person or firm on the platform.
pub(crate) struct User {
    pub(crate) username: String,
    pub(crate) name: String,
    pub(crate) state: XAccountState,
    pub(crate) protected: bool,
    /// A subscriber may write long posts.
    pub(crate) premium: bool,
    pub(crate) created_at: i64,
    /// Ids of the first versions, in order of creation.
    pub(crate) posts: Vec<String>,
}

/// What the platform does to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum XAccountState {
    /// In order.
    Active,
    /// By moderators: every call answers 403 `user-suspended`.
    Suspended,
    /// Must unlock itself at x.com: writing answers 403 code 326.
    Locked,
    /// Taken for a machine: writing answers 403 code 226.
    Automated,
    /// By its owner: tokens answer 401 (inference).
    Deactivated,
}

/// One version of a post.
#[derive(Clone)]
pub(crate) struct Post {
    /// Id of the first version.
    pub(crate) root: String,
    pub(crate) author: String,
    /// As it was sent.
    pub(crate) text: String,
    /// As the platform gives it back: short links, markup escaped.
    pub(crate) shown: String,
    pub(crate) urls: Vec<text::Entity>,
    pub(crate) media: Vec<String>,
    pub(crate) reply_to: Option<String>,
    pub(crate) created_at: i64,
    pub(crate) deleted: bool,
    /// Countries in which it is hidden.
    pub(crate) withheld_in: BTreeSet<String>,
}

/// Epoch of the platform's ids, in milliseconds.
const SNOWFLAKE_EPOCH_MS: i64 = 1_288_834_974_657;

impl State {
    /// An id that carries its time, as the platform's ids do.
    pub(crate) fn id(&mut self, now: i64) -> String {
        if now == self.last_id_ms {
            self.last_sequence += 1;
        } else {
            (self.last_id_ms, self.last_sequence) = (now, 0);
        }
        let ms = (now - SNOWFLAKE_EPOCH_MS).max(1).cast_unsigned();
        // 4096 numbers per millisecond and machine; a busy millisecond goes on
        // on the next machine.
        ((ms << 22) | (self.last_sequence & 0x003f_ffff)).to_string()
    }

    /// A post that its readers can see.
    pub(crate) fn live_post(&self, id: &str) -> Option<&Post> {
        self.posts.get(id).filter(|p| !p.deleted)
    }
}

/// Admits a call to its handler, adds the platform's own headers.
fn execute(
    world: &mut World,
    route: Option<&'static Route>,
    call: &Call,
    subject: &Subject,
) -> Answer {
    let answer = match route {
        None => errors::no_such_path(),
        Some(route) => match limits::count(world, route.name, call, subject) {
            Err(throttled) => throttled,
            Ok(headers) => {
                let mut answer = (route.handler)(world, call);
                answer.headers.extend(headers);
                answer
            }
        },
    };
    named(world, answer).with("x-transaction-id", format!("{:016x}", world.now))
}

/// Writes the types of problems as the set generation of names has them.
fn named(world: &World, answer: Answer) -> Answer {
    if world.x.settings.field_names != XFieldNames::Legacy {
        return answer;
    }
    let body = String::from_utf8_lossy(&answer.body);
    let body = body.replace(
        "https://api.x.com/2/problems/",
        "https://api.twitter.com/2/problems/",
    );
    Answer {
        body: body.into(),
        ..answer
    }
}

/// Whose call it is: the token's user, or whom a code, a token to be spent or a hint is about.
fn subject(world: &World, call: &Call) -> Subject {
    let state = &world.x;
    let of_token = |text: &str| {
        let family = state.tokens.get(text)?.family;
        state.families.get(&family).map(|f| f.user.clone())
    };
    let account = call
        .header_token
        .as_deref()
        .and_then(of_token)
        .or_else(|| call.param("refresh_token").and_then(of_token))
        .or_else(|| call.param("token").and_then(of_token))
        .or_else(|| Some(state.codes.get(call.param("code")?)?.user.clone()))
        .or_else(|| call.param("login_hint").map(str::to_owned))
        .filter(|user| state.users.contains_key(user))
        .unwrap_or_default();
    Subject {
        owner: account.clone(),
        account,
    }
}

/// Joins the two ways out of a handler.
fn flat(result: Result<Answer, Answer>) -> Answer {
    result.unwrap_or_else(|error| error)
}
