//! The side of Instagram (both log-ins) and of Threads in the suite.

use std::pin::Pin;

use http::Method;
use mooring_domain::{Failure, Platform, connection::AccountState, failure::RateScope};
use mooring_providers::{Access, AppCredentials, Authorize, Credentials, InboundKind, Provider};
use mooring_runtime::{Call, Http};
use mooring_simulator::{
    Admin, Limits, RevokeReason,
    instagram::{
        MediaFailure, MetaAccount, MetaAccountState, MetaAdmin, MetaApp, MetaCallbacks,
        MetaSettings, NewMetaAccounts, NewMetaApp,
    },
};
use mooring_vault::Secret;
use url::Url;

use crate::{
    arena::{Act, Declining, Scene, Shown},
    facebook::Facebook,
    hooks::Provoked,
};

/// Calls of one post: container, its state, publishing, a look at the permalink.
const CALLS: u64 = 4;

/// Instagram Login, or Threads.
pub(crate) struct Meta {
    admin: Admin,
    platform: Platform,
    app: MetaApp,
    account: MetaAccount,
}

impl Meta {
    pub(crate) fn new(admin: Admin, platform: Platform) -> Self {
        let hand = hand(&admin, platform);
        let app = hand.create_app(NewMetaApp::default()).expect("an app");
        // A token that is a day old: a younger one cannot be renewed.
        let new = NewMetaAccounts {
            app: app.id.clone(),
            token_life_s: 59 * 24 * 3600,
            ..NewMetaAccounts::default()
        };
        let account = hand.create_accounts(&new).expect("an account").remove(0);
        Self {
            admin,
            platform,
            app,
            account,
        }
    }

    /// The permission to publish.
    fn publishing(&self) -> &'static str {
        match self.platform {
            Platform::Threads => "threads_content_publish",
            _ => "instagram_business_content_publish",
        }
    }

    fn app(&self) -> AppCredentials {
        AppCredentials {
            client_id: self.app.id.clone(),
            client_secret: Secret::from(&*self.app.secret),
        }
    }
}

fn hand(admin: &Admin, platform: Platform) -> MetaAdmin {
    match platform {
        Platform::Threads => admin.threads(),
        _ => admin.instagram(),
    }
}

/// What the person's browser brings back: the simulated dialog consents in the name of its `login_hint`.
async fn consent(
    http: &Http,
    provider: &dyn Provider,
    app: AppCredentials,
    login_hint: &str,
    decline: &str,
) -> Credentials {
    let redirect_uri = Url::parse("https://mooring.example/oauth/meta").expect("a URL");
    let request = Authorize {
        app: Some(&app),
        redirect_uri: &redirect_uri,
        state: "state-1",
        host: None,
        login_hint: None,
    };
    let consent = provider.authorize(&request).await.expect("an address");
    let url = consent.expect("a dialog").url;
    let call = Call::new("browser", "/oauth/authorize", Method::GET, url)
        .query("login_hint", login_hint)
        .query("decline", decline);
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
    code_for(app, code, redirect_uri)
}

fn code_for(app: AppCredentials, code: Secret, redirect_uri: Url) -> Credentials {
    Credentials::Code {
        app: Some(app),
        code,
        redirect_uri,
        kept: None,
        issuer: None,
    }
}

fn wrong_code(app: AppCredentials) -> Credentials {
    let redirect_uri = Url::parse("https://mooring.example/oauth/meta").expect("a URL");
    code_for(
        app,
        Secret::from("AQ-a-code-that-was-never-given"),
        redirect_uri,
    )
}

impl Scene for Meta {
    fn platform(&self) -> Platform {
        self.platform
    }

    fn simulated(&self) -> mooring_simulator::Platform {
        match self.platform {
            Platform::Threads => mooring_simulator::Platform::Threads,
            _ => mooring_simulator::Platform::Instagram,
        }
    }

    fn account(&self) -> String {
        self.account.id.clone()
    }

    fn access(&self) -> Access {
        let token = Secret::from(&*self.account.token);
        Access {
            app: Some(self.app()),
            host: None,
            remote_id: self.account.id.clone(),
            remote_user_id: self.account.app_scoped_id.clone(),
            grant_token: token.clone(),
            token,
            refresh_token: None,
            binding: None,
        }
    }

    fn strangers_access(&self) -> Access {
        let stranger = Self::new(self.admin.clone(), self.platform);
        crate::arena::remember(stranger.secrets());
        Access {
            remote_id: self.account.id.clone(),
            remote_user_id: self.account.app_scoped_id.clone(),
            ..stranger.access()
        }
    }

    fn secrets(&self) -> Vec<String> {
        vec![self.account.token.to_string(), self.app.secret.to_string()]
    }

    fn credentials<'a>(
        &'a self,
        http: &'a Http,
        provider: &'a dyn Provider,
    ) -> Pin<Box<dyn Future<Output = Credentials> + Send + 'a>> {
        Box::pin(consent(http, provider, self.app(), &self.account.id, ""))
    }

    fn wrong_credentials(&self) -> Credentials {
        wrong_code(self.app())
    }

    fn act(&self, act: Act) -> Shown {
        let (hand, id) = (hand(&self.admin, self.platform), self.account.id.as_str());
        let revoke = |reason| hand.revoke_tokens(id, reason).expect("an account");
        let state = |state| hand.set_state(id, state).expect("an account");
        match act {
            Act::Expire => {
                revoke(RevokeReason::Expired);
                Shown::Token(Failure::TokenExpired)
            }
            Act::Revoke => {
                revoke(RevokeReason::AppRemoved);
                Shown::Token(Failure::TokenRevoked)
            }
            Act::ChangePassword => {
                revoke(RevokeReason::PasswordChanged);
                Shown::Token(Failure::SecurityEvent)
            }
            Act::DropScope => {
                let scope = self.publishing();
                hand.set_scope(id, scope, false).expect("an account");
                Shown::Scope(scope)
            }
            Act::LoseRole => Shown::Nowhere("an account is its owner's alone: there are no roles"),
            Act::Checkpoint => {
                hand.set_checkpoint(id, true).expect("an account");
                Shown::Account(AccountState::Checkpoint)
            }
            Act::Suspend => {
                state(MetaAccountState::Deleted);
                Shown::Account(AccountState::Unavailable)
            }
            // The nearest thing: nobody may see what it would post.
            Act::Hide => {
                state(MetaAccountState::Restricted);
                Shown::Publish(Failure::AccountUnavailable)
            }
        }
    }

    fn too_long(&self) -> String {
        "a".repeat(self.platform.capabilities().text_max + 1)
    }

    fn declining<'a>(&'a self, http: &'a Http, provider: &'a dyn Provider) -> Declining<'a> {
        Box::pin(async move {
            let (id, scope) = (&self.account.id, self.publishing());
            let credentials = consent(http, provider, self.app(), id, scope).await;
            Ok((credentials, scope.to_owned()))
        })
    }

    fn spoil_media(&self) -> Result<(), &'static str> {
        hand(&self.admin, self.platform)
            .fail_media(&self.account.id, MediaFailure::Processing, 1)
            .expect("an account");
        Ok(())
    }

    /// The handshake, a deletion where the platform tells of it, and the two callbacks about a person.
    fn provoke(&self) -> Result<Vec<Provoked>, &'static str> {
        let (hand, id) = (hand(&self.admin, self.platform), self.account.id.as_str());
        let at = |path: &str| Some(format!("http://127.0.0.1:9/{path}"));
        let callbacks = MetaCallbacks {
            webhook_url: at("hook"),
            verify_token: "the agreed word".to_owned(),
            fields: ["delete".to_owned(), "permissions".to_owned()].into(),
            deauthorize_url: at("left"),
            deletion_url: at("erase"),
        };
        hand.set_callbacks(&self.app.id, callbacks).expect("an app");
        let mut kinds = vec![InboundKind::Notification];
        if self.platform == Platform::Threads {
            let post = hand.post_by_hand(id, "by hand").expect("an account");
            let deleted = self.admin.delete_post(self.simulated(), &post);
            deleted.expect("a post");
            kinds.push(InboundKind::Notification);
        }
        hand.request_deletion(id).expect("an account");
        hand.revoke_tokens(id, RevokeReason::AppRemoved)
            .expect("an account");
        kinds.extend([InboundKind::DataDeletion, InboundKind::Deauthorize]);
        let provoked = |kind| Provoked {
            kind,
            app: self.app(),
            verify_token: Some(Secret::from("the agreed word")),
        };
        Ok(kinds.into_iter().map(provoked).collect())
    }

    fn revokes(&self) -> bool {
        false
    }

    fn refuse_twins(&self) -> Result<(), &'static str> {
        Err("the platform takes the same words twice")
    }

    fn one_more(&self, _admin: &Admin, whose: RateScope) -> Result<(), &'static str> {
        let of_everybody = whose != RateScope::Account;
        let limit = |wanted: bool| wanted.then_some(CALLS);
        hand(&self.admin, self.platform).set_settings(MetaSettings {
            account_calls_per_day: limit(!of_everybody),
            app_calls_per_hour: limit(of_everybody),
            ..MetaSettings::default()
        });
        Ok(())
    }
}

/// Instagram by way of a Facebook page.
pub(crate) struct ByFacebook {
    admin: Admin,
    page: Facebook,
    id: String,
}

impl ByFacebook {
    pub(crate) fn new(admin: Admin) -> Self {
        let page = Facebook::new(admin.clone());
        let linked = admin.link_instagram(&page.account()).expect("a page");
        Self {
            admin,
            page,
            id: linked.id,
        }
    }
}

impl Scene for ByFacebook {
    fn platform(&self) -> Platform {
        Platform::InstagramFacebook
    }

    fn simulated(&self) -> mooring_simulator::Platform {
        mooring_simulator::Platform::Facebook
    }

    fn account(&self) -> String {
        self.id.clone()
    }

    fn access(&self) -> Access {
        Access {
            remote_id: self.id.clone(),
            ..self.page.access()
        }
    }

    fn strangers_access(&self) -> Access {
        Access {
            remote_id: self.id.clone(),
            ..self.page.strangers_access()
        }
    }

    fn secrets(&self) -> Vec<String> {
        self.page.secrets()
    }

    fn credentials<'a>(
        &'a self,
        http: &'a Http,
        provider: &'a dyn Provider,
    ) -> Pin<Box<dyn Future<Output = Credentials> + Send + 'a>> {
        let access = self.page.access();
        Box::pin(async move {
            let app = access.app.expect("Facebook knows apps");
            consent(http, provider, app, &access.remote_user_id, "").await
        })
    }

    fn wrong_credentials(&self) -> Credentials {
        wrong_code(self.page.access().app.expect("Facebook knows apps"))
    }

    fn act(&self, act: Act) -> Shown {
        match act {
            Act::DropScope => {
                let scope = "instagram_content_publish";
                let user = self.page.access().remote_user_id;
                self.admin
                    .drop_facebook_scope(&user, scope, None)
                    .expect("a person");
                Shown::Scope(scope)
            }
            Act::Suspend => {
                let state = MetaAccountState::Deleted;
                self.admin
                    .instagram()
                    .set_state(&self.id, state)
                    .expect("an account");
                Shown::Account(AccountState::Unavailable)
            }
            // The nearest thing: the page shows the account no more.
            Act::Hide => {
                self.admin
                    .unlink_instagram(&self.page.account())
                    .expect("a page");
                Shown::Account(AccountState::Unavailable)
            }
            Act::Expire | Act::Revoke | Act::ChangePassword | Act::LoseRole | Act::Checkpoint => {
                self.page.act(act)
            }
        }
    }

    fn too_long(&self) -> String {
        "a".repeat(2_201)
    }

    fn declining<'a>(&'a self, http: &'a Http, provider: &'a dyn Provider) -> Declining<'a> {
        Box::pin(async move {
            let access = self.page.access();
            let app = access.app.expect("Facebook knows apps");
            let scope = "instagram_content_publish";
            let user = &access.remote_user_id;
            let credentials = consent(http, provider, app, user, scope).await;
            Ok((credentials, scope.to_owned()))
        })
    }

    fn spoil_media(&self) -> Result<(), &'static str> {
        self.admin
            .instagram()
            .fail_media(&self.id, MediaFailure::Processing, 1)
            .expect("an account");
        Ok(())
    }

    fn provoke(&self) -> Result<Vec<Provoked>, &'static str> {
        Err("the callbacks are those of Facebook Login, and are held against the suite there")
    }

    fn refuse_twins(&self) -> Result<(), &'static str> {
        Err("the platform takes the same words twice")
    }

    fn one_more(&self, _admin: &Admin, whose: RateScope) -> Result<(), &'static str> {
        let of_everybody = whose != RateScope::Account;
        self.admin.instagram().set_settings(MetaSettings {
            account_calls_per_day: (!of_everybody).then_some(CALLS),
            ..MetaSettings::default()
        });
        self.admin.set_limits(Limits {
            facebook_app_calls_per_hour: of_everybody.then_some(CALLS),
            ..Limits::default()
        });
        Ok(())
    }
}
