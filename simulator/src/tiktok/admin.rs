//! Acts on the simulated TikTok, as methods and under `/admin/tiktok`.

use std::collections::{BTreeSet, HashMap, VecDeque};

use axum::Json;
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{App, TikTokAccountState, TikTokSettings, User, access};
use crate::admin::http::{Answered, Body};
use crate::admin::{Admin, AdminError, SimSecret};
use crate::clock::rfc3339;
use crate::world::{ALPHANUMERIC, BASE32, World};

/// Scopes that a new creator has granted.
const SCOPES: [&str; 5] = [
    "user.info.basic",
    "user.info.profile",
    "video.list",
    "video.publish",
    "video.upload",
];

/// An app to be registered.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewTikTokApp {
    /// Redirect URIs; none: any is taken.
    pub redirect_uris: Vec<String>,
    /// Prefixes of URLs that the platform may pull media from.
    pub verified_urls: Vec<String>,
    /// Whether it passed the audit. If not, only private posts on private accounts.
    pub audited: bool,
    /// So many creators may post through it within 24 hours.
    pub daily_user_cap: Option<usize>,
    /// Where its webhooks go.
    pub callback_url: Option<String>,
}

impl Default for NewTikTokApp {
    /// An audited app that may pull from any address.
    fn default() -> Self {
        Self {
            redirect_uris: Vec::new(),
            verified_urls: vec!["http://".to_owned(), "https://".to_owned()],
            audited: true,
            daily_user_cap: None,
            callback_url: None,
        }
    }
}

/// An app that is registered.
#[derive(Clone, Debug, Serialize)]
pub struct TikTokApp {
    /// `client_key`.
    pub client_key: String,
    /// `client_secret`, which also signs webhooks.
    pub client_secret: SimSecret,
}

/// What changes of an app; what is absent stays.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TikTokAppChange {
    /// Where its webhooks go.
    pub callback_url: Option<String>,
    /// Prefixes of URLs that the platform may pull media from.
    pub verified_urls: Option<Vec<String>>,
    /// Whether it passed the audit.
    pub audited: Option<bool>,
    /// So many creators may post through it within 24 hours.
    pub daily_user_cap: Option<usize>,
}

/// Creators to be made, each with tokens of one app.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewTikTokUsers {
    /// Whose tokens they get.
    pub app: String,
    /// How many.
    pub count: usize,
    /// Whether their accounts are private.
    pub private: bool,
    /// Remaining life of the access token, in seconds; the platform's when absent.
    pub access_life_s: Option<i64>,
    /// Remaining life of the refresh token, in seconds; the platform's when absent.
    pub refresh_life_s: Option<i64>,
}

impl Default for NewTikTokUsers {
    /// One public account with fresh tokens.
    fn default() -> Self {
        Self {
            app: String::new(),
            count: 1,
            private: false,
            access_life_s: None,
            refresh_life_s: None,
        }
    }
}

/// A creator with tokens.
#[derive(Clone, Debug, Serialize)]
pub struct TikTokUser {
    /// `open_id`.
    pub open_id: String,
    /// Name in links, without `@`.
    pub username: String,
    /// Access token.
    pub access_token: SimSecret,
    /// Its end, as RFC 3339.
    pub access_expires_at: String,
    /// Refresh token.
    pub refresh_token: SimSecret,
    /// Its end, as RFC 3339.
    pub refresh_expires_at: String,
    /// What was granted.
    pub scopes: Vec<String>,
}

/// What happens to the tokens of a creator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TikTokTokenAction {
    /// Access tokens end now.
    ExpireAccess,
    /// Refresh tokens end now.
    ExpireRefresh,
    /// Both are gone, and nobody is told.
    Revoke,
}

impl App {
    pub(super) fn new(new: NewTikTokApp, secret: String) -> Self {
        Self {
            secret,
            redirect_uris: new.redirect_uris,
            verified_urls: new.verified_urls,
            audited: new.audited,
            daily_user_cap: new.daily_user_cap,
            posters: HashMap::new(),
            callback_url: new.callback_url,
        }
    }
}

impl Admin {
    /// Registers an app.
    #[must_use]
    pub fn create_tiktok_app(&self, new: NewTikTokApp) -> TikTokApp {
        self.with(|w| {
            let client_key = format!("aw{}", w.word(BASE32, 14));
            let secret = w.word(ALPHANUMERIC, 32);
            let app = App::new(new, secret.clone());
            w.tiktok.apps.insert(client_key.clone(), app);
            TikTokApp {
                client_key,
                client_secret: SimSecret(secret),
            }
        })
    }

    /// Changes an app.
    pub fn change_tiktok_app(&self, key: &str, change: TikTokAppChange) -> Result<(), AdminError> {
        let done = self.with(|w| {
            let app = w.tiktok.apps.get_mut(key)?;
            app.callback_url = change.callback_url.or(app.callback_url.take());
            app.daily_user_cap = change.daily_user_cap.or(app.daily_user_cap);
            app.audited = change.audited.unwrap_or(app.audited);
            if let Some(urls) = change.verified_urls {
                app.verified_urls = urls;
            }
            Some(())
        });
        done.ok_or_else(|| AdminError::not_found("app", key))
    }

    /// Creates creators who have authorized an app.
    pub fn create_tiktok_users(&self, new: &NewTikTokUsers) -> Result<Vec<TikTokUser>, AdminError> {
        self.with(|w| {
            if !w.tiktok.apps.contains_key(&new.app) {
                return Err(AdminError::not_found("app", &new.app));
            }
            Ok((0..new.count).map(|_| create_user(w, new)).collect())
        })
    }

    /// Bans or deletes an account, or lifts that again. Authorizations that it ended stay ended.
    pub fn set_tiktok_state(&self, id: &str, state: TikTokAccountState) -> Result<(), AdminError> {
        self.tiktok_user(id, |u| u.state = state)?;
        let reason = match state {
            TikTokAccountState::Active | TikTokAccountState::BannedFromPosting => return Ok(()),
            TikTokAccountState::Deleted => 2,
            TikTokAccountState::Banned => 4,
        };
        self.with(|w| access::end_grants(w, id, None, reason));
        if state == TikTokAccountState::Deleted {
            self.with(|w| delete_posts(w, id));
        }
        Ok(())
    }

    /// Ends what a creator granted to every app, for a reason of the webhook
    /// `authorization.removed` (1 = the creator did, 3 = its age changed).
    pub fn disconnect_tiktok(&self, id: &str, reason: u8) -> Result<(), AdminError> {
        self.tiktok_user(id, |_| ())?;
        self.with(|w| access::end_grants(w, id, None, reason));
        Ok(())
    }

    /// Ends tokens of a creator.
    pub fn act_on_tiktok_tokens(
        &self,
        id: &str,
        action: TikTokTokenAction,
    ) -> Result<(), AdminError> {
        self.tiktok_user(id, |_| ())?;
        self.with(|w| {
            let (now, state) = (w.now, &mut w.tiktok);
            let tokens = match action {
                TikTokTokenAction::ExpireAccess => &mut state.access_tokens,
                TikTokTokenAction::ExpireRefresh => &mut state.refresh_tokens,
                TikTokTokenAction::Revoke => return access::end_tokens(w, id, None),
            };
            tokens
                .values_mut()
                .filter(|t| t.user == id)
                .for_each(|t| t.expires_at = now);
        });
        Ok(())
    }

    /// Takes a scope away from every app, or gives it to those that are authorized.
    pub fn set_tiktok_scope(&self, id: &str, scope: &str, granted: bool) -> Result<(), AdminError> {
        self.tiktok_user(id, |u| {
            for scopes in u.grants.values_mut() {
                if granted {
                    scopes.insert(scope.to_owned());
                } else {
                    scopes.remove(scope);
                }
            }
        })
    }

    /// Makes an account private, or public again.
    pub fn set_tiktok_private(&self, id: &str, private: bool) -> Result<(), AdminError> {
        self.tiktok_user(id, |u| u.private = private)
    }

    /// Whether an account is offered posting by API: kinds of accounts and regions are not, and it is not said which. Then
    /// the creator has no audience to choose from.
    pub fn set_tiktok_offered(&self, id: &str, offered: bool) -> Result<(), AdminError> {
        self.tiktok_user(id, |u| u.offered = offered)
    }

    /// How long a video of a creator may be, in seconds.
    pub fn set_tiktok_video_max(&self, id: &str, seconds: u32) -> Result<(), AdminError> {
        self.tiktok_user(id, |u| u.max_video_sec = seconds)
    }

    /// The next processing of this creator ends in `FAILED` with that reason
    /// (`video_pull_failed`, `duration_check_failed`, `spam_risk`, …).
    pub fn fail_next_tiktok(&self, id: &str, reason: &str) -> Result<(), AdminError> {
        self.tiktok_user(id, |u| u.next_failure = Some(reason.to_owned()))
    }

    /// The platform's rules.
    #[must_use]
    pub fn tiktok_settings(&self) -> TikTokSettings {
        self.with(|w| w.tiktok.settings.clone())
    }

    /// Sets the platform's rules. Tokens that live keep their ends.
    pub fn set_tiktok_settings(&self, settings: TikTokSettings) {
        self.with(|w| w.tiktok.settings = settings);
    }

    fn tiktok_user(&self, id: &str, act: impl FnOnce(&mut User)) -> Result<(), AdminError> {
        let done = self.with(|w| w.tiktok.users.get_mut(id).map(act));
        done.ok_or_else(|| AdminError::not_found("user", id))
    }
}

fn create_user(world: &mut World, new: &NewTikTokUsers) -> TikTokUser {
    let open_id = format!("-000{}", world.word(ALPHANUMERIC, 32));
    let username = format!("creator{}", world.tiktok.number());
    let listed: Vec<String> = SCOPES.iter().map(|s| (*s).to_owned()).collect();
    let scopes: BTreeSet<String> = listed.iter().cloned().collect();
    let user = User {
        nickname: format!("Creator {username}"),
        username: username.clone(),
        state: TikTokAccountState::Active,
        private: new.private,
        offered: true,
        max_video_sec: 300,
        grants: HashMap::from([(new.app.clone(), scopes)]),
        recent: VecDeque::new(),
        next_failure: None,
    };
    world.tiktok.users.insert(open_id.clone(), user);
    let settings = world.tiktok.settings.clone();
    let access_life_s = new.access_life_s.unwrap_or(settings.access_life_s);
    let refresh_life_s = new.refresh_life_s.unwrap_or(settings.refresh_life_s);
    let pair = access::issue(world, &new.app, &open_id, access_life_s, refresh_life_s);
    TikTokUser {
        open_id,
        username,
        access_token: SimSecret(pair.access),
        access_expires_at: rfc3339(world.now + access_life_s * 1000),
        refresh_token: SimSecret(pair.refresh),
        refresh_expires_at: rfc3339(world.now + refresh_life_s * 1000),
        scopes: listed,
    }
}

fn delete_posts(world: &mut World, user: &str) {
    let own = world.tiktok.posts.iter().filter(|(_, p)| p.user == user);
    let ids: Vec<String> = own.map(|(n, _)| n.to_string()).collect();
    for id in ids {
        super::publish::remove(world, &id);
    }
}

/// The same over HTTP.
pub(super) fn routes() -> Router<Admin> {
    Router::new()
        .route("/apps", post(create_app))
        .route("/apps/{key}", post(change_app))
        .route("/users", post(create_users))
        .route("/users/{id}", post(change_user))
        .route("/settings", get(settings).put(set_settings))
}

async fn create_app(State(admin): State<Admin>, Body(new): Body<NewTikTokApp>) -> Json<TikTokApp> {
    Json(admin.create_tiktok_app(new))
}

async fn change_app(
    State(admin): State<Admin>,
    Path(key): Path<String>,
    Body(change): Body<TikTokAppChange>,
) -> Answered {
    admin.change_tiktok_app(&key, change)?;
    Ok(Json(json!({ "ok": true })))
}

async fn create_users(State(admin): State<Admin>, Body(new): Body<NewTikTokUsers>) -> Answered {
    let users = admin.create_tiktok_users(&new)?;
    Ok(Json(json!({ "users": users })))
}

/// One act on a creator.
#[derive(Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
enum UserAct {
    State { state: TikTokAccountState },
    Disconnect { reason: u8 },
    Tokens { action: TikTokTokenAction },
    Scope { scope: String, granted: bool },
    Private { private: bool },
    Offered { offered: bool },
    VideoMax { seconds: u32 },
    FailNext { reason: String },
}

async fn change_user(
    State(admin): State<Admin>,
    Path(id): Path<String>,
    Body(act): Body<UserAct>,
) -> Answered {
    match act {
        UserAct::State { state } => admin.set_tiktok_state(&id, state),
        UserAct::Disconnect { reason } => admin.disconnect_tiktok(&id, reason),
        UserAct::Tokens { action } => admin.act_on_tiktok_tokens(&id, action),
        UserAct::Scope { scope, granted } => admin.set_tiktok_scope(&id, &scope, granted),
        UserAct::Private { private } => admin.set_tiktok_private(&id, private),
        UserAct::Offered { offered } => admin.set_tiktok_offered(&id, offered),
        UserAct::VideoMax { seconds } => admin.set_tiktok_video_max(&id, seconds),
        UserAct::FailNext { reason } => admin.fail_next_tiktok(&id, &reason),
    }?;
    Ok(Json(json!({ "ok": true })))
}

async fn settings(State(admin): State<Admin>) -> Json<TikTokSettings> {
    Json(admin.tiktok_settings())
}

async fn set_settings(
    State(admin): State<Admin>,
    Body(new): Body<TikTokSettings>,
) -> Json<TikTokSettings> {
    admin.set_tiktok_settings(new);
    Json(admin.tiktok_settings())
}
