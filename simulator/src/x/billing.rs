//! What calls cost. The platform bills what it returns; failed calls are free,
//! and a resource that is read again on the same UTC day is not billed twice.

use std::collections::HashSet;

use serde_json::json;

use super::{access, errors, flat};
use crate::call::{Answer, Call};
use crate::clock::rfc3339;
use crate::world::World;

/// Prices in millionths of a US dollar (X's price list, August 2026).
const USER_READ: u64 = 10_000;
const POST_READ: u64 = 5_000;
const CREATE: u64 = 15_000;
const CREATE_WITH_LINK: u64 = 200_000;
const DELETE: u64 = 10_000;
const METADATA: u64 = 5_000;

/// What one app has used.
#[derive(Clone, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) user_reads: u64,
    pub(crate) post_reads: u64,
    pub(crate) creates: u64,
    pub(crate) creates_with_link: u64,
    pub(crate) deletes: u64,
    pub(crate) metadata: u64,
    /// Posts read in the month that `month` names.
    month_reads: u64,
    month: String,
    /// Resources that were billed on the day that `day` names.
    seen: HashSet<String>,
    day: String,
}

impl Usage {
    /// Everything so far, in millionths of a US dollar.
    pub(crate) fn cost(&self) -> u64 {
        self.user_reads * USER_READ
            + self.post_reads * POST_READ
            + self.creates * CREATE
            + self.creates_with_link * CREATE_WITH_LINK
            + self.deletes * DELETE
            + self.metadata * METADATA
    }

    fn turn(&mut self, now: i64) {
        let today = rfc3339(now);
        if self.day != today[..10] {
            today[..10].clone_into(&mut self.day);
            self.seen.clear();
        }
        if self.month != today[..7] {
            today[..7].clone_into(&mut self.month);
            self.month_reads = 0;
        }
    }

    /// A user was returned.
    fn read_user(&mut self, id: &str, now: i64) {
        self.turn(now);
        if self.seen.insert(format!("user {id}")) {
            self.user_reads += 1;
        }
    }

    /// A post was returned.
    fn read_post(&mut self, id: &str, now: i64) {
        self.turn(now);
        if self.seen.insert(format!("post {id}")) {
            self.post_reads += 1;
            self.month_reads += 1;
        }
    }
}

/// Refuses reads when the month's are used up.
pub(super) fn admit_read(world: &mut World, app: &str) -> Result<(), Answer> {
    let (now, cap) = (world.now, world.x.settings.monthly_read_cap);
    let Some(known) = world.x.apps.get_mut(app) else {
        return Ok(());
    };
    known.usage.turn(now);
    match cap {
        Some(cap) if known.usage.month_reads >= cap => Err(errors::usage_capped(app)),
        Some(_) | None => Ok(()),
    }
}

/// Bills users and posts that are returned.
pub(super) fn reads(world: &mut World, app: &str, users: &[String], posts: &[String]) {
    let now = world.now;
    if let Some(app) = world.x.apps.get_mut(app) {
        for id in users {
            app.usage.read_user(id, now);
        }
        for id in posts {
            app.usage.read_post(id, now);
        }
    }
}

/// Bills an act.
pub(super) fn act(world: &mut World, app: &str, count: impl FnOnce(&mut Usage)) {
    if let Some(app) = world.x.apps.get_mut(app) {
        count(&mut app.usage);
    }
}

/// `GET /2/usage/tweets` with the app's own token.
pub(super) fn report(world: &mut World, call: &Call) -> Answer {
    flat(usage_of_app(world, call))
}

fn usage_of_app(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let app_id = access::app(world, call)?;
    let now = world.now;
    let cap = world.x.settings.monthly_read_cap.unwrap_or(3_000_000);
    let Some(app) = world.x.apps.get_mut(&app_id) else {
        return Err(errors::unauthorized());
    };
    app.usage.turn(now);
    Ok(Answer::ok(&json!({ "data": {
        "cap_reset_day": 1,
        "project_cap": cap.to_string(),
        "project_id": app_id,
        "project_usage": app.usage.month_reads.to_string(),
    } })))
}
