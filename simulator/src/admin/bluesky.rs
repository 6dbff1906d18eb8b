//! Acts on the simulated Bluesky server.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::{Admin, AdminError, SimSecret};
use crate::bluesky::session::{ACCESS_LIFE_S, REFRESH_LIFE_S, issue};
use crate::bluesky::{Account, AccountState, POSTS, repo};
use crate::clock::rfc3339;
use crate::limits::Window;
use crate::world::{ALPHANUMERIC, BASE32, World};

/// Accounts to be created, each with a session.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewBlueskyAccounts {
    /// The handle, when one account is made; chosen when absent.
    pub handle: Option<String>,
    /// How many accounts.
    pub count: usize,
    /// Remaining life of the access token, in seconds.
    pub access_life_s: i64,
    /// Remaining life of the refresh token, in seconds.
    pub refresh_life_s: i64,
}

impl Default for NewBlueskyAccounts {
    /// One account with fresh tokens: 2 hours and 90 days.
    fn default() -> Self {
        Self {
            handle: None,
            count: 1,
            access_life_s: ACCESS_LIFE_S,
            refresh_life_s: REFRESH_LIFE_S,
        }
    }
}

/// An account with its app password and a session.
#[derive(Clone, Debug, Serialize)]
pub struct BlueskyAccount {
    /// DID.
    pub did: String,
    /// Handle.
    pub handle: String,
    /// App password.
    pub password: SimSecret,
    /// Access token.
    pub access_token: SimSecret,
    /// Its end, as RFC 3339.
    pub access_expires_at: String,
    /// Refresh token.
    pub refresh_token: SimSecret,
    /// Its end, as RFC 3339.
    pub refresh_expires_at: String,
}

/// What happens to the tokens of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlueskyTokenAction {
    /// Access tokens answer "Token has expired".
    ExpireAccess,
    /// Refresh tokens answer "Token has expired".
    ExpireRefresh,
    /// Refresh tokens answer "Token has been revoked", access tokens live on
    /// to their end: what removing an app password does. Sessions of OAuth end
    /// at once, access tokens too.
    Revoke,
}

impl Admin {
    /// Creates accounts, each with a session.
    pub fn create_bluesky_accounts(
        &self,
        new: &NewBlueskyAccounts,
    ) -> Result<Vec<BlueskyAccount>, AdminError> {
        self.with(|w| {
            let taken = new
                .handle
                .as_ref()
                .filter(|h| new.count > 1 || w.bluesky.did(h).is_some());
            match taken {
                Some(handle) => Err(AdminError::Taken {
                    what: "handle",
                    id: handle.clone(),
                }),
                None => Ok((0..new.count).map(|_| create_account(w, new)).collect()),
            }
        })
    }

    /// Deactivates, takes down, suspends or deletes an account, or lifts that
    /// again. Sessions that a takedown or deletion ended stay ended.
    pub fn set_bluesky_state(&self, did: &str, state: AccountState) -> Result<(), AdminError> {
        self.bluesky_account(did, |a| {
            a.state = state;
            if state.is_shut() || state == AccountState::Deleted {
                a.sessions.clear();
            }
        })?;
        if state.is_shut() || state == AccountState::Deleted {
            self.with(|w| w.bluesky.oauth.end_sessions(did));
        }
        if state == AccountState::Deleted {
            self.with(|w| delete_posts(w, did));
        }
        Ok(())
    }

    /// Ends tokens of an account.
    pub fn act_on_bluesky_tokens(
        &self,
        did: &str,
        action: BlueskyTokenAction,
    ) -> Result<(), AdminError> {
        self.bluesky_account(did, |a| match action {
            BlueskyTokenAction::ExpireAccess => a.generation += 1,
            BlueskyTokenAction::ExpireRefresh => {
                a.sessions.values_mut().for_each(|s| s.expired = true);
            }
            BlueskyTokenAction::Revoke => a.sessions.clear(),
        })?;
        self.with(|w| {
            let oauth = &mut w.bluesky.oauth;
            match action {
                BlueskyTokenAction::ExpireAccess => {}
                BlueskyTokenAction::ExpireRefresh => {
                    let sessions = oauth.sessions.values_mut();
                    sessions
                        .filter(|session| session.did == did)
                        .for_each(|session| session.expired = true);
                }
                BlueskyTokenAction::Revoke => oauth.end_sessions(did),
            }
        });
        Ok(())
    }

    /// Sets a new password: refresh tokens are revoked, access tokens live on
    /// to their end, and sessions of OAuth do not notice. Returns the password.
    pub fn change_bluesky_password(&self, did: &str) -> Result<SimSecret, AdminError> {
        let password = self.with(app_password);
        self.bluesky_account(did, |a| {
            a.password.clone_from(&password);
            a.sessions.clear();
        })?;
        Ok(SimSecret(password))
    }

    /// Takes the right to write away ("Bad token scope"), or gives it back.
    pub fn set_bluesky_may_write(&self, did: &str, allowed: bool) -> Result<(), AdminError> {
        self.bluesky_account(did, |a| a.may_write = allowed)
    }

    fn bluesky_account(&self, did: &str, act: impl FnOnce(&mut Account)) -> Result<(), AdminError> {
        let done = self.with(|w| w.bluesky.accounts.get_mut(did).map(act));
        done.ok_or_else(|| AdminError::not_found("account", did))
    }
}

fn create_account(world: &mut World, new: &NewBlueskyAccounts) -> BlueskyAccount {
    let did = format!("did:plc:{}", world.word(BASE32, 24));
    let handle = match &new.handle {
        Some(handle) => handle.to_ascii_lowercase(),
        None => format!("user{}.test", world.bluesky.accounts.len() + 1),
    };
    let password = app_password(world);
    let rev = world.bluesky.tids.next(world.now);
    let account = Account {
        handle: handle.clone(),
        password: password.clone(),
        state: AccountState::Active,
        generation: 0,
        may_write: true,
        sessions: HashMap::new(),
        records: BTreeMap::new(),
        blobs: HashMap::new(),
        rev,
        login_window: Window::default(),
        write_window: Window::default(),
    };
    world.bluesky.accounts.insert(did.clone(), account);
    world
        .bluesky
        .dids_by_handle
        .insert(handle.clone(), did.clone());
    let jti = world.word(ALPHANUMERIC, 43);
    let tokens = issue(world, &did, &jti, new.access_life_s, new.refresh_life_s);
    let end = |life_s: i64| rfc3339((world.now / 1000 + life_s) * 1000);
    BlueskyAccount {
        did,
        handle,
        password: SimSecret(password),
        access_token: SimSecret(tokens.access),
        access_expires_at: end(new.access_life_s),
        refresh_token: SimSecret(tokens.refresh),
        refresh_expires_at: end(new.refresh_life_s),
    }
}

/// `xxxx-xxxx-xxxx-xxxx`.
fn app_password(world: &mut World) -> String {
    let part = |_| world.word(BASE32, 4);
    (0..4).map(part).collect::<Vec<_>>().join("-")
}

fn delete_posts(world: &mut World, did: &str) {
    let records = world
        .bluesky
        .accounts
        .get(did)
        .and_then(|a| a.records.get(POSTS));
    let keys: Vec<String> = records
        .into_iter()
        .flatten()
        .map(|(k, _)| k.clone())
        .collect();
    for rkey in keys {
        repo::remove(world, did, POSTS, &rkey);
    }
}
