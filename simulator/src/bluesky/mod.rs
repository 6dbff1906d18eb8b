//! A Bluesky PDS (AT Protocol): what it knows, and how a call enters.
//! Statuses and texts are those of the real server, as seen on its wire.

mod account;
mod admin;
pub(crate) mod auth;
pub(crate) mod cid;
pub(crate) mod errors;
mod hand;
pub(crate) mod jwt;
pub(crate) mod limits;
pub(crate) mod oauth;
pub(crate) mod read;
pub(crate) mod repo;
mod routes;
pub(crate) mod session;
pub(crate) mod tid;
pub(crate) mod validate;

use std::collections::{BTreeMap, HashMap};

use rand::Rng as _;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::call::{Answer, Call};
use crate::ledger::Platform;
use crate::limits::Window;
use crate::pipeline::Subject;
use crate::routes::Route;
use crate::sites::{self, Site};
use crate::world::World;

pub use admin::BlueskyGrant;

/// The collection whose records are posts.
pub(crate) const POSTS: &str = "app.bsky.feed.post";

/// A server's usual cap for one blob.
const BLOB_LIMIT: usize = 52_428_800;

/// The platform's row.
pub(crate) static SITE: Site = Site {
    platform: Platform::Bluesky,
    name: "bluesky",
    tables: &[routes::ROUTES],
    subject,
    execute,
    usual_for_status: errors::usual_for_status,
    throttled: |world, _, reset_s| limits::throttled(world.now, reset_s),
    although_created: errors::although_created,
    remove: hand::remove,
    edit: hand::edit,
    tick: sites::nothing_is_due,
    admin: admin::routes,
    account: account::connected,
};

/// The server's state.
pub(crate) struct State {
    /// Key of the HS256 tokens.
    pub(crate) jwt_key: [u8; 32],
    pub(crate) accounts: HashMap<String, Account>,
    pub(crate) dids_by_handle: HashMap<String, String>,
    pub(crate) tids: tid::Generator,
    pub(crate) window: Window,
    pub(crate) oauth: oauth::OAuth,
    /// The server's cap for one blob, in bytes.
    pub(crate) blob_limit: usize,
}

/// Whether an account may act, and how the world sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    /// In order.
    Active,
    /// By its owner. Sessions live on, writing does not.
    Deactivated,
    /// By the server's moderators. Its sessions are gone for good.
    Takendown,
    /// The same with another word in `getRepoStatus`.
    Suspended,
    /// Gone.
    Deleted,
}

/// An account with its repository.
pub(crate) struct Account {
    pub(crate) handle: String,
    pub(crate) password: String,
    pub(crate) state: AccountState,
    /// Access tokens of an older generation count as expired. (Real ones end
    /// by time alone; this lets a test end them early.)
    pub(crate) generation: u64,
    /// Without it, writes answer "Bad token scope".
    pub(crate) may_write: bool,
    pub(crate) sessions: HashMap<String, Session>,
    pub(crate) records: BTreeMap<String, BTreeMap<String, Record>>,
    /// Uploaded files by their CID.
    pub(crate) blobs: HashMap<String, Blob>,
    pub(crate) rev: String,
    pub(crate) login_window: Window,
    pub(crate) write_window: Window,
}

/// A refresh token that was issued, by its `jti`.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) expires_at: i64,
    /// Set by the first refresh: every later one gets the same.
    pub(crate) next: Option<String>,
    /// Ended early by a test, as if its 90 days were over.
    pub(crate) expired: bool,
}

/// A file that was uploaded.
pub(crate) struct Blob {
    pub(crate) size: usize,
    pub(crate) mime: String,
}

/// One record.
pub(crate) struct Record {
    pub(crate) cid: String,
    pub(crate) value: Value,
}

impl State {
    pub(crate) fn new(rng: &mut StdRng) -> Self {
        Self {
            jwt_key: rng.random(),
            accounts: HashMap::new(),
            dids_by_handle: HashMap::new(),
            tids: tid::Generator::new(rng.random_range(0..1024)),
            window: Window::default(),
            oauth: oauth::OAuth::new(rng),
            blob_limit: BLOB_LIMIT,
        }
    }

    /// The DID that a DID or handle means, whether or not it exists.
    pub(crate) fn did<'s>(&'s self, name: &'s str) -> Option<&'s str> {
        if name.starts_with("did:") {
            return Some(name);
        }
        self.dids_by_handle
            .get(&name.to_ascii_lowercase())
            .map(String::as_str)
    }

    /// The account behind a DID or handle, unless it is deleted.
    pub(crate) fn account(&self, name: &str) -> Option<(&str, &Account)> {
        let did = self.did(name)?;
        let (did, account) = self.accounts.get_key_value(did)?;
        (account.state != AccountState::Deleted).then_some((did.as_str(), account))
    }

    /// The same, only when the public may read it.
    pub(crate) fn public_account(&self, name: &str) -> Option<(&str, &Account)> {
        self.account(name)
            .filter(|(_, a)| a.state == AccountState::Active)
    }
}

impl AccountState {
    /// The word in `status`, for accounts that are not active.
    pub(crate) fn status(self) -> Option<&'static str> {
        match self {
            Self::Active => None,
            Self::Deactivated => Some("deactivated"),
            Self::Takendown => Some("takendown"),
            Self::Suspended => Some("suspended"),
            Self::Deleted => Some("deleted"),
        }
    }

    /// Whether moderators have shut the account.
    pub(crate) fn is_shut(self) -> bool {
        matches!(self, Self::Takendown | Self::Suspended)
    }
}

/// Admits a call to its handler and adds the rate-limit headers.
fn execute(
    world: &mut World,
    route: Option<&'static Route>,
    call: &Call,
    subject: &Subject,
) -> Answer {
    let Some(route) = route else {
        return errors::not_implemented();
    };
    match limits::count(world, route.name, subject) {
        Err(throttled) => throttled,
        Ok(usage) => {
            let mut answer = (route.handler)(world, call);
            answer.headers.extend(usage);
            // Everybody who may have to prove something gets the nonce for the next time.
            if oauth::is_proven(call) || call.path.starts_with("oauth/") {
                answer = answer.with("dpop-nonce", oauth::next_nonce(world));
            }
            answer
        }
    }
}

/// Whose call it is: the token's account, else the one that it names.
fn subject(world: &World, call: &Call) -> Subject {
    let token = call
        .header("authorization")
        .split_once(' ')
        .map(|(_, token)| token);
    let of_token = token.and_then(jwt::peek_subject);
    let named = || {
        let name = ["repo", "did", "identifier", "handle", "login_hint"]
            .iter()
            .find_map(|n| call.param(n));
        name.and_then(|n| world.bluesky.did(n)).map(str::to_owned)
    };
    let known = |did: &String| world.bluesky.accounts.contains_key(did);
    let account = of_token
        .filter(known)
        .or_else(|| named().filter(known))
        .unwrap_or_default();
    Subject {
        owner: account.clone(),
        account,
    }
}
