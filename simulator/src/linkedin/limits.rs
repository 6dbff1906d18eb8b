//! Daily quotas: per endpoint, for an app and for a member, until midnight UTC.

use std::collections::HashMap;

use super::errors;
use crate::call::{Answer, Call};
use crate::routes::Route;
use crate::world::World;

const DAY_MS: i64 = 24 * 3600 * 1000;

/// Calls of a UTC day, by endpoint and by whose they are.
#[derive(Default)]
pub(super) struct Counters {
    day: i64,
    used: HashMap<(&'static str, String), u64>,
}

impl Counters {
    /// Counts one more call of today; how many there are.
    fn count(&mut self, now: i64, endpoint: &'static str, whose: &str) -> u64 {
        let day = now.div_euclid(DAY_MS);
        if self.day != day {
            self.day = day;
            self.used.clear();
        }
        let used = self.used.entry((endpoint, whose.to_owned())).or_default();
        *used += 1;
        *used
    }
}

/// Counts a call of the API, or refuses it. OAuth has one quota of its own, uploads have none.
pub(super) fn count(world: &mut World, route: &'static Route, call: &Call) -> Result<(), Answer> {
    let api = call.path.starts_with("rest/") || call.path.starts_with("v2/");
    if !api {
        return Ok(());
    }
    let state = &mut world.linkedin;
    let sent = call.header_token.as_ref();
    let Some(token) = sent.and_then(|text| state.tokens.get(text)) else {
        return Ok(());
    };
    let limits = [
        (state.settings.app_calls_per_day, &token.app, false),
        (state.settings.member_calls_per_day, &token.member, true),
    ];
    for (limit, whose, member) in limits {
        let Some(limit) = limit else { continue };
        if state.counters.count(world.now, route.name, whose) > limit {
            return Err(errors::throttled(member));
        }
    }
    Ok(())
}

/// Counts a refresh of an app's token, or refuses it.
pub(super) fn count_refresh(world: &mut World, app: &str) -> Result<(), Answer> {
    let Some(limit) = world.linkedin.settings.refreshes_per_day else {
        return Ok(());
    };
    let used = world
        .linkedin
        .counters
        .count(world.now, "refresh_token", app);
    if used > limit {
        return Err(errors::throttled(false));
    }
    Ok(())
}
