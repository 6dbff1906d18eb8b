//! Acts on Threads; they are those of Instagram.

use axum::Router;

use super::FLAVOR;
use crate::admin::Admin;
use crate::instagram::realm::admin::MetaAdmin;
use crate::instagram::realm::http::routes as shared;

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
