//! The platforms in one list: what the server, the pipeline and the admin API need of each.

use axum::Router;
use serde::Serialize;

use crate::admin::{Admin, SimSecret};
use crate::call::{Answer, Call};
use crate::ledger::Platform;
use crate::pipeline::Subject;
use crate::routes::Route;
use crate::world::World;
use crate::{
    bluesky, facebook, instagram, linkedin, mastodon, telegram, threads, tiktok, x, youtube,
};

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
    /// A fresh account that somebody has connected by this way in (`linkedin_page`), or `None` where the platform has
    /// no such way.
    pub(crate) account: fn(&Admin, &str) -> Option<Account>,
}

/// An account as a product that is connected to it knows it.
#[derive(Clone, Debug, Serialize)]
pub struct Account {
    /// The destination's id at the platform.
    pub remote_id: String,
    /// The provider user's id.
    pub remote_user_id: String,
    /// What people call it.
    pub name: String,
    /// The token that publishes there, where it is another than the user's.
    pub destination_token: Option<SimSecret>,
    /// The user's or the grant's token.
    pub access_token: SimSecret,
    /// The refresh token, where there is one.
    pub refresh_token: Option<SimSecret>,
    /// The key that the tokens are bound to (a private JWK), where they are.
    pub binding: Option<SimSecret>,
    /// When the tokens were issued, in milliseconds since the epoch.
    pub issued_at: i64,
    /// End of the access token.
    pub access_expires_at: Option<i64>,
    /// End of the refresh token.
    pub refresh_expires_at: Option<i64>,
    /// Granted permissions, where the platform tells them.
    pub scopes: Option<Vec<String>>,
    /// Id and secret of the app that it was connected with; the same for every account of the platform.
    pub app: Option<(String, SimSecret)>,
    /// Base URL of the account's own server, as a path below the simulator's address, where it has one.
    pub host: Option<String>,
}

/// Every platform.
pub(crate) static SITES: [&Site; 10] = [
    &facebook::SITE,
    &instagram::SITE,
    &threads::SITE,
    &linkedin::SITE,
    &x::SITE,
    &tiktok::SITE,
    &youtube::SITE,
    &bluesky::SITE,
    &mastodon::SITE,
    &telegram::SITE,
];

/// Every platform that is played.
pub fn platforms() -> impl Iterator<Item = Platform> {
    SITES.iter().map(|site| site.platform)
}

/// The platform's row.
pub(crate) fn of(platform: Platform) -> &'static Site {
    let found = SITES.iter().find(|site| site.platform == platform);
    found.expect("every platform has its row")
}

/// For platforms on which nothing happens by itself.
pub(crate) fn nothing_is_due(_: &mut World) {}
