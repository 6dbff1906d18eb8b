//! Acts on Threads; they are those of Instagram.

use axum::Router;

use super::FLAVOR;
use crate::admin::Admin;
use crate::instagram::realm::admin::MetaAdmin;
use crate::instagram::realm::http::routes as shared;
use crate::sites::Account;

impl Admin {
    /// Acts on Threads.
    #[must_use]
    pub fn threads(&self) -> MetaAdmin {
        MetaAdmin::new(self, &FLAVOR)
    }
}

/// The acts over HTTP.
pub(super) fn routes() -> Router<Admin> {
    shared(Admin::threads)
}

/// The app of all profiles that are connected already.
const APP: &str = "480000000000002";

/// A profile that is connected already.
pub(super) fn connected(admin: &Admin, way: &str) -> Option<Account> {
    let threads = (way == FLAVOR.name).then(|| admin.threads())?;
    threads.connected(APP)
}
