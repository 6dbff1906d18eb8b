//! Facebook's side of the suite.

use std::pin::Pin;

use http::Method;
use mooring_domain::{Failure, Platform, connection::AccountState};
use mooring_providers::{Access, AppCredentials, Authorize, Credentials, InboundKind, Provider};
use mooring_runtime::{Call, Http};
use mooring_simulator::{
    Admin, AdminError, FacebookApp, FacebookUser, NewFacebookApp, NewFacebookUsers, PageState,
    RevokeReason, TokenScope,
    facebook::{FacebookCallbacks, FacebookSubscription, MediaRules},
};
use mooring_vault::Secret;
use url::Url;

use crate::{
    arena::{Act, Scene, Shown},
    hooks::Provoked,
};

/// The word of the handshake.
const VERIFY_TOKEN: &str = "the word of the handshake";

pub(crate) struct Facebook {
    admin: Admin,
    app: FacebookApp,
    user: FacebookUser,
    /// Which of the user's pages is the destination.
    place: usize,
}

impl Facebook {
    pub(crate) fn new(admin: Admin) -> Self {
        Self::among(admin, 3, 1)
    }

    /// A destination among so many pages, at this place.
    pub(crate) fn among(admin: Admin, pages: usize, place: usize) -> Self {
        // With the strict setting on, a call without a right proof would fail.
        let new = NewFacebookApp {
            require_proof: true,
            ..NewFacebookApp::default()
        };
        let app = admin.create_facebook_app(new).expect("an app");
        let people = NewFacebookUsers {
            app: app.id.clone(),
            pages,
            ..NewFacebookUsers::default()
        };
        let user = admin
            .create_facebook_users(&people)
            .expect("a person")
            .remove(0);
        Self {
            admin,
            app,
            user,
            place,
        }
    }

    fn app(&self) -> AppCredentials {
        AppCredentials {
            client_id: self.app.id.clone(),
            client_secret: Secret::from(&*self.app.secret),
        }
    }

    fn page(&self) -> &str {
        &self.user.pages[self.place].id
    }

    fn redirect_uri() -> Url {
        Url::parse("https://mooring.example/oauth/facebook").expect("a URL")
    }

    /// A code of the dialog, perhaps with one permission left unticked.
    async fn consent(
        &self,
        http: &Http,
        provider: &dyn Provider,
        decline: Option<&str>,
    ) -> Credentials {
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
        let url = consent.expect("a dialog").url;
        // The person's browser: the simulated dialog consents in the name of its login_hint.
        let call = Call::new("browser", "/dialog/oauth", Method::GET, url)
            .query("login_hint", &self.user.id)
            .query("decline", decline.unwrap_or_default());
        let answer = http.send(call).await.expect("an answer of the dialog");
        let back = Url::parse(answer.header("location").expect("a redirect")).expect("a URL");
        let value = |name: &str| {
            let mut pairs = back.query_pairs();
            let found = pairs.find(|(key, _)| key == name);
            found.map(|(_, value)| value.into_owned())
        };
        assert_eq!(
            value("state").as_deref(),
            Some("state-1"),
            "state comes back"
        );
        let code = Secret::from(value("code").expect("a code"));
        crate::arena::remember([code.expose().to_owned()]);
        Credentials::Code {
            app: Some(self.app()),
            code,
            redirect_uri,
            kept: None,
            issuer: None,
        }
    }

    fn kill(&self, reason: RevokeReason) {
        self.admin
            .revoke_facebook_tokens(&self.user.id, reason, TokenScope::All)
            .expect("a person");
    }
}

impl Scene for Facebook {
    fn platform(&self) -> Platform {
        Platform::Facebook
    }

    fn simulated(&self) -> mooring_simulator::Platform {
        mooring_simulator::Platform::Facebook
    }

    fn account(&self) -> String {
        self.page().to_owned()
    }

    fn access(&self) -> Access {
        Access {
            app: Some(self.app()),
            host: None,
            remote_id: self.page().to_owned(),
            remote_user_id: self.user.id.clone(),
            token: Secret::from(&*self.user.pages[self.place].token),
            grant_token: Secret::from(&*self.user.token),
            refresh_token: None,
            binding: None,
        }
    }

    fn strangers_access(&self) -> Access {
        let stranger = Self::new(self.admin.clone());
        crate::arena::remember(stranger.secrets());
        Access {
            remote_id: self.page().to_owned(),
            remote_user_id: self.user.id.clone(),
            ..stranger.access()
        }
    }

    fn secrets(&self) -> Vec<String> {
        let pages = self.user.pages.iter().map(|page| page.token.to_string());
        pages
            .chain([self.user.token.to_string(), self.app.secret.to_string()])
            .collect()
    }

    fn credentials<'a>(
        &'a self,
        http: &'a Http,
        provider: &'a dyn Provider,
    ) -> Pin<Box<dyn Future<Output = Credentials> + Send + 'a>> {
        Box::pin(self.consent(http, provider, None))
    }

    fn declining<'a>(
        &'a self,
        http: &'a Http,
        provider: &'a dyn Provider,
    ) -> Pin<Box<dyn Future<Output = Result<(Credentials, String), &'static str>> + Send + 'a>>
    {
        Box::pin(async move {
            let scope = "pages_manage_posts";
            let credentials = self.consent(http, provider, Some(scope)).await;
            Ok((credentials, scope.to_owned()))
        })
    }

    fn spoil_media(&self) -> Result<(), &'static str> {
        // Photos are looked at when they come, videos when they are processed.
        let rules = MediaRules {
            photo_max_bytes: 1,
            ..self.admin.facebook_media_rules()
        };
        self.admin.set_facebook_media_rules(rules);
        self.admin.fail_next_facebook_video("Resolution too low.");
        Ok(())
    }

    fn provoke(&self) -> Result<Vec<Provoked>, &'static str> {
        // Nobody listens there: what was sent is looked at in the simulator.
        let url = "http://127.0.0.1:9/facebook";
        let callbacks = FacebookCallbacks {
            deauthorize_url: Some(format!("{url}/deauthorize")),
            data_deletion_url: Some(format!("{url}/deletion")),
        };
        let (app, page, user) = (&self.app.id, self.page(), &self.user.id);
        let act = |done: Result<(), AdminError>| done.expect("an app, a page, a person");
        act(self.admin.set_facebook_callbacks(app, callbacks));
        let subscription = |object: &str, fields: &[&str], verified| FacebookSubscription {
            object: object.to_owned(),
            callback_url: url.to_owned(),
            verify_token: VERIFY_TOKEN.to_owned(),
            fields: fields.iter().map(|field| (*field).to_owned()).collect(),
            verified,
        };
        let permissions = ["connected", "pages_manage_metadata"];
        for wanted in [
            subscription("page", &["feed"], false),
            subscription("page", &["feed"], true),
            subscription("permissions", &permissions, true),
        ] {
            act(self.admin.subscribe_facebook_app(app, &wanted));
        }
        act(self.admin.install_facebook_app(app, page));
        act(self.admin.publish_facebook_post(page, "seen by a webhook"));
        act(self
            .admin
            .drop_facebook_scope(user, "pages_manage_metadata", None));
        act(self.admin.request_facebook_data_deletion(user));
        self.kill(RevokeReason::AppRemoved);
        let kinds = [
            InboundKind::Notification, // the handshake
            InboundKind::Notification, // a post appeared
            InboundKind::Notification, // a permission is gone
            InboundKind::DataDeletion,
            InboundKind::Notification, // the whole app is gone
            InboundKind::Deauthorize,
        ];
        let provoked = |kind| Provoked {
            kind,
            app: self.app(),
            verify_token: Some(Secret::from(VERIFY_TOKEN)),
        };
        Ok(kinds.into_iter().map(provoked).collect())
    }

    fn wrong_credentials(&self) -> Credentials {
        let code = Secret::from("AQ-a-code-that-was-never-given");
        Credentials::Code {
            app: Some(self.app()),
            code,
            redirect_uri: Self::redirect_uri(),
            kept: None,
            issuer: None,
        }
    }

    fn act(&self, act: Act) -> Shown {
        let (page, user) = (self.page(), self.user.id.as_str());
        let state = |state| {
            self.admin
                .set_facebook_page_state(page, state)
                .expect("a page");
        };
        match act {
            Act::Expire => {
                self.kill(RevokeReason::Expired);
                Shown::Token(Failure::TokenExpired)
            }
            Act::Revoke => {
                self.kill(RevokeReason::AppRemoved);
                Shown::Token(Failure::TokenRevoked)
            }
            Act::ChangePassword => {
                self.kill(RevokeReason::PasswordChanged);
                Shown::Token(Failure::SecurityEvent)
            }
            Act::DropScope => {
                self.admin
                    .drop_facebook_scope(user, "pages_manage_posts", None)
                    .expect("a person");
                Shown::Scope("pages_manage_posts")
            }
            Act::LoseRole => {
                self.admin
                    .set_facebook_tasks(page, user, None)
                    .expect("a page");
                Shown::Account(AccountState::RoleLost)
            }
            Act::Checkpoint => {
                self.admin
                    .set_facebook_checkpoint(user, true)
                    .expect("a person");
                Shown::Account(AccountState::Checkpoint)
            }
            Act::Suspend => {
                state(PageState::Deleted);
                Shown::Account(AccountState::Unavailable)
            }
            Act::Hide => {
                state(PageState::Unpublished);
                Shown::Account(AccountState::Hidden)
            }
        }
    }

    fn too_long(&self) -> String {
        "a".repeat(63_207)
    }
}
