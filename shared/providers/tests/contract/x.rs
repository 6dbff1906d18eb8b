//! X's side of the suite.

use std::pin::Pin;

use http::Method;
use mooring_domain::{Failure, Platform, connection::AccountState, failure::RateScope};
use mooring_providers::{Access, AppCredentials, Authorize, Credentials, InboundKind, Provider};
use mooring_runtime::{Call, Http};
use mooring_simulator::{
    Admin,
    x::{
        NewXApp, NewXUsers, XAccountState, XApp, XCallback, XLimits, XMediaAct, XSettings,
        XTokenAct, XUser,
    },
};
use mooring_vault::Secret;
use url::Url;

use crate::{
    arena::{Act, Declining, Scene, Shown},
    hooks::Provoked,
};

pub(crate) struct X {
    pub(crate) admin: Admin,
    pub(crate) app: XApp,
    pub(crate) user: XUser,
}

impl X {
    pub(crate) fn new(admin: Admin) -> Self {
        let new = NewXApp {
            redirect_uris: vec![Self::redirect_uri().to_string()],
            ..NewXApp::default()
        };
        let app = admin.create_x_app(new).expect("an app");
        let users = NewXUsers {
            app: app.id.clone(),
            ..NewXUsers::default()
        };
        let user = admin.create_x_users(&users).expect("a user").remove(0);
        Self { admin, app, user }
    }

    fn app(&self) -> AppCredentials {
        AppCredentials {
            client_id: self.app.id.clone(),
            client_secret: Secret::from(&**self.app.secret.as_ref().expect("a secret")),
        }
    }

    fn redirect_uri() -> Url {
        Url::parse("https://mooring.example/oauth/x").expect("a URL")
    }

    fn tokens(&self, act: XTokenAct) {
        self.admin
            .act_on_x_tokens(&self.user.id, act)
            .expect("a user");
    }

    fn state(&self, state: XAccountState) {
        self.admin
            .set_x_state(&self.user.id, state)
            .expect("a user");
    }
}

impl Scene for X {
    fn platform(&self) -> Platform {
        Platform::X
    }

    fn simulated(&self) -> mooring_simulator::Platform {
        mooring_simulator::Platform::X
    }

    fn account(&self) -> String {
        self.user.id.clone()
    }

    fn access(&self) -> Access {
        let token = Secret::from(&*self.user.access_token);
        let refresh = self.user.refresh_token.as_ref();
        Access {
            app: Some(self.app()),
            host: None,
            remote_id: self.user.id.clone(),
            remote_user_id: self.user.id.clone(),
            grant_token: token.clone(),
            token,
            refresh_token: refresh.map(|token| Secret::from(&**token)),
            binding: None,
        }
    }

    fn strangers_access(&self) -> Access {
        let stranger = Self::new(self.admin.clone());
        crate::arena::remember(stranger.secrets());
        Access {
            remote_id: self.user.id.clone(),
            remote_user_id: self.user.id.clone(),
            ..stranger.access()
        }
    }

    fn secrets(&self) -> Vec<String> {
        let optional = [&self.app.secret, &self.user.refresh_token];
        let optional = optional.into_iter().flatten();
        optional
            .chain([&self.app.consumer_secret, &self.user.access_token])
            .map(|secret| secret.to_string())
            .collect()
    }

    fn credentials<'a>(
        &'a self,
        http: &'a Http,
        provider: &'a dyn Provider,
    ) -> Pin<Box<dyn Future<Output = Credentials> + Send + 'a>> {
        Box::pin(async move {
            let redirect_uri = Self::redirect_uri();
            let app = self.app();
            let request = Authorize {
                app: Some(&app),
                redirect_uri: &redirect_uri,
                state: "state-1",
                host: None,
                login_hint: None,
            };
            let consent = provider.authorize(&request).await.expect("an address");
            let consent = consent.expect("a page");
            let kept = consent.kept.expect("a verifier");
            // The person's browser: the simulated page consents in the name of its login_hint.
            let call = Call::new("browser", "/i/oauth2/authorize", Method::GET, consent.url)
                .query("login_hint", &self.user.id);
            let answer = http.send(call).await.expect("an answer of the page");
            let back = Url::parse(answer.header("location").expect("a redirect")).expect("a URL");
            let value = |name: &str| {
                back.query_pairs()
                    .find(|(key, _)| key == name)
                    .map(|(_, value)| value.into_owned())
            };
            assert_eq!(
                value("state").as_deref(),
                Some("state-1"),
                "state comes back"
            );
            let code = Secret::from(value("code").expect("a code"));
            crate::arena::remember([code.expose().to_owned(), kept.expose().to_owned()]);
            Credentials::Code {
                app: Some(app),
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
            redirect_uri: Self::redirect_uri(),
            kept: Some(Secret::from("a-verifier-that-was-never-hashed")),
            issuer: None,
        }
    }

    fn act(&self, act: Act) -> Shown {
        match act {
            Act::Expire => {
                self.tokens(XTokenAct::ExpireAccess);
                Shown::Token(Failure::TokenExpired)
            }
            // A check sees a 401 that may mean either; the refresh tells.
            Act::Revoke => {
                self.tokens(XTokenAct::Revoke);
                Shown::Refresh(Failure::TokenRevoked)
            }
            Act::ChangePassword => {
                Shown::Nowhere("a new password ends no token of OAuth 2.0 that X tells of")
            }
            Act::DropScope => {
                self.admin
                    .set_x_scope(&self.user.id, "tweet.write", false)
                    .expect("a user");
                Shown::Publish(Failure::ScopeMissing { scopes: Vec::new() })
            }
            Act::LoseRole => Shown::Nowhere("an account is its owner's alone: there are no roles"),
            // Reading works on, so that only a write tells.
            Act::Checkpoint => {
                self.state(XAccountState::Locked);
                Shown::Publish(Failure::Checkpoint)
            }
            Act::Suspend => {
                self.state(XAccountState::Suspended);
                Shown::Account(AccountState::Unavailable)
            }
            Act::Hide => {
                self.admin
                    .set_x_protected(&self.user.id, true)
                    .expect("a user");
                Shown::Account(AccountState::Hidden)
            }
        }
    }

    fn too_long(&self) -> String {
        "a".repeat(281)
    }

    fn declining<'a>(&'a self, _http: &'a Http, _provider: &'a dyn Provider) -> Declining<'a> {
        Box::pin(async { Err("X's page grants everything that was asked for, or nothing") })
    }

    fn spoil_media(&self) -> Result<(), &'static str> {
        let processing_ms = XSettings::default().processing_ms;
        self.admin.set_x_media(XMediaAct {
            processing_ms,
            failing: 1,
        });
        Ok(())
    }

    fn provoke(&self) -> Result<Vec<Provoked>, &'static str> {
        let callback = XCallback {
            url: "http://127.0.0.1:9/hooks/x".to_owned(),
        };
        let webhook = self.admin.set_x_callback(&self.app.id, &callback);
        let webhook = webhook.expect("an app");
        self.tokens(XTokenAct::Revoke);
        let checked = self.admin.check_x_webhook(&self.app.id, &webhook);
        checked.expect("a webhook");
        // The news, then the handshake: the webhook is not believed any more until it is answered.
        let provoked = || Provoked {
            kind: InboundKind::Notification,
            app: self.app(),
            verify_token: Some(Secret::from(&*self.app.consumer_secret)),
        };
        Ok(vec![provoked(), provoked()])
    }

    fn one_more(&self, _admin: &Admin, whose: RateScope) -> Result<(), &'static str> {
        let (account, everybody) = match whose {
            RateScope::Account => (Some(1), None),
            RateScope::App | RateScope::Provider => (None, Some(1)),
        };
        self.admin.set_x_settings(XSettings {
            limits: XLimits {
                creates_per_user_24h: account,
                creates_per_app_24h: everybody,
                ..XLimits::default()
            },
            ..XSettings::default()
        });
        Ok(())
    }

    fn token_is_the_destination(&self) -> bool {
        true
    }
}
