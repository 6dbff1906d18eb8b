//! Acts on Instagram and on Threads, which are the same: `admin.instagram()` and `admin.threads()`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::access::{Actor, LONG_LIFE_S, issue};
use super::{
    Account, App, Draft, Flavor, MediaFailure, MetaAccountState, MetaCallbacks, MetaSettings,
    Token, hooks, publish,
};
use crate::admin::{Admin, AdminError, SimSecret};
use crate::clock::rfc3339;
use crate::facebook::tokens::RevokeReason;
use crate::limits::Window;
use crate::sites::Account as Connected;
use crate::world::World;

const APP_NUMBERS: u64 = 480_000_000_000_000;
const SCOPED_NUMBERS: u64 = 25_100_000_000_000_000;

/// An app to be registered.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewMetaApp {
    /// Its id; chosen when absent.
    pub id: Option<String>,
    /// Its secret; chosen when absent.
    pub secret: Option<String>,
}

/// An app that is registered.
#[derive(Clone, Debug, Serialize)]
pub struct MetaApp {
    /// `client_id`.
    pub id: String,
    /// `client_secret`.
    pub secret: SimSecret,
}

/// Accounts to be created, each with a long-lived token.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewMetaAccounts {
    /// The app that their tokens belong to.
    pub app: String,
    /// How many accounts.
    pub count: usize,
    /// Remaining life of their tokens, in seconds. A token of less than 60 days was issued earlier.
    pub token_life_s: i64,
}

impl Default for NewMetaAccounts {
    /// One account with a token of 60 days.
    fn default() -> Self {
        Self {
            app: String::new(),
            count: 1,
            token_life_s: LONG_LIFE_S,
        }
    }
}

/// An account with a long-lived token.
#[derive(Clone, Debug, Serialize)]
pub struct MetaAccount {
    /// The id in paths.
    pub id: String,
    /// The id that the app knows from the log-in.
    pub app_scoped_id: String,
    /// Name.
    pub username: String,
    /// Long-lived token.
    pub token: SimSecret,
    /// Its end, as RFC 3339.
    pub token_expires_at: String,
}

/// The hand behind Instagram or Threads.
pub struct MetaAdmin {
    admin: Admin,
    flavor: &'static Flavor,
}

impl MetaAdmin {
    pub(crate) fn new(admin: &Admin, flavor: &'static Flavor) -> Self {
        Self {
            admin: admin.clone(),
            flavor,
        }
    }

    /// Registers an app.
    pub fn create_app(&self, new: NewMetaApp) -> Result<MetaApp, AdminError> {
        self.admin.with(|w| {
            let chosen = (self.flavor.realm_mut)(w).number(APP_NUMBERS);
            let id = new.id.unwrap_or(chosen);
            if (self.flavor.realm)(w).apps.contains_key(&id) {
                return Err(AdminError::Taken { what: "app", id });
            }
            let secret = new.secret;
            let secret = secret.unwrap_or_else(|| w.word(b"0123456789abcdef", 32));
            let app = App {
                secret: secret.clone(),
                name: format!("App {id}"),
                callbacks: MetaCallbacks::default(),
                window: Window::default(),
            };
            (self.flavor.realm_mut)(w).apps.insert(id.clone(), app);
            Ok(MetaApp {
                id,
                secret: SimSecret(secret),
            })
        })
    }

    /// Creates accounts with tokens.
    pub fn create_accounts(&self, new: &NewMetaAccounts) -> Result<Vec<MetaAccount>, AdminError> {
        self.admin.with(|w| {
            if !(self.flavor.realm)(w).apps.contains_key(&new.app) {
                return Err(AdminError::not_found("app", &new.app));
            }
            Ok((0..new.count)
                .map(|_| self.create_account(w, new))
                .collect())
        })
    }

    fn create_account(&self, world: &mut World, new: &NewMetaAccounts) -> MetaAccount {
        let id = create_account(self.flavor, world);
        let expires_at = world.now + new.token_life_s * 1000;
        let token = Token {
            app: new.app.clone(),
            account: id.clone(),
            issued_at: world.now.min(expires_at - LONG_LIFE_S * 1000),
            expires_at,
            dead: None,
            long_lived: true,
        };
        let text = issue(self.flavor, world, token);
        let account = &(self.flavor.realm)(world).accounts[&id];
        MetaAccount {
            app_scoped_id: account.app_scoped_id.clone(),
            username: account.username.clone(),
            id,
            token: SimSecret(text),
            token_expires_at: rfc3339(expires_at),
        }
    }

    /// A fresh account that is connected through this app, which is made when it is not there. Its token is a day old.
    pub(crate) fn connected(&self, app: &str) -> Option<Connected> {
        let new = NewMetaApp {
            id: Some(app.to_owned()),
            ..NewMetaApp::default()
        };
        // The second time it exists.
        self.create_app(new).ok();
        let accounts = NewMetaAccounts {
            app: app.to_owned(),
            token_life_s: LONG_LIFE_S - 24 * 3600,
            ..NewMetaAccounts::default()
        };
        let account = self.create_accounts(&accounts).ok()?.pop()?;
        self.admin.with(|w| {
            let realm = (self.flavor.realm)(w);
            let token = realm.tokens.get(&*account.token)?;
            let known = realm.accounts.get(&account.id)?;
            Some(Connected {
                remote_id: account.id.clone(),
                remote_user_id: account.app_scoped_id.clone(),
                name: account.username.clone(),
                destination_token: None,
                access_token: account.token.clone(),
                refresh_token: None,
                binding: None,
                issued_at: token.issued_at,
                access_expires_at: Some(token.expires_at),
                refresh_expires_at: None,
                scopes: Some(known.scopes.keys().cloned().collect()),
                app: Some((
                    app.to_owned(),
                    SimSecret(realm.apps.get(app)?.secret.clone()),
                )),
                host: None,
            })
        })
    }

    /// Somebody posts words in the platform's own app. Says the post's id.
    pub fn post_by_hand(&self, account: &str, text: &str) -> Result<String, AdminError> {
        let text = text.to_owned();
        self.account(account, |_| ())?;
        let draft = Draft {
            kind: "TEXT".to_owned(),
            text,
            ..Draft::default()
        };
        let actor = Actor {
            account: account.to_owned(),
            app: String::new(),
        };
        let posted = self.admin.with(|w| {
            let container = publish::contain(self.flavor, w, actor, draft, None);
            publish::publish(self.flavor, w, &container)
        });
        posted.ok_or_else(|| AdminError::not_found("account", account))
    }

    /// Sets where an app wants to be told, and sends the handshake for its webhook.
    pub fn set_callbacks(&self, app: &str, callbacks: MetaCallbacks) -> Result<(), AdminError> {
        self.admin.with(|w| {
            let known = (self.flavor.realm_mut)(w).apps.get_mut(app);
            let known = known.ok_or_else(|| AdminError::not_found("app", app))?;
            known.callbacks = callbacks;
            hooks::handshake(self.flavor, w, app);
            Ok(())
        })
    }

    /// Kills every token of an account. A removed app is told so at its deauthorize address.
    pub fn revoke_tokens(&self, account: &str, reason: RevokeReason) -> Result<(), AdminError> {
        let apps = self.apps_of(account)?;
        self.admin.with(|w| {
            (self.flavor.realm_mut)(w).kill_tokens(account, reason);
            if reason == RevokeReason::AppRemoved {
                for app in apps {
                    hooks::send_signed_request(self.flavor, w, &app, account, false);
                }
            }
        });
        Ok(())
    }

    /// Asks the apps of an account to delete its data.
    pub fn request_deletion(&self, account: &str) -> Result<(), AdminError> {
        let apps = self.apps_of(account)?;
        self.admin.with(|w| {
            for app in apps {
                hooks::send_signed_request(self.flavor, w, &app, account, true);
            }
        });
        Ok(())
    }

    /// Sends an event of that field about an account to every app of it that asked for the field.
    pub fn send_event(&self, account: &str, field: &str, value: &Value) -> Result<(), AdminError> {
        let apps = self.apps_of(account)?;
        self.admin.with(|w| {
            let change = json!({ "field": field, "value": value });
            let entry = json!({ "id": account, "time": w.now / 1000, "changes": [change] });
            let body = json!({ "object": self.flavor.name, "entry": [entry] });
            for app in apps {
                hooks::tell(self.flavor, w, &app, field, &body);
            }
        });
        Ok(())
    }

    /// Takes a permission away, or gives it back.
    pub fn set_scope(&self, account: &str, scope: &str, granted: bool) -> Result<(), AdminError> {
        self.account(account, |a| {
            a.scopes.insert(scope.to_owned(), granted);
        })
    }

    /// Makes the person log in at the platform before any token works (190/459), or lifts that again.
    pub fn set_checkpoint(&self, account: &str, on: bool) -> Result<(), AdminError> {
        self.account(account, |a| a.checkpoint = on)
    }

    /// Restricts, converts or deletes an account, or lifts that again. Posts of a deleted account do not come
    /// back.
    pub fn set_state(&self, account: &str, state: MetaAccountState) -> Result<(), AdminError> {
        let media = self.account(account, |a| {
            a.state = state;
            a.media.clone()
        })?;
        if state == MetaAccountState::Deleted {
            self.admin.with(|w| {
                for id in media {
                    publish::remove(self.flavor, w, &id);
                }
            });
        }
        Ok(())
    }

    /// Lets the next `count` containers of an account go wrong.
    pub fn fail_media(
        &self,
        account: &str,
        failure: MediaFailure,
        count: usize,
    ) -> Result<(), AdminError> {
        self.account(account, |a| {
            a.failures.extend(std::iter::repeat_n(failure, count));
        })
    }

    /// The platform's numbers and answer forms.
    #[must_use]
    pub fn settings(&self) -> MetaSettings {
        let flavor = self.flavor;
        self.admin.with(|w| (flavor.realm)(w).settings.clone())
    }

    /// Sets the platform's numbers and answer forms.
    pub fn set_settings(&self, settings: MetaSettings) {
        let flavor = self.flavor;
        self.admin
            .with(|w| (flavor.realm_mut)(w).settings = settings);
    }

    fn apps_of(&self, account: &str) -> Result<BTreeSet<String>, AdminError> {
        self.admin.with(|w| {
            let realm = (self.flavor.realm)(w);
            let known = realm.accounts.get(account);
            let known = known.ok_or_else(|| AdminError::not_found("account", account))?;
            let tokens = known.tokens.iter().filter_map(|t| realm.tokens.get(t));
            let living = tokens.filter(|t| t.dead.is_none());
            Ok(living.map(|t| t.app.clone()).collect())
        })
    }

    fn account<T>(&self, id: &str, act: impl FnOnce(&mut Account) -> T) -> Result<T, AdminError> {
        let flavor = self.flavor;
        let done = self
            .admin
            .with(|w| (flavor.realm_mut)(w).accounts.get_mut(id).map(act));
        done.ok_or_else(|| AdminError::not_found("account", id))
    }
}

/// An account without tokens; its id.
pub(crate) fn create_account(flavor: &Flavor, world: &mut World) -> String {
    let username = publish::username(world);
    let realm = (flavor.realm_mut)(world);
    let id = realm.number(flavor.account_numbers);
    let granted = flavor.scopes.iter().map(|s| ((*s).to_owned(), true));
    let account = Account {
        username,
        kind: "BUSINESS".to_owned(),
        app_scoped_id: realm.number(SCOPED_NUMBERS),
        state: MetaAccountState::Active,
        scopes: granted.collect(),
        checkpoint: false,
        tokens: Vec::new(),
        failures: VecDeque::new(),
        media: Vec::new(),
        used: BTreeMap::new(),
        subscribed: BTreeSet::new(),
        window: Window::default(),
    };
    realm.accounts.insert(id.clone(), account);
    id
}
