//! Bluesky's side of the suite.

use std::pin::Pin;

use mooring_domain::{Failure, Platform, connection::AccountState};
use mooring_providers::{Access, Credentials, Provider};
use mooring_runtime::Http;
use mooring_simulator::{
    AccountState as Simulated, Admin, BlueskyAccount, BlueskyTokenAction, NewBlueskyAccounts,
};
use mooring_vault::Secret;

use crate::arena::{Act, Declining, Scene, Shown};

pub(crate) struct Bluesky {
    admin: Admin,
    account: BlueskyAccount,
}

impl Bluesky {
    pub(crate) fn new(admin: Admin) -> Self {
        let mut made = admin
            .create_bluesky_accounts(&NewBlueskyAccounts::default())
            .expect("an account");
        Self {
            admin,
            account: made.remove(0),
        }
    }

    pub(crate) fn handle(&self) -> String {
        self.account.handle.clone()
    }

    fn password(&self, password: &str) -> Credentials {
        Credentials::Password {
            host: None,
            identifier: self.account.handle.clone(),
            password: Secret::from(password),
            factor: None,
        }
    }
}

impl Scene for Bluesky {
    fn platform(&self) -> Platform {
        Platform::Bluesky
    }

    fn simulated(&self) -> mooring_simulator::Platform {
        mooring_simulator::Platform::Bluesky
    }

    fn account(&self) -> String {
        self.account.did.clone()
    }

    fn access(&self) -> Access {
        let token = Secret::from(&*self.account.access_token);
        Access {
            app: None,
            host: None,
            remote_id: self.account.did.clone(),
            remote_user_id: self.account.did.clone(),
            grant_token: token.clone(),
            token,
            refresh_token: Some(Secret::from(&*self.account.refresh_token)),
            binding: None,
        }
    }

    fn strangers_access(&self) -> Access {
        let stranger = Self::new(self.admin.clone());
        crate::arena::remember(stranger.secrets());
        Access {
            remote_id: self.account.did.clone(),
            remote_user_id: self.account.did.clone(),
            ..stranger.access()
        }
    }

    fn secrets(&self) -> Vec<String> {
        let account = &self.account;
        [
            &account.access_token,
            &account.refresh_token,
            &account.password,
        ]
        .map(|secret| secret.to_string())
        .into()
    }

    fn credentials<'a>(
        &'a self,
        _http: &'a Http,
        _provider: &'a dyn Provider,
    ) -> Pin<Box<dyn Future<Output = Credentials> + Send + 'a>> {
        let credentials = self.password(&self.account.password);
        Box::pin(async { credentials })
    }

    fn wrong_credentials(&self) -> Credentials {
        self.password("aaaa-bbbb-cccc-dddd")
    }

    fn act(&self, act: Act) -> Shown {
        let did = self.account.did.as_str();
        let tokens = |action| {
            self.admin
                .act_on_bluesky_tokens(did, action)
                .expect("an account");
        };
        let state = |state| {
            self.admin
                .set_bluesky_state(did, state)
                .expect("an account");
        };
        match act {
            Act::Expire => {
                tokens(BlueskyTokenAction::ExpireAccess);
                Shown::Token(Failure::TokenExpired)
            }
            // Access tokens are stateless: they outlive the session by up to two hours.
            Act::Revoke => {
                tokens(BlueskyTokenAction::Revoke);
                Shown::Refresh(Failure::TokenRevoked)
            }
            Act::ChangePassword => {
                self.admin.change_bluesky_password(did).expect("an account");
                Shown::Refresh(Failure::TokenRevoked)
            }
            Act::DropScope => {
                self.admin
                    .set_bluesky_may_write(did, false)
                    .expect("an account");
                Shown::Publish(Failure::ScopeMissing { scopes: Vec::new() })
            }
            Act::LoseRole => Shown::Nowhere("an account is its owner's alone: there are no roles"),
            Act::Checkpoint => Shown::Nowhere("an e-mail code is asked for at log-in only"),
            Act::Suspend => {
                state(Simulated::Takendown);
                Shown::Account(AccountState::Unavailable)
            }
            Act::Hide => {
                state(Simulated::Deactivated);
                Shown::Account(AccountState::Unavailable)
            }
        }
    }

    fn too_long(&self) -> String {
        "a".repeat(301)
    }

    fn declining<'a>(&'a self, _http: &'a Http, _provider: &'a dyn Provider) -> Declining<'a> {
        Box::pin(async { Err("an app password has no permissions that could be declined") })
    }

    fn spoil_media(&self) -> Result<(), &'static str> {
        // A server takes any bytes; what it refuses is too many of them.
        self.admin.set_bluesky_blob_limit(1_000);
        Ok(())
    }
}
