//! The platforms in one list: what the server, the pipeline and the admin API need of each.

use axum::Router;

use crate::admin::Admin;
use crate::call::{Answer, Call};
use crate::ledger::Platform;
use crate::pipeline::Subject;
use crate::routes::Route;
use crate::world::World;
use crate::{bluesky, facebook, instagram, linkedin, mastodon, threads, tiktok, x, youtube};

/// One platform. It is served under `/{name}/`, its acts under `/admin/{name}/`.
pub(crate) struct Site {
    pub(crate) platform: Platform,
    /// First path segment: `facebook`.
    pub(crate) name: &'static str,
    /// Its endpoints; the first row that fits wins.
    pub(crate) tables: &'static [&'static [Route]],
    /// Whose call it is.
    pub(crate) subject: fn(&World, &Call) -> Subject,
    /// Admits a call to its handler and adds the platform's own headers.
    pub(crate) execute: fn(&mut World, Option<&'static Route>, &Call, &Subject) -> Answer,
    /// The body that the platform gives with a status, for faults.
    pub(crate) usual_for_status: fn(u16) -> Answer,
    /// Its refusal of one call too many, with its headers.
    pub(crate) throttled: fn(&World, &Subject, u64) -> Answer,
    /// An error although the call had its effect; the argument is the answer that is withheld.
    pub(crate) although_created: fn(&Answer) -> Answer,
    /// Deletes a post as its owner would. Says whether there was one.
    pub(crate) remove: fn(&mut World, &str) -> bool,
    /// Changes a post's text. Says whether there was one.
    pub(crate) edit: fn(&mut World, &str, &str) -> bool,
    /// Lets happen what is due by now (media that is processed by now).
    pub(crate) tick: fn(&mut World),
    /// Its acts over HTTP.
    pub(crate) admin: fn() -> Router<Admin>,
}

/// Every platform.
pub(crate) static SITES: [&Site; 9] = [
    &facebook::SITE,
    &instagram::SITE,
    &threads::SITE,
    &linkedin::SITE,
    &x::SITE,
    &tiktok::SITE,
    &youtube::SITE,
    &bluesky::SITE,
    &mastodon::SITE,
];

/// The platform's row.
pub(crate) fn of(platform: Platform) -> &'static Site {
    let found = SITES.iter().find(|site| site.platform == platform);
    found.expect("every platform has its row")
}

/// For platforms on which nothing happens by itself.
pub(crate) fn nothing_is_due(_: &mut World) {}
