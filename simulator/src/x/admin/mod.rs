//! Acts on the simulated X. `http.rs` beside offers the same over HTTP.

pub(super) mod http;

use serde::{Deserialize, Serialize};

use super::tokens::{self, ACCESS_LIFE_S, Kind, REFRESH_LIFE_S};
use super::webhooks::{self, Delivers};
use super::{App, User, XAccountState, XAppStanding, XSettings};
use crate::admin::{Admin, AdminError, SimSecret};
use crate::clock::rfc3339;
use crate::world::{ALPHANUMERIC, World};

/// Scopes that a new user has granted.
const SCOPES: [&str; 5] = [
    "tweet.read",
    "tweet.write",
    "users.read",
    "media.write",
    "offline.access",
];

/// An app to be registered.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewXApp {
    /// Its client id; chosen when absent.
    pub id: Option<String>,
    /// Its client secret; chosen when absent.
    pub secret: Option<String>,
    /// A public client: no secret, `client_id` in the body.
    pub public: bool,
    /// Where the authorize page may return to. Empty: anywhere.
    pub redirect_uris: Vec<String>,
}

/// An app that is registered.
#[derive(Clone, Debug, Serialize)]
pub struct XApp {
    /// OAuth 2.0 `client_id`.
    pub id: String,
    /// OAuth 2.0 client secret; public clients have none.
    pub secret: Option<SimSecret>,
    /// API secret key: signs webhooks and answers to their handshake.
    pub consumer_secret: SimSecret,
    /// App-only bearer token.
    pub bearer: SimSecret,
}

/// Users to be created, each of whom has consented to an app.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewXUsers {
    /// The app.
    pub app: String,
    /// How many.
    pub count: usize,
    /// Whether they are subscribers (long posts).
    pub premium: bool,
    /// Scopes of their tokens.
    pub scopes: Vec<String>,
    /// Remaining life of the access token, in seconds.
    pub access_life_s: i64,
    /// Remaining life of the refresh token, in seconds.
    pub refresh_life_s: i64,
}

impl Default for NewXUsers {
    /// One user with every scope and fresh tokens: 2 hours and 6 months.
    fn default() -> Self {
        Self {
            app: String::new(),
            count: 1,
            premium: false,
            scopes: SCOPES.map(str::to_owned).to_vec(),
            access_life_s: ACCESS_LIFE_S,
            refresh_life_s: REFRESH_LIFE_S,
        }
    }
}

/// A user with a pair of tokens.
#[derive(Clone, Debug, Serialize)]
pub struct XUser {
    /// Id.
    pub id: String,
    /// Name without `@`.
    pub username: String,
    /// Display name.
    pub name: String,
    /// Access token.
    pub access_token: SimSecret,
    /// Its end, as RFC 3339.
    pub access_expires_at: String,
    /// Refresh token; absent without `offline.access`.
    pub refresh_token: Option<SimSecret>,
    /// Granted scopes, separated by spaces.
    pub scope: String,
}

/// A user's consent to an app: all tokens that came of it stand and fall together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct XConsent {
    /// The user's id.
    pub user: String,
    /// Whether it stands.
    pub stands: bool,
    /// How many refreshes were granted.
    pub refreshes: u64,
}

/// What happens to the tokens of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum XTokenAct {
    /// Access tokens end now.
    ExpireAccess,
    /// Refresh tokens end now.
    ExpireRefresh,
    /// The user takes its consent back (`x.com/settings/connected_apps`); tells
    /// the app's webhooks (`oauth.revoke`).
    Revoke,
}

/// What happens to a post.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum XPostAct {
    /// Hides it in these countries (two letters each); none lifts that again.
    WithholdIn(Vec<String>),
}

/// How the next videos and animations are processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct XMediaAct {
    /// How long it takes, in milliseconds of the platform's clock.
    pub processing_ms: i64,
    /// How many of the next ones end in failure.
    #[serde(default)]
    pub failing: u32,
}

/// Where an app's events go.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct XCallback {
    /// The address.
    pub url: String,
}

/// What an app has used, and what it costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct XUsage {
    /// Users that were returned, once per user and UTC day.
    pub user_reads: u64,
    /// Posts that were returned, once per post and UTC day.
    pub post_reads: u64,
    /// Posts without a link.
    pub creates: u64,
    /// Posts with a link, which cost more.
    pub creates_with_link: u64,
    /// Deletions.
    pub deletes: u64,
    /// Alternative texts.
    pub metadata: u64,
    /// All of it, in millionths of a US dollar.
    pub cost_micro_usd: u64,
}

impl Admin {
    /// Registers an app.
    pub fn create_x_app(&self, new: NewXApp) -> Result<XApp, AdminError> {
        self.with(|w| {
            let id = new.id.unwrap_or_else(|| w.word(ALPHANUMERIC, 34));
            if w.x.apps.contains_key(&id) {
                return Err(AdminError::Taken { what: "app", id });
            }
            let secret = new.secret.unwrap_or_else(|| w.word(ALPHANUMERIC, 50));
            let secret = (!new.public).then_some(secret);
            let consumer_secret = w.word(ALPHANUMERIC, 50);
            let bearer = format!("AAAAAAAAAAAAAAAAAAAAA{}", w.word(ALPHANUMERIC, 90));
            let app = App {
                secret: secret.clone(),
                consumer_secret: consumer_secret.clone(),
                bearer: bearer.clone(),
                redirect_uris: new.redirect_uris,
                standing: XAppStanding::Active,
                usage: super::billing::Usage::default(),
                webhooks: Vec::new(),
            };
            w.x.apps.insert(id.clone(), app);
            Ok(XApp {
                id,
                secret: secret.map(SimSecret),
                consumer_secret: SimSecret(consumer_secret),
                bearer: SimSecret(bearer),
            })
        })
    }

    /// Creates users who have consented to an app.
    pub fn create_x_users(&self, new: &NewXUsers) -> Result<Vec<XUser>, AdminError> {
        self.x_app(&new.app, |_| ())?;
        Ok(self.with(|w| (0..new.count).map(|_| create_user(w, new)).collect()))
    }

    /// Sets how the platform stands to an app.
    pub fn set_x_app_standing(&self, app: &str, standing: XAppStanding) -> Result<(), AdminError> {
        self.x_app(app, |a| a.standing = standing)
    }

    /// Suspends, locks or deactivates an account, or lifts that again.
    pub fn set_x_state(&self, user: &str, state: XAccountState) -> Result<(), AdminError> {
        self.x_user(user, |u| u.state = state)
    }

    /// Makes an account's posts visible to its followers only, or to everybody.
    pub fn set_x_protected(&self, user: &str, on: bool) -> Result<(), AdminError> {
        self.x_user(user, |u| u.protected = on)
    }

    /// Ends tokens of a user, of every app.
    pub fn act_on_x_tokens(&self, user: &str, act: XTokenAct) -> Result<(), AdminError> {
        self.x_user(user, |_| ())?;
        self.with(|w| {
            let families = w.x.families.iter();
            let own: Vec<(u64, String)> = families
                .filter(|(_, f)| f.user == user)
                .map(|(id, f)| (*id, f.app.clone()))
                .collect();
            for (family, app) in own {
                let kind = match act {
                    XTokenAct::ExpireAccess => Kind::Access,
                    XTokenAct::ExpireRefresh => Kind::Refresh,
                    XTokenAct::Revoke => {
                        if w.x.end_family(family) {
                            webhooks::revoked(w, &app, user);
                        }
                        continue;
                    }
                };
                let now = w.now;
                let all = w.x.tokens.values_mut();
                for token in all.filter(|t| t.family == family && t.kind == kind) {
                    token.expires_at = token.expires_at.min(now);
                }
            }
        });
        Ok(())
    }

    /// Takes a scope out of a user's consents, or puts it back.
    pub fn set_x_scope(&self, user: &str, scope: &str, granted: bool) -> Result<(), AdminError> {
        self.x_user(user, |_| ())?;
        self.with(|w| {
            for family in w.x.families.values_mut().filter(|f| f.user == user) {
                family.scopes.retain(|s| s != scope);
                if granted {
                    family.scopes.push(scope.to_owned());
                }
            }
        });
        Ok(())
    }

    /// The platform's habits and limits.
    #[must_use]
    pub fn x_settings(&self) -> XSettings {
        self.with(|w| w.x.settings.clone())
    }

    /// Sets the platform's habits and limits.
    pub fn set_x_settings(&self, settings: XSettings) {
        self.with(|w| w.x.settings = settings);
    }

    /// How the next videos and animations are processed.
    pub fn set_x_media(&self, act: XMediaAct) {
        self.with(|w| {
            w.x.settings.processing_ms = act.processing_ms;
            w.x.settings.failing_media = act.failing;
        });
    }

    /// Does something to a post.
    pub fn act_on_x_post(&self, id: &str, act: XPostAct) -> Result<(), AdminError> {
        let XPostAct::WithholdIn(countries) = act;
        let done = self.with(|w| {
            let post = w.x.posts.get_mut(id).filter(|p| !p.deleted);
            post.map(|p| p.withheld_in = countries.into_iter().collect())
        });
        done.ok_or_else(|| AdminError::not_found("live post", id))
    }

    /// Every consent that was ever given, in no order.
    #[must_use]
    pub fn x_consents(&self) -> Vec<XConsent> {
        self.with(|w| {
            let families = w.x.families.values();
            families
                .map(|family| XConsent {
                    user: family.user.clone(),
                    stands: !family.revoked,
                    refreshes: family.refreshes,
                })
                .collect()
        })
    }

    /// What an app has used, and what it costs.
    pub fn x_usage(&self, app: &str) -> Result<XUsage, AdminError> {
        self.x_app(app, |a| XUsage {
            user_reads: a.usage.user_reads,
            post_reads: a.usage.post_reads,
            creates: a.usage.creates,
            creates_with_link: a.usage.creates_with_link,
            deletes: a.usage.deletes,
            metadata: a.usage.metadata,
            cost_micro_usd: a.usage.cost(),
        })
    }

    /// Sends every event about an app's users to an address, without a
    /// handshake. Returns the webhook's id.
    pub fn set_x_callback(&self, app: &str, callback: &XCallback) -> Result<String, AdminError> {
        self.x_app(app, |a| a.webhooks.clear())?;
        Ok(self.with(|w| webhooks::add(w, app, &callback.url, Delivers::Everything)))
    }

    /// Asks a webhook for its handshake (CRC).
    pub fn check_x_webhook(&self, app: &str, webhook: &str) -> Result<(), AdminError> {
        let sent = self.with(|w| webhooks::shake(w, app, webhook));
        if sent {
            Ok(())
        } else {
            Err(AdminError::not_found("webhook", webhook))
        }
    }

    fn x_app<T>(&self, id: &str, act: impl FnOnce(&mut App) -> T) -> Result<T, AdminError> {
        let done = self.with(|w| w.x.apps.get_mut(id).map(act));
        done.ok_or_else(|| AdminError::not_found("app", id))
    }

    fn x_user<T>(&self, id: &str, act: impl FnOnce(&mut User) -> T) -> Result<T, AdminError> {
        let done = self.with(|w| w.x.users.get_mut(id).map(act));
        done.ok_or_else(|| AdminError::not_found("user", id))
    }
}

fn create_user(world: &mut World, new: &NewXUsers) -> XUser {
    let number = world.x.users.len() + 1;
    let id = world.x.id(world.now);
    let (username, name) = (format!("user{number}"), format!("User {number}"));
    let user = User {
        username: username.clone(),
        name: name.clone(),
        state: XAccountState::Active,
        protected: false,
        premium: new.premium,
        created_at: world.now,
        posts: Vec::new(),
    };
    world.x.users.insert(id.clone(), user);
    let family = world.x.consent(&new.app, &id, new.scopes.clone());
    let pair = tokens::issue(world, family, new.access_life_s, new.refresh_life_s);
    XUser {
        id,
        username,
        name,
        access_token: SimSecret(pair.access),
        access_expires_at: rfc3339(world.now + new.access_life_s * 1000),
        refresh_token: pair.refresh.map(SimSecret),
        scope: pair.scope,
    }
}
