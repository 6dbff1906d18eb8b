//! Mastodon's side of the suite.

use std::pin::Pin;

use http::Method;
use mooring_domain::{Failure, Platform, connection::AccountState, failure::RateScope};
use mooring_providers::{Access, AppCredentials, Authorize, Credentials, Provider};
use mooring_runtime::{Call, Http};
use mooring_simulator::{
    Admin,
    mastodon::{
        MastodonAccount, MastodonAccountState, MastodonApp, MastodonSettings, MastodonTokenAction,
        NewMastodonAccounts, NewMastodonApp,
    },
};
use mooring_vault::Secret;
use url::Url;

use crate::arena::{Act, Scene, Shown};

pub(crate) struct Mastodon {
    admin: Admin,
    app: MastodonApp,
    account: MastodonAccount,
}

impl Mastodon {
    pub(crate) fn new(admin: Admin) -> Self {
        let app = admin.create_mastodon_app(NewMastodonApp::default());
        let new = NewMastodonAccounts {
            app: app.client_id.clone(),
            ..NewMastodonAccounts::default()
        };
        let mut made = admin.create_mastodon_accounts(&new).expect("an account");
        Self {
            admin,
            app,
            account: made.remove(0),
        }
    }

    fn app(&self) -> AppCredentials {
        AppCredentials {
            client_id: self.app.client_id.clone(),
            client_secret: Secret::from(&*self.app.client_secret),
        }
    }
}

fn redirect_uri() -> Url {
    Url::parse("https://mooring.example/oauth/mastodon").expect("a URL")
}

impl Scene for Mastodon {
    fn platform(&self) -> Platform {
        Platform::Mastodon
    }

    fn simulated(&self) -> mooring_simulator::Platform {
        mooring_simulator::Platform::Mastodon
    }

    fn account(&self) -> String {
        self.account.id.clone()
    }

    fn access(&self) -> Access {
        let token = Secret::from(&*self.account.access_token);
        Access {
            app: Some(self.app()),
            host: None,
            remote_id: self.account.id.clone(),
            remote_user_id: self.account.id.clone(),
            grant_token: token.clone(),
            token,
            refresh_token: None,
            binding: None,
        }
    }

    fn strangers_access(&self) -> Access {
        let stranger = Self::new(self.admin.clone());
        crate::arena::remember(stranger.secrets());
        Access {
            remote_id: self.account.id.clone(),
            remote_user_id: self.account.id.clone(),
            ..stranger.access()
        }
    }

    fn secrets(&self) -> Vec<String> {
        let secrets = [&self.account.access_token, &self.app.client_secret];
        secrets.map(|secret| secret.to_string()).into()
    }

    /// Nothing is known beforehand: the adapter registers an app of its own on the way.
    fn credentials<'a>(
        &'a self,
        http: &'a Http,
        provider: &'a dyn Provider,
    ) -> Pin<Box<dyn Future<Output = Credentials> + Send + 'a>> {
        Box::pin(async move {
            let redirect_uri = redirect_uri();
            let request = Authorize {
                app: None,
                redirect_uri: &redirect_uri,
                state: "state-1",
                host: None,
                login_hint: None,
            };
            let consent = provider.authorize(&request).await.expect("an address");
            let consent = consent.expect("a page");
            let call = Call::new("browser", "/oauth/authorize", Method::GET, consent.url)
                .query("login_hint", &self.account.username);
            let answer = http.send(call).await.expect("an answer of the page");
            let back = Url::parse(answer.header("location").expect("a redirect")).expect("a URL");
            let value = |name: &str| {
                let mut pairs = back.query_pairs();
                pairs
                    .find(|(key, _)| key == name)
                    .map(|(_, value)| value.into_owned())
            };
            assert_eq!(
                value("state").as_deref(),
                Some("state-1"),
                "state comes back"
            );
            let code = Secret::from(value("code").expect("a code"));
            let kept = consent.kept.expect("a verifier and an app");
            crate::arena::remember([code.expose().to_owned()]);
            let inside: serde_json::Value =
                serde_json::from_str(kept.expose()).expect("what the adapter keeps");
            let named = ["client_secret", "verifier"];
            crate::arena::remember(named.map(|name| inside[name].as_str().unwrap().to_owned()));
            Credentials::Code {
                app: None,
                code,
                redirect_uri,
                kept: Some(kept),
                issuer: None,
            }
        })
    }

    fn wrong_credentials(&self) -> Credentials {
        Credentials::Code {
            app: Some(self.app()),
            code: Secret::from("a-code-that-was-never-given"),
            redirect_uri: redirect_uri(),
            kept: None,
            issuer: None,
        }
    }

    fn act(&self, act: Act) -> Shown {
        let id = self.account.id.as_str();
        let tokens = |action| {
            self.admin
                .act_on_mastodon_tokens(id, action)
                .expect("an account");
        };
        let state = |state| {
            self.admin
                .set_mastodon_state(id, state)
                .expect("an account")
        };
        match act {
            Act::Expire => {
                tokens(MastodonTokenAction::Expire);
                Shown::Token(Failure::TokenExpired)
            }
            // A new password ends every token, and looks like any other revocation.
            Act::Revoke | Act::ChangePassword => {
                tokens(MastodonTokenAction::Revoke);
                Shown::Token(Failure::TokenRevoked)
            }
            Act::DropScope => {
                let scope = "write:statuses";
                self.admin
                    .set_mastodon_scope(id, scope, false)
                    .expect("an account");
                Shown::Publish(Failure::ScopeMissing { scopes: Vec::new() })
            }
            Act::LoseRole => Shown::Nowhere("an account is its owner's alone: there are no roles"),
            Act::Checkpoint => {
                state(MastodonAccountState::Unconfirmed);
                Shown::Account(AccountState::Checkpoint)
            }
            Act::Suspend => {
                state(MastodonAccountState::Suspended);
                Shown::Account(AccountState::Unavailable)
            }
            Act::Hide => {
                state(MastodonAccountState::Limited);
                Shown::Account(AccountState::Hidden)
            }
        }
    }

    fn too_long(&self) -> String {
        "a".repeat(501)
    }

    fn declining<'a>(
        &'a self,
        _http: &'a Http,
        _provider: &'a dyn Provider,
    ) -> Pin<Box<dyn Future<Output = Result<(Credentials, String), &'static str>> + Send + 'a>>
    {
        Box::pin(async { Err("the page takes all permissions or none") })
    }

    fn spoil_media(&self) -> Result<(), &'static str> {
        let id = self.account.id.as_str();
        self.admin.fail_next_mastodon_media(id).expect("an account");
        Ok(())
    }

    fn refuse_twins(&self) -> Result<(), &'static str> {
        Err("the server takes the same words twice, under two keys")
    }

    fn one_more(&self, admin: &Admin, whose: RateScope) -> Result<(), &'static str> {
        match whose {
            RateScope::Account => {
                admin.set_mastodon_settings(MastodonSettings {
                    statuses_per_3h: Some(1),
                    ..admin.mastodon_settings()
                });
                Ok(())
            }
            RateScope::App | RateScope::Provider => {
                Err("a server counts by account; what it counts by address is not simulated")
            }
        }
    }
}
