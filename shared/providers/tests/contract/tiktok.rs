//! TikTok's side of the suite.

use std::{pin::Pin, time::Duration};

use http::Method;
use mooring_domain::{
    Failure, Platform, connection::AccountState, failure::RateScope, post::MediaKind,
};
use mooring_providers::{Access, AppCredentials, Authorize, Credentials, InboundKind, Provider};
use mooring_runtime::{Call, Http};
use mooring_simulator::{
    Admin,
    tiktok::{
        NewTikTokApp, NewTikTokUsers, TikTokAccountState, TikTokApp, TikTokAppChange,
        TikTokSettings, TikTokTokenAction, TikTokUser,
    },
};
use mooring_vault::Secret;
use url::Url;

use crate::{
    arena::{Act, Scene, Shown},
    hooks::Provoked,
};

pub(crate) struct TikTok {
    admin: Admin,
    app: TikTokApp,
    user: TikTokUser,
}

impl TikTok {
    pub(crate) fn new(admin: Admin) -> Self {
        // Moderation mostly takes less than a minute; here a few seconds.
        admin.set_tiktok_settings(TikTokSettings {
            moderation_ms: 5_000,
            ..TikTokSettings::default()
        });
        let app = admin.create_tiktok_app(NewTikTokApp::default());
        Self::of_app(admin, app)
    }

    fn of_app(admin: Admin, app: TikTokApp) -> Self {
        let new = NewTikTokUsers {
            app: app.client_key.clone(),
            ..NewTikTokUsers::default()
        };
        let mut made = admin.create_tiktok_users(&new).expect("a creator");
        Self {
            admin,
            app,
            user: made.remove(0),
        }
    }

    pub(crate) fn app(&self) -> AppCredentials {
        AppCredentials {
            client_id: self.app.client_key.clone(),
            client_secret: Secret::from(&*self.app.client_secret),
        }
    }

    /// What the creator's browser brings back, who leaves these permissions out.
    async fn consent(&self, http: &Http, provider: &dyn Provider, declined: &str) -> Credentials {
        let (app, redirect_uri) = (self.app(), redirect_uri());
        let request = Authorize {
            app: Some(&app),
            redirect_uri: &redirect_uri,
            state: "state-1",
            host: None,
            login_hint: None,
        };
        let consent = provider.authorize(&request).await.expect("an address");
        let url = consent.expect("a page").url;
        let call = Call::new("browser", "/v2/auth/authorize/", Method::GET, url)
            .query("login_hint", &self.user.open_id)
            .query("decline", declined);
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
        crate::arena::remember([code.expose().to_owned()]);
        self.code(code)
    }

    fn code(&self, code: Secret) -> Credentials {
        Credentials::Code {
            app: Some(self.app()),
            code,
            redirect_uri: redirect_uri(),
            kept: None,
            issuer: None,
        }
    }
}

fn redirect_uri() -> Url {
    Url::parse("https://mooring.example/oauth/tiktok").expect("a URL")
}

impl Scene for TikTok {
    fn platform(&self) -> Platform {
        Platform::TikTok
    }

    fn simulated(&self) -> mooring_simulator::Platform {
        mooring_simulator::Platform::TikTok
    }

    fn account(&self) -> String {
        self.user.open_id.clone()
    }

    fn access(&self) -> Access {
        let token = Secret::from(&*self.user.access_token);
        Access {
            app: Some(self.app()),
            host: None,
            remote_id: self.user.open_id.clone(),
            remote_user_id: self.user.open_id.clone(),
            grant_token: token.clone(),
            token,
            refresh_token: Some(Secret::from(&*self.user.refresh_token)),
            binding: None,
        }
    }

    fn strangers_access(&self) -> Access {
        let stranger = Self::of_app(self.admin.clone(), self.app.clone());
        crate::arena::remember(stranger.secrets());
        Access {
            remote_id: self.user.open_id.clone(),
            remote_user_id: self.user.open_id.clone(),
            ..stranger.access()
        }
    }

    fn secrets(&self) -> Vec<String> {
        let user = &self.user;
        let secrets = [
            &user.access_token,
            &user.refresh_token,
            &self.app.client_secret,
        ];
        secrets.map(|secret| secret.to_string()).into()
    }

    fn credentials<'a>(
        &'a self,
        http: &'a Http,
        provider: &'a dyn Provider,
    ) -> Pin<Box<dyn Future<Output = Credentials> + Send + 'a>> {
        Box::pin(self.consent(http, provider, ""))
    }

    fn wrong_credentials(&self) -> Credentials {
        self.code(Secret::from("a-code-that-was-never-given*1!4321.s1"))
    }

    fn act(&self, act: Act) -> Shown {
        let id = self.user.open_id.as_str();
        match act {
            Act::Expire => {
                let expire = TikTokTokenAction::ExpireAccess;
                self.admin
                    .act_on_tiktok_tokens(id, expire)
                    .expect("a creator");
                Shown::Token(Failure::TokenExpired)
            }
            // A check cannot tell it from an end by time; the refresh can.
            Act::Revoke => {
                self.admin.disconnect_tiktok(id, 1).expect("a creator");
                Shown::Refresh(Failure::TokenRevoked)
            }
            Act::ChangePassword => Shown::Nowhere("nothing is told of a changed password"),
            Act::DropScope => {
                let scope = "video.publish";
                self.admin
                    .set_tiktok_scope(id, scope, false)
                    .expect("a creator");
                Shown::Scope(scope)
            }
            Act::LoseRole => Shown::Nowhere("an account is its owner's alone: there are no roles"),
            Act::Checkpoint => Shown::Nowhere("the API knows no checkpoint"),
            Act::Suspend => {
                let state = TikTokAccountState::BannedFromPosting;
                self.admin.set_tiktok_state(id, state).expect("a creator");
                Shown::Account(AccountState::Unavailable)
            }
            Act::Hide => {
                self.admin.set_tiktok_private(id, true).expect("a creator");
                Shown::Account(AccountState::Hidden)
            }
        }
    }

    fn too_long(&self) -> String {
        "a".repeat(2_201)
    }

    fn declining<'a>(
        &'a self,
        http: &'a Http,
        provider: &'a dyn Provider,
    ) -> Pin<Box<dyn Future<Output = Result<(Credentials, String), &'static str>> + Send + 'a>>
    {
        let declined = "video.list";
        let consent = self.consent(http, provider, declined);
        Box::pin(async move { Ok((consent.await, declined.to_owned())) })
    }

    fn spoil_media(&self) -> Result<(), &'static str> {
        let id = self.user.open_id.as_str();
        self.admin
            .fail_next_tiktok(id, "duration_check_failed")
            .expect("a creator");
        Ok(())
    }

    fn provoke(&self) -> Result<Vec<Provoked>, &'static str> {
        let change = TikTokAppChange {
            callback_url: Some("http://127.0.0.1:9/webhooks/tiktok".to_owned()),
            ..TikTokAppChange::default()
        };
        self.admin
            .change_tiktok_app(&self.app.client_key, change)
            .expect("an app");
        let other = Self::of_app(self.admin.clone(), self.app.clone());
        self.admin
            .disconnect_tiktok(&self.user.open_id, 1)
            .expect("a creator");
        let banned = TikTokAccountState::Banned;
        self.admin
            .set_tiktok_state(&other.user.open_id, banned)
            .expect("a creator");
        let provoked = || Provoked {
            kind: InboundKind::Notification,
            app: self.app(),
            verify_token: None,
        };
        Ok(vec![provoked(), provoked()])
    }

    fn signs_time(&self) -> bool {
        true
    }

    /// TikTok tries for 72 hours.
    fn signature_life(&self) -> Duration {
        Duration::from_hours(74)
    }

    fn refuse_twins(&self) -> Result<(), &'static str> {
        Err("the platform takes the same post twice")
    }

    fn one_more(&self, admin: &Admin, whose: RateScope) -> Result<(), &'static str> {
        match whose {
            RateScope::Account => {
                admin.set_tiktok_settings(TikTokSettings {
                    posts_per_day: Some(1),
                    ..admin.tiktok_settings()
                });
                Ok(())
            }
            RateScope::App | RateScope::Provider => {
                Err("an app's cap counts creators, not posts: one creator alone never meets it")
            }
        }
    }

    fn tells_reset(&self) -> Result<(), &'static str> {
        Err("a refusal names no time: the minute that its limits are counted in is assumed")
    }

    /// Photos are fetched by the platform and have no steps.
    fn usual_kind(&self) -> MediaKind {
        MediaKind::Video
    }
}
