//! Acts on the simulated Mastodon server, as methods and under `/admin/mastodon`.

use std::collections::HashMap;

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Account, App, MastodonAccountState, MastodonSettings, Token, statuses};
use crate::admin::http::{Answered, Body};
use crate::admin::{Admin, AdminError, SimSecret};
use crate::world::{ALPHANUMERIC, World};

/// A client to be registered, as `POST /api/v1/apps` would.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewMastodonApp {
    /// Its name.
    pub name: String,
    /// Where codes go.
    pub redirect_uris: Vec<String>,
    /// Scopes, divided by spaces.
    pub scopes: String,
}

impl Default for NewMastodonApp {
    fn default() -> Self {
        Self {
            name: "Mooring".to_owned(),
            redirect_uris: vec!["https://mooring.example/callback".to_owned()],
            scopes: "read write".to_owned(),
        }
    }
}

/// A client that is registered.
#[derive(Clone, Debug, Serialize)]
pub struct MastodonApp {
    /// `client_id`.
    pub client_id: String,
    /// `client_secret`.
    pub client_secret: SimSecret,
}

/// Accounts to be created, each with a token.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewMastodonAccounts {
    /// The client that the tokens belong to.
    pub app: String,
    /// The name, when one account is made; chosen when absent.
    pub username: Option<String>,
    /// How many.
    pub count: usize,
    /// Scopes of the token, divided by spaces.
    pub scopes: String,
    /// Life of the token in seconds, for servers (not Mastodon's own) whose tokens end.
    pub token_life_s: Option<i64>,
}

impl Default for NewMastodonAccounts {
    /// One account with a token for everything the product needs.
    fn default() -> Self {
        Self {
            app: String::new(),
            username: None,
            count: 1,
            scopes: "read:accounts read:statuses write:media write:statuses".to_owned(),
            token_life_s: None,
        }
    }
}

/// An account with a token.
#[derive(Clone, Debug, Serialize)]
pub struct MastodonAccount {
    /// Id.
    pub id: String,
    /// Name, without `@`.
    pub username: String,
    /// Access token.
    pub access_token: SimSecret,
}

/// What happens to the tokens of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MastodonTokenAction {
    /// "The access token was revoked": the person removed the app.
    Revoke,
    /// "The access token expired".
    Expire,
    /// "The access token is invalid": the server forgot it.
    Forget,
}

impl App {
    pub(super) fn new(new: NewMastodonApp, id: String, secret: String) -> Self {
        Self {
            id,
            name: new.name,
            website: None,
            secret,
            redirect_uris: new.redirect_uris,
            scopes: super::params::scopes(&new.scopes),
        }
    }
}

impl Admin {
    /// Registers a client.
    #[must_use]
    pub fn create_mastodon_app(&self, new: NewMastodonApp) -> MastodonApp {
        self.with(|w| {
            let (client_id, secret) = (w.word(ALPHANUMERIC, 43), w.word(ALPHANUMERIC, 43));
            let id = w.mastodon.id(w.now).to_string();
            let app = App::new(new, id, secret.clone());
            w.mastodon.apps.insert(client_id.clone(), app);
            MastodonApp {
                client_id,
                client_secret: SimSecret(secret),
            }
        })
    }

    /// The server forgets a client, and the tokens with it (`invalid_client`).
    pub fn delete_mastodon_app(&self, client_id: &str) -> Result<(), AdminError> {
        let gone = self.with(|w| {
            w.mastodon.tokens.retain(|_, t| t.app != client_id);
            w.mastodon.apps.remove(client_id)
        });
        gone.map(|_| ())
            .ok_or_else(|| AdminError::not_found("app", client_id))
    }

    /// Creates accounts, each with a token.
    pub fn create_mastodon_accounts(
        &self,
        new: &NewMastodonAccounts,
    ) -> Result<Vec<MastodonAccount>, AdminError> {
        self.with(|w| {
            if !w.mastodon.apps.contains_key(&new.app) {
                return Err(AdminError::not_found("app", &new.app));
            }
            let taken = |name: &&String| {
                new.count > 1 || w.mastodon.accounts.values().any(|a| a.username == **name)
            };
            match new.username.as_ref().filter(taken) {
                Some(name) => Err(AdminError::Taken {
                    what: "username",
                    id: name.clone(),
                }),
                None => Ok((0..new.count).map(|_| create_account(w, new)).collect()),
            }
        })
    }

    /// Disables, suspends, limits or deletes an account, or lifts that again.
    pub fn set_mastodon_state(
        &self,
        id: &str,
        state: MastodonAccountState,
    ) -> Result<(), AdminError> {
        self.mastodon_account(id, |a| a.state = state)?;
        if state == MastodonAccountState::Deleted {
            self.with(|w| {
                w.mastodon
                    .tokens
                    .retain(|_, t| t.account.as_deref() != Some(id));
                delete_posts(w, id);
            });
        }
        Ok(())
    }

    /// Lets an account say that it has moved to another (`user@host`).
    pub fn move_mastodon_account(&self, id: &str, to: &str) -> Result<(), AdminError> {
        self.mastodon_account(id, |a| a.moved_to = Some(to.to_owned()))
    }

    /// Ends the tokens of an account.
    pub fn act_on_mastodon_tokens(
        &self,
        id: &str,
        action: MastodonTokenAction,
    ) -> Result<(), AdminError> {
        self.mastodon_account(id, |_| ())?;
        self.with(|w| {
            let now = w.now;
            let own = |t: &Token| t.account.as_deref() == Some(id);
            let tokens = &mut w.mastodon.tokens;
            match action {
                MastodonTokenAction::Forget => tokens.retain(|_, t| !own(t)),
                MastodonTokenAction::Revoke => {
                    tokens
                        .values_mut()
                        .filter(|t| own(t))
                        .for_each(|t| t.revoked = true);
                }
                MastodonTokenAction::Expire => {
                    let own = tokens.values_mut().filter(|t| own(t));
                    own.for_each(|t| t.expires_at = Some(now));
                }
            }
        });
        Ok(())
    }

    /// Takes a scope away from the tokens of an account, or gives it.
    pub fn set_mastodon_scope(
        &self,
        id: &str,
        scope: &str,
        granted: bool,
    ) -> Result<(), AdminError> {
        self.mastodon_account(id, |_| ())?;
        self.with(|w| {
            let tokens = w.mastodon.tokens.values_mut();
            for token in tokens.filter(|t| t.account.as_deref() == Some(id)) {
                token.scopes.retain(|s| s != scope);
                if granted {
                    token.scopes.push(scope.to_owned());
                }
            }
        });
        Ok(())
    }

    /// The next file of this account cannot be processed.
    pub fn fail_next_mastodon_media(&self, id: &str) -> Result<(), AdminError> {
        self.mastodon_account(id, |a| a.fail_next_media = true)
    }

    /// What the server allows.
    #[must_use]
    pub fn mastodon_settings(&self) -> MastodonSettings {
        self.with(|w| w.mastodon.settings.clone())
    }

    /// Sets what the server allows.
    pub fn set_mastodon_settings(&self, settings: MastodonSettings) {
        self.with(|w| w.mastodon.settings = settings);
    }

    fn mastodon_account(&self, id: &str, act: impl FnOnce(&mut Account)) -> Result<(), AdminError> {
        let done = self.with(|w| w.mastodon.accounts.get_mut(id).map(act));
        done.ok_or_else(|| AdminError::not_found("account", id))
    }
}

fn create_account(world: &mut World, new: &NewMastodonAccounts) -> MastodonAccount {
    let id = world.mastodon.id(world.now).to_string();
    let made = world.mastodon.accounts.len() + 1;
    let username = new
        .username
        .clone()
        .unwrap_or_else(|| format!("user{made}"));
    let account = Account {
        username: username.clone(),
        state: MastodonAccountState::Active,
        created_at: world.now,
        keys: HashMap::new(),
        fail_next_media: false,
        moved_to: None,
    };
    world.mastodon.accounts.insert(id.clone(), account);
    let text = world.word(ALPHANUMERIC, 43);
    let token = Token {
        app: new.app.clone(),
        account: Some(id.clone()),
        scopes: super::params::scopes(&new.scopes),
        expires_at: new.token_life_s.map(|life_s| world.now + life_s * 1000),
        revoked: false,
    };
    world.mastodon.tokens.insert(text.clone(), token);
    MastodonAccount {
        id,
        username,
        access_token: SimSecret(text),
    }
}

fn delete_posts(world: &mut World, account: &str) {
    let own = world
        .mastodon
        .statuses
        .iter()
        .filter(|(_, s)| s.account == account);
    let ids: Vec<String> = own.map(|(n, _)| n.to_string()).collect();
    for id in ids {
        statuses::remove(world, &id);
    }
}

/// The same over HTTP.
pub(super) fn routes() -> Router<Admin> {
    Router::new()
        .route("/apps", post(create_app))
        .route("/apps/{id}", axum::routing::delete(delete_app))
        .route("/accounts", post(create_accounts))
        .route("/accounts/{id}", post(change_account))
        .route("/settings", get(settings).put(set_settings))
}

async fn create_app(
    State(admin): State<Admin>,
    Body(new): Body<NewMastodonApp>,
) -> Json<MastodonApp> {
    Json(admin.create_mastodon_app(new))
}

async fn delete_app(State(admin): State<Admin>, Path(id): Path<String>) -> Answered {
    admin.delete_mastodon_app(&id)?;
    Ok(Json(json!({ "ok": true })))
}

async fn create_accounts(
    State(admin): State<Admin>,
    Body(new): Body<NewMastodonAccounts>,
) -> Answered {
    let accounts = admin.create_mastodon_accounts(&new)?;
    Ok(Json(json!({ "accounts": accounts })))
}

/// One act on an account.
#[derive(Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
enum AccountAct {
    State { state: MastodonAccountState },
    Tokens { action: MastodonTokenAction },
    Scope { scope: String, granted: bool },
    FailNextMedia,
}

async fn change_account(
    State(admin): State<Admin>,
    Path(id): Path<String>,
    Body(act): Body<AccountAct>,
) -> Answered {
    match act {
        AccountAct::State { state } => admin.set_mastodon_state(&id, state),
        AccountAct::Tokens { action } => admin.act_on_mastodon_tokens(&id, action),
        AccountAct::Scope { scope, granted } => admin.set_mastodon_scope(&id, &scope, granted),
        AccountAct::FailNextMedia => admin.fail_next_mastodon_media(&id),
    }?;
    Ok(Json(json!({ "ok": true })))
}

async fn settings(State(admin): State<Admin>) -> Json<MastodonSettings> {
    Json(admin.mastodon_settings())
}

async fn set_settings(
    State(admin): State<Admin>,
    Body(new): Body<MastodonSettings>,
) -> Json<MastodonSettings> {
    admin.set_mastodon_settings(new);
    Json(admin.mastodon_settings())
}
