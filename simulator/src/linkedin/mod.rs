//! LinkedIn, members and organizations: what it knows, and how a call enters.
//! OAuth stands under `/linkedin/oauth/v2`, the API under `/linkedin/v2` and `/linkedin/rest`.

pub(crate) mod access;
mod account;
mod admin;
mod admin_http;
mod assets;
mod content;
mod errors;
mod gateway;
mod introspect;
mod limits;
mod little;
mod members;
mod oauth;
mod posts;
mod read;
mod routes;
mod settings;
mod subject;
mod tokens;
mod uploads;
mod webhooks;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::call::{Answer, Call};
use crate::ledger::Platform;
use crate::pipeline::Subject;
use crate::routes::Route;
use crate::sites::Site;
use crate::world::World;
pub use admin::{
    LinkedInApp, LinkedInMember, LinkedInOrganization, NewLinkedInApp, NewLinkedInMembers,
};
use assets::Asset;
use posts::Post;
pub use settings::LinkedInSettings;
use tokens::Token;
pub use tokens::{LinkedInRevokeReason, LinkedInTokenScope};

/// The platform's row.
pub(crate) static SITE: Site = Site {
    platform: Platform::LinkedIn,
    name: "linkedin",
    tables: &[routes::ROUTES],
    subject: subject::of,
    execute,
    usual_for_status: errors::usual_for_status,
    throttled: |_, subject, _| errors::throttled(!subject.account.is_empty()),
    although_created: |_| errors::usual_for_status(504),
    remove: posts::remove,
    edit: posts::edit,
    tick,
    admin: admin_http::routes,
    account: account::connected,
};

/// The platform's state. People are known by the `sub` of their URN, organizations by their number.
#[derive(Default)]
pub(crate) struct State {
    apps: BTreeMap<String, App>,
    members: HashMap<String, Member>,
    organizations: HashMap<String, Organization>,
    posts: HashMap<String, Post>,
    /// URNs of an author's posts, in order of creation.
    timelines: HashMap<String, Vec<String>>,
    /// Posts that wait for their media.
    waiting: Vec<String>,
    assets: HashMap<String, Asset>,
    /// Which asset an upload address belongs to.
    uploads: HashMap<String, String>,
    codes: HashMap<String, oauth::Code>,
    tokens: HashMap<String, Token>,
    webhooks: webhooks::Webhooks,
    counters: limits::Counters,
    settings: LinkedInSettings,
    last_number: u64,
}

impl State {
    /// A fresh number for an id.
    fn number(&mut self, base: u64) -> u64 {
        self.last_number += 1;
        base + self.last_number
    }
}

/// An app that is registered in the developer portal.
struct App {
    /// Number of `urn:li:developerApplication:…`.
    number: u64,
    secret: String,
    /// Empty: every redirect address is taken.
    redirect_uris: Vec<String>,
    /// Whether its tokens come with refresh tokens (approved partners only).
    refresh_tokens: bool,
    /// Permissions of the products that it has.
    scopes: BTreeSet<String>,
}

/// A person.
struct Member {
    given_name: String,
    family_name: String,
    state: MemberState,
    /// What the person last consented to, by app.
    consents: HashMap<String, BTreeSet<String>>,
    tokens: Vec<String>,
}

/// Whether a person may act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberState {
    /// In order.
    Active,
    /// Restricted by LinkedIn: every call answers 401 `RESTRICTED_MEMBER` (65608).
    Restricted,
    /// The account is closed: its tokens count as revoked, its posts are gone.
    Closed,
}

/// A page of an organization.
struct Organization {
    name: String,
    vanity_name: String,
    /// Taken down: look-ups answer 404, roles and posts are gone.
    unavailable: bool,
    /// What each person is there.
    roles: BTreeMap<String, Role>,
}

/// One row of access control.
struct Role {
    /// `ADMINISTRATOR`, `CONTENT_ADMIN`, `ANALYST`, …
    name: String,
    /// `APPROVED`, `REQUESTED`, `REVOKED`, `REJECTED`.
    state: String,
}

/// Lets media become ready, and what waits for them.
fn tick(world: &mut World) {
    posts::publish_what_is_ready(world);
    webhooks::challenge_again(world);
}

/// Admits a call to its handler and adds the headers that every answer has.
fn execute(
    world: &mut World,
    route: Option<&'static Route>,
    call: &Call,
    _subject: &Subject,
) -> Answer {
    let answer = match admit(world, route, call) {
        Ok(route) => (route.handler)(world, call),
        Err(refusal) => refusal,
    };
    let id = errors::request_id();
    answer
        .with("x-li-uuid", format!("AAY{id}=="))
        .with("x-li-request-id", id)
        .with("x-li-fabric", "prod-lva1")
        .with("x-li-proto", "http/1.1")
}

/// What the gateway asks before anybody looks at the call.
fn admit(
    world: &mut World,
    route: Option<&'static Route>,
    call: &Call,
) -> Result<&'static Route, Answer> {
    let versioned = call.path.starts_with("rest/");
    if versioned {
        gateway::check_version(world, call)?;
    }
    let route = route.ok_or_else(errors::no_such_resource)?;
    if versioned {
        gateway::check_protocol(call)?;
    }
    limits::count(world, route, call)?;
    Ok(route)
}

/// Joins the two ways out of a handler.
fn flat(result: Result<Answer, Answer>) -> Answer {
    result.unwrap_or_else(|error| error)
}

/// `urn:li:person:…`.
fn person_urn(member: &str) -> String {
    format!("urn:li:person:{member}")
}

/// `urn:li:organization:…`.
fn organization_urn(organization: &str) -> String {
    format!("urn:li:organization:{organization}")
}
