//! Threads: what it knows, and how a call enters.

pub(crate) mod admin;
mod errors;
mod posts;
mod read;
mod routes;
mod text;

use crate::call::{Answer, Call};
use crate::facebook;
pub(crate) use crate::instagram::realm::Realm as State;
use crate::instagram::realm::{Flavor, access, graph};
use crate::ledger::Platform;
use crate::pipeline::Subject;
use crate::routes::Route;
use crate::sites::{self, Site};
use crate::world::World;

/// The platform's row.
pub(crate) static SITE: Site = Site {
    platform: Platform::Threads,
    name: "threads",
    tables: &[routes::ROUTES],
    subject: |world, call| access::subject(&FLAVOR, world, call),
    execute,
    usual_for_status: facebook::errors::usual_for_status,
    throttled: |_, subject, reset_s| graph::throttled(subject, reset_s),
    although_created: |_| facebook::errors::unknown_error(),
    remove: posts::remove,
    edit: |world, id, text| crate::instagram::realm::publish::edit(&FLAVOR, world, id, text),
    tick: sites::nothing_is_due,
    admin: admin::routes,
    account: admin::connected,
};

/// The log-in of Threads.
pub(crate) static FLAVOR: Flavor = Flavor {
    platform: Platform::Threads,
    name: "threads",
    token_prefix: "THAA",
    basic: "threads_basic",
    publish: "threads_content_publish",
    scopes: &[
        "threads_basic",
        "threads_content_publish",
        "threads_delete",
        "threads_manage_replies",
        "threads_read_replies",
    ],
    exchange_grant: "th_exchange_token",
    refresh_grant: "th_refresh_token",
    account_numbers: 24_050_000_000_000_000,
    tells_permissions: false,
    realm: |world| &world.threads,
    realm_mut: |world| &mut world.threads,
};

/// Admits a call to its handler and adds the platform's headers.
fn execute(
    world: &mut World,
    route: Option<&'static Route>,
    call: &Call,
    subject: &Subject,
) -> Answer {
    let answer = match (route, graph::count(&FLAVOR, world, call, &subject.account)) {
        (_, Err(throttled)) => throttled,
        (None, Ok(_)) => facebook::errors::unknown_path(&call.path),
        (Some(route), Ok(usage)) => {
            let mut answer = (route.handler)(world, call);
            answer.headers.extend(usage);
            answer
        }
    };
    answer.with("x-fb-trace-id", facebook::errors::trace_id())
}
