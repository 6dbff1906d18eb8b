//! Threads: what it knows, and how a call enters.

use serde_json::json;

use crate::call::{Answer, Call};
use crate::ledger::Platform;
use crate::pipeline::Subject;
use crate::routes::Route;
use crate::sites::{self, Site};
use crate::world::World;

/// The platform's row.
pub(crate) static SITE: Site = Site {
    platform: Platform::Threads,
    name: "threads",
    tables: &[],
    subject: |_, _| Subject::default(),
    execute,
    usual_for_status: |code| Answer::json(code, &json!({})),
    throttled: |_, _, _| Answer::json(429, &json!({})),
    although_created: |_| Answer::json(400, &json!({})),
    remove: |_, _| false,
    edit: |_, _, _| false,
    tick: sites::nothing_is_due,
    admin: axum::Router::new,
    account: |_, _| None,
};

/// The platform's state.
#[derive(Default)]
pub(crate) struct State {}

fn execute(
    world: &mut World,
    route: Option<&'static Route>,
    call: &Call,
    _subject: &Subject,
) -> Answer {
    match route {
        Some(route) => (route.handler)(world, call),
        None => Answer::json(404, &json!({})),
    }
}
