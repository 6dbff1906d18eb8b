//! Acts on the simulated Facebook.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::{Admin, AdminError, SimSecret};
use crate::clock::rfc3339;
use crate::facebook::access::CREATE_CONTENT;
use crate::facebook::tokens::{LONG_LIFE_S, RevokeReason, TokenScope};
use crate::facebook::{App, Page, Scope, State, User, news};
use crate::limits::Window;
use crate::world::{ALPHANUMERIC, World};

/// Permissions that a new user has granted.
const SCOPES: [&str; 5] = [
    "public_profile",
    "pages_show_list",
    "pages_read_engagement",
    "pages_manage_posts",
    "pages_manage_metadata",
];
const TASKS: [&str; 5] = ["ANALYZE", "ADVERTISE", "MODERATE", CREATE_CONTENT, "MANAGE"];

const APP_NUMBERS: u64 = 202_490_000_000_000;
const USER_NUMBERS: u64 = 10_160_000_000_000_000;
const PAGE_NUMBERS: u64 = 109_000_000_000_000;

/// An app to be registered.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewFacebookApp {
    /// Its id; chosen when absent.
    pub id: Option<String>,
    /// Its secret; chosen when absent.
    pub secret: Option<String>,
    /// Whether every call must carry `appsecret_proof`.
    pub require_proof: bool,
}

/// An app that is registered.
#[derive(Clone, Debug, Serialize)]
pub struct FacebookApp {
    /// `client_id`.
    pub id: String,
    /// `client_secret`.
    pub secret: SimSecret,
}

/// People to be created, with pages and tokens.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewFacebookUsers {
    /// The app that their tokens belong to.
    pub app: String,
    /// How many people.
    pub count: usize,
    /// How many pages each of them manages.
    pub pages: usize,
    /// Remaining life of their user tokens, in seconds.
    pub user_token_life_s: i64,
}

impl Default for NewFacebookUsers {
    /// One person with one page and a user token of 60 days.
    fn default() -> Self {
        Self {
            app: String::new(),
            count: 1,
            pages: 1,
            user_token_life_s: LONG_LIFE_S,
        }
    }
}

/// A person with a long-lived user token.
#[derive(Clone, Debug, Serialize)]
pub struct FacebookUser {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Long-lived user token.
    pub token: SimSecret,
    /// Its end, as RFC 3339.
    pub token_expires_at: String,
    /// Pages, each with its page token.
    pub pages: Vec<FacebookPage>,
}

/// A page with its token, which has no end.
#[derive(Clone, Debug, Serialize)]
pub struct FacebookPage {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Page token.
    pub token: SimSecret,
}

/// What the platform does to a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageState {
    /// In order.
    Active,
    /// `is_published` is false.
    Unpublished,
    /// Publishing answers 368.
    Blocked,
    /// Everything answers 100/33, and its posts are gone.
    Deleted,
}

impl Admin {
    /// Registers an app.
    pub fn create_facebook_app(&self, new: NewFacebookApp) -> Result<FacebookApp, AdminError> {
        self.with(|w| {
            let id = new.id.unwrap_or_else(|| w.facebook.number(APP_NUMBERS));
            if w.facebook.apps.contains_key(&id) {
                return Err(AdminError::Taken { what: "app", id });
            }
            let secret = new
                .secret
                .unwrap_or_else(|| w.word(b"0123456789abcdef", 32));
            let app = App {
                secret: secret.clone(),
                name: format!("App {id}"),
                require_proof: new.require_proof,
                window: Window::default(),
            };
            w.facebook.apps.insert(id.clone(), app);
            Ok(FacebookApp {
                id,
                secret: SimSecret(secret),
            })
        })
    }

    /// Creates people with pages and tokens.
    pub fn create_facebook_users(
        &self,
        new: &NewFacebookUsers,
    ) -> Result<Vec<FacebookUser>, AdminError> {
        self.with(|w| {
            if !w.facebook.apps.contains_key(&new.app) {
                return Err(AdminError::not_found("app", &new.app));
            }
            Ok((0..new.count).map(|_| create_user(w, new)).collect())
        })
    }

    /// Kills tokens of a user, user tokens and page tokens alike unless
    /// `which` says otherwise. Tokens that are issued later live.
    pub fn revoke_facebook_tokens(
        &self,
        user: &str,
        reason: RevokeReason,
        which: TokenScope,
    ) -> Result<(), AdminError> {
        self.facebook_user(user, |_| ())?;
        self.with(|w| {
            w.facebook.kill_tokens(user, None, which, reason);
            if reason == RevokeReason::AppRemoved {
                for app in news::apps_of(&w.facebook, user) {
                    news::app_removed(w, user, &app);
                }
            }
        });
        Ok(())
    }

    /// Takes a permission away (status "declined"), for one page or for all.
    pub fn drop_facebook_scope(
        &self,
        user: &str,
        scope: &str,
        page: Option<&str>,
    ) -> Result<(), AdminError> {
        let pages = self.facebook_user(user, |u| {
            let entry = u.scopes.entry(scope.to_owned()).or_default();
            if let Some(page) = page {
                entry.except.insert(page.to_owned());
                vec![page.to_owned()]
            } else {
                entry.granted = false;
                u.pages.clone()
            }
        })?;
        self.with(|w| news::permission_changed(w, user, scope, false, &pages));
        Ok(())
    }

    /// Gives a permission back, for every page.
    pub fn restore_facebook_scope(&self, user: &str, scope: &str) -> Result<(), AdminError> {
        let pages = self.facebook_user(user, |u| {
            let except = BTreeSet::new();
            let granted = true;
            u.scopes.insert(scope.to_owned(), Scope { granted, except });
            u.pages.clone()
        })?;
        self.with(|w| news::permission_changed(w, user, scope, true, &pages));
        Ok(())
    }

    /// Makes the user log in at facebook.com before any token works (190/459),
    /// or lifts that again.
    pub fn set_facebook_checkpoint(&self, user: &str, on: bool) -> Result<(), AdminError> {
        self.facebook_user(user, |u| u.checkpoint = on)
    }

    /// What a user may do on a page. Without `CREATE_CONTENT` publishing is
    /// refused (200); `None` ends the role, and the page token with it
    /// (190/492).
    pub fn set_facebook_tasks(
        &self,
        page: &str,
        user: &str,
        tasks: Option<Vec<String>>,
    ) -> Result<(), AdminError> {
        // Whoever gets a role on a page has it among their pages from then on.
        self.facebook_user(user, |u| {
            if !u.pages.iter().any(|known| known == page) {
                u.pages.push(page.to_owned());
            }
        })?;
        self.facebook_page(page, |p| match tasks {
            Some(tasks) => p.tasks.insert(user.to_owned(), tasks),
            None => p.tasks.remove(user),
        })?;
        Ok(())
    }

    /// Takes `CREATE_CONTENT` away from everybody on the page, or gives it back.
    pub fn set_facebook_may_publish(&self, page: &str, allowed: bool) -> Result<(), AdminError> {
        self.facebook_page(page, |p| {
            for tasks in p.tasks.values_mut() {
                tasks.retain(|t| t != CREATE_CONTENT);
                if allowed {
                    tasks.push(CREATE_CONTENT.to_owned());
                }
            }
        })
    }

    /// Unpublishes, blocks or deletes a page, or lifts that again. The posts of
    /// a deleted page are deleted in the ledger, too, and do not come back.
    pub fn set_facebook_page_state(&self, page: &str, state: PageState) -> Result<(), AdminError> {
        let posts = self.facebook_page(page, |p| {
            p.published = state != PageState::Unpublished;
            p.blocked = state == PageState::Blocked;
            p.deleted = state == PageState::Deleted;
            if p.deleted {
                p.posts.clone()
            } else {
                Vec::new()
            }
        })?;
        self.with(|w| {
            for id in posts {
                crate::facebook::publish::remove(w, &id);
            }
        });
        Ok(())
    }

    fn facebook_user<T>(
        &self,
        id: &str,
        act: impl FnOnce(&mut User) -> T,
    ) -> Result<T, AdminError> {
        let done = self.with(|w| w.facebook.users.get_mut(id).map(act));
        done.ok_or_else(|| AdminError::not_found("user", id))
    }

    fn facebook_page<T>(
        &self,
        id: &str,
        act: impl FnOnce(&mut Page) -> T,
    ) -> Result<T, AdminError> {
        let done = self.with(|w| w.facebook.pages.get_mut(id).map(act));
        done.ok_or_else(|| AdminError::not_found("page", id))
    }
}

fn create_user(world: &mut World, new: &NewFacebookUsers) -> FacebookUser {
    let id = world.facebook.number(USER_NUMBERS);
    let name = format!("User {}", world.word(ALPHANUMERIC, 6));
    let pages: Vec<String> = (0..new.pages)
        .map(|_| create_page(&mut world.facebook, &id))
        .collect();
    let granted = |scope: &&str| {
        (
            (*scope).to_owned(),
            Scope {
                granted: true,
                ..Scope::default()
            },
        )
    };
    let user = User {
        name: name.clone(),
        scopes: SCOPES.iter().map(granted).collect(),
        checkpoint: false,
        pages: pages.clone(),
        tokens: Vec::new(),
    };
    world.facebook.users.insert(id.clone(), user);
    let token = world.issue_user_token(&new.app, &id, new.user_token_life_s, true);
    let of_user = world.facebook.tokens[&token].clone();
    let page = |page_id: String| FacebookPage {
        name: world.facebook.pages[&page_id].name.clone(),
        token: SimSecret(world.page_token(&of_user, &page_id)),
        id: page_id,
    };
    let pages = pages.into_iter().map(page).collect();
    let token_expires_at = rfc3339(of_user.expires_at.unwrap_or(0));
    FacebookUser {
        id,
        name,
        token: SimSecret(token),
        token_expires_at,
        pages,
    }
}

fn create_page(state: &mut State, user: &str) -> String {
    let id = state.number(PAGE_NUMBERS);
    let tasks = TASKS.iter().map(|t| (*t).to_owned()).collect();
    let page = Page {
        name: format!("Page {id}"),
        category: "Brand",
        published: true,
        blocked: false,
        deleted: false,
        instagram: None,
        tasks: HashMap::from([(user.to_owned(), tasks)]),
        posts: Vec::new(),
        window: Window::default(),
    };
    state.pages.insert(id.clone(), page);
    id
}
