//! What an endpoint is, and how a call finds its own. The tables stand with their platforms, in
//! `<platform>/routes.rs`; fault rules and counters use the names that stand there.

use axum::http::Method;

use crate::call::{Answer, Call};
use crate::calls::Operation;
use crate::ledger::Platform;
use crate::sites;
use crate::world::World;

pub(crate) type Handler = fn(&mut World, &Call) -> Answer;

/// One endpoint.
pub(crate) struct Route {
    method: Method,
    /// Segments; `*` stands for any one segment.
    pattern: &'static str,
    /// Tells endpoints of the same path apart.
    when: fn(&Call) -> bool,
    pub(crate) operation: Operation,
    pub(crate) name: &'static str,
    pub(crate) handler: Handler,
}

/// A row of a platform's table.
pub(crate) const fn route(
    method: Method,
    pattern: &'static str,
    when: fn(&Call) -> bool,
    operation: Operation,
    name: &'static str,
    handler: Handler,
) -> Route {
    Route {
        method,
        pattern,
        when,
        operation,
        name,
        handler,
    }
}

/// The endpoint that a call means: the first row that fits.
pub(crate) fn find_route(platform: Platform, call: &Call) -> Option<&'static Route> {
    rows(platform).find(|r| {
        r.method == call.method && matches_pattern(r.pattern, &call.path) && (r.when)(call)
    })
}

/// Whether an operation or endpoint of that platform has this name.
pub(crate) fn is_name(platform: Platform, name: &str) -> bool {
    rows(platform).any(|r| r.name == name || r.operation.as_str() == name)
}

fn rows(platform: Platform) -> impl Iterator<Item = &'static Route> {
    sites::of(platform).tables.iter().copied().flatten()
}

fn matches_pattern(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut found) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return true,
            (Some("*"), Some(segment)) if !segment.is_empty() => {}
            (Some(w), Some(f)) if w == f => {}
            _ => return false,
        }
    }
}

/// For rows that their path alone tells.
pub(crate) fn any(_: &Call) -> bool {
    true
}
