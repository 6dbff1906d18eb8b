//! Instagram: what it knows, and how a call enters. With Instagram Login it is a site of its own; with Facebook
//! Login the same accounts are reached through Facebook's Graph API (`GRAPH_ROUTES`).

pub(crate) mod admin;
mod containers;
mod door;
mod errors;
mod media;
mod posts;
pub(crate) mod realm;
mod routes;

pub use admin::LinkedInstagram;
pub use realm::admin::{MetaAccount, MetaAdmin, MetaApp, NewMetaAccounts, NewMetaApp};
pub use realm::{MediaFailure, MetaAccountState, MetaCallbacks, MetaSettings};

pub(crate) use realm::Realm as State;
pub(crate) use routes::GRAPH_ROUTES;

use crate::call::{Answer, Call};
use crate::facebook;
use crate::ledger::Platform;
use crate::pipeline::Subject;
use crate::routes::Route;
use crate::sites::{self, Site};
use crate::world::World;
use realm::{Flavor, access, graph, publish};

/// The platform's row.
pub(crate) static SITE: Site = Site {
    platform: Platform::Instagram,
    name: "instagram",
    tables: &[routes::ROUTES],
    subject: |world, call| access::subject(&FLAVOR, world, call),
    execute,
    usual_for_status: facebook::errors::usual_for_status,
    throttled: |_, subject, reset_s| graph::throttled(subject, reset_s),
    although_created: |_| errors::server_error(),
    remove: |world, id| publish::remove(&FLAVOR, world, id),
    edit: |world, id, text| publish::edit(&FLAVOR, world, id, text),
    tick: sites::nothing_is_due,
    admin: admin::routes,
    account: admin::connected,
};

/// Instagram Login.
pub(crate) static FLAVOR: Flavor = Flavor {
    platform: Platform::Instagram,
    name: "instagram",
    token_prefix: "IGAA",
    basic: "instagram_business_basic",
    publish: "instagram_business_content_publish",
    scopes: &[
        "instagram_business_basic",
        "instagram_business_content_publish",
    ],
    exchange_grant: "ig_exchange_token",
    refresh_grant: "ig_refresh_token",
    account_numbers: 17_841_400_000_000_000,
    tells_permissions: true,
    realm: |world| &world.instagram,
    realm_mut: |world| &mut world.instagram,
};

/// The newest and the oldest version of the Graph API that still answer. A call to a retired version is answered
/// by the oldest usable one.
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
    let answer = match (route, graph::count(&FLAVOR, world, call, &subject.account)) {
        (_, Err(throttled)) => throttled,
        (None, Ok(_)) => facebook::errors::unknown_path(&call.path),
        (Some(route), Ok(usage)) => {
            let mut answer = (route.handler)(world, call);
            answer.headers.extend(usage);
            answer
        }
    };
    answer
        .with("facebook-api-version", format!("v{version}.0"))
        .with("x-fb-trace-id", facebook::errors::trace_id())
}

/// The Instagram account that a call on Facebook's Graph API is about.
pub(crate) fn account_of_graph_call<'w>(world: &'w World, call: &Call) -> Option<&'w str> {
    let first = call.segment(0);
    let id = if first == "rupload" {
        call.segment(3)
    } else {
        first
    };
    world.instagram.owner_of(id)
}

/// Facebook's refusal of one call too many about an Instagram account.
pub(crate) fn throttled_on_graph(world: &World, subject: &Subject, reset_s: u64) -> Option<Answer> {
    let known = world.instagram.accounts.contains_key(&subject.account);
    known.then(|| graph::throttled(subject, reset_s))
}

/// Counts a call on Facebook's Graph API against the limits of an Instagram account.
pub(crate) fn count_on_graph(
    world: &mut World,
    call: &Call,
    subject: &Subject,
) -> Result<graph::Headers, Answer> {
    graph::count(&FLAVOR, world, call, &subject.account)
}
