//! YouTube's side of the suite.

use std::pin::Pin;

use http::Method;
use mooring_domain::{Failure, Platform, connection::AccountState, failure::RateScope};
use mooring_providers::{
    Access, AppCredentials, Authorize, Credentials, InboundKind, Provider, youtube_hub_secret,
};
use mooring_runtime::{Call, Http};
use mooring_simulator::{
    Admin,
    youtube::{
        ChannelState, NewYoutubeApp, NewYoutubeUsers, Outcome, UserState, YoutubeApp,
        YoutubeTokenAction, YoutubeUser,
    },
};
use mooring_vault::Secret;
use url::Url;

use crate::{
    arena::{Act, Declining, Scene, Shown},
    hooks::Provoked,
};

pub(crate) struct Youtube {
    admin: Admin,
    app: YoutubeApp,
    user: YoutubeUser,
}

impl Youtube {
    pub(crate) fn new(admin: Admin) -> Self {
        // The address of the redirect is registered, as Google demands.
        let new = NewYoutubeApp {
            redirect_uris: vec![Self::redirect_uri().into()],
            ..NewYoutubeApp::default()
        };
        let app = admin.create_youtube_app(new).expect("an app");
        let people = NewYoutubeUsers {
            app: app.client_id.clone(),
            ..NewYoutubeUsers::default()
        };
        let user = admin
            .create_youtube_users(&people)
            .expect("a person")
            .remove(0);
        Self { admin, app, user }
    }

    fn app(&self) -> AppCredentials {
        AppCredentials {
            client_id: self.app.client_id.clone(),
            client_secret: Secret::from(&*self.app.secret),
        }
    }

    fn channel(&self) -> &str {
        &self.user.channels[0].id
    }

    /// Consents in a browser, all but one scope.
    async fn consent(
        &self,
        http: &Http,
        provider: &dyn Provider,
        declined: Option<&str>,
    ) -> Credentials {
        let redirect_uri = Self::redirect_uri();
        let app = self.app();
        let request = Authorize {
            app: Some(&app),
            redirect_uri: &redirect_uri,
            state: "state-1",
            host: None,
            login_hint: Some(&self.user.email),
        };
        let consent = provider.authorize(&request).await.expect("an address");
        let consent = consent.expect("a consent page");
        // The simulated page consents in the name of the hint.
        let call = Call::new("browser", "/o/oauth2/v2/auth", Method::GET, consent.url)
            .query("decline", declined.unwrap_or_default());
        let answer = http.send(call).await.expect("an answer of the page");
        let back = Url::parse(answer.header("location").expect("a redirect")).expect("a URL");
        let value = |name: &str| {
            let pair = back.query_pairs().find(|(key, _)| key == name);
            pair.map(|(_, value)| value.into_owned())
        };
        assert_eq!(value("state").as_deref(), Some("state-1"));
        let code = Secret::from(value("code").expect("a code"));
        let kept = consent.kept.expect("a verifier");
        crate::arena::remember([code.expose().to_owned(), kept.expose().to_owned()]);
        Credentials::Code {
            app: Some(app),
            code,
            redirect_uri,
            kept: Some(kept),
            issuer: None,
        }
    }

    fn redirect_uri() -> Url {
        Url::parse("https://mooring.example/oauth/youtube").expect("a URL")
    }
}

impl Scene for Youtube {
    fn platform(&self) -> Platform {
        Platform::YouTube
    }

    fn simulated(&self) -> mooring_simulator::Platform {
        mooring_simulator::Platform::YouTube
    }

    fn account(&self) -> String {
        self.channel().to_owned()
    }

    fn access(&self) -> Access {
        let token = Secret::from(&*self.user.access_token);
        Access {
            app: Some(self.app()),
            host: None,
            remote_id: self.channel().to_owned(),
            remote_user_id: self.channel().to_owned(),
            grant_token: token.clone(),
            token,
            refresh_token: Some(Secret::from(&*self.user.refresh_token)),
            binding: None,
        }
    }

    fn strangers_access(&self) -> Access {
        let stranger = Self::new(self.admin.clone());
        crate::arena::remember(stranger.secrets());
        Access {
            remote_id: self.channel().to_owned(),
            remote_user_id: self.channel().to_owned(),
            ..stranger.access()
        }
    }

    fn secrets(&self) -> Vec<String> {
        [
            &self.user.access_token,
            &self.user.refresh_token,
            &self.app.secret,
        ]
        .map(|secret| secret.to_string())
        .into()
    }

    fn credentials<'a>(
        &'a self,
        http: &'a Http,
        provider: &'a dyn Provider,
    ) -> Pin<Box<dyn Future<Output = Credentials> + Send + 'a>> {
        Box::pin(self.consent(http, provider, None))
    }

    fn wrong_credentials(&self) -> Credentials {
        Credentials::Code {
            app: Some(self.app()),
            code: Secret::from("4/0A-a-code-that-was-never-given"),
            redirect_uri: Self::redirect_uri(),
            kept: Some(Secret::from("a-verifier")),
            issuer: None,
        }
    }

    fn act(&self, act: Act) -> Shown {
        let user = self.user.id.as_str();
        let tokens = |action| {
            self.admin
                .act_on_youtube_tokens(user, action)
                .expect("a person");
        };
        let state = |state| {
            self.admin
                .set_youtube_channel_state(self.channel(), state)
                .expect("a channel");
        };
        match act {
            Act::Expire => {
                tokens(YoutubeTokenAction::ExpireAccess);
                Shown::Token(Failure::TokenExpired)
            }
            // An access token that ended and one that was taken back look alike; the refresh tells.
            Act::Revoke => {
                tokens(YoutubeTokenAction::Revoke);
                Shown::Refresh(Failure::TokenRevoked)
            }
            Act::ChangePassword => Shown::Nowhere(
                "Google ends tokens at a new password only where they reach its mail",
            ),
            Act::DropScope => {
                for scope in ["youtube.upload", "youtube.force-ssl"] {
                    self.admin
                        .set_youtube_scope(user, scope, false)
                        .expect("a person");
                }
                Shown::Scope("https://www.googleapis.com/auth/youtube.upload")
            }
            Act::LoseRole => Shown::Nowhere("a grant is for one channel: there are no roles on it"),
            Act::Checkpoint => {
                self.admin
                    .set_youtube_user_state(user, UserState::ReauthWanted)
                    .expect("a person");
                Shown::Refresh(Failure::Checkpoint)
            }
            Act::Suspend => {
                state(ChannelState::Suspended);
                Shown::Account(AccountState::Unavailable)
            }
            Act::Hide => {
                state(ChannelState::Removed);
                Shown::Account(AccountState::Unavailable)
            }
        }
    }

    fn too_long(&self) -> String {
        "ü".repeat(2_501)
    }

    fn declining<'a>(&'a self, http: &'a Http, provider: &'a dyn Provider) -> Declining<'a> {
        Box::pin(async move {
            let scope = "https://www.googleapis.com/auth/youtube.force-ssl";
            let credentials = self.consent(http, provider, Some(scope)).await;
            Ok((credentials, scope.to_owned()))
        })
    }

    fn spoil_media(&self) -> Result<(), &'static str> {
        self.admin
            .set_youtube_outcome(self.channel(), Outcome::Failed("codec".to_owned()))
            .expect("a channel");
        Ok(())
    }

    fn provoke(&self) -> Result<Vec<Provoked>, &'static str> {
        let (channel, app) = (self.channel(), self.app());
        let secret = youtube_hub_secret(&app);
        crate::arena::remember([secret.expose().to_owned()]);
        let callback = "http://127.0.0.1:9/hooks/youtube";
        self.admin
            .subscribe_youtube(channel, callback, secret.expose(), "a word")
            .expect("a channel");
        let id = self
            .admin
            .publish_youtube_video(channel, "By hand", "Its words");
        let (id, platform) = (id.expect("a channel"), self.simulated());
        self.admin
            .edit_post(platform, &id, "Other words")
            .expect("a video");
        self.admin.delete_post(platform, &id).expect("a video");
        let one = || Provoked {
            kind: InboundKind::Notification,
            app: app.clone(),
            verify_token: Some(Secret::from("a word")),
        };
        // The handshake, and news of the video, its change and its end.
        Ok((0..4).map(|_| one()).collect())
    }

    fn refuse_twins(&self) -> Result<(), &'static str> {
        self.admin.set_youtube_duplicate_guard(true);
        Ok(())
    }

    fn one_more(&self, _admin: &Admin, whose: RateScope) -> Result<(), &'static str> {
        let (of_channel, of_project) = match whose {
            RateScope::Account => (1, None),
            RateScope::App | RateScope::Provider => (100, Some(1)),
        };
        self.admin
            .set_youtube_upload_limit(self.channel(), of_channel)
            .expect("a channel");
        self.admin
            .set_youtube_quota(&self.app.client_id, None, of_project)
            .expect("an app");
        Ok(())
    }
}
