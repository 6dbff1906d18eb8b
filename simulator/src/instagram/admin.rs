//! Acts on Instagram: those that Threads has too, and the link between an account and a Facebook page.

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::FLAVOR;
use super::realm::admin::{MetaAdmin, create_account};
use super::realm::http::routes as shared;
use crate::admin::http::Body;
use crate::admin::{Admin, AdminError};
use crate::facebook::Scope;
use crate::sites::Account;
use crate::world::World;

/// Permissions of Facebook Login that publishing on Instagram needs, and the one to delete.
const SCOPES: [&str; 3] = [
    "instagram_basic",
    "instagram_content_publish",
    "instagram_manage_contents",
];

/// A professional account that is linked to a page.
#[derive(Clone, Debug, Serialize)]
pub struct LinkedInstagram {
    /// The id in paths.
    pub id: String,
    /// Name.
    pub username: String,
    /// The page.
    pub page: String,
}

impl Admin {
    /// Acts on Instagram with Instagram Login, and on all Instagram accounts.
    #[must_use]
    pub fn instagram(&self) -> MetaAdmin {
        MetaAdmin::new(self, &FLAVOR)
    }

    /// Makes a professional account and links it to a Facebook page. Everybody with a role on the page grants the
    /// permissions of Instagram.
    pub fn link_instagram(&self, page: &str) -> Result<LinkedInstagram, AdminError> {
        self.with(|w| {
            if !w.facebook.pages.contains_key(page) {
                return Err(AdminError::not_found("page", page));
            }
            Ok(link(w, page))
        })
    }

    /// Takes the link between a page and its account away.
    pub fn unlink_instagram(&self, page: &str) -> Result<(), AdminError> {
        self.with(|w| {
            let known = w.facebook.pages.get_mut(page);
            let known = known.ok_or_else(|| AdminError::not_found("page", page))?;
            known.instagram = None;
            Ok(())
        })
    }
}

fn link(world: &mut World, page_id: &str) -> LinkedInstagram {
    let id = create_account(&FLAVOR, world);
    if let Some(page) = world.facebook.pages.get_mut(page_id) {
        page.instagram = Some(id.clone());
        for user in page.tasks.keys() {
            let Some(user) = world.facebook.users.get_mut(user) else {
                continue;
            };
            for scope in SCOPES {
                let scope = user.scopes.entry(scope.to_owned());
                scope.or_insert_with(|| Scope {
                    granted: true,
                    ..Scope::default()
                });
            }
        }
    }
    LinkedInstagram {
        username: world.instagram.accounts[&id].username.clone(),
        id,
        page: page_id.to_owned(),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Link {
    page: String,
}

/// The acts over HTTP.
pub(super) fn routes() -> Router<Admin> {
    shared(Admin::instagram)
        .route(
            "/links",
            post(async |State(admin): State<Admin>, Body(act): Body<Link>| {
                admin.link_instagram(&act.page).map(Json)
            }),
        )
        .route(
            "/unlinks",
            post(async |State(admin): State<Admin>, Body(act): Body<Link>| {
                let unlinked = admin.unlink_instagram(&act.page);
                unlinked.map(|()| Json(serde_json::json!({ "ok": true })))
            }),
        )
}

/// The app of all accounts that are connected already.
const APP: &str = "480000000000001";

/// An account that is connected already: by its own log-in, or by way of a page.
pub(super) fn connected(admin: &Admin, way: &str) -> Option<Account> {
    match way {
        "instagram" => admin.instagram().connected(APP),
        "instagram_facebook" => {
            let page = admin.account("facebook").ok()?;
            let linked = admin.link_instagram(&page.remote_id).ok()?;
            Some(Account {
                remote_id: linked.id,
                name: linked.username,
                ..page
            })
        }
        _ => None,
    }
}
